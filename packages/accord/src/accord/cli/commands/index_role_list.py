"""``accord index role list``: who may do what."""

from __future__ import annotations

HELP = "List who may do what"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.cli.context import Context
    from accord.cli.parser import Args, Parser


def arguments(parser: Parser) -> None:
    from accord.cli.index_options import server

    parser.description = """Shows the roles in a project, or in an index and every project of it."""
    parser.examples = (
        ("accord index role list main", "the index and its projects"),
        ("accord index role list main/spam", "one project"),
    )
    parser.argument("place", metavar="INDEX[/PROJECT]", help="An index, or a project in it")
    server(parser)


def run(args: Args, context: Context) -> int:
    from accord.cli.index_options import located, show
    from accord.tasks import index_people

    index, _, project = args.place.partition("/")
    records = index_people.roles(located(args), index, project or None)
    return show(context, "roles", records, ("project", "user", "role", "granted"))
