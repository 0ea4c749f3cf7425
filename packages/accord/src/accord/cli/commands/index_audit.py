"""``accord index audit``: who did what."""

from __future__ import annotations

HELP = "Show who signed in, which tokens were used, what was changed"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.cli.context import Context
    from accord.cli.parser import Args, Parser


def arguments(parser: Parser) -> None:
    from accord.cli.index_options import server

    parser.description = """Shows the newest entries of the audit first. Uses of tokens stand there a few seconds after they happened."""
    parser.examples = (
        ("accord index audit --actor user:ada", "what ada did"),
        ("accord index audit --limit 1000 --json", "for a script"),
    )
    parser.value("--limit", metavar="N", default=50, convert=_number, help="So many (default: 50)")
    parser.value("--actor", metavar="ACTOR", help="Only of this one: user:NAME, operator:NAME, anybody")
    parser.value("--action", metavar="ACTION", help="Only of this kind")
    server(parser)


def _number(text: str) -> int:
    if not text.isdigit() or not int(text):
        raise ValueError(f"{text!r} is no number of entries")
    return int(text)


def run(args: Args, context: Context) -> int:
    from accord.cli.index_options import located, show
    from accord.tasks import index_people

    records = index_people.audit(located(args), limit=args.limit, actor=args.actor, action=args.action)
    return show(
        context, "entries", records, ("at", "actor", "address", "action", "subject", "outcome", "detail")
    )
