"""What accord init makes, and what it leaves alone."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from typing import TYPE_CHECKING

import pytest

from accord.tasks.init import BACKENDS, init_project, init_script
from accord_core.errors import DocumentError, UsageError
from accord_core.project.pyproject import read_pyproject
from accord_core.project.scripts import read_script

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("kind", ["app", "lib", "package"])
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
