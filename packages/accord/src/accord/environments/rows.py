"""The form of what Accord keeps in an environment: lines of fields (hot).

An environment is a folder that other tools write into, and a file of theirs may lie under the name of one of ours.  So
these files are in a form whose reading can do nothing: text, one row a line, fields divided by tabs, ``%`` before the
hex code of a sign that would divide.  (``marshal``, which reads as fast, may crash on what it did not write itself.)
The first field of the first row names the kind and version of the file.
"""

from __future__ import annotations

__all__ = ["LARGEST", "dump", "load", "read"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

LARGEST = 64 << 20  # bytes: a transaction of 200,000 files, each moved alone, is half of that


def dump(kind: str, rows: Iterable[Sequence[str]]) -> bytes:
    """The contents of a file of this kind."""
    lines = [kind]
    for row in rows:
        line = "\t".join(row)
        if "%" in line or "\n" in line or line.count("\t") != len(row) - 1:
            line = "\t".join(map(_quoted, row))
        lines.append(line)
    lines.append("")
    return "\n".join(lines).encode("utf-8", "surrogateescape")


def load(kind: str, data: bytes) -> list[list[str]]:
    """The rows after the first.  ``ValueError`` for another kind, or for what :func:`dump` did not write whole."""
    if len(data) > LARGEST:
        raise ValueError("too large")
    lines = data.decode("utf-8", "surrogateescape").split("\n")
    if lines[0] != kind or lines.pop() or not lines:
        raise ValueError("not the kind")
    return [line.split("\t") if "%" not in line else _unquoted(line) for line in lines[1:]]


def read(path: str, kind: str) -> list[list[str]]:
    """The same of a file.  ``OSError``, ``ValueError``."""
    with open(path, "rb") as file:
        return load(kind, file.read(LARGEST + 1))


def _quoted(field: str) -> str:
    return field.replace("%", "%25").replace("\t", "%09").replace("\n", "%0a")


def _unquoted(line: str) -> list[str]:
    return [field.replace("%0a", "\n").replace("%09", "\t").replace("%25", "%") for field in line.split("\t")]
