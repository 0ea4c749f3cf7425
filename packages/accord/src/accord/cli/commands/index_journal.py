"""``accord index journal``: what happened to a project."""

from __future__ import annotations

HELP = "Show what happened to a project, and who did it"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.cli.context import Context
    from accord.cli.parser import Args, Parser


def arguments(parser: Parser) -> None:
    from accord.cli.index_options import server

    parser.description = (
        """The newest first. Every entry has a serial: /@SERIAL/simple/ shows the index as it was."""
    )
    parser.examples = (("accord index journal main/spam", "uploads, yanks, withdrawals ..."),)
    parser.argument("place", metavar="INDEX/PROJECT", help="A project")
    parser.value("--limit", metavar="N", default="100", help="So many entries at most")
    server(parser)


def run(args: Args, context: Context) -> int:
    from accord.cli.index_options import located, show
    from accord.tasks import index_life
    from accord_core.errors import UsageError

    if not args.limit.isdigit():
        raise UsageError("usage", f"--limit is a number, not {args.limit!r}")
    found = index_life.journal(located(args), args.place, limit=int(args.limit))
    return show(context, "journal", found, ("serial", "at", "actor", "action", "version", "filename"))
