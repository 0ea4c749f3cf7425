"""What an index holds, and what happens to it: plain functions over a connection, no HTTP."""

from __future__ import annotations
