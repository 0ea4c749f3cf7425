"""A file's content as a case writes it down, and trees of such files on disk.

A content is a string (UTF-8), or a table: ``text`` or ``base64``, ``mode`` (an octal string), ``size`` (that many zeros),
``link`` (a symbolic link to there).
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from accord_conformance.reading import Table

__all__ = ["Content", "content", "write_tree"]


@dataclass(frozen=True, slots=True)
class Content:
    """Bytes with a mode; of a symbolic link, ``link`` is where it points and there are no bytes."""

    data: bytes
    mode: int = 0o644
    link: str | None = None


def content(where: str, value: object) -> Content:
    """The content a case describes."""
    if isinstance(value, str):
        return Content(value.encode())
    table = Table(where, value)
    mode = int(table.take("mode", str, "644"), 8)
    link = table.take("link", str, None)
    size = table.take("size", int, 0)
    coded = table.take("base64", str, "")
    text = table.take("text", str, "")
    table.done()
    return Content(bytes(size) + base64.b64decode(coded) + text.encode(), mode, link)


def write_tree(folder: Path, files: Mapping[str, Any]) -> None:
    """Writes ``files`` (path: content) below ``folder``."""
    for name, value in files.items():
        each = content(name, value)
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if each.link is not None:
            path.symlink_to(each.link)
            continue
        path.write_bytes(each.data)
        path.chmod(each.mode)
