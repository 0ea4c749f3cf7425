"""What ``[tool.accord.build]`` ships: scripts, headers, data, SBOMs; what it leaves out; and an sdist that is whole."""

from __future__ import annotations

import os
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

import accord_backend
from accord_backend.errors import BackendError
from accord_core.archive.wheel import open_wheel

Project = Callable[..., Path]
SETTINGS = "\n[tool.accord.build]\n"
DATA = "spam_eggs-1.0.data"
INFO = "spam_eggs-1.0.dist-info"


def wheel_of(out: str) -> dict[str, bytes]:
    with zipfile.ZipFile(Path(out, accord_backend.build_wheel(out))) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def sdist_of(out: str) -> list[str]:
    with tarfile.open(Path(out, accord_backend.build_sdist(out))) as archive:
        return [name.partition("/")[2] for name in archive.getnames()]


def fault_of(out: str, hook: str = "build_wheel") -> BackendError:
    with pytest.raises(BackendError) as caught:
        getattr(accord_backend, hook)(out)
    return caught.value


TREE = {
    "spam_eggs/__init__.py": "",
    "spam_eggs/tests/test_a.py": "",
    "bin/spam-tool": "#!/usr/bin/env python3\nprint(1)\n",
    "bin/spam.sh": "#!/bin/sh\n",
    "include/spam.h": "",
    "include/spam/deep.h": "",
    "docs/spam.1": "",
    "assets/a/icon.png": "",
    "assets/b.txt": "",
    "sbom.cdx.json": "{}",
    "tests/test_spam.py": "",
    "tests/data/big.bin": "",
}
TABLES = """\
scripts = ["bin/*"]
headers = ["include/**"]
sboms = ["sbom.cdx.json"]
wheel-exclude = ["spam_eggs/tests"]
sdist-include = ["tests"]
sdist-exclude = ["tests/data", "spam_eggs/tests/**"]

[tool.accord.build.data]
"share/man/man1" = ["docs/*.1"]
"share/spam" = ["assets/**"]
"""
SHIPPED = [
    "spam_eggs/__init__.py",
    f"{DATA}/data/share/man/man1/spam.1",
    f"{DATA}/data/share/spam/a/icon.png",
    f"{DATA}/data/share/spam/b.txt",
    f"{DATA}/headers/spam.h",
    f"{DATA}/headers/spam/deep.h",
    f"{DATA}/scripts/spam-tool",
    f"{DATA}/scripts/spam.sh",
    f"{INFO}/METADATA",
    f"{INFO}/WHEEL",
    f"{INFO}/sboms/sbom.cdx.json",
    f"{INFO}/RECORD",
]


def test_everything_goes_where_the_tables_say(project: Project, out: str) -> None:
    project(SETTINGS + TABLES, TREE)
    assert list(wheel_of(out)) == SHIPPED
    with open_wheel(os.path.join(out, os.listdir(out)[0])) as wheel:
        targets = {wheel.target(member) for member in wheel.members}
    assert {("scripts", "spam-tool"), ("headers", "spam.h"), ("data", "share/spam/a/icon.png")} <= targets


