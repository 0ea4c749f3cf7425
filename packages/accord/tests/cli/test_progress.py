"""Who is told what while work goes on."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from accord.cli.context import Context
from accord.cli.lines import Lines, reporter
from accord.cli.main import leading_parser
from accord.cli.progress import PATIENCE, Bars
from accord.io.reporting import SILENT

if TYPE_CHECKING:
    from pathlib import Path


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def context(*words: str, stream: io.StringIO | None = None) -> tuple[Context, io.StringIO]:
    args, _ = leading_parser().parse_leading(words)
    stderr = stream or io.StringIO()
    return Context(args, stdout=io.StringIO(), stderr=stderr, environ={"TERM": "xterm"}), stderr


def test_quiet_is_silence() -> None:
    one, _ = context("--quiet", stream=Terminal())
    assert reporter(one) is SILENT


@pytest.mark.parametrize("words", [(), ("--json",)])
def test_without_a_terminal_there_are_no_bars(words: tuple[str, ...]) -> None:
    one, stderr = context(*words)
    found = reporter(one)
    assert isinstance(found, Lines)
    found.finish(found.start("working", 3, "files"))
    found.note("a detail")
    assert stderr.getvalue() == ""
    found.warn("take care")
    assert stderr.getvalue() == "warning: take care\n"


def test_notes_are_for_verbose() -> None:
    one, stderr = context("-v")
    reporter(one).note("a detail")
    assert stderr.getvalue() == "note: a detail\n"


@pytest.mark.parametrize("words", [("--no-progress",), ("--verbose",), ("--json",)])
def test_bars_can_be_refused_on_a_terminal(words: tuple[str, ...]) -> None:
    one, _ = context(*words, stream=Terminal())
    assert isinstance(reporter(one), Lines)


def test_work_that_is_soon_done_draws_nothing_and_loads_nothing() -> None:
    program = (
        "import sys\nfrom accord.cli import progress\nfrom accord.cli.progress import Bars\nfrom accord.cli.context import Context\n"
        "progress.PATIENCE = 60  # soon, on a busy machine too\n"
        "from accord.cli.main import leading_parser\n"
        "bars = Bars(Context(leading_parser().parse_leading([])[0]))\n"
        "number = bars.start('working', 10, 'files'); bars.advance(number, 10); bars.finish(number); bars.close()\n"
        "print('rich' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("False\n", "")


def test_work_that_takes_longer_is_drawn_and_taken_away_again() -> None:
    one, stderr = context(stream=Terminal())
    bars = Bars(one)
    number = bars.start("downloading", 100, "B")
    bars.advance(number, 40)
    until = time.monotonic() + 20
    while "downloading" not in stderr.getvalue() and time.monotonic() < until:
        time.sleep(PATIENCE / 4)
    assert "downloading" in stderr.getvalue()
    other = bars.start("unpacking", None, "wheels")
    bars.advance(other, 1)
    bars.finish(other)
    bars.finish(number)
    bars.advance(number, 1)  # somebody is late
    bars.close()
    bars.close()
    length = len(stderr.getvalue())
    bars.finish(bars.start("after the end", None, "B"))
    time.sleep(PATIENCE * 1.5)
    assert len(stderr.getvalue()) == length


def test_a_warning_comes_through_while_bars_are_drawn() -> None:
    one, stderr = context(stream=Terminal())
    bars = Bars(one)
    bars.warn("early")
    assert "warning" in stderr.getvalue()
    assert "early" in stderr.getvalue()
    bars.close()


def test_the_tool_says_nothing_of_progress_in_a_log(tmp_path: Path) -> None:
    environ = {**os.environ, "ACCORD_CACHE_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-m", "accord", "cache", "verify"],
        capture_output=True,
        text=True,
        env=environ,
        check=True,
    )
    assert done.stderr == "the store is what it was\n"
