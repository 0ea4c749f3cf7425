"""Our tar writer against ``tarfile``, which reads what it wrote."""

from __future__ import annotations

import gzip
import io
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accord_backend import tars
from accord_backend.errors import BackendError

NAMES = st.lists(
    st.text(st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1, max_size=60).filter(
        lambda name: name not in (".", "..")
    ),
    min_size=1,
    max_size=6,
).map("/".join)


def written(members: list[tuple[str, bytes, bool]], when: int = 0) -> bytes:
    file = io.BytesIO()
    archive = tars.TarWriter(file, when)
    for name, data, executable in members:
        archive.add(name, data, executable=executable)
    archive.close()
    return file.getvalue()


@given(st.dictionaries(NAMES, st.tuples(st.binary(max_size=1100), st.booleans()), max_size=6))
def test_tarfile_reads_what_was_written(members: dict[str, tuple[bytes, bool]]) -> None:
    packed = written([(name, data, marked) for name, (data, marked) in members.items()], 1700000000)
    with tarfile.open(fileobj=io.BytesIO(packed), errorlevel=2) as archive:
        found = {}
        for entry in archive:
            assert entry.isreg() and entry.mtime == 1700000000 and not entry.uid and not entry.gid
            assert entry.uname == entry.gname == ""
            file = archive.extractfile(entry)
            assert file is not None
            found[entry.name] = file.read(), entry.mode == 0o755
    assert found == members


@pytest.mark.parametrize("length", [98, 99, 100, 101, 155, 156, 157, 255, 256, 257, 300])
def test_names_about_the_limits_of_the_old_header(length: int) -> None:
    for name in (
        "n" * length,
        "d/" + "n" * (length - 2),
        "d" * (length - 2) + "/n",
        ("d" * 49 + "/") * 6 + "n" * length,
    ):
        with tarfile.open(fileobj=io.BytesIO(written([(name, b"x", False)]))) as archive:
            assert archive.getnames() == [name]


def test_a_file_of_eight_gigabytes_says_its_size_in_pax(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tars, "_OCTAL", 1000)
    with tarfile.open(
        fileobj=io.BytesIO(written([("a", b"x" * 1000, False), ("b", b"y" * 999, False)]))
    ) as archive:
        first, second = archive.getmembers()
        assert (first.size, first.pax_headers) == (1000, {"size": "1000"})
        assert (second.size, second.pax_headers) == (999, {})


def test_the_size_is_that_of_whole_records() -> None:
    assert len(gzip.decompress(written([("a", b"x", False)]))) == 10240


def test_the_gzip_header_says_nothing_of_the_machine() -> None:
    assert written([], 0x01020304)[:10] == b"\x1f\x8b\x08\x00\x04\x03\x02\x01\x00\xff"


def test_a_name_that_is_not_utf_8() -> None:
    with pytest.raises(BackendError) as caught:
        written([("\udcff", b"", False)])
    assert caught.value.code == "file-name-unusable"
