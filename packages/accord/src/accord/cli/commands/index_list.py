"""``accord index list``: which indexes there are."""

from __future__ import annotations

HELP = "List the indexes of a server"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.cli.context import Context
    from accord.cli.parser import Args, Parser


def arguments(parser: Parser) -> None:
    from accord.cli.index_options import server

    parser.description = (
        """Shows each index, whether anybody may read it, what it builds on, and who makes projects in it."""
    )
    parser.examples = (("accord index list --json", "for a script"),)
    server(parser)


def run(args: Args, context: Context) -> int:
    from accord.cli.index_options import located, show
    from accord.tasks import index_people

    columns = ("name", "kind", "public", "bases", "creators", "serial", "title")
    return show(context, "indexes", index_people.indexes(located(args)), columns)
