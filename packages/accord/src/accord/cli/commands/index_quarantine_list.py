"""``accord index quarantine list``: what waits."""

from __future__ import annotations

HELP = "List the files that wait"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.cli.context import Context
    from accord.cli.parser import Args, Parser


def arguments(parser: Parser) -> None:
    from accord.cli.index_options import server

    parser.description = """Shows the files of an index that nobody sees yet, in the order they came."""
    parser.examples = (("accord index quarantine list main", "what waits in the index main"),)
    parser.argument("name", metavar="INDEX", help="The index")
    server(parser)


def run(args: Args, context: Context) -> int:
    from accord.cli.index_options import located, show
    from accord.tasks import index_quarantine

    records = index_quarantine.waiting(located(args), args.name)
    return show(context, "files", records, ("filename", "uploader", "uploaded", "size"))
