"""``accord lock``: write a lock from the project, or from requirement files."""

from __future__ import annotations

from accord.cli import options

HELP = "Write pylock.toml from what the project asks for"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.cli.context import Context
    from accord.cli.parser import Args, Parser


def arguments(parser: Parser) -> None:
    parser.description = """Without FILES the project is locked: one file for all its extras and groups, in the
        standard form (PEP 751) that pip and uv install too. Versions that are locked already are kept while they
        fit. With FILES (requirements format, pyproject.toml) those are locked instead.

        --check changes nothing and fails with lock-outdated if the lock does not match what is asked."""
    parser.examples = (
        ("accord lock", "lock the project"),
        ("accord lock -P django", "with a newer django"),
        ("accord lock requirements.in -o pylock.toml", "lock a requirements file"),
    )
    parser.argument(
        "files",
        metavar="FILE",
        count="any",
        help="Requirement files to lock instead of the project",
        complete="file",
    )
    parser.value(
        "-o",
        "--output-file",
        metavar="FILE",
        aliases=("--output",),
        help="The lock to write (default: pylock.toml); - is standard output",
        complete="file",
    )
    parser.flag("--check", aliases=("--locked",), help="Only see whether the lock is right")
    parser.flag("-n", "--dry-run", help="Show what would change, and write nothing")
    options.python_option(parser)
    parser.flag("--universal", default=None, help="Lock for every platform and Python the project allows")
    parser.flag(
        "--no-universal",
        dest="universal",
        const=False,
        default=None,
        help="Lock for one interpreter on this platform",
    )
    options.upgrade_options(parser)
    options.selection_options(parser)
    options.resolver_options(parser)
    options.index_options(parser)
    options.build_options(parser)


def run(args: Args, context: Context) -> int:
    from accord.cli.render import show_lock
    from accord.tasks import lock

    settings = options.resolve_settings(args, context)
    if args.output_file == "-":
        return _print(args, context)
    if args.files or args.output_file:
        outcome = lock.lock_files(
            args.files or (context.project_file(),),
            output=args.output_file or "pylock.toml",
            python=args.python,
            settings=settings,
            selection=options.selection(args),
            check=args.check,
            dry_run=args.dry_run,
            reporter=context.reporter,
        )
    else:
        outcome = lock.lock_project(
            context.project_dir(),
            python=args.python,
            settings=settings,
            check=args.check,
            dry_run=args.dry_run,
            reporter=context.reporter,
        )
    context.finish()
    show_lock(outcome, context)
    return 0


def _print(args: Args, context: Context) -> int:
    """The lock on standard output; there is none that it could be compared with."""
    from accord.cli.render import say_for_pip
    from accord.tasks import lock
    from accord.tasks.settings import CompileOutput

    if args.check:
        from accord_core.errors import UsageError

        raise UsageError("usage", "--check compares with a file, and - is none", hint="name the lock with -o")
    outcome = lock.compile_requirements(
        args.files or (context.project_file(),),
        python=args.python,
        settings=options.resolve_settings(args, context),
        selection=options.selection(args),
        form=CompileOutput(format="pylock.toml"),
        output=None,
        reporter=context.reporter,
    )
    context.finish()
    if context.json:
        context.emit({"output": None, "packages": outcome.packages, "text": outcome.text})
    else:
        context.stdout.write(outcome.text)
    say_for_pip(outcome.lock, context)
    return 0
