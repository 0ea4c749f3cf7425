"""``accord index namespace reserve``: names that begin alike are kept for somebody."""

from __future__ import annotations

HELP = "Keep the names that begin alike for one owner"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.cli.context import Context
    from accord.cli.parser import Args, Parser


def arguments(parser: Parser) -> None:
    from accord.cli.index_options import server

    parser.description = """Afterwards nobody but the owner makes a project of the name, or of a name that begins with it and a dash (PEP 752). Projects that are there already stay."""
    parser.examples = (("accord index namespace reserve main acme grace", "acme and acme-* are grace's"),)
    parser.argument("index", metavar="INDEX", help="The index")
    parser.argument("prefix", metavar="NAMESPACE", help="What the names begin with")
    parser.argument("user", metavar="USER", help="Whose it is to be")
    parser.flag("--open", dest="shared", help="Others may make projects in it all the same")
    server(parser)


def run(args: Args, context: Context) -> int:
    from accord.cli.index_options import located
    from accord.tasks import index_life

    record = index_life.reserve_namespace(
        located(args), args.index, args.prefix, args.user, shared=args.shared
    )
    if context.json:
        context.emit(record)
    else:
        context.out(f"{args.index}: {record['namespace']} is {record['owner']}'s")
    return 0
