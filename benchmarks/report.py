"""Words and tables for what was measured: Markdown for people, a plain record for machines.

Knows finished groups and facts about the machine; measures nothing itself.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys

from benchmarks.measure import Contender, Group
from benchmarks.rows import ROWS, Row

__all__ = ["machine", "markdown", "record"]


def machine(folder: str) -> str:
    """One line: processor, cores, memory, kernel, the file system of ``folder``, and how busy the machine is."""
    model = platform.machine()
    with open("/proc/cpuinfo") as stream:
        for line in stream:
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    told = subprocess.run(["stat", "-f", "-c", "%T", folder], capture_output=True, text=True, check=False)
    system = told.stdout.strip() or "unknown file system"
    busy = f"load {os.getloadavg()[0]:.1f} at the start"
    return f"{model}, {os.cpu_count()} cores, {memory:.0f} GB, Linux {platform.release()}, {system}, {busy}"


def _contender(group: Group, label: str | None) -> Contender | None:
    return next((found for found in group.contenders if found.label == label), None)


def _fastest(group: Group, label: str, what: str) -> Contender | None:
    """The best of a tool's forms ("uv", "uv pylock"): Accord is held against what the other does best."""
    forms = [one for one in group.contenders if one.samples and (one.label + " ").startswith(label + " ")]
    return min(forms, key=lambda one: one.median(what) or 0.0, default=None)


def _amount(value: float | None, what: str) -> str:
    if value is None:
        return "-"
    if what == "rss":
        return f"{value:.0f} MB"
    return f"{value:.2f} s" if value >= 1 else f"{value * 1000:.0f} ms"


def _state(row: Row, ratio: float | None) -> str:
    if ratio is None:
        return "not measured"
    if not row.limit:
        return "-"
    return "yes" if ratio <= row.limit else "**no**"


def _line(row: Row, group: Group) -> str:
    ours, theirs = _contender(group, row.ours), _fastest(group, row.theirs or "uv", row.what)
    mine = ours.median(row.what) if ours else None
    other = theirs.median(row.what) if theirs else None
    if row.theirs is None:
        ratio, limit = mine, f"≤ {row.limit:.0f} MB"
    else:
        ratio = mine / other if mine is not None and other else None
        limit = f"≤ {row.limit:.2f} ×" if row.limit else "-"
    shown = "-" if mine is None or not other else f"{mine / other:.2f}"
    pip = _contender(group, "pip")
    cells = [
        row.title,
        _amount(mine, row.what),
        _amount(other, row.what) + (f" ({theirs.label})" if theirs and theirs.label != "uv" else ""),
        shown,
        limit,
        _state(row, ratio),
        _amount(pip.median(row.what) if pip else None, row.what),
    ]
    return "| " + " | ".join(cells) + " |"


def _details(group: Group) -> list[str]:
    lines = [
        f"### {group.title}",
        "",
        f"Timed: {group.timed}.",
        "",
        "| who | settings | runs | median | fastest | slowest | CPU, median | peak memory | requests |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for one in group.contenders:
        if not one.samples:
            continue
        walls = [sample.wall for sample in one.samples]
        cells = [
            one.label,
            one.settings,
            str(len(walls)),
            _amount(one.median(), "wall"),
            _amount(min(walls), "wall"),
            _amount(max(walls), "wall"),
            _amount(one.median("cpu"), "wall"),
            _amount(one.median("rss"), "rss"),
            f"{one.median('requests'):.0f}",
        ]
        lines.append("| " + " | ".join(cells) + " |")
    lines += [
        f"\n{one.label} failed and is not counted: `{one.failure.splitlines()[0]}`"
        for one in group.contenders
        if one.failure
    ]
    return [*lines, ""]


def markdown(groups: list[Group], facts: list[str], notes: list[str]) -> str:
    """The page: facts, the table of ratios, notes, and the figures behind every row."""
    by_name = {group.name: group for group in groups}
    table = [_line(row, by_name[row.group]) for row in ROWS if row.group in by_name]
    lines = [
        "# Benchmarks",
        "",
        "Made by `python benchmarks/run.py --write` (first `python benchmarks/snapshot.py`, once), from a local",
        "snapshot of the index served on loopback. Contenders run in turn, round by round; figures are medians of the",
        "wall clock of whole processes; a run counts only when its result was checked. Ratios are Accord over the other.",
        "",
        *(f"- {fact}" for fact in facts),
        "",
        "| what | accord | uv | ratio | must be | met | pip |",
        "| --- | ---: | ---: | ---: | ---: | --- | ---: |",
        *table,
        "",
        *(f"- {note}" for note in notes),
        "",
        "## The figures behind the table",
        "",
    ]
    for group in groups:
        lines += _details(group)
    return "\n".join(lines).rstrip() + "\n"


def record(groups: list[Group], facts: list[str], notes: list[str]) -> dict[str, object]:
    """Everything measured, every sample, ready for ``json.dump``."""
    return {
        "python": sys.version,
        "facts": facts,
        "notes": notes,
        "groups": [
            {
                "name": group.name,
                "timed": group.timed,
                "contenders": [
                    {
                        "label": one.label,
                        "settings": one.settings,
                        "failure": one.failure,
                        "samples": [
                            {"wall": s.wall, "cpu": s.cpu, "rss": s.rss, "requests": s.requests}
                            for s in one.samples
                        ],
                    }
                    for one in group.contenders
                ],
            }
            for group in groups
        ],
    }
