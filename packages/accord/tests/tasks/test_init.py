"""What accord init makes, and what it leaves alone."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path

import pytest

from accord.tasks.init import (
    BACKENDS,
    LICENCES,
    Author,
    author_of_git,
    init_project,
    init_script,
    parse_author,
)
from accord_core.errors import DocumentError, UsageError
from accord_core.project.pyproject import read_pyproject
from accord_core.project.scripts import read_script

KINDS = ["app", "lib", "package", "extension"]
BACKEND = Path(__file__).parents[3] / "accord-backend" / "src"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("bare", [True, False])
def test_what_is_made_is_a_valid_project(tmp_path: Path, kind: str, bare: bool) -> None:
    outcome = init_project(
        str(tmp_path / "my shop"),
        name=None,
        kind=kind,
        python="3.11",
        description='say "hi" \\ äß',
        bare=bare,
    )
    path = tmp_path / "my shop" / "pyproject.toml"
    project = read_pyproject(path.read_text(), str(path))
    assert outcome.name == project.name == "my-shop"
    data = tomllib.loads(path.read_text())
    assert data["project"]["description"] == 'say "hi" \\ äß'
    assert ("build-system" in data) is (kind != "app")
    assert (len(outcome.written) == 1) is bare
    assert ("readme" in data["project"]) is not bare


def test_an_application_runs_as_it_is(tmp_path: Path) -> None:
    init_project(str(tmp_path / "shop"), name=None, kind="app", python="3.11")
    done = subprocess.run(
        [sys.executable, tmp_path / "shop" / "main.py"], capture_output=True, text=True, check=True
    )
    assert done.stdout == "Hello from shop!\n"


def test_a_library_can_be_imported(tmp_path: Path) -> None:
    init_project(str(tmp_path), name="My.Lib", kind="lib", python="3.11")
    program = "import my_lib; print(my_lib.hello())"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=tmp_path / "src"
    )
    assert done.stdout == "Hello from My.Lib!\n"


@pytest.mark.parametrize("backend", list(BACKENDS))
def test_every_backend_is_a_requirement_and_a_module(tmp_path: Path, backend: str) -> None:
    init_project(str(tmp_path), name="x", kind="lib", python="3.11", backend=backend)
    table = tomllib.loads((tmp_path / "pyproject.toml").read_text())["build-system"]
    assert table == {"requires": [BACKENDS[backend][0]], "build-backend": BACKENDS[backend][1]}


def test_files_that_are_there_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("mine")
    outcome = init_project(str(tmp_path), name="x", kind="app", python="3.11")
    assert (tmp_path / "README.md").read_text() == "mine"
    assert str(tmp_path / "README.md") not in outcome.written


def test_a_project_is_not_made_twice(tmp_path: Path) -> None:
    init_project(str(tmp_path), name="x", kind="app", python="3.11")
    before = (tmp_path / "pyproject.toml").read_text()
    with pytest.raises(UsageError) as caught:
        init_project(str(tmp_path), name="y", kind="lib", python="3.11")
    assert caught.value.code == "project-exists"
    assert (tmp_path / "pyproject.toml").read_text() == before


@pytest.mark.parametrize("name", ["-x", "a b", "é", ""])
def test_a_name_that_is_none_is_refused_before_anything_is_made(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "new"
    if not name:
        assert init_project(str(tmp_path / "..."), name=name, kind="app", python="3.11").name == "project"
        return
    with pytest.raises(UsageError) as caught:
        init_project(str(folder), name=name, kind="app", python="3.11")
    assert caught.value.code == "name-invalid"
    assert not folder.exists()


def test_a_package_name_begins_with_no_digit(tmp_path: Path) -> None:
    init_project(str(tmp_path), name="2048", kind="lib", python="3.11")
    assert (tmp_path / "src" / "_2048" / "__init__.py").exists()


def test_a_new_script_has_a_block_and_runs(tmp_path: Path) -> None:
    path = tmp_path / "clean.py"
    init_script(str(path), python="3.11")
    script = read_script(path.read_text(), str(path))
    assert script is not None
    assert (script.requires_python, script.dependencies) == (">=3.11", ())
    done = subprocess.run([sys.executable, path], capture_output=True, text=True, check=True)
    assert done.stdout == "Hello from clean.py!\n"


def test_a_script_that_is_there_gets_the_block_below_its_first_line(tmp_path: Path) -> None:
    path = tmp_path / "old.py"
    path.write_text("#!/usr/bin/env python3\nprint(1)\n")
    init_script(str(path), python="3.11")
    assert path.read_text().startswith("#!/usr/bin/env python3\n# /// script\n")
    assert read_script(path.read_text(), "old.py") is not None
    with pytest.raises(UsageError) as caught:
        init_script(str(path), python="3.11")
    assert caught.value.code == "project-exists"


def test_a_script_in_another_encoding_keeps_it(tmp_path: Path) -> None:
    path = tmp_path / "old.py"
    path.write_bytes("# coding: latin-1\r\nprint('é')\r\n".encode("latin-1"))
    path.chmod(0o750)
    init_script(str(path), python="3.11")
    assert path.read_bytes().startswith(b"# coding: latin-1\r\n# /// script\r\n")
    assert path.read_bytes().endswith("print('é')\r\n".encode("latin-1"))
    assert path.stat().st_mode & 0o777 == 0o750
    done = subprocess.run([sys.executable, path], capture_output=True, check=True)
    assert done.stdout
    path.write_bytes("print('é')\n".encode("latin-1"))
    with pytest.raises(DocumentError) as caught:
        init_script(str(path), python="3.11")
    assert caught.value.code == "document-not-utf8"


def build(folder: Path, hook: str) -> str:
    """What the repository's own backend makes of the project: the file's name."""
    (folder / "dist").mkdir(exist_ok=True)
    program = f"import accord_backend; print(accord_backend.{hook}('dist'))"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        env={"PYTHONPATH": str(BACKEND)},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


@pytest.mark.parametrize("kind", ["lib", "package"])
@pytest.mark.parametrize("name", ["spam", "My.Odd--Name", "2048"])
def test_what_is_to_be_built_is_built_by_our_backend(tmp_path: Path, kind: str, name: str) -> None:
    folder = tmp_path / "project"
    init_project(str(folder), name=name, kind=kind, python="3.11", authors=(Author("Ann 7", "a@b.example"),))
    for hook in ("build_sdist", "build_wheel"):
        assert (folder / "dist" / build(folder, hook)).exists()


@pytest.mark.parametrize("kind", ["lib", "package"])
@pytest.mark.parametrize("name", ["spam", "2048"])
def test_a_project_passes_its_own_tests(tmp_path: Path, kind: str, name: str) -> None:
    init_project(str(tmp_path), name=name, kind=kind, python="3.11")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout


@pytest.mark.skipif(shutil.which("gcc") is None, reason="there is no gcc here")
def test_the_extension_module_compiles_without_a_warning_and_passes_its_tests(tmp_path: Path) -> None:
    init_project(str(tmp_path), name="spam", kind="extension", python="3.11")
    (source,) = (tmp_path / "src" / "spam").glob("*.c")
    target = source.with_name(source.stem + sysconfig.get_config_var("EXT_SUFFIX"))
    warnings = ["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-Wno-missing-field-initializers"]
    include = f"-I{sysconfig.get_path('include')}"
    subprocess.run(
        ["gcc", "-std=c11", *warnings, "-shared", "-fPIC", include, "-o", target, source], check=True
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "2 passed" in done.stdout
    program = "import spam._spam as it; print(it.__doc__, it.add.__text_signature__)"
    said = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": str(tmp_path / "src")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout == "The part of spam that is written in C. ($module, a, b, /)\n"


def test_an_extension_is_described_and_its_files_are_named_by_the_description(tmp_path: Path) -> None:
    init_project(str(tmp_path), name="spam", kind="extension", python="3.11")
    (table,) = tomllib.loads((tmp_path / "pyproject.toml").read_text())["tool"]["accord"]["extension"]
    assert table["name"] == "spam._spam"
    assert all((tmp_path / source).is_file() for source in table["sources"])
    with pytest.raises(UsageError) as caught:
        init_project(str(tmp_path / "x"), name="spam", kind="extension", python="3.11", backend="flit")
    assert caught.value.code == "backend-no-extension"


@pytest.mark.network
@pytest.mark.slow
@pytest.mark.parametrize("name", ["spam", "2048"])
@pytest.mark.parametrize("backend", [backend for backend in BACKENDS if backend != "accord"])
def test_the_other_backends_build_it_too(tmp_path: Path, backend: str, name: str) -> None:
    init_project(str(tmp_path), name=name, kind="lib", python="3.11", backend=backend)
    done = subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--no-deps", "-q", "-w", "out", "."],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert [path.name for path in (tmp_path / "out").iterdir()] == [f"{name}-0.1.0-py3-none-any.whl"]


@pytest.mark.parametrize("licence", LICENCES)
def test_a_licence_is_an_expression_and_its_text(tmp_path: Path, licence: str) -> None:
    authors = (Author("Ann {holder} B", "a@b.example"), Author("", "c@d.example"))
    init_project(str(tmp_path), name="spam", kind="package", python="3.11", licence=licence, authors=authors)
    table = tomllib.loads((tmp_path / "pyproject.toml").read_text())["project"]
    assert (table["license"], table["license-files"]) == (licence, ["LICENSE"])
    text = (tmp_path / "LICENSE").read_text()
    assert "{year}" not in text and len(text) > 1000
    if licence in ("MIT", "BSD-3-Clause"):
        assert "Ann {holder} B, c@d.example" in text
    assert build(tmp_path, "build_wheel")


@pytest.mark.parametrize(
    ("kind", "licence"), [("lib", "MIT"), ("extension", "MIT"), ("package", None), ("app", None)]
)
def test_what_others_build_on_has_a_licence_unless_told_otherwise(
    tmp_path: Path, kind: str, licence: str | None
) -> None:
    assert init_project(str(tmp_path / "a"), name="x", kind=kind, python="3.11").licence == licence
    assert (
        init_project(str(tmp_path / "b"), name="x", kind=kind, python="3.11", licence="none").licence is None
    )
    assert not (tmp_path / "b" / "LICENSE").exists()


def test_what_is_kept_at_home_says_that_it_is_typed_if_it_is(tmp_path: Path) -> None:
    private = "Private :: Do Not Upload"
    for bare, classifiers in ((False, [private, "Typing :: Typed"]), (True, [private])):
        folder = tmp_path / str(bare)
        init_project(str(folder), name="spam", kind="package", python="3.11", bare=bare)
        assert tomllib.loads((folder / "pyproject.toml").read_text())["project"]["classifiers"] == classifiers
        assert (folder / "src" / "spam" / "py.typed").exists() is not bare


@pytest.mark.parametrize("name", ["email", "Class", "import", "json", "tests", "con", "COM1"])
def test_a_module_name_that_means_something_else_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError) as caught:
        init_project(str(tmp_path / "x"), name=name, kind="lib", python="3.11")
    assert caught.value.code == "name-shadows"
    assert not (tmp_path / "x").exists()
    assert init_project(str(tmp_path / "x"), name=name, kind="app", python="3.11").written


@pytest.mark.parametrize("python", ["", "3.x", '3"', "3.11\n", "٣", "3."])
def test_a_version_of_python_that_is_none_gets_into_no_file(tmp_path: Path, python: str) -> None:
    with pytest.raises(UsageError) as caught:
        init_project(str(tmp_path / "x"), name="x", kind="lib", python=python)
    assert caught.value.code == "python-version-invalid"
    with pytest.raises(UsageError):
        init_script(str(tmp_path / "x.py"), python=python)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "author"),
    [
        ("Ann B <a@b.example>", Author("Ann B", "a@b.example")),
        ("Ann", Author("Ann")),
        ("a@b.example", Author("", "a@b.example")),
        (" Ann \t B< a@b.example >", Author("Ann B", "a@b.example")),
        ("", None),
        ("A, B <a@b.example>", None),
        ("Ann <nowhere>", None),
        ("Ann <a@b.example, c@d.example>", None),
        ("Ann <a b@c.example>", None),
    ],
)
def test_an_author_is_a_name_a_mail_or_both(text: str, author: Author | None) -> None:
    if author is not None:
        assert parse_author(text) == author
        return
    with pytest.raises(UsageError) as caught:
        parse_author(text)
    assert caught.value.code == "author-invalid"


def git_world(tmp_path: Path, text: str) -> dict[str, str]:
    """The variables of a git that knows this configuration and no other."""
    (tmp_path / "gitconfig").write_text(text)
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "GIT_CONFIG_GLOBAL": str(tmp_path / "gitconfig"),
        "GIT_CONFIG_SYSTEM": os.devnull,
    }


@pytest.mark.parametrize(
    ("text", "author"),
    [
        ("[user]\nname = Ann  B\nemail = a@b.example\n", Author("Ann B", "a@b.example")),
        ("[user]\nname = Ann\nemail = root@localhost\n", Author("Ann")),
        ('[user]\nname = A, \\"B\\"\n', Author('A "B"')),
        ("[user]\nemail = a@b.example\n", None),
        ("", None),
        ("[broken", None),
    ],
)
def test_gits_author_is_taken_as_far_as_metadata_can_hold_it(
    tmp_path: Path, text: str, author: Author | None
) -> None:
    assert author_of_git(str(tmp_path / "new"), git_world(tmp_path, text)) == author


def test_without_git_there_is_no_author(tmp_path: Path) -> None:
    assert author_of_git(str(tmp_path), {"PATH": ""}) is None


def test_a_repository_is_made_when_asked_and_only_outside_of_one(tmp_path: Path) -> None:
    environ = git_world(tmp_path, "")
    made = init_project(str(tmp_path / "a"), name="a", kind="app", python="3.11", vcs="git", environ=environ)
    assert made.repository and (tmp_path / "a" / ".git").is_dir()
    inner = init_project(
        str(tmp_path / "a" / "b"), name="b", kind="app", python="3.11", vcs="git", environ=environ
    )
    assert not inner.repository and not (tmp_path / "a" / "b" / ".git").exists()
    plain = init_project(str(tmp_path / "c"), name="c", kind="app", python="3.11", environ=environ)
    assert (tmp_path / "c" / ".gitignore").exists() and not (tmp_path / "c" / ".git").exists()
    assert not plain.repository
    init_project(str(tmp_path / "d"), name="d", kind="app", python="3.11", vcs="none", environ=environ)
    assert not (tmp_path / "d" / ".gitignore").exists()
    with pytest.raises(UsageError) as caught:
        init_project(
            str(tmp_path / "e"), name="e", kind="app", python="3.11", vcs="git", environ={"PATH": ""}
        )
    assert caught.value.code == "repository-not-made"


def test_a_description_is_one_line(tmp_path: Path) -> None:
    init_project(str(tmp_path), name="x", kind="lib", python="3.11", description="a\nb\t c")
    assert tomllib.loads((tmp_path / "pyproject.toml").read_text())["project"]["description"] == "a b c"


@pytest.mark.parametrize("kind", KINDS)
def test_every_file_that_is_there_is_left_alone(tmp_path: Path, kind: str) -> None:
    names = [
        os.path.relpath(path, tmp_path / "a")
        for path in init_project(
            str(tmp_path / "a"), name="spam", kind=kind, python="3.11", licence="MIT"
        ).written
    ]
    for name in names:
        if name != "pyproject.toml":
            path = tmp_path / "b" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("mine")
    again = init_project(str(tmp_path / "b"), name="spam", kind=kind, python="3.11", licence="MIT")
    assert again.written == (str(tmp_path / "b" / "pyproject.toml"),)
    assert all((tmp_path / "b" / name).read_text() == "mine" for name in names if name != "pyproject.toml")
