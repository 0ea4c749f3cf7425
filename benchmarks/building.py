"""Building, in one page of figures: ``python benchmarks/building.py [--only PART …] [--runs N] [--json FILE] [--write]``.

Runs ``backends.py``, ``frontends.py`` and ``native.py`` one after the other, holds their medians against what was asked of
them, prints Markdown, and with ``--write`` keeps it as ``docs/reference/benchmarks-build.md``.  Measures nothing itself.
Status 1 where something asked for is not met.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

if not __package__:  # started by path: the folder above holds the package `benchmarks`
    sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

from benchmarks.report import machine

HERE = os.path.dirname(os.path.abspath(__file__))
PAGE = os.path.join(os.path.dirname(HERE), "docs", "reference", "benchmarks-build.md")
PARTS = ("backends", "frontends", "native")
Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Row:
    """``ours`` and ``theirs`` are paths in the record of ``part``; ``limit`` of 0 asks for nothing."""

    title: str
    part: str
    ours: tuple[str, ...]
    theirs: tuple[str, ...]
    limit: float
    scale: float = 1.0  # of the record's unit to milliseconds


def _hook(title: str, project: str, peer: str, limit: float) -> Row:
    median = ("milliseconds", project)
    return Row(title, "backends", (*median, "accord-backend", "median"), (*median, peer, "median"), limit)


def _frontend(title: str, sandbox: str, peer: str, limit: float) -> Row:
    ours = ("contenders", f"accord, sandbox {sandbox}", "median_ms")
    return Row(title, "frontends", ours, ("contenders", peer, "median_ms"), limit)


def _native(kind: str) -> Row:
    words = f"a C extension of 25 files, {kind}; beside scikit-build-core"
    return Row(words, "native", ("accord-backend", kind), ("scikit-build-core", kind), 1.0, 1000)


FLIT, NATIVE = "uv, flit_core", "uv, uv_build (native)"
KINDS = ("clean", "one file touched", "nothing touched")
ROWS = (
    _hook("backend hook in a fresh interpreter, small pure project; beside flit_core", "small", "flit_core", 0.8),
    _hook("the same beside hatchling (no limit is set)", "small", "hatchling", 0),
    _hook("the same beside uv_build's hook (no limit is set)", "small", "uv_build", 0),
    _frontend("`accord build --wheel`, isolated, warm, in the sandbox; beside `uv build --wheel`, flit_core", "on", FLIT, 0.6),
    _frontend("the same without the sandbox", "off", FLIT, 0.6),
    _frontend("in the sandbox; beside `uv build --wheel`, uv_build, which starts no Python", "on", NATIVE, 4.0),
    _frontend("the same without the sandbox", "off", NATIVE, 4.0),
    _hook("10,000 modules of up to 8 KB, hook; beside uv_build's hook", "many", "uv_build", 1.2),
    _hook("10,000 modules of a few lines, hook; beside uv_build's hook", "tiny", "uv_build", 1.2),
    *map(_native, KINDS),
)  # fmt: skip


def measure(part: str, runs: int | None) -> Record:
    """The record of ``part``, whose own status only says whether its goals were met.  Raises ``SystemExit``."""
    command = [sys.executable, os.path.join(HERE, f"{part}.py"), "--json"]
    command += [] if runs is None else ["--runs", str(runs)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    try:
        found: Record = json.loads(done.stdout)
    except ValueError:
        raise SystemExit(f"{part}.py ended with status {done.returncode} and no record") from None
    return found


def value(record: Record | None, path: tuple[str, ...]) -> float | None:
    """What lies at ``path``; ``None`` where it was not measured."""
    found: Any = record
    for key in path:
        if not isinstance(found, dict) or key not in found:
            return None
        found = found[key]
    return float(found)


def verdict(row: Row, records: dict[str, Record]) -> tuple[float | None, float | None, float | None, str]:
    """Milliseconds of ours and of the peer, the ratio, and whether it is met."""
    mine, other = (value(records.get(row.part), path) for path in (row.ours, row.theirs))
    if mine is None or other is None:
        return mine, other, None, "not measured"
    ratio = mine / other
    met = "-" if not row.limit else "yes" if ratio <= row.limit else "**no**"
    return mine * row.scale, other * row.scale, ratio, met


def markdown(records: dict[str, Record], facts: list[str]) -> str:
    """The page: facts, the table, how busy the cores were."""
    lines = [
        "# Benchmarks of building",
        "",
        "Made by `python benchmarks/building.py --write`, which runs `backends.py`, `frontends.py` and `native.py` beside it.",
        "Contenders take turns, round by round; figures are medians of the wall clock of whole processes, warm; ratios are",
        "Accord over the other. `accord` is the checkout's, so its start pays for an editable installation. A build runs in",
        "the sandbox unless told otherwise, so the rows in the sandbox are the ones that count.",
        "",
        *(f"- {fact}" for fact in facts),
        "",
        "| what | accord | peer | ratio | must be | met |",
        "| --- | ---: | ---: | ---: | ---: | --- |",
    ]
    for row in ROWS:
        mine, other, ratio, met = verdict(row, records)
        limit = f"≤ {row.limit:.1f} ×" if row.limit else "-"
        shown = "-" if ratio is None else f"{ratio:.2f}"
        lines.append(f"| {row.title} | {_amount(mine)} | {_amount(other)} | {shown} | {limit} | {met} |")
    return "\n".join([*lines, *_busy(records.get("native")), *_others(records.get("frontends"))]) + "\n"


def _busy(native: Record | None) -> list[str]:
    """CPU seconds beside wall seconds: 2.0 is two cores busy all the time."""
    if native is None:
        return []
    lines = [
        "",
        "## The C extension: are the cores busy",
        "",
        "Cores busy are CPU seconds, compilers included, over seconds of wall clock.",
        "",
        "| build | who | wall | CPU | cores busy |",
        "| --- | --- | ---: | ---: | ---: |",
    ]
    for kind in KINDS:
        for who in ("accord-backend", "scikit-build-core"):
            wall, spent = native[who][kind], native[f"{who}, CPU"][kind]
            lines.append(
                f"| {kind} | {who} | {_amount(wall * 1000)} | {_amount(spent * 1000)} | {spent / wall:.2f} |"
            )
    return lines


def _others(frontends: Record | None) -> list[str]:
    """Every frontend that was run, those without a row among them."""
    if frontends is None:
        return []
    lines = ["", "## Frontends, the whole command", "", "| who | median | fastest |", "| --- | ---: | ---: |"]
    for who, row in frontends["contenders"].items():
        lines.append(f"| {who} | {_amount(row['median_ms'])} | {_amount(row['best_ms'])} |")
    return [*lines, *(f"\nNot installed, left out: {name}." for name in frontends["missing"])]


def _amount(milliseconds: float | None) -> str:
    if milliseconds is None:
        return "-"
    if milliseconds >= 1000:
        return f"{milliseconds / 1000:.2f} s"
    return f"{milliseconds:.0f} ms" if milliseconds >= 100 else f"{milliseconds:.1f} ms"


def facts_of(records: dict[str, Record], about: str) -> list[str]:
    versions = sorted({version for record in records.values() for version in record["versions"]})
    runs = ", ".join(f"{part} {record['runs']}" for part, record in records.items())
    return [
        f"Machine: {about}.",
        f"Versions: Python {sys.version.split()[0]}, {', '.join(versions)}.",
        f"Rounds: {runs} (the projects of 10,000 modules a third of that, at least 7).",
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), help="these parts")
    parser.add_argument("--runs", type=int, help="rounds of each part, instead of its own number")
    parser.add_argument("--json", metavar="FILE", help="write what the parts said there")
    parser.add_argument(
        "--write", action="store_true", help="keep the page in docs/reference/benchmarks-build.md"
    )
    options = parser.parse_args()
    about, records = machine(HERE), {}
    for part in options.only:
        print(part, file=sys.stderr, flush=True)
        records[part] = measure(part, options.runs)
    page = markdown(records, facts_of(records, about))
    print(page)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(records, file, indent=1)
    if options.write:
        with open(PAGE, "w", encoding="utf-8") as file:
            file.write(page)
    chosen = [row for row in ROWS if row.part in records]
    return int(any(verdict(row, records)[3] not in ("yes", "-") for row in chosen))


if __name__ == "__main__":
    sys.exit(main())
