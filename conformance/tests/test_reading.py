"""The suite's data is read strictly: what nobody knows is an error that says where it stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from accord_conformance.adapters import read_adapter
from accord_conformance.cases import read_cases
from accord_conformance.errors import SuiteError
from accord_conformance.reviews import read_reviews
from accord_conformance.roles import check
from accord_conformance.standards import Standards, read_standards

RULE = """
[standard]
id = "X"
title = "A standard"
source = "https://standards.example/x"
read = 2026-08-19
[[rule]]
id = "X.1"
level = "MUST"
section = "One"
roles = ["installer"]
says = "It is so."
quote = "is so"
"""
CASE = """
role = "installer"
[[case]]
id = "plain"
title = "Plain"
rules = ["X.1"]
do = "install"
expect = { files = ["purelib:x"] }
"""


def standards(folder: Path, text: str = RULE) -> Standards:
    (folder / "rules").mkdir(exist_ok=True)
    (folder / "rules" / "x.toml").write_text(text, encoding="utf-8")
    return read_standards(folder / "rules")


def cases(folder: Path, text: str) -> None:
    (folder / "cases" / "installer").mkdir(parents=True, exist_ok=True)
    (folder / "cases" / "installer" / "x.toml").write_text(text, encoding="utf-8")
    for case in read_cases(standards(folder), folder / "cases"):
        check(case)


def test_what_is_in_form_is_read(tmp_path: Path) -> None:
    cases(tmp_path, CASE)


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ('level = "MUST"', 'level = "HAS TO"', "not one of MUST, SHOULD, MAY"),
        ('id = "X.1"', 'id = "Y.1"', r"an id is X\.NUMBER"),
        ('quote = "is so"', 'quote = "is so"\nmood = "x"', "nobody knows 'mood'"),
        ('roles = ["installer"]', 'roles = ["cook"]', "'cook' is no role"),
        ('says = "It is so."\n', "", "'says' is missing"),
    ],
)
def test_a_rule_out_of_form_is_refused(tmp_path: Path, before: str, after: str, said: str) -> None:
    with pytest.raises(SuiteError, match=said):
        standards(tmp_path, RULE.replace(before, after))


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("X.1", "X.2", "there is no rule X.2"),
        ('"plain"', '"Plain!"', "lower-case words"),
        ('do = "install"', 'do = "fly"', "no verb 'fly'"),
        ("expect = { ", 'expect = { outcome = "refusd", ', "there is no outcome 'refusd': done, refused"),
        ("expect = { ", 'expect = { outcome = ["done", "either"], ', "there is no outcome 'either'"),
        ("expect = { files", "expect = { flies", "expect knows no 'flies'"),
        ('do = "install"', 'do = "install"\nwith.speed = 1', "install knows no 'speed'"),
        ('do = "install"', 'do = "install"\ngiven.wheals = {}', "given knows no 'wheals'"),
        ('expect = { files = ["purelib:x"] }', "", "nothing is expected"),
        ('expect = { files = ["purelib:x"] }', 'expect = { outcome = "refused" }', "names its honest twin"),
        ('do = "install"', 'do = "install"\nkind = "disputed"', "two readings"),
        (
            'role = "installer"',
            'role = "installer"\ntwin = "none"',
            "there is no case installer/x/none, its twin",
        ),
        (
            'do = "install"',
            'do = "install"\nafter = "none"',
            "installer/x/none is no earlier case of this file",
        ),
    ],
)
def test_a_case_out_of_form_is_refused(tmp_path: Path, before: str, after: str, said: str) -> None:
    with pytest.raises(SuiteError, match=said):
        cases(tmp_path, CASE.replace(before, after))


def test_an_id_used_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match="two cases have this id"):
        cases(tmp_path, CASE + CASE.replace('\nrole = "installer"', ""))


def test_an_adapter_out_of_form_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    head = '[tool]\nname = "mine"\ntitle = "Mine"\nhome = "x"\nrequires = []\nversion = ["x"]\n'
    path.write_text(head + '[roles.cook]\ninstall = [["x"]]\n', encoding="utf-8")
    with pytest.raises(SuiteError, match="no such role"):
        read_adapter(path)
    path.write_text(head + '[roles.installer]\ninstall = ["x"]\n', encoding="utf-8")
    with pytest.raises(SuiteError, match="list of argument lists"):
        read_adapter(path)


def review(folder: Path, first: str, second: str, third: str = "", *, contested: bool) -> Path:
    path = folder / "reviews.toml"
    words = f'first = "{first}"\nsecond = "{second}"\n' + (f'third = "{third}"\n' if third else "")
    path.write_text(
        f'[[review]]\ncase = "a/b/c"\ntools = ["x"]\n{words}contested = {str(contested).lower()}\n',
        encoding="utf-8",
    )
    return path


def test_a_review_of_no_case_is_refused(tmp_path: Path) -> None:
    path = review(tmp_path, "Fair: 1", "Fair: 2", contested=False)

    assert read_reviews({"a/b/c": None}, path)["a/b/c"].second == "Fair: 2"
    with pytest.raises(SuiteError, match="there is no case"):
        read_reviews({}, path)


@pytest.mark.parametrize(
    ("first", "second", "third", "contested"),
    [
        ("Fair: x", "Fair: x", "", False),
        ("Fair: x", "Doubtful: x", "", True),
        ("Fair: x", "Doubtful: x", "Fair: x", False),
        ("Doubtful: x", "Wrong: x", "Fair: x", True),
        ("Doubtful: x", "Wrong: x", "Mended: x", False),
        ("Not read yet.", "Not read yet.", "Fair: x", True),
    ],
)
def test_a_case_is_contested_until_two_find_it_fair_or_it_is_mended(
    tmp_path: Path, first: str, second: str, third: str, contested: bool
) -> None:
    known = {"a/b/c": None}

    found = read_reviews(known, review(tmp_path, first, second, third, contested=contested))

    assert found["a/b/c"].contested is contested
    with pytest.raises(SuiteError, match="its readers say otherwise"):
        read_reviews(known, review(tmp_path, first, second, third, contested=not contested))
