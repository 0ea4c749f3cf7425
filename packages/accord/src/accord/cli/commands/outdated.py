"""``accord outdated``: what has newer versions."""

from __future__ import annotations

from accord.cli import options

HELP = "Show which locked packages have newer versions"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.cli.context import Context
    from accord.cli.parser import Args, Parser


def arguments(parser: Parser) -> None:
    parser.description = """Asks the index for every locked package. Changes nothing; ends with status 0 also when
        something is outdated."""
    parser.examples = (("accord outdated", "then: accord upgrade"),)
    parser.argument("names", metavar="NAME", count="any", help="Look at these packages only")
    parser.value(
        "--lock", metavar="FILE", help="The lock to look into, instead of the project's", complete="file"
    )
    options.python_option(parser)
    parser.section("Resolver options")
    parser.value("--exclude-newer", metavar="WHEN", help="Do not see files uploaded after WHEN")
    parser.flag("--refresh", help="Ask the index again, whatever the cache holds")
    options.index_options(parser)


def run(args: Args, context: Context) -> int:
    from accord.cli.render import table
    from accord.tasks import inspect_lock, newest
    from accord.tasks.folders import lock_path
    from accord.tasks.settings import normal_names

    project = None if args.lock else context.project_dir()
    lock = inspect_lock.read_lock(args.lock if project is None else lock_path(project))
    source = newest.IndexNewest(
        project,
        table=None if project is None else inspect_lock.accord_table(project),
        python=args.python,
        settings=options.resolve_settings(args, context),
        reporter=context.reporter,
    )
    root = None if project is None else inspect_lock.project_node(project)
    try:
        found = inspect_lock.outdated(lock, root, source, names=normal_names(args.names))
    finally:
        source.close()
        context.finish()
    if context.json:
        context.emit([one.as_dict() for one in found])
    elif found:
        rows = [(one.name, one.locked, one.newest, one.asked or "") for one in found]
        for line in table(("Package", "Locked", "Newest", "Asked for"), rows, context.paint):
            context.out(line)
    else:
        context.say("everything is the newest there is")
    return 0
