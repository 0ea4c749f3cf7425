"""``accord index yank``: a release that is not to be chosen any more."""

from __future__ import annotations

HELP = "Mark a release or a file as not to be chosen any more"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.cli.context import Context
    from accord.cli.parser import Args, Parser


def arguments(parser: Parser) -> None:
    from accord.cli.index_options import server

    parser.description = """Installers leave a yanked file alone unless its exact version is asked for, and then they show the reason (PEP 592). The files stay."""
    parser.examples = (
        ("accord index yank main/spam 1.2 --reason 'loses data'", "everybody who pins 1.2 reads why"),
        ("accord index yank main/spam --file spam-1.2-py3-none-any.whl", "one file only"),
    )
    parser.argument("place", metavar="INDEX/PROJECT", help="A project")
    parser.argument("version", metavar="VERSION", count="optional", help="A release")
    parser.value("--file", metavar="FILENAME", help="One file of it")
    parser.value("--reason", metavar="TEXT", default="", help="What installers show")
    server(parser)


def run(args: Args, context: Context) -> int:
    from accord.cli.index_options import located
    from accord.tasks import index_life

    record = index_life.yank(located(args), args.place, args.version, args.file, args.reason)
    if context.json:
        context.emit(record)
    else:
        context.out(f"{args.place}: yanked {', '.join(record['files']) or 'nothing that was not already'}")
    return 0
