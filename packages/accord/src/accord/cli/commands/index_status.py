"""``accord index status``: what is to be known of a project as a whole."""

from __future__ import annotations

HELP = "Say that a project is archived, deprecated or in quarantine"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.cli.context import Context
    from accord.cli.parser import Args, Parser


def arguments(parser: Parser) -> None:
    from accord.cli.index_options import server

    parser.description = """Gives a project one of the statuses of PEP 792: active, archived (takes no new files), deprecated, quarantined (offers no files). With a version, a release of it is active or quarantined."""
    parser.examples = (
        ("accord index status main/spam deprecated --reason 'use eggs'", "installers may warn"),
        ("accord index status main/spam quarantined --version 1.2", "the other releases stay"),
    )
    parser.argument("place", metavar="INDEX/PROJECT", help="A project")
    parser.argument("status", metavar="STATUS", help="One of active, archived, deprecated or quarantined")
    parser.value("--version", metavar="VERSION", help="Of this release only: active or quarantined")
    parser.value("--reason", metavar="TEXT", default="", help="What people read beside it")
    server(parser)


def run(args: Args, context: Context) -> int:
    from accord.cli.index_options import located
    from accord.tasks import index_life

    record = index_life.set_status(located(args), args.place, args.status, args.version, args.reason)
    if context.json:
        context.emit(record)
    else:
        part = args.place if args.version is None else f"{args.place} {args.version}"
        context.out(f"{part}: {record['status']}")
    return 0
