# ruff: noqa: T201 - a script that says what it did
"""Writes the pages of the reference that are made from the source: ``cli.md``, ``errors.md`` and ``checks.md``.

    python docs/build.py            write them
    python docs/build.py --check    only say whether they are up to date (status 1 if not)

``cli.md`` comes from the parsers of the command line.  ``errors.md`` comes from the codes in the source, found by
reading its syntax trees, and from ``docs/errors.toml``, which says of each code what it means and what to do.  A code
without words, words without a code, or a code that cannot be found because it is put together at run time is an error.
``checks.md`` comes from the table of ``accord check``, whose functions say in their docstrings what they are for.
"""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from accord.cli.parser import Argument, Option, Parser

DOCS = Path(__file__).parent
ROOT = DOCS.parent
SOURCES = ("packages/accord-core/src", "packages/accord/src")
MADE = "<!-- Made by docs/build.py; change the source, not this page. -->"
CODE = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


class BuildFault(Exception):
    """The pages cannot be made; the message says what to do."""


# -- the command line ----------------------------------------------------------------------------------------


def cli_page() -> str:
    """The whole page ``docs/reference/cli.md``."""
    from accord.cli.catalogue import FAMILIES, SECTIONS, commands
    from accord.cli.main import declare, leading_parser

    lines = ["# The command line", "", MADE, "", *_preface(), "", "## Global options", ""]
    lines += ["They may stand before and after every command.", "", *_option_table(leading_parser().options)]
    shared = {option.names for option in leading_parser().options}
    for title, section in SECTIONS:
        lines += ["", f"## {title}"]
        for name, line in section:
            if name in FAMILIES:
                lines += ["", f"### accord {name}", "", f"{line}."]
            for path, _ in commands():
                if path == name or path.startswith(f"{name} "):
                    lines += _command(declare(path), shared)
    return "\n".join(lines) + "\n"


def _preface() -> list[str]:
    return [
        "Results go to standard output, everything else to standard error. With `--json` standard output holds",
        'exactly one JSON document: the result, or `{"error": {...}}` with the fields `code`, `message`, `where`,',
        "`context`, `hint`, `cause`, `docs`, and `faults` where a document has several.",
        "",
        "| status | means |",
        "| --- | --- |",
        "| 0 | done |",
        "| 1 | refused or failed, with a [coded error](errors.md), or the check that was asked for found something |",
        "| 2 | the command line is wrong, or there is nothing to work on (a usage error) |",
        "| 130 | interrupted (Ctrl-C) |",
        "| 143, 129 | ended by SIGTERM, or by SIGHUP because the terminal went; like Ctrl-C otherwise |",
        "",
        "`accord run` ends with the status of the program it ran.",
    ]


def _command(parser: Parser, shared: set[tuple[str, ...]]) -> list[str]:
    from accord.cli.help import usage

    lines = ["", f"### {parser.path}", "", f"{parser.summary}."]
    if parser.description:
        for paragraph in parser.description.split("\n\n"):
            lines += ["", _escaped(" ".join(paragraph.split()))]
    lines += ["", "```console", f"$ {usage(parser)}", "```"]
    if parser.examples:
        lines += ["", "```console"]
        for line, why in parser.examples:
            lines += [f"$ {line}    # {why}"]
        lines += ["```"]
    if parser.arguments:
        lines += ["", "| argument | |", "| --- | --- |", *map(_argument_row, parser.arguments)]
    own = [option for option in parser.options if option.names not in shared]
    for title in dict.fromkeys(option.section for option in own):
        options = [option for option in own if option.section == title]
        lines += ["", f"**{title}**", "", *_option_table(options)]
    return lines


def _argument_row(argument: Argument) -> str:
    return f"| `{argument.metavar}` | {_escaped(argument.help)} |"


def _option_table(options: list[Option]) -> list[str]:
    from accord.cli.help import explanation, spelling

    rows = [f"| `{_escaped(spelling(option))}` | {_escaped(explanation(option))} |" for option in options]
    return ["| option | |", "| --- | --- |", *rows]


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


# -- the errors ----------------------------------------------------------------------------------------------


@dataclass
class Found:
    """Where a code is raised: the rooms (dotted modules), and the classes that carry it."""

    rooms: set[str] = field(default_factory=set)
    classes: set[str] = field(default_factory=set)


def error_codes(root: Path = ROOT) -> dict[str, Found]:
    """Every error code in the source.

    A code is the argument ``code`` of a function or a constructor that has a parameter of that name (it hands the code on),
    the first argument of a class whose name ends in ``Error`` and that is made with a message (an inherited constructor),
    or what a variable ``code`` is set to.
    """
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in _modules(root)}
    carriers = _carriers(trees)
    found: dict[str, Found] = {}
    for path, tree in trees.items():
        for call, place in _calls(path, tree, carriers):
            for code in _constants(call, place, path):
                entry = found.setdefault(code, Found())
                entry.rooms.add(_room(path, root))
                name = _called(call)
                if name is not None and name.endswith("Error"):
                    entry.classes.add(name)
        for value in _assigned(tree):
            if isinstance(value, ast.JoinedStr):
                continue  # a variable called code may hold a program
            for code in _literals(value, path):
                found.setdefault(code, Found()).rooms.add(_room(path, root))
    return found


