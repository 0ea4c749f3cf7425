"""An sdist unpacks into its one folder and nowhere else; each trick is refused and leaves nothing behind."""

from __future__ import annotations

import gzip
import os
import stat
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accord.testing.archives import Part, TarPart, sdist_bytes, zip_bytes
from accord_core.archive.limits import Limits
from accord_core.archive.sdist import extract, pkg_info, sdist_metadata, walk
from accord_core.archive.sdist_memory import read_whole
from accord_core.errors import ArchiveError

Write = Callable[..., str]
Code = Callable[[Callable[[], object]], str]

SYM, HARD, DIR = tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE
TOP = TarPart("spam-1.0", kind=DIR, mode=0o755)
INFO = TarPart("spam-1.0/PKG-INFO", b"Metadata-Version: 2.2\nName: spam\nVersion: 1.0\n")
CODE = TarPart("spam-1.0/spam.py", b"value = 1\n")
LIMITS = Limits(
    entries=20,
    name_bytes=120,
    depth=6,
    file_bytes=300_000,
    total_bytes=400_000,
    total_ratio=50,
    total_ratio_floor=100_000,
    metadata_bytes=500,
)


def packed(*parts: TarPart) -> bytes:
    return sdist_bytes([TOP, INFO, CODE, *parts])


def sym(name: str, place: str) -> TarPart:
    return TarPart(f"spam-1.0/{name}", kind=SYM, link=place)


