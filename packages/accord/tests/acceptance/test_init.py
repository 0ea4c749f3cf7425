"""From ``accord init`` to a green test run, with this repository's own backend in a find-links folder."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.network, pytest.mark.slow]

BACKEND = Path(__file__).parents[3] / "accord-backend"


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the backend, which is on no index yet."""
    folder = tmp_path_factory.mktemp("wheels")
    program = f"import accord_backend; accord_backend.build_wheel({str(folder)!r})"
    subprocess.run(
        [sys.executable, "-c", program], cwd=BACKEND, env={"PYTHONPATH": str(BACKEND / "src")}, check=True
    )
    return folder


@pytest.mark.parametrize("kind", ["--lib", "--package"])
@pytest.mark.parametrize("name", ["spam", "2048"])
def test_a_new_project_syncs_and_its_tests_pass(tmp_path: Path, wheels: Path, kind: str, name: str) -> None:
    environ = {**os.environ, "ACCORD_CACHE_DIR": str(tmp_path / "cache")}
    environ.pop("VIRTUAL_ENV", None)

    def accord(*words: str, cwd: Path = tmp_path / name) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "accord", *words],
            cwd=cwd,
            env=environ,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    accord("init", kind, name, "--license", "MIT", cwd=tmp_path)
    accord("sync", "--find-links", str(wheels))
    assert "1 passed" in accord("run", "--find-links", str(wheels), "pytest", "-q")
    if kind == "--package":
        assert accord("run", "--no-sync", name) == f"Hello from {name}!\n"


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["--app", "--package", "--lib", "--extension"])
def test_a_new_project_passes_every_check_and_builds(tmp_path: Path, wheels: Path, kind: str) -> None:
    if kind == "--extension" and shutil.which("cc") is None:
        pytest.skip("no C compiler here")
    environ = {**os.environ, "ACCORD_CACHE_DIR": str(tmp_path / "cache")}

    def accord(*words: str) -> dict[str, Any]:
        command = [sys.executable, "-m", "accord", *words, "--json"]
        done = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    accord("init", kind, "spam")
    accord("check", "spam", "--strict")
    if kind != "--app":
        made = accord("build", "spam", "--find-links", str(wheels))["built"][0]["files"]
        assert [one["kind"] for one in made] == ["sdist", "wheel"]
        # A wheel with a compiled module is for this machine until `accord wheel repair` has seen it.
        accord("check", *(one["path"] for one in made if kind != "--extension" or one["kind"] == "sdist"))
