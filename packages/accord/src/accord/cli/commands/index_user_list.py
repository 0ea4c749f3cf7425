"""``accord index user list``: who has an account."""

from __future__ import annotations

HELP = "List the users"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.cli.context import Context
    from accord.cli.parser import Args, Parser


def arguments(parser: Parser) -> None:
    from accord.cli.index_options import server

    parser.description = """Shows every user of the server."""
    parser.examples = (("accord index user list", "names, administrators, who is locked out"),)
    server(parser)


def run(args: Args, context: Context) -> int:
    from accord.cli.index_options import located, show
    from accord.tasks import index_people

    columns = ("name", "admin", "disabled", "password", "created", "email", "display")
    return show(context, "users", index_people.users(located(args)), columns)
