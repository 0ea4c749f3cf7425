"""What is read from the syntax trees of modules, held against Python itself where it knows the answer."""

from __future__ import annotations

import contextlib
import marshal
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from accord.checks import sources
from accord.checks.limits import Limits
from accord.checks.sources import Source, lowest_python, read_sources
from accord.checks.subjects import File
from accord.io import forks

MODULE = """
import os, sys as system
import xml.dom
from json import loads, dumps as write
if os.name:
    one = 1
else:
    two: int = 2
try:
    three = 3
except ValueError:
    four = 4
finally:
    five = 5
for six, (seven, *eight) in [(1, (2, 3))]:
    nine = six
with open(os.devnull) as ten:
    pass
class Eleven:
    inner = 1
    def method(self): ...
def twelve(x: int) -> int:
    global thirteen
    thirteen = local = x
    return local
twelve(1)
match os.name:
    case _:
        fourteen = 1
"""


def read(text: str | bytes, requires: str | None = None, limits: Limits | None = None) -> Source:
    data = text.encode() if isinstance(text, str) else text
    file = File("a.py", len(data), False, lambda: data)
    return read_sources({"a.py": file}, requires, limits or Limits())["a.py"]


def test_the_names_are_those_python_finds() -> None:
    source = read(MODULE)
    namespace: dict[str, object] = {"__name__": "a"}
    with contextlib.ExitStack() as stack:
        exec(MODULE, namespace)
        stack.callback(namespace["ten"].close)  # type: ignore[attr-defined]
    defined = {name for name in namespace if not name.startswith("__")}
    assert set(source.names or ()) == defined | {"two", "four"}  # the branches that did not run
    assert (source.functions, source.annotated) == (2, 1)


@pytest.mark.parametrize(
    "text", ["from os import *\n", "def __getattr__(name): ...\n", "globals()['x'] = 1\n"]
)
def test_a_module_that_may_define_anything_is_not_judged(text: str) -> None:
    assert read(text).names is None


@pytest.mark.parametrize(
    ("requires", "lowest"),
    [
        (">=3.8", (3, 8)),
        (">=3.9.2", (3, 9)),
        ("~=3.10", (3, 10)),
        (">3.7,<4", (3, 7)),
        (">=2.7,!=3.0.*", None),
        (None, None),
        ("nonsense", None),
        ("<3", None),
    ],
)
def test_the_lowest_python(requires: str | None, lowest: tuple[int, int] | None) -> None:
    assert lowest_python(requires) == lowest


def test_a_newer_grammar_is_a_fault_for_an_older_python() -> None:
    walrus = "if (x := 1): ...\n"
    assert read(walrus, ">=3.7").fault
    assert not read(walrus, ">=3.8").fault


def test_what_only_a_newer_python_reads_is_not_judged() -> None:
    source = read("def f(:\n", f">=3.{sys.version_info[1] + 1}")
    assert source.skipped
    assert not source.fault


@pytest.mark.parametrize("text", ["(" * 5000 + ")" * 5000, "-" * 100_000 + "1", "x = 1\0"])
def test_a_source_made_to_break_the_parser_is_a_fault(text: str) -> None:
    assert read(text).fault


def many(size: int) -> dict[str, File]:
    """Modules that together are worth more than one process; the last is none."""
    texts = {f"m{number}.py": f"{MODULE}\nx{number} = 1\n#{'x' * size}\n" for number in range(20)}
    texts["bad.py"] = "def f(:\n" + "#" * size
    return {name: File(name, len(text), False, partial(str.encode, text)) for name, text in texts.items()}


def test_many_sources_on_all_processors_say_what_each_says_alone() -> None:
    files = many(80_000)
    assert sum(file.size for file in files.values()) > 1 << 20
    found = read_sources(files, None, Limits())
    for name, file in files.items():
        assert found[name] == read_sources({name: file}, None, Limits())[name]
    assert found["bad.py"].fault
    assert found["m3.py"].names is not None and "x3" in found["m3.py"].names


@pytest.mark.parametrize("harm", [None, "broken", "gone", "another form"])
def test_what_was_found_out_is_kept_for_as_long_as_a_file_is_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, harm: str | None
) -> None:
    parsed: list[bytes] = []
    whole = sources._parse

    def parse(data: bytes, feature: tuple[int, int] | None) -> Source:
        parsed.append(data)
        return whole(data, feature)

    monkeypatch.setattr(sources, "_parse", parse)
    monkeypatch.setattr(forks, "processors", lambda: 1)

    def found(files: dict[str, File], requires: str | None = None) -> tuple[dict[str, Source], int]:
        parsed.clear()
        return read_sources(
            files, requires, Limits(), cache_dir=str(tmp_path / "cache"), subject="here"
        ), len(parsed)

    files = many(80_000)
    first, count = found(files)
    assert count == len(files)
    (kept,) = (tmp_path / "cache" / "checks-v1").iterdir()
    if harm == "broken":
        kept.write_bytes(kept.read_bytes()[:-10])
    elif harm == "gone":
        kept.unlink()
    elif harm == "another form":
        kept.write_bytes(marshal.dumps([1, 2]))
    again, count = found(files)
    assert (again, count) == (first, 0 if harm is None else len(files))
    files["m3.py"] = replace(files["m3.py"], read=lambda: b"x = 1\n")
    changed, count = found(files)
    assert (changed["m3.py"].names, count) == (frozenset("x"), 1)
    assert found(files, ">=3.8")[1] == len(files), "another grammar may say otherwise"


def test_sources_together_have_a_limit(tmp_path: Path) -> None:
    files = {f"{name}.py": File(f"{name}.py", 4, False, lambda: b"x=1\n") for name in "abc"}
    found = read_sources(files, None, Limits(sources_bytes=8))
    assert [one.skipped for one in found.values()] == [False, False, True]
