"""``accord index token seal``: keys of tokens under another secret."""

from __future__ import annotations

HELP = "Seal the keys of all tokens with the first secret of the file"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.cli.context import Context
    from accord.cli.parser import Args, Parser


def arguments(parser: Parser) -> None:
    from accord.cli.index_options import server

    parser.description = """After a secret was put on top of the file and the server was started again: every key is sealed with it, and the
        secrets below can go. Tokens stay good. Beside the server; nothing happens to keys that are sealed with it already."""
    parser.examples = (("accord index token seal --secret-file /etc/accord/secret", "the new one is on top"),)
    server(parser)


def run(args: Args, context: Context) -> int:
    from accord.cli.index_options import located
    from accord.cli.render import plural
    from accord.tasks import index_people

    count = index_people.seal_tokens(located(args))
    if context.json:
        context.emit({"sealed": count})
    else:
        context.out(f"{plural(count, 'key')} sealed")
    return 0
