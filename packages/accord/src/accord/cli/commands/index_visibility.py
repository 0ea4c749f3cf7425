"""``accord index visibility``: private or public."""

from __future__ import annotations

HELP = "Say who sees an index or a project"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.cli.context import Context
    from accord.cli.parser import Args, Parser


def arguments(parser: Parser) -> None:
    from accord.cli.index_options import server

    parser.description = """A private index is read by users with a role in it; a private project by users with a role in that
        project, and by administrators. Everybody else is answered as if there were none. It holds at once."""
    parser.examples = (
        ("accord index visibility main/spam private", "one project"),
        ("accord index visibility team public", "a whole index"),
    )
    parser.argument("place", metavar="INDEX[/PROJECT]", help="An index, or a project in it")
    parser.argument("word", metavar="public|private", help="Which", choices=("public", "private"))
    server(parser)


def run(args: Args, context: Context) -> int:
    from accord.cli.index_options import located
    from accord.tasks import index_people

    index, _, project = args.place.partition("/")
    record = index_people.set_visibility(
        located(args), index, project or None, private=args.word == "private"
    )
    if context.json:
        context.emit(record)
    else:
        context.out(f"{args.place}: {args.word}")
    return 0
