"""The text of members that differ, as a unified diff, within limits.

What is no text (not UTF-8, or with a zero byte) or longer than the limit is only said to differ.  Lines of strangers are
handed on as they are: whoever shows them makes control characters visible.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from accord.wheels.contents import open_contents
from accord.wheels.limits import DEFAULT

if TYPE_CHECKING:
    from accord.wheels.compare import Change, Comparison
    from accord.wheels.limits import Limits

__all__ = ["TextDiff", "text_diffs"]


@dataclass(frozen=True, slots=True)
class TextDiff:
    """The ``lines`` of one member's diff; ``note`` says why there are none, or that some were left out."""

    path: str
    lines: tuple[str, ...]
    note: str = ""

    def as_dict(self) -> dict[str, object]:
        return {"path": self.path, "lines": list(self.lines), "note": self.note or None}


def text_diffs(comparison: Comparison, limits: Limits = DEFAULT) -> tuple[TextDiff, ...]:
    """The diffs of all members whose content differs, in the order of the comparison."""
    wanted = [change for change in comparison.changed if "content" in change.what]
    chosen = wanted[: limits.text_members]
    with open_contents(comparison.old, limits) as old, open_contents(comparison.new, limits) as new:
        before = old.read({change.old.path for change in chosen if change.old}, limits.text_bytes)
        after = new.read({change.new.path for change in chosen if change.new}, limits.text_bytes)
    found = [_diff(change, before, after, limits) for change in chosen]
    if len(wanted) > len(chosen):
        found.append(TextDiff("", (), f"{len(wanted) - len(chosen)} more members differ"))
    return tuple(found)


def _diff(change: Change, before: dict[str, bytes], after: dict[str, bytes], limits: Limits) -> TextDiff:
    assert change.old is not None and change.new is not None
    one, other = before.get(change.old.path), after.get(change.new.path)
    if one is None or other is None:
        return TextDiff(change.path, (), f"longer than {limits.text_bytes} bytes")
    old, new = _text(one), _text(other)
    if old is None or new is None:
        return TextDiff(change.path, (), "not text")
    if max(len(old), len(new)) > limits.text_source_lines:
        return TextDiff(change.path, (), f"more than {limits.text_source_lines} lines")
    lines: list[str] = []
    for line in difflib.unified_diff(old, new, change.old.path, change.new.path, lineterm="", n=2):
        if len(lines) == limits.text_lines:
            return TextDiff(change.path, tuple(lines), "further lines are left out")
        lines.append(line)
    return TextDiff(change.path, tuple(lines), "" if lines else "only line ends differ")


def _text(data: bytes) -> list[str] | None:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text.splitlines()
