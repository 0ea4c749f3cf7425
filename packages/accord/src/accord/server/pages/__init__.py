"""Finished bytes: the documents of the Simple API, made when something changes and not when someone asks."""

from __future__ import annotations
