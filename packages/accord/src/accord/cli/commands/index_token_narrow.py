"""``accord index token narrow``: a lesser token, from the text of one."""

from __future__ import annotations

HELP = "Make a lesser token of one, without asking the server"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.cli.context import Context
    from accord.cli.parser import Args, Parser


def arguments(parser: Parser) -> None:
    from accord.cli.index_options import restrictions

    parser.description = """Reads a token from standard input and prints one that may less: fewer projects, fewer actions, a
        shorter time. Needs no server and no network. The restrictions it has stay; nobody can take one away."""
    parser.examples = (
        ("accord index token narrow --action read --expires PT1H < token.txt", "for an hour, to read"),
        ("accord index token narrow --for-project spam < token.txt", "for one project"),
    )
    restrictions(parser)


def run(args: Args, context: Context) -> int:
    import sys

    from accord.tasks import index_people

    text = index_people.narrow_token(
        sys.stdin.readline(),
        indexes=args.indexes,
        projects=args.projects,
        actions=args.actions,
        expires=args.expires,
    )
    if context.json:
        context.emit({"token": text})
    else:
        context.out(text)
    return 0
