"""``accord index token create``: a new token."""

from __future__ import annotations

HELP = "Make a token and show it, this once"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.cli.context import Context
    from accord.cli.parser import Args, Parser


def arguments(parser: Parser) -> None:
    from accord.cli.index_options import restrictions, server

    parser.description = """Makes a token for a user and prints it. The server keeps what proves it, never the token: it is not shown again."""
    parser.examples = (
        (
            "accord index token create ada --name ci --action upload --for-project spam --expires '90 days'",
            "for one job",
        ),
        ("accord index token create ada", "everything that user may do"),
    )
    parser.argument("user", metavar="USER", help="Whose it is")
    parser.value("--name", metavar="TEXT", default="", help="What it is for, shown in lists")
    restrictions(parser)
    server(parser)


def run(args: Args, context: Context) -> int:
    from accord.cli.index_options import located
    from accord.tasks import index_people

    record = index_people.create_token(
        located(args),
        args.user,
        name=args.name or "made by an operator",
        indexes=args.indexes,
        projects=args.projects,
        actions=args.actions,
        expires=args.expires,
    )
    if context.json:
        context.emit(record)
    else:
        context.out(str(record["secret"]))
    return 0
