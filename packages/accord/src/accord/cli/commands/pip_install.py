"""``accord pip install``: resolve, and install into an environment."""

from __future__ import annotations

from accord.cli import options

HELP = "Install packages into an environment"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.cli.context import Context
    from accord.cli.parser import Args, Parser


def arguments(parser: Parser) -> None:
    parser.description = """Installs into the environment that is active, the nearest .venv, or the one --env names;
        never into the Python of the system. What is installed already stays if it fits. The change happens at once
        or not at all, and accord undo takes it back."""
    parser.examples = (
        ("accord pip install 'flask>=3' -c constraints.txt", "with constraints"),
        ("accord pip install -r requirements.txt --require-hashes", "only what has a hash"),
        ("accord pip install -e '.[dev]'", "this source tree, editable, with an extra"),
    )
    parser.argument(
        "requirements",
        metavar="REQUIREMENT",
        count="any",
        help="NAME, 'NAME>=2', NAME[extra], 'NAME @ URL', a path, a wheel, an sdist, a git+ URL",
    )
    parser.append(
        "-r",
        "--requirement",
        metavar="FILE",
        dest="files",
        aliases=("--requirements",),
        help="Install what FILE names (requirements format, pyproject.toml, pylock.toml)",
        complete="file",
    )
    parser.append(
        "-e",
        "--editable",
        metavar="PATH",
        help="Install the source tree at PATH so that changes to it are seen",
        complete="dir",
    )
    options.environment_options(parser)
    options.dry_run_option(parser)
    options.upgrade_options(parser)
    parser.flag("--require-hashes", help="Refuse packages without a hash in the requirement files")
    parser.value(
        "--report",
        metavar="FILE",
        help="Write what was done as JSON to FILE, the record --json prints (- is standard output)",
        complete="file",
    )
    options.selection_options(parser)
    options.install_options(parser)
    options.resolver_options(parser)
    options.index_options(parser)
    options.build_options(parser)


def run(args: Args, context: Context) -> int:
    from accord.cli.render import show_sync, sync_record
    from accord.tasks.install import install

    selection = options.selection(args)
    if not (args.requirements or args.files or args.editable or selection.groups or selection.only_groups):
        from accord_core.errors import UsageError

        raise UsageError("usage", "nothing to install", hint="name packages, or give -r FILE or -e PATH")
    outcome = install(
        args.requirements,
        files=args.files,
        editable=args.editable,
        env=context.environment(args.env),
        python=args.python,
        settings=options.resolve_settings(args, context),
        selection=selection,
        **options.install_arguments(args),
        dry_run=args.dry_run,
        reporter=context.reporter,
    )
    context.finish()
    if args.report == "-":
        context.emit(sync_record(outcome))
        return 0
    if args.report is not None:
        import json

        from accord.tasks.outcomes import write_report

        write_report(args.report, json.dumps(sync_record(outcome), indent=2) + "\n")
    show_sync(outcome, context)
    return 0
