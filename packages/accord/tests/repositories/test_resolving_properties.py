"""Generated indexes with files, markers, extras and Pythons, through the catalogue and the solver.

Two properties: the answer is right, by an oracle that tries every combination and asks ``packaging`` about specifiers,
markers and tags; and the answer is the same whatever arrives first, warm or cold, whoever asked before.
"""

from __future__ import annotations

import itertools
import os
import random
import tempfile
import time
from dataclasses import dataclass

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.tags import parse_tag
from packaging.version import Version

from accord.repositories.candidates import Target
from accord.repositories.policy import Policy
from accord.testing.shops import Shop, target
from accord_core.errors import ResolutionError

EXAMPLES = int(
    os.environ.get("ACCORD_TEST_EXAMPLES", "120")
)  # 5,000 when candidates, pages or policy were changed
NAMES = ("a", "b", "c")
TARGETS = (target("3.8.18"), target("3.12.1"), target("3.13.0", libc="musllinux_1_2"))

versions = st.sampled_from(("0.9", "1.0", "1.0.post1", "1.1a1", "1.1", "2.0rc1", "2.0", "2.0+cpu"))
specifiers = st.sampled_from(
    ("", ">=1.0", "<2.0", "==1.*", "!=1.1", "~=1.0", ">1.0", "===1.0", "<=2.0,>0.9", "==2.0")
)
pythons = st.sampled_from((None, None, ">=3.9", "<3.13", "!=3.12.*", ">=3.12.1", "==3.8.*"))
tags = st.sampled_from(
    (
        "py3-none-any",
        "py3-none-any",
        "py2.py3-none-any",
        "cp312-cp312-manylinux_2_17_x86_64",
        "cp38-abi3-manylinux_2_17_x86_64.manylinux2014_x86_64",
        "cp313-cp313-musllinux_1_2_x86_64",
        "cp312-cp312-win_amd64",
        "py2-none-any",
    )
)
markers = st.recursive(
    st.sampled_from(
        (
            "python_version < '3.9'",
            "python_version >= '3.12'",
            "python_full_version != '3.12.1'",
            "sys_platform == 'linux'",
            "os_name == 'nt'",
            "'linux' in sys_platform",
            "platform_machine not in 'arm64'",
            "implementation_name == 'cpython'",
            "extra == 'x'",
            "extra == 'y'",
            "extra == 'X'",
            "extra != 'x'",
        )
    ),
    lambda inner: st.builds(
        lambda one, word, two: f"({one} {word} {two})", inner, st.sampled_from(("and", "or")), inner
    ),
    max_leaves=3,
)


@dataclass(frozen=True)
class Release:
    """A version of a project: its files as (tag or None for an sdist, Python on the page, yanked), and METADATA."""

    files: tuple[tuple[str | None, str | None, bool], ...]
    python: str | None
    requires: tuple[str, ...]

    def body(self, name: str, version: str) -> bytes:
        lines = ["Metadata-Version: 2.4", f"Name: {name}", f"Version: {version}"]
        lines += [f"Requires-Python: {self.python}"] * (self.python is not None)
        lines += ["Provides-Extra: x", "Provides-Extra: y"]
        return "\n".join([*lines, *(f"Requires-Dist: {one}" for one in self.requires), ""]).encode()


Index = dict[str, dict[str, Release]]


@st.composite
def requirements(draw: st.DrawFn) -> str:
    name = draw(st.sampled_from((*NAMES, *NAMES, "ghost")))
    extra = draw(st.sampled_from(("", "", "[x]", "[x,y]")))
    marker = draw(st.none() | markers)
    return f"{name}{extra}{draw(specifiers)}" + (f" ; {marker}" if marker else "")


files = st.tuples(
    st.one_of(st.none(), tags, tags, tags), pythons, st.sampled_from((False, False, False, True))
)
releases = st.builds(
    Release,
    st.lists(files, min_size=1, max_size=2, unique_by=lambda file: file[0]).map(tuple),
    st.one_of(st.none(), st.none(), pythons),
    st.lists(requirements(), max_size=3).map(tuple),
)
indexes = st.fixed_dictionaries(
    {name: st.dictionaries(versions, releases, min_size=1, max_size=3) for name in NAMES}
)
wishes = st.lists(
    st.builds(
        lambda name, extra, specifier: f"{name}{extra}{specifier}",
        st.sampled_from(NAMES),
        st.sampled_from(("", "[x]")),
        specifiers,
    ),
    min_size=1,
    max_size=2,
)


# ---------------------------------------------------------------- the oracle


