"""``accord index export``: everything, in a plain format."""

from __future__ import annotations

HELP = "Write a whole server into a folder"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.cli.context import Context
    from accord.cli.parser import Args, Parser


def arguments(parser: Parser) -> None:
    from accord.cli.index_options import server

    parser.description = """Rows as JSON lines, files under their names, a list of digests: readable without Accord, and what accord index import reads. It
        is the server as it was at one instant. The folder holds secrets (keys of tokens, digests of passwords)."""
    parser.examples = (("accord index export /backup/index", "a copy that outlives every database"),)
    parser.argument("folder", metavar="DIR", help="A folder that is empty or does not exist")
    server(parser)


def run(args: Args, context: Context) -> int:
    from accord.cli.index_options import located
    from accord.tasks import index_upkeep

    found = index_upkeep.export(located(args), args.folder, tell=lambda _: None)
    if context.json:
        context.emit(found)
    else:
        context.say(
            f"{sum(found['tables'].values())} rows, {found['blobs']} files ({found['bytes']} bytes), "
            f"as of serial {found['serial']}"
        )
    return 0
