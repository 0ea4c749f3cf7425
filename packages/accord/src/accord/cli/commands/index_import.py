"""``accord index import``: what was exported."""

from __future__ import annotations

HELP = "Read an exported server into a new one"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.cli.context import Context
    from accord.cli.parser import Args, Parser


def arguments(parser: Parser) -> None:
    from accord.cli.index_options import server

    parser.description = """Looks at every digest and every row before anything of it counts. The server must have nothing yet."""
    parser.examples = (
        ("accord index import /backup/index --data /srv/index", "into a folder"),
        (
            "accord index import /backup/index --database postgresql://accord@db.example/index --storage s3://bucket/index",
            "into a database and an object store",
        ),
    )
    parser.argument("folder", metavar="DIR", help="What accord index export wrote")
    server(parser)


def run(args: Args, context: Context) -> int:
    from accord.cli.index_options import located
    from accord.tasks import index_upkeep

    found = index_upkeep.import_(located(args), args.folder, tell=lambda _: None)
    if context.json:
        context.emit(found)
    else:
        context.say(f"{sum(found['tables'].values())} rows and {found['blobs']} files are read in")
    return 0
