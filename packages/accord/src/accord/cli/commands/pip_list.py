"""``accord pip list``: what is installed."""

from __future__ import annotations

from accord.cli import options
from accord.tasks.settings import normal_names

HELP = "List what is installed"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.cli.context import Context
    from accord.cli.parser import Args, Parser


def arguments(parser: Parser) -> None:
    parser.argument(
        "pattern", metavar="PATTERN", count="optional", help="Only names that match, with * and ?"
    )
    parser.value(
        "--format", choices=("columns", "freeze", "json"), default="columns", help="The form of the list"
    )
    parser.append("--exclude", metavar="NAME", help="Leave NAME out")
    parser.flag("-e", "--editable", dest="editable", const=True, default=None, help="Only editable ones")
    parser.flag("--exclude-editable", dest="editable", const=False, default=None, help="No editable ones")
    parser.flag("--not-required", help="Only what nothing else here needs")
    parser.append(
        "--path", metavar="DIR", help="List what is in this folder instead of an environment", complete="dir"
    )
    options.environment_options(parser)


def run(args: Args, context: Context) -> int:
    import fnmatch

    from accord.cli.render import table
    from accord.tasks import inspect_env

    looked = context.look(args)
    found = inspect_env.listing(
        looked.installed,
        exclude=normal_names(args.exclude),
        editable=args.editable,
        not_required=args.not_required,
        environment=looked.markers,
    )
    if args.pattern:
        found = tuple(
            one for one in found if fnmatch.fnmatchcase(one.name, args.pattern.lower().replace("_", "-"))
        )
    if context.json or args.format == "json":
        context.emit(
            [
                {
                    "name": one.raw_name,
                    "version": one.version,
                    "location": one.location,
                    "installer": one.installer,
                    "editable_project_location": one.editable,
                }
                for one in found
            ]
        )
    elif args.format == "freeze":
        for one in found:
            context.out(f"{one.raw_name}=={one.version}")
    elif any(one.editable for one in found):
        rows = [(one.raw_name, one.version, one.editable or "") for one in found]
        for line in table(("Package", "Version", "Editable project location"), rows, context.paint):
            context.out(line)
    elif found:
        for line in table(
            ("Package", "Version"), [(one.raw_name, one.version) for one in found], context.paint
        ):
            context.out(line)
    return 0
