"""Reading an environment, whoever installed into it."""

from __future__ import annotations

import json
import sys
import sysconfig
from typing import TYPE_CHECKING

import pytest
from packaging.markers import default_environment

from accord.tasks import inspect_env, trees
from accord_core.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

MARKERS = {name: str(value) for name, value in default_environment().items()}


def install(folder: Path, name: str, version: str, *headers: str, **files: str) -> Path:
    info = folder / f"{name}-{version}.dist-info"
    info.mkdir(parents=True)
    lines = [
        "Metadata-Version: 2.4",
        f"Name: {name}",
        f"Version: {version}",
        *headers,
        "",
        "A description: not a header",
    ]
    (info / "METADATA").write_text("\n".join(lines))
    for file, text in files.items():
        (info / file.replace("_json", ".json")).write_text(text)
    return info


def test_what_is_installed_is_read_and_sorted(tmp_path: Path) -> None:
    install(tmp_path, "Zope.Interface", "2", INSTALLER="uv\n", REQUESTED="")
    install(tmp_path, "a", "1", "Requires-Dist: b", "Requires-Python: >=3.8", "Provides-Extra: x")
    first, second = inspect_env.read_installed([str(tmp_path), str(tmp_path)])
    assert (first.name, first.requires, first.requires_python, first.extras) == ("a", ("b",), ">=3.8", ("x",))
    assert (second.name, second.raw_name) == ("zope-interface", "Zope.Interface")
    assert (second.installer, second.requested, first.requested) == ("uv", True, False)


def test_leftovers_of_pip_and_broken_folders_do_not_stop_the_reading(tmp_path: Path) -> None:
    install(tmp_path, "~emo", "1")
    (tmp_path / "empty-3.dist-info").mkdir()
    (tmp_path / "plain.py").write_text("")
    install(tmp_path, "good", "1", direct_url_json="not json")
    found = inspect_env.read_installed([str(tmp_path)])
    assert [one.name for one in found] == ["empty", "good"]
    assert [problem.kind for problem in inspect_env.check(found, MARKERS)] == ["unreadable"]


def test_metadata_in_another_encoding_are_shown_as_far_as_they_go(tmp_path: Path) -> None:
    info = install(tmp_path, "old", "1.0", "Requires-Dist: good")
    text = (info / "METADATA").read_bytes().replace(b"Requires", b"Author: J\xf6rg\nRequires")
    (info / "METADATA").write_bytes(text + b"\n\xff\xfe")
    (info / "INSTALLER").write_bytes(b"\xffpip")
    (info / "RECORD").write_bytes(b"\xff.py,,\n")
    (tmp_path / "worse-2.0.dist-info").mkdir()
    (tmp_path / "worse-2.0.dist-info" / "METADATA").write_bytes(b"\xff\xfe")
    (tmp_path / "egg-1.0.egg-info").write_bytes(b"Name: egg\nVersion: 1.0\nAuthor: \xe9\n")
    install(tmp_path, "good", "1")
    found = inspect_env.read_installed([str(tmp_path)])
    assert [(one.name, one.version) for one in found] == [
        ("egg", "1.0"), ("good", "1"), ("old", "1.0"), ("worse", "")
    ]  # fmt: skip
    shown = inspect_env.details(found, "old", MARKERS, files=True)
    assert shown is not None
    assert (shown.author, shown.requires, shown.files) == ("J\ufffdrg", ("good",), ("\ufffd.py",))
    assert [(one.name, one.kind) for one in inspect_env.check(found, MARKERS)] == [("worse", "unreadable")]


@pytest.mark.parametrize("record", ["x.py,sha256=zz,one\n", '"x.py\n', "x.py,zz,\n" + "y" * 200_000])
def test_a_record_that_cannot_be_read_lists_nothing_and_hides_nothing(tmp_path: Path, record: str) -> None:
    install(tmp_path, "spam", "1.0", RECORD=record)
    found = inspect_env.details(inspect_env.read_installed([str(tmp_path)]), "spam", MARKERS, files=True)
    assert found is not None and found.installed.version == "1.0"


