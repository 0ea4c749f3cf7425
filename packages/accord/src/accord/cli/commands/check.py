"""``accord check``: what an index would refuse and a careful maintainer would want."""

from __future__ import annotations

from accord.cli import options

HELP = "Look for what an index would refuse and a maintainer would want"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.checks.model import Check, Found
    from accord.checks.run import Report
    from accord.cli.context import Context
    from accord.cli.parser import Args, Parser
    from accord.tasks.checking import Checked

_COLORS = {"error": "red", "warning": "yellow", "advice": "cyan"}


def arguments(parser: Parser) -> None:
    parser.description = """Checks a project folder, sdists and wheels without running any of their code (but for
        --import). An sdist and a wheel of one project are compared with each other. Every finding has a code that the reference explains.

        Ends with status 1 if there is an error: something the index refuses, installers fail on, or a secret. With
        --strict warnings fail too, and so does a check that cannot be run because its extra is missing. A project
        leaves checks out in its table [tool.accord.check] with ignore = ["CODE"]."""
    parser.examples = (
        ("accord check", "the project in this folder"),
        ("accord check --fix", "put right what is safe to put right"),
        ("accord check dist/*", "what is about to be uploaded"),
    )
    parser.argument(
        "paths",
        metavar="PATH",
        count="any",
        help="A project folder, an sdist or a wheel (default: here)",
        complete="file",
    )
    parser.append("--select", metavar="CODE", help="Run only this check (may be repeated)")
    parser.append("--ignore", metavar="CODE", help="Leave this check out (may be repeated)")
    parser.flag("--strict", help="Fail on warnings and on checks that cannot be run, too")
    parser.flag("--fix", help="Change pyproject.toml where that is safe, and show what was changed")
    parser.flag("--dry-run", help="With --fix: only show what would be changed")
    parser.flag("--list", dest="list_checks", help="Show all checks")
    parser.flag(
        "--import",
        dest="imports",
        help="Install each wheel into an environment of its own and import it; this runs its code",
    )
    options.python_option(parser, "The interpreter --import runs it with")
    options.sandbox_option(parser)
    options.index_options(parser)


def run(args: Args, context: Context) -> int:
    from accord.tasks.checking import all_checks, check_paths, nearest
    from accord_core.errors import UsageError

    if args.list_checks:
        return _list(all_checks(), context)
    if args.dry_run and not args.fix:
        raise UsageError("usage", "--dry-run belongs to --fix", hint="accord check --fix --dry-run")
    checked = check_paths(
        args.paths or (nearest(context.project),),
        select=args.select,
        ignore=args.ignore,
        fix=args.fix,
        dry_run=args.dry_run,
        imports=options.resolve_settings(args, context) if args.imports else None,
        python=args.python,
        cache_dir=context.cache(),
        reporter=context.reporter,
    )
    passes = checked.passes(strict=args.strict)
    if context.json:
        context.emit(_record(checked, passes))
        return 0 if passes else 1
    for path, diff in checked.diffs:
        for line in diff.splitlines():
            color = {"+": "green", "-": "red"}.get(line[:1])
            context.out(context.paint(line, color) if color else line)
        context.say(f"{'changed' if checked.written else 'would change'} {path}")
    for report in checked.reports:
        _show(report, context)
    return 0 if passes else 1


def _list(checks: tuple[Check, ...], context: Context) -> int:
    from accord.cli.render import table

    if context.json:
        context.emit({"checks": [_check_record(one) for one in checks]})
        return 0
    rows = [
        (one.code, one.severity, " ".join(one.kinds), "yes" if one.fixable else "", one.title)
        for one in checks
    ]
    for line in table(("check", "severity", "of", "fixable", "says"), rows, context.paint):
        context.out(line)
    return 0


def _show(report: Report, context: Context) -> None:
    from accord.cli.render import plural, short_path

    context.out(context.paint(f"{short_path(report.path)} ({report.kind})", "bold"))
    rest = dict(report.unshown)
    for number, one in enumerate(report.found):
        _finding(one, report, context)
        last = number + 1 == len(report.found) or report.found[number + 1].check.code != one.check.code
        if last and one.check.code in rest:
            context.out(f"    and {rest[one.check.code]} more of {one.check.code}")
    needs = sorted({need for one in report.skipped for need in one.needs})
    if report.skipped:
        codes = ", ".join(one.check.code for one in report.skipped)
        context.out(f"  {context.paint('skipped', 'yellow')}: {codes}")
        context.out(f"    without {', '.join(needs)}; run: pip install 'accord[check]'")
    counts = [
        plural(number, noun)
        for number, noun in ((report.errors, "error"), (report.warnings, "warning"))
        if number
    ]
    if report.advice:
        counts.append(f"{report.advice} of advice")
    fixable = sum(bool(one.finding.edits) for one in report.found)
    summary = ", ".join(counts) or "nothing found"
    more = f"; --fix puts {fixable} of them right" if fixable else ""
    context.out(f"  {plural(report.ran, 'check')}: {summary}{more}")


def _finding(one: Found, report: Report, context: Context) -> None:
    severity = context.paint(one.check.severity, _COLORS[one.check.severity])
    context.out(f"  {severity}[{one.check.code}]: {one.finding.message}")
    where = str(one.finding.where)
    if report.kind != "project":
        where = where.removeprefix(report.path).lstrip(
            "/ "
        )  # an archive's name is in the line above all of them
    if where and where != report.path:
        context.out(f"    {context.paint('at', 'dim')} {where}")
    if one.finding.hint:
        fix = " (--fix does it)" if one.finding.edits else ""
        context.out(f"    {context.paint('hint', 'dim')}: {one.finding.hint}{fix}")
    if one.check.severity == "error":
        context.out(f"    {context.paint('see', 'dim')} {one.check.docs}")


def _record(checked: Checked, passes: bool) -> dict[str, object]:
    return {
        "passes": passes,
        "changed": [{"path": path, "diff": diff, "written": checked.written} for path, diff in checked.diffs],
        "subjects": [
            {
                "path": report.path,
                "kind": report.kind,
                "checks": report.ran,
                "errors": report.errors,
                "warnings": report.warnings,
                "advice": report.advice,
                "findings": [_finding_record(one) for one in report.found],
                "unshown": dict(report.unshown),
                "skipped": [{"code": one.check.code, "needs": list(one.needs)} for one in report.skipped],
            }
            for report in checked.reports
        ],
    }


def _finding_record(one: Found) -> dict[str, object]:
    return {
        "code": one.check.code,
        "severity": one.check.severity,
        "message": one.finding.message,
        "where": one.finding.where.as_dict(),
        "hint": one.finding.hint,
        "fixable": bool(one.finding.edits),
        "docs": one.check.docs,
    }


def _check_record(one: Check) -> dict[str, object]:
    return {
        "code": one.code,
        "title": one.title,
        "severity": one.severity,
        "of": list(one.kinds),
        "fixable": one.fixable,
        "needs": list(one.needs),
        "docs": one.docs,
    }
