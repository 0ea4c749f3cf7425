"""``accord tree``: what the project leads to."""

from __future__ import annotations

from accord.cli.tree_options import tree_options

HELP = "Show the dependencies of the project as a tree"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.cli.context import Context
    from accord.cli.parser import Args, Parser


def arguments(parser: Parser) -> None:
    parser.description = """Shows what the lock says; accord pip tree shows what is installed."""
    parser.examples = (
        ("accord tree --depth 1", "what the project asks for itself"),
        ("accord tree --invert urllib3", "who needs urllib3"),
    )
    tree_options(parser)
    parser.value("--lock", metavar="FILE", help="The lock to show, instead of the project's", complete="file")


def run(args: Args, context: Context) -> int:
    from accord.cli.tree_options import show_tree
    from accord.tasks import inspect_lock
    from accord.tasks.folders import lock_path

    if args.lock is not None:
        return show_tree(inspect_lock.lock_nodes(inspect_lock.read_lock(args.lock)), None, args, context)
    project = context.project_dir()
    nodes = inspect_lock.lock_nodes(inspect_lock.read_lock(lock_path(project)))
    root = inspect_lock.project_node(project)
    return show_tree({**nodes, root.name: root}, (root.name,), args, context)
