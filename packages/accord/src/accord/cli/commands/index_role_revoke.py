"""``accord index role revoke``: the end of a role."""

from __future__ import annotations

HELP = "Take a role away"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.cli.context import Context
    from accord.cli.parser import Args, Parser


def arguments(parser: Parser) -> None:
    from accord.cli.index_options import server

    parser.description = """Takes away what a user may do in an index or a project."""
    parser.examples = (("accord index role revoke main/spam ada", "in one project"),)
    parser.argument("place", metavar="INDEX[/PROJECT]", help="An index, or a project in it")
    parser.argument("user", metavar="USER", help="Who")
    server(parser)


def run(args: Args, context: Context) -> int:
    from accord.cli.index_options import located
    from accord.tasks import index_people

    index, _, project = args.place.partition("/")
    record = index_people.revoke_role(located(args), index, project or None, args.user)
    if context.json:
        context.emit(record)
    else:
        context.out(f"{args.place}: {record['user']} has no role")
    return 0
