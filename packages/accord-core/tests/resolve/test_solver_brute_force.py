"""The solver against brute force on generated indexes: pre-releases, local versions, direct references, ``===``, yanks.

The oracle shares nothing with the solver: it tries every combination of candidates and asks ``packaging`` about
specifiers.  A solution is a choice of one candidate for every reachable project that meets every requirement.
"""

from __future__ import annotations

import itertools
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from accord_core.resolve.explain import explain
from accord_core.resolve.port import Dependency, Root, Unusable
from accord_core.resolve.solver import Solution, Unsolvable, solve
from accord_core.resolve.universe import Universe

Needs = dict[str, tuple[Dependency, ...]]
EXAMPLES = int(os.environ.get("ACCORD_TEST_EXAMPLES", "300"))  # 20,000 when the solver was changed
VERSIONS = ("0.9", "1.0a1", "1.0", "1.0+cpu", "1.0.post1", "2.0rc1", "2.0", "3.0")
SPECIFIERS = (
    "",
    ">=1.0",
    "<2.0",
    "==1.0",
    "==1.*",
    "!=2.0",
    "~=1.0",
    ">1.0",
    "===1.0",
    "===1.0+cpu",
    ">=2.0b1",
    "<=3.0,>0.9",
)
PROJECTS = ("a", "b", "c", "d")
EXTRAS = ("x", "y")


class Index:
    """A generated index: candidates per project, what each needs, which are yanked, unusable or direct references."""

    def __init__(
        self,
        projects: dict[str, dict[str, Needs]],
        barred: set[tuple[str, str]],
        broken: set[tuple[str, str]],
        direct: set[str],
    ) -> None:
        self.projects = projects
        self.barred = barred
        self.broken = broken
        self.direct = direct
        self.universes: dict[str, Universe] = {}

    def universe(self, project: str) -> Universe:
        versions = tuple(sorted(self.projects.get(project, {}), key=Version))
        eligible = sum(1 << i for i, version in enumerate(versions) if (project, version) not in self.barred)
        return Universe(
            project,
            versions,
            eligible=eligible,
            direct=f"https://files.example/{project}.whl" if project in self.direct else None,
            missing=None if versions else "unknown",
        )

    def dependencies(self, universe: Universe, index: int) -> Needs | Unusable:
        version = universe.versions[index]
        if (universe.project, version) in self.broken:
            return Unusable("metadata-invalid", "has invalid metadata")
        return self.projects[universe.project][version]

    def prefer(self, universe: Universe, allowed: int) -> int | None:
        return None

    def tried(self, universe: Universe, allowed: int, count: int) -> None:
        return None

    # ------------------------------------------------------------ the oracle

    def candidates(self, project: str) -> list[str]:
        return [
            version
            for version in self.projects.get(project, {})
            if (project, version) not in self.barred and (project, version) not in self.broken
        ]

    def holds(self, chosen: dict[str, str], roots: tuple[Root, ...]) -> bool:
        """Whether ``chosen`` (a version for every project, used or not) meets all that is reachable."""
        waiting = [root.dependency for root in roots if root.kind == "requirement"]
        seen: set[tuple[str, str]] = set()
        reached: set[str] = set()
        while waiting:
            project, extras, specifier = waiting.pop()
            if project not in chosen or not matches(chosen[project], specifier):
                return False
            reached.add(project)
            for extra in ("", *extras):
                if (project, extra) not in seen:
                    seen.add((project, extra))
                    waiting.extend(self.projects[project][chosen[project]].get(extra, ()))
        return all(
            matches(chosen[project], specifier)
            for project, _, specifier in (root.dependency for root in roots if root.kind == "constraint")
            if project in reached
        )

    def solvable(self, roots: tuple[Root, ...]) -> bool:
        names = [name for name in self.projects if self.candidates(name)]
        return any(
            self.holds(dict(zip(names, versions, strict=True)), roots)
            for versions in itertools.product(*(self.candidates(name) for name in names))
        )


def matches(version: str, specifier: str) -> bool:
    return SpecifierSet(specifier).contains(version, prereleases=True)


dependency = st.tuples(
    st.sampled_from((*PROJECTS, "ghost")),
    st.lists(st.sampled_from(EXTRAS), max_size=2, unique=True).map(lambda names: tuple(sorted(names))),
    st.sampled_from(SPECIFIERS),
)
needs = st.dictionaries(
    st.sampled_from(("", "", *EXTRAS)), st.lists(dependency, max_size=2).map(tuple), max_size=3
)
origin = st.just("requirements.in")
roots = st.lists(
    st.builds(
        Root, dependency, origin, st.sampled_from(("requirement", "requirement", "requirement", "constraint"))
    ),
    min_size=1,
    max_size=4,
).map(tuple)


