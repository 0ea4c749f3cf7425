"""A ``pyproject.toml`` between being read and being replaced, while its owner may have it open in an editor.

Knows bytes, encodings and who wrote what; what an edit is, ``tasks.project_text`` knows.  Only called under the
project's turn, so whoever changes the file meanwhile is no accord.
"""

from __future__ import annotations

import codecs
import os
from typing import TYPE_CHECKING

from accord.io.files import replace_if
from accord_core.errors import DocumentError, Where

if TYPE_CHECKING:
    from collections.abc import Callable

    from accord.tasks.restoring import Restored

__all__ = ["read_document", "rewrite"]

_ATTEMPTS = 10  # at an edit of a file that is being written all the time


def read_document(path: str) -> tuple[str, bytes]:
    """The text without a byte order mark, and the bytes it was read from.  DocumentError ``toml-invalid``."""
    with open(path, "rb") as file:
        body = file.read()
    try:
        return body.decode("utf-8-sig"), body
    except UnicodeDecodeError as error:
        raise DocumentError(
            "toml-invalid", f"{path} is not UTF-8", where=Where(path), hint="save it as UTF-8"
        ) from error


def rewrite(path: str, change: Callable[[str], str], restored: Restored) -> bool:
    """Replace the text by what ``change`` makes of it, through a link and with the mode it has; whether anything changed.

    The file is replaced only if it still is what was read; otherwise ``change`` is made of what it is now.  Raises
    DocumentError ``project-changed`` when that does not come to an end, and whatever ``change`` raises.
    """
    for _ in range(_ATTEMPTS):
        text, body = read_document(path)
        changed = change(text)
        if changed == text:
            return False
        mark = codecs.BOM_UTF8 if body.startswith(codecs.BOM_UTF8) else b""
        data = mark + changed.encode()
        restored.wrote(path, data)
        if replace_if(path, body, data, mode=os.stat(path).st_mode & 0o7777):
            return True
    raise DocumentError(
        "project-changed",
        f"{path} is being changed by something else all the time",
        where=Where(path),
        hint="wait until it is left alone, and run again; nothing of it was changed",
    )
