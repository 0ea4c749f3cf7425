"""What people look at: pages rendered here, readable without JavaScript."""

from __future__ import annotations
