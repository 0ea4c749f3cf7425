"""The benchmark table: ``python benchmarks/run.py [--only NAME …] [--runs N] [--json FILE] [--write]``.

Starts the snapshot server, runs every group side by side, prints Markdown, and with ``--write`` keeps it as
``docs/reference/benchmarks.md``.  ``--only`` takes names of rows or groups.  The working folder is
``benchmarks/results/tmp``, on the file system of the checkout, and is removed at the end.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

if not __package__:  # started by path: the folder above holds the package `benchmarks`
    sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

from benchmarks.environments import remove
from benchmarks.jobs import HERE, ROOT, Accord, find_python
from benchmarks.measure import Group, run_group
from benchmarks.own import install
from benchmarks.report import machine, markdown, record
from benchmarks.rows import ROWS, Bench


@contextmanager
def index(snapshot: str) -> Iterator[str]:
    """The address of a freshly started snapshot server, which ends with the block."""
    script = os.path.join(HERE, "server.py")
    server = subprocess.Popen(
        [sys.executable, script, "--snapshot", snapshot], stdout=subprocess.PIPE, text=True
    )
    assert server.stdout is not None
    try:
        url = server.stdout.readline().strip()
        if not url:
            raise SystemExit(1)  # the server has said why
        yield url
    finally:
        server.terminate()
        server.wait()


def stats(url: str) -> dict[str, object]:
    with urllib.request.urlopen(url.removesuffix("simple/") + "-/stats") as answer:
        told: dict[str, object] = json.load(answer)
    return told


def requests_counter(url: str) -> int:
    count = stats(url)["requests"]
    assert isinstance(count, int)
    return count


def chosen(groups: list[Group], only: list[str]) -> list[Group]:
    """The groups named, or holding a row named, in ``only``; all without it.  Raises ``SystemExit`` for an unknown."""
    known = {row.name: row.group for row in ROWS} | {group.name: group.name for group in groups}
    unknown = [name for name in only if name not in known]
    if unknown:
        raise SystemExit(f"unknown: {', '.join(unknown)}; known: {', '.join(sorted(known))}")
    wanted = {known[name] for name in only}
    return [group for group in groups if not wanted or group.name in wanted]


def _said(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip().partition(" from ")[0] if done.returncode == 0 else "absent"


def facts(bench: Bench, python: str) -> list[str]:
    versions = [_said(bench.uv.version().command), _said(bench.pip.version().command)]
    versions += [_said(bench.accord.version().command)] if Accord.present() else ["accord absent"]
    inside = _said([python, "--version"])
    return [
        f"Machine: {machine(bench.folder)}.",
        f"Versions: {', '.join(versions)}; environments for {inside}, tools in Python run on {sys.version.split()[0]}.",
        "Accord is installed from its wheels into an environment of its own, as with `pipx` or `uv tool`.",
    ]


def measure(options: argparse.Namespace, folder: str, url: str) -> None:
    python = find_python(options.python)
    checkout = Accord.present()
    own = None if checkout is None else install(checkout, ROOT, os.path.join(folder, "own"))
    bench = Bench(folder, url, python, accord=own, with_pip=not options.no_pip)
    known = facts(bench, python)
    groups = chosen(bench.groups(), options.only)
    if checkout is None:
        for group in groups:
            group.contenders[:] = [one for one in group.contenders if not one.label.startswith("accord")]

    def say(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    for group in groups:
        say(group.name)
        run_group(group, options.runs, folder, lambda: requests_counter(url), say)
        for one in group.contenders:
            median = one.median()
            say(f"  {one.label}: {'-' if median is None else f'{median:.3f} s'} ({len(one.samples)} runs)")
    compared = [bench.same_versions(name) for name in ("science-web", "airflow")]
    notes = [note for note in compared if note]
    missed = stats(url)["missed"]
    assert isinstance(missed, list)
    if missed:
        names = ", ".join(path.rpartition("/files/")[2].rpartition("/")[2] or path for path in missed[:10])
        notes.append(f"{len(missed)} documents asked for are not in the snapshot: {names}.")
    page = markdown(groups, known, notes)
    print(page)
    if options.json:
        with open(options.json, "w") as stream:
            json.dump(record(groups, known, notes), stream, indent=1)
    if options.write:
        with open(os.path.join(ROOT, "docs", "reference", "benchmarks.md"), "w") as stream:
            stream.write(page)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--only", action="extend", nargs="+", default=[], metavar="NAME", help="rows or groups"
    )
    parser.add_argument("--runs", type=int, help="rounds of each group, instead of its own number")
    parser.add_argument("--json", metavar="FILE", help="write every sample there")
    parser.add_argument("--write", action="store_true", help="keep the page in docs/reference/benchmarks.md")
    parser.add_argument("--no-pip", action="store_true", help="leave pip out: it takes minutes")
    parser.add_argument("--python", default="3.12", help="the interpreter environments are made for")
    parser.add_argument("--snapshot", default=os.path.join(HERE, "snapshot"))
    options = parser.parse_args()
    signal.signal(
        signal.SIGTERM, lambda number, _frame: sys.exit(128 + number)
    )  # ended from outside: still clears up
    folder = os.path.join(HERE, "results", "tmp", str(os.getpid()))
    os.makedirs(folder)
    try:
        with index(os.path.abspath(options.snapshot)) as url:
            measure(options, folder, url)
    finally:
        remove(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
