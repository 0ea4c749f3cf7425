"""Order, normal form and masks agree with ``packaging`` on every version PEP 440 allows."""

from __future__ import annotations

import marshal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from packaging.specifiers import InvalidSpecifier, Specifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from accord_core.project import versions as v

REFUSED = r"not a version|prefix|local"
numbers = st.one_of(
    st.integers(0, 3), st.sampled_from([9, 10, 238, 239, 240, 255, 256, 2024, 65536, 2**112, 2**120])
)
separators = st.sampled_from(["", ".", "-", "_"])


@st.composite
def spelt_versions(draw: st.DrawFn, local: bool = True) -> str:
    """Versions in every spelling, crowded around a few values so that neighbours meet."""
    text = draw(st.sampled_from(["", "", "", "v", " v", "V"]))
    text += draw(st.sampled_from(["", "", "", "0!", "1!", "300!"]))
    text += ".".join(map(str, draw(st.lists(numbers, min_size=1, max_size=4))))
    tail = st.one_of(st.just(""), st.builds(str, numbers))
    if draw(st.booleans()):
        letter = draw(
            st.sampled_from(["a", "b", "c", "rc", "alpha", "beta", "pre", "preview", "RC", "Alpha"])
        )
        text += draw(separators) + letter + draw(separators) + draw(tail)
    if draw(st.booleans()):
        word = draw(st.sampled_from(["post", "rev", "r", "POST"]))
        text += draw(st.one_of(st.just(f"-{draw(numbers)}"), st.just(draw(separators) + word + draw(tail))))
    if draw(st.booleans()):
        text += draw(separators) + draw(st.sampled_from(["dev", "Dev"])) + draw(tail)
    if local and draw(st.integers(0, 3)) == 0:
        segment = st.sampled_from(["1", "2", "10", "01", "300", "a", "ab", "B", "a1", "1a", "cu121"])
        text += "+" + draw(st.sampled_from([".", "-", "_"])).join(
            draw(st.lists(segment, min_size=1, max_size=3))
        )
    return text + draw(st.sampled_from(["", "", " ", "\n"]))


@given(spelt_versions(), spelt_versions())
@example("1.0.dev1", "1.0a1")
@example("1.0", "1.0+local")
@example("1.0+local", "1.0.post0.dev0")
@example("1", "1.0.0")
@example("1.239", "1.238")
def test_keys_order_as_versions_do(left: str, right: str) -> None:
    a, b = Version(left), Version(right)
    x, y = v.sort_key(left), v.sort_key(right)
    assert (x < y, x == y, x > y) == (a < b, a == b, a > b)


@given(spelt_versions())
@example("1.0a.")
@example("1.0a--1")
@example("1.0post.dev")
@example("1.0-1-dev")
@example("1.0-r4")
def test_normal_form_and_kind(text: str) -> None:
    version = Version(text)
    assert v.normal(text) == str(version)
    assert v.is_prerelease(text) == version.is_prerelease
    assert v.local_part(text) == version.local


@given(st.one_of(st.text("0123v!.-_+abrcdevpost \t", max_size=12), st.text(max_size=6), spelt_versions()))
@example("1..2")
@example(".1")
@example("1.0+")
@example("1.0+a..b")
@example("١.٢")
@example("1.0poſt1")
@example("")
def test_what_is_no_version_is_refused_and_nothing_else(text: str) -> None:
    try:
        expected = str(Version(text))
    except InvalidVersion:
        with pytest.raises(ValueError, match="not a version"):
            v.normal(text)
        with pytest.raises(ValueError, match="not a version"):
            v.sort_key(text)
    else:
        assert v.normal(text) == expected


def test_keys_are_marshalled() -> None:
    keys = [v.sort_key(text) for text in ("1", "1!2.0rc1.post2.dev3+a.1")]
    assert marshal.loads(marshal.dumps(keys)) == keys


@st.composite
def clauses(draw: st.DrawFn) -> str:
    operator = draw(st.sampled_from(["==", "!=", "<=", ">=", "<", ">", "~=", "===", "==", "!=", ">"]))
    kind = draw(st.integers(0, 3))
    version = draw(spelt_versions(local=operator in ("==", "!=", "===") and kind == 1)).strip()
    if operator in ("==", "!=") and kind == 2:
        version = ".".join(map(str, draw(st.lists(st.integers(0, 2), min_size=1, max_size=3)))) + ".*"
    if operator == "===" and kind == 3:
        version = draw(st.sampled_from(["1.0", "1.0.0", "anything", "1.0-1", "V1"]))
    return operator + draw(st.sampled_from(["", " "])) + version


specifiers = st.builds(
    lambda many, comma: comma.join(many),
    st.lists(clauses(), max_size=3),
    st.sampled_from([",", ", ", " , "]),
)


def universe(texts: list[str]) -> tuple[list[str], list[bytes], dict[int, tuple[str, ...]]]:
    """What the solver holds of an index page: one entry per version, with the spellings found."""
    spellings: dict[bytes, list[str]] = {}
    for text in texts:
        spellings.setdefault(v.sort_key(text), []).append(text.strip())
    keys = sorted(spellings)
    names = [v.normal(spellings[key][0]) for key in keys]
    return names, keys, {i: tuple(spellings[key]) for i, key in enumerate(keys)}