@pytest.mark.parametrize(
    "line",
    [
        "good>=" + "9" * 5000,
        "good; " + "(" * 3000 + "python_version>'3'" + ")" * 3000,
        "good; python_version < '" + "9" * 5000 + "'",
    ],
    ids=["version", "marker", "value"],
)
def test_requirements_nobody_can_mean_do_not_stop_the_reading(tmp_path: Path, line: str) -> None:
    install(tmp_path, "evil", "1.0", f"Requires-Dist: {line}", "Requires-Python: >=" + "9" * 5000)
    info = install(tmp_path, "good", "1.0", "Requires-Dist: evil")
    text = (info / "METADATA").read_text()
    (info / "METADATA").write_text(text.replace("Version: 1.0", "Version: " + "9" * 5000))
    found = inspect_env.read_installed([str(tmp_path)])
    kinds = {one.kind for one in inspect_env.check(found, MARKERS)}
    assert kinds <= {"unreadable"}
    assert inspect_env.details(found, "evil", MARKERS) is not None
    assert set(inspect_env.nodes(found, MARKERS)) == {"evil", "good"}


def test_freeze_writes_direct_references_and_editables(tmp_path: Path) -> None:
    install(tmp_path, "plain", "1.0")
    install(
        tmp_path,
        "gitted",
        "1",
        direct_url_json=json.dumps(
            {
                "url": "https://git.example/g.git",
                "subdirectory": "py",
                "vcs_info": {"vcs": "git", "commit_id": "a" * 40},
            }
        ),
    )
    install(
        tmp_path,
        "archived",
        "1",
        direct_url_json=json.dumps(
            {
                "url": "https://index.example/a.tar.gz",
                "archive_info": {"hashes": {"sha256": "ab"}},
            }
        ),
    )
    install(
        tmp_path,
        "older",
        "1",
        direct_url_json=json.dumps(
            {
                "url": "https://index.example/o.zip",
                "archive_info": {"hash": "sha256=cd"},
            }
        ),
    )
    install(
        tmp_path,
        "edited",
        "1",
        direct_url_json=json.dumps(
            {
                "url": "file:///src/my%20code",
                "dir_info": {"editable": True},
            }
        ),
    )
    found = inspect_env.read_installed([str(tmp_path)])
    assert inspect_env.freeze(found) == (
        "archived @ https://index.example/a.tar.gz#sha256=ab",
        "-e /src/my code",
        f"gitted @ git+https://git.example/g.git@{'a' * 40}#subdirectory=py",
        "older @ https://index.example/o.zip#sha256=cd",
        "plain==1.0",
    )
    assert inspect_env.freeze(inspect_env.listing(found, editable=True), editable=False) == (
        "edited @ file:///src/my code",
    )


def test_a_list_can_leave_out_what_others_need(tmp_path: Path) -> None:
    install(tmp_path, "a", "1", "Requires-Dist: b", "Requires-Dist: c; sys_platform == 'nowhere'")
    for name in "bcd":
        install(tmp_path, name, "1")
    found = inspect_env.read_installed([str(tmp_path)])
    free = inspect_env.listing(found, not_required=True, environment=MARKERS, exclude=["d"])
    assert [one.name for one in free] == ["a", "c"]


@pytest.mark.parametrize(
    ("header", "kind"),
    [
        ("Requires-Dist: missing", "missing"),
        ("Requires-Dist: b>=2", "conflict"),
        ("Requires-Dist: B>=1", None),
        ("Requires-Dist: b>=2; python_version < '3'", None),
        ("Requires-Dist: b>=2; extra == 'x'", None),
        ("Requires-Dist: b @ https://index.example/b.whl", None),
        ("Requires-Python: <3", "python"),
        ("Requires-Python: >=3", None),
        ("Requires-Python: nonsense", None),
        ("Requires-Dist: b >> 3", "unreadable"),
    ],
)
def test_check_finds_what_does_not_fit(tmp_path: Path, header: str, kind: str | None) -> None:
    install(tmp_path, "a", "1", header)
    install(tmp_path, "b", "1.0")
    problems = inspect_env.check(inspect_env.read_installed([str(tmp_path)]), MARKERS)
    assert [problem.kind for problem in problems] == ([kind] if kind else [])


