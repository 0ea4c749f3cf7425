"""The grammar of the command line, one rule a test."""

from __future__ import annotations

import pytest

from accord.cli.parser import HelpWanted, Parser
from accord_core.errors import UsageError


@pytest.fixture
def parser() -> Parser:
    made = Parser("accord demo", "A demonstration")
    made.value("-o", "--output-file", metavar="FILE", help="where to", aliases=("--output",))
    made.append("--extra", metavar="NAME", dest="extras", help="an extra")
    made.flag("-q", "--quiet", help="less")
    made.count("-v", "--verbose", help="more")
    made.flag("--no-header", dest="header", const=False, default=True, help="none")
    made.value("--mode", choices=("copy", "link"), env="DEMO_MODE", help="how")
    made.flag("--offline", env="DEMO_OFFLINE", help="no network")
    made.flag("-h", "--help", help="help")
    made.argument("files", count="any", help="files")
    return made


def wrong(parser: Parser, *words: str, environ: dict[str, str] | None = None) -> UsageError:
    with pytest.raises(UsageError) as caught:
        parser.parse(words, environ or {})
    assert caught.value.code == "usage"
    assert caught.value.exit_status == 2
    return caught.value


@pytest.mark.parametrize(
    "words",
    [
        ["-o", "x", "a"],
        ["-ox", "a"],
        ["-o=x", "a"],
        ["--output-file", "x", "a"],
        ["a", "--output-file=x"],
        ["--output", "x", "a"],
        ["--output=x", "--", "a"],
    ],
)
def test_a_value_may_be_written_in_every_usual_way(parser: Parser, words: list[str]) -> None:
    args = parser.parse(words, {})
    assert (args.output_file, args.files) == ("x", ("a",))


def test_short_flags_may_stand_together_and_end_with_a_value(parser: Parser) -> None:
    args = parser.parse(["-qvvoout.txt"], {})
    assert (args.quiet, args.verbose, args.output_file) == (True, 2, "out.txt")


def test_values_add_up_in_order_and_the_last_of_a_single_one_counts(parser: Parser) -> None:
    args = parser.parse(["--extra", "a", "--extra=b", "-o", "x", "-o", "y"], {})
    assert (args.extras, args.output_file) == (("a", "b"), "y")


def test_what_is_not_given_has_its_default(parser: Parser) -> None:
    args = parser.parse([], {})
    assert (args.output_file, args.extras, args.quiet, args.header, args.files) == (None, (), False, True, ())


def test_a_flag_may_switch_something_off(parser: Parser) -> None:
    assert parser.parse(["--no-header"], {}).header is False


def test_after_two_dashes_everything_is_an_argument(parser: Parser) -> None:
    assert parser.parse(["--", "-q", "--extra"], {}).files == ("-q", "--extra")


def test_one_dash_is_an_argument(parser: Parser) -> None:
    assert parser.parse(["-"], {}).files == ("-",)


def test_a_value_may_begin_with_a_dash_but_not_be_an_option_of_the_command(parser: Parser) -> None:
    assert parser.parse(["--extra", "--global-option=x"], {}).extras == ("--global-option=x",)
    assert "needs a value" in wrong(parser, "--extra", "--offline").message
    assert "needs a value" in wrong(parser, "--extra").message


def test_names_are_not_abbreviated(parser: Parser) -> None:
    error = wrong(parser, "--output-fil", "x")
    assert error.hint == "did you mean --output-file?"


def test_an_unknown_option_like_none_points_to_help(parser: Parser) -> None:
    assert wrong(parser, "--zzzzzz").hint == "accord demo --help shows what it takes"


def test_a_flag_takes_no_value(parser: Parser) -> None:
    assert "takes no value" in wrong(parser, "--quiet=yes").message


def test_a_choice_is_checked_and_the_nearest_one_named(parser: Parser) -> None:
    assert parser.parse(["--mode", "copy"], {}).mode == "copy"
    assert wrong(parser, "--mode", "lnk").hint == "did you mean link?"


def test_a_variable_speaks_where_the_option_does_not(parser: Parser) -> None:
    assert parser.parse([], {"DEMO_MODE": "copy"}).mode == "copy"
    assert parser.parse(["--mode=link"], {"DEMO_MODE": "copy"}).mode == "link"
    assert "DEMO_MODE" in wrong(parser, environ={"DEMO_MODE": "nonsense"}).message


@pytest.mark.parametrize(
    ("text", "meant"), [("1", True), ("true", True), ("0", False), ("no", False), ("", False)]
)
def test_a_variable_of_a_flag_is_true_or_false(parser: Parser, text: str, meant: bool) -> None:
    assert parser.parse([], {"DEMO_OFFLINE": text}).offline is meant


def test_a_variable_of_a_flag_that_is_neither_is_refused(parser: Parser) -> None:
    assert "neither true nor false" in wrong(parser, environ={"DEMO_OFFLINE": "perhaps"}).message


def test_help_wins_over_whatever_else_is_missing(parser: Parser) -> None:
    with pytest.raises(HelpWanted):
        parser.parse(["--help"], {})


def test_a_value_is_converted_and_a_bad_one_explained() -> None:
    parser = Parser("accord demo")
    parser.value("--depth", convert=int, help="levels")
    assert parser.parse(["--depth", "3"], {}).depth == 3
    assert "invalid literal" in wrong(parser, "--depth", "x").message


def test_arguments_are_handed_out_in_order() -> None:
    parser = Parser("accord demo")
    parser.argument("sources", count="some", help="from")
    parser.argument("target", count="one", help="to")
    args = parser.parse(["a", "b", "c"], {})
    assert (args.sources, args.target) == (("a", "b"), "c")
    assert wrong(parser, "a").message == "SOURCES is missing"


def test_an_optional_argument_leaves_what_the_next_one_needs() -> None:
    parser = Parser("accord demo")
    parser.argument("first", count="optional", help="perhaps")
    parser.argument("second", count="one", help="surely")
    assert parser.parse(["x"], {}).first is None
    assert parser.parse(["x", "y"], {}).first == "x"


def test_an_argument_too_many_is_named() -> None:
    parser = Parser("accord demo")
    parser.argument("only", help="one")
    assert "'b'" in wrong(parser, "a", "b").message


def test_the_words_of_another_program_are_left_alone() -> None:
    parser = Parser("accord run")
    parser.flag("-q", "--quiet", help="less")
    parser.flag("-h", "--help", help="help")
    parser.argument("command", count="rest", help="the program")
    args = parser.parse(["-q", "pytest", "-q", "--help", "--", "x"], {})
    assert args.quiet
    assert args.command == ("pytest", "-q", "--help", "--", "x")


def test_leading_options_end_at_the_first_word() -> None:
    parser = Parser("accord")
    parser.flag("-q", "--quiet", help="less")
    args, rest = parser.parse_leading(["-q", "sync", "--frozen"])
    assert args.quiet
    assert rest == ["sync", "--frozen"]
