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
from pathlib import Path

from accord_conformance import __version__
from accord_conformance.adapters import Adapter, read_adapter, read_adapters
from accord_conformance.cases import Case, read_cases
from accord_conformance.errors import SuiteError
from accord_conformance.report.markdown import failures_page, matrix_page
from accord_conformance.report.matrix import Book
from accord_conformance.report.site import write_site
from accord_conformance.results import (
    Played,
    Run,
    joined,
    make_sure_of_place,
    read_run,
    verdicts,
    write_run,
)
from accord_conformance.reviews import read_reviews
from accord_conformance.roles import check
from accord_conformance.running import is_late, play_all, settled
from accord_conformance.standards import LEVELS, ROLES, Standards, read_standards
from accord_conformance.tools import Tools, default_folder

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
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; the exit code."""
    options = _parser().parse_args(arguments)
    if threading.current_thread() is threading.main_thread():
        # To be told to end is to be interrupted: no server that was started for a tool stays behind.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
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


def _known() -> tuple[Standards, tuple[Case, ...]]:
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
    for path in filter(None, (options.json, options.into)):
        make_sure_of_place(path)
    earlier = read_run(options.into) if options.into and options.into.exists() else None
    ready = [tools.prepare(name) for name in names]
    by_id = {case.id: case for case in cases}
    number = sum(case.role in tool.adapter.parts for tool in ready for case in cases)
    if not number:
        roles = ", ".join(sorted({case.role for case in cases}))
        raise SuiteError("", f"none of {', '.join(names)} is asked as {roles}")
    teller = _Teller(by_id, number, options.verbose)
    interrupted = False
    try:
        results = play_all(ready, cases, options.jobs, teller.told, options.keep)
    except KeyboardInterrupt:
        interrupted, results = True, settled(list(teller.played.values()), cases)
    teller.end()
    run = Run.of(ready, results)
    _totals(run, by_id)
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


class _Teller:
    """Says what came of each case: failures always, all of it when asked; a running count on a terminal."""

    def __init__(self, cases: dict[str, Case], number: int, verbose: bool) -> None:
        self.all = number
        self.played: dict[tuple[str, str], Played] = {}
        self._cases = cases
        self._verbose = verbose
        self._lock = threading.Lock()

    def told(self, played: Played) -> None:
        case = self._cases[played.case]
        with self._lock:
            key = (played.case, played.tool)
            again = is_late(played) and key not in self.played
            self.played[key] = played
            if again:
                self._clear()
                print(f"{'hung':<14} {played.tool:<12} {played.case}  (is asked again at the end, alone)")
            elif self._verbose or played.verdict in ("fail", "error"):
                self._clear()
                print(f"{_word(played, case):<14} {played.tool:<12} {played.case}  ({', '.join(case.rules)})")
                _details(played, case, self._verbose)
            if sys.stderr.isatty():
                print(f"\r{len(self.played)} of {self.all} played ", end="", file=sys.stderr, flush=True)

    def end(self) -> None:
        self._clear()

    def _clear(self) -> None:
        if sys.stderr.isatty():
            print("\r\033[K", end="", file=sys.stderr, flush=True)


def _word(played: Played, case: Case) -> str:
    return f"{played.verdict} {case.level}" if played.verdict == "fail" else played.verdict


def _details(played: Played, case: Case, verbose: bool) -> None:
    print(f"    {case.title}")
    if played.error:
        print(f"    {played.error}")
    for step in played.steps:
        if verbose:
            for command in step.commands:
                print(f"    $ {' '.join(command)}")
            value = "" if step.value is None else f": {step.value!r}"
            print(f"    {step.do}: {step.outcome}{value}")
            for line in step.message.splitlines()[-12:]:
                print(f"      {line}")
        for finding in step.findings:
            if verbose or not finding.ok:
                mark = "ok " if finding.ok else "BAD"
                print(f"    {mark} {finding.what}: expected {finding.expected!r}, found {finding.found!r}")


def _totals(run: Run, cases: dict[str, Case]) -> None:
    for tool, facts in run.tools.items():
        counts: Counter[str] = Counter()
        for played in run.results:
            if played.tool == tool:
                failed = played.verdict == "fail"
                counts[f"failed {cases[played.case].level}" if failed else _counted(played.verdict)] += 1
        said = (
            ", ".join(f"{number} {word}" for word, number in sorted(counts.items(), key=_first))
            or "nothing was played"
        )
        print(f"{facts['title']} {facts['version']}: {said}")


def _first(counted: tuple[str, int]) -> tuple[int, str]:
    """What went wrong is told first, MUST before SHOULD."""
    word = counted[0]
    wrong = ["errors of the suite", *(f"failed {level}" for level in LEVELS), "passed"]
    return (wrong.index(word) if word in wrong else len(wrong), word)


def _counted(verdict: str) -> str:
    names = {
        "pass": "passed",
        "seen": "survey",
        "unsupported": "unsupported",
        "void": "void",
        "error": "errors of the suite",
    }
    return names.get(verdict, "disputed")


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
    *earlier, newest = sorted(map(read_run, options.runs), key=lambda run: run.when)
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
