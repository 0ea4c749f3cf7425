"""``accord publish`` in this process, with a home that holds nothing, and an index that is served for the whole module."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from accord.cli.main import main
from accord.testing.serving import Served


@dataclass(frozen=True)
class Ran:
    status: int
    out: str
    err: str


Publish = Callable[..., Ran]


@pytest.fixture
def publish(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Publish:
    """``accord publish …`` in ``tmp_path``."""
    for name in list(os.environ):
        if name.startswith(("ACCORD_", "UV_", "PIP_", "TWINE_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("ACCORD_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.chdir(tmp_path)

    def run(*words: str) -> Ran:
        status = main(["publish", *words])
        caught = capsys.readouterr()
        return Ran(status, caught.out, caught.err)

    return run


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """An index of the whole module: each test publishes a version or a project of its own."""
    with Served(str(tmp_path_factory.mktemp("served") / "data")) as found:
        yield found
