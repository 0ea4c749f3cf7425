"""``accord index change``: what an index says of itself."""

from __future__ import annotations

HELP = "Give an index another title, or other makers of projects"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.cli.context import Context
    from accord.cli.parser import Args, Parser


def arguments(parser: Parser) -> None:
    from accord.cli.index_options import server

    parser.description = (
        """Changes what is given. accord index visibility makes an index private or public."""
    )
    parser.examples = (
        ("accord index change main --creators users", "every user may make projects and own them"),
        ("accord index change main --new-projects private", "nobody sees one before its people say so"),
        ("accord index change team --title 'What the team builds'", "as pages show it"),
    )
    parser.argument("name", metavar="INDEX", help="The index")
    parser.value("--title", metavar="TEXT", help="What people read")
    parser.value(
        "--creators",
        choices=("admins", "uploaders", "users"),
        help="Who may make projects in it: admins, uploaders, users",
    )
    parser.value(
        "--new-projects",
        choices=("public", "private"),
        help="Who sees a project from its first file on: public, private; those there are stay as they are",
    )
    server(parser)


def run(args: Args, context: Context) -> int:
    from accord.cli.index_options import located
    from accord.tasks import index_people

    record = index_people.change_index(
        located(args), args.name, title=args.title, creators=args.creators, new_projects=args.new_projects
    )
    if context.json:
        context.emit(record)
    else:
        context.out(
            f"index {record['name']}: {record['title']} (projects are made by {record['creators']},"
            f" and {record['new_projects']} at first)"
        )
    return 0
