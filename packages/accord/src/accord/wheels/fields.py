"""METADATA, PKG-INFO and WHEEL as the fields they are made of, in order, none left out (core metadata specifications).

``accord_core.archive.metadata`` keeps what a resolver needs; people who look inside a file want the rest as well, and a
comparison must not overlook a field because nobody has heard of it.  Bytes in, values out; what is not UTF-8 is
shown as far as it is.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Fields", "read_fields"]


@dataclass(frozen=True, slots=True)
class Fields:
    """``(name, value)`` as written, in order; the body of the document is the last, named ``Description``."""

    pairs: tuple[tuple[str, str], ...] = ()

    def all(self, name: str) -> tuple[str, ...]:
        """Every value of a field; names differ in case only by mistake."""
        wanted = name.lower()
        return tuple(value for key, value in self.pairs if key.lower() == wanted)

    def first(self, name: str) -> str:
        """The first value, ``""`` where there is none."""
        return next(iter(self.all(name)), "")

    def grouped(self) -> dict[str, list[str]]:
        """Values by field, fields in the order they first stand in."""
        found: dict[str, list[str]] = {}
        for key, value in self.pairs:
            found.setdefault(key, []).append(value)
        return found


def read_fields(data: bytes) -> Fields:
    """The fields of a document.  A line that is no field ends the header, as in ``email``; nothing is an error."""
    text = data.decode("utf-8", "replace").removeprefix("\ufeff").replace("\r\n", "\n")
    pairs: list[tuple[str, list[str]]] = []
    lines = text.split("\n")
    at = 0
    while at < len(lines):
        line = lines[at]
        if line[:1] in (" ", "\t") and pairs:
            pairs[-1][1].append(_unfolded(line))
        else:
            key, colon, value = line.partition(":")
            if not colon or not key or " " in key:
                break
            pairs.append((key, [value.strip()]))
        at += 1
    # The empty line between header and body belongs to neither.
    body = "\n".join(lines[at + 1 :] if at < len(lines) and not lines[at] else lines[at:])
    fields = [(key, "\n".join(values)) for key, values in pairs]
    if body.strip():
        fields.append(("Description", body))
    return Fields(tuple(fields))


def _unfolded(line: str) -> str:
    """A further line of a value; tools of old put seven blanks and a bar in front of each."""
    bare = line.lstrip(" \t")
    return bare[1:] if bare.startswith("|") and line.startswith("       ") else bare
