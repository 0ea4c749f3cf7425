"""``accord index migrate``: from a laptop to many machines."""

from __future__ import annotations

HELP = "Move a running index to another database or storage"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.cli.context import Context
    from accord.cli.parser import Args, Parser


def arguments(parser: Parser) -> None:
    from accord.cli.index_options import server

    parser.description = """Copies while the index is used; then stops writing for as long as the rest takes, compares every row and reads back every file.
        The old place stays as it is, closed to writing. Interrupted, it is begun again and goes on."""
    parser.examples = (
        (
            "accord index migrate --to-database postgresql://accord@db.example/index --to-storage s3://bucket/index",
            "from a folder to many machines",
        ),
        ("accord index migrate --to-storage file:///srv/blobs", "only the files"),
    )
    parser.value("--to-database", metavar="URL", default="", help="The new database: one that has no index")
    parser.value("--to-storage", metavar="URL", default="", help="The new place of the files")
    server(parser)


def run(args: Args, context: Context) -> int:
    from accord.cli.index_options import located
    from accord.tasks import index_upkeep

    found = index_upkeep.migrate(
        located(args), database=args.to_database, storage=args.to_storage, tell=lambda _: None
    )
    if context.json:
        context.emit(found)
        return 0
    for name, count in found["rows"].items():
        context.out(f"{name:16} {count:>10} rows, each compared")
    context.out(f"{'files':16} {found['blobs']:>10} read back, {found['bytes']} bytes")
    context.say(f"moved at serial {found['serial']}; nothing could be written for {found['stopped']:.1f} s")
    context.say("serve it from there now: accord serve --database ... --storage ...")
    return 0
