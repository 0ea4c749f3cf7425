"""The first thing two archives differ in, in one line, by ``accord.wheels``.

RECORD and the sizes in it follow from the rest, so they come last.  Bytes that are no text are told by the section of the
object file, or the place, where they begin to differ.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from accord.build.reproducible import explain
from accord.wheels.compare import compare
from accord.wheels.textdiff import text_diffs

if TYPE_CHECKING:
    from accord.wheels.compare import Change, Comparison

__all__ = ["first_difference"]


def first_difference(one: str, other: str) -> str:
    """Empty where the two files have the same name and the same bytes."""
    if os.path.basename(one) != os.path.basename(other):
        return f"it is called {os.path.basename(other)}"
    comparison = compare(one, other)
    if comparison.identical_bytes:
        return ""
    for words, changes in (
        ("only the first has", comparison.removed),
        ("only the second has", comparison.added),
    ):
        if changes:
            return f"{words} `{changes[0].path}`"
    changed = sorted(comparison.changed, key=lambda change: ("content" not in change.what, _late(change)))
    if not changed:
        return explain(one, other)[-1].strip()
    return _told(comparison, changed[0])


def _late(change: Change) -> bool:
    return change.path.endswith(("/RECORD", "/SOURCES.txt"))


def _told(comparison: Comparison, change: Change) -> str:
    old, new = change.old, change.new
    assert old is not None and new is not None
    if "content" in change.what:
        return f"`{change.path}`: {_content(comparison, change)}"
    values = {
        "mode": lambda: f"mode {old.mode or 0:o} and {new.mode or 0:o}",
        "time": lambda: f"time {old.when} and {new.when}",
        "owner": lambda: f"owner {old.owner} and {new.owner}",
    }
    words = [values[what]() if what in values else what for what in change.what]
    return f"`{change.path}`: {', '.join(words)}"


def _content(comparison: Comparison, change: Change) -> str:
    for diff in text_diffs(comparison):
        if diff.path == change.path and diff.lines:
            lines = [line for line in diff.lines if line[:1] in "+-" and not line.startswith(("---", "+++"))]
            removed = next((line[1:].strip() for line in lines if line.startswith("-")), "")
            added = next((line[1:].strip() for line in lines if line.startswith("+")), "")
            return f"`{removed}` and `{added}`"
    found = [line.strip() for line in explain(comparison.old, comparison.new)]
    start = f"{change.path}: contents"
    return next((line.partition(": ")[2] for line in found if line.startswith(start)), "contents")
