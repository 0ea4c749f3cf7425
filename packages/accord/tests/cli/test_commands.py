"""Every command is declared, helped, and in the catalogue; no two options of a command collide."""

from __future__ import annotations

import pkgutil
from typing import TYPE_CHECKING

import pytest

import accord.cli.commands
from accord.cli.catalogue import FAMILIES, SECTIONS, commands, module_name
from accord.cli.help import command_help, family_help, root_help
from accord.cli.main import declare
from accord.cli.paint import Paint

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

PATHS = [path for path, _ in commands()]
PLAIN = Paint(False)


def test_the_catalogue_and_the_modules_are_the_same_commands() -> None:
    modules = {
        f"accord.cli.commands.{module.name}" for module in pkgutil.iter_modules(accord.cli.commands.__path__)
    }
    assert modules == {module_name(path) for path in PATHS}


@pytest.mark.parametrize(("path", "line"), commands())
def test_a_command_says_of_itself_what_the_catalogue_says(path: str, line: str) -> None:
    parser = declare(path)
    assert parser.summary == line
    assert len(line) <= 64
    assert not line.endswith(".")


@pytest.mark.parametrize("path", PATHS)
def test_no_two_options_have_the_same_name(path: str) -> None:
    parser = declare(path)
    spellings = [name for option in parser.options for name in option.names + option.aliases]
    assert len(spellings) == len(set(spellings))
    places = [argument.dest for argument in parser.arguments]
    assert not set(places) & {option.dest for option in parser.options}


@pytest.mark.parametrize("path", PATHS)
def test_every_option_and_argument_has_words(path: str) -> None:
    parser = declare(path)
    for words in [one.help for one in parser.options] + [one.help for one in parser.arguments]:
        assert words
        assert not words[0].islower() or words.startswith(("requirements.txt", "bash"))
        assert not words.endswith(".")


@pytest.mark.parametrize("path", PATHS)
def test_the_help_of_a_command_is_complete_and_fits(path: str) -> None:
    parser = declare(path)
    text = command_help(parser, PLAIN, 100)
    for option in parser.options:
        assert option.names[-1] in text
    # Only an example, which must be copied whole, may be wider than the page.
    examples = {f"  {line}" for line, _ in parser.examples}
    assert [line for line in text.splitlines() if len(line) > 100 and line not in examples] == []


@pytest.mark.parametrize("path", PATHS)
def test_help_can_be_asked_for_everywhere(path: str, accord: Callable[..., Any]) -> None:
    words = path.split()
    expected = command_help(declare(path), PLAIN, 80)
    asked = [accord(*words, "--help"), accord(*words, "-h"), accord("help", *words)]
    for ran in asked:
        assert ran.status == 0
        assert ran.out.split() == expected.split()


def test_the_root_help_names_every_command_once() -> None:
    text = root_help(PLAIN, 100)
    for _, section in SECTIONS:
        for name, line in section:
            assert f"  {name} " in text
            assert line in text


@pytest.mark.parametrize("family", list(FAMILIES))
def test_a_family_lists_its_commands(family: str) -> None:
    text = family_help(family, PLAIN, 100)
    for name, line in FAMILIES[family]:
        assert f"  {name} " in text
        assert line in text


@pytest.mark.parametrize("path", PATHS)
def test_the_examples_can_be_read(path: str) -> None:
    import shlex

    for line, why in declare(path).examples:
        assert why
        words = shlex.split(line, comments=True)
        assert words[0] == "accord"
        cut = next((index for index, word in enumerate(words) if word in (">", "<", "|", "&&")), len(words))
        head = path.split()
        assert words[1 : 1 + len(head)] == head
        declare(path).parse(words[1 + len(head) : cut], {})
