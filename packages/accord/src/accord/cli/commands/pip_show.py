"""``accord pip show``: details of installed packages."""

from __future__ import annotations

from accord.cli import options
from accord.tasks.settings import normal_names

HELP = "Show details of installed packages"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.cli.context import Context
    from accord.cli.parser import Args, Parser
    from accord.tasks.inspect_env import Details


def arguments(parser: Parser) -> None:
    parser.argument("names", metavar="NAME", count="some", help="The packages")
    parser.flag("-f", "--files", help="Show the files too")
    parser.append(
        "--path", metavar="DIR", help="Look into this folder instead of an environment", complete="dir"
    )
    options.environment_options(parser)


def run(args: Args, context: Context) -> int:
    from accord.tasks import inspect_env

    looked = context.look(args)
    found = []
    status = 0
    for name in normal_names(args.names):
        one = inspect_env.details(looked.installed, name, looked.markers, files=args.files)
        if one is None:
            context.warn(f"{name} is not installed")
            status = 1
        else:
            found.append(one)
    records = [_record(one, files=args.files) for one in found]
    if context.json:
        context.emit(records)
        return status
    for index, record in enumerate(records):
        if index:
            context.out("---")
        for key, value in record.items():
            if key == "Files":
                context.out("Files:")
                for line in value if isinstance(value, list) else ["Cannot locate RECORD"]:
                    context.out(f"  {line}")
            else:
                text = ", ".join(value) if isinstance(value, list) else str(value or "")
                context.out(f"{context.paint(key + ':', 'bold')} {text}".rstrip())
    return status


def _record(one: Details, *, files: bool) -> dict[str, object]:
    """The fields ``pip show`` prints, by the names it gives them."""
    record: dict[str, object] = {
        "Name": one.installed.raw_name,
        "Version": one.installed.version,
        "Summary": one.summary,
        "Home-page": one.homepage,
        "Author": one.author,
        "License": one.licence,
        "Location": one.installed.location,
    }
    if one.installed.editable:
        record["Editable project location"] = one.installed.editable
    record["Installer"] = one.installed.installer
    record["Requested"] = "yes" if one.installed.requested else "no"
    record["Requires"] = list(one.requires)
    record["Required-by"] = list(one.required_by)
    if files:
        record["Files"] = None if one.files is None else list(one.files)
    return record
