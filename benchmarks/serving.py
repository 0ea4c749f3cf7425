"""The server, in one page of figures: ``python benchmarks/serving.py [--only PART …] [--seconds N] [--json FILE] [--write]``.

Accord beside nginx, which sends the same bytes from files, and beside devpi-server and pypiserver, which the run installs
itself; then what a start, a search and an upload cost an index of a million files (``uploading.py``).  Contenders take
turns; figures are medians.  ``--only`` measures single lines in less than three minutes each.  With ``--write`` the page is
kept as ``docs/reference/benchmarks-serving.md``.  Status 1 where something asked for is not met.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

if not __package__:  # started by path: the folder above holds the package `benchmarks`
    sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

from benchmarks.report import machine
from benchmarks.serving_large import large_index, search_part, start_part
from benchmarks.serving_loads import BIG, FILES, LOADS, PEERS, Measured, Options, load_part

from benchmarks import serving_peers as peers

HERE = os.path.dirname(os.path.abspath(__file__))
PAGE = os.path.join(os.path.dirname(HERE), "docs", "reference", "benchmarks-serving.md")
PARTS = (*LOADS, "upload", "start", "search")
_ASKS_DEVPI = ("page", "download", "upload")
_ASKS_PYPISERVER = ("page", "download")
Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Row:
    """``ours`` and ``theirs`` are figures of ``part``; without ``theirs`` the limit is for ours itself, else for the ratio.
    ``limit`` is a sign and a number; empty: nothing is asked."""

    title: str
    part: str
    ours: str
    theirs: str
    unit: str
    limit: str = ""


_PAGES, _DOWN = "requests/s", "MB/s"
ROWS = (
    Row(f"`/simple/<n>/` as JSON, {FILES:,} files, warm; beside nginx", "page", "accord", "nginx", _PAGES, "≥ 0.5"),
    Row("the same beside devpi-server", "page", "accord", "devpi-server", _PAGES, "≥ 20"),
    Row("the same beside pypiserver, which has HTML only", "page", "accord", "pypiserver", _PAGES),
    Row("304 of the same page, from the process itself; beside nginx", "unchanged", "accord", "nginx", _PAGES, "≥ 0.25"),
    Row("the same with the documented nginx in front, from files; beside nginx", "front", "accord", "nginx", _PAGES, "≥ 0.9"),
    Row(f"download of a wheel of {BIG >> 20} MB, 8 clients, from the process itself; beside nginx", "download", "accord", "nginx", _DOWN, "≥ 0.8"),
    Row("the same with the documented nginx in front; beside nginx", "front-download", "accord", "nginx", _DOWN, "≥ 0.8"),
    Row("the same, from the process itself; beside devpi-server", "download", "accord", "devpi-server", _DOWN),
    Row("the same beside pypiserver", "download", "accord", "pypiserver", _DOWN),
    Row("upload of 1,000 small wheels by 8 clients; beside devpi-server", "upload", "accord", "devpi", "wheels/s", "≥ 10"),
    Row("one upload with 1,000,000 files present; beside 1,000", "upload", "upload_ms_many", "upload_ms_1k", "ms", "≤ 1.5"),
    Row("100,000 projects, 1,000,000 files: first project page after the start of the process", "start", "first", "", "s", "< 1"),
    Row("memory of all its processes then (PSS)", "start", "memory", "", "MB", "< 300"),
    Row("the list of all projects, made for the first time", "start", "root", "", "s"),
    Row("memory with that list in it", "start", "memory_with_root", "", "MB"),
    Row("the same index: 95 of 100 searches take less than", "search", "p95", "", "ms", "< 50"),
    Row("the median search", "search", "p50", "", "ms"),
    Row("the longest one", "search", "longest", "", "ms"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Verdict:
    """The figures of a row, what is held against its limit, and whether it is met (``-``: nothing is asked)."""

    ours: float | None
    theirs: float | None
    held: float | None
    met: str


def verdict(row: Row, record: Record) -> Verdict:
    figures = record.get(row.part, {}).get("figures", {})
    ours, theirs = figures.get(row.ours), figures.get(row.theirs) if row.theirs else None
    if ours is None or (row.theirs and not theirs):
        return Verdict(ours, theirs, None, "not measured")
    held = ours / theirs if theirs else ours
    if not row.limit:
        return Verdict(ours, theirs, held, "-")
    sign, _, number = row.limit.partition(" ")
    good = {"≥": held >= float(number), "≤": held <= float(number), "<": held < float(number)}[sign]
    return Verdict(ours, theirs, held, "yes" if good else "**no**")


def met(record: Record) -> bool:
    """Whether everything is met that was to be measured."""
    return all(verdict(row, record).met in ("yes", "-") for row in ROWS if row.part in record and row.limit)


def markdown(record: Record, facts: list[str]) -> str:
    """The page."""
    lines = [
        "# Benchmarks of serving",
        "",
        "Made by `python benchmarks/serving.py --write`. `wrk` with 16 connections (8 for downloads) asks one server after the",
        "other on the same machine, round by round; figures are medians. nginx sends the very same bytes from files. Uploads are",
        "sent by `uploading.py`. The ratio is Accord's figure over that beside it.",
        "",
        *(f"- {fact}" for fact in facts),
        "",
        "| what | accord | beside it | ratio | must be | met |",
        "| --- | ---: | ---: | ---: | ---: | --- |",
    ]
    for row in ROWS:
        if row.part not in record:
            continue
        found = verdict(row, record)
        ratio = "-" if found.held is None or not row.theirs else _ratio(found.held)
        limit = "-" if not row.limit else f"{row.limit} {'×' if row.theirs else row.unit}"
        ours, theirs = _amount(found.ours, row.unit), _amount(found.theirs, row.unit)
        lines.append(f"| {row.title} | {ours} | {theirs} | {ratio} | {limit} | {found.met} |")
    faults = [
        f"{part}, {who}: {why}"
        for part, found in record.items()
        for who, why in found.get("faults", {}).items()
    ]
    return "\n".join([*lines, *(f"\nNot counted: {fault}." for fault in faults)]) + "\n"


def _ratio(value: float) -> str:
    return f"{value:.2f}" if value < 10 else f"{value:,.0f}"


def _amount(value: float | None, unit: str) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f} {unit}" if value >= 100 else f"{value:.3g} {unit}"


def upload_part(options: Options, folder: str) -> Measured:
    """What ``uploading.py`` found.  Raises ``SystemExit`` where it found nothing."""
    record = os.path.join(folder, "uploading.json")
    command = [sys.executable, os.path.join(HERE, "uploading.py"), "--json", record]
    command += ["--devpi", peers.environment(options.cache, "devpi-server")]
    command += ["--workers", str(options.workers), "--files", str(options.projects * 10)]
    options.say("uploading.py runs")
    done = subprocess.run(command, stdout=subprocess.DEVNULL, check=False)
    try:
        with open(record, encoding="utf-8") as file:
            return Measured({name: [value] for name, value in json.load(file).items()})
    except (OSError, ValueError):
        raise SystemExit(f"uploading.py ended with status {done.returncode} and no record") from None


def measure(part: str, options: Options, folder: str) -> Measured:
    """One of :data:`PARTS`.  ``folder`` is for all of them: the large index in it is made once."""
    if part == "start":
        return start_part(options, large_index(options, folder))
    if part == "search":
        return search_part(options, large_index(options, folder))
    with tempfile.TemporaryDirectory(dir=folder) as own:
        return upload_part(options, own) if part == "upload" else load_part(part, options, own)


def facts_of(parts: list[str], options: Options, about: str) -> list[str]:
    asked = {"devpi-server": _ASKS_DEVPI, "pypiserver": _ASKS_PYPISERVER}
    versions = [
        peers.version(os.path.join(options.cache, name, "bin"), name)
        for name in PEERS
        if name not in options.without and any(part in asked[name] for part in parts)
    ]
    return [
        f"Machine: {about}.",
        f"Python {sys.version.split()[0]}" + "".join(f", {each}" for each in versions) + ".",
        f"Rounds: {options.rounds} of {options.seconds:g} s; processes of Accord and of nginx: {options.workers}.",
    ]


def _reporter() -> Callable[[str], None]:
    begun = time.monotonic()

    def say(text: str) -> None:
        print(f"{time.monotonic() - begun:5.0f} s  {text}", file=sys.stderr, flush=True)

    return say


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), help="these parts")
    parser.add_argument(
        "--without", nargs="+", choices=PEERS, default=[], help="pages and downloads: not these peers"
    )
    parser.add_argument("--seconds", type=int, default=2, help="of each load")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--workers", type=int, default=os.cpu_count() or 1, help="processes of Accord and of nginx"
    )
    parser.add_argument("--projects", type=int, default=100_000, help="of the large index")
    parser.add_argument("--cache", default=os.path.join(tempfile.gettempdir(), "accord-benchmark-peers"))
    parser.add_argument("--json", metavar="FILE", help="write the figures there")
    parser.add_argument("--write", action="store_true", help="keep the page in docs/reference")
    return parser.parse_args()


def main() -> int:
    chosen = _options()
    options = Options(
        chosen.seconds,
        chosen.rounds,
        chosen.workers,
        chosen.projects,
        tuple(chosen.without),
        chosen.cache,
        _reporter(),
    )
    about, begun = machine(HERE), time.monotonic()
    record: Record = {}
    with tempfile.TemporaryDirectory(prefix="accord-serving-") as folder:
        for part in chosen.only:
            options.say(part)
            found = measure(part, options, folder)
            record[part] = {
                "figures": {name: statistics.median(values) for name, values in found.samples.items()},
                "samples": found.samples,
                "faults": found.faults,
            }
    took = f"The run took {(time.monotonic() - begun) / 60:.0f} minutes."
    page = markdown(record, [*facts_of(chosen.only, options, about), took])
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
