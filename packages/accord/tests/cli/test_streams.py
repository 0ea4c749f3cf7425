"""Standard streams that are closed, full, or in an encoding of few letters: one line and a status, never a traceback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

LOCK = """\
lock-version = "1.0"
created-by = "test"
[[packages]]
name = "alpha"
version = "1.0"
dependencies = [{ name = "beta" }]
directory = { path = "alpha" }
[[packages]]
name = "beta"
version = "1.0"
directory = { path = "beta" }
"""


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """Standard devices by other names: a bug of ours must not put a file in their place."""
    (tmp_path / "pylock.toml").write_text(LOCK)
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "é"\nversion = "1"\n'.replace("é", "shop"))
    (tmp_path / "full").symlink_to("/dev/full")
    return tmp_path


def run(here: Path, line: str, **environ: str) -> subprocess.CompletedProcess[bytes]:
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "LC_", "LANG"))
    }
    kept |= {"ACCORD_CACHE_DIR": str(here / "cache"), "PATH": os.environ["PATH"], **environ}
    command = line.replace("accord", f"{sys.executable} -m accord", 1)
    return subprocess.run(
        ["bash", "-c", command], cwd=here, env=kept, capture_output=True, check=False, timeout=60
    )


@pytest.mark.parametrize("to", [">&-", "> full"])
@pytest.mark.parametrize(
    "words", ["--version", "tree", "tree --json", "--help", "python list", "lock --help"]
)
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_result_that_cannot_be_written(here: Path, words: str, to: str, unbuffered: str) -> None:
    done = run(here, f"accord {words} {to}", PYTHONUNBUFFERED=unbuffered)
    assert done.returncode == 1
    assert b"Traceback" not in done.stderr
    assert b"Exception ignored" not in done.stderr
    assert done.stderr.startswith(b"error")
    if not unbuffered:
        assert done.stderr.count(b"\n") == 1
    assert sorted(os.listdir(here)) in (
        ["full", "pylock.toml", "pyproject.toml"],
        ["cache", "full", "pylock.toml", "pyproject.toml"],
    )


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("accord tree 2>&-", 0),
        ("accord tree <&-", 0),
        ("accord tree <&- 2>&-", 0),
        ("accord nonsense 2>&-", 2),
        ("accord tree >&- 2>&-", 1),
        ("accord pip compile - <&-", 2),
    ],
)
def test_streams_that_nobody_opened(here: Path, line: str, status: int) -> None:
    done = run(here, line)
    assert (done.returncode, b"Traceback" in done.stderr) == (status, False), done.stderr


@pytest.mark.parametrize(
    "environ",
    [
        {"PYTHONIOENCODING": "ascii"},
        {"PYTHONIOENCODING": "latin-1"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    ],
)
def test_a_tree_in_few_letters(here: Path, environ: dict[str, str]) -> None:
    done = run(here, "accord tree --lock pylock.toml", **environ)
    assert done.returncode == 0, done.stderr
    assert done.stdout.decode("ascii").splitlines() == ["alpha 1.0", "`-- beta 1.0"]


def test_letters_that_are_not_there(here: Path) -> None:
    (here / "é").mkdir()
    text = run(here, "accord cache dir --cache-dir é", PYTHONIOENCODING="ascii")
    assert text.stdout.endswith(b"\\xe9\n"), text
    record = run(here, "accord cache dir --json --cache-dir é", PYTHONIOENCODING="ascii")
    assert "é" in str(json.loads(record.stdout))


def test_a_path_that_is_no_utf8_is_written_as_it_is(here: Path) -> None:
    done = run(here, "accord cache dir --cache-dir $'x\\xe9'", PYTHONUTF8="1")
    assert done.stdout.endswith(b"x\xe9\n"), done
