"""Command-line definitions as data, and the reading of a command line by them.

A command declares its options and arguments once, on a :class:`Parser`; reading the line, ``--help``, the shell
completions and ``docs/reference/cli.md`` all come from that one declaration.  It exists beside ``argparse`` for
two reasons: start-up (``argparse`` and what it pulls in cost 14 ms of a 40 ms command) and because the other
three readers need the declarations as values.  Hot; may know words and values, nothing of any command.

The grammar: options may stand anywhere; ``--name VALUE``, ``--name=VALUE``, ``-n VALUE``, ``-nVALUE`` and
clusters of short flags (``-qv``); ``--`` ends the options.  Names are never abbreviated: an abbreviation that
works today would break a script on the day a second option begins alike.
"""

# ruff: noqa: A002 - "help" is the word every option table uses for its line of help
from __future__ import annotations

import os

from accord_core.errors import UsageError

__all__ = ["Args", "Argument", "HelpWanted", "Option", "Parser"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

TRUE_WORDS = frozenset({"1", "true", "yes", "on", "y", "t"})
FALSE_WORDS = frozenset({"", "0", "false", "no", "off", "n", "f"})


class Args:
    """What a command line said: one attribute for every declared option and argument."""

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...


class HelpWanted(Exception):
    """Somebody wrote ``--help``: whatever else the line holds does not matter."""


class Option:
    """One option.  ``names`` are shown, ``aliases`` are accepted as well.

    ``action`` is ``flag`` (stores ``const``), ``value``, ``append`` (a tuple) or ``count``.  ``metavar`` names
    the value in help; ``convert`` turns its text into a value and may raise ``ValueError``; ``env`` names variables,
    the first of which that is set is read when the option was not given; ``complete`` is ``file``, ``dir`` or nothing.
    """

    __slots__ = (
        "action", "aliases", "choices", "complete", "const", "convert", "default", "dest", "env", "help",
        "metavar", "names", "section",
    )  # fmt: skip

    def __init__(
        self,
        names: tuple[str, ...],
        *,
        action: str,
        dest: str,
        help: str,
        section: str,
        default: object = None,
        const: object = True,
        metavar: str | None = None,
        choices: tuple[str, ...] = (),
        convert: Callable[[str], object] | None = None,
        env: str | tuple[str, ...] = (),
        aliases: tuple[str, ...] = (),
        complete: str | None = None,
    ) -> None:
        self.names = names
        self.action = action
        self.dest = dest
        self.help = help
        self.section = section
        self.default = default
        self.const = const
        self.metavar = metavar
        self.choices = choices
        self.convert = convert
        self.env = (env,) if isinstance(env, str) else env
        self.aliases = aliases
        self.complete = complete

    @property
    def takes_value(self) -> bool:
        return self.action in ("value", "append")

    @property
    def long(self) -> str:
        """The name to use in messages: the first long one, else the first."""
        return next((name for name in self.names if name.startswith("--")), self.names[0])


class Argument:
    """One positional argument.  ``count`` is ``one``, ``optional``, ``any``, ``some`` (one or more) or ``rest``
    (everything from here on, options included: the words of another program)."""

    __slots__ = ("choices", "complete", "count", "dest", "help", "metavar")

    def __init__(
        self,
        dest: str,
        *,
        metavar: str,
        count: str,
        help: str,
        choices: tuple[str, ...],
        complete: str | None,
    ) -> None:
        self.dest = dest
        self.metavar = metavar
        self.count = count
        self.help = help
        self.choices = choices
        self.complete = complete


class Parser:
    """The declaration of one command: ``path`` is what a person types (``accord pip compile``)."""

    def __init__(self, path: str, summary: str = "") -> None:
        self.path = path
        self.summary = summary
        self.description = ""
        self.examples: tuple[tuple[str, str], ...] = ()
        self.options: list[Option] = []
        self.arguments: list[Argument] = []
        self._section = "Options"

    # -- declaring ---------------------------------------------------------------------------------------

    def section(self, title: str) -> None:
        """Options declared from here on stand under ``title`` in help."""
        self._section = title

    def flag(
        self,
        *names: str,
        help: str,
        dest: str | None = None,
        const: object = True,
        default: object = False,
        env: str | tuple[str, ...] = (),
        aliases: tuple[str, ...] = (),
    ) -> None:
        """An option without a value.  With ``dest`` and ``const`` several flags may set one attribute."""
        self._add(
            names, action="flag", help=help, dest=dest, const=const, default=default, env=env, aliases=aliases
        )

    def count(self, *names: str, help: str, dest: str | None = None) -> None:
        """A flag that may be repeated; its attribute is how often it was given."""
        self._add(names, action="count", help=help, dest=dest, default=0)

    def value(
        self,
        *names: str,
        help: str,
        metavar: str | None = None,
        dest: str | None = None,
        default: object = None,
        choices: tuple[str, ...] = (),
        convert: Callable[[str], object] | None = None,
        env: str | tuple[str, ...] = (),
        aliases: tuple[str, ...] = (),
        complete: str | None = None,
    ) -> None:
        """An option with a value; given twice, the last one counts."""
        self._add(
            names, action="value", help=help, dest=dest, metavar=metavar, default=default, choices=choices,
            convert=convert, env=env, aliases=aliases, complete=complete,
        )  # fmt: skip

    def append(
        self,
        *names: str,
        help: str,
        metavar: str | None = None,
        dest: str | None = None,
        choices: tuple[str, ...] = (),
        convert: Callable[[str], object] | None = None,
        aliases: tuple[str, ...] = (),
        complete: str | None = None,
    ) -> None:
        """An option with a value that may be repeated; its attribute is the tuple of values in order."""
        self._add(
            names, action="append", help=help, dest=dest, metavar=metavar, default=(), choices=choices,
            convert=convert, aliases=aliases, complete=complete,
        )  # fmt: skip

    def argument(
        self,
        dest: str,
        *,
        help: str,
        count: str = "one",
        metavar: str | None = None,
        choices: tuple[str, ...] = (),
        complete: str | None = None,
    ) -> None:
        shown = metavar or dest.upper().replace("_", "-")
        self.arguments.append(
            Argument(dest, metavar=shown, count=count, help=help, choices=choices, complete=complete)
        )

    def _add(self, names: tuple[str, ...], *, dest: str | None, help: str, action: str, **more: Any) -> None:
        long = next((name for name in names if name.startswith("--")), names[0])
        if more.get("metavar") is None and action in ("value", "append"):
            more["metavar"] = long.lstrip("-").upper()
        self.options.append(
            Option(
                names,
                action=action,
                dest=dest or long.lstrip("-").replace("-", "_"),
                help=help,
                section=self._section,
                **more,
            )
        )

    # -- reading -----------------------------------------------------------------------------------------

    def names(self) -> dict[str, Option]:
        """Every spelling that is accepted, with its option."""
        return {name: option for option in self.options for name in option.names + option.aliases}

    def parse(self, words: Sequence[str], environ: Mapping[str, str] | None = None) -> Args:
        """Read a whole command line; ``UsageError`` (code ``usage``) says what is wrong with it."""
        args, rest = self.parse_known(words, environ, leading=False)
        assert not rest
        return args

    def parse_leading(self, words: Sequence[str]) -> tuple[Args, list[str]]:
        """Read options up to the first word that is none; that word and all after it are returned unread."""
        return self.parse_known(words, {}, leading=True)

    def parse_known(
        self, words: Sequence[str], environ: Mapping[str, str] | None, *, leading: bool
    ) -> tuple[Args, list[str]]:
        values: dict[str, object] = {option.dest: option.default for option in self.options}
        given: set[str] = set()
        names = self.names()
        plain: list[str] = []
        greedy = len(self.arguments) if self.arguments and self.arguments[-1].count == "rest" else 0
        queue = list(words)
        queue.reverse()
        while queue:
            word = queue.pop()
            if word == "--":
                plain.extend(reversed(queue))
                break
            if word == "-" or not word.startswith("-"):
                plain.append(word)
                if leading or (greedy and len(plain) >= greedy):
                    plain.extend(reversed(queue))
                    break
                continue
            option, text = self._match(word, names, queue)
            if option.dest == "help":
                raise HelpWanted
            self._store(option, text, values)
            given.add(option.dest)
        self._from_environment(values, given, os.environ if environ is None else environ)
        rest = plain if leading else self._place(plain, values)
        args = Args()
        args.__dict__.update(values)
        return args, rest

    def _match(self, word: str, names: dict[str, Option], queue: list[str]) -> tuple[Option, str | None]:
        """The option ``word`` spells, and its value; the rest of a cluster goes back onto ``queue``."""
        if word.startswith("--"):
            name, equals, text = word.partition("=")
            option = names.get(name)
            if option is None:
                raise self._unknown(name, names)
            if not option.takes_value:
                if equals:
                    raise self.wrong(f"{name} takes no value, but {text!r} was given")
                return option, None
            return option, text if equals else self._next(name, names, queue)
        option = names.get(word[:2])
        if option is None:
            raise self._unknown(word, names)
        attached = word[2:]
        if option.takes_value:
            return option, attached.removeprefix("=") if attached else self._next(word, names, queue)
        if attached:
            queue.append("-" + attached)
        return option, None

    def _next(self, name: str, names: dict[str, Option], queue: list[str]) -> str:
        # A value may begin with a dash (-C --build-option=x), but never be one of this command's own options:
        # `--python --offline` is a forgotten value.
        if not queue or queue[-1].partition("=")[0] in names:
            raise self.wrong(f"{name} needs a value: {name} {names[name].metavar}")
        return queue.pop()

    def _store(self, option: Option, text: str | None, values: dict[str, object]) -> None:
        if option.action == "flag":
            values[option.dest] = option.const
        elif option.action == "count":
            values[option.dest] = int(str(values[option.dest])) + 1
        else:
            assert text is not None
            value = self._value(option, text, option.long)
            if option.action == "append":
                before = values[option.dest]
                assert isinstance(before, tuple)
                values[option.dest] = (*before, value)
            else:
                values[option.dest] = value

    def _value(self, option: Option | Argument, text: str, name: str) -> object:
        if option.choices and text not in option.choices:
            near = _nearest(text, option.choices)
            raise self.wrong(
                f"{name} does not know {text!r}; it knows {', '.join(option.choices)}",
                f"did you mean {near}?" if near else None,
            )
        if isinstance(option, Option) and option.convert is not None:
            try:
                return option.convert(text)
            except ValueError as error:
                raise self.wrong(f"{name}: {error}") from error
        return text

    def _from_environment(
        self, values: dict[str, object], given: set[str], environ: Mapping[str, str]
    ) -> None:
        for option in self.options:
            variable = next((name for name in option.env if environ.get(name)), None)
            if variable is None or option.dest in given:
                continue
            text = environ[variable]
            if option.takes_value:
                value = self._value(option, text, variable)
                values[option.dest] = (value,) if option.action == "append" else value
            else:
                word = text.strip().lower()
                if word not in TRUE_WORDS | FALSE_WORDS:
                    raise self.wrong(f"{variable}={text!r} is neither true nor false")
                if word in TRUE_WORDS:
                    values[option.dest] = option.const

    def _place(self, plain: list[str], values: dict[str, object]) -> list[str]:
        """Hand the plain words to the declared arguments, in order."""
        left = list(plain)
        for index, argument in enumerate(self.arguments):
            later = sum(1 for after in self.arguments[index + 1 :] if after.count in ("one", "some"))
            if argument.count in ("one", "optional"):
                here = left[:1] if argument.count == "one" or len(left) > later else []
                values[argument.dest] = here[0] if here else None
            else:
                here = left[: len(left) - later]
                values[argument.dest] = tuple(here)
            if not here and argument.count in ("one", "some"):
                raise self.wrong(f"{argument.metavar} is missing")
            for text in here:
                self._value(argument, text, argument.metavar)
            left = left[len(here) :]
        if left:
            raise self.wrong(f"unexpected argument {left[0]!r}")
        return []

    def wrong(self, message: str, hint: str | None = None) -> UsageError:
        """The error for a wrong line of this command."""
        return UsageError("usage", message, hint=hint or f"{self.path} --help shows what it takes")

    def _unknown(self, name: str, names: dict[str, Option]) -> UsageError:
        near = _nearest(name, tuple(names))
        return self.wrong(f"{self.path} has no option {name}", f"did you mean {near}?" if near else None)


def _nearest(word: str, words: Sequence[str]) -> str | None:
    import difflib

    found = difflib.get_close_matches(word, words, n=1, cutoff=0.6)
    return found[0] if found else None
