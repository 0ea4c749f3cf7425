"""``accord undo``: take back the last change of an environment."""

from __future__ import annotations

HELP = "Take back the last change of an environment"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.cli.context import Context
    from accord.cli.parser import Args, Parser


def arguments(parser: Parser) -> None:
    parser.description = """Puts the environment back to what it was before the last change that stands; again goes
        one further back. Nothing is fetched or resolved, and the lock and pyproject.toml are not touched: the next
        accord sync follows them again."""
    parser.examples = (
        ("accord undo", "take the last change back"),
        ("accord undo --redo", "take the undo back"),
    )
    parser.value(
        "--env", metavar="DIR", help="The environment (default: the active one, else .venv)", complete="dir"
    )
    parser.flag("--redo", help="Take back the last undo")


def run(args: Args, context: Context) -> int:
    from accord.cli.render import changes, short_path, swap
    from accord.tasks.environment import take_back

    env = context.environment(args.env)
    change = take_back(env, redo=args.redo)
    # What the change brought goes, what it took comes back.
    came, went = change.removed, change.added
    if context.json:
        context.emit(
            {
                "environment": env,
                "undid": change.number,
                "added": [{"name": name, "version": version} for name, version in came],
                "removed": [{"name": name, "version": version} for name, version in went],
            }
        )
        return 0
    for line in changes(swap(came, went), context.paint_error):
        context.say(line)
    context.say(f"{'redid' if args.redo else 'undid'} change {change.number} of {short_path(env)}")
    return 0