def _assigned(tree: ast.Module) -> Iterator[ast.expr]:
    """What variables called ``code`` are set to, alone or as the first of several, in an assignment or a loop."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name) and target.id == "code":
                    yield node.value
                elif _leads(target) and isinstance(node.value, ast.Tuple):
                    yield node.value.elts[0]
        elif isinstance(node, ast.For) and _leads(node.target) and isinstance(node.iter, ast.Tuple):
            for item in node.iter.elts:
                if isinstance(item, ast.Tuple):
                    yield item.elts[0]


def _leads(target: ast.expr) -> bool:
    """Whether ``target`` is ``code, ...``."""
    if not isinstance(target, ast.Tuple) or not target.elts:
        return False
    first = target.elts[0]
    return isinstance(first, ast.Name) and first.id == "code"


def _modules(root: Path) -> Iterator[Path]:
    for source in SOURCES:
        # The fakes refuse nothing themselves.
        yield from (path for path in sorted((root / source).rglob("*.py")) if "testing" not in path.parts)


def _room(path: Path, root: Path) -> str:
    relative = next(
        path.relative_to(root / source) for source in SOURCES if path.is_relative_to(root / source)
    )
    return ".".join(relative.with_suffix("").parts[:2])


def _carriers(trees: dict[Path, ast.Module]) -> dict[tuple[str, Path | None], int]:
    """The functions, and classes by their constructors, that take a ``code``, with its place among the arguments of a call;
    private ones by module."""
    carriers: dict[tuple[str, Path | None], int] = {}
    for path, tree in trees.items():
        for name, node in _called_by_name(tree):
            if not _refuses(node):
                continue
            key = (name, path if name.startswith("_") else None)
            plain = [argument.arg for argument in node.args.args]
            if "code" in plain:
                place = plain.index("code") - (1 if plain[0] in ("self", "cls") else 0)
                carriers[key] = place
            elif any(argument.arg == "code" for argument in node.args.kwonlyargs):
                carriers[key] = -1
    return carriers


def _called_by_name(tree: ast.Module) -> Iterator[tuple[str, ast.FunctionDef]]:
    """Every function under the name a call of it has: a constructor's is that of its class."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name != "__init__":
            yield node.name, node
        elif isinstance(node, ast.ClassDef):
            for one in node.body:
                if isinstance(one, ast.FunctionDef) and one.name == "__init__":
                    yield node.name, one


def _refuses(function: ast.FunctionDef) -> bool:
    """Whether a function makes an error or hands its code to what does: it passes ``code`` on in a call."""
    return any(
        isinstance(node, ast.Call)
        and any(
            isinstance(value, ast.Name) and value.id == "code"
            for value in (*node.args[:2], *(k.value for k in node.keywords))
        )
        for node in ast.walk(function)
    )


def _calls(
    path: Path, tree: ast.Module, carriers: dict[tuple[str, Path | None], int]
) -> Iterator[tuple[ast.Call, int]]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = _called(node)
        if name is None:
            continue
        place = carriers.get((name, path if name.startswith("_") else None))
        if place is not None:
            yield node, place
        elif (name.endswith("Error") or name in ("family", "_family")) and len(node.args) >= 2:
            yield node, 0


def _called(call: ast.Call) -> str | None:
    if isinstance(call.func, ast.Name):
        return call.func.id
    return call.func.attr if isinstance(call.func, ast.Attribute) else None


def _constants(call: ast.Call, place: int, path: Path) -> Iterator[str]:
    """The codes a call may pass: constants, or either side of a condition.  A name is handed on from elsewhere."""
    keyword = next((one.value for one in call.keywords if one.arg == "code"), None)
    value = keyword
    if value is None and 0 <= place < len(call.args):
        value = call.args[place]
    if value is not None:
        yield from _literals(value, path)


def _literals(value: ast.expr, path: Path) -> Iterator[str]:
    queue = [value]
    while queue:
        node = queue.pop()
        if isinstance(node, ast.IfExp):
            queue += [node.body, node.orelse]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            if CODE.fullmatch(node.value):
                yield node.value
        elif isinstance(node, (ast.JoinedStr, ast.BinOp)):
            raise BuildFault(f"{path}:{node.lineno}: an error code must be written out, not put together")


@dataclass(frozen=True, slots=True)
class Words:
    """``docs/errors.toml``: per code what it means and what to do, and where computed codes stand."""

    errors: dict[str, tuple[str, str]]
    computed: tuple[str, ...]


