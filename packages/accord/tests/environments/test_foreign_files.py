"""What another tool puts into Accord's own folder is not believed, and no wheel of Accord's puts anything there."""

from __future__ import annotations

import marshal
import os
import time
from typing import TYPE_CHECKING

import pytest

from accord.environments import rows, state
from accord.environments.create import create
from accord.environments.history import history, undo
from accord.environments.journal import dump_moves
from accord.environments.seal import seal
from accord.environments.transaction import recover
from accord.testing.installing import Bench, snapshot
from accord_core.errors import AccordError, ArchiveError

if TYPE_CHECKING:
    from pathlib import Path

Moves = list[tuple[str, str]]


@pytest.fixture
def made(bench: Bench) -> Bench:
    create(bench.env, bench.python)
    bench.install(bench.wanted(files={"spam.py": b"", "DATA/data/share/s.txt": b"1"}))
    return bench


def put(bench: Bench, name: str, data: bytes) -> None:
    path = f"{bench.env}/.accord/{name}"
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(data)


def code(action: object) -> str:
    with pytest.raises(AccordError) as caught:
        action()  # type: ignore[operator]
    return caught.value.code


def everything(folder: str) -> set[str]:
    return {os.path.join(above, name) for above, _, names in os.walk(folder) for name in names}


OUTSIDE = "../../stolen"
FORGED: dict[str, Moves] = {
    "from outside": [("stolen", OUTSIDE)],
    "to outside": [(OUTSIDE, ".accord/txn/ab/k")],
    "to outside through history": [(OUTSIDE, ".accord/history/5/old/../../stolen")],
    "absolute": [("/tmp/x", ".accord/history/5/old//tmp/x")],
    "another name": [("bin/python", ".accord/txn/ab/k")],
    "another change": [("share/s.txt", ".accord/history/4/old/share/s.txt")],
    "two levels of aside": [(".accord/txn/../k/share", "share")],
    "onto our own": [(".accord/txn/ab/.accord/state", ".accord/state")],
    "dots": [(".accord/txn/ab/./share", "./share")],
    "nul": [(".accord/txn/ab/a\0b", "a\0b")],
    "empty": [("", "")],
}


@pytest.mark.parametrize("moves", FORGED.values(), ids=FORGED)
def test_a_journal_of_other_moves_is_refused_and_nothing_happens(made: Bench, moves: Moves) -> None:
    put(made, "journal", dump_moves(5, moves))
    put(made, "k", b"evil")
    before = everything(made.folder)
    assert code(lambda: recover(made.env)) == "journal-damaged"
    assert everything(made.folder) - before == {f"{made.env}/.accord/lock"} - before


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0" * 100,
        marshal.dumps((1, 5, [("../../stolen", ".accord/k")])),
        b"accord-journal 2\n",
        b"accord-journal 2\n5\na\n",
        b"accord-journal 2\n5\na\tb\tc\n",
        b"accord-journal 2\n\xc2\xb2\n",
        b"accord-journal 2\n-1\n",
        b"accord-journal 2\n../5\n",
        b"accord-journal 2\n" + b"9" * 5000 + b"\n",
        b"accord-journal 2\n5\na\tb",
    ],
)
def test_a_journal_of_another_form_is_refused(made: Bench, data: bytes) -> None:
    put(made, "journal", data)
    assert code(lambda: recover(made.env)) == "journal-damaged"
    assert code(lambda: made.install()) == "journal-damaged"


def test_a_folder_in_the_place_of_the_journal(made: Bench) -> None:
    put(made, "journal/x", b"")
    assert code(lambda: recover(made.env)) == "journal-damaged"


def test_a_move_through_a_link_is_refused(made: Bench, tmp_path: Path) -> None:
    os.makedirs(tmp_path / "home")
    os.symlink(tmp_path / "home", f"{made.env}/out")
    put(made, "txn/ab/k", b"evil")
    put(made, "journal", dump_moves(5, [("out/keys", ".accord/history/5/old/out/keys")]))
    put(made, "history/5/old/out/keys", b"evil")
    assert code(lambda: recover(made.env)) == "journal-damaged"
    assert os.listdir(tmp_path / "home") == []


def test_a_journal_as_accord_writes_it_is_carried_out(made: Bench) -> None:
    before = snapshot(made.env)
    os.makedirs(f"{made.env}/.accord/history/5/old/share")
    os.rename(f"{made.env}/share/s.txt", f"{made.env}/.accord/history/5/old/share/s.txt")
    put(made, "journal", dump_moves(5, [("share/s.txt", ".accord/history/5/old/share/s.txt")]))
    assert recover(made.env)
    assert snapshot(made.env) == before


def by_another_tool(bench: Bench, *own: str) -> None:
    """A distribution as pip installs it, with files in Accord's own folder."""
    folder = f"{bench.site}/evil-1.0.dist-info"
    os.makedirs(folder)
    lines = [f"../../../.accord/{name},," for name in own] + ["evil-1.0.dist-info/RECORD,,"]
    with open(f"{folder}/RECORD", "w", encoding="utf-8") as file:
        file.write("\n".join(lines))


def test_a_journal_that_a_distribution_brought_is_not_ours(made: Bench) -> None:
    by_another_tool(made, "journal")
    put(made, "history/5/old/bin/spam", b"evil")
    put(made, "journal", dump_moves(5, [("bin/spam", ".accord/history/5/old/bin/spam")]))
    before = snapshot(made.env)
    assert code(lambda: recover(made.env)) == "journal-foreign"
    assert code(lambda: made.install()) == "journal-foreign"
    assert code(lambda: undo(made.env)) == "journal-foreign"
    assert snapshot(made.env) == before


