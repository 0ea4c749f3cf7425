"""Unpacking, packing and retagging: what goes in comes out, deterministically, and nothing else does.

The oracle is the ``wheel`` project's own command line.
"""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from accord.testing.archives import Part, wheel_parts
from accord.wheels import wheelfile
from accord.wheels.compare import Ignoring, compare
from accord.wheels.fields import read_fields
from accord.wheels.limits import Limits
from accord.wheels.packing import pack
from accord.wheels.tagging import Retagging, retag
from accord.wheels.unpacking import unpack
from accord.wheels.verification import verify
from accord_core.archive import limits as archive_limits
from accord_core.archive.record import parse_record
from accord_core.errors import AccordError, ArchiveError, DocumentError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    MakeWheel = Callable[..., str]

FILES = {
    "spam/__init__.py": b"value = 1\n",
    'spam/data, odd "name".txt': b"x" * 100,
    "spam-1.0.data/scripts/run": b"#!python\n",
    "spam/\u00e9.py": b"",
}


def by_wheel(*words: str, cwd: Path) -> str:
    """What ``python -m wheel`` says."""
    return subprocess.run(
        [sys.executable, "-m", "wheel", *words], cwd=cwd, capture_output=True, text=True, check=True
    ).stdout


def honest(make: MakeWheel, **options: Any) -> str:
    parts = wheel_parts(FILES, **options)
    return make(
        parts=[
            Part(one.name, one.data, mode=0o100755) if str(one.name).endswith("run") else one for one in parts
        ]
    )


def members(path: str) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def tree(folder: Path) -> dict[str, tuple[bytes, bool]]:
    return {
        str(path.relative_to(folder)): (path.read_bytes(), bool(path.stat().st_mode & 0o100))
        for path in folder.rglob("*")
        if path.is_file()
    }


# -- unpack --------------------------------------------------------------------------------------------------


def test_an_unpacked_wheel_is_what_wheel_unpacks(wheel: MakeWheel, tmp_path: Path) -> None:
    path = honest(wheel)
    ours = unpack(path, str(tmp_path / "ours"))
    by_wheel("unpack", path, "-d", str(tmp_path / "theirs"), cwd=tmp_path)
    assert ours.folder == str(tmp_path / "ours" / "spam-1.0")
    assert tree(tmp_path / "ours") == tree(tmp_path / "theirs")
    assert ours.files == len(tree(tmp_path / "ours"))


def test_an_existing_folder_is_left_alone(wheel: MakeWheel, tmp_path: Path) -> None:
    (tmp_path / "spam-1.0").mkdir()
    with pytest.raises(UsageError) as caught:
        unpack(wheel(), str(tmp_path))
    assert caught.value.code == "folder-exists"
    assert list((tmp_path / "spam-1.0").iterdir()) == []


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        ([Part("spam/a.py", b"", both={"crc": 7})], "archive-crc-wrong"),
        ([Part("../../evil", b"")], "archive-name-traversal"),
        ([Part("spam/x", b"/etc", mode=0o120777)], "archive-link"),
        ([Part("spam/unlisted", b"")], "record-file-unlisted"),
    ],
)
def test_a_wheel_that_is_not_right_leaves_nothing(
    wheel: MakeWheel, tmp_path: Path, parts: list[Part], code: str
) -> None:
    own = wheel_parts({**FILES, "spam/a.py": b""})
    if code == "archive-crc-wrong":
        own = [parts[0] if one.name == "spam/a.py" else one for one in own]
        parts = []
    into = tmp_path / "into"
    with pytest.raises(ArchiveError) as caught:
        unpack(wheel(parts=[*own, *parts]), str(into))
    assert caught.value.code == code
    assert not into.exists() or list(into.iterdir()) == []
    assert not (tmp_path / "evil").exists()


def test_a_changed_file_leaves_nothing(wheel: MakeWheel, tmp_path: Path) -> None:
    parts = [
        Part(one.name, b"value = 9\n") if one.name == "spam/__init__.py" else one for one in wheel_parts()
    ]
    with pytest.raises(ArchiveError) as caught:
        unpack(wheel(parts=parts), str(tmp_path / "into"))
    assert caught.value.code == "record-digest-wrong"
    assert list((tmp_path / "into").iterdir()) == []


