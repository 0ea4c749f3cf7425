"""``accord sync``: make an environment exactly what a lock says."""

from __future__ import annotations

from accord.cli import options

HELP = "Make an environment exactly what a lock says"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.cli.context import Context
    from accord.cli.parser import Args, Parser


def arguments(parser: Parser) -> None:
    parser.description = """Without --lock the project is locked if it needs to be, and its .venv becomes what the
        lock says: what is missing is added, what is not in the lock is removed. The change happens at once or not at
        all, and accord undo takes it back. When nothing has to change, nothing is asked of the network.

        With --lock FILE any pylock.toml is taken as it is."""
    parser.examples = (
        ("accord sync", "bring the project's environment up to date"),
        (
            "accord sync --locked --no-default-groups",
            "in CI: fail if the lock is not right, leave dev tools out",
        ),
        (
            "accord sync --lock pylock.toml --env /srv/app --sealed",
            "an immutable environment for a deployment",
        ),
    )
    parser.value(
        "--lock", metavar="FILE", help="The lock to follow, instead of the project's", complete="file"
    )
    options.environment_options(parser, "The environment (default: the project's .venv)")
    options.dry_run_option(parser)
    parser.flag("--locked", help="Fail with lock-outdated instead of changing the lock")
    parser.flag("--frozen", help="Take the lock as it is, without looking whether it is right")
    options.selection_options(parser)
    options.install_options(parser)
    options.upgrade_options(parser)
    options.resolver_options(parser)
    options.index_options(parser)
    options.build_options(parser)


def run(args: Args, context: Context) -> int:
    from accord.cli.render import show_sync
    from accord.tasks import sync

    how = {
        "python": args.python,
        "settings": options.resolve_settings(args, context),
        "selection": options.selection(args),
        **options.install_arguments(args),
        "dry_run": args.dry_run,
        "reporter": context.reporter,
    }
    if args.lock is not None:
        outcome = sync.sync_lock(args.lock, args.env or ".venv", **how)
    else:
        outcome = sync.sync_project(
            context.project_dir(), env=args.env, locked=args.locked, frozen=args.frozen, **how
        )
    context.finish()
    show_sync(outcome, context)
    return 0
