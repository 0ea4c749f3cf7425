"""Editable installs, as installers make them: importable from the source, understood by tools, gone when removed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

import accord_backend
from accord_backend.errors import BackendError

Project = Callable[..., Path]
BACKEND = os.path.dirname(accord_backend.__file__)
HEAD = """\
[build-system]
requires = []
build-backend = "accord_backend"
backend-path = ["backend"]

[project]
name = "acme-spam"
version = "1.0"
requires-python = ">=3.8"

[project.scripts]
acme = "acme.spam:main"

[tool.accord.build]
scripts = ["bin/tool"]
data = {"share/acme" = ["x.txt"]}
"""
TREE = {
    "src/acme/spam/__init__.py": "def main() -> None:\n    print('first')\n",
    "src/acme/spam/py.typed": "",
    "bin/tool": "#!/usr/bin/env python3\nimport acme.spam\nacme.spam.main()\n",
    "x.txt": "x",
}


def pth(out: str) -> tuple[str, bytes]:
    with zipfile.ZipFile(Path(out, accord_backend.build_editable(out))) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".pth"))
        return name, archive.read(name)


@pytest.mark.parametrize(
    ("files", "below"),
    [
        ({"src/spam_eggs/__init__.py": ""}, "src"),
        ({"src/acme/spam/__init__.py": ""}, "src"),
        ({"spam_eggs/__init__.py": "", "tests/a.py": ""}, ""),
        ({"spam_eggs.py": ""}, ""),
    ],
)
def test_one_line_names_the_folder_of_the_modules(
    files: dict[str, str], below: str, project: Project, out: str
) -> None:
    root = project("", files)
    assert pth(out) == ("_editable_spam_eggs.pth", os.fsencode(f"{root.resolve() / below}\n"))


def test_a_project_without_modules_has_no_pth(project: Project, out: str) -> None:
    project("[tool.accord.build]\nmodules = []\n", {})
    with zipfile.ZipFile(Path(out, accord_backend.build_editable(out))) as archive:
        assert all(".dist-info/" in name for name in archive.namelist())


@pytest.mark.parametrize("name", ["line\nbreak", "ends with a blank "])
def test_a_folder_that_a_pth_file_cannot_say(name: str, project: Project, out: str) -> None:
    project(name=name)
    with pytest.raises(BackendError) as caught:
        accord_backend.build_editable(out)
    assert caught.value.code == "path-unusable"


def test_a_folder_of_any_other_name(project: Project, out: str) -> None:
    site = Path(out, "site")
    project(name="import ünïcode # and blanks")
    with zipfile.ZipFile(Path(out, accord_backend.build_editable(out))) as archive:
        archive.extractall(site)
    script = "import site, sys; site.addsitedir(sys.argv[1]); import spam_eggs; print(spam_eggs.value)"
    done = subprocess.run(
        [sys.executable, "-I", "-c", script, str(site)], capture_output=True, text=True, check=True, cwd=out
    )
    assert done.stdout == "1\n"


INSTALLERS: dict[str, list[list[str]]] = {
    "pip": [["{python}", "-m", "pip", "--python", "{env}", "install", "-e", "{root}"]],
    "uv": [["uv", "pip", "install", "--python", "{env}", "-e", "{root}"]],
    "accord": [["{bin}/accord", "sync", "--project", "{root}"]],
}
REMOVERS = {
    "pip": ["{python}", "-m", "pip", "--python", "{env}", "uninstall", "-y", "acme-spam"],
    "uv": ["uv", "pip", "uninstall", "--python", "{env}", "acme-spam"],
    "accord": ["{bin}/accord", "pip", "uninstall", "--env", "{env}", "acme-spam"],
}


@pytest.mark.slow
@pytest.mark.parametrize("installer", INSTALLERS)
def test_it_is_installed_and_removed(installer: str, project: Project, tmp_path: Path) -> None:
    if installer == "uv" and shutil.which("uv") is None:
        pytest.skip("no uv here")
    root = project(whole=HEAD, files=TREE)
    shutil.copytree(BACKEND, root / "backend/accord_backend", ignore=shutil.ignore_patterns("__pycache__"))
    env = root / ".venv"
    if installer != "accord":
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(env)], check=True)
    names = {
        "python": sys.executable,
        "env": str(env),
        "root": str(root),
        "bin": str(Path(sys.executable).parent),
    }
    quiet = {**os.environ, "PIP_NO_INDEX": "1", "UV_NO_INDEX": "1", "UV_CACHE_DIR": str(tmp_path / "uv"), "ACCORD_CACHE_DIR": str(tmp_path / "cache")}  # fmt: skip

    def run(command: list[str]) -> str:
        words = [word.format(**names) for word in command]
        done = subprocess.run(words, capture_output=True, text=True, check=False, env=quiet, cwd=root)
        assert not done.returncode, done.stderr
        return done.stdout

    for command in INSTALLERS[installer]:
        run(command)
    for tool in ("acme", "tool"):
        assert run([f"{env}/bin/{tool}"]) == "first\n"
    (root / "src/acme/spam/__init__.py").write_text("def main() -> None:\n    print('a second time')\n")
    assert run([f"{env}/bin/acme"]) == "a second time\n"
    assert (env / "share/acme/x.txt").read_text() == "x"
    (tmp_path / "use.py").write_text("from acme.spam import main\n\nmain(1)\n")
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--python-executable", f"{env}/bin/python", "--cache-dir", os.devnull, "use.py"],
        capture_output=True, text=True, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert "Too many arguments" in checked.stdout, "a type checker finds it by the .pth file"
    run(REMOVERS[installer])
    left = [
        path for path in env.rglob("*") if (path.is_file() and "acme" in path.name) or path.name == "tool"
    ]
    assert [path for path in left if ".accord" not in path.parts] == []
    assert (root / "src/acme/spam/__init__.py").exists(), "the source stays"
