"""``accord index quarantine reject``: a file will never be seen."""

from __future__ import annotations

HELP = "Let a file never be seen"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.cli.context import Context
    from accord.cli.parser import Args, Parser


def arguments(parser: Parser) -> None:
    from accord.cli.index_options import server

    parser.description = (
        """The file is never shown, and its name stays used. The reason stands in the audit."""
    )
    parser.examples = (
        ("accord index quarantine reject main spam-1.0.tar.gz --reason 'sends secrets away'", "it is not"),
    )
    parser.argument("name", metavar="INDEX", help="The index")
    parser.argument("filename", metavar="FILE", help="The file's name")
    parser.value("--reason", metavar="TEXT", default="", help="Why, for whoever reads the audit")
    server(parser)


def run(args: Args, context: Context) -> int:
    from accord.cli.index_options import located
    from accord.tasks import index_quarantine

    record = index_quarantine.reject(located(args), args.name, args.filename, args.reason)
    if context.json:
        context.emit(record)
    else:
        context.out(f"{args.filename}: rejected")
    return 0