def test_the_sdist_has_all_of_it_and_builds_it(
    project: Project, out: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project(SETTINGS + TABLES, TREE)
    direct = wheel_of(out)
    names = sdist_of(out)
    assert "tests/test_spam.py" in names
    assert "tests/data/big.bin" not in names and "spam_eggs/tests/test_a.py" not in names
    with tarfile.open(Path(out, "spam_eggs-1.0.tar.gz")) as archive:
        archive.extractall(tmp_path / "unpacked", filter="data")
    monkeypatch.chdir(tmp_path / "unpacked" / "spam_eggs-1.0")
    assert wheel_of(out) == direct


@pytest.mark.parametrize(
    ("first", "expected"),
    [
        (b"#!/usr/bin/env python3", b"#!python"),
        (b"#!/usr/bin/python3.11 -I", b"#!python -I"),
        (b"#!/usr/bin/env pypy3", b"#!python"),
        (b"#!pythonw", b"#!pythonw"),
        (b"#!/bin/sh", b"#!/bin/sh"),
        (b"#!", b"#!"),
        (b"#! /usr/bin/env perl", b"#! /usr/bin/env perl"),
        (b"print(1)", b"print(1)"),
        (b"", b""),
    ],
)
def test_a_script_runs_with_the_python_it_is_installed_for(
    first: bytes, expected: bytes, project: Project, out: str
) -> None:
    """Binary distribution format, "Recommended installer features": ``#!python`` is what an installer rewrites."""
    root = project(SETTINGS + 'scripts = ["tool"]\n', {"spam_eggs.py": "", "tool": ""})
    (root / "tool").write_bytes(first + b"\nx\n")
    assert wheel_of(out)[f"{DATA}/scripts/tool"] == expected + b"\nx\n"
    with zipfile.ZipFile(Path(out, "spam_eggs-1.0-py3-none-any.whl")) as archive:
        assert archive.getinfo(f"{DATA}/scripts/tool").external_attr >> 16 == 0o100755


@pytest.mark.parametrize(
    ("code", "place", "text"),
    [
        ("file-missing", "scripts", 'scripts = ["none"]'),
        ("file-missing", "data.share/x", 'data = {"share/x" = ["none/*"]}'),
        ("path-outside", "scripts", 'scripts = ["../x"]'),
        ("path-outside", "headers", 'headers = ["/x"]'),
        ("path-outside", "sboms", 'sboms = ["link"]'),
        ("path-outside", "data.../x", 'data = {"../x" = ["a/one"]}'),
        ("path-outside", "data./x", 'data = {"/x" = ["a/one"]}'),
        ("path-outside", "data.x/", 'data = {"x/" = ["a/one"]}'),
        ("path-outside", "data.C:/x", 'data = {"C:/x" = ["a/one"]}'),
        ("glob-invalid", "sdist-include", 'sdist-include = ["a//b"]'),
        ("glob-invalid", "wheel-exclude", 'wheel-exclude = ["a**"]'),
        ("path-outside", "sdist-exclude", 'sdist-exclude = ["../a"]'),
        ("wrong-type", "data", "data = []"),
        ("wrong-type", "data.x", 'data = {x = "a"}'),
        ("wrong-type", "scripts", "scripts = [1]"),
        ("wrong-type", "headers", 'headers = ["a\\u0000b"]'),
        ("target-twice", "scripts", 'scripts = ["a/one", "b/one"]'),
        ("target-twice", "sboms", 'sboms = ["*/one"]'),
        ("target-twice", "data", 'data = {x = ["a/one", "b/one"]}'),
        ("script-twice", "scripts", 'scripts = ["a/command"]'),
        ("key-unknown", "script", "script = []"),
    ],
)
def test_each_fault_has_its_place(
    code: str, place: str, text: str, project: Project, out: str, tmp_path: Path
) -> None:
    root = project(
        f'scripts.command = "spam_eggs:main"\n{SETTINGS}{text}\n',
        {"spam_eggs.py": "", "a/one": "", "b/one": "", "a/command": ""},
    )
    (tmp_path / "secret").touch()
    (root / "link").symlink_to(tmp_path / "secret")
    assert [(one.code, one.place) for one in fault_of(out).faults] == [(code, f"tool.accord.build.{place}")]


def test_too_many_patterns(project: Project, out: str) -> None:
    project(f"{SETTINGS}sdist-exclude = {['x'] * 1000}\n")
    assert accord_backend.build_wheel(out)
    project(f"{SETTINGS}sdist-exclude = {['x'] * 1001}\n", name="more")
    assert [fault.code for fault in fault_of(out).faults] == ["glob-invalid"]


@pytest.mark.parametrize(
    ("key", "meant"),
    [("module", "modules"), ("sdist_include", "sdist-include"), ("wheel-excludes", "wheel-exclude")],
)
def test_a_key_that_is_nearly_right(key: str, meant: str, project: Project, out: str) -> None:
    project(f"{SETTINGS}{key} = []\n")
    assert f"did you mean {meant!r}?" in str(fault_of(out))


@pytest.mark.parametrize(
    ("text", "lost"),
    [
        ('sdist-exclude = ["spam_eggs/data.txt"]', "spam_eggs/data.txt"),
        ('sdist-exclude = ["spam_eggs"]', "spam_eggs/__init__.py"),
        ('sdist-exclude = ["LICENSE"]', "LICENSE"),
        ('sdist-exclude = ["*.toml"]', "pyproject.toml"),
        ('scripts = ["tool"]\nsdist-exclude = ["tool"]', "tool"),
    ],
)
def test_an_sdist_that_would_build_another_wheel_is_refused(
    text: str, lost: str, project: Project, out: str
) -> None:
    project(
        f'readme = "README.md"\n{SETTINGS}{text}\n',
        {"spam_eggs/__init__.py": "", "spam_eggs/data.txt": "", "LICENSE": "", "README.md": "", "tool": ""},
    )
    fault = fault_of(out, "build_sdist")
    assert fault.code == "sdist-incomplete" and lost in fault.message and not os.listdir(out)


def test_an_sdist_in_which_other_modules_are_found_is_refused(project: Project, out: str) -> None:
    project(
        f'{SETTINGS}sdist-exclude = ["src"]\nsdist-include = ["ham.py"]\n', {"src/x.py": "", "ham.py": ""}
    )
    assert fault_of(out, "build_sdist").code == "sdist-incomplete"


def test_an_sdist_whose_wheel_would_hold_more_is_refused(project: Project, out: str) -> None:
    from accord_backend import project as projects
    from accord_backend import sdist

    project("", {"src/spam_eggs/__init__.py": ""})
    tree = projects.read(".")
    paths = ["pyproject.toml", "src/spam_eggs/__init__.py"]
    sdist._same_wheel(tree, paths)
    with pytest.raises(BackendError) as caught:
        sdist._same_wheel(tree, [*paths, "src/more.py"])
    assert caught.value.code == "sdist-incomplete" and "add src/more.py" in caught.value.message


def test_what_the_wheel_leaves_out_the_sdist_may_leave_out_too(project: Project, out: str) -> None:
    text = 'sdist-exclude = ["**/tests"]\nwheel-exclude = ["**/tests"]\n'
    project(SETTINGS + text, {"spam_eggs/__init__.py": "", "spam_eggs/tests/a.py": ""})
    assert [name for name in sdist_of(out) if "spam_eggs" in name] == ["spam_eggs/__init__.py"]


def test_a_pattern_of_the_sdist_that_matches_nothing(project: Project, out: str) -> None:
    project(SETTINGS + 'sdist-include = ["NEWS.md"]\n', {"spam_eggs.py": "", "CHANGELOG.md": ""})
    assert accord_backend.build_wheel(out)
    assert fault_of(out, "build_sdist").code == "pattern-empty"


@pytest.mark.parametrize("name", ["line\nbreak", "back\\slash", "tab\t", "\udcff"])
def test_names_that_no_wheel_should_hold(name: str, project: Project, out: str) -> None:
    root = project()
    (root / "spam_eggs" / name).touch()
    assert fault_of(out).code == "file-name-unusable"
    assert not os.listdir(out)


@pytest.mark.parametrize(
    "name", ["with blank", "co:lon?", "com,ma", 'é"'.strip('"'), "x" * 200, "ünï/" + "y" * 150]
)
def test_names_that_are_unusual_and_right(
    name: str, project: Project, out: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project("", {"spam_eggs/__init__.py": "", f"spam_eggs/{name}": "content"})
    direct = wheel_of(out)
    assert direct[f"spam_eggs/{name}"] == b"content"
    with open_wheel(os.path.join(out, "spam_eggs-1.0-py3-none-any.whl")) as wheel:
        assert f"spam_eggs/{name}" in wheel.rows
    assert f"spam_eggs/{name}" in sdist_of(out)
    with tarfile.open(Path(out, "spam_eggs-1.0.tar.gz")) as archive:
        archive.extractall(tmp_path / "unpacked", filter="data")
    monkeypatch.chdir(tmp_path / "unpacked" / "spam_eggs-1.0")
    assert wheel_of(out) == direct


def test_one_name_from_two_places(project: Project, out: str) -> None:
    """A module that would lie where the wheel keeps its own description."""
    text = 'license-files = ["LICENSE"]\n' + SETTINGS + 'modules = ["spam_eggs"]\n'
    project(text, {"spam_eggs.py": "", "LICENSE": ""})
    from accord_backend import project as projects
    from accord_backend import wheel

    tree = projects.read(".")
    tree.data = [("LICENSE", "x"), ("spam_eggs.py", "x")]
    with pytest.raises(BackendError) as caught:
        wheel.build(tree, out)
    assert caught.value.code == "target-twice" and not os.listdir(out)
