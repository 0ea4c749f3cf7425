"""What a stranger wrote reaches the terminal as text, and never as an order or as a line of ours."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pytest

from accord.cli import failure
from accord.cli.context import Context
from accord.cli.paint import Paint, reveal
from accord.cli.parser import Args
from accord.testing.worlds import World
from accord_core.errors import AccordError

if TYPE_CHECKING:
    from pathlib import Path

EVIL = "\x1b[2J\x1b]0;owned\x07\r\x9b31m\nerror[forged]: x\u202egnp"
SHOWN = r"\x1b[2J\x1b]0;owned\x07\r\x9b31m\nerror[forged]: x\u202egnp"


def context(*, color: bool = False) -> Context:
    values: dict[str, Any] = dict.fromkeys(("cache_dir", "project"))
    values.update(quiet=False, verbose=1, as_json=False, offline=False, no_progress=True, no_color=not color)
    args = Args()
    vars(args).update(values)
    return Context(
        args,
        stdout=io.StringIO(),
        stderr=io.StringIO(),
        environ={"FORCE_COLOR": "1"} if color else {},
    )


def written(one: Context) -> str:
    assert isinstance(one.stdout, io.StringIO) and isinstance(one.stderr, io.StringIO)
    return one.stdout.getvalue() + one.stderr.getvalue()


@pytest.mark.parametrize(
    "sign", [*map(chr, range(0x20)), *map(chr, range(0x7F, 0xA0)), *"\u2028\u2029\u2066"]
)
def test_each_sign_that_steers_a_terminal_is_shown(sign: str) -> None:
    assert reveal(f"a{sign}b") == (f"a{sign}b" if sign == "\t" else f"a{repr(sign)[1:-1]}b")


@pytest.mark.parametrize(
    "text", ["", "spam 1.0", "Müller, 日本, 🐍", "a\tb", "\\x1b is no escape", "no\xa0break"]
)
def test_everything_else_stays_as_it_is(text: str) -> None:
    assert reveal(text) == text


@pytest.mark.parametrize("way", ["out", "say", "warn"])
def test_each_way_to_write_a_line_writes_one_line(way: str) -> None:
    one = context()
    getattr(one, way)(f"spam ({EVIL})")
    assert written(one).endswith(f"spam ({SHOWN})\n") and written(one).count("\n") == 1


def test_notes_too() -> None:
    one = context()
    one.reporter.note(EVIL)
    assert written(one) == f"note: {SHOWN}\n"


def test_our_own_colours_are_colours_and_theirs_are_not() -> None:
    one = context(color=True)
    one.out(f"{one.paint('spam', 'bold')} \x1b[1m{one.paint(EVIL, 'red')}")
    assert written(one) == f"\x1b[1mspam\x1b[0m \\x1b[1m\x1b[31m{SHOWN}\x1b[0m\n"


def test_the_mark_of_our_colours_is_not_known_beforehand() -> None:
    marked = Paint(True)("spam", "bold")
    assert "\x1b" not in marked and len(marked) > 30


def test_an_error_is_as_many_lines_as_it_has_parts() -> None:
    one = context()
    failure.report(AccordError("spam", EVIL, context=(EVIL, "fact"), hint=EVIL), one)
    lines = written(one).split("\n")
    assert [line.partition("error[forged]")[0][-2:] for line in lines if "forged" in line] == [
        r"\n", "  ", r"\n"
    ]  # fmt: skip
    assert "    error[forged]: x\\u202egnp" in lines, "a second line of a fact lies below its first"
    assert not any(sign in written(one) for sign in "\x1b\x07\r\x9b\u202e")


def test_json_is_exact() -> None:
    one = context()
    one.json = True
    failure.report(AccordError("spam", EVIL), one)
    assert json.loads(written(one))["error"]["message"] == EVIL


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(str(tmp_path / "world"))


def test_a_reason_of_an_index(world: World) -> None:
    file = world.publish("spam", "1.0")
    file.yanked, file.yank_reason = True, EVIL
    ran = world.accord("pip", "compile", world.write("spam.in", "spam==1.0\n"), "-o", "spam.txt").fine()
    assert SHOWN in ran.err and not any(line.startswith("error") for line in ran.err.split("\n"))


def test_what_is_installed(world: World) -> None:
    world.accord("venv", "env").fine()
    for name, text in (
        ("zz", f"Name: zz\x1b[2J\nVersion: 1.0\x9b\nSummary: {EVIL}"),
        ("yy", "Name: yy\nVersion: 1.0\nAuthor: \x1b[31mred"),
    ):
        world.write(
            f"{world.site('env')}/{name}-1.0.dist-info/METADATA", f"Metadata-Version: 2.1\n{text}\n".encode()
        )
    for words in (("list",), ("freeze",), ("show", "yy"), ("check",)):
        ran = world.accord("pip", *words, "--env", "env")
        assert "\x1b" not in ran.out + ran.err and "\x9b" not in ran.out + ran.err, words
    assert r"\x1b[31mred" in world.accord("pip", "show", "yy", "--env", "env").fine().out


@pytest.mark.parametrize(
    "words",
    [
        ("pip", "install", f"spam{EVIL}"),
        (EVIL,),
        ("sync", f"--{EVIL}"),
        ("run", EVIL),
        ("add", EVIL),
        ("pip", "show", EVIL),
    ],
)
def test_what_was_typed(world: World, words: tuple[str, ...]) -> None:
    world.project()
    ran = world.accord(*words)
    assert ran.status != 0 and not any(sign in ran.out + ran.err for sign in "\x1b\x07\r\x9b\u202e")
    assert ran.err.count("\nerror") == 0


def test_a_key_of_a_document(world: World) -> None:
    world.write(
        "pyproject.toml",
        '[project]\nname="x"\nversion="1"\ndependencies=["a\\u001b[2Jb"]\n"\\u001b[31mkey"=1\n',
    )
    ran = world.accord("lock")
    assert ran.status != 0 and "\x1b" not in ran.out + ran.err and r"\x1b" in ran.err
