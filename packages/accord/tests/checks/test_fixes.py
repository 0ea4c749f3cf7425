"""``--fix``: what a finding brings along is changed in ``pyproject.toml``, and nothing else of it."""

from __future__ import annotations

import tomllib

import pytest

from accord.checks.edits import apply_edits, difference
from accord.checks.model import Edit
from accord.checks.table import CHECKS

from .conftest import PYPROJECT, Bench, codes, swapped

pytest.importorskip("trove_classifiers", reason="accord[check] is not installed")
pytest.importorskip("comrak", reason="accord[check] is not installed")

MIT = "License :: OSI Approved :: MIT License"
CASES = {
    "extra-name": (("ham-cut", "Ham_Cut"), ("Ham_Cut", "ham-cut")),
    "version-normal": (('"1.0"', '"1.0-beta1" # soon'), ('"1.0-beta1"', '"1.0b1"')),
    "requires-python-cap": (('">=3.10"', '">=3.10, <4.0"  # why'), (">=3.10, <4.0", ">=3.10")),
    "classifier-deprecated": (
        ("Programming Language :: Python :: 3", "Natural Language :: Ukranian"),
        ("Ukranian", "Ukrainian"),
    ),
    "classifier-duplicate": (('"Typing :: Typed"', '"Typing :: Typed", "Typing :: Typed"'), ("x", "x")),
    "classifier-python": ((":: Python :: 3", ":: Python :: 3.8"), ("x", "x")),
    "license-table": (('license = "MIT"', 'license = {text = "MIT License"}'), ("x", "x")),
    "license-classifier": (('"Typing', f'"{MIT}",\n  # types\n  "Typing'), ("x", "x")),
    "typed-classifier-missing": ((', "Typing :: Typed"', ""), ("x", "x")),
}


def fixed(bench: Bench, text: str) -> str:
    report = bench.check(bench.project(add={"pyproject.toml": text}))
    return apply_edits(text, [edit for one in report.found for edit in one.finding.edits])


def test_every_check_that_says_it_is_fixable_is_here() -> None:
    assert {one.code for one in CHECKS if one.fixable} == set(CASES)


@pytest.mark.parametrize("code", CASES)
def test_a_fix_leaves_nothing_to_say(bench: Bench, code: str) -> None:
    spoilt = swapped(PYPROJECT, (CASES[code][0],))
    assert codes(bench.check(bench.project(add={"pyproject.toml": spoilt}))) == [code]
    text = fixed(bench, spoilt)
    assert codes(bench.check(bench.project(add={"pyproject.toml": text}))) == []
    for table in ("build-system", "tool"):
        assert tomllib.loads(text)[table] == tomllib.loads(PYPROJECT)[table]


@pytest.mark.parametrize("code", [code for code, case in CASES.items() if case[1] != ("x", "x")])
def test_a_fix_changes_one_word_and_keeps_comments(bench: Bench, code: str) -> None:
    spoil, mend = CASES[code]
    spoilt = swapped(PYPROJECT, (spoil,))
    assert fixed(bench, spoilt) == spoilt.replace(*mend)


def test_a_comment_within_an_array_stays(bench: Bench) -> None:
    text = fixed(bench, swapped(PYPROJECT, (CASES["license-classifier"][0],)))
    assert "# types" in text
    assert MIT not in text


def test_a_licence_file_becomes_license_files(bench: Bench) -> None:
    spoilt = swapped(
        PYPROJECT,
        (
            ('license = "MIT"\nlicense-files = ["LICENSE"]', 'license = {file = "LICENSE"} # ours'),
            ('"Typing', f'"{MIT}", "Typing'),
        ),
    )
    project = tomllib.loads(fixed(bench, spoilt))["project"]
    assert project["license"] == "MIT"
    assert project["license-files"] == ["LICENSE"]
    assert project["classifiers"] == ["Programming Language :: Python :: 3", "Typing :: Typed"]


