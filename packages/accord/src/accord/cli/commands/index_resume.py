"""``accord index resume``: changes again."""

from __future__ import annotations

HELP = "Take changes again after accord index pause"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.cli.context import Context
    from accord.cli.parser import Args, Parser


def arguments(parser: Parser) -> None:
    from accord.cli.index_options import server

    parser.description = """Ends what accord index pause or accord index migrate began. After a move, changes made here are not in the copy."""
    parser.examples = (("accord index resume", "writing goes on"),)
    server(parser)


def run(args: Args, context: Context) -> int:
    from accord.cli.index_options import located
    from accord.tasks import index_upkeep

    index_upkeep.resume(located(args))
    if context.json:
        context.emit({"paused": False})
    else:
        context.say("the index takes changes again")
    return 0
