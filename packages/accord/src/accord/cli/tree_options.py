"""The flags and the drawing that ``accord tree`` and ``accord pip tree`` share."""

from __future__ import annotations

from accord.tasks.settings import normal_names
from accord_core.errors import UsageError

__all__ = ["show_tree", "tree_options"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from accord.cli.context import Context
    from accord.cli.parser import Args, Parser
    from accord.tasks.trees import Node


def tree_options(parser: Parser) -> None:
    parser.argument("names", metavar="NAME", count="any", help="Begin with these packages")
    parser.value("-d", "--depth", metavar="N", convert=_depth, help="Show N levels below the first")
    parser.flag("--invert", aliases=("--reverse",), help="Show who needs a package instead of what it needs")
    parser.append("--prune", metavar="NAME", help="Leave NAME and what hangs on it out")
    parser.append("--package", metavar="NAME", help="The same as NAME")
    parser.flag("--no-dedupe", help="Repeat dependencies that were shown above")
    parser.flag("--show-version-specifiers", help="Show what was asked for")


def _depth(text: str) -> int:
    if not text.isdecimal():
        raise ValueError(f"{text!r} is not a number of levels")
    return int(text)


_PLAIN = str.maketrans({"├": "|", "└": "`", "│": "|", "─": "-"})


def show_tree(nodes: Mapping[str, Node], start: Sequence[str] | None, args: Args, context: Context) -> int:
    """Draw the trees; ``start`` are the names to begin with where the line names none (default: the roots)."""
    from accord.cli.render import tree
    from accord.tasks import trees

    wanted = normal_names((*args.names, *args.package))
    for name in wanted:
        if name not in nodes:
            raise UsageError(
                "not-installed", f"{name} is not there", hint="accord tree without names shows what is"
            )
    if args.invert:
        nodes = trees.invert(nodes)
        start = None
    begin = wanted or start or trees.roots(nodes)
    branches = trees.grow(
        nodes, begin, depth=args.depth, prune=normal_names(args.prune), repeat=args.no_dedupe
    )
    if context.json:
        context.emit([branch.as_dict() for branch in branches])
        return 0
    repeated = False
    for line in tree(branches, context.paint, asked=args.show_version_specifiers):
        repeated = repeated or "(*)" in line
        context.out(line if context.speaks_unicode else line.translate(_PLAIN))
    if repeated:
        context.say("(*) its dependencies are shown above")
    return 0