def test_check_follows_extras_that_are_asked_for(tmp_path: Path) -> None:
    install(tmp_path, "a", "1", "Requires-Dist: b[x]")
    install(
        tmp_path,
        "b",
        "1",
        "Provides-Extra: x",
        "Requires-Dist: b[y]; extra == 'x'",
        "Requires-Dist: c; extra == 'y'",
    )
    (problem,) = inspect_env.check(inspect_env.read_installed([str(tmp_path)]), MARKERS)
    assert (problem.kind, problem.name, problem.requirement) == ("missing", "b", "c")


def test_check_finds_a_name_that_is_there_twice(tmp_path: Path) -> None:
    install(tmp_path, "a", "1")
    install(tmp_path, "a", "2")
    assert [one.kind for one in inspect_env.check(inspect_env.read_installed([str(tmp_path)]), MARKERS)] == [
        "duplicate"
    ]


def test_details_know_who_needs_it_and_its_files(tmp_path: Path) -> None:
    install(
        tmp_path, "a", "1", "Summary: first", "License-Expression: MIT", "Requires-Dist: B",
        "Project-URL: Home Page, https://a.example", RECORD="a.py,,\na-1.dist-info/METADATA,,\n",
    )  # fmt: skip
    (tmp_path / "a.py").touch()  # from 3.12 on importlib.metadata leaves out what is not there
    install(tmp_path, "b", "1", "License: old")
    found = inspect_env.read_installed([str(tmp_path)])
    a = inspect_env.details(found, "a", MARKERS, files=True)
    b = inspect_env.details(found, "b", MARKERS)
    assert a is not None
    assert b is not None
    assert (a.summary, a.licence, a.homepage, a.requires) == ("first", "MIT", "https://a.example", ("B",))
    assert a.files == ("a-1.dist-info/METADATA", "a.py")
    assert (b.required_by, b.licence, b.files) == (("a",), "old", None)
    assert inspect_env.details(found, "c", MARKERS) is None


def test_the_tree_of_an_environment(tmp_path: Path) -> None:
    install(tmp_path, "a", "1", "Requires-Dist: b[x]>=1", "Requires-Dist: gone")
    install(tmp_path, "b", "2", "Provides-Extra: x", "Requires-Dist: c; extra == 'x'")
    install(tmp_path, "c", "3")
    nodes = inspect_env.nodes(inspect_env.read_installed([str(tmp_path)]), MARKERS)
    (root,) = trees.grow(nodes, trees.roots(nodes))
    assert [(one.name, one.asked, one.missing) for one in root.branches] == [
        ("b", "[x]>=1", False),
        ("gone", "", True),
    ]
    assert [one.name for one in root.branches[0].branches] == ["c"]


def test_a_real_environment_is_read_as_importlib_reads_it(tmp_path: Path) -> None:
    import importlib.metadata

    site = sysconfig.get_path("purelib")
    looked = inspect_env.look(
        env=None, folders=[site], python=sys.executable, cache_dir=str(tmp_path / "cache")
    )
    expected = {
        distribution.metadata["Name"] for distribution in importlib.metadata.distributions(path=[site])
    }
    assert {one.raw_name for one in looked.installed} == expected
    assert looked.markers["python_full_version"] == MARKERS["python_full_version"]


def test_a_folder_that_is_no_environment_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        inspect_env.look(env=str(tmp_path), folders=[], python=None, cache_dir=str(tmp_path / "cache"))
    assert caught.value.code == "no-environment"


@pytest.mark.parametrize(
    ("python", "left"), [("3.11", ["spam==1"]), ("3.12", ["setuptools==1", "spam==1", "wheel==1"])]
)
def test_freeze_leaves_out_what_an_environment_installs_with(
    tmp_path: Path, python: str, left: list[str]
) -> None:
    for name in ("pip", "setuptools", "wheel", "spam"):
        install(tmp_path, name, "1")
    found = inspect_env.read_installed([str(tmp_path)])
    asked = inspect_env.listing(found, exclude=inspect_env.tools({"python_version": python}))
    assert list(inspect_env.freeze(asked)) == left
