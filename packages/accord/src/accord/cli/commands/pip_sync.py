"""``accord pip sync``: make an environment exactly what compiled files say."""

from __future__ import annotations

from accord.cli import options

HELP = "Make an environment exactly what the files say"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.cli.context import Context
    from accord.cli.parser import Args, Parser


def arguments(parser: Parser) -> None:
    parser.description = """Takes compiled files: requirements.txt with every package pinned, or pylock.toml. What they
        do not name is removed from the environment."""
    parser.examples = (("accord pip sync requirements.txt", "what pip-sync and uv pip sync do"),)
    parser.argument(
        "files", metavar="FILE", count="some", help="requirements.txt or pylock.toml files", complete="file"
    )
    options.environment_options(parser)
    options.dry_run_option(parser)
    parser.flag("--require-hashes", help="Refuse packages without a hash")
    options.selection_options(parser)
    options.install_options(parser)
    options.resolver_options(parser)
    options.index_options(parser)
    options.build_options(parser)


def run(args: Args, context: Context) -> int:
    from accord.cli.render import show_sync
    from accord.tasks import sync

    outcome = sync.sync_requirements(
        args.files,
        context.environment(args.env),
        python=args.python,
        settings=options.resolve_settings(args, context),
        selection=options.selection(args),
        **options.install_arguments(args),
        dry_run=args.dry_run,
        reporter=context.reporter,
    )
    context.finish()
    show_sync(outcome, context)
    return 0
