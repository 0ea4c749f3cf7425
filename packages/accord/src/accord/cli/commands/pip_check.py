"""``accord pip check``: whether what is installed fits together."""

from __future__ import annotations

from accord.cli import options

HELP = "Check that what is installed fits together"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.cli.context import Context
    from accord.cli.parser import Args, Parser


def arguments(parser: Parser) -> None:
    parser.description = """Looks for requirements that are missing or not met, for packages that refuse this Python,
        for names that are installed twice and for metadata nobody can read. Ends with status 1 if it finds any."""
    parser.append(
        "--path", metavar="DIR", help="Look into this folder instead of an environment", complete="dir"
    )
    options.environment_options(parser)


def run(args: Args, context: Context) -> int:
    from accord.cli.render import plural
    from accord.tasks import inspect_env

    looked = context.look(args)
    problems = inspect_env.check(looked.installed, looked.markers)
    if context.json:
        context.emit(
            {
                "packages": len(looked.installed),
                "problems": [
                    {
                        "kind": one.kind,
                        "name": one.name,
                        "version": one.version,
                        "requirement": one.requirement or None,
                        "found": one.found,
                        "message": one.message,
                    }
                    for one in problems
                ],
            }
        )
    else:
        for one in problems:
            context.out(f"{context.paint(one.kind, 'red')}: {one.message}")
        verdict = plural(len(problems), "problem") if problems else "all of them fit together"
        context.say(f"{plural(len(looked.installed), 'package')}: {verdict}")
    return 1 if problems else 0