def forged_history(bench: Bench, number: str, moves: Moves) -> None:
    put(bench, f"history/{number}/moves", dump_moves(999, moves))
    put(bench, f"history/{number}/info", b"accord-change 2\ntime\t1.0\ncommand\tpip install evil\n")


def test_a_change_that_a_distribution_brought_is_not_undone(made: Bench) -> None:
    by_another_tool(made, "history/999/moves")
    forged_history(made, "999", [("bin/spam", ".accord/history/999/old/bin/spam")])
    put(made, "history/999/old/bin/spam", b"evil")
    assert code(lambda: undo(made.env)) == "journal-foreign"
    assert not os.path.exists(f"{made.env}/bin/spam")


def test_a_change_with_paths_outside_is_not_undone(made: Bench) -> None:
    forged_history(made, "999", [(OUTSIDE, ".accord/history/999/old/k")])
    put(made, "history/999/old/k", b"evil")
    before = snapshot(made.folder)
    assert code(lambda: undo(made.env)) == "journal-damaged"
    assert snapshot(made.folder) == before


@pytest.mark.parametrize("name", ["²", "٣", "007", "-1", "1" * 16, "x"])
def test_history_is_numbered_as_accord_numbers_it(made: Bench, name: str) -> None:
    forged_history(made, name, [])
    assert [one.number for one in history(made.env)] == [1]
    assert undo(made.env).number == 1


def test_there_is_a_last_number(made: Bench) -> None:
    forged_history(made, "9" * 14, [])
    assert made.install() == 10**14
    forged_history(made, "9" * 15, [])
    assert code(lambda: made.install(made.wanted("eggs"))) == "journal-damaged"


def test_history_shows_what_can_be_read(made: Bench) -> None:
    put(made, "history/1/info", marshal.dumps({"time": []}))
    (one,) = history(made.env)
    assert (one.number, one.added, one.command) == (1, (), "")


def test_uninstalling_what_has_files_in_our_folder_is_refused(made: Bench) -> None:
    by_another_tool(made, "k")
    put(made, "k", b"evil")
    before = snapshot(made.env)
    assert code(lambda: made.install()) == "journal-foreign"
    assert snapshot(made.env) == before


@pytest.mark.parametrize(
    "data", [b"", marshal.dumps({"format": 1}), b"accord-state 2\n", b"accord-state 2\na\tb\tc\nx\t1\tz\n"]
)
def test_a_state_of_another_form_is_none(made: Bench, data: bytes) -> None:
    put(made, "state", data)
    assert state.read(made.env) is None
    assert not state.unchanged(made.env, "")


@pytest.mark.parametrize("spare", [0, -1])
def test_what_accord_keeps_has_a_limit(made: Bench, spare: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "LARGEST", os.stat(f"{made.env}/.accord/state").st_size + spare)
    assert (state.read(made.env) is None) == (spare < 0)


@pytest.mark.parametrize("field", ["a\tb", "a\nb", "100%", "%0a", "%25", "\udc80", "é", ""])
def test_rows_come_back_as_they_were(field: str) -> None:
    assert rows.load("x 1", rows.dump("x 1", [("k", field), (field,)])) == [["k", field], [field]]


def test_reading_the_state_of_a_large_environment_is_quick(made: Bench) -> None:
    dists = {f"name-{n}": ("1.0", "0" * 64, f"name_{n}-1.0.dist-info", time.time_ns(), n) for n in range(160)}
    values = {"key": "k", "kind": "private", "closure": "", "stamps": [("lib", 1, 2)] * 4, "dists": dists}
    put(made, "state", state.dump(values))
    assert state.read(made.env) == values
    began = time.process_time()
    for _ in range(20):
        state.read(made.env)
    assert (time.process_time() - began) / 20 < 0.003, "a no-op pays for this each time"


# -- and what Accord itself installs ---------------------------------------------------------------------------


def smuggled(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> object:
    """A wheel over Accord's own folder in the store, as if the archive rooms had let it through."""
    monkeypatch.setattr("accord_core.archive.wheel.check_target", lambda path: None)
    return bench.wanted("evil", files={"evil.py": b"", "DATA/data/.accord/journal": b"evil"})


def test_the_store_takes_no_such_wheel(made: Bench) -> None:
    with pytest.raises(ArchiveError) as caught:
        made.wanted("evil", files={"evil.py": b"", "DATA/data/.accord/journal": b"evil"})
    assert caught.value.code == "wheel-target-reserved"


def test_nor_does_an_environment_from_a_store_that_holds_one(
    made: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    evil = smuggled(made, monkeypatch)
    before = snapshot(made.env)
    assert code(lambda: made.install(evil)) == "wheel-target-reserved"  # type: ignore[arg-type]
    assert snapshot(made.env) == before and not os.path.exists(f"{made.env}/.accord/journal")


def test_nor_does_a_sealed_one(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    evil = smuggled(bench, monkeypatch)

    def attempt() -> None:
        seal(bench.env, bench.python, "k", lambda: [evil], cache_dir=bench.cache)  # type: ignore[list-item]

    assert code(attempt) == "wheel-target-reserved"
    assert not os.path.exists(f"{bench.env}/.accord/journal")
