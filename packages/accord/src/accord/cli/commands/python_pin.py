"""``accord python pin``: the Python of this folder."""

from __future__ import annotations

HELP = "Write the Python of a project to .python-version"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.cli.context import Context
    from accord.cli.parser import Args, Parser


def arguments(parser: Parser) -> None:
    parser.description = """Without REQUEST shows what is pinned. Other tools read .python-version as well."""
    parser.argument("request", metavar="REQUEST", count="optional", help="3.12, 3.12.1, pypy3.10 or a path")


def run(args: Args, context: Context) -> int:
    from accord.tasks.folders import read_pin
    from accord.tasks.python import pin_python
    from accord_core.errors import UsageError

    try:
        folder = context.project_dir()
    except UsageError:
        folder = "."
    if args.request is None:
        pinned = read_pin(folder)
        if context.json:
            context.emit({"pinned": pinned})
        elif pinned is None:
            context.say("nothing is pinned here")
        else:
            context.out(pinned)
        return 0 if pinned is not None else 1
    pin = pin_python(folder, args.request, cache_dir=context.cache())
    if context.json:
        context.emit({"path": pin.path, "pinned": pin.request, "before": pin.before})
    else:
        before = f" (was {pin.before})" if pin.before and pin.before != pin.request else ""
        context.say(f"pinned {pin.request} in {pin.path}{before}")
    return 0
