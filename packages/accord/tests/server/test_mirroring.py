"""bandersnatch, the mirror most copies of the public index are made with, mirrors this one; pip installs from its copy."""

from __future__ import annotations

import functools
import http.server
import os
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from sqlalchemy import update

from accord.environments import interpreters
from accord.server.database import tables
from accord.server.parts import open_parts
from accord.server.settings import Settings
from accord.testing.archives import sdist_bytes, wheel_parts, zip_bytes
from accord.testing.serving import Served, basic, form
from accord_core.errors import AccordError

pytestmark = [pytest.mark.slow, pytest.mark.network]
BANDERSNATCH = "bandersnatch>=8,<9"


def _python(cache: str) -> str:
    """A Python at hand that bandersnatch 8 runs on."""
    for version in ("3.13", "3.12", "3.14"):
        with suppress(AccordError):
            return interpreters.find(version, cache_dir=cache).executable
    pytest.skip("bandersnatch 8 needs Python 3.12 or newer")


@pytest.fixture(scope="module")
def bandersnatch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command, in an environment of its own."""
    folder = tmp_path_factory.mktemp("bandersnatch") / "venv"
    subprocess.run([_python(str(folder.parent / "cache")), "-m", "venv", str(folder)], check=True)
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    done = subprocess.run([*pip, BANDERSNATCH], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"the configured index does not give {BANDERSNATCH}: {done.stderr[-200:]}")
    return folder / "bin" / "bandersnatch"


def _upload(served: Served, filename: str, content: bytes) -> None:
    body, content_type = form({":action": "file_upload"}, filename, content)
    headers = {"content-type": content_type, **basic(served.token)}
    urllib.request.urlopen(urllib.request.Request(f"{served.url}/legacy/", body, headers), timeout=30).close()


def _wheel(version: str) -> bytes:
    return zip_bytes(wheel_parts({"spam/__init__.py": f"value = '{version}'\n".encode()}, version=version))


def _mirror(command: Path, served: Served, folder: Path) -> str:
    settings = folder / "bandersnatch.conf"
    settings.write_text(
        f"""[mirror]
directory = {folder}
master = {served.url}
allow-non-https = true
json = true
timeout = 10
workers = 2
hash-index = false
simple-format = ALL
stop-on-error = true
core-metadata = true
release-files = true
compare-method = hash
""",
        encoding="utf-8",
    )
    environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    done = subprocess.run(
        [str(command), "--config", str(settings), "mirror"],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env=environment,
    )
    assert done.returncode == 0, done.stderr
    assert "malformed" not in done.stderr, done.stderr
    assert "Stale" not in done.stderr, done.stderr
    return done.stderr


@contextmanager
def _served_folder(folder: Path) -> Iterator[str]:
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            return

    with http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder))
    ) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def _installed(url: str, target: Path, requirement: str) -> str:
    pip = [sys.executable, "-m", "pip", "install", "--no-cache-dir", "--isolated", "-q", "--no-deps"]
    subprocess.run([*pip, "-i", f"{url}/simple/", "-t", str(target), requirement], check=True)
    return (target / "spam" / "__init__.py").read_text()


def test_bandersnatch_mirrors_us_follows_what_changes_and_pip_installs_from_its_copy(
    served: Served, tmp_path: Path, bandersnatch: Path
) -> None:
    copy = tmp_path / "mirror"
    copy.mkdir()
    _upload(served, "spam-1.0-py3-none-any.whl", _wheel("1.0"))
    _upload(served, "spam-1.0.tar.gz", sdist_bytes())
    _mirror(bandersnatch, served, copy)
    files = {path.name: path for path in (copy / "web" / "packages").rglob("*") if path.is_file()}
    assert set(files) >= {
        "spam-1.0-py3-none-any.whl",
        "spam-1.0-py3-none-any.whl.metadata",
        "spam-1.0.tar.gz",
    }
    assert files["spam-1.0-py3-none-any.whl"].read_bytes() == _wheel("1.0")
    first = int((copy / "status").read_text())
    with _served_folder(copy / "web") as url:
        assert _installed(url, tmp_path / "one", "spam") == "value = '1.0'\n"

        # The second run takes only what changed, by its serial; a yank is a change.
        _upload(served, "spam-2.0-py3-none-any.whl", _wheel("2.0"))
        parts = open_parts(Settings(served.folder))
        with parts.database.write("system") as writing:
            writing.connection.execute(
                update(tables.file).where(tables.file.c.filename.startswith("spam-1.0")).values(yanked=True)
            )
            writing.changed(1, "yank", project="spam", version="1.0")
        parts.close()
        _mirror(bandersnatch, served, copy)
        assert int((copy / "status").read_text()) == writing.serial > first
        assert _installed(url, tmp_path / "two", "spam") == "value = '2.0'\n"
        page = (copy / "web" / "simple" / "spam" / "index.html").read_text()
        assert page.count("data-yanked") == 2

        # The third has nothing to do.
        assert "spam" not in _mirror(bandersnatch, served, copy).replace(str(tmp_path), "")