def test_what_is_unpacked_may_be_as_large_as_the_limit(wheel: MakeWheel, tmp_path: Path) -> None:
    path = wheel()
    size = sum(len(data) for data in members(path).values())
    small = Limits(archive=archive_limits.Limits(total_bytes=size - 1))
    with pytest.raises(ArchiveError) as caught:
        unpack(path, str(tmp_path / "a"), small)
    assert caught.value.code == "archive-too-large"
    unpack(path, str(tmp_path / "b"), Limits(archive=archive_limits.Limits(total_bytes=size)))


def test_modes_obey_the_umask_and_keep_no_other_bits(wheel: MakeWheel, tmp_path: Path) -> None:
    parts = [Part(one.name, one.data, mode=0o106777) for one in wheel_parts()]
    before = os.umask(0o027)
    try:
        folder = Path(unpack(wheel(parts=parts), str(tmp_path / "into")).folder)
    finally:
        os.umask(before)
    assert (folder / "spam" / "__init__.py").stat().st_mode & 0o7777 == 0o750
    assert folder.stat().st_mode & 0o7777 == 0o750


# -- pack ----------------------------------------------------------------------------------------------------


def test_unpacked_and_packed_twice_gives_the_same_bytes(wheel: MakeWheel, tmp_path: Path) -> None:
    # Many makers end WHEEL with an empty line.
    path = honest(wheel, wheel="Wheel-Version: 1.0\r\nRoot-Is-Purelib: true\nTag: py3-none-any\n\n")
    first = pack(unpack(path, str(tmp_path / "a")).folder, str(tmp_path / "one")).path
    second = pack(unpack(first, str(tmp_path / "b")).folder, str(tmp_path / "two")).path
    assert Path(first).read_bytes() == Path(second).read_bytes()
    found = compare(path, first, ignoring=Ignoring(times=True, order=True, packing=True, record=True))
    assert found.same, found.as_dict()


def test_times_umask_and_order_of_making_do_not_reach_the_wheel(wheel: MakeWheel, tmp_path: Path) -> None:
    folder = Path(unpack(honest(wheel), str(tmp_path / "a")).folder)
    first = Path(pack(str(folder), str(tmp_path / "one")).path).read_bytes()
    for number, path in enumerate(sorted(folder.rglob("*"), reverse=True)):
        os.utime(path, (number, number))
        if path.is_file():
            path.chmod(path.stat().st_mode | 0o066)
    assert Path(pack(str(folder), str(tmp_path / "two")).path).read_bytes() == first
    later = pack(str(folder), str(tmp_path / "three"), when=1_700_000_000).path
    assert Path(later).read_bytes() != first
    with zipfile.ZipFile(later) as archive:
        assert {info.date_time for info in archive.infolist()} == {(2023, 11, 14, 22, 13, 20)}


def test_members_are_sorted_with_the_documents_behind_and_record_last(
    wheel: MakeWheel, tmp_path: Path
) -> None:
    names = list(
        members(pack(unpack(wheel(FILES | {"zz.py": b""}), str(tmp_path / "a")).folder, str(tmp_path)).path)
    )
    code = [name for name in names if ".dist-info/" not in name]
    assert code == sorted(code)
    assert names == [*code, *(f"spam-1.0.dist-info/{name}" for name in ("METADATA", "WHEEL", "RECORD"))]


def test_a_packed_wheel_has_the_members_and_rows_wheel_gives_it(wheel: MakeWheel, tmp_path: Path) -> None:
    folder = unpack(honest(wheel), str(tmp_path / "a")).folder
    ours = pack(folder, str(tmp_path / "ours")).path
    (tmp_path / "theirs").mkdir()
    by_wheel("pack", folder, "-d", str(tmp_path / "theirs"), cwd=tmp_path)
    (theirs,) = (tmp_path / "theirs").iterdir()
    assert theirs.name == Path(ours).name
    one, other = members(ours), members(str(theirs))
    rows, their_rows = (parse_record(side.pop("spam-1.0.dist-info/RECORD")) for side in (one, other))
    assert one == other
    assert {path: (row.digest, row.size) for path, row in rows.items()} == {
        path: (row.digest, row.size) for path, row in their_rows.items()
    }
    assert verify(ours).faults == ()
    with zipfile.ZipFile(ours) as mine, zipfile.ZipFile(theirs) as its:
        bits = {info.filename: info.external_attr >> 16 & 0o111 for info in its.infolist()}
        assert {info.filename: info.external_attr >> 16 & 0o111 for info in mine.infolist()} == bits
        assert mine.namelist()[-1] == its.namelist()[-1] == "spam-1.0.dist-info/RECORD"


