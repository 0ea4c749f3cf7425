"""Records as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from accord.cli import render
from accord.cli.paint import Paint
from accord.tasks.outcomes import SyncOutcome
from accord.tasks.trees import Branch

if TYPE_CHECKING:
    from pathlib import Path

PLAIN = Paint(False)


def test_a_table_is_as_wide_as_it_must_be() -> None:
    lines = list(render.table(("Package", "Version"), [("a", "1.10"), ("much-longer", "")], PLAIN))
    assert lines == ["Package      Version", "-----------  -------", "a            1.10", "much-longer"]


@pytest.mark.parametrize(
    ("octets", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (99_940, "99.9 kB"), (99_950, "100 kB"), (999_499, "999 kB"),
     (999_500, "1.0 MB"), (1_500_000_000, "1.5 GB"), (2_000_000_000_000, "2.0 TB")],
)  # fmt: skip
def test_sizes(octets: int, text: str) -> None:
    assert render.size(octets) == text


def test_plurals() -> None:
    assert [render.plural(number, "wheel") for number in (0, 1, 2)] == ["0 wheels", "1 wheel", "2 wheels"]


def test_paths_are_shown_from_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert render.short_path(str(tmp_path / "a" / "b")) == "a/b"
    assert render.short_path(str(tmp_path)) == "."
    assert render.short_path(f"{tmp_path}-other") == f"{tmp_path}-other"


OUTCOME = SyncOutcome(
    env="/env",
    added=[("zope", "1")],
    removed=[("alpha", "2")],
    replaced=[("mid", "1", "2"), ("same", "1", "1")],
    kept=4,
)


def test_changes_are_in_order_of_name() -> None:
    assert list(render.changes(OUTCOME, PLAIN)) == [
        " - alpha 2",
        " ~ mid 1 -> 2",
        " ~ same 1 (again)",
        " + zope 1",
    ]


@pytest.mark.parametrize(
    ("outcome", "text"),
    [
        (OUTCOME, "environment /env: added 1, replaced 2, removed 1, kept 4 (0.00 s)"),
        (
            OUTCOME.replace(dry_run=True, kept=0),
            "environment /env: would have added 1, replaced 2, removed 1 (0.00 s)",
        ),
        (SyncOutcome(env="/env", kept=1), "environment /env is up to date: 1 package (0.00 s)"),
        (SyncOutcome(env="/env", created=True), "new environment /env: empty (0.00 s)"),
        (SyncOutcome(env="/env", sealed=True), "sealed environment /env is up to date: 0 packages (0.00 s)"),
    ],
)
def test_the_summary_says_what_became_of_an_environment(outcome: SyncOutcome, text: str) -> None:
    assert render.sync_summary(outcome) == text


def test_a_name_that_came_and_went_was_replaced() -> None:
    outcome = render.swap([("a", "1"), ("b", "2")], [("b", "3"), ("c", "4")])
    assert (outcome.added, outcome.replaced, outcome.removed) == (
        (("a", "1"),),
        (("b", "3", "2"),),
        (("c", "4"),),
    )


def test_a_tree_has_lines() -> None:
    leaf = Branch("d", "D", "4", "<5", ())
    tree = Branch(
        "a", "A", "1", "", (Branch("b", "B", "2", ">=1", (leaf,)), Branch("c", "C", "", "", (), missing=True))
    )
    again = Branch("b", "B", "2", "", (), repeated=True)
    assert list(render.tree((tree, again), PLAIN, asked=True)) == [
        "A 1",
        "├── B 2 [asked: >=1]",
        "│   └── D 4 [asked: <5]",
        "└── C (missing)",
        "B 2 (*)",
    ]
