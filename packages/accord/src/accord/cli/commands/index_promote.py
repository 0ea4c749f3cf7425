"""``accord index promote``: a release goes from one index to another."""

from __future__ import annotations

HELP = "Let a release of one index be one of another as well"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.cli.context import Context
    from accord.cli.parser import Args, Parser


def arguments(parser: Parser) -> None:
    from accord.cli.index_options import server

    parser.description = """All files of the release appear in the other index at once, the very same bytes, which are not copied. It is refused where a name is used there for other bytes."""
    parser.examples = (
        ("accord index promote spam 1.2 --from dev --to prod", "what was tested is what is offered"),
    )
    parser.argument("name", metavar="PROJECT", help="A project of the first index")
    parser.argument("version", metavar="VERSION", help="A release of it")
    parser.value("--from", metavar="INDEX", dest="source", help="Where the release is")
    parser.value("--to", metavar="INDEX", dest="target", default="main", help="Where it is to be as well")
    server(parser)


def run(args: Args, context: Context) -> int:
    from accord.cli.index_options import located
    from accord.tasks import index_life
    from accord_core.errors import UsageError

    if args.source is None:
        raise UsageError("usage", "--from says which index has the release")
    record = index_life.promote(
        located(args), args.name, args.version, source=args.source, target=args.target
    )
    if context.json:
        context.emit(record)
    else:
        new = len(record["new"])
        context.out(
            f"{args.target}: {record['project']} {record['version']}, {new} new of {len(record['files'])} files"
            + (", waiting in quarantine" if record["waits"] else "")
        )
    return 0
