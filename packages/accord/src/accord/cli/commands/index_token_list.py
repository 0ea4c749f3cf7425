"""``accord index token list``: which tokens there are."""

from __future__ import annotations

HELP = "List tokens: whose, for what, last used when"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.cli.context import Context
    from accord.cli.parser import Args, Parser


def arguments(parser: Parser) -> None:
    from accord.cli.index_options import server

    parser.description = """Shows tokens without their secrets."""
    parser.examples = (
        ("accord index token list", "everybody's"),
        ("accord index token list --user ada", "one user's"),
    )
    parser.value("--user", metavar="NAME", help="Only this user's")
    server(parser)


def run(args: Args, context: Context) -> int:
    from accord.cli.index_options import located, show
    from accord.tasks import index_people

    columns = ("id", "user", "name", "restrictions", "expires", "last_used", "revoked")
    return show(context, "tokens", index_people.tokens(located(args), args.user), columns)
