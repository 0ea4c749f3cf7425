"""``accord cache dir``: where the cache is."""

from __future__ import annotations

HELP = "Print where the cache is"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.cli.context import Context
    from accord.cli.parser import Args, Parser


def arguments(parser: Parser) -> None:
    """Nothing but the global options."""


def run(args: Args, context: Context) -> int:
    if context.json:
        context.emit({"path": context.cache()})
    else:
        context.out(context.cache())
    return 0
