"""``accord index token revoke``: the end of a token."""

from __future__ import annotations

HELP = "End a token"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.cli.context import Context
    from accord.cli.parser import Args, Parser


def arguments(parser: Parser) -> None:
    from accord.cli.index_options import server

    parser.description = (
        """Ends a token, and with it every token that was narrowed from it, at once and for good."""
    )
    parser.examples = (("accord index token revoke 2f6c0a9be1d44c37", "by the identifier that lists show"),)
    parser.argument("token", metavar="ID", help="Its identifier, or the token itself")
    server(parser)


def run(args: Args, context: Context) -> int:
    from accord.cli.index_options import located
    from accord.tasks import index_people

    record = index_people.revoke_token(located(args), args.token)
    if context.json:
        context.emit(record)
    else:
        context.out(f"token {record['id']} of {record['user']}: revoked")
    return 0
