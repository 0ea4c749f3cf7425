"""``accord index create``: a new index."""

from __future__ import annotations

HELP = "Create an index"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.cli.context import Context
    from accord.cli.parser import Args, Parser


def arguments(parser: Parser) -> None:
    from accord.cli.index_options import server

    parser.description = """Makes an index that answers under its name at once. A private one is read by users with a role in it only."""
    parser.examples = (
        ("accord index create team --private --base main", "looks in main for what it does not have"),
        ("accord index create staging --creators users", "every user may make projects"),
        (
            "accord index create cache --upstream default",
            "has what your default index has, and keeps what is asked for",
        ),
    )
    parser.argument("name", metavar="INDEX", help="Its name, also in addresses")
    parser.value("--title", metavar="TEXT", default="", help="What people read")
    parser.flag("--private", help="Only users with a role in it read it")
    parser.append(
        "--base", metavar="INDEX", dest="bases", help="Look there for what it lacks (repeatable, in order)"
    )
    parser.value(
        "--creators",
        choices=("admins", "uploaders", "users"),
        default="uploaders",
        help="Who may make projects in it: admins, uploaders, users",
    )
    parser.value(
        "--new-projects",
        choices=("public", "private"),
        default="public",
        help="Who sees a project from its first file on: public, private",
    )
    parser.value(
        "--upstream",
        metavar="URL",
        help="It has what this index has, fetched when asked for; 'default': the one configured for you",
    )
    server(parser)


def run(args: Args, context: Context) -> int:
    from accord.cli.index_options import located
    from accord.tasks import index_people, index_upstream
    from accord_core.errors import UsageError

    if args.upstream is None:
        record = index_people.create_index(
            located(args),
            args.name,
            title=args.title,
            public=not args.private,
            bases=args.bases,
            creators=args.creators,
            new_projects=args.new_projects,
        )
    elif args.bases:
        raise UsageError("usage", "an index has an upstream or bases: make a second one that builds on both")
    else:
        record = index_upstream.create_upstream(
            located(args), args.name, args.upstream, title=args.title, public=not args.private, rules={}
        )
    if context.json:
        context.emit(record)
    else:
        context.out(f"index {record['name']}: /{record['name']}/simple/")
    return 0
