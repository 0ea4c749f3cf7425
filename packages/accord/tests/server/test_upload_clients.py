"""The clients people have upload as they are; and ``accord publish`` uploads to somebody else's server.

Clients that are no dependency of ours are installed from the configured index, each into an environment of its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from accord.io.ports import free_port
from accord.testing.serving import Served
from accord.testing.uploading import make_release

Client = Callable[[str], Path]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Served(str(tmp_path_factory.mktemp("served") / "data")) as found:
        yield found


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Client:
    """``client("flit")`` is the folder of programs of an environment with it."""

    def install(name: str) -> Path:
        folder = tmp_path_factory.mktemp(name) / "env"
        uv = [sys.executable, "-m", "uv"]
        subprocess.run([*uv, "venv", "-q", "--python", sys.executable, str(folder)], check=True)
        done = subprocess.run(
            [*uv, "pip", "install", "-q", "--python", str(folder / "bin" / "python"), name],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            pytest.skip(f"{name} cannot be installed here: {done.stderr.strip()[-200:]}")
        return folder / "bin"

    return install


def run(command: list[str | Path], folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    home = folder / "home"
    home.mkdir(exist_ok=True)
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("UV_PUB", "TWINE"))}
    environ.update(HOME=str(home), PYTHON_KEYRING_BACKEND="keyring.backends.null.Keyring", **variables)
    done = subprocess.run(
        [str(word) for word in command], cwd=folder, env=environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def names(site: Served, project: str) -> list[str]:
    request = urllib.request.Request(
        f"{site.url}/simple/{project}/", headers={"accept": "application/vnd.pypi.simple.v1+json"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return sorted(file["filename"] for file in json.load(answer)["files"])


def both(name: str) -> list[str]:
    return [f"{name}-1.0-py3-none-any.whl", f"{name}-1.0.tar.gz"]


def test_twine(site: Served, tmp_path: Path) -> None:
    files = make_release(tmp_path, "bytwine")
    twine: list[str | Path] = [sys.executable, "-m", "twine", "upload", "--disable-progress-bar"]
    twine += ["--repository-url", f"{site.url}/legacy/", "-u", "__token__", "-p", site.token, *files]
    run(twine, tmp_path)
    assert names(site, "bytwine") == both("bytwine")
    run(twine, tmp_path)  # the same again is no failure


def test_uv(site: Served, tmp_path: Path) -> None:
    files = make_release(tmp_path, "byuv")
    publish: list[str | Path] = [
        sys.executable,
        "-m",
        "uv",
        "publish",
        "--publish-url",
        f"{site.url}/legacy/",
    ]
    publish += ["--token", site.token, *files]
    run(publish, tmp_path)
    assert names(site, "byuv") == both("byuv")
    run(publish, tmp_path)


@pytest.mark.network
@pytest.mark.slow
def test_flit(site: Served, tmp_path: Path, client: Client) -> None:
    (tmp_path / "pyproject.toml").write_text(
        "[build-system]\nrequires = ['flit_core']\nbuild-backend = 'flit_core.buildapi'\n"
        "[project]\nname = 'byflit'\nversion = '1.0'\ndescription = 'Tests'\nrequires-python = '>=3.8'\n"
    )
    (tmp_path / "byflit.py").write_text("value = 1\n")
    flit = client("flit") / "flit"
    index = {
        "FLIT_INDEX_URL": f"{site.url}/legacy/",
        "FLIT_USERNAME": "__token__",
        "FLIT_PASSWORD": site.token,
    }
    run([flit, "publish", "--no-use-vcs"], tmp_path, **index)
    assert names(site, "byflit") == both("byflit")


@pytest.mark.network
@pytest.mark.slow
def test_hatch(site: Served, tmp_path: Path, client: Client) -> None:
    files = make_release(tmp_path, "byhatch")
    hatch = client("hatch") / "hatch"
    run(
        [hatch, "publish", "-n", "-r", f"{site.url}/legacy/", "-u", "__token__", "-a", site.token, *files],
        tmp_path,
    )
    assert names(site, "byhatch") == both("byhatch")


@pytest.mark.network
@pytest.mark.slow
def test_poetry(site: Served, tmp_path: Path, client: Client) -> None:
    make_release(tmp_path, "bypoetry")
    (tmp_path / "pyproject.toml").write_text(
        "[build-system]\nrequires = ['poetry-core']\nbuild-backend = 'poetry.core.masonry.api'\n"
        "[project]\nname = 'bypoetry'\nversion = '1.0'\ndescription = 'Tests'\n"
    )
    poetry = client("poetry") / "poetry"
    index = {"POETRY_REPOSITORIES_OURS_URL": f"{site.url}/legacy/", "POETRY_VIRTUALENVS_CREATE": "false"}
    run([poetry, "publish", "-n", "-r", "ours", "-u", "__token__", "-p", site.token], tmp_path, **index)
    assert names(site, "bypoetry") == both("bypoetry")


@pytest.mark.network
@pytest.mark.slow
def test_accord_publishes_to_pypiserver(tmp_path: Path, client: Client) -> None:
    """A server without sessions, which calls what is there already a conflict."""
    programs = client("pypiserver")
    port = free_port()
    store = tmp_path / "store"
    store.mkdir()
    server = subprocess.Popen(
        [programs / "pypi-server", "run", "-i", "127.0.0.1", "-p", str(port), "-P", ".", "-a", ".", store],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        url = f"http://127.0.0.1:{port}/"
        _await(url)
        wheel, sdist = make_release(tmp_path, "elsewhere")
        accord: list[str | Path] = [sys.executable, "-m", "accord", "--json", "publish", "--index", url]
        run([*accord, wheel], tmp_path)
        done = json.loads(run([*accord, "--skip-existing"], tmp_path).stdout)["releases"][0]
        assert done["protocol"] == "legacy"
        assert [file["state"] for file in done["files"]] == ["there", "published"]
        assert {path.name for path in store.iterdir()} == {wheel.name, sdist.name}
        assert (store / wheel.name).read_bytes() == wheel.read_bytes()
    finally:
        server.terminate()
        server.wait(30)


def _await(url: str) -> None:
    end = time.monotonic() + 60
    while True:
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except OSError:
            assert time.monotonic() < end, "the server does not answer"
            time.sleep(0.05)
