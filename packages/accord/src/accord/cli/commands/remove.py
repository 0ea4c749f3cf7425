"""``accord remove``: take dependencies out of the project, lock, and bring the environment along."""

from __future__ import annotations

from accord.cli import options

HELP = "Remove dependencies from the project, lock and sync"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.cli.context import Context
    from accord.cli.parser import Args, Parser


def arguments(parser: Parser) -> None:
    parser.examples = (
        ("accord remove flask", "from the project"),
        ("accord remove --group dev ruff", "from a group"),
    )
    parser.argument("names", metavar="NAME", count="some", help="The packages to remove")
    parser.value("--group", metavar="NAME", dest="from_group", help="From this dependency group")
    parser.flag("--dev", help="The same as --group dev")
    parser.value("--optional", metavar="EXTRA", help="From this extra of the project")
    parser.flag("--no-sync", help="Write pyproject.toml and the lock, and leave the environment alone")
    parser.flag("--frozen", help="Write pyproject.toml only")
    options.environment_options(parser, "The environment (default: the project's .venv)")
    options.install_options(parser)
    options.resolver_options(parser)
    options.index_options(parser)
    options.build_options(parser)


def run(args: Args, context: Context) -> int:
    from accord.cli.edits import show_edit
    from accord.tasks import project_edit

    outcome = project_edit.remove(
        context.project_dir(),
        args.names,
        options.engine(args, context),
        group="dev" if args.dev else args.from_group,
        optional=args.optional,
        lock=not args.frozen,
        sync=not (args.no_sync or args.frozen),
    )
    context.finish()
    show_edit(outcome, context)
    return 0
