"""The small grammars agree with ``packaging``, which the backend itself must not need."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression
from packaging.requirements import Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from accord_backend import rules

SPELLING = st.from_regex(
    r"v?([0-9]{1,3}!)?[0-9]{1,3}(\.[0-9]{1,3}){0,3}([-_.]?(a|B|alpha|c|rc|pre|preview)[-_.]?[0-9]{0,2})?"
    r"(-[0-9]{1,2}|[-_.]?(post|rev|R)[-_.]?[0-9]{0,2})?([-_.]?dev[-_.]?[0-9]{0,2})?(\+[a-z0-9]{1,3}([-_.][a-zA-Z0-9]{1,3}){0,2})?",
    fullmatch=True,
)


@given(SPELLING | st.text("0123456789.!+-_abrcpostdev ", max_size=12))
def test_versions(text: str) -> None:
    try:
        expected = str(Version(text))
    except InvalidVersion:
        assert rules.normal_version(text) is None
        return
    assert rules.normal_version(text) == expected


@given(st.text("abcXYZ019-_.", min_size=1, max_size=10))
def test_names(text: str) -> None:
    normal = rules.normal_name(text)
    if text[0] in "-_." or text[-1] in "-_.":
        assert normal is None
    else:
        assert normal == canonicalize_name(text)
        assert rules.file_name_part(text) == canonicalize_name(text).replace("-", "_")


@pytest.mark.parametrize(
    "text",
    [
        "MIT", "Apache-2.0 OR MIT", "apache-2.0 or (mit and BSD-3-Clause)", "GPL-2.0-or-later WITH Bison-exception-2.2",
        "LicenseRef-Mine", "GPL-2.0+", "MIT OR", "OR MIT", "(MIT", "MIT)", "MIT MIT", "", "()", "MIT AND (OR)", "MIT / BSD",
        "(MIT)", "((MIT) OR Zlib)", "MIT WITH", "WITH MIT",
    ],
)  # fmt: skip
def test_licence_expressions(text: str) -> None:
    ours = rules.licence_expression(text)
    try:
        expected = canonicalize_license_expression(text)
    except InvalidLicenseExpression:
        assert ours is None
        return
    # packaging also corrects the case of identifiers, for which one needs the list of licences.
    assert ours is not None and ours.lower() == expected.lower()


@pytest.mark.parametrize(
    "text",
    [
        "ham", "ham>=1", "ham[a,b]>=1,<2; python_version < '3'", "ham @ https://index.example/a;b.whl",
        "ham @ https://index.example/a.whl ; python_version < '3'", "ham===1.0.*weird", "ham~=1.0", "ham[ ]", "ham ;extra=='x'",
    ],
)  # fmt: skip
def test_requirements_and_extras(text: str) -> None:
    assert rules.requirement(f" {text} ") == text
    joined = Requirement(rules.with_extra(text, "cold"))
    plain = Requirement(text)
    assert (joined.name, joined.extras, joined.specifier, joined.url) == (
        plain.name, plain.extras, plain.specifier, plain.url,
    )  # fmt: skip
    assert joined.marker is not None and joined.marker.evaluate(
        {"extra": "cold", "python_version": "2.7"}
    ) == (plain.marker is None or plain.marker.evaluate({"extra": "cold", "python_version": "2.7"}))
    assert not joined.marker.evaluate({"extra": "warm", "python_version": "2.7"})


@pytest.mark.parametrize("text", ["", "-ham", "ham >", "ham 1.0", "ham=1", "ham;", "ham @", "ham\n", "ham]"])
def test_what_is_no_requirement(text: str) -> None:
    assert rules.requirement(text) is None


@pytest.mark.parametrize(
    ("text", "function", "either"),
    [
        ("spam:main", True, True), ("spam.cli:App.run", True, True), ("spam : main [x]", True, True), ("spam", False, True),
        ("spam:", False, False), (":main", False, False), ("spam.py/x:main", False, False), ("spam]", False, False), ("spam:main [x", False, False), ("spam:main()", False, False), ("", False, False),
    ],
)  # fmt: skip
def test_object_references(text: str, function: bool, either: bool) -> None:
    assert rules.is_object_reference(text, callable_needed=True) is function
    assert rules.is_object_reference(text, callable_needed=False) is either


@given(st.lists(SPELLING, min_size=2, max_size=6))
def test_the_order_of_versions(texts: list[str]) -> None:
    known = [Version(text).public for text in texts]
    assert [Version(v) for v in sorted(known, key=rules.version_key)] == sorted(Version(v) for v in known)


def test_a_version_longer_than_a_file_name() -> None:
    assert rules.normal_version("1" * 256) == "1" * 256
    assert rules.normal_version("1" * 257) is None


def test_the_limits_of_a_licence_expression() -> None:
    assert rules.licence_expression("(" * 100 + "MIT" + ")" * 100) is not None
    assert rules.licence_expression("(" * 101 + "MIT" + ")" * 101) is None
    assert rules.licence_expression("(" * 100_000) is None
    longest = "MIT" + " OR MIT" * 571
    assert len(longest) == 4000 and rules.licence_expression(longest) == longest
    assert rules.licence_expression(longest + " OR MIT") is None


@pytest.mark.parametrize(
    "text", ["a" + "-" * 100_000, "a;" + ";" * 100_000, "[" * 100_000, "a[" + " " * 100_000, ">" * 100_000]
)
def test_no_grammar_is_slow(text: str) -> None:
    import time

    before = time.process_time()
    for grammar in (
        rules.normal_name,
        rules.normal_version,
        rules.requirement,
        rules.is_specifier,
        rules.licence_expression,
    ):
        grammar(text)
    rules.is_object_reference(text, callable_needed=False)
    assert time.process_time() - before < 5


def test_parentheses_may_be_read_and_are_not_written() -> None:
    assert rules.requirement("ham (>=1,<2)") == "ham>=1,<2"
    assert rules.requirement("ham[a] ( >=1 ) ; os_name == 'nt'") == "ham[a]>=1; os_name == 'nt'"
    assert rules.with_extra("ham>=1", "x") == "ham>=1; extra == 'x'"


@pytest.mark.parametrize("operator", ["~=", "==", "!=", "<=", ">=", "<", ">"])
@pytest.mark.parametrize(
    "version",
    [
        "1",
        "1.0",
        "1.*",
        "1.0.*",
        "four",
        "1.0rc1",
        "1.0.dev1",
        "1.dev1",
        "1.0+a",
        "1!2",
        "1!2.0",
        "",
        "1.0rc1.*",
        "1.0+a.*",
    ],
)
def test_a_clause_is_one_when_packaging_says_so(operator: str, version: str) -> None:
    try:
        SpecifierSet(operator + version)
    except InvalidSpecifier:
        expected = False
    else:
        expected = True

    assert rules.is_specifier(operator + version) is expected


def test_identifiers_of_licences_are_written_in_their_reference_case() -> None:
    assert (
        rules.licence_expression("mit or (apache-2.0 and bsd-2-clause)")
        == "MIT OR (Apache-2.0 AND BSD-2-Clause)"
    )
    assert (
        rules.licence_expression("gpl-2.0-only with classpath-exception-2.0")
        == "GPL-2.0-only WITH Classpath-exception-2.0"
    )
    assert rules.licence_expression("licenseref-Mine") == "LicenseRef-Mine"
    assert rules.licence_expression("apache-2.0+") == "Apache-2.0+"
    assert rules.licence_expression("Use-it-after-midnight") == "Use-it-after-midnight"


def test_deprecated_and_unknown_licences_are_spoken_of() -> None:
    assert rules.licence_warnings("MIT OR LicenseRef-Mine") == []
    assert rules.licence_warnings("GPL-2.0+ OR Nobodys") == [
        "'GPL-2.0+' is a deprecated identifier of the SPDX list",
        "'Nobodys' is not in the SPDX list that this backend knows",
    ]


def test_the_list_of_licences_is_that_of_packaging() -> None:
    from packaging.licenses import _spdx

    from accord_backend import spdx

    for ours, theirs in ((spdx.LICENCES, _spdx.LICENSES), (spdx.EXCEPTIONS, _spdx.EXCEPTIONS)):
        assert set(ours.split()) == {
            entry["id"] + "*" * bool(entry["deprecated"]) for entry in theirs.values()
        }, "python .ci/spdx.py"
