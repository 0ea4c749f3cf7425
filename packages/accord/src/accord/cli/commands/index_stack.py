"""``accord index stack``: what an index builds on."""

from __future__ import annotations

HELP = "Say on which indexes one builds, and which names it mixes"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.cli.context import Context
    from accord.cli.parser import Args, Parser


def arguments(parser: Parser) -> None:
    from accord.cli.index_options import server

    parser.description = """A name belongs to the first index that has it: the index itself, then those it builds on, in order. Only of names that are listed with --mix the files of all of them are offered together. What is given takes the place of what was; nothing given, nothing changed."""
    parser.examples = (
        ("accord index stack team --on company", "what team does not have, company has"),
        ("accord index stack team --on-nothing", "team alone"),
        ("accord index stack team --mix numpy", "own builds of numpy beside the others"),
    )
    parser.argument("name", metavar="INDEX", help="The index")
    parser.append("--on", metavar="INDEX", dest="bases", help="Build on this index (repeatable, in order)")
    parser.flag("--on-nothing", help="Build on no other")
    parser.append("--mix", metavar="NAME", help="Offer files of this name from all of them (repeatable)")
    parser.flag("--mix-nothing", help="Mix no name")
    server(parser)


def run(args: Args, context: Context) -> int:
    from accord.cli.index_options import located
    from accord.tasks import index_life

    bases = () if args.on_nothing else tuple(args.bases) or None
    mix = () if args.mix_nothing else tuple(args.mix) or None
    record = index_life.set_stack(located(args), args.name, bases=bases, mix=mix)
    if context.json:
        context.emit(record)
    else:
        mixed = f" (mixes {', '.join(record['mix'])})" if record["mix"] else ""
        context.out(f"{args.name} builds on {', '.join(record['bases']) or 'nothing'}{mixed}")
    return 0
