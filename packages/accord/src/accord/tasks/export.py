"""``accord export``: a lock in another form, with the parts of it a person selects.

The requirements form is for tools that know no ``pylock.toml``; it knows neither extras nor groups, so both are
decided here, and markers stay.  The ``pylock.toml`` form is the same lock without Accord's own tables.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from accord.io.outputs import write_output
from accord.tasks.inspect_lock import read_lock
from accord.tasks.lockpaths import moved, with_urls
from accord.tasks.selecting import choose
from accord_core.lock.requirements import Layout, dumps_requirements
from accord_core.lock.write import dumps

if TYPE_CHECKING:
    from accord.tasks.settings import CompileOutput, Selection
    from accord_core.lock.model import Lock

__all__ = ["ExportOutcome", "export"]


@dataclass(frozen=True, slots=True)
class ExportOutcome:
    """The exported text, where it was written (``None``: nowhere), and how many packages the lock has."""

    text: str
    path: str | None
    packages: int


def export(
    lock_path: str,
    *,
    selection: Selection,
    form: CompileOutput,
    output: str | None,
) -> ExportOutcome:
    """Write the lock at ``lock_path`` in the form asked for to ``output``, or only hand the text back (None, ``-``)."""
    output = None if output == "-" else output
    lock = read_lock(lock_path)
    base = os.path.dirname(os.path.abspath(lock_path))
    if form.format == "pylock.toml":
        text = _pylock(moved(lock, base, os.path.dirname(os.path.abspath(output or "pylock.toml"))))
    else:
        text = _requirements(with_urls(lock, base), selection, form)
    if output is not None:
        write_output(output, text.encode())
    return ExportOutcome(text, output, len(lock.packages))


def _pylock(lock: Lock) -> str:
    plain = [package.replace(tool=None) for package in lock.packages]
    return dumps(lock.replace(packages=tuple(plain), tool=None))


def _requirements(lock: Lock, selection: Selection, form: CompileOutput) -> str:
    parts = choose(lock, selection)
    if parts.names is not None:
        kept = tuple(package for package in lock.packages if package.name in parts.names)
        lock = lock.replace(packages=kept)
    layout = Layout(
        hashes=form.hashes,
        annotate=form.annotate,
        annotation_style=form.annotation_style,
        strip_markers=form.strip_markers,
        command=form.command if form.header else None,
        leave_out=frozenset(form.no_emit),
    )
    return dumps_requirements(lock, layout, extras=parts.extras, groups=parts.groups)