@pytest.mark.parametrize(
    "swaps",
    [
        (('license = "MIT"', 'license = {text = "BSD"}'),),  # a family of licences
        (
            ('license = "MIT"', 'license = {text = "MIT"}'),
            ('["accord-backend"]', '["setuptools<70"]'),
        ),  # cannot read it
        (
            ('license = "MIT"', 'license = {text = "ISC"}'),
            ('"Typing', f'"{MIT}", "Typing'),
        ),  # they contradict each other
        (('">=3.10"', '">=3.10,<3.14"'),),  # may have its reason
        (('">=3.10"', '">=3.10,<40"'),),
        (('">=3.10"', '"~=3.10"'),),
    ],
)
def test_what_is_not_sure_is_left_to_the_person(bench: Bench, swaps: tuple[tuple[str, str], ...]) -> None:
    spoilt = swapped(PYPROJECT, swaps)
    assert codes(bench.check(bench.project(add={"pyproject.toml": spoilt}))) != []
    assert fixed(bench, spoilt) == spoilt


def test_an_edit_whose_place_has_gone_changes_nothing() -> None:
    edits = [
        Edit("set", ("project", "version"), "2"),
        Edit("remove", ("project", "license")),
        Edit("rename", ("project", "optional-dependencies", "A"), "a"),
        Edit("remove-item", ("project", "classifiers"), item="x"),
    ]
    assert apply_edits("# empty\n", edits) == "# empty\n"


def test_a_rename_moves_no_comment() -> None:
    text = '[project.optional-dependencies]\n# of foo\nFoo_Bar = ["Foo_Bar"] # a\n# of baz\nbaz = []\n"B.C" = []\n'
    at = ("project", "optional-dependencies")
    edits = [Edit("rename", (*at, "Foo_Bar"), "foo-bar"), Edit("rename", (*at, "B.C"), "b-c")]
    assert apply_edits(text, edits) == text.replace("Foo_Bar =", "foo-bar =").replace('"B.C"', "b-c")


@pytest.mark.parametrize(
    "text",
    [
        'project.license = {file = "LICENSE"}\nproject.name = "a"\n',
        '[project]\nname = "a"\n[project.license]\ntext = "MIT"\n[project.urls]\na = "b"\n',
        'project = {name = "a", license = {text = "MIT"}}\n',
        '[project.license]\ntext = "MIT"\n[project]\nname = "a"\n',
    ],
)
def test_an_edit_changes_what_it_says_however_the_document_is_written(text: str) -> None:
    edits = [
        Edit("set", ("project", "license"), "MIT"),
        Edit("set", ("project", "license-files"), ["LICENSE"]),
    ]
    before, after = tomllib.loads(text)["project"], tomllib.loads(apply_edits(text, edits))["project"]
    assert after == {**before, "license": "MIT", "license-files": ["LICENSE"]}


def test_an_edit_that_would_change_something_else_is_left_out() -> None:
    """The key stands on its line a second time, before its own place: the words would be the wrong ones."""
    text = "[project]\noptional-dependencies = {a-A_A = [], A_A = []}\n"
    assert apply_edits(text, [Edit("rename", ("project", "optional-dependencies", "A_A"), "a-a")]) in (
        text,
        text.replace(" A_A", " a-a"),
    )
    quoted = "[project]\noptional-dependencies.\"A.A\" = ['A.A']\nversion = 'A.A'\n"
    found = apply_edits(quoted, [Edit("rename", ("project", "optional-dependencies", "A.A"), "a-a")])
    assert tomllib.loads(found)["project"] == {"optional-dependencies": {"a-a": ["A.A"]}, "version": "A.A"}


def test_the_difference_is_a_unified_one() -> None:
    assert difference("a\n", "a\n", "p") == ""
    assert difference("a\nb", "a\nc", "p").splitlines() == [
        "--- p",
        "+++ p",
        "@@ -1,2 +1,2 @@",
        " a",
        "-b",
        "+c",
    ]
