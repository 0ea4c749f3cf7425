"""``accord index upgrade``: tables of the next version."""

from __future__ import annotations

HELP = "Bring the tables of an older version up to date"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.cli.context import Context
    from accord.cli.parser import Args, Parser


def arguments(parser: Parser) -> None:
    from accord.cli.index_options import server

    parser.description = """To be run after a new version of Accord was installed that says server-schema-old, while no process of the old one serves. Take a
        copy before."""
    parser.examples = (("accord index upgrade", "the server in the user's data folder"),)
    server(parser)


def run(args: Args, context: Context) -> int:
    from accord.cli.index_options import located
    from accord.tasks import index_upkeep

    found = index_upkeep.upgrade(located(args))
    if context.json:
        context.emit(found)
    else:
        context.say(f"schema {found['before']} -> {found['schema']}")
    return 0
