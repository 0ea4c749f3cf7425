"""A working place per test, and its removal: what the store and closures close must be opened to be deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from accord.io.files import remove_tree
from accord.testing.installing import Bench

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    place = Bench(str(tmp_path))
    yield place
    remove_tree(place.cache)