def error_words() -> Words:
    """Read the words; ``BuildFault`` for a code without advice of its own or of its family."""
    with (DOCS / "errors.toml").open("rb") as file:
        data = tomllib.load(file)
    errors = {}
    for code, (means, *advice) in data["errors"].items():
        family = next((words for head, words in data["families"].items() if code.startswith(head)), None)
        do = advice[0] if advice else family
        if do is None:
            raise BuildFault(f"docs/errors.toml does not say what to do about {code}")
        errors[code] = (means, do)
    return Words(errors, tuple(data["computed"]))


def with_computed(codes: dict[str, Found], words: Words) -> dict[str, Found]:
    """``codes`` and those chosen by data at run time; ``BuildFault`` where no module holds the text of one."""
    every = dict(codes)
    for path in _modules(ROOT):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        constants = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
        for code in constants.intersection(words.computed):
            assert isinstance(code, str)
            every.setdefault(code, Found()).rooms.add(_room(path, ROOT))
    lost = sorted(set(words.computed) - set(every))
    if lost:
        raise BuildFault(f"no module holds: {', '.join(lost)}")
    return every


def errors_page(codes: dict[str, Found], words: Words) -> str:
    """The whole page ``docs/reference/errors.md``; ``BuildFault`` where codes and words are not the same."""
    codes = with_computed(codes, words)
    without = sorted(set(codes) - set(words.errors))
    too_many = sorted(set(words.errors) - set(codes))
    if without or too_many:
        parts = []
        if without:
            parts.append(f"docs/errors.toml says nothing about: {', '.join(without)}")
        if too_many:
            parts.append(f"nothing raises: {', '.join(too_many)}")
        raise BuildFault("; ".join(parts))
    lines = [
        "# Errors",
        "",
        MADE,
        "",
        "Every error has a code that never changes its meaning. The command line shows it in brackets",
        "(`error[no-project]: ...`), `--json` as `error.code`.",
    ]
    for code in sorted(codes):
        means, do = words.errors[code]
        rooms = ", ".join(f"`{room}`" for room in sorted(codes[code].rooms))
        lines += ["", f"## {code}", "", means, "", f"*What to do:* {do}", "", f"From {rooms}."]
    return "\n".join(lines) + "\n"


# -- the checks ----------------------------------------------------------------------------------------------

_SEVERITIES = {
    "error": "the index refuses it, an installer fails on it, or it gives a secret away; the command ends with status 1",
    "warning": "a careful maintainer would put it right before publishing; fails with `--strict`",
    "advice": "worth a thought; there are good reasons for leaving it so",
}


def checks_page() -> str:
    """The whole page ``docs/reference/checks.md``; ``BuildFault`` for a check that does not say what it is for."""
    from accord.checks.table import CHECKS

    lines = [
        "# Checks",
        "",
        MADE,
        "",
        "What `accord check` looks for ([how to use it](../how-to/check-a-project.md)). A code never changes its meaning.",
        "",
        "| severity | means |",
        "| --- | --- |",
        *(f"| {severity} | {means} |" for severity, means in _SEVERITIES.items()),
        "",
        "| check | severity | of | |",
        "| --- | --- | --- | --- |",
    ]
    for check in CHECKS:
        fixable = " `--fix`" if check.fixable else ""
        lines.append(
            f"| [{check.code}](#{check.code}) | {check.severity} | {', '.join(check.kinds)} | {check.title}{fixable} |"
        )
    for check in sorted(CHECKS, key=lambda one: one.code):
        words = " ".join(check.why.split("\n\n")[0].split())
        if not words:
            raise BuildFault(f"the check {check.code} does not say what it is for")
        paragraphs = [" ".join(part.split()).replace("``", "`") for part in check.why.strip().split("\n\n")]
        of = f"*{check.severity.capitalize()} of {', '.join(check.kinds)}.*"
        fixable = " `accord check --fix` puts it right where that is safe." if check.fixable else ""
        needs = " Needs the extra `accord[check]`." if check.needs else ""
        lines += ["", f"## {check.code}", "", f"{check.title}. {of}{fixable}{needs}"]
        for paragraph in paragraphs:
            lines += ["", _escaped(paragraph)]
    return "\n".join(lines) + "\n"


def pages() -> dict[Path, str]:
    """Every page that is made, with its text."""
    return {
        DOCS / "reference" / "cli.md": cli_page(),
        DOCS / "reference" / "errors.md": errors_page(error_codes(), error_words()),
        DOCS / "reference" / "checks.md": checks_page(),
    }


def main(arguments: list[str]) -> int:
    check = arguments == ["--check"]
    if arguments and not check:
        print(__doc__)
        return 2
    try:
        made = pages()
    except BuildFault as fault:
        print(f"docs/build.py: {fault}", file=sys.stderr)
        return 1
    status = 0
    for path, text in made.items():
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        if check:
            print(f"{path.relative_to(ROOT)} is not up to date: run make docs", file=sys.stderr)
            status = 1
        else:
            path.write_text(text, encoding="utf-8")
            print(f"wrote {path.relative_to(ROOT)}")
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
