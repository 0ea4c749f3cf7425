"""The command line: parses, calls, prints; no logic of its own.

Exit codes: 0 all was played and no MUST failed; 1 some tool failed a MUST (of those asked for with --gate, when that is given);
2 something is wrong with the suite, its data or what was asked; 130 interrupted.
"""

from __future__ import annotations

import argparse
import difflib
import fnmatch
import json
import signal
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import cache
from pathlib import Path

from accord_conformance import __version__
from accord_conformance.adapters import Adapter, read_adapter, read_adapters
from accord_conformance.cases import Case, read_cases
from accord_conformance.errors import SuiteError
from accord_conformance.journal import Journal, journal_of
from accord_conformance.report.markdown import failures_page, matrix_page
from accord_conformance.report.matrix import Book
from accord_conformance.report.site import write_site
from accord_conformance.results import (
    UNENDED,
    Run,
    joined,
    make_sure_of_place,
    read_run,
    verdicts,
    write_run,
)
from accord_conformance.reviews import read_reviews
from accord_conformance.roles import check
from accord_conformance.running import play_all, settled
from accord_conformance.standards import ROLES, Standards, read_standards
from accord_conformance.telling import Teller, print_totals
from accord_conformance.tools import Tool, Tools, default_folder

__all__ = ["main"]

