"""``accord pip tree``: what is installed, as a tree."""

from __future__ import annotations

from accord.cli import options
from accord.cli.tree_options import tree_options

HELP = "Show what is installed as a tree"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.cli.context import Context
    from accord.cli.parser import Args, Parser


def arguments(parser: Parser) -> None:
    tree_options(parser)
    parser.append(
        "--path", metavar="DIR", help="Look into this folder instead of an environment", complete="dir"
    )
    options.environment_options(parser)


def run(args: Args, context: Context) -> int:
    from accord.cli.tree_options import show_tree
    from accord.tasks import inspect_env

    looked = context.look(args)
    return show_tree(inspect_env.nodes(looked.installed, looked.markers), None, args, context)