@st.composite
def indexes(draw: st.DrawFn) -> Index:
    projects: dict[str, dict[str, Needs]] = {}
    direct = draw(st.sets(st.sampled_from(PROJECTS), max_size=1))
    for name in PROJECTS:
        most = 1 if name in direct else 4
        versions = draw(st.lists(st.sampled_from(VERSIONS), min_size=1, max_size=most, unique=True))
        projects[name] = {version: draw(needs) for version in versions}
    pairs = [(name, version) for name, versions in projects.items() for version in versions]
    few = st.sets(st.sampled_from(pairs), max_size=3)
    return Index(projects, draw(few), draw(few), direct)


@settings(max_examples=EXAMPLES, deadline=None)
@given(indexes(), roots, st.sampled_from(("highest", "lowest", "lowest-direct")))
def test_solver_agrees_with_brute_force(index: Index, asked: tuple[Root, ...], strategy: str) -> None:
    try:
        solution = solve(index, asked, strategy=strategy)
    except Unsolvable as failure:
        assert not index.solvable(asked)
        told = explain(failure, lambda universe, mask: ("only-yanked", "is yanked"))
        assert told.story
    else:
        assert_valid(index, asked, solution)


@st.composite
def tangles(draw: st.DrawFn) -> Index:
    """Few projects that need each other often and narrowly: what makes a solver learn, jump back and learn again."""
    projects: dict[str, dict[str, Needs]] = {}
    names = ("a", "b", "c", "d", "e")
    for name in names:
        others = st.sampled_from([other for other in names if other != name])
        wanted = st.sampled_from(("==1", "==2", "==3", "==4", ">=2", ">=3", "<=2", "<=3", "!=2", "!=3"))
        narrow = st.lists(st.tuples(others, st.sampled_from(((), (), (), ("x",))), wanted), max_size=3).map(
            tuple
        )
        needs: Needs = {}
        for version in ("1", "2", "3", "4"):
            if not needs or draw(st.booleans()):
                needs = {"": draw(narrow), "x": draw(narrow)}
            projects.setdefault(name, {})[version] = needs
    return Index(projects, set(), set(), set())


@settings(max_examples=EXAMPLES, deadline=None)
@given(
    tangles(),
    st.lists(st.sampled_from(("a", "b", "c", "d", "e")), min_size=1, max_size=3, unique=True),
    st.sampled_from(("highest", "lowest")),
)
def test_solver_agrees_with_brute_force_on_tangles(index: Index, names: list[str], strategy: str) -> None:
    asked = tuple(Root((name, (), ""), "requirements.in") for name in names)
    try:
        solution = solve(index, asked, strategy=strategy)
    except Unsolvable as failure:
        assert not index.solvable(asked)
        assert explain(failure, lambda universe, mask: ("only-yanked", "is yanked")).story
    else:
        assert_valid(index, asked, solution)
        assert solution.conflicts <= solution.decisions <= 200


def assert_valid(index: Index, asked: tuple[Root, ...], solution: Solution) -> None:
    chosen = {name: pin.version for name, pin in solution.pins.items()}
    for name, version in chosen.items():
        assert version in index.candidates(name)
    assert index.holds(chosen, asked)
    # nothing is in the solution that nothing needs
    needed = {root.dependency[0] for root in asked if root.kind == "requirement"}
    for pin in solution.pins.values():
        needed.update(project for project, _, _ in pin.edges())
    assert set(chosen) <= needed


def test_the_oracle_can_tell_a_wrong_answer() -> None:
    """The property would be worthless if ``holds`` accepted anything."""
    index = Index(
        {"a": {"1.0": {"": (("b", (), ">=2.0"),)}}, "b": {"1.0": {}, "2.0": {}}}, set(), set(), set()
    )
    asked = (Root(("a", (), ""), "requirements.in"),)
    assert index.holds({"a": "1.0", "b": "2.0"}, asked)
    assert not index.holds({"a": "1.0", "b": "1.0"}, asked)


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [("highest", ("3.0", "3.0")), ("lowest", ("0.9", "0.9")), ("lowest-direct", ("0.9", "3.0"))],
)
def test_strategies(strategy: str, expected: tuple[str, str]) -> None:
    every: dict[str, Needs] = {version: {"": (("b", (), ""),)} for version in VERSIONS}
    index = Index({"a": every, "b": {version: {} for version in VERSIONS}}, set(), set(), set())
    solution = solve(index, (Root(("a", (), ""), ""),), strategy=strategy)
    assert (solution.pins["a"].version, solution.pins["b"].version) == expected
