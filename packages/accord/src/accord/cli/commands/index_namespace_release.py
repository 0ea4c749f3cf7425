"""``accord index namespace release``: a namespace is free again."""

from __future__ import annotations

HELP = "Give a namespace back"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.cli.context import Context
    from accord.cli.parser import Args, Parser


def arguments(parser: Parser) -> None:
    from accord.cli.index_options import server

    parser.description = """Everybody who makes projects in the index may use its names again."""
    parser.examples = (("accord index namespace release main acme", "free"),)
    parser.argument("index", metavar="INDEX", help="The index")
    parser.argument("prefix", metavar="NAMESPACE", help="A reserved one")
    server(parser)


def run(args: Args, context: Context) -> int:
    from accord.cli.index_options import located
    from accord.tasks import index_life

    record = index_life.release_namespace(located(args), args.index, args.prefix)
    if context.json:
        context.emit(record)
    else:
        context.out(f"{args.index}: {record['namespace']} is free")
    return 0
