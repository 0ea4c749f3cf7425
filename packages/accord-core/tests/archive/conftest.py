"""Helpers of the archive tests: forged bytes become files, and an error's code is what a test compares."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from accord_core.errors import ArchiveError

Write = Callable[..., str]
Code = Callable[[Callable[[], object]], str]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """``write(data, name=…) -> path``: the bytes as a file."""

    def writer(data: bytes, name: str = "archive.bin") -> str:
        path = tmp_path / name
        path.write_bytes(data)
        return str(path)

    return writer


@pytest.fixture
def code() -> Code:
    """``code(action)``: the code of the ArchiveError it raises, ``"accepted"`` where it raises none."""

    def coder(action: Callable[[], object]) -> str:
        try:
            action()
        except ArchiveError as fault:
            assert fault.message
            return fault.code
        return "accepted"

    return coder
