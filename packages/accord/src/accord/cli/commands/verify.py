"""``accord verify``: whether an environment is what its records say."""

from __future__ import annotations

HELP = "Compare an environment with its records, and repair it"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.cli.context import Context
    from accord.cli.parser import Args, Parser


def arguments(parser: Parser) -> None:
    parser.description = """Reads every installed file and compares it with what its RECORD says, whichever tool
        installed it. --repair puts back from the store what Accord installed. Ends with status 1 if a file is not
        as it was and was not put back."""
    parser.examples = (("accord verify --repair", "put right what can be"),)
    parser.value(
        "--env", metavar="DIR", help="The environment (default: the active one, else .venv)", complete="dir"
    )
    parser.flag("--repair", help="Put damaged and missing files back")


def run(args: Args, context: Context) -> int:
    from accord.cli.render import plural, short_path
    from accord.tasks.environment import compare

    env = context.environment(args.env)
    problems = compare(env, repair=args.repair, cache_dir=context.cache())
    left = sum(not one.repaired for one in problems)
    if context.json:
        context.emit(
            {
                "environment": env,
                "problems": [
                    {
                        "name": one.name,
                        "version": one.version,
                        "path": one.path,
                        "kind": one.kind,
                        "repaired": one.repaired,
                    }
                    for one in problems
                ],
            }
        )
        return 1 if left else 0
    for one in problems:
        done = context.paint(" (put back)", "green") if one.repaired else ""
        context.out(f"{context.paint(one.kind, 'red')}: {one.path} of {one.name} {one.version}{done}")
    if not problems:
        context.say(f"{short_path(env)} is what was installed")
    elif left:
        hint = (
            "; accord cache verify --repair, then accord sync --reinstall"
            if args.repair
            else "; --repair puts them back"
        )
        context.say(f"{plural(left, 'file')} not as installed{hint}")
    return 1 if left else 0
