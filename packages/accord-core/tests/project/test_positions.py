"""Every path ``tomllib`` returns has its line, whatever way the document is written."""

from __future__ import annotations

import tomllib
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from accord_core.project.positions import KeyPath, line_of, scan

DOCUMENT = '''\
# a comment with [brackets] and = signs
title = "x # not a comment"
"quoted.key" = 1
'literal' . inner . "\\u00e9" = 2

[project]   # header
name = """
[not.a.table]
key = "not a key"
"""
dependencies = [
    "a[x]>=1",  # ] in a comment
    'b ; python_version == "3"',

    """c
    """, { inner = [1, [2,
      3]] },
]
after = '\'\'raw " and \\ [
]\'\'\'
[project . "optional-dependencies"]
dev = []
[[tool.accord.index]]
name = "one"
[tool.accord.index.sub]
k = 1
[[tool.accord.index]]
name = "two"
inline = {a = 1, b.c = {d = "}"}, "e" = [1]}
[tool.accord.index.sub]
k = 2
time = 1979-05-27 07:32:00Z
last = 5 # no line end'''
DOCUMENT = DOCUMENT.replace("'\\'\\'raw", "'''raw").replace("]\\'\\'\\'", "]'''")


def paths(value: Any, at: KeyPath = ()) -> set[KeyPath]:
    found = {at} if at else set()
    if isinstance(value, dict):
        for key, inner in value.items():
            found |= paths(inner, (*at, key))
    elif isinstance(value, list):
        for i, inner in enumerate(value):
            found |= paths(inner, (*at, i))
    return found


def test_a_document_of_every_form() -> None:
    lines = scan(DOCUMENT)
    assert set(lines) == paths(tomllib.loads(DOCUMENT))
    source = DOCUMENT.split("\n")

    def first(text: str, nth: int = 1) -> int:
        return [i for i, line in enumerate(source, 1) if text in line][nth - 1]

    assert lines["quoted.key",] == 3
    assert lines["literal", "inner", "é"] == 4
    assert lines["project",] == first("[project]")
    assert lines["project", "dependencies", 0] == first("a[x]")
    assert lines["project", "dependencies", 1] == first("'b ;")
    assert lines["project", "dependencies", 2] == first('"""c')
    assert lines["project", "dependencies", 3, "inner", 1, 1] == first("3]] }")
    assert lines["project", "after"] == first("after")
    assert lines["project", "optional-dependencies", "dev"] == first("dev = []")
    assert lines["tool", "accord", "index", 0, "name"] == first('"one"')
    assert lines["tool", "accord", "index", 1] == first("[[tool.accord.index]]", 2)
    assert lines["tool", "accord", "index", 1, "sub", "k"] == first("k = 2")
    assert lines["tool", "accord", "index", 1, "inline", "b", "c", "d"] == first("inline")
    assert lines["tool", "accord", "index", 1, "sub", "last"] == len(source)


def test_the_nearest_place_stands_for_what_is_missing() -> None:
    lines = scan("[a]\n[b]\nx = 1\n")
    assert line_of(lines, ("b", "missing", "deeper")) == 2
    assert line_of(lines, ("c",)) is None


keys = st.sampled_from(["a", "b", "c-d", '"q.r"', "'l'", '"x\\"y"', "a . b", "a.'z'", "1", '"\\u0041"', '""'])
scalars = st.sampled_from(
    [
        "1",
        "-1.5e3",
        "true",
        "1979-05-27",
        '"s"',
        "'l'",
        '"""m\n[x]\n"""',
        "'''n\n=\n'''",
        '"""a\\"""b"""',
        '"\\\\"',
        '""""""',
        '"""x"""""',
        "''''q'''''",
        "''",
        '"#"',
        '""',
    ]
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda many: "[" + ", ".join(many) + "]"),
        st.lists(inner, max_size=3).map(
            lambda many: "[ # c ]\n" + "".join(f"  {one} , # , ]\n" for one in many) + "]"
        ),
        st.lists(st.tuples(keys, inner), max_size=2).map(
            lambda many: "{" + ", ".join(f"{key} = {one}" for key, one in many) + "}"
        ),
    ),
    max_leaves=4,
)
lines_of_text = st.one_of(
    st.builds("{} = {}".format, keys, values),
    st.builds("  {}={}  # c".format, keys, values),
    st.builds("[{}]".format, keys),
    st.builds("[[ {} ]] # c".format, keys),
    st.just("# [x]"),
    st.just(""),
)


@given(st.lists(lines_of_text, max_size=7), st.sampled_from(["\n", "\r\n"]))
@example(["[[a]]", "[a.b]", "x=1", "[[a]]", "[[a.b]]", "[a.b.c]"], "\n")
def test_whatever_tomllib_reads_has_a_place(texts: list[str], end: str) -> None:
    text = end.join(texts)
    try:
        value = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        scan(text)  # no judge, and no exception
        return
    found = scan(text)
    assert set(found) == paths(value)
    source = text.split("\n")
    for path, line in found.items():
        name = path[-1]
        if isinstance(name, str) and name not in ('x"y', "A", ""):
            assert name in source[line - 1]


@given(st.text("[]{}=.,\"'#\n\\a \t", max_size=30))
def test_what_is_not_toml_ends(text: str) -> None:
    scan(text)


def test_deep_arrays_do_not_exhaust_the_stack() -> None:
    assert ("a",) in scan("a = " + "[" * 100_000)
