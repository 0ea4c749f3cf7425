"""``accord pip freeze``: what is installed, in requirements format."""

from __future__ import annotations

from accord.cli import options
from accord.tasks.settings import normal_names

HELP = "Print what is installed in requirements format"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.cli.context import Context
    from accord.cli.parser import Args, Parser


def arguments(parser: Parser) -> None:
    parser.flag(
        "--all", help="Also pip itself, and what venv put beside it: setuptools and wheel before Python 3.12"
    )
    parser.append("--exclude", metavar="NAME", help="Leave NAME out")
    parser.flag("--exclude-editable", help="Leave editable ones out")
    parser.append(
        "--path", metavar="DIR", help="What is in this folder instead of an environment", complete="dir"
    )
    options.environment_options(parser)


def run(args: Args, context: Context) -> int:
    from accord.tasks import inspect_env

    looked = context.look(args)
    found = inspect_env.listing(
        looked.installed,
        exclude=(*normal_names(args.exclude), *(() if args.all else inspect_env.tools(looked.markers))),
        editable=False if args.exclude_editable else None,
    )
    lines = inspect_env.freeze(found)
    if context.json:
        context.emit(list(lines))
    else:
        for line in lines:
            context.out(line)
    return 0
