"""Records as text: tables, trees, sizes, and what a lock or an environment went through.

Turns values into lines and writes nothing itself, so that every command says the same thing in the same words.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from accord.cli.context import Context
    from accord.cli.paint import Paint
    from accord.tasks.outcomes import LockOutcome, SyncOutcome
    from accord.tasks.trees import Branch

__all__ = [
    "changes", "lock_record", "plural", "short_path", "show_lock", "show_sync", "size", "swap", "sync_record",
    "sync_summary", "table", "tree",
]  # fmt: skip


def table(headers: Sequence[str], rows: Iterable[Sequence[str]], paint: Paint) -> Iterator[str]:
    """Columns as wide as their widest cell; empty trailing columns leave no spaces."""
    cells = [tuple(row) for row in rows]
    widths = [max(len(line[column]) for line in (headers, *cells)) for column in range(len(headers))]
    yield paint(_line(headers, widths), "bold")
    yield _line(["-" * width for width in widths], widths)
    for row in cells:
        yield _line(row, widths)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True)).rstrip()


def plural(number: int, noun: str) -> str:
    """``1 package``, ``2 packages``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def size(octets: int) -> str:
    """Bytes in the largest unit that leaves a number of at least one: ``1.5 MB`` (powers of 1000)."""
    amount = float(octets)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 999.5:
            return f"{amount:.0f} {unit}" if unit == "B" or amount >= 99.95 else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} TB"


def short_path(path: str) -> str:
    """``path`` from here if it lies below, else as it is."""
    import os

    here = os.getcwd()
    if path == here:
        return "."
    return path[len(here) + 1 :] if path.startswith(here + os.sep) else path


def changes(outcome: SyncOutcome | LockOutcome, paint: Paint) -> Iterator[str]:
    """One line for every package that comes, goes or changes, in order of name."""
    lines: list[tuple[str, str]] = []
    for name, version in outcome.added:
        lines.append((name, f" {paint('+', 'green')} {name} {version}"))
    for name, version in outcome.removed:
        lines.append((name, f" {paint('-', 'red')} {name} {version}"))
    for name, old, new in outcome.replaced:
        text = f"{old} -> {new}" if old != new else f"{new} (again)"
        lines.append((name, f" {paint('~', 'yellow')} {name} {text}"))
    for _, line in sorted(lines):
        yield line


def swap(came: Iterable[tuple[str, str]], went: Iterable[tuple[str, str]]) -> SyncOutcome:
    """What came and what went as one outcome: a name that did both was replaced."""
    from accord.tasks.outcomes import SyncOutcome

    new, old = dict(came), dict(went)
    return SyncOutcome(
        env="",
        added=[(name, version) for name, version in new.items() if name not in old],
        removed=[(name, version) for name, version in old.items() if name not in new],
        replaced=[(name, old[name], version) for name, version in new.items() if name in old],
    )


def sync_summary(outcome: SyncOutcome) -> str:
    """What became of an environment, in one line."""
    where = short_path(outcome.env)
    kind = "sealed environment" if outcome.sealed else "environment"
    if not outcome.changed and not outcome.created:
        return f"{kind} {where} is up to date: {plural(outcome.kept, 'package')} ({outcome.seconds:.2f} s)"
    parts = [
        f"{verb} {len(items)}"
        for verb, items in (
            ("added", outcome.added),
            ("replaced", outcome.replaced),
            ("removed", outcome.removed),
        )
        if items
    ]
    if outcome.kept:
        parts.append(f"kept {outcome.kept}")
    what = ", ".join(parts) or "empty"
    would = "would have " if outcome.dry_run else ""
    made = "new " if outcome.created else ""
    return f"{made}{kind} {where}: {would}{what} ({outcome.seconds:.2f} s)"


def show_sync(outcome: SyncOutcome, context: Context) -> None:
    """The record, or the changes and the summary."""
    if context.json:
        context.emit(sync_record(outcome))
        return
    for line in changes(outcome, context.paint_error):
        context.say(line)
    context.say(sync_summary(outcome))


def show_lock(outcome: LockOutcome, context: Context) -> None:
    """The record, or the changes and the summary."""
    if context.json:
        context.emit(lock_record(outcome))
        return
    for line in changes(outcome, context.paint_error):
        context.say(line)
    became = "written" if outcome.written else "not written" if outcome.changed else "up to date"
    context.say(f"lock {short_path(outcome.path)}: {became} ({outcome.seconds:.2f} s)")
    if outcome.written:
        say_for_pip(outcome.lock, context)


def say_for_pip(lock: object, context: Context) -> None:
    """Which entries of a lock just written pip refuses unless told otherwise, in one line; nothing if there is none."""
    from accord.tasks.outcomes import unhashed

    names = ", ".join(f"{name} ({kind})" for name, kind in unhashed(lock))
    if names:
        context.say(
            f"note: there is no hash of {names}, so pip needs to be told: "
            "pip install --no-deps --no-require-hashes -r (pip 26.2 or newer)"
        )


def _change_record(outcome: SyncOutcome | LockOutcome) -> dict[str, object]:
    return {
        "added": [{"name": name, "version": version} for name, version in outcome.added],
        "removed": [{"name": name, "version": version} for name, version in outcome.removed],
        "replaced": [{"name": name, "from": old, "to": new} for name, old, new in outcome.replaced],
        "seconds": round(outcome.seconds, 3),
    }


def sync_record(outcome: SyncOutcome) -> dict[str, object]:
    """The record of a :class:`SyncOutcome` for ``--json``."""
    return {
        "environment": outcome.env,
        "created": outcome.created,
        "sealed": outcome.sealed,
        "dry_run": outcome.dry_run,
        "kept": outcome.kept,
        **_change_record(outcome),
    }


def lock_record(outcome: LockOutcome) -> dict[str, object]:
    """The record of a :class:`LockOutcome` for ``--json``."""
    return {"lock": outcome.path, "written": outcome.written, **_change_record(outcome)}


def tree(branches: Sequence[Branch], paint: Paint, *, asked: bool = False) -> Iterator[str]:
    """Trees with lines; ``asked`` adds what was asked for.  ``(*)`` marks what was shown above already."""
    for branch in branches:
        yield _label(branch, paint, asked=asked)
        yield from _below(branch.branches, "", paint, asked=asked)


def _below(branches: Sequence[Branch], indent: str, paint: Paint, *, asked: bool) -> Iterator[str]:
    for index, branch in enumerate(branches, 1):
        last = index == len(branches)
        yield paint(indent + ("└── " if last else "├── "), "dim") + _label(branch, paint, asked=asked)
        yield from _below(branch.branches, indent + ("    " if last else "│   "), paint, asked=asked)


def _label(branch: Branch, paint: Paint, *, asked: bool) -> str:
    text = paint(branch.label, "bold")
    if branch.version:
        text += f" {branch.version}"
    if asked and branch.asked:
        text += paint(f" [asked: {branch.asked}]", "dim")
    if branch.missing:
        text += paint(" (missing)", "red")
    if branch.repeated:
        text += paint(" (*)", "dim")
    return text
