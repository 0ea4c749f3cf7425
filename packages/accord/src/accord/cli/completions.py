"""Completion scripts for bash, zsh and fish, made from the parsers.

The scripts are static tables: completing a word starts no Python, so it costs a millisecond, and works where Accord
itself does not start.  The price is that they are made again after an upgrade.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from accord.cli.catalogue import FAMILIES, SECTIONS, commands
from accord.cli.main import declare, leading_parser

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from accord.cli.parser import Option, Parser

__all__ = ["script"]


def script(shell: str) -> str:
    """The whole completion script for ``bash``, ``zsh`` or ``fish``."""
    makers: dict[str, Callable[[dict[str, Parser]], str]] = {"bash": _bash, "zsh": _zsh, "fish": _fish}
    return makers[shell]({path: declare(path) for path, _ in commands()})


def _first_words() -> list[tuple[str, str]]:
    return [pair for _, section in SECTIONS for pair in section]


def _values(option: Option) -> str:
    """What may follow an option, as the tables write it: ``file``, ``dir``, the choices, or nothing (``-``)."""
    if option.choices:
        return " ".join(option.choices)
    return {"file": "@file", "dir": "@dir"}.get(option.complete or "", "@none")


def _plain(parser: Parser) -> str:
    """What the arguments of a command are completed with."""
    for argument in parser.arguments:
        if argument.choices:
            return " ".join(argument.choices)
        if argument.complete:
            return f"@{argument.complete}"
        if argument.count == "rest":
            return "@command"
    return "@none"


# -- bash ----------------------------------------------------------------------------------------------------


def _bash(parsers: dict[str, Parser]) -> str:
    lines = [
        "# bash completion for accord; made by: accord completions bash",
        "_accord() {",
        '  local cur="${COMP_WORDS[COMP_CWORD]}" prev="${COMP_WORDS[COMP_CWORD-1]}" word path="" expect="" i',
        "  COMPREPLY=()",
        "  # COMP_WORDBREAKS splits --name=value in three words",
        '  if [[ $cur == "=" ]]; then cur=""; elif [[ $prev == "=" ]]; then prev="${COMP_WORDS[COMP_CWORD-2]}"; fi',
        "  for ((i = 1; i < COMP_CWORD; i++)); do",
        '    word="${COMP_WORDS[i]}"',
        '    if [[ -n $expect ]]; then [[ $word == "=" ]] || expect=""; continue; fi',
        '    case "$word" in',
        f"      {_pattern(leading_parser().options)}) [[ -z $path || $path == {_families()} ]] && expect=1 ;;",
        "      -*) ;;",
        "      *)",
        '        if [[ -z $path ]]; then path="$word"',
        f'        elif [[ $path == {_families()} ]]; then path="$path $word"',
        "        fi ;;",
        "    esac",
        "  done",
        '  local options="" values="" plain="@none"',
        '  case "$path" in',
        f'    "") options="{_names(leading_parser().options)}"; plain="{_words(_first_words())}"',
        *(f"      {line}" for line in _bash_values(leading_parser())),
        "      ;;",
    ]
    for family, subs in FAMILIES.items():
        lines.append(
            f'    "{family}") options="{_names(leading_parser().options)}"; plain="{_words(subs)}" ;;'
        )
    for path, parser in parsers.items():
        lines.append(f'    "{path}") options="{_names(parser.options)}"; plain="{_plain(parser)}"')
        lines += [*(f"      {line}" for line in _bash_values(parser)), "      ;;"]
    lines += [
        "  esac",
        '  if [[ -z $values && $cur == -* ]]; then COMPREPLY=($(compgen -W "$options" -- "$cur")); return; fi',
        '  case "${values:-$plain}" in',
        '    @file) compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$cur")) ;;',
        '    @dir) compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -d -- "$cur")) ;;',
        '    @command) COMPREPLY=($(compgen -c -- "$cur")) ;;',
        "    @none) ;;",
        '    *) COMPREPLY=($(compgen -W "${values:-$plain}" -- "$cur")) ;;',
        "  esac",
        "}",
        "shopt -s extglob",
        "complete -F _accord accord",
    ]
    return "\n".join(lines) + "\n"


def _families() -> str:
    """A pattern of every line that a further word goes on."""
    return f"@({'|'.join(chr(34) + family + chr(34) for family in FAMILIES)})"


def _bash_values(parser: Parser) -> Iterable[str]:
    by_values: dict[str, list[str]] = {}
    for option in parser.options:
        if option.takes_value:
            by_values.setdefault(_values(option), []).extend(option.names + option.aliases)
    if by_values:
        yield 'case "$prev" in'
        for values, names in by_values.items():
            yield f'  {"|".join(names)}) values="{values}" ;;'
        yield "esac"


def _pattern(options: Iterable[Option]) -> str:
    return "|".join(
        name for option in options if option.takes_value for name in option.names + option.aliases
    )


def _names(options: Iterable[Option]) -> str:
    return " ".join(name for option in options for name in option.names)


def _words(pairs: Iterable[tuple[str, str]]) -> str:
    return " ".join(name for name, _ in pairs)


# -- zsh -----------------------------------------------------------------------------------------------------


def _zsh(parsers: dict[str, Parser]) -> str:
    lines = ["#compdef accord", "# zsh completion for accord; made by: accord completions zsh", ""]
    for path, parser in parsers.items():
        lines.append(f"_accord_{_identifier(path)}() {{")
        lines.append("  _arguments -s -S \\")
        lines += [f"    {spec} \\" for option in parser.options for spec in _zsh_option(option)]
        lines += [f"    {_zsh_plain(parser)}", "}", ""]
    for family, subs in (("", _first_words()), *FAMILIES.items()):
        lines += _zsh_chooser(family, subs)
    lines += ['_accord "$@"']
    return "\n".join(lines) + "\n"


def _zsh_chooser(family: str, subs: Iterable[tuple[str, str]]) -> list[str]:
    """The function that completes the next word of a command line and hands over to the function of a command."""
    name = f"_accord_{_identifier(family)}" if family else "_accord"
    described = [_zsh_quoted(f"{sub}:{line}") for sub, line in subs]
    return [
        f"{name}() {{",
        "  local curcontext=$curcontext state line",
        "  typeset -A opt_args",
        "  _arguments -C -s -S \\",
        *[f"    {spec} \\" for option in leading_parser().options for spec in _zsh_option(option)],
        "    '1: :->command' '*:: :->rest'",
        "  case $state in",
        f"    command) local -a commands; commands=({' '.join(described)}); _describe command commands ;;",
        f"    rest) (( $+functions[{name}_${{line[1]//-/_}}] )) && {name}_${{line[1]//-/_}} ;;",
        "  esac",
        "}",
        "",
    ]


def _zsh_option(option: Option) -> list[str]:
    text = option.help.replace("[", "(").replace("]", ")").replace(":", ";")
    again = "*" if option.action in ("append", "count") else ""
    specs = []
    for name in option.names:
        if option.takes_value:
            sign = "=" if name.startswith("--") else "+"
            specs.append(_zsh_quoted(f"{again}{name}{sign}[{text}]:{_zsh_value(option)}"))
        else:
            specs.append(_zsh_quoted(f"{again}{name}[{text}]"))
    return specs


def _zsh_value(option: Option) -> str:
    label = (option.metavar or "value").replace(":", " ").replace("[", "").replace("]", "")
    action = {"@file": "_files", "@dir": "_files -/", "@none": " "}.get(
        _values(option), f"({_values(option)})"
    )
    return f"{label}:{action}"


def _zsh_plain(parser: Parser) -> str:
    plain = _plain(parser)
    if plain == "@command":
        return "'*:: :_normal'"
    action = {"@file": "_files", "@dir": "_files -/", "@none": " "}.get(plain, f"({plain})")
    return f"'*: :{action}'"


def _zsh_quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def _identifier(path: str) -> str:
    return path.replace(" ", "_").replace("-", "_")


# -- fish ----------------------------------------------------------------------------------------------------


def _fish(parsers: dict[str, Parser]) -> str:
    lines = [
        "# fish completion for accord; made by: accord completions fish",
        "function __accord_path",
        "    set -l path",
        "    for word in (commandline -opc)[2..-1]",
        "        string match -q -- '-*' $word; and continue",
        "        set -a path $word",
        f'        contains -- "$path" {" ".join(map(_fish_quoted, FAMILIES))}; or break',
        "    end",
        "    echo $path",
        "end",
        "complete -c accord -f",
    ]
    lines += [_fish_word("", name, line) for name, line in _first_words()]
    for family, subs in FAMILIES.items():
        lines += [_fish_word(family, name, line) for name, line in subs]
    lines += [_fish_option("", option) for option in leading_parser().options]
    for path, parser in parsers.items():
        lines += [_fish_option(path, option) for option in parser.options]
        plain = _plain(parser)
        if plain in ("@file", "@dir", "@command"):
            action = {"@file": "-F", "@dir": "-xa '(__fish_complete_directories)'"}.get(
                plain, "-xa '(__fish_complete_subcommand)'"
            )
            lines.append(f"complete -c accord -n {_fish_at(path)} {action}")
        elif plain != "@none":
            lines.append(f"complete -c accord -n {_fish_at(path)} -a {_fish_quoted(plain)}")
    return "\n".join(lines) + "\n"


def _fish_at(path: str) -> str:
    return _fish_quoted(f'test (__accord_path) = "{path}"' if path else "test -z (__accord_path)")


def _fish_word(family: str, name: str, line: str) -> str:
    return f"complete -c accord -n {_fish_at(family)} -a {name} -d {_fish_quoted(line)}"


def _fish_option(path: str, option: Option) -> str:
    words = [f"complete -c accord -n {_fish_at(path)}"]
    words += [f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}" for name in option.names]
    if option.takes_value:
        values = _values(option)
        words.append(
            {"@file": "-rF", "@dir": "-xa '(__fish_complete_directories)'", "@none": "-x"}.get(
                values, f"-xa {_fish_quoted(values)}"
            )
        )
    words.append(f"-d {_fish_quoted(option.help)}")
    return " ".join(words)


def _fish_quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
