"""Help as text: the page of the whole tool, of a family of commands (``accord pip``), and of one command.

Written from the tables of :mod:`accord.cli.catalogue` and from the parsers; only loaded when help is asked for.
"""

from __future__ import annotations

import shutil
import textwrap
from typing import TYPE_CHECKING

import accord
from accord.cli.catalogue import EXAMPLES, FAMILIES, SECTIONS, commands
from accord.cli.main import declare

if TYPE_CHECKING:
    from collections.abc import Iterable

    from accord.cli.context import Context
    from accord.cli.paint import Paint
    from accord.cli.parser import Argument, Option, Parser

__all__ = ["command_help", "family_help", "root_help", "show", "spelling", "usage"]

WIDEST = 100
INDENT = 30


def show(path: str, context: Context) -> int:
    """Print the help of ``path``: empty for the whole tool, a family, a command, or ``version``."""
    width = min(shutil.get_terminal_size((WIDEST, 24)).columns, WIDEST)
    if path == "version":
        if context.json:
            context.emit({"version": accord.__version__})
        else:
            context.page(f"accord {accord.__version__}")
    elif not path:
        context.page(root_help(context.paint, width))
    elif path in FAMILIES:
        context.page(family_help(path, context.paint, width))
    elif path in {name for name, _ in commands()}:
        context.page(command_help(declare(path), context.paint, width))
    else:
        from accord_core.errors import UsageError

        raise UsageError(
            "usage", f"there is no command accord {path}", hint="accord --help lists the commands"
        )
    return 0


def root_help(paint: Paint, width: int) -> str:
    lines = [
        f"{paint('accord', 'bold')} {accord.__version__}: resolve, lock, install, run, undo.",
        "",
        f"{paint('Usage:', 'bold')} accord [OPTIONS] COMMAND ...",
    ]
    for title, section in SECTIONS:
        lines += ["", paint(f"{title}:", "bold"), *_table(section, paint, width)]
    lines += ["", paint("Examples:", "bold")]
    lines += [f"  {line:<{INDENT}}  {paint('# ' + why, 'dim')}" for line, why in EXAMPLES]
    lines += ["", "accord COMMAND --help says what a command takes; --version shows the version."]
    lines += [
        "--json, --offline, --quiet, --verbose, --no-color, --cache-dir and --project work with every command."
    ]
    return "\n".join(lines)


def family_help(path: str, paint: Paint, width: int) -> str:
    above, _, own = path.rpartition(" ")
    siblings = FAMILIES[above] if above else [pair for _, section in SECTIONS for pair in section]
    line = next(text for name, text in siblings if name == own)
    return "\n".join(
        [
            f"{line}.",
            "",
            f"{paint('Usage:', 'bold')} accord {path} COMMAND ...",
            "",
            paint("Commands:", "bold"),
            *_table(FAMILIES[path], paint, width),
            "",
            f"accord {path} COMMAND --help says what a command takes.",
        ]
    )


def command_help(parser: Parser, paint: Paint, width: int) -> str:
    lines = [f"{parser.summary}.", ""]
    if parser.description:
        for paragraph in parser.description.split("\n\n"):
            lines += [*textwrap.wrap(" ".join(paragraph.split()), width, break_on_hyphens=False), ""]
    lines.append(f"{paint('Usage:', 'bold')} {usage(parser)}")
    if parser.arguments:
        rows = [(argument.metavar, argument.help) for argument in parser.arguments]
        lines += ["", paint("Arguments:", "bold"), *_table(rows, paint, width)]
    for title in dict.fromkeys(option.section for option in parser.options):
        rows = [
            (spelling(option), explanation(option)) for option in parser.options if option.section == title
        ]
        lines += ["", paint(f"{title}:", "bold"), *_table(rows, paint, width)]
    if parser.examples:
        lines += ["", paint("Examples:", "bold")]
        for line, why in parser.examples:
            lines += [f"  {paint('# ' + why, 'dim')}", f"  {line}"]
    return "\n".join(lines)


def usage(parser: Parser) -> str:
    """``accord pip compile [OPTIONS] [FILE]...``"""
    return " ".join([parser.path, "[OPTIONS]", *map(_argument_usage, parser.arguments)])


def _argument_usage(argument: Argument) -> str:
    return {
        "one": argument.metavar,
        "optional": f"[{argument.metavar}]",
        "any": f"[{argument.metavar}]...",
        "some": f"{argument.metavar}...",
        "rest": f"[{argument.metavar}]...",
    }[argument.count]


def spelling(option: Option) -> str:
    """``-o, --output-file FILE``"""
    names = ", ".join(option.names)
    return f"{names} {option.metavar}" if option.takes_value else names


def explanation(option: Option) -> str:
    """The help of an option with its choices, its variable and its other names."""
    parts = [option.help]
    if option.choices:
        parts.append(f"[{', '.join(option.choices)}]")
    if option.takes_value and isinstance(option.default, str) and option.default:
        parts.append(f"[default: {option.default}]")
    if option.env:
        parts.append(f"[env: {', '.join(option.env)}]")
    if option.aliases:
        parts.append(f"[also: {', '.join(option.aliases)}]")
    return " ".join(parts)


def _table(rows: Iterable[tuple[str, str]], paint: Paint, width: int) -> list[str]:
    """Two columns; a left side too long for its column stands on a line of its own."""
    lines = []
    for left, right in rows:
        wrapped = textwrap.wrap(right, max(width - INDENT - 4, 30), break_on_hyphens=False) or [""]
        if len(left) > INDENT:
            lines.append(f"  {paint(left, 'cyan')}")
        else:
            lines.append(f"  {paint(left, 'cyan')}{' ' * (INDENT - len(left))}  {wrapped.pop(0)}")
        lines += [f"{' ' * (INDENT + 4)}{line}" for line in wrapped]
    return lines
