"""Killed at any step, the environment is the old one or the new one once the next command has looked at it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from accord.environments.create import create
from accord.environments.history import undo
from accord.environments.installed import installed
from accord.environments.plan import plan
from accord.environments.seal import seal
from accord.environments.transaction import recover
from accord.io.files import remove_tree
from accord.testing.installing import Bench, dies_at, snapshot, steps_of

if TYPE_CHECKING:
    from collections.abc import Callable

OLD = {"spam/__init__.py": b"v = 1\n", "spam/gone.py": b"", "ns/a.py": b"", "DATA/data/share/s.txt": b"1"}
NEW = {"spam/__init__.py": b"v = 2\n", "spam/came.py": b"", "ns/b.py": b"", "DATA/data/share/s.txt": b"2"}
POINTS = "[console_scripts]\nspam = spam:main\n"


def _kill_everywhere(bench: Bench, reset: Callable[[], None], action: Callable[[], object]) -> set[str]:
    """Die at each step of ``action`` in turn; after recovery it must be old or new.  The steps that led to each."""
    reset()
    old = snapshot(bench.env)
    said = steps_of(action)
    new = snapshot(bench.env)
    assert old != new
    outcomes = set()
    for number, name in enumerate(said):
        reset()
        assert dies_at(number, action), name
        recover(bench.env)
        found = snapshot(bench.env)
        assert found in (old, new), f"killed at step {number}, {name}"
        outcomes.add(f"{name}: {'new' if found == new else 'old'}")
        assert not os.path.exists(f"{bench.env}/.accord/journal")
        assert not os.path.exists(f"{bench.env}/.accord/txn")
        # and the next attempt succeeds
        if found == old:
            action()
        assert snapshot(bench.env) == new
    return outcomes


def _remake(bench: Bench, *wanted: object) -> None:
    remove_tree(bench.env)
    create(bench.env, bench.python)
    bench.install(*wanted)  # type: ignore[arg-type]


def test_an_upgrade(bench: Bench) -> None:
    eggs = bench.wanted("eggs", files={"eggs.py": b"", "ns/eggs.py": b""})
    old, new = bench.wanted(files=OLD), bench.wanted("spam", "2.0", NEW, entry_points=POINTS)
    outcomes = _kill_everywhere(
        bench, lambda: _remake(bench, old, eggs), lambda: bench.install(new, eggs, key="new")
    )
    assert outcomes == {
        "apply-journal: old",
        "apply-moves: old",
        "apply-move: old",
        "apply-commit: old",
        "apply-clean: new",
    }


def test_the_first_install(bench: Bench) -> None:
    new = bench.wanted(files=NEW, entry_points=POINTS)
    _kill_everywhere(bench, lambda: _remake(bench), lambda: bench.install(new))


def test_an_undo(bench: Bench) -> None:
    old, new = bench.wanted(files=OLD), bench.wanted("spam", "2.0", NEW, entry_points=POINTS)

    def reset() -> None:
        _remake(bench, old)
        bench.install(new)

    _kill_everywhere(bench, reset, lambda: undo(bench.env))


def test_killed_while_recovering(bench: Bench) -> None:
    old, new = bench.wanted(files=OLD), bench.wanted("spam", "2.0", NEW)
    _remake(bench, old)
    before = snapshot(bench.env)
    said = steps_of(lambda: bench.install(new))
    last = said.index("apply-commit")

    def crash() -> None:
        _remake(bench, old)
        assert dies_at(last, lambda: bench.install(new))

    crash()
    healing = steps_of(lambda: recover(bench.env))
    assert healing.count("recover-move") > 3
    for number in range(len(healing)):
        crash()
        assert dies_at(number, lambda: recover(bench.env))
        recover(bench.env)
        assert snapshot(bench.env) == before
        assert plan(bench.env, [old]).empty


def test_a_plan_made_before_a_crash_was_seen_is_still_right_after_it(bench: Bench) -> None:
    old, new = bench.wanted(files=OLD), bench.wanted("spam", "2.0", NEW)
    _remake(bench, old)
    said = steps_of(lambda: bench.install(new))
    after = snapshot(bench.env)
    for number in range(said.index("apply-moves"), said.index("apply-commit") + 1):
        _remake(bench, old)
        assert dies_at(number, lambda: bench.install(new))
        bench.install(new)  # plans for what the crash left, and heals it first
        assert snapshot(bench.env) == after
        assert not recover(bench.env)
        assert [one.version for one in installed(bench.env)] == ["2.0"]


@pytest.mark.parametrize("there", [False, True], ids=["new", "switched"])
def test_sealing(bench: Bench, there: bool) -> None:
    old, new = bench.wanted(files=OLD), bench.wanted("spam", "2.0", NEW, entry_points=POINTS)

    def put(key: str, want: object) -> None:
        seal(bench.env, bench.python, key, lambda: [want], cache_dir=bench.cache)  # type: ignore[list-item]

    def reset() -> None:
        remove_tree(bench.env)
        remove_tree(f"{bench.cache}/closures-v1")
        if there:
            put("old", old)

    reset()
    before = snapshot(bench.env) if there else {}
    said = steps_of(lambda: put("new", new))
    after = snapshot(bench.env)
    inside = snapshot(f"{bench.site}/")
    for number, name in enumerate(said):
        reset()
        assert dies_at(number, lambda: put("new", new)), name
        if os.path.exists(bench.env):
            recover(bench.env)
        assert (snapshot(bench.env) if os.path.exists(bench.env) else {}) in (before, after), name
        put("new", new)
        assert snapshot(bench.env) == after
        assert snapshot(f"{bench.site}/") == inside