class Oracle:
    """Everything by ``packaging``; nothing of ours but the markers and tags that describe the target."""

    def __init__(self, index: Index, on: Target) -> None:
        self.index = index
        self.environment = on.markers
        self.tags = frozenset(on.tags)

    def python_fits(self, specifier: str | None) -> bool:
        return specifier is None or SpecifierSet(specifier).contains(
            self.environment["python_full_version"], prereleases=True
        )

    def eligible(self, name: str) -> list[str]:
        """Versions with a usable file, not wholly yanked, finals before pre-releases."""
        found = []
        for version, release in self.index[name].items():
            usable = [
                yanked
                for tag, python, yanked in release.files
                if self.python_fits(python)
                and (tag is None or any(str(one) in self.tags for one in parse_tag(tag)))
            ]
            if usable and not all(usable):
                found.append(version)
        finals = [version for version in found if not Version(version).is_prerelease]
        return finals or found

    def usable(self, name: str) -> list[str]:
        return [one for one in self.eligible(name) if self.python_fits(self.index[name][one].python)]

    def holds(self, marker: Marker | None, extras: frozenset[str]) -> bool:
        return marker is None or any(
            marker.evaluate({**self.environment, "extra": extra}) for extra in (*extras, "")
        )

    def meets(self, chosen: dict[str, str], wanted: list[str]) -> set[str] | None:
        """The projects reached when ``chosen`` meets all that is reachable from ``wanted``, else None."""
        waiting = [Requirement(text) for text in wanted]
        extras: dict[str, frozenset[str]] = {}
        while waiting:
            requirement = waiting.pop()
            name = requirement.name
            if name not in chosen or not requirement.specifier.contains(chosen[name], prereleases=True):
                return None
            before = extras.get(name)
            now = (before or frozenset()) | requirement.extras
            if now == before:
                continue
            extras[name] = now
            for text in self.index[name][chosen[name]].requires:
                needed = Requirement(text)
                if self.holds(needed.marker, now):
                    waiting.append(needed)
        return set(extras)

    def solvable(self, wanted: list[str]) -> bool:
        names = [name for name in NAMES if self.usable(name)]
        return any(
            self.meets(dict(zip(names, chosen, strict=True)), wanted) is not None
            for chosen in itertools.product(*(self.usable(name) for name in names))
        )


def published(index: Index, folder: str) -> Shop:
    shop = Shop(folder)
    for name, each in index.items():
        for version, release in each.items():
            for tag, python, yanked in release.files:
                filename = f"{name}-{version}.tar.gz" if tag is None else f"{name}-{version}-{tag}.whl"
                shop.release(
                    name,
                    version,
                    filename=filename,
                    page_python=python,
                    yanked="bad" if yanked else None,
                    announced=tag is not None,
                    metadata=release.body(name, version),
                )
    return shop


def outcome(
    shop: Shop, index: Index, wanted: list[str], on: Target, **options: object
) -> dict[str, str] | str:
    """The versions, or the code of the error."""

    def built(_: object, file: object) -> bytes:
        name, version = str(getattr(file, "filename")).removesuffix(".tar.gz").split("-", 1)  # noqa: B009
        return index[name][version].body(name, version)

    try:
        return shop.resolve(*wanted, on=on, sdist_metadata=built, **options)  # type: ignore[arg-type]
    except ResolutionError as failure:
        assert failure.context
        assert failure.hint
        return failure.code


# ---------------------------------------------------------------- the properties


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(indexes, wishes, st.sampled_from(TARGETS))
def test_the_answer_is_right_by_packaging_and_brute_force(
    index: Index, wanted: list[str], on: Target
) -> None:
    oracle = Oracle(index, on)
    with tempfile.TemporaryDirectory() as folder:
        shop = published(index, folder)
        found = outcome(shop, index, wanted, on)
        shop.close()
    if isinstance(found, str):
        assert not oracle.solvable(wanted)
    else:
        assert all(version in oracle.usable(name) for name, version in found.items())
        assert oracle.meets(found, wanted) == set(found)


@settings(max_examples=EXAMPLES // 4, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(indexes, wishes, st.sampled_from(TARGETS), st.integers(0, 2**32))
def test_the_answer_does_not_depend_on_what_arrives_first(
    index: Index, wanted: list[str], on: Target, seed: int
) -> None:
    chance = random.Random(seed)

    def dawdle() -> None:
        time.sleep(chance.choice((0.0, 0.0, 0.001, 0.003)))

    with tempfile.TemporaryDirectory() as folder:
        shop = published(index, os.path.join(folder, "quick"))
        expected = outcome(shop, index, wanted, on)
        others = [each for each in TARGETS if each is not on]
        # again warm; after the pages expired; offline; after other targets and wishes were asked for
        assert outcome(shop, index, wanted, on) == expected
        shop.now += 10_000
        assert outcome(shop, index, wanted, on) == expected
        for other in others:
            outcome(shop, index, list(NAMES), other)
        shop.now += 10_000
        assert outcome(shop, index, wanted, on, offline=True) == expected
        shop.close()
        for number in range(2):
            slow = published(index, os.path.join(folder, f"slow-{number}"))
            if number:
                outcome(slow, index, list(NAMES), others[0], policy=Policy(strategy="lowest"))
            assert outcome(slow, index, wanted, on, repository=slow.repository(pause=dawdle)) == expected
            slow.close()


def test_the_oracle_can_tell_a_wrong_answer() -> None:
    index = {
        "a": {"1.0": Release((("py3-none-any", None, False),), None, ("b>=2 ; extra == 'x'",))},
        "b": {
            "1.0": Release((("py3-none-any", None, False),), None, ()),
            "2.0": Release((("py3-none-any", ">=3.13", False),), None, ()),
        },
        "c": {"1.0": Release((("py2-none-any", None, False),), None, ())},
    }
    oracle = Oracle(index, TARGETS[1])
    assert oracle.usable("b") == ["1.0"]
    assert oracle.usable("c") == []
    assert oracle.meets({"a": "1.0", "b": "1.0"}, ["a"]) == {"a"}
    assert oracle.meets({"a": "1.0", "b": "1.0"}, ["a[x]"]) is None
    assert not oracle.solvable(["a[x]"])
    assert Oracle(index, TARGETS[2]).solvable(["a[x]"])
