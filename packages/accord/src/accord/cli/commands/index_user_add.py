"""``accord index user add``: a new user."""

from __future__ import annotations

HELP = "Add a user"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.cli.context import Context
    from accord.cli.parser import Args, Parser


def arguments(parser: Parser) -> None:
    from accord.cli.index_options import server

    parser.description = (
        """Adds a user. Without --password the user has tokens only, and cannot sign in on the web pages."""
    )
    parser.examples = (
        ("accord index user add ada", "tokens only"),
        ("accord index user add ada --password < secret.txt", "may sign in"),
    )
    parser.argument("name", metavar="NAME", help="Letters, digits, dashes")
    parser.value("--display", metavar="TEXT", default="", help="How the name is shown")
    parser.value("--email", metavar="ADDRESS", default="", help="Where to write to")
    parser.flag("--admin", help="May administer the whole server")
    parser.flag("--password", help="Ask for a password, or read it from standard input")
    server(parser)


def run(args: Args, context: Context) -> int:
    from accord.cli.index_options import located, password
    from accord.tasks import index_people

    record = index_people.add_user(
        located(args),
        args.name,
        display=args.display,
        email=args.email,
        admin=args.admin,
        password=password(context, what=f"password of {args.name}") if args.password else None,
    )
    if context.json:
        context.emit(record)
    else:
        context.out(f"user {record['name']}")
    return 0
