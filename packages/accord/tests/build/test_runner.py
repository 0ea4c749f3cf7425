"""The program that calls hooks runs on every Python that is managed: it is held to what the oldest can read."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from importlib.util import MAGIC_NUMBER
from pathlib import Path

import pytest

import accord.build
from accord.build import hooks
from accord.build.frontend import Builder, BuildOptions
from accord.environments import interpreters
from accord.testing.builds import BareEnvironments, Tree, write_project
from accord_core.errors import InstallError

RUNNER = Path(os.path.dirname(accord.build.__file__)) / "_runner.py"


def test_the_oldest_python_can_read_it() -> None:
    ast.parse(RUNNER.read_text(encoding="utf-8"), feature_version=(3, 8))


def test_it_needs_nothing_but_the_standard_library() -> None:
    tree = ast.parse(RUNNER.read_text(encoding="utf-8"))
    modules = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert modules == {"atexit", "json", "marshal", "os", "resource", "select", "sys", "traceback"}


@pytest.mark.parametrize("version", ["3.8", "3.13"])
def test_it_runs_there(version: str, tmp_path: Path) -> None:
    try:
        python = interpreters.find(version, cache_dir=str(tmp_path / "cache"))
    except InstallError:
        pytest.skip(f"there is no Python {version} here")
    builder = Builder(
        str(tmp_path / "cache"), BareEnvironments(), python, environ=dict(os.environ), options=BuildOptions()
    )
    built = builder.wheel(Tree(write_project(str(tmp_path / "demo"))), str(tmp_path / "out"))
    assert built.path.endswith("demo-1.0-py3-none-any.whl")


def test_an_interpreter_with_our_number_gets_it_compiled_and_any_other_as_it_is_written(
    tmp_path: Path,
) -> None:
    own = MAGIC_NUMBER.hex()
    name, compiled = hooks._runner(own)
    assert name == "run.pyc"
    path = tmp_path / name
    path.write_bytes(compiled)
    done = subprocess.run([sys.executable, path], capture_output=True, text=True, check=False)
    assert "IndexError" in done.stderr and "_runner.py" in done.stderr, "it wants to know where to look"
    for other in ("", "00000000"):
        assert hooks._runner(other) == ("run.py", RUNNER.read_bytes())


def test_what_one_hook_does_to_its_process_does_not_reach_the_next(tmp_path: Path) -> None:
    """PEP 517 wants a process for each; a fork is one."""
    backend = (
        "\nimport os\nCHANGED = []\ndef get_requires_for_build_wheel(settings=None):\n"
        "    CHANGED.append(1); os.environ['CHANGED'] = '1'; os.chdir('/')\n    return []\n"
        "_wheel = build_wheel\ndef build_wheel(*arguments):\n"
        "    assert not CHANGED and 'CHANGED' not in os.environ and os.path.exists('pyproject.toml')\n"
        "    return _wheel(*arguments)\n"
    )
    python = interpreters.find(None, cache_dir=str(tmp_path / "cache"))
    builder = Builder(
        str(tmp_path / "cache"), BareEnvironments(), python, environ=dict(os.environ), options=BuildOptions()
    )
    builder.wheel(Tree(write_project(str(tmp_path / "demo"), backend)), str(tmp_path / "out"))
