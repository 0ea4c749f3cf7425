"""``accord index quarantine scan``: a program looks at what waits."""

from __future__ import annotations

HELP = "Ask a program about each file that waits, and act on its verdict"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.cli.context import Context
    from accord.cli.parser import Args, Parser


def arguments(parser: Parser) -> None:
    from accord.cli.index_options import server

    parser.description = """Runs a program with the path of each file that waits, in the sandbox: no network, no home. Status 0
        releases the file, 1 rejects it (the last line of the output says why), anything else leaves it waiting."""
    parser.examples = (
        ("accord index quarantine scan main -- clamscan --no-summary", "as a timer does it"),
        (
            "accord index quarantine scan main --read /srv/rules -- yara-judge /srv/rules",
            "with rules of one's own",
        ),
    )
    parser.argument("name", metavar="INDEX", help="The index")
    parser.argument("program", metavar="PROGRAM", count="some", help="The program and its arguments")
    parser.append("--read", metavar="DIR", dest="readable", help="A folder it may read as well (repeatable)")
    parser.value("--timeout", metavar="SECONDS", default="300", help="For one file (300)")
    parser.flag("--without-sandbox", dest="open", help="Run it as you are")
    server(parser)


def run(args: Args, context: Context) -> int:
    from accord.cli.index_options import located, show
    from accord.tasks import index_quarantine
    from accord_core.errors import UsageError

    if not args.timeout.isdigit():
        raise UsageError("usage", f"--timeout is a number of seconds, not {args.timeout!r}")
    records = index_quarantine.scan(
        located(args),
        args.name,
        args.program,
        seconds=float(args.timeout),
        readable=args.readable or (),
        sandboxed=not args.open,
    )
    return show(context, "files", records, ("filename", "state", "reason"))
