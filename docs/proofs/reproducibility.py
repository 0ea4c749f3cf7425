"""The page of ``reproducible.py``: what was changed, a table without and one with a date, and what differed first.

Knows finished rows and words; builds and compares nothing.
"""

from __future__ import annotations

import os
import re
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reproducible import Circumstance, Outcome, Row

__all__ = ["cell", "differences", "page"]

# What is another one at each build: which one says nothing about what differs.
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}|(?<=urn:uuid:)[0-9a-f-]{36}")
_HEAD = """\
# Reproducible builds

Written by `python docs/proofs/reproducible.py`. Each hook, `build_sdist` and `build_wheel`, runs in an interpreter of its
own on a fresh copy of the tree: once as things are (root folder, user, umask 022, `C.UTF-8`, UTC, one hash seed), and once
for each circumstance below; *yes* says that sdist and wheel have the same bytes both times. No frontend stands between,
so that nothing shields a backend; the last column is `accord build`, which does. All rows are from one run.
"""


def page(
    rows: Sequence[Row],
    circumstances: Sequence[Circumstance],
    scratch: str,
    pythons: Sequence[tuple[str, str]],
    installed: str,
) -> str:
    own = [row for row in rows if row.shape.ours]
    held = sum(not outcome for row in own for outcome in row.cells.values())
    tried = sum(not _untried(outcome) for row in own for outcome in row.cells.values())
    lines = [_HEAD, f"**Ours: {held} of {tried} comparisons are the same.** Peers: {installed}.", ""]
    lines += _circumstances(circumstances, pythons)
    for date, title in ((None, "Without `SOURCE_DATE_EPOCH`"), ("", "With `SOURCE_DATE_EPOCH`")):
        chosen = [row for row in rows if bool(row.date) is (date is not None)]
        lines += [f"## {title}", "", *_table(chosen, circumstances), ""]
    lines += ["## What differs first", "", *_differences(rows, scratch), ""]
    return "\n".join([*lines, _NOT_TRIED])


_NOT_TRIED = """\
## What is not tried

*Machines* are here another uid, home, host name, root folder, Python, processor count and order of folders, on one computer:
not another processor, file system, distribution, compiler or linker. An extension module is as reproducible as the
compiler that made it, and the rows of C say no more than that. What is packed does not depend on zlib; how it is packed
does, and the same bytes are promised for the same zlib: another one (zlib-ng, say) gives files of another digest with the
same members. The user is another one by a user namespace, in which the tree is his; a second account is not made.
"""


def _circumstances(circumstances: Sequence[Circumstance], pythons: Sequence[tuple[str, str]]) -> list[str]:
    lines = ["| circumstance | what is changed |", "| --- | --- |"]
    lines += [
        f"| {how.title} | {_python_words(pythons) if how.python else how.words} |" for how in circumstances
    ]
    return [*lines, ""]


def _python_words(pythons: Sequence[tuple[str, str]]) -> str:
    names = ", ".join(name.removeprefix("python") for name, _ in pythons)
    code = "import zlib; print(zlib.ZLIB_RUNTIME_VERSION)"
    told = {
        subprocess.run([path, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
        for _, path in pythons
    }
    zlibs = f"all with zlib {told.pop()}" if len(told) == 1 else f"with zlib {', '.join(sorted(told))}"
    return (
        f"our backend on {names}, {zlibs}; others on 3.11, 3.12 and 3.13, where the same release of them runs;"
        " of projects with extension modules the sdist only"
    )


def _untried(outcome: Outcome) -> bool:
    return isinstance(outcome, str) and outcome.startswith("not tried")


def _table(rows: Sequence[Row], circumstances: Sequence[Circumstance]) -> list[str]:
    titles = [how.title for how in circumstances]
    lines = [f"| project | backend | {' | '.join(titles)} |", "| --- " * (len(titles) + 2) + "|"]
    for row in rows:
        cells = [cell(row.cells.get(title, "not tried")) for title in titles]
        lines.append(f"| {row.shape.name} | {row.shape.backend} | {' | '.join(cells)} |")
    return lines


def cell(outcome: Outcome) -> str:
    """*yes*, or what is not the same."""
    if isinstance(outcome, str):
        return "–" if _untried(outcome) else "**fails**"
    if not outcome:
        return "yes"
    return "**no**" if len(outcome) > 1 else f"**no** ({next(iter(outcome))})"


def differences(row: Row, scratch: str) -> dict[tuple[str, str], list[str]]:
    """``(kind, first difference)`` to the circumstances that show it."""
    found: dict[tuple[str, str], list[str]] = {}
    first: dict[tuple[str, str], str] = {}
    for title, outcome in row.cells.items():
        told = outcome if isinstance(outcome, dict) else {} if _untried(outcome) else {"both": outcome}
        for kind, words in told.items():
            shown = first.setdefault((kind, _MOMENT.sub("", words)), _readable(words, scratch))
            found.setdefault((kind, shown), []).append(title)
    return found


def _readable(words: str, scratch: str) -> str:
    """Without places of this machine, in one cell of a table."""
    for place, name in ((scratch, "…"), (os.path.realpath(scratch), "…"), (os.path.expanduser("~"), "~")):
        words = words.replace(place, name)
    words = " ".join(words.split()).replace("|", "\\|")
    return (
        words
        if len(words) <= 170
        else words[:168].rstrip("`") + ("`…" if words[:168].count("`") % 2 else "…")
    )


def _differences(rows: Sequence[Row], scratch: str) -> list[str]:
    lines = [
        "| project | backend | date | what | circumstances | first difference |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for row in rows:
        for (kind, words), titles in differences(row, scratch).items():
            date = "set" if row.date else "none"
            lines.append(
                f"| {row.shape.name} | {row.shape.backend} | {date} | {kind} | {', '.join(titles)} | {words} |"
            )
    return lines
