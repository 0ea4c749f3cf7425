"""Requests for one page or one file, as fast as they are answered: Accord beside nginx, which sends the same bytes from files,
and beside devpi-server and pypiserver.  Contenders take turns, round by round; a part starts the servers it asks, and no
others.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import urljoin

from benchmarks.serving_worlds import BIG_WHEEL, MANY, make_index, small_wheel

from benchmarks import serving_peers as peers

__all__ = ["BIG", "FILES", "LOADS", "PEERS", "Measured", "Options", "load_part"]

LOADS = ("page", "unchanged", "front", "download", "front-download")
PEERS = ("devpi-server", "pypiserver")
FILES = 2_000
BIG = 16 << 20
JSON = {"Accept": peers.JSON}
_ASKED_WITH_OTHERS = ("page", "download")
_FRONTED = ("front", "front-download")


@dataclass(frozen=True, slots=True)
class Options:
    """``say`` is told what goes on."""

    seconds: int
    rounds: int
    workers: int
    projects: int
    without: tuple[str, ...]
    cache: str
    say: Callable[[str], None]


@dataclass(slots=True)
class Measured:
    """``samples`` of each figure, one for each round; ``faults`` says why one does not count."""

    samples: dict[str, list[float]] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)

    def add(self, name: str, value: float) -> None:
        self.samples.setdefault(name, []).append(value)


@dataclass(frozen=True, slots=True)
class Place:
    """Where one server has the page and the wheel.  ``etag`` is that of the page; empty, where it has none."""

    page: str
    wheel: str
    etag: str = ""


def load_part(name: str, options: Options, folder: str) -> Measured:
    """One of :data:`LOADS`, measured; ``folder`` is empty."""
    with ExitStack() as stack:
        places, size = _served(name, options, stack, folder)
        loads = {
            who: _load(name, place, size, options.seconds)
            for who, place in places.items()
            if name not in ("unchanged", "front") or place.etag
        }
        return _in_turn(loads, options)


def _load(name: str, place: Place, size: int, seconds: int) -> Callable[[], peers.Load]:
    if name == "page":
        return partial(peers.wrk, place.page, JSON, seconds=seconds)
    if "download" not in name:
        return partial(peers.wrk, place.page, {**JSON, "If-None-Match": place.etag}, seconds=seconds)

    def download() -> peers.Load:
        load = peers.wrk(place.wheel, {}, seconds=seconds, connections=8)
        return peers.Load(load.rate * size / 1e6, load.fault)

    return download


def _in_turn(loads: dict[str, Callable[[], peers.Load]], options: Options) -> Measured:
    found = Measured()
    names = list(loads)
    for number in range(options.rounds):
        for name in names[number % len(names) :] + names[: number % len(names)]:
            load = loads[name]()
            if load.fault:
                found.faults[name] = load.fault
            else:
                found.add(name, load.rate)
        options.say(
            f"round {number + 1}: "
            + ", ".join(f"{name} {samples[-1]:,.0f}" for name, samples in found.samples.items())
        )
    return found


def _served(name: str, options: Options, stack: ExitStack, folder: str) -> tuple[dict[str, Place], int]:
    """The servers of a part, started; and the size of the wheel."""
    data = os.path.join(folder, "accord")
    make_index(data, many=FILES, big=BIG)
    more = ("--page-files", "--accel-redirect", "/stored/") if name in _FRONTED else ()
    url, _, _ = stack.enter_context(peers.accord(data, workers=options.workers, options=more))
    status, headers, body = peers.fetch(f"{url}/simple/{MANY}/", JSON)
    assert status == 200
    assert body.count(b'"filename"') == FILES
    places = {"accord": Place(f"{url}/simple/{MANY}/", f"{url}/files/big/{BIG_WHEEL}", headers["etag"])}
    if name in _FRONTED:
        places["accord"] = _front(options, stack, url, data)
    _, _, big = peers.fetch(places["accord"].wheel)
    assert len(big) > BIG
    static = os.path.join(folder, "static")
    os.makedirs(static)
    for filename, content in (("page.json", body), (BIG_WHEEL, big)):
        with open(os.path.join(static, filename), "wb") as file:
            file.write(content)
    plain = stack.enter_context(peers.nginx(static, workers=options.workers, types={"json": peers.JSON}))
    _, told, _ = peers.fetch(f"{plain}/page.json")
    places["nginx"] = Place(f"{plain}/page.json", f"{plain}/{BIG_WHEEL}", told["ETag"])
    if name in _ASKED_WITH_OTHERS:
        if "pypiserver" not in options.without:
            places["pypiserver"] = _pypiserver(options, stack, folder, big)
        if "devpi-server" not in options.without:
            places["devpi-server"] = _devpi(options, stack, big)
    return places, len(big)


def _front(options: Options, stack: ExitStack, url: str, data: str) -> Place:
    found = stack.enter_context(peers.front(url, data, workers=options.workers))
    _, told, body = peers.fetch(f"{found}/simple/{MANY}/", JSON)
    assert body.count(b'"filename"') == FILES
    assert "X-PyPI-Last-Serial" not in told  # sent by nginx itself
    return Place(f"{found}/simple/{MANY}/", f"{found}/files/big/{BIG_WHEEL}", told["ETag"])


def _pypiserver(options: Options, stack: ExitStack, folder: str, big: bytes) -> Place:
    files = os.path.join(folder, "pypiserver")
    os.makedirs(files)
    for filename, content in _uploads(big):
        with open(os.path.join(files, filename), "wb") as file:
            file.write(content)
    options.say("pypiserver starts (it is installed the first time)")
    found = stack.enter_context(peers.pypiserver(peers.environment(options.cache, "pypiserver"), files))
    return Place(f"{found}/simple/{MANY}/", f"{found}/packages/{BIG_WHEEL}")


def _devpi(options: Options, stack: ExitStack, big: bytes) -> Place:
    options.say(f"devpi-server starts (it is installed and given {FILES:,} files the first time)")
    binaries = peers.environment(options.cache, "devpi-server")
    server = os.path.join(options.cache, f"devpi-{FILES}")
    found = stack.enter_context(peers.devpi(binaries, server, lambda: _uploads(big)))
    _, _, listed = peers.fetch(f"{found}/big/", JSON)
    link: Any = json.loads(listed)["files"][0]["url"].partition("#")[0]
    status, _, body = peers.fetch(f"{found}/{MANY}/", JSON)
    assert status == 200
    assert body.count(b'"filename"') == FILES
    return Place(f"{found}/{MANY}/", urljoin(f"{found}/big/", link))


def _uploads(big: bytes) -> Iterator[tuple[str, bytes]]:
    for number in range(FILES):
        yield small_wheel(number)
    yield BIG_WHEEL, big
