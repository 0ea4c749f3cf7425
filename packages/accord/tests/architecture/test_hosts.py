"""No registry's host name and no path of a build machine stands in a tracked file."""

from __future__ import annotations

import runpy
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

REGISTRY = "ipyp"[::-1] + ".org"


@pytest.fixture(scope="session")
def finds(root: Path) -> Callable[[str], list[str]]:
    found: Callable[[str], list[str]] = runpy.run_path(str(root / ".ci" / "hosts.py"))["finds"]
    return found


def test_the_tree_is_clean(root: Path, finds: Callable[[str], list[str]]) -> None:
    if not (root / ".git").exists():
        pytest.skip("not a git checkout")
    assert finds(str(root)) == []


@pytest.mark.parametrize(
    "text",
    [
        f"index = https://{REGISTRY}/simple/",
        f"see test.{REGISTRY.upper()}.",
        "files." + "detsohnohtyp"[::-1] + ".org",
        "cd /" + "work/main",
        "/root" + "/.pyenv/versions",
        "/home" + "/alice/src",
    ],
)
def test_a_planted_name_is_found(text: str, tmp_path: Path, finds: Callable[[str], list[str]]) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / "page.md").write_text(f"fine\n{text}\n")
    assert [line.rpartition(": ")[0] for line in finds(str(tmp_path))] == ["page.md:2"]


@pytest.mark.parametrize(
    "text",
    [
        "https://index.example/simple",
        f"{REGISTRY}anised",
        "/root/.cache/accord",
        "/".join(("a", "work", "b")),
    ],
)
def test_what_is_none_is_left_alone(text: str, tmp_path: Path, finds: Callable[[str], list[str]]) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / "page.md").write_text(text)
    assert finds(str(tmp_path)) == []
