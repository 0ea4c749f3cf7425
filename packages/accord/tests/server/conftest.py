"""An index in each test's own folder: in this process, or served for real."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from accord.testing.serving import InProcess, Served


@pytest.fixture
def index(tmp_path: Path) -> Iterator[InProcess]:
    """An index without a socket; its clock stands still."""
    with InProcess.open(str(tmp_path / "data")) as found:
        yield found


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """``accord serve`` on a free port."""
    with Served(str(tmp_path / "data")) as found:
        yield found
