"""``accord index list``: which indexes there are."""

from __future__ import annotations

HELP = "List the indexes of a server"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.cli.context import Context
    from accord.cli.parser import Args, Parser


def arguments(parser: Parser) -> None:
    from accord.cli.index_options import server

    parser.description = """Shows each index, whether anybody may read it, what it builds on, who makes projects in it; of one with an upstream also how much it keeps,
        and how many seconds ago its oldest page was asked for."""
    parser.examples = (("accord index list --json", "for a script"),)
    server(parser)


def run(args: Args, context: Context) -> int:
    from accord.cli.index_options import located, show
    from accord.tasks import index_people, index_upstream

    columns: tuple[str, ...] = ("name", "kind", "public", "bases", "creators", "serial", "title")
    records = index_people.indexes(located(args))
    if any(record["kind"] == "upstream" for record in records):
        states = index_upstream.status(located(args))
        for record in records:
            state = states.get(record["name"], {})
            record.update(
                {key: state.get(key) for key in ("upstream", "pages", "files", "bytes", "lag", "withheld")}
            )
            record["blocked"] = state.get("blocked", [])
            record["refused"] = state.get("refused", [])
        columns = (*columns, "upstream", "pages", "files", "bytes", "lag", "withheld")
    return show(context, "indexes", records, columns)
