"""Upstream: an index that has what another index has, kept and held against its hashes."""

from __future__ import annotations
