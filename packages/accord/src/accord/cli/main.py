"""The door: reads the first word, imports that command and nothing else, and turns whatever happens into an
exit status and words.

    0    done
    1    refused or failed, with a coded error; or the check that was asked for found something; or standard output
         could not be written
    2    the command line is wrong (code ``usage``)
    130  interrupted (Ctrl-C); 143 and 129: ended by SIGTERM, or by SIGHUP because the terminal went

``accord run`` ends with the status of the program it ran.  Hot: ``accord --version`` pays for this module alone.
"""

from __future__ import annotations

import gc
import os
import sys

import accord

__all__ = ["declare", "leading_parser", "main"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

    from accord.cli.parser import Args, Parser

_BY_SIGNAL = 128  # what a shell adds to the number of the signal that ended a program
_ENDINGS = {
    1: "ended by SIGHUP",
    2: "\ninterrupted",  # a terminal has ^C at the beginning of this line
    15: "ended by SIGTERM",
}


class _Ended(KeyboardInterrupt):
    """SIGTERM or SIGHUP: whatever lets go at Ctrl-C lets go now.  ``args`` holds the signal's number."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line and return the exit status.  Never raises.

    Without ``argv`` the command line is that of this process, which ends with it.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    if argv is None and None in (sys.stdin, sys.stdout, sys.stderr):
        from accord.cli.streams import reopen

        reopen()
    # A command makes a million values, no cycles to speak of, and ends: looking for cycles was a fifth of a cold resolve.
    gc.disable()
    try:
        if words in (["--version"], ["-V"]):
            sys.stdout.write(f"accord {accord.__version__}\n")
            status = 0
        else:
            status = _prepared(words, own=argv is None)
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read our output has gone (`accord pip list | head`).
        from accord.cli.streams import discard_output

        discard_output()
        return 1
    except OSError as error:
        from accord.cli.streams import lost

        return lost(error)
    except KeyboardInterrupt as interrupt:
        return _let_go(interrupt.args[0] if isinstance(interrupt, _Ended) else 2, leave=argv is None)
    if argv is None and not _watched():
        _leave(status)
    return status


def _watched() -> bool:
    """Whether somebody waits for the end of the interpreter itself: threads, a profiler, a debugger, ``python -i``."""
    return bool(
        "threading" in sys.modules
        or sys.getprofile()
        or sys.gettrace()
        or sys.flags.inspect
        or sys.flags.dev_mode
    )


def _leave(status: int) -> None:
    """End the process without taking its world down piece by piece: that takes 3 ms, a third of Python's start."""
    import atexit

    atexit._run_exitfuncs()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        return  # the interpreter says what became of it
    os._exit(status)


def _prepared(words: list[str], *, own: bool) -> int:
    """Run a command; ``own``: this process is its."""
    from accord.cli.streams import prepare

    if own:
        _end_as_if_interrupted()
        prepare(sys.stdout)
    return _run(words)


def _end_as_if_interrupted() -> None:
    """Have SIGTERM and SIGHUP, where they would end this process on the spot, raise :class:`_Ended` instead.

    Once only, and not after Ctrl-C: a terminal that closes sends SIGHUP by way of the shell and of the kernel, and the
    second must not stop the tidying up; a person who presses Ctrl-C twice means it.  What is ignored (``nohup``)
    stays ignored; a program that we become, or start, begins as usual.
    """
    # The module below `signal`: that one makes enumerations, and costs as much as a third of Python's start.
    import _signal as signals  # type: ignore[import-not-found]

    ending = False

    def end(number: int, _: object) -> None:
        nonlocal ending
        before, ending = ending, True
        if number == signals.SIGINT:
            raise KeyboardInterrupt
        if not before:
            raise _Ended(number)

    for name, usual in (
        ("SIGINT", signals.default_int_handler),
        ("SIGTERM", signals.SIG_DFL),
        ("SIGHUP", signals.SIG_DFL),
    ):
        number = getattr(signals, name, None)  # Windows has no SIGHUP
        if number is not None and signals.getsignal(number) == usual:
            signals.signal(number, end)


def _let_go(number: int, *, leave: bool) -> int:
    """End what other threads wait for, say one line, and return the status for the signal ``number``; with
    ``leave`` end this process with it, whatever its threads do."""
    processes = sys.modules.get("accord.io.processes")
    if processes is not None:
        processes.stop_all(for_good=leave)  # builds in other threads
    try:
        sys.stderr.write(
            f"{_ENDINGS[number]}: nothing is half done; the next accord command puts right what had begun\n"
        )
        sys.stderr.flush()
    except OSError:
        pass  # the terminal has gone
    if leave:
        # Threads may wait half a minute for an index that says nothing; a person who pressed Ctrl-C does not.
        if processes is not None:
            processes.wait_all()
        scratch = sys.modules.get("accord.io.scratch")
        if scratch is not None:
            scratch.remove_all()
        os._exit(_BY_SIGNAL + number)
    return _BY_SIGNAL + number


def _run(words: list[str]) -> int:
    from accord.cli.context import Context
    from accord.cli.parser import HelpWanted

    context = None
    try:
        try:
            args, command = _read(words)
        except HelpWanted as wanted:
            from accord.cli.help import show

            return show(str(wanted), Context(_rough(words)))
        context = Context(args, words=words)
        try:
            status: int = _module(command).run(args, context)
        finally:
            context.finish()
        return status
    except (BrokenPipeError, SystemExit):
        raise
    except Exception as error:
        from accord.cli.failure import report
        from accord.cli.streams import output_is_lost

        if isinstance(error, OSError) and output_is_lost():
            raise
        return report(error, context or Context(_rough(words)))


def _read(words: list[str]) -> tuple[Args, str]:
    """The command the line names and what it says; ``HelpWanted`` carries the path help was asked for."""
    from accord.cli.catalogue import FAMILIES, commands
    from accord.cli.parser import HelpWanted

    leading = leading_parser()
    args, rest = _parse_leading(leading, words, "")
    if not rest:
        raise HelpWanted("version" if args.version else "")
    path = rest[0]
    if path == "help":
        raise HelpWanted(" ".join(rest[1:4]))
    names = [name for name, _ in commands()]
    while path in FAMILIES:
        between, rest = _parse_leading(leading, rest[1:], path)
        _merge(args, between)
        if not rest:
            raise HelpWanted(path)
        path = f"{path} {rest[0]}"
    if path not in names:
        raise _unknown(path, names)
    try:
        own = declare(path).parse(rest[1:])
    except HelpWanted:
        raise HelpWanted(path) from None
    _merge(args, own)
    own.__dict__.update({name: value for name, value in args.__dict__.items() if name != "version"})
    if own.directory is not None:
        _change_directory(own.directory)
    return own, path


def declare(path: str) -> Parser:
    """The parser of the command ``path`` (``"pip compile"``), its own options first, the global ones last."""
    from accord.cli.context import global_options
    from accord.cli.parser import Parser

    module = _module(path)
    parser = Parser(f"accord {path}", module.HELP)
    module.arguments(parser)
    global_options(parser)
    return parser


def _module(path: str) -> ModuleType:
    from accord.cli.catalogue import module_name

    name = module_name(path)
    __import__(name)
    return sys.modules[name]


def leading_parser() -> Parser:
    """The global options alone, as they may stand before the command."""
    from accord.cli.context import global_options
    from accord.cli.parser import Parser

    leading = Parser("accord")
    global_options(leading)
    leading.flag("-V", "--version", help="Show the version")
    return leading


def _parse_leading(leading: Parser, words: list[str], path: str) -> tuple[Args, list[str]]:
    from accord.cli.parser import HelpWanted

    try:
        return leading.parse_leading(words)
    except HelpWanted:
        raise HelpWanted(path) from None


def _merge(into: Args, later: Args) -> None:
    """Global options stand before and after the command: counts add up, of values the later one counts."""
    for name in into.__dict__:
        if name not in later.__dict__:
            continue
        before, after = into.__dict__[name], later.__dict__[name]
        into.__dict__[name] = before + after if name == "verbose" else after or before


def _rough(words: list[str]) -> Args:
    """The global flags of a line that could not be read, so that its error is at least shown as asked."""
    args, _ = leading_parser().parse_leading([])
    args.__dict__["as_json"] = "--json" in words
    args.__dict__["no_color"] = "--no-color" in words
    args.__dict__["verbose"] = sum(word in ("-v", "--verbose") for word in words)
    return args


def _change_directory(folder: str) -> None:
    from accord_core.errors import UsageError

    try:
        os.chdir(folder)
    except OSError as error:
        raise UsageError("usage", f"cannot change to {folder}: {error.strerror}") from error


def _unknown(path: str, names: list[str]) -> Exception:
    import difflib

    from accord.cli.catalogue import FAMILIES
    from accord_core.errors import UsageError

    near = difflib.get_close_matches(path, [*names, *FAMILIES], n=1, cutoff=0.6)
    near = near or [name for name in names if name.endswith(f" {path}")]
    hint = f"did you mean accord {near[0]}?" if near else "accord --help lists the commands"
    return UsageError("usage", f"there is no command accord {path}", hint=hint)
