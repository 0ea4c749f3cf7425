"""An index in each test's own folder: in this process, or served for real; on SQLite and on PostgreSQL."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from accord.testing.objects import CREDENTIALS, Objects
from accord.testing.postgres import Postgres, binaries
from accord.testing.serving import InProcess, Served
from accord.testing.upstreams import Upstream, limits, make


@pytest.fixture(autouse=True)
def own_counters() -> Iterator[None]:
    """A server that was begun in this process names the folder of its counters to those it starts: it is gone with its test."""
    yield
    os.environ.pop("PROMETHEUS_MULTIPROC_DIR", None)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL for all tests; each takes a database of its own."""
    if binaries() is None:
        pytest.skip("there is no PostgreSQL on this machine")
    with Postgres() as found:
        yield found


@pytest.fixture(params=("sqlite", "postgresql"))
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL of an empty database, as ``--database`` takes it; empty for SQLite in the server's folder."""
    if request.param == "sqlite":
        return ""
    server: Postgres = request.getfixturevalue("postgres")
    return server.new_database()


@pytest.fixture
def index(tmp_path: Path, database_url: str) -> Iterator[InProcess]:
    """An index without a socket; its clock stands still."""
    with InProcess.open(str(tmp_path / "data"), database=database_url) as found:
        yield found


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """``accord serve`` on a free port."""
    with Served(str(tmp_path / "data")) as found:
        yield found


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    found = Upstream()
    with found.server:
        yield found


@pytest.fixture
def cache(tmp_path: Path, upstream: Upstream) -> Iterator[InProcess]:
    """An index ``cache`` before that upstream; the clock stands still."""
    with InProcess.open(str(tmp_path / "cache"), limits=limits()) as found:
        make(found, "cache", upstream.url)
        yield found


@pytest.fixture(scope="session")
def objects() -> Iterator[Objects]:
    """An object store for all tests; each takes a bucket of its own."""
    for name, value in CREDENTIALS.items():
        os.environ[name] = value
    with Objects() as found:
        yield found
