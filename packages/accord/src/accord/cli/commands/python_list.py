"""``accord python list``: the interpreters on this machine."""

from __future__ import annotations

HELP = "List the interpreters on this machine"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.cli.context import Context
    from accord.cli.parser import Args, Parser


def arguments(parser: Parser) -> None:
    parser.argument("request", metavar="REQUEST", count="optional", help="Only versions that begin so (3.12)")


def run(args: Args, context: Context) -> int:
    from accord.cli.render import table
    from accord.tasks.python import list_pythons

    found = list_pythons(cache_dir=context.cache())
    if args.request:
        free, wanted = args.request.endswith("t"), args.request.removesuffix("t").split(".")
        found = tuple(
            one
            for one in found
            if one.version.split(".")[: len(wanted)] == wanted and (one.free_threaded or not free)
        )
    if context.json:
        context.emit(
            [
                {
                    "version": one.version,
                    "implementation": one.implementation,
                    "free_threaded": one.free_threaded,
                    "path": one.executable,
                }
                for one in found
            ]
        )
        return 0
    rows = [(one.version + "t" * one.free_threaded, one.implementation, one.executable) for one in found]
    if rows:
        for line in table(("Version", "Implementation", "Path"), rows, context.paint):
            context.out(line)
    return 0