def test_an_edited_folder_packs_to_an_honest_wheel(wheel: MakeWheel, tmp_path: Path) -> None:
    folder = Path(unpack(wheel(), str(tmp_path / "a")).folder)
    (folder / "spam" / "new.py").write_text("x = 1\n")
    (folder / "spam" / "__init__.py").write_text("value = 2\n")
    done = pack(str(folder), str(tmp_path / "out"))
    assert verify(done.path).faults == ()
    assert members(done.path)["spam/new.py"] == b"x = 1\n"


def test_a_build_number_is_set_kept_and_removed(wheel: MakeWheel, tmp_path: Path) -> None:
    folder = Path(unpack(wheel(), str(tmp_path / "a")).folder)
    first = pack(str(folder), str(tmp_path / "out"), build="3x").path
    assert Path(first).name == "spam-1.0-3x-py3-none-any.whl"
    assert verify(first).faults == ()
    again = unpack(first, str(tmp_path / "b")).folder
    assert Path(pack(again, str(tmp_path / "two")).path).name == Path(first).name
    assert Path(pack(again, str(tmp_path / "two"), build="").path).name == "spam-1.0-py3-none-any.whl"
    with pytest.raises(UsageError) as caught:
        pack(str(folder), str(tmp_path / "out"), build="x/../y")
    assert caught.value.code == "build-number-invalid"


def test_the_signature_of_the_old_record_is_left_out_and_said(wheel: MakeWheel, tmp_path: Path) -> None:
    folder = Path(unpack(wheel(), str(tmp_path / "a")).folder)
    (folder / "spam-1.0.dist-info" / "RECORD.jws").write_text("{}")
    done = pack(str(folder), str(tmp_path / "out"))
    assert done.dropped == ("spam-1.0.dist-info/RECORD.jws",)
    assert "spam-1.0.dist-info/RECORD.jws" not in members(done.path)


def spoil_metadata(info: Path) -> None:
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: eggs\nVersion: 1.0\n")


def spoil_tags(info: Path) -> None:
    text = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\nTag: cp311-cp311-linux_x86_64\n"
    (info / "WHEEL").write_text(text)


def no_tags(info: Path) -> None:
    (info / "WHEEL").write_text("Wheel-Version: 1.0\nRoot-Is-Purelib: true\n")


def no_wheel(info: Path) -> None:
    (info / "WHEEL").unlink()


def second_info(info: Path) -> None:
    (info.parent / "eggs-1.0.dist-info").mkdir()


def no_info(info: Path) -> None:
    info.rename(info.parent / "other")


def a_link(info: Path) -> None:
    (info.parent / "spam" / "link").symlink_to("/etc/passwd")


def a_fifo(info: Path) -> None:
    os.mkfifo(info.parent / "spam" / "pipe")


def a_linked_folder(info: Path) -> None:
    (info.parent / "etc").symlink_to("/etc")


def bad_build(info: Path) -> None:
    with (info / "WHEEL").open("a") as file:
        file.write("Build: ../../x\n")


