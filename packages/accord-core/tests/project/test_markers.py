"""Markers agree with ``packaging.markers``, in form and in meaning."""

from __future__ import annotations

import re
from collections.abc import Callable
from collections.abc import Set as AbstractSet

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from packaging.markers import InvalidMarker, Marker, UndefinedComparison, UndefinedEnvironmentName
from packaging.specifiers import InvalidSpecifier, Specifier
from packaging.version import InvalidVersion, Version

from accord_core.names import normalise
from accord_core.project import markers as m

BASE = {
    "implementation_name": "cpython",
    "implementation_version": "3.12.1",
    "os_name": "posix",
    "platform_machine": "x86_64",
    "platform_python_implementation": "CPython",
    "platform_release": "6.1.0-13-amd64",
    "platform_system": "Linux",
    "platform_version": "#1 SMP",
    "python_full_version": "3.12.1",
    "python_version": "3.12",
    "sys_platform": "linux",
}
environments = st.fixed_dictionaries(
    {name: st.just(value) for name, value in BASE.items()}
    | {
        "python_full_version": st.sampled_from(["3.8.10", "3.12.1", "3.13.0a2", "3.13.0+", "3.10.0"]),
        "python_version": st.sampled_from(["3.8", "3.10", "3.12"]),
        "implementation_version": st.sampled_from(["3.12.1", "7.3.13"]),
        "platform_release": st.sampled_from(["6.1.0-13-amd64", "22.1.0", "", "10"]),
        "sys_platform": st.sampled_from(["linux", "win32", "darwin"]),
        "os_name": st.sampled_from(["posix", "nt"]),
    }
)
names = st.sampled_from([*m.VARIABLES, "extra", "os.name", "python_implementation"])
operators = st.sampled_from(["==", "!=", "<", "<=", ">", ">=", "~=", "===", " in ", " not in ", " not  in"])
values = st.sampled_from(
    [
        "3.8",
        "3.12",
        "3.12.1",
        "3.*",
        "3.13.0a1",
        " 3.10",
        "=3.8",
        "3.13.0",
        "linux",
        "win32",
        "posix nt",
        "A_b",
        "x",
        "",
        "6",
        "22.1",
        "3.8, 3.12",
        "not a version",
        "é",
        "CPython",
        "3.8;",
    ]
)
quoted = st.builds(lambda value, quote: f"{quote}{value}{quote}", values, st.sampled_from(["'", '"']))
atoms = st.one_of(
    st.builds("{} {} {}".format, names, operators, quoted),
    st.builds("{}{} {}".format, quoted, operators, names),
    st.builds("{} in {}".format, quoted, st.sampled_from(["extras", "dependency_groups"])),
    st.builds("{} == {}".format, quoted, quoted),
)
trees = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.builds("{} and {}".format, inner, inner),
        st.builds("{} or {}".format, inner, inner),
        st.builds("({})".format, inner),
        st.builds("( {} )".format, inner),
    ),
    max_leaves=5,
)
asked = st.frozensets(st.sampled_from(["a-b", "x", "dev"]), max_size=2)


_QUOTED = r"""('[^']*'|"[^"]*")"""
_OPERATOR = r"\s*(===|==|!=|<=|>=|~=|<|>|in|not\s+in)\s*"
_COMPARISON = r"\b{0}\b" + _OPERATOR + _QUOTED + "|" + _QUOTED + _OPERATOR + r"\b{0}\b"
_OF_EXTRA = re.compile(_COMPARISON.replace("{0}", "extra"))
_OF_RELEASE = re.compile(_COMPARISON.replace("{0}", "platform_release"))
_AS_STRINGS = {"==": str.__eq__, "<=": str.__eq__, ">=": str.__eq__, "!=": str.__ne__, "<": None, ">": None}


def judge(text: str, environment: dict[str, str], extras: frozenset[str], groups: frozenset[str]) -> bool:
    """What packaging says, but where the specification has gone on: what is asked of ``extra`` is asked of the set, and
    ``platform_release`` is compared as a string where one side is no version."""

    def of_the_set(found: re.Match[str]) -> str:
        after, name, other, before = found.groups()
        words = {"==": "in extras", "!=": "not in extras"}
        return f"{name or other} {words[after or before]}" if (after or before) in words else "'' in extras"

    def of_strings(found: re.Match[str]) -> str:
        after, value, other, before = found.groups()
        operator = after or before
        left, right = environment["platform_release"], (value or other)[1:-1]
        if before:
            left, right = right, left
        if operator not in {*_AS_STRINGS, "~="} or (
            reads(Version, left) and reads(Specifier, operator + right)
        ):
            return found[0]
        if operator == "~=":
            raise UndefinedComparison
        compare = _AS_STRINGS[operator]
        return f"'' {'not in' if compare and compare(left, right) else 'in'} extras"

    everything: dict[str, str | AbstractSet[str]] = {
        **environment,
        "extras": extras,
        "dependency_groups": groups,
    }
    text = _OF_RELEASE.sub(of_strings, _OF_EXTRA.sub(of_the_set, text))
    return Marker(text).evaluate(everything, context="lock_file")


