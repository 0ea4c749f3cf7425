"""``accord python find``: where a request leads to."""

from __future__ import annotations

HELP = "Print the interpreter a request leads to"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.cli.context import Context
    from accord.cli.parser import Args, Parser


def arguments(parser: Parser) -> None:
    parser.argument(
        "request",
        metavar="REQUEST",
        count="optional",
        help="3.12, pypy3.10, a path, an environment (default: what commands here would take)",
    )


def run(args: Args, context: Context) -> int:
    from accord.tasks.python import find_python

    found = find_python(args.request, cache_dir=context.cache(), project=context.project)
    if context.json:
        context.emit(
            {"version": found.version, "implementation": found.implementation, "path": found.executable}
        )
    else:
        context.out(found.executable)
    return 0
