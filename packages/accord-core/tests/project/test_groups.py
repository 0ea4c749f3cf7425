"""Dependency groups (PEP 735) agree with ``packaging.dependency_groups``."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.dependency_groups import DependencyGroupResolver

from accord_core.errors import UsageError
from accord_core.names import normalise
from accord_core.project.faults import Faults, Limits
from accord_core.project.groups import Groups, read_groups, resolve_groups


def read(text: str, *, limits: Limits | None = None) -> tuple[Groups, list[tuple[int | None, str]]]:
    faults = Faults("pyproject.toml", text, limits=limits or Limits())
    groups = read_groups(tomllib.loads(text), faults)
    return groups, [(fault.where.line if fault.where else None, fault.code) for fault in faults.found]


def names(groups: Groups, *wanted: str) -> list[str]:
    return [one.text for one in resolve_groups(groups, wanted)]


def test_includes_are_expanded_in_place() -> None:
    groups, faults = read(
        "[dependency-groups]\nall = ['a', {include-group = 'Sub_Group'}, 'z']\nsub-group = ['b', {include-group='c'}]\nc = ['d']"
    )
    assert faults == []
    assert names(groups, "ALL") == ["a", "b", "d", "z"]
    assert names(groups, "c", "sub.group") == ["d", "b", "d"]
    assert "Sub.Group" in groups
    assert "nope" not in groups


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a = [{include-group = 'a'}]", [(2, "group-cycle")]),
        ("a = [{include-group = 'b'}]\nb = ['x',\n{include-group = 'a'}]", [(4, "group-cycle")]),
        ("a = [{include-group = 'bb'}]\nbbb = []", [(2, "unknown-group")]),
        ("a-b = []\nA_b = []", [(3, "duplicate-name")]),
        ("'a b' = []\nc = 1\nd = [1, {}, {include-group = 1}, {include-group = 'c', x = 1}]", [(2, "invalid-name"), (3, "wrong-type"), (4, "wrong-type")] + [(4, "invalid-group-entry")] * 3),
        ("a = ['^']", [(2, "invalid-requirement")]),
    ],
)  # fmt: skip
def test_each_fault(text: str, expected: list[tuple[int, str]]) -> None:
    assert read("[dependency-groups]\n" + text)[1] == expected


def test_a_group_asked_for_must_exist() -> None:
    groups, _ = read("[dependency-groups]\ntesting = []")
    for name, hint in (("testting", "did you mean 'testing'?"), ("zz", "it has: testing")):
        with pytest.raises(UsageError) as caught:
            names(groups, name)
        assert (caught.value.code, caught.value.hint) == ("unknown-group", hint)


def test_groups_that_multiply_end_at_the_limit() -> None:
    doubling = "[dependency-groups]\ng0 = []\n" + "".join(
        f"g{n} = [{{include-group = 'g{n - 1}'}}, {{include-group = 'g{n - 1}'}}]\n" for n in range(1, 60)
    )
    groups, faults = read(doubling)
    assert faults == []
    with pytest.raises(UsageError) as caught:
        names(groups, "g59")
    assert caught.value.code == "group-too-large"
    assert resolve_groups(groups, ("g2",), limits=Limits(group_includes=7)) == ()
    with pytest.raises(UsageError):
        resolve_groups(groups, ("g2",), limits=Limits(group_includes=6))


def test_includes_lead_only_so_deep() -> None:
    chain = (
        "[dependency-groups]\n"
        + "".join(f"g{n} = [{{include-group = 'g{n + 1}'}}]\n" for n in range(5))
        + "g5 = []"
    )
    assert read(chain, limits=Limits(group_depth=6))[1] == []
    assert read(chain, limits=Limits(group_depth=5))[1] == [(7, "group-too-large")]
    long = (
        "[dependency-groups]\n"
        + "".join(f"g{n} = [{{include-group = 'g{n + 1}'}}]\n" for n in range(5000))
        + "g5000=[]"
    )
    assert "group-too-large" in {code for _, code in read(long)[1]}


group_names = st.sampled_from(["a", "B_c", "b-c", "d", "e"])
entries = st.one_of(
    st.sampled_from(["x", "y>=1", "z; os_name == 'a'"]), group_names.map(lambda name: {"include-group": name})
)


@given(st.dictionaries(group_names, st.lists(entries, max_size=3), max_size=5))
def test_packaging_agrees(table: dict[str, list[Any]]) -> None:
    faults = Faults("pyproject.toml", "")
    groups = read_groups({"dependency-groups": table}, faults)
    try:
        oracle = DependencyGroupResolver(table)
        expected = {normalise(name): [str(one) for one in oracle.resolve(name)] for name in table}
    except (ValueError, LookupError, ExceptionGroup):
        assert len(faults)
        return
    assert not len(faults)
    assert {
        name: [str(one.requirement) for one in resolve_groups(groups, (name,))] for name in groups
    } == expected
