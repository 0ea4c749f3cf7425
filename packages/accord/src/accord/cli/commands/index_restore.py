"""``accord index restore``: withdrawn files come back."""

from __future__ import annotations

HELP = "Bring withdrawn files back, as long as they are kept"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.cli.context import Context
    from accord.cli.parser import Args, Parser


def arguments(parser: Parser) -> None:
    from accord.cli.index_options import server

    parser.description = (
        """Possible for seven days after accord index withdraw; the files are then as they were."""
    )
    parser.examples = (
        ("accord index restore main/spam 1.2 --reason 'it was somebody else'", "installable again"),
    )
    parser.argument("place", metavar="INDEX/PROJECT", help="A project")
    parser.argument("version", metavar="VERSION", count="optional", help="A release")
    parser.value("--file", metavar="FILENAME", help="One file of it")
    parser.flag("--all", dest="whole", help="Every withdrawn file of the project")
    parser.value("--reason", metavar="TEXT", default="", help="For the journal")
    server(parser)


def run(args: Args, context: Context) -> int:
    from accord.cli.index_options import located
    from accord.tasks import index_life

    record = index_life.restore(
        located(args), args.place, args.version, args.file, reason=args.reason, whole=args.whole
    )
    if context.json:
        context.emit(record)
    else:
        context.out(f"{args.place}: restored: {', '.join(record['files']) or 'nothing that was not already'}")
    return 0
