"""The reader of plain TOML says what ``tomllib`` says, or nothing."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accord_backend import plain

ROOT = Path(__file__).resolve().parents[4]
OWN = sorted(ROOT.glob("pyproject.toml")) + sorted(ROOT.glob("packages/*/pyproject.toml"))

READ = {
    "nothing": "",
    "comments": "# one\n\n  # two\t# three",
    "no last line break": "a = 1",
    "line ends of Windows": 'a = 1\r\nb = ["x",\r\n"y"]\r\n',
    "bare and quoted keys": 'a-b_1 = 1\n"c d" = 2\n\'e.f\' = 3\n"" = 4\n1 = 5',
    "numbers": "a = 0\nb = 17\nc = 999999999999999",
    "truth": "a = true\nb = false",
    "strings": 'a = "x # \'y\'"\nb = \'x # "y" \\d\'\nc = ""\nd = \'\'\ne = "ü\u2028\u00a0"',
    "escapes": 'a = "\\\\.py$"\nb = "say \\"x\\""\nc = "\\t"\nd = "\\\\"\n"a\\"b" = 1',
    "arrays": "a = []\nb = [1]\nc = [1, 2,]\nd = [ # one\n 'x' # two\n , [true], \n]",
    "inline tables": "a = {}\nb = {x = 1, 'y' = {z = [1,\n2]}}\nc = [{x = 1}, {x = 2}]",
    "headers": '[a]\nx = 1\n[ b . "c.d" ] # here\ny = 2\n[a.e]\n[a.f.g]\nz = 3\n[a.f]\nw = 4',
    "arrays of tables": "[[a]]\nx = 1\n[a.b]\ny = 1\n[[a.c]]\n[[a]]\n[a.b]\nz = 1\n[[a.c]]\n[[a.c]]\n[[d.e]]\n[d]\nf = 1",
}
LEFT = {
    "a key twice": "a = 1\na = 2",
    "a key twice in an inline table": "a = {b = 1, b = 2}",
    "a table twice": "[a]\n[a]",
    "a table that is a value": "a = {}\n[a.b]",
    "a key that is a table": "[a.b]\n[a]\nb = 1",
    "an array that is a table": "[a]\n[[a]]",
    "an array of tables that is an array": "a = []\n[[a]]",
    "a table that is an array of tables": "[[a]]\n[a]",
    "an array of tables that was a table above": "[a.b]\n[[a]]",
    "an empty bare key": "= 1",
    "an empty name in a header": "[a..b]",
    "an empty header": "[]",
    "no value": "a =",
    "no end of a string": 'a = "x',
    "a line break in a string": 'a = "x\ny"',
    "a line break in a string with escapes": 'a = "\\\\x\ny"',
    "an escape that is none": 'a = "\\d"',
    "two values": "a = 1 2",
    "two pairs on a line": "a = 1 b = 2",
    "something behind a header": "[a] b",
    "a comma at the end of an inline table": "a = {b = 1,}",
    "a line break in an inline table": "a = {b = 1\n}",
    "a comma too many": "a = [1,,2]",
    "a comma at the beginning": "a = [,]",
    "no end of an array": "a = [1",
    "a zero in front": "a = 01",
    "a word": "a = yes",
    "True": "a = True",
    "a control character": 'a = "\x01"',
    "a control character in a comment": "# \x7f",
    "a lone return": "a = 1\rb = 2",
    "a byte order mark": "\ufeffa = 1",
    "a blank that is none": "a =\u00a01",
    "a half closed array of tables": "[[a]",
    "an array of tables with a blank in its brackets": "[ [a] ]",
}
OTHERS = {
    "dotted keys": "a.b = 1",
    "floats": "a = 1.5",
    "floats with an exponent": "a = [1e5]",
    "negative numbers": "a = -1",
    "hexadecimal numbers": "a = 0x1f",
    "long numbers": "a = 9999999999999999",
    "dates": "a = 1979-05-27",
    "times": "a = 07:32:00",
    "times without a zero in front": "a = [12:32:00]",
    "long strings": "a = \"\"\"\nx\n\"\"\"\nb = '''y'''",
    "line breaks as escapes": 'a = "x\\ny"',
    "escapes of characters": 'a = "\\u00e4"',
    "a deep array": f"a = {'[' * 40}{']' * 40}",
    "a long document": "#" * 100_000,
}


def said(document: object) -> str:
    """In a form that tells order, 1 from true, and text from numbers."""
    return json.dumps(document, default=repr)


@pytest.mark.parametrize("text", READ.values(), ids=READ)
def test_what_is_plain_is_read_as_tomllib_reads_it(text: str) -> None:
    assert said(plain.read(text)) == said(tomllib.loads(text))


@pytest.mark.parametrize("text", LEFT.values(), ids=LEFT)
def test_what_is_not_toml_is_left_to_tomllib_which_refuses_it(text: str) -> None:
    assert plain.read(text) is None
    with pytest.raises(tomllib.TOMLDecodeError):
        tomllib.loads(text)


@pytest.mark.parametrize("text", OTHERS.values(), ids=OTHERS)
def test_what_is_toml_and_not_plain_is_left_to_tomllib(text: str) -> None:
    assert plain.read(text) is None
    tomllib.loads(text)


def test_a_path_of_very_many_parts_is_left_to_tomllib_some_of_which_refuse_it() -> None:
    """CPython 3.14.10 reads no more than a thousand parts, and says so with a RecursionError."""
    assert plain.read(f"[{'.'.join('a' * 5000)}]") is None


@pytest.mark.parametrize("path", OWN, ids=lambda path: path.parent.name)
def test_the_files_of_this_repository_are_read_as_tomllib_reads_them(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert said(plain.read(text)) == said(tomllib.loads(text))


PIECES = st.sampled_from([
    "a", "b", "c", '"a"', "'b'", "a.b", "[a]", "[b]", "[a.b]", "[b.a]", "[a.b.c]", "[[a]]", "[[b]]", "[[a.b]]", "[[a.b.c]]",
    "[", "]", "{", "}", "=", ",", ".", "#", " ", "\t", "\n", "\n", "\n", "\r\n", "\r", '"', "'", "\\", "\\\\", '""', '"""', "''",
    " = 1\n", "a = 1\n", "b = 2\n", "c = {}\n", "a = []\n", "b = [1, 2]\n", "c = {a = 1}\n", "0", "1", "01", "-", "_", "true", "x # y",
    "\u00a0", "\x00", "ä", "t", "n",
])  # fmt: skip


@given(st.lists(PIECES, max_size=25).map("".join))
def test_whatever_is_written_it_says_what_tomllib_says_or_nothing(text: str) -> None:
    found = plain.read(text)
    if found is not None:
        assert said(found) == said(tomllib.loads(text))


@given(st.data())
def test_a_sound_file_with_one_piece_changed(data: st.DataObject) -> None:
    text = OWN[0].read_text(encoding="utf-8")
    place = data.draw(st.integers(0, len(text)))
    changed = text[:place] + data.draw(PIECES) + text[place + data.draw(st.integers(0, 3)) :]
    found = plain.read(changed)
    if found is not None:
        assert said(found) == said(tomllib.loads(changed))