_EXAMPLES = """\
examples:
  accord-conformance prepare pip uv            make environments for two tools
  accord-conformance run                       play every case with every tool that is prepared
  accord-conformance run --tool pip --rule 'RECORD.*' -v
  accord-conformance run --tool mine --adapter mine.toml --use mine=/opt/mine
  accord-conformance rules --without-case      sentences nobody asks about yet
  accord-conformance run --tool pip --json pip.json && accord-conformance report pip.json --out site

exit codes: 0 all was played and no MUST failed; 1 some tool failed a MUST; 2 something is wrong with the suite or with what was asked;
130 interrupted (what was played is kept)

A run that is killed leaves what it had played in FILE.played: report reads it as a run, and run --into FILE takes it in.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; the exit code."""
    options = _parser().parse_args(arguments)
    if threading.current_thread() is threading.main_thread():
        # To be told to end is to be interrupted: no server that was started for a tool stays behind.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        if signal.getsignal(signal.SIGHUP) == signal.SIG_DFL:  # nohup asks that it be ignored
            signal.signal(signal.SIGHUP, signal.default_int_handler)
    try:
        code = options.function(options)
        assert isinstance(code, int)
        return code
    except SuiteError as error:
        print(f"accord-conformance: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        return 0
    except OSError as error:  # a disk that is full, a folder that may not be written
        place = f"{error.filename}: " if error.filename else ""
        print(f"accord-conformance: {place}{error.strerror or error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("accord-conformance: interrupted", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="accord-conformance",
        description="Asks every packaging tool one question: do you follow the standard?",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    run = commands.add_parser("run", help="play cases with tools")
    run.set_defaults(function=_run)
    _about_tools(run)
    _about_cases(run)
    run.add_argument(
        "--tool",
        action="append",
        default=[],
        metavar="NAME",
        help="this tool, prepared if it is not (default: all that are prepared)",
    )
    run.add_argument("-j", "--jobs", type=_jobs, default=2, help="so many at a time (default: 2)")
    run.add_argument("-v", "--verbose", action="store_true", help="show commands, and what came of each step")
    run.add_argument("--keep", type=Path, metavar="DIR", help="keep the folder of each case below DIR")
    run.add_argument("--json", type=Path, metavar="FILE", help="write the run to FILE")
    run.add_argument(
        "--into", type=Path, metavar="FILE", help="join the run to the one in FILE: a long one in pieces"
    )
    run.add_argument(
        "--gate",
        action="append",
        default=[],
        metavar="NAME",
        help="only this tool's failures make exit code 1",
    )

    prepare = commands.add_parser("prepare", help="make the environments of tools")
    prepare.set_defaults(function=_prepare)
    _about_tools(prepare)
    prepare.add_argument("tools", nargs="*", metavar="TOOL", help="default: all there is an adapter for")

    report = commands.add_parser("report", help="make the static site of a run")
    report.set_defaults(function=_report)
    report.add_argument(
        "runs",
        nargs="+",
        type=Path,
        metavar="RUN",
        help="runs written with run --json; the newest is shown, the others are its history",
    )
    report.add_argument("--out", type=Path, metavar="DIR", help="the folder for the site")
    report.add_argument(
        "--markdown", type=Path, metavar="DIR", help="write conformance.md and conformance-failures.md there"
    )
    report.add_argument(
        "--keep",
        type=Path,
        metavar="FILE",
        help="write the verdicts alone to FILE (.xz: compressed): a later report, given it too, shows what changed",
    )
    report.add_argument(
        "--command", default="`accord-conformance run`", help="what the Markdown page says it was made by"
    )

    cases = commands.add_parser("cases", help="list cases")
    cases.set_defaults(function=_cases)
    _about_cases(cases)
    cases.add_argument(
        "ids", nargs="*", metavar="ID", help="the same as --case ID, such as 'installer/unpack/*'"
    )
    cases.add_argument("--json", action="store_true", help="as JSON")

    rules = commands.add_parser("rules", help="list rules")
    rules.set_defaults(function=_rules)
    rules.add_argument("pattern", nargs="?", default="*", help="ids, such as 'RECORD.*'")
    rules.add_argument("--without-case", action="store_true", help="only those no case names")
    rules.add_argument("--json", action="store_true", help="as JSON")
    return parser


def _jobs(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"a number from 1 is wanted, not {text!r}")
    return int(text)


def _about_tools(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--tools",
        dest="kept",
        type=Path,
        default=default_folder(),
        metavar="DIR",
        help="where their environments are kept (default: %(default)s)",
    )
    parser.add_argument(
        "--use",
        action="append",
        default=[],
        metavar="NAME=DIR",
        help="ask the tool in the environment DIR instead of making one",
    )
    parser.add_argument(
        "--adapter", action="append", default=[], type=Path, metavar="FILE", help="one more adapter"
    )


def _about_cases(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--role",
        action="append",
        default=[],
        choices=ROLES,
        metavar="ROLE",
        help=f"only this role: {', '.join(ROLES)}",
    )
    parser.add_argument(
        "--rule",
        action="append",
        default=[],
        metavar="ID",
        help="only cases of this rule; * stands for anything",
    )
    parser.add_argument(
        "--case", action="append", default=[], metavar="ID", help="only this case; * stands for anything"
    )


@cache
def _known() -> tuple[Standards, tuple[Case, ...]]:
    """The suite's own data, read and found sound once: asking, and then reporting, is one process."""
    standards = read_standards()
    cases = read_cases(standards)
    for case in cases:
        check(case)
    return standards, cases


def _chosen(options: argparse.Namespace, cases: Sequence[Case], standards: Standards) -> list[Case]:
    # A word that means nothing is an error of its own: beside others it would be passed over, and nobody would miss what it meant.
    _meant("case", options.case, [case.id for case in cases])
    _meant("rule", options.rule, list(standards.rules))
    found = [
        case
        for case in cases
        if (not options.role or case.role in options.role)
        and (not options.rule or any(fnmatch.fnmatchcase(r, p) for r in case.rules for p in options.rule))
        and (not options.case or any(fnmatch.fnmatchcase(case.id, each) for each in options.case))
    ]
    if not found:
        asked = {rule for case in cases for rule in case.rules}
        unasked = [f"no case asks about {rule}" for rule in options.rule if rule not in asked]
        raise SuiteError("", f"no case is meant by these options{': ' * bool(unasked)}{', '.join(unasked)}")
    # What must be refused says nothing without its honest twin, nor a later case without the one it is after and that one's twin.
    after = {case.after for case in found}
    found += [case for case in cases if case.id in after]
    wanted = {case.id for case in found} | {case.twin for case in found}
    return [case for case in cases if case.id in wanted]


def _meant(what: str, patterns: Iterable[str], names: Sequence[str]) -> None:
    for pattern in patterns:
        if not fnmatch.filter(names, pattern):
            near = difflib.get_close_matches(pattern, names, 1)
            hint = f"did you mean {near[0]}?" if near else f"accord-conformance {what}s lists them"
            asked = "there is no such case" if what == "case" else "there is no such rule"
            raise SuiteError(f"--{what} {pattern}", f"{asked}; {hint}")


def _tools(options: argparse.Namespace) -> Tools:
    adapters: dict[str, Adapter] = read_adapters()
    for path in options.adapter:
        adapter = read_adapter(path)
        adapters[adapter.name] = adapter
    use = {}
    for each in options.use:
        name, equals, folder = each.partition("=")
        if not equals:
            raise SuiteError("--use", f"NAME=DIR is wanted, not {each!r}")
        use[name] = Path(folder).absolute()
    return Tools(adapters, options.kept.absolute(), use)


def _run(options: argparse.Namespace) -> int:
    standards, known = _known()
    cases = _chosen(options, known, standards)
    tools = _tools(options)
    names = list(dict.fromkeys(options.tool)) or tools.ready()
    if not names:
        raise SuiteError("", "no tool is prepared; say --tool NAME, or: accord-conformance prepare")
    for name in options.gate:
        if name not in names:
            raise SuiteError(f"--gate {name}", f"is not among the tools that are asked: {', '.join(names)}")
    paths = list(dict.fromkeys(filter(None, (options.into, options.json))))
    with ExitStack() as until_written:
        for path in paths:
            make_sure_of_place(path)
        journals = [until_written.enter_context(Journal(path)) for path in paths]
        earlier = _earlier(options.into, known) if options.into else None
        ready = [tools.prepare(name) for name in names]
        return _ask(options, ready, cases, earlier, journals)


def _earlier(path: Path, known: Sequence[Case]) -> Run | None:
    """What a run is joined to: the one in ``path``, and what one that was killed had played."""
    run = read_run(path) if path.exists() else None
    left = journal_of(path)
    if left.stat().st_size:
        found = _read(left, known)
        run = joined(run, found) if run else found
        write_run(run, path)  # before the journal begins anew
        print(
            f"accord-conformance: {len(found.results)} results of a run that did not end are taken in from {left}",
            file=sys.stderr,
        )
    return run


def _read(path: Path, known: Sequence[Case]) -> Run:
    """A run; of one that did not end, what can be said already."""
    run = read_run(path)
    if path.suffix == UNENDED:
        ids = {case.id for case in known}
        run = replace(
            run, results=tuple(settled([played for played in run.results if played.case in ids], known))
        )
    return run


def _ask(
    options: argparse.Namespace,
    ready: Sequence[Tool],
    cases: Sequence[Case],
    earlier: Run | None,
    journals: Sequence[Journal],
) -> int:
    by_id = {case.id: case for case in cases}
    names = [tool.adapter.name for tool in ready]
    number = sum(case.role in tool.adapter.parts for tool in ready for case in cases)
    if not number:
        roles = ", ".join(sorted({case.role for case in cases}))
        raise SuiteError("", f"none of {', '.join(names)} is asked as {roles}")
    for journal in journals:
        journal.begin(Run.of(ready, ()))
    teller = Teller(by_id, number, options.verbose, journals)
    interrupted = False
    try:
        results = play_all(ready, cases, options.jobs, teller.told, options.keep)
    except KeyboardInterrupt:
        interrupted, results = True, settled(list(teller.played.values()), cases)
    teller.end()
    run = Run.of(ready, results)
    print_totals(run, by_id)
    if options.json:
        _keep(run, options.json)
    if options.into:
        _keep(joined(earlier, run) if earlier else run, options.into)
    if interrupted:
        _say_what_is_kept(options, len(results), teller.all)
        return 130
    if any(played.verdict == "error" for played in results):
        return 2
    gated = set(options.gate or names)
    failed = any(
        played.verdict == "fail" and by_id[played.case].level == "MUST" and played.tool in gated
        for played in results
    )
    return int(failed)


def _keep(run: Run, path: Path) -> None:
    """Writes the run; where that cannot be done any more it is kept elsewhere: it may have taken an hour."""
    try:
        write_run(run, path)
    except SuiteError as error:
        elsewhere = Path(tempfile.mkdtemp(prefix="conformance-run-")) / f"{path.name}.xz"
        write_run(run, elsewhere)
        raise SuiteError(error.where, f"{error.what}; the run is kept in {elsewhere}") from error


def _say_what_is_kept(options: argparse.Namespace, played: int, of: int) -> None:
    files = " and ".join(str(path) for path in (options.json, options.into) if path)
    kept = f" and are kept in {files}" if files else ""
    print(f"accord-conformance: interrupted; {played} of {of} were played{kept}", file=sys.stderr)


def _prepare(options: argparse.Namespace) -> int:
    tools = _tools(options)
    failed = 0
    all_there_are = [
        name for name, adapter in tools.adapters.items() if not adapter.unpublished or name in tools.use
    ]
    for name in options.tools or all_there_are:
        try:
            tool = tools.prepare(name)
        except SuiteError as error:
            failed = 2
            print(f"{name}: cannot be prepared: {error}", file=sys.stderr)
            continue
        print(f"{tool.adapter.title} {tool.version}")
    return failed


def _report(options: argparse.Namespace) -> int:
    standards, cases = _known()
    known = {case.id: case for case in cases}
    if not (options.out or options.markdown or options.keep):
        raise SuiteError("report", "say --out DIR, --markdown DIR, --keep FILE, or several")
    *earlier, newest = sorted((_read(path, cases) for path in options.runs), key=lambda run: run.when)
    book = Book(newest, standards, known, read_reviews(known))
    if book.unknown():
        print(
            f"accord-conformance: {book.unknown()} results are of cases that this suite does not have; they are left out",
            file=sys.stderr,
        )
    if options.markdown:
        options.markdown.mkdir(parents=True, exist_ok=True)
        (options.markdown / "conformance.md").write_text(matrix_page(book, options.command), encoding="utf-8")
        (options.markdown / "conformance-failures.md").write_text(failures_page(book), encoding="utf-8")
    if options.keep:
        write_run(verdicts(newest), options.keep)
    if options.out:
        print(f"{write_site(book, earlier, options.out)} pages: {options.out / 'index.html'}")
    return 0


def _as_json(items: Iterable[object], *names: str) -> None:
    print(json.dumps([{name: getattr(item, name) for name in names} for item in items], indent=1))


def _cases(options: argparse.Namespace) -> int:
    standards, known = _known()
    options.case += options.ids
    cases = _chosen(options, known, standards)
    if options.json:
        _as_json(cases, "id", "role", "title", "rules", "level", "kind")
        return 0
    for case in cases:
        print(f"{case.id}  {case.level}  {', '.join(case.rules)}\n    {case.title}")
    kinds = Counter(case.role for case in cases)
    print(f"{len(cases)} cases: " + ", ".join(f"{number} {role}" for role, number in sorted(kinds.items())))
    return 0


def _rules(options: argparse.Namespace) -> int:
    standards, cases = _known()
    named = {rule for case in cases for rule in case.rules}
    if not fnmatch.filter(list(standards.rules), options.pattern):
        raise SuiteError(
            options.pattern,
            f"there is no such rule; the standards are {', '.join(each.id for each in standards.standards)}",
        )
    found = [rule for rule in standards.rules.values() if fnmatch.fnmatchcase(rule.id, options.pattern)]
    if options.without_case:
        found = [rule for rule in found if rule.id not in named]
    if options.json:
        _as_json(found, "id", "level", "section", "says", "quote", "roles")
        return 0
    for rule in found:
        why = f"\n    Not asked: {rule.unasked}" if rule.unasked else ""
        print(f"{rule.id}  {rule.level}  {rule.section}\n    {rule.says}{why}")
    print(f"{len(found)} rules" + (" without a case" if options.without_case else ""))
    return 0