def noise(size: int) -> bytes:
    return b"".join(
        number.to_bytes(8, "little") for number in (pow(3, i, 2**61 - 1) for i in range(size // 8 + 1))
    )[:size]


def gzipped_raw(*headers: bytes) -> bytes:
    return gzip.compress(b"".join(headers) + bytes(1024))


def header(name: str, size: int, kind: bytes, encoding: str = "utf-8") -> bytes:
    entry = tarfile.TarInfo(name)
    entry.type = kind
    entry.size = size
    return entry.tobuf(tarfile.GNU_FORMAT, encoding)


ROWS = [
    ("traversal", "archive-name-traversal", packed(TarPart("spam-1.0/../../x")), packed(TarPart("spam-1.0/..x"))),
    ("absolute", "archive-name-absolute", packed(TarPart("/etc/x")), packed(TarPart("spam-1.0/etc/x"))),
    ("backslash", "archive-name-backslash", packed(TarPart("spam-1.0/a\\b")), packed(TarPart("spam-1.0/a/b"))),
    ("pax-name", "archive-name-traversal",
     packed(TarPart("spam-1.0/x", pax={"path": "../x"})), packed(TarPart("spam-1.0/x", pax={"path": "spam-1.0/y"}))),
    ("not-utf8", "archive-name-control",
     gzipped_raw(header("s/ÿ", 0, b"0", "latin-1")), packed()),
    ("two-folders", "sdist-several-folders", packed(TarPart("ham-1.0/x")), packed(TarPart("spam-1.0/ham-1.0/x"))),
    ("file-beside", "sdist-several-folders", packed(TarPart("setup.py")), packed(TarPart("./spam-1.0/setup.py"))),
    ("nothing", "sdist-empty", sdist_bytes([]), sdist_bytes()),
    ("link-out", "archive-link-out", packed(sym("l", "../x")), packed(sym("l", "./x"))),
    ("link-out-deep", "archive-link-out", packed(sym("a/l", "../../x")), packed(sym("a/l", "../x"))),
    ("link-out-and-back", "archive-link-out", packed(sym("l", "../../spam-1.0/x")), packed(sym("l", "../spam-1.0/x"))),
    ("link-absolute", "archive-link-out", packed(sym("l", "/etc/passwd")), packed(sym("l", "etc/passwd"))),
    ("link-empty", "archive-link-out", packed(sym("l", "")), packed(sym("l", "."))),
    ("link-through-link", "archive-link-through-link",
     packed(sym("a/b/c/l", "../../.."), sym("a/b/c/m", "l/../x")), packed(sym("a/b/c/l", "../../.."), sym("a/b/c/m", "k/../x"))),
    ("link-through-later-link", "archive-link-through-link",
     packed(sym("a/b/c/m", "l/../x"), sym("a/b/c/l", "../../..")), packed(sym("a/b/c/m", "l"), sym("a/b/c/l", "../../.."))),
    ("file-through-link", "archive-file-and-folder",
     packed(sym("l", "."), TarPart("spam-1.0/l/x")), packed(sym("l", "."), TarPart("spam-1.0/k/x"))),
    ("hard-link-out", "archive-link-target-missing",
     packed(TarPart("spam-1.0/h", kind=HARD, link="/etc/passwd")), packed(TarPart("spam-1.0/h", kind=HARD, link="spam-1.0/spam.py"))),
    ("hard-link-to-link", "archive-link-target-missing",
     packed(sym("l", "."), TarPart("spam-1.0/h", kind=HARD, link="spam-1.0/l")),
     packed(sym("l", "."), TarPart("spam-1.0/h", kind=HARD, link="spam-1.0/PKG-INFO"))),
    ("fifo", "archive-special-file", packed(TarPart("spam-1.0/f", kind=tarfile.FIFOTYPE)), packed(TarPart("spam-1.0/f"))),
    ("device", "archive-special-file", packed(TarPart("spam-1.0/f", kind=tarfile.CHRTYPE)), packed(TarPart("spam-1.0/f", mode=0o777))),
    ("block-device", "archive-special-file", packed(TarPart("spam-1.0/f", kind=tarfile.BLKTYPE)), packed(TarPart("spam-1.0/f", kind=DIR))),
    ("sparse", "archive-special-file",
     packed(TarPart("spam-1.0/f", b"0\n", pax={"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "0"})),
     packed(TarPart("spam-1.0/f", b"0\n"))),
    ("twice", "archive-name-twice", packed(CODE), packed(TOP)),
    ("case", "archive-name-collides", packed(TarPart("spam-1.0/Spam.py")), packed(TarPart("spam-1.0/Spam2.py"))),
    ("file-and-folder", "archive-file-and-folder", packed(TarPart("spam-1.0/SPAM.py/x")), packed(TarPart("spam-1.0/spam/x"))),
    ("entries", "archive-too-many-entries",
     packed(*(TarPart(f"spam-1.0/{i}") for i in range(18))), packed(*(TarPart(f"spam-1.0/{i}") for i in range(17)))),
    ("depth", "archive-name-too-deep", packed(TarPart("spam-1.0/b/c/d/e/f/g")), packed(TarPart("spam-1.0/b/c/d/e/f"))),
    ("file-size", "archive-file-too-large",
     packed(TarPart("spam-1.0/f", noise(300_001))), packed(TarPart("spam-1.0/f", noise(300_000)))),
    ("total", "archive-too-large",
     packed(*(TarPart(f"spam-1.0/{i}", noise(200_000)) for i in "ab")), packed(*(TarPart(f"spam-1.0/{i}", noise(190_000)) for i in "ab"))),
    ("ratio", "archive-ratio", packed(TarPart("spam-1.0/f", bytes(200_000))), packed(TarPart("spam-1.0/f", bytes(80_000)))),
    ("header-size", "archive-special-file",
     gzipped_raw(header("x", 501, b"x"), bytes(1024)), packed(TarPart("spam-1.0/x", pax={"comment": "c" * 400}))),
    ("header-negative", "archive-special-file", gzipped_raw(header("x", -512, b"x")), packed()),
    ("negative", "archive-file-too-large", gzipped_raw(header("s/x", -512, b"0")), packed()),
    ("headers-nested", "archive-data-broken",
     gzipped_raw(*[header("x", 0, b"L")] * 3000), packed()),
    ("cut-off", "archive-truncated", packed()[:-40], packed()),
    ("checksum", "archive-data-broken", packed()[:-8] + bytes(8), packed()),
    ("trailing-in-tar", "archive-trailing-data", sdist_bytes(trailing=b"x"), sdist_bytes(trailing=bytes(512))),
    ("trailing-in-gzip", "archive-trailing-data", sdist_bytes() + b"x", sdist_bytes() + bytes(100)),
    ("broken-header", "archive-data-broken",
     gzipped_raw(header("s/x", 0, b"0"), b"broken".ljust(512, b"!")), gzipped_raw(header("s/x", 0, b"0"))),
    ("not-gzip", "sdist-kind-unknown", b"BZh91AY", sdist_bytes()),
    ("empty", "sdist-kind-unknown", b"", sdist_bytes()),
]  # fmt: skip


@pytest.mark.parametrize(
    ("expected", "hostile", "honest"), [pytest.param(*row[1:], id=row[0]) for row in ROWS]
)
def test_the_trick_is_refused_and_the_honest_twin_unpacked(
    expected: str, hostile: bytes, honest: bytes, write: Write, code: Code, tmp_path: Path
) -> None:
    into = tmp_path / "into"
    into.mkdir()
    hostile_path = write(hostile, "hostile.tar.gz")
    before = sorted(tmp_path.rglob("*"))
    assert code(lambda: extract(hostile_path, str(into), LIMITS)) == expected
    assert code(lambda: read_whole(hostile_path, 1 << 30, LIMITS)) == expected
    assert sorted(tmp_path.rglob("*")) == before
    honest_path = write(honest, "honest.tar.gz")
    top = extract(honest_path, str(into), LIMITS)
    assert read_whole(honest_path, 1 << 30, LIMITS) == (os.path.basename(top), on_disk(Path(top)))
    assert os.path.dirname(top) == str(into) and os.listdir(into) == [os.path.basename(top)]
    for path in into.rglob("*"):
        assert path.resolve().is_relative_to(into)


def on_disk(top: Path) -> dict[str, tuple[bytes, bool]]:
    """Each file below ``top``, and where a link leads to one, that."""
    files = (path for path in top.rglob("*") if path.is_file())
    return {str(path.relative_to(top)): (path.read_bytes(), os.access(path, os.X_OK)) for path in files}


def test_in_memory_it_is_what_is_unpacked(write: Write, tmp_path: Path) -> None:
    parts = (
        TarPart("spam-1.0/run", b"#!/bin/sh\n", mode=0o755),
        TarPart("spam-1.0/again", kind=HARD, link="spam-1.0/run"),
        sym("sub/here", "../run"),
        sym("to/here", "../sub/here"),
        sym("folder", "sub"),
        sym("nowhere", "gone"),
        sym("round", "about"),
        sym("about", "round"),
    )
    path = write(packed(*parts))
    top = Path(extract(path, str(tmp_path)))
    found = read_whole(path, 1 << 20)
    assert found == ("spam-1.0", on_disk(top))
    size = sum(len(data) for name, (data, _) in found[1].items() if not name.endswith("here"))
    assert read_whole(path, size) == found
    assert read_whole(path, size - 1) is None


def test_modes_links_and_contents(write: Write, tmp_path: Path) -> None:
    parts = (
        TarPart("spam-1.0/run", b"#!/bin/sh\n", mode=0o6755),
        TarPart("spam-1.0/plain", b"text", mode=0o666),
        TarPart("spam-1.0/again", kind=HARD, link="spam-1.0/run"),
        sym("sub/here", "../plain"),
    )
    top = Path(extract(write(packed(*parts)), str(tmp_path)))
    assert stat.S_IMODE((top / "run").stat().st_mode) & 0o7111 == 0o111
    assert stat.S_IMODE((top / "plain").stat().st_mode) & 0o7133 == 0
    assert (top / "again").read_bytes() == b"#!/bin/sh\n" and os.access(top / "again", os.X_OK)
    assert (top / "again").stat().st_nlink == 1
    assert (top / "sub/here").is_symlink() and (top / "sub/here").read_bytes() == b"text"


def test_what_exists_is_not_touched(write: Write, code: Code, tmp_path: Path) -> None:
    mine = tmp_path / "spam-1.0" / "mine"
    mine.parent.mkdir()
    mine.write_text("mine")
    path = write(packed())
    assert code(lambda: extract(path, str(tmp_path))) == "sdist-folder-exists"
    assert mine.read_text() == "mine" and os.listdir(mine.parent) == ["mine"]


def test_a_link_that_waits_in_the_folder_is_not_followed(write: Write, code: Code, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "spam-1.0").symlink_to("elsewhere")
    path = write(packed())
    assert code(lambda: extract(path, str(tmp_path))) == "sdist-folder-exists"
    assert not list((tmp_path / "elsewhere").iterdir())


def test_several_gzip_members_are_one_stream(write: Write, tmp_path: Path) -> None:
    whole = gzip.decompress(packed())
    data = gzip.compress(whole[:700]) + gzip.compress(whole[700:])
    assert (Path(extract(write(data), str(tmp_path))) / "spam.py").read_bytes() == CODE.data


def test_agrees_with_tarfile(write: Write, tmp_path: Path) -> None:
    parts = [
        TarPart(f"spam-1.0/{'d/' * (i % 5)}{i}", noise(i * 997), mode=0o755 if i % 2 else 0o644)
        for i in range(40)
    ]
    path = write(packed(*parts, TarPart("spam-1.0/" + "long" * 60, b"x"), TarPart("spam-1.0/ü", b"y")))
    (tmp_path / "ours").mkdir()
    top = Path(extract(path, str(tmp_path / "ours")))
    with tarfile.open(path) as oracle:
        files = [entry for entry in oracle if entry.isreg()]
        for entry in files:
            content = oracle.extractfile(entry)
            assert content is not None and (top.parent / entry.name).read_bytes() == content.read()
    assert len(files) == sum(1 for place in top.rglob("*") if place.is_file())


def test_legacy_zip_sdists(write: Write, code: Code, tmp_path: Path) -> None:
    parts = [
        Part("spam-1.0/", mode=0o040755),
        Part(INFO.name, INFO.data),
        Part("spam-1.0/a/run", b"#!", mode=0o100755),
    ]
    path = write(zip_bytes(parts), "spam-1.0.zip")
    top = Path(extract(path, str(tmp_path)))
    assert (top / "a/run").read_bytes() == b"#!" and os.access(top / "a/run", os.X_OK)
    assert sdist_metadata(path).name == "spam"
    evil = write(zip_bytes([*parts, Part("spam-1.0/l", b"/etc", mode=0o120777)]), "evil.zip")
    assert code(lambda: extract(evil, str(tmp_path))) == "archive-link"
    beside = write(zip_bytes([*parts, Part("ham/x", b"")]), "beside.zip")
    (tmp_path / "other").mkdir()
    assert code(lambda: extract(beside, str(tmp_path / "other"))) == "sdist-several-folders"
    assert not list((tmp_path / "other").iterdir())


def test_pkg_info(write: Write, code: Code) -> None:
    deeper = TarPart("spam-1.0/spam.egg-info/PKG-INFO", b"Name: other\nVersion: 0\n")
    assert sdist_metadata(write(sdist_bytes([deeper, INFO]))).is_static()
    assert code(lambda: pkg_info(write(sdist_bytes([deeper])))) == "sdist-metadata-missing"
    assert code(lambda: pkg_info(write(zip_bytes([Part("a/b", b"")]), "x.zip"))) == "sdist-metadata-missing"
    assert code(lambda: pkg_info("/nonexistent/x.tar.gz")) == "archive-unreadable"


@pytest.mark.parametrize(("spare", "expected"), [(0, "accepted"), (-1, "archive-file-too-large")])
def test_the_limit_of_pkg_info(spare: int, expected: str, write: Write, code: Code) -> None:
    limits = Limits(metadata_bytes=len(INFO.data) + spare)
    assert code(lambda: pkg_info(write(packed()), limits)) == expected
    path = write(zip_bytes([Part(INFO.name, INFO.data)]), "x.zip")
    assert code(lambda: pkg_info(path, limits)) == expected


WHOLE = gzip.decompress(
    packed(sym("l", "PKG-INFO"), TarPart("spam-1.0/p", b"q", pax={"path": "spam-1.0/pp"}))
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=200)
@given(
    block=st.integers(0, len(WHOLE) // 512 - 1),
    place=st.integers(0, 511),
    value=st.integers(0, 255),
    mend=st.booleans(),
)
def test_a_changed_byte_never_crashes_and_never_leads_out(
    block: int, place: int, value: int, mend: bool, tmp_path: Path
) -> None:
    """One byte of the tar changed, the header's checksum mended or not: unpacked inside, or refused with a code."""
    data = bytearray(WHOLE)
    start = block * 512
    data[start + place] = value
    if mend:
        data[start + 148 : start + 156] = b" " * 8
        data[start + 148 : start + 156] = b"%06o\0 " % sum(data[start : start + 512])
    path = tmp_path / "changed.tar.gz"
    path.write_bytes(gzip.compress(bytes(data), 1))
    with tempfile.TemporaryDirectory(dir=tmp_path) as folder:
        into = Path(folder, "a", "b")
        into.mkdir(parents=True)
        try:
            extract(str(path), str(into), LIMITS)
        except ArchiveError:
            assert not list(into.iterdir())
        assert os.listdir(folder) == ["a"] and os.listdir(into.parent) == ["b"]
        assert all(found.resolve().is_relative_to(into) for found in into.rglob("*"))


def test_a_folder_that_cannot_be_written(write: Write, code: Code, tmp_path: Path) -> None:
    path = write(packed())
    assert code(lambda: extract(path, str(tmp_path / "missing"))) == "archive-unwritable"


# -- walk ----------------------------------------------------------------------------------------------------


def test_a_walk_sees_what_tarfile_sees(write: Write) -> None:
    parts = [
        TarPart("spam-1.0", kind=tarfile.DIRTYPE, mode=0o755),
        TarPart("./spam-1.0/a", b"1" * 3_000_000, mode=0o4755),
        TarPart("spam-1.0/b", kind=tarfile.SYMTYPE, link="../../etc/passwd"),
        TarPart("spam-1.0/c", kind=tarfile.LNKTYPE, link="spam-1.0/a"),
    ]
    path = write(sdist_bytes(parts), "spam-1.0.tar.gz")
    seen = [(member, b"".join(content)) for member, content in walk(path)]
    with tarfile.open(path) as oracle:
        entries = oracle.getmembers()
    assert [(one.name, one.mode, one.when, one.target) for one, _ in seen] == [
        (entry.name.removeprefix("./"), entry.mode, entry.mtime, entry.linkname) for entry in entries
    ]
    assert [one.kind for one, _ in seen] == ["folder", "file", "link", "hard link"]
    assert seen[1][1] == parts[1].data
    assert [size for _, content in seen if (size := len(content))] == [3_000_000]


def test_a_walk_may_leave_contents_unread(write: Write) -> None:
    parts = [TarPart(f"spam-1.0/{name}", name.encode() * 700) for name in "abc"]
    path = write(sdist_bytes(parts), "spam-1.0.tar.gz")
    assert [b"".join(content) for member, content in walk(path) if member.name.endswith("c")] == [b"c" * 700]


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (TarPart("spam-1.0/dev", kind=tarfile.CHRTYPE), "archive-special-file"),
        (TarPart("../out", b""), "archive-name-traversal"),
        (TarPart("spam-1.0/PKG-INFO", b""), "archive-name-twice"),
    ],
)
def test_a_walk_refuses_what_unpacking_refuses(
    write: Write, code: Code, part: TarPart, expected: str
) -> None:
    path = write(sdist_bytes([TarPart("spam-1.0/PKG-INFO", b""), part]), "spam-1.0.tar.gz")
    assert code(lambda: list(walk(path))) == expected
