"""``accord migrate``: from other tools' descriptions of a project to ``pyproject.toml``."""

from __future__ import annotations

from accord.cli import options

HELP = "Write pyproject.toml from setup.py, Poetry and other formats"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from accord.cli.context import Context
    from accord.cli.parser import Args, Parser
    from accord.tasks.migrating import Migrated

KINDS = (
    "setuptools", "poetry", "flit", "pdm", "pipenv", "requirements", "uv", "conda", "bento", "buildout",
)  # fmt: skip
OUTGROWN = ("meson-python", "scikit-build-core")


def arguments(parser: Parser) -> None:
    parser.description = """Reads what describes the project in DIR (setup.py without running it, setup.cfg,
        requirements files, Poetry, Flit, PDM, Pipenv, uv.lock, environment.yml, bento.info, buildout.cfg), writes
        pyproject.toml, and pylock.toml where there was a lock, keeps comments, and reports what could not be carried
        over and what to do about it. The old files stay unless --remove-old.

        The build backend becomes accord's where it can describe everything the old build does; else the old one stays,
        and the reason is told. --check builds a wheel before and after, and compares their files and metadata.

        A project whose extension modules outgrow accord's description goes on with --to meson-python or
        --to scikit-build-core: their files are written from it."""
    parser.examples = (
        ("accord migrate --dry-run", "see what would be written"),
        ("accord migrate --check", "write it, and prove that the wheel stays the same"),
        ("accord migrate --to keep", "standard tables, the build backend as it is"),
        ("accord migrate --to meson-python", "the description has become too small"),
    )
    parser.argument(
        "path", metavar="DIR", count="optional", help="The project's folder (default: here)", complete="dir"
    )
    parser.value(
        "--from", metavar="KIND", dest="kind", choices=KINDS, help="Read this kind of description only"
    )
    parser.value(
        "--to",
        choices=("accord", "keep", *OUTGROWN),
        default="accord",
        help="The build backend: accord's, the one there is, or from accord's to one for larger builds",
    )
    parser.value(
        "--backend",
        choices=("accord", "flit", "hatchling", "setuptools"),
        help="This backend, even where it cannot do all the old one did",
    )
    parser.flag("--check", help="Build before and after, and compare; 1 if something differs that should not")
    parser.flag("--strict", help="Fail if something could not be carried over")
    parser.flag(
        "--lock",
        help="Lock the versions of an old lock that does not say where its files are; refuse files that are not what they were",
    )
    parser.flag("--only-locked-files", help="With --lock: leave out files that the old lock did not know")
    parser.flag("--remove-old", help="Delete the old files that are carried over whole")
    parser.flag("--run-setup", default=None, help="Run setup.py where reading it is not enough")
    parser.flag(
        "--no-run-setup", dest="run_setup", const=False, default=None, help="Never run it, and do not ask"
    )
    options.dry_run_option(parser)
    options.python_option(parser)
    options.index_options(parser)
    options.build_options(parser)
    parser.append(
        "-b",
        "--build-constraint",
        metavar="FILE",
        dest="build_constraints",
        help="What the old build needs must meet FILE (setuptools<72)",
        complete="file",
    )


def run(args: Args, context: Context) -> int:
    from accord.tasks import migrating

    outcome = migrating.migrate_folder(
        args.path or ".",
        migrating.Options(
            kind=args.kind,
            backend=args.backend,
            keep=args.to == "keep" and args.backend is None,
            outgrown=args.to if args.to in OUTGROWN else None,
            run_setup=args.run_setup,
            dry_run=args.dry_run,
            remove_old=args.remove_old,
            lock=args.lock or args.only_locked_files,
            only_locked_files=args.only_locked_files,
            check=args.check,
        ),
        settings=options.resolve_settings(args, context),
        python=args.python,
        reporter=context.reporter,
        ask=_ask(context),
    )
    context.finish()
    if context.json:
        context.emit(outcome.as_dict())
    else:
        _show(outcome, context, dry_run=args.dry_run)
    faults = [each for each in outcome.differences or () if each.reason is None]
    return 1 if faults or (args.strict and outcome.leftovers) else 0


def _ask(context: Context) -> Callable[[str], bool] | None:
    """How to ask the person at the terminal, None where nobody sits there."""
    import sys

    if context.json or context.quiet or not (sys.stdin.isatty() and context.stderr.isatty()):
        return None

    def ask(question: str) -> bool:
        context.finish()
        context.stderr.write(f"{question} [y/N] ")
        context.stderr.flush()
        return sys.stdin.readline().strip().lower() in ("y", "yes")

    return ask


def _show(outcome: Migrated, context: Context, *, dry_run: bool) -> None:
    """The report; with ``dry_run`` the result is the text itself, and the report is about it."""
    tell = context.say if dry_run else context.out
    for path, text in sorted(outcome.written.items()):
        if dry_run:
            context.stdout.write(text if len(outcome.written) == 1 else f"# {path}\n{text}\n")
        else:
            context.say(f" {context.paint_error('+', 'green')} {path}")
    for path in outcome.removed:
        context.say(f" {context.paint_error('-', 'red')} {path}")
    tell(f"from {', '.join(outcome.kinds)}; built by {outcome.backend}")
    for reason in outcome.reasons:
        tell(f"  not by accord: {reason}" if outcome.backend != "accord" else f"  not the same: {reason}")
    if outcome.kept:
        tell(f"kept: {', '.join(outcome.kept)}")
    if outcome.leftovers:
        tell(f"not carried over ({len(outcome.leftovers)}):")
    for left in outcome.leftovers:
        tell(f"  {left.where}: {left.what}")
        tell(f"      {left.why}; {left.todo}")
    for note in outcome.notes:
        tell(f"lock: {note}")
    _show_differences(outcome, tell)


def _show_differences(outcome: Migrated, tell: Callable[[str], None]) -> None:
    if outcome.differences is None:
        return
    faults = [each for each in outcome.differences if each.reason is None]
    meant = [each for each in outcome.differences if each.reason is not None]
    same = "the wheel has the same files and metadata"
    tell(
        f"checked: {same}{', but for what was meant' if meant else ''}"
        if not faults
        else "checked: the wheel differs"
    )
    for each in (*faults, *meant):
        tell(
            f"  {each.what}: {each.old or 'nothing'} -> {each.new or 'nothing'}"
            + (f" ({each.reason})" if each.reason else "")
        )
