"""The WHEEL document as lines that can be changed without touching the others, and file names made from it (binary
distribution format, "File contents" and "File name convention").
"""

from __future__ import annotations

from itertools import product

from accord_core.errors import DocumentError
from accord_core.index.filenames import few_tags

__all__ = ["compressed", "expanded", "rewrite"]


def compressed(tags: tuple[str, ...]) -> str | None:
    """``py2.py3-none-any``: the compressed set that stands for exactly these tags; ``None`` if there is none."""
    parts = [tag.split("-") for tag in tags]
    if not parts or any(len(part) != 3 or not all(part) for part in parts):
        return None
    columns = [sorted({part[column] for part in parts}) for column in range(3)]
    text = "-".join(".".join(column) for column in columns)
    # Counted first: three columns of a thousand stand for a thousand million.
    if not few_tags(text) or {"-".join(one) for one in product(*columns)} != set(tags):
        return None
    return text


def expanded(columns: tuple[list[str], list[str], list[str]]) -> tuple[str, ...]:
    """Every tag of a compressed set, in order."""
    return tuple("-".join(one) for one in product(*columns))


def rewrite(data: bytes, *, tags: tuple[str, ...] | None = None, build: str | None = None) -> bytes:
    """WHEEL with other ``Tag`` lines, or another ``Build`` (``""``: none); every other line stays as it is.

    With nothing to change it is the document as it was.  Raises ``DocumentError`` ``wheel-file-invalid`` where it is not
    UTF-8.
    """
    if tags is None and build is None:
        return data
    try:
        lines = data.decode("utf-8").replace("\r\n", "\n").rstrip("\n").split("\n")
    except UnicodeDecodeError:
        raise DocumentError("wheel-file-invalid", "WHEEL is not UTF-8") from None
    gone = {key for key, value in (("tag", tags), ("build", build)) if value is not None}
    kept = [line for line in lines if line.partition(":")[0].strip().lower() not in gone]
    kept += [f"Tag: {tag}" for tag in tags or ()]
    if build:
        kept.append(f"Build: {build}")
    return ("\n".join(kept) + "\n").encode()
