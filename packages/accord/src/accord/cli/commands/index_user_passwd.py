"""``accord index user passwd``: a new password."""

from __future__ import annotations

HELP = "Give a user a password"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.cli.context import Context
    from accord.cli.parser import Args, Parser


def arguments(parser: Parser) -> None:
    from accord.cli.index_options import server

    parser.description = """Asks for a password twice, or reads one line of standard input. Sessions that began with the old one end."""
    parser.examples = (
        ("accord index user passwd ada", "asks for it"),
        ("accord index user passwd ada --none", "tokens only from now on"),
    )
    parser.argument("name", metavar="NAME", help="The user")
    parser.flag("--none", help="Take the password away: tokens only")
    server(parser)


def run(args: Args, context: Context) -> int:
    from accord.cli.index_options import located, password
    from accord.tasks import index_people

    new = None if args.none else password(context, what=f"password of {args.name}")
    record = index_people.set_password(located(args), args.name, new)
    if context.json:
        context.emit(record)
    else:
        context.out(f"user {record['name']}: {'password set' if record['password'] else 'no password'}")
    return 0