def reads(kind: Callable[[str], object], text: str) -> bool:
    try:
        kind(text)
    except (InvalidVersion, InvalidSpecifier):
        return False
    return True


@given(trees, environments, asked, asked)
@example("python_full_version < '3.13'", {**BASE, "python_full_version": "3.13.0+"}, frozenset(), frozenset())
@example(
    "python_full_version >= '3.13.0'", {**BASE, "python_full_version": "3.13.0+"}, frozenset(), frozenset()
)
@example("'A_B' in extras and extra == 'X'", BASE, frozenset({"a-b", "x"}), frozenset())
@example("extra != 'x'", BASE, frozenset({"a-b", "x"}), frozenset())
@example("'A_b'<= extra", BASE, frozenset({"a-b"}), frozenset())
@example("platform_release != '3.8'", BASE, frozenset(), frozenset())
@example("'3.*'!= platform_release", {**BASE, "platform_release": "22.1.0"}, frozenset(), frozenset())
@example("os_name == 'a' or os_name == 'posix' and sys_platform == 'no'", BASE, frozenset(), frozenset())
@example("platform_release === '6.1.0-13-AMD64'", BASE, frozenset(), frozenset())
def test_meaning(
    text: str, environment: dict[str, str], extras: frozenset[str], groups: frozenset[str]
) -> None:
    try:
        expected = judge(text, environment, extras, groups)
    except (InvalidMarker, UndefinedComparison, UndefinedEnvironmentName):
        return  # what cannot be compared has no answer to agree with; see the tests of refusals
    assert m.evaluate_marker(text, environment, extras, groups) == expected


@given(st.one_of(trees, st.text("()'\" andornt_=<!ex.", max_size=16)))
@example("((os_name == 'x'))")
@example("(os_name == 'x' or os_name == 'y') and (os_name=='z')")
@example("((os_name == 'x' or os_name == 'y'))")
@example("os_name=='x'or(os_name=='y')")
@example("os_name=='x' andos_name=='y'")
@example("os_name == 'a\"b'")
@example("os_name == '\\x41'")
@example("os_name == 'é'")
@example("os_name == 'x'\n")
@example("(" * 60 + "os_name=='x'" + ")" * 60)
def test_form(text: str) -> None:
    try:
        expected = str(Marker(text))
    except InvalidMarker:
        with pytest.raises(ValueError, match=r"\S"):
            m.parse_marker(text)
        return
    assert m.normal_marker(text) == expected
    assert m.format_marker(m.parse_marker(expected)) == expected


@pytest.mark.parametrize(
    "text", ["os_name ~= 'x'", "'a' == 'b'", "os_name == sys_platform", "extras == 'a'", "'a' == extras"]
)
def test_what_cannot_be_compared_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"compares|is a set"):
        m.evaluate_marker(text, BASE)


def test_never_answers_for_the_running_interpreter() -> None:
    with pytest.raises(KeyError, match="sys_platform"):
        m.evaluate_marker("sys_platform == 'linux'", {"os_name": "posix"})


def test_variables() -> None:
    tree = m.parse_marker("os_name == 'x' or ('a' in extras and python_version < '3')")
    assert m.variables(tree) == {"os_name", "extras", "python_version"}


@given(st.sampled_from(["Foo_Bar", "foo.bar"]))
def test_names_of_extras_are_normalised(name: str) -> None:
    assert m.evaluate_marker(f"extra == '{name}'", BASE, frozenset({normalise(name)}))
    assert not m.evaluate_marker(f"extra == '{name}'", BASE)
    assert m.evaluate_marker(f"'{name}' in dependency_groups", BASE, groups=frozenset({normalise(name)}))


def test_the_memory_of_markers_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(m, "_CACHE_LIMIT", 3)
    m._parsed.clear()
    m._normal.clear()
    for n in range(10):
        assert m.normal_marker(f"os_name=='{n}'") == f'os_name == "{n}"'
        assert len(m._parsed) <= 3
        assert len(m._normal) <= 3