@given(st.lists(spelt_versions(), max_size=12), specifiers)
@example(["1.0", "1.0.post1", "1.0+cpu", "1.0.post1+cpu", "1.0.1.dev0"], ">1.0")
@example(["1.0a1", "1.0a1.post1", "1.0a1.dev1", "1.0a2.dev0", "1.0a1+x"], ">1.0a1")
@example(["1.0.dev1", "1.0.dev1+x", "1.0.dev2", "1.0a1.dev1"], ">1.0.dev1")
@example(["1.0.post1", "1.0.post1+x", "1.0.post2.dev0"], ">1.0.post1")
@example(["1.0.dev0", "1.0a1", "1.0", "0.9", "0.9.post1"], "<1.0")
@example(["1.0.dev0", "1.0.dev1", "1.0a1"], "<1.0a1")
@example(["1.0", "1.0.post1.dev0", "1.0.post1"], "<1.0.post1")
@example(["1.0", "1.0+a", "1.0+a.b", "1.0+b", "1.0.post0"], "==1.0+a")
@example(["1.0", "1.0+a", "1.0.0.post1", "1.0.dev0", "1.0rc1", "1.1"], "==1.0.*, !=1.0+a")
@example(["2.2", "2.2.post3", "2.3", "3.0.dev0", "3.0a1"], "~=2.2.post3")
@example(["1.0", "1.0.0"], "===1.0.0")
@example(["0.dev0", "0"], "<0")
@example(["1.0", "1.0+a", "1.0.post0.dev0"], "<=1.0")
@example(["1.0.dev1", "1.0.dev2", "1.0.dev2+a"], "<1.0.dev2")
@example(["1.0", "1.0+a", "1.0.post1"], "!=1.0")
@example(["1.0", "1.0.1", "1.1"], ">=1.0,!=1.0.1,<2")
def test_masks_say_what_packaging_says(texts: list[str], specifier: str) -> None:
    try:
        oracle = SpecifierSet(specifier)
    except InvalidSpecifier:
        with pytest.raises(ValueError, match=REFUSED):
            v.compile_specifier(specifier)
        return
    names, keys, raws = universe(texts)
    mask = v.specifier_mask(names, keys, raws, specifier)
    assert mask >> len(names) == 0
    for i in range(len(names)):
        wanted = any(oracle.contains(raw, prereleases=True) for raw in raws[i])
        assert bool(mask >> i & 1) == wanted, (names[i], raws[i], specifier)
        assert any(v.satisfies(raw, specifier) for raw in raws[i]) == wanted


@given(st.one_of(specifiers, st.text("=<>!~.*1a+,; x", max_size=8)))
@example(">=1,>=1.0")
@example("<1.0,<1.0.dev0")
@example("~=1.0,~=1.0.0")
@example("==1.*,==1.0.*")
@example("===x,===X")
@example(">=1,")
def test_normal_specifier_is_packagings(specifier: str) -> None:
    try:
        expected = SpecifierSet(specifier)
    except InvalidSpecifier:
        with pytest.raises(ValueError, match=REFUSED):
            v.normal_specifier(specifier)
        return
    assert v.normal_specifier(specifier) == str(expected)
    assert v.names_prerelease(specifier) == bool(expected.prereleases)


@pytest.mark.parametrize(
    "clause", [">=1.0+local", "~=1", "==1.0a1.*", ">=1.*", "=1", "1.0", "==", "=== a b", "~=1.*"]
)
def test_clauses_the_standard_does_not_know(clause: str) -> None:
    with pytest.raises(InvalidSpecifier):
        Specifier(clause)
    with pytest.raises(ValueError, match=REFUSED):
        v.compile_specifier(clause)


def test_a_version_not_respelt_answers_by_its_normal_form() -> None:
    names = ["1.0", "2.0"]
    assert v.specifier_mask(names, [v.sort_key(name) for name in names], {0: ("1.0.0",)}, "===2.0") == 2
    assert v.specifier_mask(names, [v.sort_key(name) for name in names], {0: ("1.0.0",)}, "===1.0") == 0


def test_the_memory_of_clauses_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(v, "_CACHE_LIMIT", 3)
    v._clauses.clear()
    for n in range(10):
        assert v.satisfies("5", f">={n}") == (n <= 5)
        assert len(v._clauses) <= 3


@pytest.mark.parametrize("beginning", ["", "1.", "v1rc", "1+"])
def test_a_version_has_a_longest(beginning: str) -> None:
    longest = beginning + "9" * (1_000 - len(beginning))
    assert v.sort_key(longest) and v.normal(longest)
    for longer in (longest + "9", beginning + "9" * 5_000, "1" + ".1" * 20_000):
        with pytest.raises(ValueError, match="longer"):
            v.sort_key(longer)
        with pytest.raises(ValueError, match=r"longer|not a version"):
            v.compile_specifier(f">={longer}")


@given(
    st.lists(st.sampled_from((0, 1, 2, 9, 10, 237, 238, 239, 255, 256, 2024)), min_size=1, max_size=5),
    st.sampled_from(("==", "!=", "<=", ">=", "<", ">")),
)
def test_the_bounds_of_plain_releases_are_those_of_all_versions(numbers: list[int], operator: str) -> None:
    """The short way for numbers and dots, beside the long one, which an epoch of zero takes."""
    plain = ".".join(map(str, numbers))
    assert v.clause_bounds(operator, plain) == v.clause_bounds(operator, f"0!{plain}")
