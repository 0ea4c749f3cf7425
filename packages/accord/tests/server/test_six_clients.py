"""The first promise of the index: ``accord serve``, and then twine, uv and accord publish to it, pip, uv and accord install
from it.  What each of the three published, each of the three installs, byte for byte."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from accord.testing.serving import Served
from accord.testing.uploading import make_release

PUBLISHERS = ("twine", "uv", "accord")


def content(publisher: str) -> bytes:
    return f"published_by = {publisher!r}\n".encode()


def run(folder: Path, *command: str, **variables: str) -> str:
    """``python -m …`` with a home that holds nothing."""
    others = ("UV_", "TWINE_", "PIP_", "ACCORD_")
    environ = {name: value for name, value in os.environ.items() if not name.startswith(others)}
    (folder / "home").mkdir(exist_ok=True)
    environ.update(HOME=str(folder / "home"), ACCORD_CACHE_DIR=str(folder / "cache"), **variables)
    environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.null.Keyring"
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=folder, env=environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Has ``bytwine``, ``byuv`` and ``byaccord``, each a wheel and an sdist, published by what it is called after."""
    with Served(str(tmp_path_factory.mktemp("served") / "data")) as served:
        upload = f"{served.url}/legacy/"
        for publisher in PUBLISHERS:
            folder = tmp_path_factory.mktemp(publisher)
            files = make_release(folder, f"by{publisher}", content=content(publisher))
            paths = [str(path) for path in files]
            if publisher == "twine":
                options = ("-u", "__token__", "-p", served.token, "--disable-progress-bar")
                run(folder, "twine", "upload", "--repository-url", upload, *options, *paths)
            elif publisher == "uv":
                run(folder, "uv", "publish", "--publish-url", upload, *paths, UV_PUBLISH_TOKEN=served.token)
            else:
                run(folder, "accord", "publish", "--index", upload, ACCORD_PUBLISH_TOKEN=served.token)
        yield served


@pytest.mark.parametrize("publisher", PUBLISHERS)
def test_pip_installs_it(site: Served, publisher: str, tmp_path: Path) -> None:
    pip = ("pip", "install", "--isolated", "-q", "--no-cache-dir", "--disable-pip-version-check")
    run(tmp_path, *pip, "-i", f"{site.url}/simple/", "--target", "here", f"by{publisher}")
    assert (tmp_path / "here" / f"by{publisher}" / "__init__.py").read_bytes() == content(publisher)


@pytest.mark.parametrize("publisher", PUBLISHERS)
def test_uv_installs_it(site: Served, publisher: str, tmp_path: Path) -> None:
    uv = ("uv", "pip", "install", "-q", "--no-cache", "--no-config", "--python", sys.executable)
    run(tmp_path, *uv, "--default-index", f"{site.url}/simple/", "--target", "here", f"by{publisher}")
    assert (tmp_path / "here" / f"by{publisher}" / "__init__.py").read_bytes() == content(publisher)


@pytest.mark.parametrize("publisher", PUBLISHERS)
def test_accord_locks_and_syncs_it(site: Served, publisher: str, tmp_path: Path) -> None:
    """With hashes and times from the page in the lock, and an environment that imports it."""
    (tmp_path / "pyproject.toml").write_text(
        "[project]\nname = 'reader'\nversion = '0'\nrequires-python = '>=3.11'\n"
        f"dependencies = ['by{publisher}']\n"
        f"[[tool.accord.index]]\nname = 'ours'\nurl = '{site.url}/simple/'\ndefault = true\n"
    )
    run(tmp_path, "accord", "lock")
    [package] = tomllib.loads((tmp_path / "pylock.toml").read_text())["packages"]
    assert (package["name"], package["version"]) == (f"by{publisher}", "1.0")
    [wheel] = package["wheels"]
    assert wheel["hashes"]["sha256"]
    assert wheel["upload-time"]
    run(tmp_path, "accord", "sync")
    imported = f"import by{publisher}; print(by{publisher}.published_by)"
    done = subprocess.run(
        [tmp_path / ".venv" / "bin" / "python", "-c", imported], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == publisher
