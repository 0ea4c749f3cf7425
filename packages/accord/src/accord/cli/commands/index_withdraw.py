"""``accord index withdraw``: files that must go."""

from __future__ import annotations

HELP = "Take files away, for legal reasons or for safety"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.cli.context import Context
    from accord.cli.parser import Args, Parser


def arguments(parser: Parser) -> None:
    from accord.cli.index_options import server

    parser.description = """The files are gone from pages, from the past and, when the time to restore them is over, from storage. Whoever asks for one is told the cause and the reason. Their names stay used."""
    parser.examples = (
        (
            "accord index withdraw main/spam 1.2 --for safety --reason 'sends away what it finds'",
            "nobody gets it again",
        ),
        (
            "accord index withdraw main/spam --all --for legal --reason 'order of a court'",
            "every file of the project",
        ),
    )
    parser.argument("place", metavar="INDEX/PROJECT", help="A project")
    parser.argument("version", metavar="VERSION", count="optional", help="A release")
    parser.value("--file", metavar="FILENAME", help="One file of it")
    parser.flag("--all", dest="whole", help="Every file of the project")
    parser.value(
        "--for", metavar="CAUSE", dest="cause", choices=("legal", "safety"), help="One of legal and safety"
    )
    parser.value("--reason", metavar="TEXT", default="", help="What those read who miss the files")
    server(parser)


def run(args: Args, context: Context) -> int:
    from accord.cli.index_options import located
    from accord.tasks import index_life

    record = index_life.withdraw(
        located(args),
        args.place,
        args.version,
        args.file,
        cause=args.cause or "",
        reason=args.reason,
        whole=args.whole,
    )
    if context.json:
        context.emit(record)
    else:
        context.out(
            f"{args.place}: withdrawn: {', '.join(record['files']) or 'nothing that was not already'}"
        )
    return 0
