"""From bytes on a wire to an examined file: receiving, examining, and the two upload protocols."""

from __future__ import annotations
