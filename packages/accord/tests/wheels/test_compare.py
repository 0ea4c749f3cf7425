"""accord wheel diff: every difference is found, and only those that were asked for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from accord.testing.archives import Part, TarPart, wheel_parts, zip_bytes
from accord.wheels.compare import LOOSE, Comparison, Ignoring, compare
from accord.wheels.limits import Limits
from accord.wheels.textdiff import text_diffs
from accord_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    MakeWheel = Callable[..., str]
    MakeSdist = Callable[..., str]

FILES = {"spam/__init__.py": b"a = 1\n", "spam/b.py": b"b = 1\n", "spam/c.py": b"c = 1\n"}


def what(found: Comparison) -> dict[str, tuple[str, ...]]:
    return {change.path: change.what for change in found.changed}


def forged(path: str, parts: list[Part], name: str, **fields: object) -> str:
    """A copy of the wheel in which one part is another."""
    changed = [replace(part, **fields) if part.name == name else part for part in parts]  # type: ignore[arg-type]
    target = Path(path).parent / "other" / Path(path).name
    target.parent.mkdir(exist_ok=True)
    target.write_bytes(zip_bytes(changed))
    return str(target)


def test_the_same_bytes_are_the_same(wheel: MakeWheel) -> None:
    found = compare(wheel(FILES, folder="a"), wheel(FILES, folder="b"))
    assert found.identical_bytes and found.same


def test_files_that_come_go_and_change_are_told_apart(wheel: MakeWheel) -> None:
    old = wheel(FILES, folder="a")
    new = wheel({"spam/__init__.py": b"a = 22\n", "spam/b.py": b"b = 1\n", "spam/d.py": b"d"}, folder="b")
    found = compare(old, new)
    assert [change.path for change in found.added] == ["spam/d.py"]
    assert [change.path for change in found.removed] == ["spam/c.py"]
    assert what(found)["spam/__init__.py"] == ("content",)
    assert what(found)["spam-1.0.dist-info/RECORD".replace("spam-1.0", "*")] == ("content",)
    assert not found.same
    assert "*.dist-info/RECORD" not in what(compare(old, new, ignoring=Ignoring(record=True)))


@pytest.mark.parametrize(
    ("fields", "kind", "ignoring"),
    [
        ({"mode": 0o100755}, "mode", Ignoring(modes=True)),
        ({"both": {"time": 0x6000, "date": 33}}, "time", Ignoring(times=True)),
        ({"method": 0}, "packing", Ignoring(packing=True)),
    ],
)
def test_what_is_not_content_is_found_and_can_be_ignored(
    wheel: MakeWheel, fields: dict[str, object], kind: str, ignoring: Ignoring
) -> None:
    parts = wheel_parts(FILES)
    old = wheel(parts=parts)
    new = forged(old, parts, "spam/b.py", **fields)
    assert what(compare(old, new)) == {"spam/b.py": (kind,)}
    assert compare(old, new, ignoring=ignoring).same


def test_only_the_member_that_moved_is_said_to_have_moved(wheel: MakeWheel) -> None:
    parts = wheel_parts(FILES)
    old, new = wheel(parts=parts, folder="a"), wheel(parts=[parts[2], *parts[:2], *parts[3:]], folder="b")
    assert what(compare(old, new)) == {"spam/c.py": ("order",)}
    assert compare(old, new, ignoring=Ignoring(order=True)).same


def test_archives_that_differ_outside_their_members_differ(wheel: MakeWheel) -> None:
    parts = wheel_parts(FILES)
    old = wheel(parts=parts, folder="a")
    new = forged(old, parts, "spam/b.py", central={"made_by": 0x0014 | 0x0300 | 0x0001})
    found = compare(old, new)
    assert found.container and not found.same and found.changed == ()


def test_two_versions_share_their_dist_info(wheel: MakeWheel) -> None:
    found = compare(wheel(FILES, folder="a"), wheel(FILES, folder="a", version="1.1"))
    assert (found.added, found.removed) == ((), ())
    assert [(one.document, one.field, one.removed, one.added) for one in found.metadata] == [
        ("METADATA", "Version", ("1.0",), ("1.1",))
    ]


HEAD = "Metadata-Version: 2.1\nName: spam\nVersion: 1.0\n"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            "Requires-Dist: Foo_Bar [A] (>=1,<2) ; python_version<'3.9'\n",
            'Requires-Dist: foo-bar[a]<2,>=1; python_version < "3.9"\n',
        ),
        ("Requires-Dist: a\nRequires-Dist: b\n", "Requires-Dist: b\nRequires-Dist: a\n"),
        ("Requires-Python: >=3.8, <4\n", "Requires-Python: <4,>=3.8\n"),
        ("Keywords: a,b\n", "Keywords: b a\n"),
        ("Home-page: \n", ""),
        ("Provides-Extra: My_Extra\n", "Provides-Extra: my-extra\n"),
        ("\ntext  \n", "\ntext\n\n"),
        ("classifier: A\n", "Classifier: A\n"),
    ],
)
def test_two_ways_to_write_one_thing_are_one_where_that_is_asked_for(
    wheel: MakeWheel, one: str, other: str
) -> None:
    old, new = wheel(FILES, folder="a", metadata=HEAD + one), wheel(FILES, folder="b", metadata=HEAD + other)
    assert not compare(old, new).same
    assert compare(old, new, ignoring=LOOSE).same


@pytest.mark.parametrize(
    ("one", "other", "field"),
    [
        ("Requires-Dist: a>=1\n", "Requires-Dist: a>=2\n", "Requires-Dist"),
        ("Requires-Dist: a\nRequires-Dist: a\n", "Requires-Dist: a\n", "Requires-Dist"),
        ("Summary: x\n", "Summary: y\n", "Summary"),
        ("\ntext\n", "\nother\n", "Description"),
        ("Requires-Dist: not a requirement!\n", "Requires-Dist: not a requirement?\n", "Requires-Dist"),
    ],
)
def test_a_difference_of_meaning_stays_one(wheel: MakeWheel, one: str, other: str, field: str) -> None:
    old, new = wheel(FILES, folder="a", metadata=HEAD + one), wheel(FILES, folder="b", metadata=HEAD + other)
    assert [change.field for change in compare(old, new, ignoring=LOOSE).metadata] == [field]


def test_who_wrote_it_can_be_ignored(wheel: MakeWheel) -> None:
    text = "Wheel-Version: 1.0\nGenerator: other 2\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    old, new = (
        wheel(FILES, folder="a"),
        wheel(FILES, folder="b", wheel=text, metadata=HEAD.replace("2.1", "2.4")),
    )
    assert {one.field for one in compare(old, new).metadata} == {"Generator", "Metadata-Version"}
    assert compare(old, new, ignoring=Ignoring(generator=True, record=True, packing=True)).same


def test_sdists_of_two_versions_are_compared_below_their_folders(sdist: MakeSdist) -> None:
    old = sdist({"PKG-INFO": HEAD.encode(), "a.py": b"1"}, folder="a")
    new = sdist(
        {"PKG-INFO": HEAD.replace("1.0", "1.1").encode(), "a.py": b"2", "b.py": b""},
        folder="b",
        name="spam-1.1",
    )
    found = compare(old, new)
    assert [change.path for change in found.added] == ["b.py"]
    assert what(found)["a.py"] == ("content",)
    assert [one.document for one in found.metadata] == ["PKG-INFO"]


def test_a_link_in_the_place_of_a_file_is_a_difference(sdist: MakeSdist) -> None:
    info = TarPart("spam-1.0/PKG-INFO", HEAD.encode())
    old = sdist(parts=[info, TarPart("spam-1.0/a", b"")], folder="a")
    new = sdist(parts=[info, TarPart("spam-1.0/a", kind=b"2", link="PKG-INFO")], folder="b")
    assert what(compare(old, new)) == {"a": ("kind",)}


def test_a_wheel_and_an_sdist_cannot_be_compared(wheel: MakeWheel, sdist: MakeSdist) -> None:
    with pytest.raises(UsageError) as caught:
        compare(wheel(), sdist())
    assert caught.value.code == "kinds-differ"


def test_lines_that_differ_are_shown_within_limits(wheel: MakeWheel) -> None:
    old = wheel({"a.py": b"1\n2\n", "b.bin": b"\0old", "c.py": b"x\n" * 3}, folder="a")
    new = wheel({"a.py": b"1\n3\n", "b.bin": b"\0new", "c.py": b"y\n" * 3}, folder="b")
    found = compare(old, new, ignoring=Ignoring(record=True))
    shown = {one.path: one for one in text_diffs(found)}
    assert shown["a.py"].lines[-2:] == ("-2", "+3")
    assert (shown["b.bin"].lines, shown["b.bin"].note) == ((), "not text")
    notes = {one.path: one.note for one in text_diffs(found, Limits(text_bytes=6))}
    assert (
        notes["c.py"] == ""
        and {one.path: one.note for one in text_diffs(found, Limits(text_bytes=5))}["c.py"]
        == "longer than 5 bytes"
    )
    lines = {one.path: one for one in text_diffs(found, Limits(text_lines=4))}["a.py"]
    assert len(lines.lines) == 4 and lines.note
    assert {one.path: one.note for one in text_diffs(found, Limits(text_source_lines=3))}["c.py"] == ""
    assert {one.path: one.note for one in text_diffs(found, Limits(text_source_lines=2))}["c.py"]
    assert text_diffs(found, Limits(text_members=2))[-1].note == "1 more members differ"
    assert len(text_diffs(found, Limits(text_members=3))) == 3
