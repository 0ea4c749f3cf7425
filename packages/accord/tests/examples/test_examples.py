"""The examples do what their pages say, on real packages from the configured index."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.network, pytest.mark.slow]
EXAMPLES = Path(__file__).parents[4] / "examples"
PATIENCE = 300


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cold cache for all of them: the first pays, as a person's first command does."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    project = tmp_path / "notes-web"
    shutil.copytree(EXAMPLES / "notes-web", project, ignore=shutil.ignore_patterns(".venv", "pylock.toml"))
    return project


def accord(cache: Path, cwd: Path, *words: str) -> subprocess.CompletedProcess[str]:
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COVERAGE_"))
    }
    return subprocess.run(
        [sys.executable, "-m", "accord", *words],
        capture_output=True,
        text=True,
        cwd=cwd,
        env={**kept, "ACCORD_CACHE_DIR": str(cache)},
        stdin=subprocess.DEVNULL,
        timeout=PATIENCE,
        check=False,
    )


@pytest.fixture(scope="session")
def toured(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """The steps of one tour; it cleans up, and works on copies."""
    here = tmp_path_factory.mktemp("toured")
    done = accord(cache, here, "tour", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert list(here.iterdir()) == [], "it cleans up"
    assert not (EXAMPLES / "notes-web" / ".venv").exists(), "it works on a copy"
    assert 'version = "1.0.0"' in (EXAMPLES / "fast-count" / "pyproject.toml").read_text()
    steps: list[dict[str, Any]] = json.loads(done.stdout)
    return steps


def program_of(step: dict[str, Any]) -> str:
    """``lock`` of ``accord lock``, ``twine`` of ``twine upload``."""
    words = step["command"].removeprefix("accord ").split()
    return str(words[0]) if words else ""


def test_the_tour_does_the_main_job(toured: list[dict[str, Any]]) -> None:
    steps = toured[:9]
    commands = [program_of(step) for step in steps]
    by_command = dict(zip(commands, steps, strict=True))
    assert commands[:3] == ["lock", "sync", "sync"]
    assert "up to date" in steps[2]["output"]
    assert by_command["run"]["output"].startswith("GET / -> 200 OK")
    assert "starlette" in by_command["tree"]["output"]
    assert "+ humanize" in by_command["add"]["output"]
    assert "- humanize" in by_command["undo"]["output"]
    assert "undone" in by_command["history"]["output"]


@pytest.mark.skipif(not shutil.which("cc"), reason="there is no C compiler")
def test_the_tour_builds_a_module_in_c(toured: list[dict[str, Any]]) -> None:
    steps = toured[9:15]
    assert [program_of(step) for step in steps] == ["build", "build", "check", "venv", "pip", "run"]
    assert "fast_count-1.0.0-cp311-abi3-" in steps[1]["output"]
    assert steps[-1]["output"].split()[-1] == "README.md"


@pytest.mark.skipif(not shutil.which("cc"), reason="there is no C compiler")
def test_the_tour_publishes_with_three_clients_and_installs_with_three(toured: list[dict[str, Any]]) -> None:
    """To and from an index it starts: the first thing the index promises."""
    steps = {step["step"]: step for step in toured[15:]}
    commands = [program_of(step) for step in toured[15:]]
    publishing = ["serve", "publish", "build", "twine", "build", "uv"]
    assert commands == ["venv", "pip", "pip", *publishing, "", "pip", "uv", "lock", "sync", "run", ""]
    served = steps["start it, and ask it over HTTP"]["output"]
    assert "GET / -> 200 OK" in served
    assert re.search(r"token +accord_\w{5}\.\.\. ", served), "the token is shortened"
    page = steps["what its page says now"]["output"]
    for version in ("1.0.0", "1.0.1", "1.0.2"):
        assert f"fast_count-{version}.tar.gz" in page
        assert f"fast_count-{version}-cp311-abi3-" in page
    assert "Successfully installed fast-count-1.0.0" in steps["install one with pip"]["output"]
    assert "+ fast-count==1.0.1" in steps["the next with uv"]["output"]
    assert "fast-count 1.0.2" in steps["and make its environment"]["output"]
    assert steps["run what came from the index"]["output"].split()[-1] == "pyproject.toml"


def test_the_tour_of_an_application_that_does_not_start_fails_with_its_words(
    cache: Path, tmp_path: Path, copied: Path
) -> None:
    main = copied / "src" / "notes_web" / "main.py"
    main.write_text(
        main.read_text().replace(
            "def main() -> int:\n", 'def main() -> int:\n    raise SystemExit("no paper")\n'
        )
    )
    done = accord(cache, tmp_path, "tour", str(copied), "--json")
    assert done.returncode == 1
    error = json.loads(done.stdout)["error"]
    assert error["code"] == "tour-failed"
    assert "no paper" in error["context"]


def test_the_application_passes_its_own_tests(cache: Path, copied: Path) -> None:
    synced = accord(cache, copied, "sync")
    assert synced.returncode == 0, synced.stdout + synced.stderr
    tested = accord(cache, copied, "run", "--frozen", "python", "-m", "pytest", "-p", "no:cacheprovider")
    assert tested.returncode == 0, tested.stdout + tested.stderr
    assert " passed" in tested.stdout


def test_the_script_brings_its_own_dependencies(cache: Path, tmp_path: Path) -> None:
    script = shutil.copy(EXAMPLES / "hello-script.py", tmp_path)
    done = accord(cache, tmp_path, "run", str(script))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "11 days, 13 hours, 46 minutes and 40 seconds" in done.stdout
    assert "humanize" in done.stdout


def test_fast_count_builds_reproducibly_and_counts(tmp_path: Path) -> None:
    """The example with a C module: two copies, one wheel, its own tests pass on what is installed."""
    wheels = []
    for name in ("one", "another place"):
        project = tmp_path / name
        shutil.copytree(
            EXAMPLES / "fast-count", project, ignore=shutil.ignore_patterns("build", "*.so", "__pycache__")
        )
        script = "import accord_backend; print(accord_backend.build_wheel('.'))"
        done = subprocess.run(
            [sys.executable, "-c", script], cwd=project, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        wheels.append(project / done.stdout.strip())
    assert wheels[0].read_bytes() == wheels[1].read_bytes()
    with zipfile.ZipFile(wheels[0]) as archive:
        archive.extractall(tmp_path / "site")
    tests = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"]
    environ = {**os.environ, "PYTHONPATH": str(tmp_path / "site")}
    done = subprocess.run(
        tests, cwd=tmp_path / "one", env=environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
