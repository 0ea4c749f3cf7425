"""``accord index unyank``: what is yanked may be chosen again."""

from __future__ import annotations

HELP = "Take a yank back"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.cli.context import Context
    from accord.cli.parser import Args, Parser


def arguments(parser: Parser) -> None:
    from accord.cli.index_options import server

    parser.description = """The contrary of accord index yank."""
    parser.examples = (("accord index unyank main/spam 1.2", "as before"),)
    parser.argument("place", metavar="INDEX/PROJECT", help="A project")
    parser.argument("version", metavar="VERSION", count="optional", help="A release")
    parser.value("--file", metavar="FILENAME", help="One file of it")
    server(parser)


def run(args: Args, context: Context) -> int:
    from accord.cli.index_options import located
    from accord.tasks import index_life

    record = index_life.unyank(located(args), args.place, args.version, args.file)
    if context.json:
        context.emit(record)
    else:
        context.out(
            f"{args.place}: not yanked any more: {', '.join(record['files']) or 'nothing that was not already'}"
        )
    return 0
