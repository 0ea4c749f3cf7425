"""Forms as a browser sends them (multipart/form-data, RFC 7578): read from what an uploader sent, made for an index.

Bytes in, bytes out; knows no tool and no field.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from email.message import Message

__all__ = ["FormPart", "make_form", "read_form"]

_BOUNDARY = "----the-boundary-of-the-suite"


@dataclass(frozen=True, slots=True)
class FormPart:
    """One part: ``name`` is the field's, ``filename`` that of a file or None, ``type`` as it was written ("" for none)."""

    name: str
    data: bytes
    filename: str | None = None
    type: str = ""
    disposition: str = "form-data"

    @property
    def text(self) -> str:
        return self.data.decode("utf-8", "replace")


def read_form(content_type: str, body: bytes) -> list[FormPart]:
    """The parts of ``body``; none when it is no such form."""
    header = Message()
    header["Content-Type"] = content_type
    boundary = header.get_param("boundary")
    if header.get_content_type() != "multipart/form-data" or not isinstance(boundary, str):
        return []
    pieces = (b"\r\n" + body).split(b"\r\n--" + boundary.encode())
    return [_part(piece.removeprefix(b"\r\n")) for piece in pieces[1:] if not piece.startswith(b"--")]


def _part(piece: bytes) -> FormPart:
    head, _, data = piece.partition(b"\r\n\r\n")
    lines = Message()
    for line in head.decode("utf-8", "replace").split("\r\n"):
        name, colon, value = line.partition(":")
        if colon:
            lines[name.strip()] = value.strip()
    said = lines.get("Content-Disposition", "")
    return FormPart(
        _parameter(said, "name") or "",
        data,
        _parameter(said, "filename"),
        lines.get("Content-Type", ""),
        said.partition(";")[0].strip(),
    )


def _parameter(said: str, name: str) -> str | None:
    found = re.search(rf';\s*{name}=(?:"((?:[^"\\]|\\.)*)"|([^;\s]+))', said)
    return None if found is None else found[1] if found[1] is not None else found[2]


def make_form(parts: Iterable[FormPart]) -> tuple[str, bytes]:
    """The content type, and the body."""
    body = b""
    for part in parts:
        named = f'; filename="{part.filename}"' if part.filename is not None else ""
        head = f'--{_BOUNDARY}\r\nContent-Disposition: {part.disposition}; name="{part.name}"{named}\r\n'
        head += f"Content-Type: {part.type}\r\n" if part.type else ""
        body += head.encode() + b"\r\n" + part.data + b"\r\n"
    return f"multipart/form-data; boundary={_BOUNDARY}", body + f"--{_BOUNDARY}--\r\n".encode()
