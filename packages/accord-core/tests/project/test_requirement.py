"""Requirements agree with ``packaging.requirements``, on generated ones and on those of real metadata."""

from __future__ import annotations

import importlib.metadata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from packaging.requirements import InvalidRequirement
from packaging.requirements import Requirement as Judge

from accord_core.names import normalise, valid
from accord_core.project import requirement as r


def agree(text: str) -> None:
    try:
        judge = Judge(text)
    except InvalidRequirement:
        with pytest.raises(ValueError, match=r"\S"):
            r.parse_requirement(text)
        return
    found = r.parse_requirement(text)
    assert found.raw_name == judge.name
    assert found.name == normalise(judge.name)
    assert found.extras == tuple(sorted({normalise(extra) for extra in judge.extras}))
    assert found.specifier == str(judge.specifier)
    assert found.marker == (None if judge.marker is None else str(judge.marker))
    assert found.url == judge.url
    if all(map(valid, found.extras)):  # packaging reads "a_", which no normal form can spell
        assert Judge(str(found)) == judge
        assert r.parse_requirement(str(found)) == found
    assert r.Requirement(*found.as_tuple()) == found


def real_requirements() -> list[str]:
    found = {line for dist in importlib.metadata.distributions() for line in dist.requires or ()}
    return sorted(found)


def test_requirements_of_installed_metadata() -> None:
    lines = real_requirements()
    assert len(lines) > 100
    for line in lines:
        agree(line)


def test_real_requirements_are_read_without_packaging(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(text: str) -> r.Requirement:
        raise AssertionError(text)

    monkeypatch.setattr(r, "_from_packaging", refuse)
    for line in real_requirements():
        r.parse_requirement(line)


space = st.sampled_from(["", "", " ", "  ", "\t"])
names = st.sampled_from(["foo", "Foo.Bar", "a", "foo_", "foo-", "0x", "_a", "é", "foo--bar"])
specs = st.sampled_from(
    [
        "",
        ">=1",
        ">= 1.0 , <2",
        "<2,>=1.0",
        "(>=1.0)",
        "( )",
        "()",
        "(>=1",
        ">=1,",
        ",>=1",
        ">=1,,<2",
        "===1.0,<2",
        "===foo",
        "~=1",
        "==1.*",
        ">=1.*",
        ">=1 <2",
        ">=1,>=1.0",
        "==1+local",
        ">1+local",
        "1.0",
        "==\n1",
    ]
)
tails = st.sampled_from(
    [
        "",
        ";",
        "; os_name=='x'",
        ";python_version<'3'and extra  ==  'A_b'",
        "; 'a' in extras",
        "; (os.name == \"x\" or (sys.platform == 'y'))",
        "; os_name == 'x",
        "; os_name == '\\x41'",
        "; python_version not in '3.8'",
        "; python_version notin '3.8'",
        "; foo == 'x'",
        "; os_name == 'x' garbage",
        "; os_name == 'a\"b'",
        " garbage",
    ]
)
extras = st.sampled_from(["", "[]", "[a]", "[ B_c , a.d ]", "[a,]", "[a b]", "[a", "[-a]", "[a,a]", "[a_]"])
urls = st.sampled_from(
    ["@ https://h.example/a.whl", "@https://h.example/a b", "@", "@ file:///x;os_name", "@ ../x "]
)


@given(
    st.one_of(
        st.builds("".join, st.tuples(space, names, space, extras, space, specs, space, tails)),
        st.builds("".join, st.tuples(names, space, extras, space, urls, tails)),
        st.builds("".join, st.tuples(names, extras, space, urls, st.just(" "), tails)),
        st.text("abA1.-_[],;@ ()<>=!~'\"", max_size=14),
    )
)
@example("foo>=1,,<2")
@example("foo ,>=1")
@example("foo>=1,")
@example("foo\n")
@example("foo;'extra'==extra")
def test_generated_requirements(text: str) -> None:
    agree(text)


def test_equal_means_asking_for_the_same() -> None:
    one, two = r.parse_requirement("Foo[B,a]>=1,<2"), r.parse_requirement("foo[a,b] <2, >=1")
    assert one == two
    assert hash(one) == hash(two)
    assert one != r.parse_requirement("foo[a]<2,>=1")
    assert one != "foo[a,b]<2,>=1"
    assert repr(one) == "Requirement('Foo[a,b]<2,>=1')"


def nested(depth: int) -> str:
    return "spam; " + "(" * depth + 'python_version > "3"' + ")" * depth


@pytest.mark.parametrize("depth", [1, 49, 50, 51, 99, 100])
def test_parentheses_are_read_to_a_depth_nobody_needs(depth: int) -> None:
    assert r.parse_requirement(nested(depth)).marker is not None


@pytest.mark.parametrize("depth", [101, 3_000, 16_000])
def test_and_no_deeper(depth: int) -> None:
    """``packaging`` would end in a RecursionError, which is no ValueError."""
    with pytest.raises(ValueError, match=r"deeper|longer"):
        r.parse_requirement(nested(depth))
    with pytest.raises(ValueError, match="deeper"):
        r.evaluate_marker(nested(depth)[6:], {})


@pytest.mark.parametrize("spare", [0, -1])
def test_a_requirement_has_a_longest(spare: int, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "spam>=1.0,<2"
    monkeypatch.setattr(r, "_LENGTH_LIMIT", len(text) + spare)
    if spare == 0:
        assert r.parse_requirement(text).specifier == "<2,>=1.0"
    else:
        with pytest.raises(ValueError, match="longer"):
            r.parse_requirement(text)


@pytest.mark.parametrize(
    "text",
    ["spam>=" + "9" * 5000, "spam~=1." + "9" * 5000, "spam==1+" + "9" * 5000, "spam!=1." + "9" * 5000 + ".*"],
)
def test_a_version_that_cannot_be_compared_makes_no_requirement(text: str) -> None:
    with pytest.raises(ValueError, match="version"):
        r.parse_requirement(text)
