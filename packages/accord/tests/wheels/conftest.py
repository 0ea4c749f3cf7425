"""Wheels and sdists in a test's own folder, honest ones and forged ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from accord.testing.archives import Part, TarPart, sdist_bytes, wheel_parts, zip_bytes


@pytest.fixture
def wheel(tmp_path: Path) -> Callable[..., str]:
    """``wheel(files, folder="a", name="spam", ...) -> path``: an honest wheel, or what ``parts`` says."""

    def make(
        files: Mapping[str, bytes] | None = None,
        *,
        folder: str = "wheels",
        parts: Sequence[Part] | None = None,
        filename: str | None = None,
        **options: Any,
    ) -> str:
        place = tmp_path / folder
        place.mkdir(exist_ok=True)
        name, version = options.get("name", "spam"), options.get("version", "1.0")
        path = place / (filename or f"{name}-{version}-py3-none-any.whl")
        path.write_bytes(zip_bytes(wheel_parts(files, **options) if parts is None else parts))
        return str(path)

    return make


@pytest.fixture
def sdist(tmp_path: Path) -> Callable[..., str]:
    """``sdist({"PKG-INFO": b"..."}, folder="a", name="spam-1.0") -> path``."""

    def make(
        files: Mapping[str, bytes] | None = None,
        *,
        folder: str = "sdists",
        name: str = "spam-1.0",
        parts: Sequence[TarPart] | None = None,
    ) -> str:
        place = tmp_path / folder
        place.mkdir(exist_ok=True)
        if parts is None and files is not None:
            parts = [TarPart(f"{name}/{path}", data) for path, data in files.items()]
        path = place / f"{name}.tar.gz"
        path.write_bytes(sdist_bytes(parts, name=name))
        return str(path)

    return make
