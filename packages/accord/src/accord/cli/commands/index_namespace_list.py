"""``accord index namespace list``: which namespaces are whose."""

from __future__ import annotations

HELP = "List the reserved namespaces of an index"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.cli.context import Context
    from accord.cli.parser import Args, Parser


def arguments(parser: Parser) -> None:
    from accord.cli.index_options import server

    parser.description = """By name, each with its owner."""
    parser.examples = (("accord index namespace list main", "whose is what"),)
    parser.argument("index", metavar="INDEX", help="The index")
    server(parser)


def run(args: Args, context: Context) -> int:
    from accord.cli.index_options import located, show
    from accord.tasks import index_life

    found = index_life.namespaces(located(args), args.index)
    return show(context, "namespaces", found, ("namespace", "owner", "open"))
