"""Learnt incompatibilities make progress: indexes made to mislead a solver end in few decisions, not in time.

Bounds are counts of decisions and conflicts, which are the same on every machine.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
from packaging.version import Version

from accord_core.resolve.solver import Unsolvable

World = Callable[..., Any]


def test_a_lockstep_pair_of_three_hundred_versions(world: World) -> None:
    """boto3 pins botocore to one minor each; who asks for an old botocore gets the boto3 that fits."""
    count = 300
    boto3 = {f"1.{n}": [f"botocore>=1.{n},<1.{n + 1}", "s3transfer"] for n in range(count)}
    index = world(
        {
            "boto3": boto3,
            "botocore": {f"1.{n}.5": ["urllib3<3"] for n in range(count)},
            "s3transfer": {"0.1": ["botocore"]},
            "urllib3": {"1.26": [], "2.0": [], "3.0": []},
            "old": {"1.0": ["botocore<1.7"]},
        }
    )
    solution = index.solve("boto3", "old")
    assert solution.pins["boto3"].version == "1.6"
    assert solution.pins["botocore"].version == "1.6.5"
    assert solution.decisions <= 10
    assert solution.conflicts <= 2
    # every boto3 that cannot be is looked at once, none twice
    assert len(index.asked) == len(set(index.asked))


@pytest.mark.parametrize("strategy", ["highest", "lowest"])
def test_a_chain_of_exact_pins_with_one_way_through(world: World, strategy: str) -> None:
    length, versions = 30, 12
    chain = {f"p{n:02}": {f"{v}.0": [f"p{n + 1:02}=={v}.0"] for v in range(versions)} for n in range(length)}
    index = world({**chain, f"p{length}": {"5.0": []}})
    solution = index.solve("p00", strategy=strategy)
    assert {pin.version for pin in solution.pins.values()} == {"5.0"}
    # Each of the other versions is led down the chain until it breaks, at most.
    assert solution.decisions <= versions * (length + 1)
    assert solution.conflicts <= versions


def test_a_chain_of_exact_pins_without_a_way_through(world: World) -> None:
    length, versions = 20, 10
    chain = {f"p{n:02}": {f"{v}.0": [f"p{n + 1:02}=={v}.0"] for v in range(versions)} for n in range(length)}
    index = world({**chain, f"p{length}": {"99.0": []}})
    told = index.why_not("p00")
    assert told.code in ("unsatisfiable", "no-matching-version")
    assert len(index.asked) <= versions * (length + 1)


@pytest.mark.parametrize(("holes", "most"), [(3, 12), (4, 30), (5, 100)])
def test_pigeons_without_enough_holes(world: World, holes: int, most: int) -> None:
    """The classic hard case of resolution: n+1 pigeons in n holes.  Exponential by nature, but it must end, and
    without looking at any version twice."""
    pigeons = holes + 1
    written: dict[str, dict[str, list[str]]] = {}
    for hole in range(1, holes + 1):
        written[f"hole{hole}"] = {f"{n}.0": [] for n in range(1, pigeons + 1)}
    for pigeon in range(1, pigeons + 1):
        written[f"pigeon{pigeon}"] = {
            f"{hole}.0": [f"hole{hole}=={pigeon}.0"] for hole in range(1, holes + 1)
        }
    index = world(written)
    told = index.why_not(*(f"pigeon{n}" for n in range(1, pigeons + 1)))
    assert told.code == "unsatisfiable"
    assert len(index.asked) == len(set(index.asked))
    assert index.failure.solver.conflicts <= most
    assert index.failure.solver.decisions <= 2 * most


@pytest.mark.parametrize("holes", [3, 5, 8])
def test_as_many_holes_as_pigeons(world: World, holes: int) -> None:
    written: dict[str, dict[str, list[str]]] = {
        f"hole{hole}": {f"{n}.0": [] for n in range(1, holes + 1)} for hole in range(1, holes + 1)
    }
    for pigeon in range(1, holes + 1):
        written[f"pigeon{pigeon}"] = {
            f"{hole}.0": [f"hole{hole}=={pigeon}.0"] for hole in range(1, holes + 1)
        }
    solution = world(written).solve(*(f"pigeon{n}" for n in range(1, holes + 1)))
    chosen = [solution.pins[f"pigeon{n}"].version for n in range(1, holes + 1)]
    assert sorted(chosen, key=Version) == [f"{n}.0" for n in range(1, holes + 1)]


def test_an_unrelated_project_is_not_searched_through_again(world: World) -> None:
    """The conflict is between the first and the last; a backtracking solver would try all of the middle each time."""
    middle: dict[str, dict[str, list[str]]] = {f"m{n}": {f"{v}.0": [] for v in range(20)} for n in range(10)}
    index = world(
        {
            "first": {f"{v}.0": [*middle, f"last=={v}.0"] for v in range(10)},
            "last": {"0.0": []},
            **middle,
        }
    )
    solution = index.solve("first")
    assert solution.pins["first"].version == "0.0"
    assert solution.decisions <= 40


@pytest.mark.parametrize("seed", range(40))
def test_random_dense_indexes_end_within_a_bound(world: World, seed: int) -> None:
    """Dense, tangled, often unsolvable: ends, and the bound is far below the number of combinations (10^8)."""
    chance = random.Random(seed)
    names = [f"p{n}" for n in range(8)]
    written: dict[str, dict[str, list[str]]] = {}
    for name in names:
        written[name] = {}
        for version in range(1, 11):
            others = chance.sample([other for other in names if other != name], 2)
            written[name][f"{version}.0"] = [
                f"{other}{chance.choice(('>=', '<=', '!=', '=='))}{chance.randint(1, 10)}.0"
                for other in others
            ]
    index = world(written)
    try:
        solution = index.solve(*names[:3])
    except Unsolvable as failure:
        decisions, conflicts = failure.solver.decisions, failure.solver.conflicts
    else:
        decisions, conflicts = solution.decisions, solution.conflicts
    assert decisions <= 100
    assert conflicts <= 30


def test_versions_that_share_a_need_nobody_can_meet_are_struck_without_a_decision(world: World) -> None:
    index = world(
        {
            "a": {**{f"{v}.0": ["b>=2"] for v in range(2, 50)}, "1.0": []},
            "b": {"1.0": [], "2.0": []},
        }
    )
    solution = index.solve("a", "b<2")
    assert solution.pins["a"].version == "1.0"
    assert (solution.decisions, solution.conflicts) == (2, 0)


def test_direct_references_are_settled_before_anything_else(world: World) -> None:
    index = world(
        {"a": {"1.0": ["b"], "2.0": ["b"]}, "b": {"1.0": []}}, direct={"b": "https://files.example/b.whl"}
    )
    index.solve("a", "b @ https://files.example/b.whl")
    assert index.asked[0] == ("b", "1.0")


def test_what_an_extra_needs_is_not_looked_at_before_the_extra_is_wanted(world: World) -> None:
    """b 2.0 wants a[x], but b 2.0 cannot be: the page of "heavy" is never asked for."""
    index = world(
        {
            "b": {"1.0": ["a"], "2.0": ["a[x]", "c>=2"]},
            "c": {"1.0": []},
            "a": {"1.0": {"": [], "x": ["heavy"]}, "2.0": {"": [], "x": ["heavy"]}},
            "heavy": {"1.0": []},
        }
    )
    assert index.versions("b", "c", "a") == ["a==2.0", "b==1.0", "c==1.0"]
    assert "heavy" not in index.pages


def test_a_preference_that_does_not_fit_is_no_preference(world: World) -> None:
    written: dict[str, dict[str, list[str]]] = {"a": {"1.0": [], "2.0": [], "3.0": []}}
    index = world(written, prefer={"a": "2.0"})
    assert index.versions("a") == ["a==2.0"]
    assert index.versions("a!=2.0") == ["a==3.0"]
    assert world(written, prefer={"a": "7.0"}).versions("a") == ["a==3.0"]
