"""Serving, in one page of figures: ``python benchmarks/serving.py [--only PART …] [--seconds N] [--json FILE] [--write]``.

Accord beside nginx, which sends the same bytes from files, and beside devpi-server and pypiserver, which the run installs
itself.  Contenders take turns, round by round; figures are medians.  ``wrk`` asks, on the same machine.  With ``--write``
the page is kept as ``docs/reference/benchmarks-serving.md``.  Status 1 where something asked for is not met.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import urljoin

if not __package__:  # started by path: the folder above holds the package `benchmarks`
    sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

from benchmarks.report import machine
from benchmarks.serving_worlds import BIG_WHEEL, MANY, make_index, small_wheel

from benchmarks import serving_peers as peers

HERE = os.path.dirname(os.path.abspath(__file__))
PAGE = os.path.join(os.path.dirname(HERE), "docs", "reference", "benchmarks-serving.md")
PARTS = ("page", "unchanged", "front", "download", "start")
FILES = 2_000
BIG = 16 << 20
JSON = {"Accept": peers.JSON}
Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Options:
    seconds: float
    rounds: int
    workers: int
    projects: int
    only: tuple[str, ...]
    without: tuple[str, ...]
    cache: str


@dataclass(slots=True)
class Part:
    """``rates`` of each contender, a figure for each round; ``unit`` of them."""

    unit: str
    rates: dict[str, list[float]] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)

    def median(self, who: str) -> float | None:
        return statistics.median(self.rates[who]) if self.rates.get(who) else None


@dataclass(frozen=True, slots=True)
class Row:
    """``least`` is what Accord's rate over the peer's must be; 0 asks for nothing."""

    title: str
    part: str
    peer: str
    least: float


ROWS = (
    Row(f"`/simple/<n>/` as JSON, {FILES:,} files, warm; beside nginx", "page", "nginx", 0.5),
    Row("the same beside devpi-server", "page", "devpi-server", 20),
    Row("the same beside pypiserver, which has HTML only (no limit is set)", "page", "pypiserver", 0),
    Row("304 of the same page, from the process itself; beside nginx", "unchanged", "nginx", 0.25),
    Row("the same with the documented nginx in front, from files; beside nginx", "front", "nginx", 0.9),
    Row(f"download of a wheel of {BIG >> 20} MB, 8 clients; beside nginx", "download", "nginx", 0.8),
    Row("the same beside devpi-server (no limit is set)", "download", "devpi-server", 0),
    Row("the same beside pypiserver (no limit is set)", "download", "pypiserver", 0),
)
START_SECONDS, START_MEMORY = 1.0, 300.0


def _round_robin(part: Part, contenders: dict[str, Callable[[], peers.Load]], rounds: int) -> None:
    names = list(contenders)
    for number in range(rounds):
        for name in names[number % len(names) :] + names[: number % len(names)]:
            load = contenders[name]()
            if load.fault:
                part.faults[name] = load.fault
            else:
                part.rates.setdefault(name, []).append(load.rate)


def serving_parts(options: Options, folder: str) -> dict[str, Part]:
    """Pages, 304 and downloads, all servers running side by side."""
    parts = {name: Part("requests/s") for name in ("page", "unchanged", "front")}
    parts["download"] = Part("MB/s")
    data = os.path.join(folder, "accord")
    make_index(data, many=FILES, big=BIG)
    with ExitStack() as stack:
        url, _, _ = stack.enter_context(
            peers.accord(data, workers=options.workers, options=("--page-files",))
        )
        page, headers, body = peers.fetch(f"{url}/simple/{MANY}/", JSON)
        assert page == 200
        assert body.count(b'"filename"') == FILES
        _, _, big = peers.fetch(f"{url}/files/big/{BIG_WHEEL}")
        assert len(big) > BIG
        static = os.path.join(folder, "static")
        os.makedirs(static)
        for name, content in (("page.json", body), (BIG_WHEEL, big)):
            with open(os.path.join(static, name), "wb") as file:
                file.write(content)
        plain = stack.enter_context(peers.nginx(static, workers=options.workers, types={"json": peers.JSON}))
        places = {"accord": (f"{url}/simple/{MANY}/", f"{url}/files/big/{BIG_WHEEL}", headers["etag"])}
        _, told, _ = peers.fetch(f"{plain}/page.json")
        places["nginx"] = (f"{plain}/page.json", f"{plain}/{BIG_WHEEL}", told["ETag"])
        _others(options, stack, folder, big, places)
        front = ""
        if "front" in options.only:
            found = stack.enter_context(peers.front(url, data, workers=options.workers))
            front = f"{found}/simple/{MANY}/"
        _measure(options, parts, places, len(big), front)
    return parts


def _others(
    options: Options, stack: ExitStack, folder: str, big: bytes, places: dict[str, tuple[str, str, str]]
) -> None:
    if "pypiserver" not in options.without:
        files = os.path.join(folder, "pypiserver")
        os.makedirs(files)
        for name, content in _uploads(big):
            with open(os.path.join(files, name), "wb") as file:
                file.write(content)
        found = stack.enter_context(peers.pypiserver(peers.environment(options.cache, "pypiserver"), files))
        places["pypiserver"] = (f"{found}/simple/{MANY}/", f"{found}/packages/{BIG_WHEEL}", "")
    if "devpi-server" not in options.without:
        binaries = peers.environment(options.cache, "devpi-server")
        server = os.path.join(options.cache, f"devpi-{FILES}")
        found = stack.enter_context(peers.devpi(binaries, server, lambda: _uploads(big)))
        _, _, listed = peers.fetch(f"{found}/big/", JSON)
        link = json.loads(listed)["files"][0]["url"].partition("#")[0]
        page, _, body = peers.fetch(f"{found}/{MANY}/", JSON)
        assert page == 200
        assert body.count(b'"filename"') == FILES
        places["devpi-server"] = (f"{found}/{MANY}/", urljoin(f"{found}/big/", link), "")


def _uploads(big: bytes) -> Iterator[tuple[str, bytes]]:
    for number in range(FILES):
        yield small_wheel(number)
    yield BIG_WHEEL, big


def _measure(
    options: Options, parts: dict[str, Part], places: dict[str, tuple[str, str, str]], size: int, front: str
) -> None:
    def ask(url: str, headers: dict[str, str]) -> Callable[[], peers.Load]:
        return partial(peers.wrk, url, headers, seconds=options.seconds)

    def download(url: str) -> peers.Load:
        load = peers.wrk(url, {}, seconds=options.seconds, connections=8)
        return peers.Load(load.rate * size / 1e6, load.fault)

    jobs: dict[str, dict[str, Callable[[], peers.Load]]] = {
        "page": {who: ask(page, JSON) for who, (page, _, _) in places.items()},
        "unchanged": {
            who: ask(page, {**JSON, "If-None-Match": etag}) for who, (page, _, etag) in places.items() if etag
        },
        "download": {who: partial(download, wheel) for who, (_, wheel, _) in places.items()},
    }
    if front:
        _, told, body = peers.fetch(front, JSON)
        assert body.count(b'"filename"') == FILES
        assert "X-PyPI-Last-Serial" not in told  # sent by nginx itself
        etags = {"accord": (front, told["ETag"]), "nginx": (places["nginx"][0], places["nginx"][2])}
        jobs["front"] = {who: ask(url, {**JSON, "If-None-Match": etag}) for who, (url, etag) in etags.items()}
    for name in options.only:
        if name in jobs:
            _round_robin(parts[name], jobs[name], options.rounds)


def start_part(options: Options, folder: str) -> Record:
    """The first page after the start of an index of many projects; the list of all of them for comparison."""
    data = os.path.join(folder, "large")
    make_index(data, projects=options.projects)
    seconds, memory, root = [], [], []
    for number in range(options.rounds):
        first = f"/simple/project-{number * 7 % options.projects}/"
        with peers.accord(data, workers=options.workers, first=first) as (url, took, pid):
            seconds.append(took)
            memory.append(peers.private_memory(pid))
            begun = time.monotonic()
            _, _, body = peers.fetch(f"{url}/simple/", JSON)
            root.append(time.monotonic() - begun)
            assert len(json.loads(body)["projects"]) == options.projects
            with_root = peers.private_memory(pid)
    return {
        "projects": options.projects,
        "seconds": statistics.median(seconds),
        "memory": statistics.median(memory),
        "root_seconds": statistics.median(root),
        "memory_with_root": with_root,
    }


def verdict(row: Row, record: Record) -> tuple[float | None, float | None, float | None, str]:
    """Figures of Accord and of the peer, their ratio, and whether it is met."""
    part = record.get(row.part, {})
    mine, other = (part.get("medians", {}).get(who) for who in ("accord", row.peer))
    if not mine or not other:
        return mine, other, None, "not measured"
    ratio = mine / other
    return mine, other, ratio, "-" if not row.least else "yes" if ratio >= row.least else "**no**"


def markdown(record: Record, facts: list[str]) -> str:
    """The page."""
    lines = [
        "# Benchmarks of serving",
        "",
        "Made by `python benchmarks/serving.py --write`. `wrk` with 16 connections (8 for downloads) asks one server after the",
        "other on the same machine, round by round; figures are medians. nginx sends the very same bytes from files.",
        "",
        *(f"- {fact}" for fact in facts),
        "",
        "| what | accord | peer | ratio | must be | met |",
        "| --- | ---: | ---: | ---: | ---: | --- |",
    ]
    for row in ROWS:
        mine, other, ratio, met = verdict(row, record)
        unit = record.get(row.part, {}).get("unit", "")
        shown = "-" if ratio is None else f"{ratio:.2f}" if ratio < 10 else f"{ratio:,.0f}"
        least = f"≥ {row.least:g} ×" if row.least else "-"
        lines.append(
            f"| {row.title} | {_amount(mine, unit)} | {_amount(other, unit)} | {shown} | {least} | {met} |"
        )
    start = record.get("start")
    if start:
        lines += [
            "",
            f"## The start of an index of {start['projects']:,} projects with ten files each",
            "",
            "| what | is | must be | met |",
            "| --- | ---: | ---: | --- |",
            _start_row(
                "first project page after the start of the process", start["seconds"], START_SECONDS, "s"
            ),
            _start_row("memory of all its processes then (PSS)", start["memory"], START_MEMORY, "MB"),
            f"| the list of all projects, made for the first time | {start['root_seconds']:.2f} s | - | - |",
            f"| memory with that list in it | {start['memory_with_root']:.0f} MB | - | - |",
        ]
    faults = [
        f"{part}, {who}: {why}"
        for part, found in record.items()
        for who, why in found.get("faults", {}).items()
    ]
    return "\n".join([*lines, *(f"\nNot counted: {fault}." for fault in faults)]) + "\n"


def _start_row(title: str, found: float, most: float, unit: str) -> str:
    amount = f"{found:.2f}" if unit == "s" else f"{found:.0f}"
    return f"| {title} | {amount} {unit} | < {most:g} {unit} | {'yes' if found < most else '**no**'} |"


def _amount(rate: float | None, unit: str) -> str:
    return "-" if rate is None else f"{rate:,.0f} {unit}" if rate >= 10 else f"{rate:.2f} {unit}"


def met(record: Record) -> bool:
    start = record.get("start")
    if start and not (start["seconds"] < START_SECONDS and start["memory"] < START_MEMORY):
        return False
    return all(verdict(row, record)[3] in ("yes", "-") for row in ROWS if row.part in record)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), help="these parts")
    parser.add_argument(
        "--without", nargs="+", choices=("devpi-server", "pypiserver"), default=[], help="not these peers"
    )
    parser.add_argument("--seconds", type=float, default=5, help="of each load")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--workers", type=int, default=os.cpu_count() or 1, help="processes of Accord and of nginx"
    )
    parser.add_argument("--projects", type=int, default=100_000, help="of the index that is started")
    parser.add_argument("--cache", default=os.path.join(tempfile.gettempdir(), "accord-benchmark-peers"))
    parser.add_argument("--json", metavar="FILE", help="write the figures there")
    parser.add_argument("--write", action="store_true", help="keep the page in docs/reference")
    chosen = parser.parse_args()
    options = Options(
        chosen.seconds,
        chosen.rounds,
        chosen.workers,
        chosen.projects,
        tuple(chosen.only),
        tuple(chosen.without),
        chosen.cache,
    )
    about, record = machine(HERE), {}
    with tempfile.TemporaryDirectory(prefix="accord-serving-") as folder:
        if set(options.only) - {"start"}:
            for name, part in serving_parts(options, folder).items():
                if name in options.only:
                    medians = {who: part.median(who) for who in part.rates}
                    record[name] = {
                        "unit": part.unit,
                        "medians": medians,
                        "rates": part.rates,
                        "faults": part.faults,
                    }
        if "start" in options.only:
            record["start"] = start_part(options, folder)
    names = [name for name in ("devpi-server", "pypiserver") if name not in options.without]
    versions = [
        peers.version(os.path.join(options.cache, name, "bin"), name)
        for name in names
        if set(options.only) - {"start"}
    ]
    facts = [
        f"Machine: {about}.",
        f"Python {sys.version.split()[0]}" + "".join(f", {each}" for each in versions) + ".",
        f"Rounds: {options.rounds} of {options.seconds:g} s; processes of Accord and of nginx: {options.workers}.",
    ]
    page = markdown(record, facts)
    print(page)
    if chosen.json:
        with open(chosen.json, "w", encoding="utf-8") as file:
            json.dump(record, file, indent=1)
    if chosen.write:
        with open(PAGE, "w", encoding="utf-8") as file:
            file.write(page)
    return 0 if met(record) else 1


if __name__ == "__main__":
    sys.exit(main())
