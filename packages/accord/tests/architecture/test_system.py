"""``.ci/system``: what the tests need of the machine is installed, or missed in one line, and CI goes on."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

import accord

SCRIPT = Path(accord.__file__).resolve().parents[4] / ".ci" / "system"

pytestmark = pytest.mark.skipif(not SCRIPT.is_file(), reason="not in a checkout")


def said(path: Path, **programs: str) -> str:
    """What it says on a machine that has bash and ``programs``, shell scripts by name, and no more."""
    path.mkdir()
    for name in ("bash", "sh", "tail"):
        (path / name).symlink_to(shutil.which(name) or name)
    for name, text in programs.items():
        (path / name).write_text(f"#!/bin/sh\n{text}\n")
        (path / name).chmod(0o755)
    ran = subprocess.run(
        [SCRIPT], env={**os.environ, "PATH": str(path)}, capture_output=True, text=True, check=True
    )
    assert ran.stderr == ""
    return ran.stdout


ROOT = {"id": "echo 0"}


def test_what_nobody_can_install_is_named_in_one_line(tmp_path: Path) -> None:
    (line,) = said(tmp_path / "bin", id="echo 1000").splitlines()
    assert "bubblewrap" in line and "gcc" in line and "pkg-config" in line


def test_root_has_it_installed(tmp_path: Path) -> None:
    log = tmp_path / "log"
    (line,) = said(tmp_path / "bin", **ROOT, **{"apt-get": f'echo "$@" >> {log}'}).splitlines()
    assert line.startswith("system: installed ")
    update, install = log.read_text().splitlines()
    assert update.endswith(" update") and "install" in install and "bubblewrap" in install


def test_an_installation_that_fails_is_told_by_its_last_words_and_does_not_end_ci(tmp_path: Path) -> None:
    (line,) = said(
        tmp_path / "bin", **ROOT, **{"apt-get": "echo reading; echo no such package >&2; exit 100"}
    ).splitlines()
    assert line.startswith("system: could not install ") and line.endswith(": no such package")


def test_where_nothing_is_missing_nothing_is_said(tmp_path: Path) -> None:
    compilers = ("gcc", "g++", "pkg-config", "cargo", "rustc")
    names = ("git", "bwrap", "setpriv", "nginx", "chromium", "initdb", *compilers)
    told = said(tmp_path / "bin", **dict.fromkeys(names, ""), id="echo 1000")
    headers = {"/usr/include/stdio.h", "/usr/include/zlib.h"}
    assert (told == "") is all(map(os.path.exists, headers))
