"""``accord index pause``: no changes for a while."""

from __future__ import annotations

HELP = "Take no changes for a while; reading goes on"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.cli.context import Context
    from accord.cli.parser import Args, Parser


def arguments(parser: Parser) -> None:
    from accord.cli.index_options import server

    parser.description = """Every upload, yank and other change is refused with 503 and the reason, in all processes, until accord index resume. When the
        command has ended, no change is under way any more: a copy taken now is whole."""
    parser.examples = (
        ("accord index pause", "for a copy of the folder"),
        ("accord index pause --reason 'moving to the new disk'", "people read why"),
    )
    parser.value("--reason", metavar="TEXT", default="its operator stopped writing", help="What people read")
    server(parser)


def run(args: Args, context: Context) -> int:
    from accord.cli.index_options import located
    from accord.tasks import index_upkeep

    index_upkeep.pause(located(args), args.reason)
    if context.json:
        context.emit({"paused": True, "reason": args.reason})
    else:
        context.say("nothing can be written now; accord index resume ends that")
    return 0
