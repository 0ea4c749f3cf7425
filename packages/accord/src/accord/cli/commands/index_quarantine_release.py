"""``accord index quarantine release``: a file may be seen."""

from __future__ import annotations

HELP = "Let a file be seen"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.cli.context import Context
    from accord.cli.parser import Args, Parser


def arguments(parser: Parser) -> None:
    from accord.cli.index_options import server

    parser.description = """The file becomes visible at once, with the time and the serial of this moment."""
    parser.examples = (
        ("accord index quarantine release main spam-1.0-py3-none-any.whl", "it is what it says it is"),
    )
    parser.argument("name", metavar="INDEX", help="The index")
    parser.argument("filename", metavar="FILE", help="The file's name")
    server(parser)


def run(args: Args, context: Context) -> int:
    from accord.cli.index_options import located
    from accord.tasks import index_quarantine

    record = index_quarantine.release(located(args), args.name, args.filename)
    if context.json:
        context.emit(record)
    else:
        context.out(f"{args.filename}: released")
    return 0
