"""The core metadata fields a resolver needs, read from METADATA or PKG-INFO (core metadata specifications).

A document is an e-mail header and a body; one resolve reads hundreds, so this room (**hot**) splits lines itself
instead of importing ``email``, and hands the values on as the strings they are: requirements and specifiers are
parsed where they are used, once per distinct text.  It reads bytes and knows nothing of archives.
"""

from __future__ import annotations

from ..errors import ArchiveError

__all__ = ["Metadata", "parse_metadata"]

_SINGLE = frozenset(("metadata-version", "name", "version", "requires-python"))
_MANY = frozenset(("requires-dist", "provides-extra", "dynamic"))


class Metadata:
    """``metadata_version``, ``name`` and ``version`` as written; ``requires_python`` or ``None``; lists of text.

    ``dynamic`` holds lower-case field names.
    """

    __slots__ = (
        "dynamic",
        "metadata_version",
        "name",
        "provides_extra",
        "requires_dist",
        "requires_python",
        "version",
    )

    def __init__(
        self, metadata_version: str, name: str, version: str, requires_python: str | None = None
    ) -> None:
        self.metadata_version = metadata_version
        self.name = name
        self.version = version
        self.requires_python = requires_python
        self.requires_dist: list[str] = []
        self.provides_extra: list[str] = []
        self.dynamic: list[str] = []

    def is_static(self, *fields: str) -> bool:
        """Whether an sdist with these metadata promises the wheel's ``fields`` (lower case): PEP 643.

        Without arguments, asks for the four a resolver needs: version, requires-dist, requires-python,
        provides-extra.
        """
        major, _, minor = self.metadata_version.partition(".")
        if not (major.isdigit() and minor.isdigit()) or (int(major), int(minor)) < (2, 2):
            return False
        asked = fields or ("version", "requires-dist", "requires-python", "provides-extra")
        return not any(field in self.dynamic for field in asked)


def parse_metadata(data: bytes) -> Metadata:
    """The fields of a METADATA or PKG-INFO document.

    Folded values are joined with one blank; a line that is no field ends the header, as in ``email``.  Raises
    ``ArchiveError``: ``metadata-not-utf8``, ``metadata-field-twice``, ``metadata-incomplete`` (no Name or no
    Version), ``metadata-version-unsupported`` (a major version after 2: the standard says to stop).
    """
    found: dict[str, str] = {}
    lists: dict[str, list[str]] = {"requires-dist": [], "provides-extra": [], "dynamic": []}
    for key, value in _fields(_header(data)):
        if key in _SINGLE:
            if key in found:
                raise ArchiveError("metadata-field-twice", f"the metadata have {key} twice")
            found[key] = value
        else:
            lists[key].append(value)
    missing = [key for key in ("name", "version") if not found.get(key)]
    if missing:
        raise ArchiveError("metadata-incomplete", f"the metadata have no {' and no '.join(missing)}")
    version = found.get("metadata-version", "1.0")
    if version.partition(".")[0] not in ("1", "2"):
        raise ArchiveError(
            "metadata-version-unsupported",
            f"the metadata are of version {version!r}, which is newer than this program",
            hint="update accord, or choose an older release of the package",
        )
    result = Metadata(version, found["name"], found["version"], found.get("requires-python") or None)
    result.requires_dist = lists["requires-dist"]
    result.provides_extra = lists["provides-extra"]
    result.dynamic = [field.lower() for field in lists["dynamic"]]
    return result


def _header(data: bytes) -> str:
    # Only the header is decoded: bodies are long, and old ones are not always UTF-8.
    end = data.find(b"\n\n")
    other = data.find(b"\r\n\r\n", 0, end if end >= 0 else len(data))
    cut = min(place for place in (end, other, len(data)) if place >= 0)
    try:
        return data[:cut].removeprefix(b"\xef\xbb\xbf").decode("utf-8")
    except UnicodeDecodeError as fault:
        raise ArchiveError("metadata-not-utf8", f"the metadata are not UTF-8 (byte {fault.start})") from None


def _fields(header: str) -> list[tuple[str, str]]:
    # Not splitlines(): it also breaks at form feeds and U+2028, which a value may hold.
    fields: list[tuple[str, str]] = []
    keep = False
    for line in header.replace("\r\n", "\n").split("\n"):
        if line[:1] in (" ", "\t"):
            if keep:
                key, value = fields[-1]
                fields[-1] = (key, f"{value} {line.strip()}".strip())
            continue
        key, colon, value = line.partition(":")
        key = key.lower()
        if not colon or not key or " " in key:
            break
        keep = key in _SINGLE or key in _MANY
        if keep:
            fields.append((key, value.strip()))
    return fields
