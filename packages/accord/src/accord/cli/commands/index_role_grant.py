"""``accord index role grant``: a role for a user."""

from __future__ import annotations

HELP = "Let a user do something in an index or a project"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.cli.context import Context
    from accord.cli.parser import Args, Parser


def arguments(parser: Parser) -> None:
    from accord.cli.index_options import server

    parser.description = """Roles in an index are admin, uploader and reader; in a project owner, maintainer and reader. A new role takes the place of the one the user has there."""
    parser.examples = (
        ("accord index role grant main ada uploader", "may upload to the whole index"),
        ("accord index role grant main/spam ada maintainer", "to one project"),
    )
    parser.argument("place", metavar="INDEX[/PROJECT]", help="An index, or a project in it")
    parser.argument("user", metavar="USER", help="Who")
    parser.argument(
        "role",
        metavar="ROLE",
        help="What",
        choices=("admin", "uploader", "owner", "maintainer", "reader"),
    )
    server(parser)


def run(args: Args, context: Context) -> int:
    from accord.cli.index_options import located
    from accord.tasks import index_people

    index, _, project = args.place.partition("/")
    record = index_people.grant_role(located(args), index, project or None, args.user, args.role)
    if context.json:
        context.emit(record)
    else:
        context.out(f"{args.place}: {record['user']} is {record['role']}")
    return 0
