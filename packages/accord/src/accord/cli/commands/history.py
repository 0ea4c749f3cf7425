"""``accord history``: what was done to an environment."""

from __future__ import annotations

HELP = "Show what was done to an environment"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.cli.context import Context
    from accord.cli.parser import Args, Parser


def arguments(parser: Parser) -> None:
    parser.description = """Shows every change Accord made to the environment, the latest last. What pip or uv did in
        it is not in here."""
    parser.examples = (("accord history", "then: accord undo"),)
    parser.value(
        "--env", metavar="DIR", help="The environment (default: the active one, else .venv)", complete="dir"
    )
    parser.flag("--packages", help="Show the packages of each change too")


def run(args: Args, context: Context) -> int:
    import time

    from accord.tasks.environment import look_back

    changes = look_back(context.environment(args.env))
    if context.json:
        context.emit(
            [
                {
                    "number": one.number,
                    "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(one.time)),
                    "command": one.command,
                    "added": [{"name": name, "version": version} for name, version in one.added],
                    "removed": [{"name": name, "version": version} for name, version in one.removed],
                    "undoes": one.undoes or None,
                    "undone": one.undone,
                }
                for one in changes
            ]
        )
        return 0
    for one in changes:
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(one.time))
        about = f" of {one.undoes}" if one.undoes else ""
        undone = context.paint(" (undone)", "dim") if one.undone else ""
        counts = f"+{len(one.added)} -{len(one.removed)}"
        context.out(f"{one.number:>4}  {when}  {counts:<10}  {one.command}{about}{undone}")
        if args.packages:
            for sign, items in (("+", one.added), ("-", one.removed)):
                for name, version in items:
                    context.out(f"        {sign} {name} {version}")
    if not changes:
        context.say("nothing was done to it yet")
    return 0
