"""``accord why``: why a package is in the lock."""

from __future__ import annotations

HELP = "Say why a package is in the lock"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.cli.context import Context
    from accord.cli.parser import Args, Parser


def arguments(parser: Parser) -> None:
    parser.description = """Shows the ways from the project to the package, the shortest first."""
    parser.argument("name", metavar="NAME", help="The package")
    parser.value(
        "--lock", metavar="FILE", help="The lock to look into, instead of the project's", complete="file"
    )


def run(args: Args, context: Context) -> int:
    from accord.tasks import inspect_lock
    from accord.tasks.folders import lock_path
    from accord.tasks.settings import normal_names

    (name,) = normal_names((args.name,))
    project = context.project_dir()
    nodes = inspect_lock.lock_nodes(inspect_lock.read_lock(args.lock or lock_path(project)))
    ways = inspect_lock.why(nodes, inspect_lock.project_node(project), name)
    if context.json:
        context.emit(
            {
                "name": name,
                "version": nodes[name].version,
                "ways": [
                    [{"name": edge.target, "asked": edge.asked or None} for edge in way] for way in ways
                ],
            }
        )
        return 0
    context.out(f"{context.paint(name, 'bold')} {nodes[name].version}")
    for way in ways:
        steps = [
            edge.target + (context.paint(f" [{edge.asked}]", "dim") if edge.asked else "") for edge in way
        ]
        context.out("  " + " -> ".join(steps))
    if not ways:
        context.out("  nothing in the project leads to it: accord lock writes a lock without it")
    return 0
