"""``accord index role transfer``: a project for a new owner."""

from __future__ import annotations

HELP = "Give a project to a new owner, and to nobody else"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.cli.context import Context
    from accord.cli.parser import Args, Parser


def arguments(parser: Parser) -> None:
    from accord.cli.index_options import server

    parser.description = """Makes a user the owner of a project and ends every other role in it, so that nobody of before keeps a way in."""
    parser.examples = (("accord index role transfer main/spam grace", "grace alone"),)
    parser.argument("place", metavar="INDEX/PROJECT", help="A project")
    parser.argument("user", metavar="USER", help="The new owner")
    parser.append("--keep", metavar="USER", help="Let this user keep a role in it (repeatable)")
    server(parser)


def run(args: Args, context: Context) -> int:
    from accord.cli.index_options import located
    from accord.tasks import index_people
    from accord_core.errors import UsageError

    index, _, project = args.place.partition("/")
    if not project:
        raise UsageError("usage", f"a project is INDEX/PROJECT, not {args.place!r}")
    record = index_people.transfer_project(located(args), index, project, args.user, keep=tuple(args.keep))
    if context.json:
        context.emit(record)
    else:
        context.out(f"{args.place}: {record['user']} is the owner")
    return 0
