"""What was done can be taken back at the price of the change, and the taking back too."""

from __future__ import annotations

import os

import pytest

from accord.environments.create import create
from accord.environments.history import history, undo
from accord.environments.plan import plan
from accord.environments.state import unchanged
from accord.environments.transaction import KEPT
from accord.testing.installing import Bench, run_python, snapshot
from accord_core.errors import InstallError


@pytest.fixture
def made(bench: Bench) -> Bench:
    create(bench.env, bench.python)
    return bench


def test_undo_brings_back_the_files_the_state_and_nothing_else(made: Bench) -> None:
    spam1 = made.wanted(files={"spam/__init__.py": b"v = 1\n", "old.py": b"", "DATA/data/share/s.txt": b"1"})
    spam2 = made.wanted("spam", "2.0", {"spam/__init__.py": b"v = 2\n", "new.py": b""})
    made.install(spam1, key="one", command="sync")
    first = snapshot(made.env)
    made.install(spam2, key="two", command="upgrade spam")
    second = snapshot(made.env)
    run_python(made.env, "-c", "import spam, new")
    undone = undo(made.env)
    assert (undone.command, undone.added, undone.removed) == (
        "upgrade spam",
        (("spam", "2.0"),),
        (("spam", "1.0"),),
    )
    assert snapshot(made.env) == first
    assert unchanged(made.env, "one")
    assert plan(made.env, [spam1]).empty
    assert run_python(made.env, "-c", "import spam, old; print(spam.v)").stdout == "1\n"
    undo(made.env, redo=True)
    assert snapshot(made.env) == second
    assert unchanged(made.env, "two")
    assert run_python(made.env, "-c", "import spam; print(spam.v)").stdout == "2\n"


def test_undo_walks_back_step_by_step_to_the_empty_environment(made: Bench) -> None:
    states = [snapshot(made.env)]
    for version in ("1.0", "2.0", "3.0"):
        made.install(made.wanted("spam", version, {"spam.py": f"v = {version}\n".encode()}))
        states.append(snapshot(made.env))
    for state in reversed(states[:-1]):
        undo(made.env)
        assert snapshot(made.env) == state
    with pytest.raises(InstallError) as caught:
        undo(made.env)
    assert caught.value.code == "nothing-to-undo"


def test_after_a_new_change_the_last_thing_undone_is_that_change(made: Bench) -> None:
    made.install(made.wanted("spam", "1.0"))
    one = snapshot(made.env)
    made.install(made.wanted("spam", "2.0"))
    undo(made.env)
    made.install(made.wanted("spam", "3.0"))
    with pytest.raises(InstallError):
        undo(made.env, redo=True)
    undo(made.env)
    assert snapshot(made.env) == one


def test_a_module_is_never_run_from_what_was_compiled_for_another_version(made: Bench) -> None:
    # Same size, same second: time and size do not tell the two apart.
    one = made.wanted("spam", "1.0", {"spam.py": b"v = 1\n"})
    two = made.wanted("spam", "2.0", {"spam.py": b"v = 2\n"})
    for want in (one, two):
        assert want.entry is not None
        os.utime(f"{want.entry.path}/site/spam.py", (1_700_000_000, 1_700_000_000))
    show = ("-c", "import spam; print(spam.v)")
    made.install(one)
    assert run_python(made.env, *show).stdout == "1\n"
    made.install(two)
    assert run_python(made.env, *show).stdout == "2\n"
    undo(made.env)
    assert run_python(made.env, *show).stdout == "1\n"


def test_what_something_else_changed_since_is_not_undone_over(made: Bench) -> None:
    made.install(made.wanted("spam", "1.0", {"spam.py": b"1"}))
    made.install(made.wanted("spam", "2.0", {"spam.py": b"2"}))
    os.unlink(f"{made.site}/spam.py")
    before = snapshot(made.env)
    with pytest.raises(InstallError) as caught:
        undo(made.env)
    assert caught.value.code == "undo-conflict"
    assert snapshot(made.env) == before
    assert [one.undone for one in history(made.env)] == [False, False]


def test_history_tells_what_happened_and_forgets_the_oldest(made: Bench) -> None:
    for number in range(KEPT + 2):
        made.install(made.wanted("spam", f"{number}.0"), command=f"step {number}")
    told = history(made.env)
    assert [one.command for one in told] == [f"step {number}" for number in range(2, KEPT + 2)]
    assert told[-1].added == (("spam", f"{KEPT + 1}.0"),)
    assert all(one.time > 1_700_000_000 for one in told)


def test_undo_costs_as_little_as_the_change(made: Bench) -> None:
    big = made.wanted("big", files={f"big/m{n}.py": b"" for n in range(500)})
    made.install(big)
    made.install(big, made.wanted())
    from accord.testing.installing import steps_of

    assert steps_of(lambda: undo(made.env)).count("apply-move") < 5
