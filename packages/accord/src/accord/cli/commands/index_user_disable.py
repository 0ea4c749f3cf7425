"""``accord index user disable``: lock a user out."""

from __future__ import annotations

HELP = "Lock a user out, or let one in again"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.cli.context import Context
    from accord.cli.parser import Args, Parser


def arguments(parser: Parser) -> None:
    from accord.cli.index_options import server

    parser.description = """Ends what a user may do: tokens and sessions stop working at once. Nothing the user made is changed."""
    parser.examples = (
        ("accord index user disable ada", "at once"),
        ("accord index user disable ada --undo", "the tokens work again"),
    )
    parser.argument("name", metavar="NAME", help="The user")
    parser.flag("--undo", help="Let the user in again")
    server(parser)


def run(args: Args, context: Context) -> int:
    from accord.cli.index_options import located
    from accord.tasks import index_people

    record = index_people.disable_user(located(args), args.name, disabled=not args.undo)
    if context.json:
        context.emit(record)
    else:
        context.out(f"user {record['name']}: {'locked out' if record['disabled'] else 'let in'}")
    return 0