@pytest.mark.parametrize(
    "spoil",
    [
        spoil_metadata,
        spoil_tags,
        no_tags,
        no_wheel,
        second_info,
        no_info,
        a_link,
        a_fifo,
        a_linked_folder,
        bad_build,
    ],
)
def test_a_folder_that_makes_no_wheel_is_refused(
    wheel: MakeWheel, tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    folder = Path(unpack(wheel(), str(tmp_path / "a")).folder)
    spoil(folder / "spam-1.0.dist-info")
    with pytest.raises(DocumentError) as caught:
        pack(str(folder), str(tmp_path / "out"))
    assert caught.value.code == "wheel-folder-invalid"
    assert not (tmp_path / "out").exists() or list((tmp_path / "out").iterdir()) == []


def test_every_fault_of_the_documents_is_said(wheel: MakeWheel, tmp_path: Path) -> None:
    folder = Path(unpack(wheel(), str(tmp_path / "a")).folder)
    spoil_metadata(folder / "spam-1.0.dist-info")
    no_tags(folder / "spam-1.0.dist-info")
    with pytest.raises(DocumentError) as caught:
        pack(str(folder), str(tmp_path / "out"))
    assert len(caught.value.context) == 2


def test_names_no_archive_may_hold_are_refused(wheel: MakeWheel, tmp_path: Path) -> None:
    folder = Path(unpack(wheel(), str(tmp_path / "a")).folder)
    (folder / "spam" / "__INIT__.py").write_text("")
    with pytest.raises(ArchiveError) as caught:
        pack(str(folder), str(tmp_path / "out"))
    assert caught.value.code == "archive-name-collides"


def test_as_many_files_as_the_limit_are_packed_and_no_more(wheel: MakeWheel, tmp_path: Path) -> None:
    folder = unpack(wheel(), str(tmp_path / "a")).folder
    pack(folder, str(tmp_path / "out"), limits=Limits(pack_files=4))
    with pytest.raises(ArchiveError) as caught:
        pack(folder, str(tmp_path / "out"), limits=Limits(pack_files=3))
    assert caught.value.code == "archive-too-many-entries"


def test_a_document_may_be_as_long_as_the_limit(wheel: MakeWheel, tmp_path: Path) -> None:
    folder = Path(unpack(wheel(), str(tmp_path / "a")).folder)
    size = max((folder / "spam-1.0.dist-info" / name).stat().st_size for name in ("METADATA", "WHEEL"))
    pack(str(folder), str(tmp_path), limits=Limits(archive=archive_limits.Limits(metadata_bytes=size)))
    with pytest.raises(DocumentError) as caught:
        pack(
            str(folder), str(tmp_path), limits=Limits(archive=archive_limits.Limits(metadata_bytes=size - 1))
        )
    assert caught.value.code == "wheel-folder-invalid"


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        pack(str(tmp_path / "nowhere"), str(tmp_path))
    assert caught.value.code == "folder-not-found"


# -- tags ----------------------------------------------------------------------------------------------------

WORDS = [
    {"python": "py2.py3"},
    {"python": "+py2"},
    {"python": "-py3"},
    {"abi": "abi3"},
    {"platform": "linux_x86_64"},
    {"platform": "+linux_x86_64"},
    {"python": "cp39", "abi": "abi3", "platform": "+win_amd64.linux_x86_64"},
    {"build": "4"},
    {"python": "py3"},
]


@pytest.mark.parametrize(
    "words", WORDS, ids=lambda words: " ".join(f"{key}={value}" for key, value in words.items())
)
def test_tags_are_what_wheel_makes_of_them(wheel: MakeWheel, tmp_path: Path, words: dict[str, str]) -> None:
    path = honest(wheel)
    theirs = Path(honest(partial(wheel, folder="theirs")))
    if words == {"python": "-py3"}:
        with pytest.raises(UsageError) as caught:
            retag(path, Retagging(**words))
        assert caught.value.code == "tag-invalid"
        return
    ours = retag(path, Retagging(**words))
    names = {"python": "--python-tag", "abi": "--abi-tag", "platform": "--platform-tag", "build": "--build"}
    said = by_wheel(
        "tags", *(f"{names[key]}={value}" for key, value in words.items()), str(theirs), cwd=tmp_path
    )
    assert said.strip() == Path(ours.path).name
    one, other = members(ours.path), members(str(theirs.parent / said.strip()))
    info = "spam-1.0.dist-info"
    fields = [sorted(read_fields(side.pop(f"{info}/WHEEL")).pairs) for side in (one, other)]
    assert fields[0] == fields[1]
    rows = parse_record(one.pop(f"{info}/RECORD")), parse_record(other.pop(f"{info}/RECORD"))
    assert one == other
    for side in rows:
        side.pop(f"{info}/WHEEL")  # the same fields in another order
    assert {key: (row.digest, row.size) for key, row in rows[0].items()} == {
        key: (row.digest, row.size) for key, row in rows[1].items()
    }
    assert verify(ours.path).faults == ()
    assert Path(path).exists()


def test_members_keep_bytes_modes_and_times(wheel: MakeWheel) -> None:
    parts = [Part(one.name, one.data, mode=0o100755, both={"time": 0x6000}) for one in wheel_parts(FILES)]
    path = wheel(parts=parts)
    done = retag(path, Retagging(python="py2.py3"))
    found = compare(path, done.path)
    assert {change.path: change.what for change in found.changed} == {
        "*.dist-info/WHEEL": ("content",),
        "*.dist-info/RECORD": ("content",),
    }
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(done.path) as new:
        for info in old.infolist():
            if not info.filename.endswith(("WHEEL", "RECORD")):
                assert (info.compress_size, info.date_time) == (
                    new.getinfo(info.filename).compress_size,
                    new.getinfo(info.filename).date_time,
                )


def test_removing_takes_the_old_one_away_only_when_there_is_a_new_one(wheel: MakeWheel) -> None:
    path = wheel()
    same = retag(path, Retagging(python="py3"), remove=True)
    assert (same.changed, same.removed, Path(path).exists()) == (False, False, True)
    done = retag(path, Retagging(python="py2"), remove=True)
    assert not Path(path).exists() and Path(done.path).exists()


@pytest.mark.parametrize("tag", ["", "+", "py3..py2", "py3-none", "../x", "py 3", "é"])
def test_a_tag_that_is_none_is_refused(wheel: MakeWheel, tag: str) -> None:
    path = wheel()
    with pytest.raises(UsageError) as caught:
        retag(path, Retagging(python=tag))
    assert caught.value.code == "tag-invalid"
    assert [one.name for one in Path(path).parent.iterdir()] == [Path(path).name]


def test_more_tags_than_anybody_means_are_refused(wheel: MakeWheel) -> None:
    signs = "abcdefghijklmnopqrstuvwxyz0123456789"
    path = wheel()
    with pytest.raises(UsageError) as caught:
        retag(path, Retagging(python=".".join(signs[:32]), abi=".".join(signs[:32])))
    assert caught.value.code == "tag-invalid"
    assert retag(path, Retagging(python=".".join(signs[:31]), abi=".".join(signs[:32]))).changed


@pytest.mark.parametrize(
    ("filename", "code"),
    [
        ("spam-1.0-py2-none-any.whl", "wheel-tags-disagree"),
        ("spam-1.0-7-py3-none-any.whl", "wheel-build-disagrees"),
    ],
)
def test_a_name_that_was_wrong_before_is_not_built_upon(wheel: MakeWheel, filename: str, code: str) -> None:
    path = wheel(filename=filename)
    with pytest.raises(ArchiveError) as caught:
        retag(path, Retagging(platform="linux_x86_64"))
    assert caught.value.code == code


def test_a_damaged_wheel_gets_no_new_name(wheel: MakeWheel) -> None:
    parts = [
        Part(one.name, b"value = 9\n") if one.name == "spam/__init__.py" else one for one in wheel_parts()
    ]
    path = wheel(parts=parts)
    with pytest.raises(AccordError) as caught:
        retag(path, Retagging(python="py2"), remove=True)
    assert caught.value.code == "record-digest-wrong"
    assert [one.name for one in Path(path).parent.iterdir()] == [Path(path).name]


def test_a_wheel_that_is_there_is_not_replaced(wheel: MakeWheel) -> None:
    path = wheel()
    (Path(path).parent / "spam-1.0-py2-none-any.whl").write_bytes(b"mine")
    with pytest.raises(UsageError) as caught:
        retag(path, Retagging(python="py2"))
    assert caught.value.code == "wheel-exists"


@pytest.mark.parametrize(
    ("tags", "name"),
    [
        (("py3-none-any",), "py3-none-any"),
        (("py3-none-any", "py2-none-any"), "py2.py3-none-any"),
        (("cp39-abi3-a", "cp39-abi3-b"), "cp39-abi3-a.b"),
        (("py3-none-any", "cp39-abi3-a"), None),
        (("py3-none",), None),
        ((), None),
    ],
)
def test_a_set_of_tags_is_compressed_only_if_it_stands_for_those_tags(
    tags: tuple[str, ...], name: str | None
) -> None:
    assert wheelfile.compressed(tags) == name
