"""``accord upgrade``: lock newer versions and bring the environment along."""

from __future__ import annotations

from accord.cli import options

HELP = "Lock newer versions, and say what changed"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.cli.context import Context
    from accord.cli.parser import Args, Parser


def arguments(parser: Parser) -> None:
    parser.description = """Locks the newest versions that what pyproject.toml asks for allows, of everything or of
        the packages named, and syncs. pyproject.toml is not changed: to go
        beyond its bounds, accord add 'NAME>=...' writes new ones."""
    parser.examples = (
        ("accord upgrade --dry-run", "see what there is"),
        ("accord upgrade django celery", "upgrade two packages and what they need"),
    )
    parser.argument("names", metavar="NAME", count="any", help="What to upgrade (default: everything)")
    options.dry_run_option(parser)
    parser.flag("--no-sync", help="Write the lock and leave the environment alone")
    parser.value(
        "--env", metavar="DIR", help="The environment (default: the project's .venv)", complete="dir"
    )
    options.python_option(parser)
    options.selection_options(parser)
    options.install_options(parser)
    options.resolver_options(parser)
    options.index_options(parser)
    options.build_options(parser)


def run(args: Args, context: Context) -> int:
    from accord.cli.render import lock_record, show_lock, show_sync, sync_record
    from accord.tasks import lock, project_edit

    args.__dict__["upgrade"] = not args.names
    args.__dict__["upgrade_package"] = args.names
    project = context.project_dir()
    if args.dry_run or args.no_sync:
        outcome = lock.lock_project(
            project, python=args.python, settings=options.resolve_settings(args, context), check=False, dry_run=args.dry_run,
            reporter=context.reporter,
        )  # fmt: skip
        context.finish()
        show_lock(outcome, context)
        return 0
    locked, synced = project_edit.lock_and_sync(project, options.engine(args, context))
    context.finish()
    if context.json:
        context.emit({"lock": lock_record(locked), "sync": sync_record(synced)})
    else:
        show_lock(locked, context)
        show_sync(synced, context)
    return 0
