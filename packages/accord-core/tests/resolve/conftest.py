"""Worlds for the solver, written as a person would: ``{"a": {"1.0": ["b>=2"]}}`` is a project with one version.

A version's needs are a list, or a dictionary with a list for each extra (``""`` for always).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pytest
from packaging.version import Version

from accord_core.project.requirement import parse_requirement
from accord_core.resolve.explain import Explanation, explain
from accord_core.resolve.port import Dependency, Root, Unusable
from accord_core.resolve.solver import Solution, Solver, Unsolvable
from accord_core.resolve.universe import Universe

Written = Mapping[str, Mapping[str, Sequence[str] | Mapping[str, Sequence[str]]]]


class World:
    """A provider over a written world.

    ``barred`` gives for (project, version) why it is not eligible (code, clause), ``broken`` what is wrong with its
    metadata.  ``failure`` is the last one explained.  ``direct`` gives the URL of a project that is a universe of one.  ``asked`` lists the versions whose
    dependencies were asked for, ``pages`` the projects.
    """

    def __init__(
        self,
        written: Written,
        *,
        barred: Mapping[tuple[str, str], tuple[str, str]] | None = None,
        broken: Mapping[tuple[str, str], str] | None = None,
        direct: Mapping[str, str] | None = None,
        prefer: Mapping[str, str] | None = None,
    ) -> None:
        self.written = written
        self.barred = barred or {}
        self.broken = broken or {}
        self.direct = direct or {}
        self.preferred = prefer or {}
        self.asked: list[tuple[str, str]] = []
        self.pages: list[str] = []
        self.failure: Unsolvable | None = None

    def universe(self, project: str) -> Universe:
        self.pages.append(project)
        versions = tuple(sorted(self.written.get(project, {}), key=Version))
        eligible = sum(1 << i for i, version in enumerate(versions) if (project, version) not in self.barred)
        missing = None if versions else ("empty" if project in self.written else "unknown")
        return Universe(
            project, versions, eligible=eligible, direct=self.direct.get(project), missing=missing
        )

    def dependencies(self, universe: Universe, index: int) -> dict[str, tuple[Dependency, ...]] | Unusable:
        project, version = universe.project, universe.versions[index]
        self.asked.append((project, version))
        reason = self.broken.get((project, version))
        if reason is not None:
            return Unusable("metadata-invalid", reason)
        needs = self.written[project][version]
        by_extra = needs if isinstance(needs, Mapping) else {"": needs}
        return {extra: tuple([dependency(text) for text in texts]) for extra, texts in by_extra.items()}

    def prefer(self, universe: Universe, allowed: int) -> int | None:
        return universe.index(self.preferred.get(universe.project, ""))

    def tried(self, universe: Universe, allowed: int, count: int) -> None:
        return None

    def solve(self, *wanted: str, constraints: Sequence[str] = (), strategy: str = "highest") -> Solution:
        roots = [
            Root(dependency(text), f"requirements.in:{line}") for line, text in enumerate(wanted, start=1)
        ]
        roots += [
            Root(dependency(text), f"constraints.txt:{line}", "constraint")
            for line, text in enumerate(constraints, start=1)
        ]
        return Solver(self, strategy=strategy).solve(tuple(roots))

    def versions(self, *wanted: str, constraints: Sequence[str] = (), strategy: str = "highest") -> list[str]:
        """The pins, as ``name==version``."""
        pins = self.solve(*wanted, constraints=constraints, strategy=strategy).pins
        return [f"{name}=={pin.version}" for name, pin in pins.items()]

    def why_not(self, *wanted: str, constraints: Sequence[str] = ()) -> Explanation:
        """The explanation of why there is no solution."""
        with pytest.raises(Unsolvable) as caught:
            self.solve(*wanted, constraints=constraints)
        self.failure = caught.value
        return explain(caught.value, self.reason)

    def reason(self, universe: Universe, mask: int) -> tuple[str, str]:
        first = next(index for index in range(len(universe.versions)) if mask >> index & 1)
        return self.barred[universe.project, universe.versions[first]]


def dependency(text: str) -> Dependency:
    requirement = parse_requirement(text)
    specifier = requirement.specifier if requirement.url is None else f"@ {requirement.url}"
    return requirement.name, requirement.extras, specifier


@pytest.fixture
def world() -> Callable[..., World]:
    return World
