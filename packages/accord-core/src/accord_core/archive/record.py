"""RECORD: which files a wheel or an installed project has, with digests and sizes ("Recording installed projects").

Reads, writes and compares; digests are given in the spelling RECORD uses (urlsafe base64 without padding).
Every file of a wheel must be listed with a digest of the sha256 family or longer, except RECORD itself and its
signatures (binary distribution format, "The .dist-info directory").
"""

from __future__ import annotations

import hashlib
from binascii import b2a_base64

from ..errors import ArchiveError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "Row",
    "check_listed",
    "digest",
    "format_record",
    "parse_record",
    "spelled",
    "verify",
    "verify_digest",
]

_ALGORITHMS = frozenset(
    ("sha256", "sha384", "sha512", "sha3_256", "sha3_384", "sha3_512", "blake2b", "blake2s")
)
_WEAK = frozenset(("md5", "sha1", "sha224", "sha3_224"))
_sha256 = hashlib.sha256
_UNLISTED = ("RECORD", "RECORD.jws", "RECORD.p7s")


class Row:
    """One line: ``path``, ``algorithm`` and ``digest`` ("" where there is none), ``size`` in bytes or ``None``."""

    __slots__ = ("algorithm", "digest", "path", "size")

    def __init__(self, path: str, algorithm: str, digest: str, size: int | None) -> None:
        self.path = path
        self.algorithm = algorithm
        self.digest = digest
        self.size = size

    def __repr__(self) -> str:
        return f"<Row {self.path!r} {self.algorithm}={self.digest} {self.size}>"


def digest(data: bytes, algorithm: str = "sha256") -> str:
    """The digest as RECORD spells it."""
    # The direct constructor skips a look-up by name, which for a small file costs as much as hashing it.
    hashed = _sha256(data) if algorithm == "sha256" else hashlib.new(algorithm, data)
    return spelled(hashed.digest())


def spelled(raw: bytes) -> str:
    """A raw digest as RECORD spells it: urlsafe base64 without padding."""
    return b2a_base64(raw, newline=False).decode().rstrip("=").replace("+", "-").replace("/", "_")


def parse_record(data: bytes) -> dict[str, Row]:
    """The rows by path, in order.

    Raises ``ArchiveError``: ``record-invalid`` (not UTF-8, not three cells, a size that is no number),
    ``record-path-twice``.
    """
    try:
        text = data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError:
        raise ArchiveError("record-invalid", "RECORD is not UTF-8") from None
    rows: dict[str, Row] = {}
    for cells in _cells(text):
        if len(cells) != 3:
            if not any(cells):
                continue
            raise ArchiveError("record-invalid", f"a line of RECORD has not three cells: {cells!r:.200}")
        path, hashed, length = cells
        algorithm, _, value = hashed.partition("=")
        if length and not (length.isascii() and length.isdigit()):
            raise ArchiveError("record-invalid", f"the size of {path!r} in RECORD is {length!r:.40}")
        if path in rows:
            raise ArchiveError("record-path-twice", f"{path!r} is in RECORD twice")
        rows[path] = Row(path, algorithm, value.rstrip("="), int(length) if length else None)
    return rows


def _cells(text: str) -> Iterable[list[str]]:
    if '"' not in text:
        # No quoting, as in nearly every wheel: splitting is six times faster than the csv module.
        return [line.split(",") for line in text.replace("\r\n", "\n").split("\n") if line]
    import csv
    import io

    try:
        return list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as fault:
        raise ArchiveError("record-invalid", f"RECORD is not CSV: {fault}") from None


def format_record(rows: Iterable[Row]) -> bytes:
    """RECORD with the rows in the given order, ``\\n`` at line ends, cells quoted where they must be."""
    lines = []
    for row in rows:
        path = row.path
        if "," in path or '"' in path or "\n" in path or "\r" in path:
            path = '"' + path.replace('"', '""') + '"'
        hashed = f"{row.algorithm}={row.digest}" if row.digest else ""
        lines.append(f"{path},{hashed},{'' if row.size is None else row.size}\n")
    return "".join(lines).encode("utf-8")


def check_listed(rows: dict[str, Row], names: Iterable[str], dist_info: str) -> None:
    """Hold the names of an archive against RECORD: each is listed, with an acceptable digest, and none is missing.

    Raises ``ArchiveError``: ``record-file-unlisted``, ``record-digest-missing``, ``record-digest-weak``,
    ``record-digest-unknown``, ``record-file-missing``.
    """
    exempt = {f"{dist_info}/{name}" for name in _UNLISTED}
    present = set(names)
    for name in present:
        if name in exempt:
            continue
        row = rows.get(name)
        if row is None:
            raise ArchiveError("record-file-unlisted", f"{name!r} is in the wheel but not in RECORD")
        if not row.digest:
            raise ArchiveError("record-digest-missing", f"RECORD has no digest of {name!r}")
        if row.algorithm not in _ALGORITHMS:
            code = "record-digest-weak" if row.algorithm in _WEAK else "record-digest-unknown"
            raise ArchiveError(
                code, f"RECORD gives {name!r} a digest of kind {row.algorithm!r}, not sha256 or better"
            )
    absent = rows.keys() - present - exempt
    if absent:
        raise ArchiveError("record-file-missing", f"{min(absent)!r} is in RECORD but not in the wheel")


def verify(row: Row, data: bytes) -> None:
    """Hold a file's bytes against its row.  Raises ``ArchiveError`` ``record-size-wrong``, ``record-digest-wrong``."""
    if row.size is not None and row.size != len(data):
        raise ArchiveError("record-size-wrong", f"{row.path!r} has {len(data)} bytes, RECORD says {row.size}")
    if digest(data, row.algorithm) != row.digest:
        raise _wrong(row)


def _wrong(row: Row) -> ArchiveError:
    return ArchiveError(
        "record-digest-wrong",
        f"{row.path!r} is not the file RECORD describes",
        hint="the wheel is damaged or was changed after it was built; do not install it",
    )


def verify_digest(row: Row, found: str, size: int) -> None:
    """The same where the digest was computed while the bytes passed by."""
    if row.size is not None and row.size != size:
        raise ArchiveError("record-size-wrong", f"{row.path!r} has {size} bytes, RECORD says {row.size}")
    if found != row.digest:
        raise _wrong(row)
