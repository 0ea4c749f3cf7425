"""``accord index refresh``: ask an upstream again."""

from __future__ import annotations

HELP = "Ask the upstream of an index again"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.cli.context import Context
    from accord.cli.parser import Args, Parser


def arguments(parser: Parser) -> None:
    from accord.cli.index_options import server

    parser.description = """Asks upstream for the pages of projects at once, or of all that are kept: what was withdrawn or
        yanked there is so here as well when the command ends. Pages are asked for anyway when somebody wants them and they
        are older than upstream allows."""
    parser.examples = (
        ("accord index refresh cache", "every page that is kept"),
        ("accord index refresh cache numpy --retry", "also what came with wrong bytes"),
    )
    parser.argument("name", metavar="INDEX", help="An index with an upstream")
    parser.argument("projects", metavar="PROJECT", count="any", help="Only these")
    parser.flag("--retry", help="Also give files another chance that came with wrong bytes")
    server(parser)


def run(args: Args, context: Context) -> int:
    from accord.cli.index_options import located
    from accord.tasks import index_upstream

    record = index_upstream.refresh(located(args), args.name, tuple(args.projects), retry=args.retry)
    if context.json:
        context.emit(record)
    else:
        context.out(f"{len(record['refreshed'])} refreshed, {len(record['absent'])} not there")
        for project, reason in record["failed"].items():
            context.out(f"{project}: {reason}")
    return 1 if record["failed"] else 0
