"""Generators for the documents of this room; the oracle of most tests is ``packaging``."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("house", deadline=None, max_examples=150)
settings.load_profile("house")
