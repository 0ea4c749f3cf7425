"""``accord pip uninstall``: remove packages from an environment."""

from __future__ import annotations

from accord.cli import options
from accord.tasks.settings import normal_names

HELP = "Remove packages from an environment"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.cli.context import Context
    from accord.cli.parser import Args, Parser


def arguments(parser: Parser) -> None:
    parser.description = (
        """Removes what is named and nothing else. It asks no question: accord undo takes it back."""
    )
    parser.examples = (("accord pip uninstall flask", "remove a package"),)
    parser.argument("names", metavar="NAME", count="any", help="The packages to remove")
    parser.append(
        "-r",
        "--requirement",
        metavar="FILE",
        dest="files",
        aliases=("--requirements",),
        help="Remove everything FILE names",
        complete="file",
    )
    parser.flag("-y", "--yes", help="Accepted for scripts written for pip: no question is asked anyway")
    options.environment_options(parser)
    options.dry_run_option(parser)


def run(args: Args, context: Context) -> int:
    from accord.cli.render import show_sync
    from accord.tasks.install import uninstall
    from accord.tasks.requirement_lines import names_in_files

    names = (*normal_names(args.names), *names_in_files(args.files, context.environ))
    if not names:
        from accord_core.errors import UsageError

        raise UsageError("usage", "nothing to remove", hint="name packages, or give -r FILE")
    outcome = uninstall(
        names,
        env=context.environment(args.env),
        dry_run=args.dry_run,
        reporter=context.reporter,
    )
    context.finish()
    if not outcome.changed:
        context.warn("none of them is installed")
    show_sync(outcome, context)
    return 0
