"""``accord index fsck``: whether rows and files are what they say."""

from __future__ import annotations

HELP = "Look whether a server is sound, and repair it"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.cli.context import Context
    from accord.cli.parser import Args, Parser


def arguments(parser: Parser) -> None:
    from accord.cli.index_options import server

    parser.description = """Holds rows, files, names and serials against each other, and reads every file. Ends with status 1 if there is a fault
        that was not repaired. The server may be serving meanwhile."""
    parser.examples = (
        ("accord index fsck", "look at everything"),
        ("accord index fsck --repair", "put right what can be"),
        ("accord index fsck --sizes-only", "without reading the files"),
    )
    parser.flag("--repair", help="Put right what can be put right without guessing")
    parser.flag("--sizes-only", help="Do not read the files, only look whether they are there")
    parser.value(
        "--grace",
        metavar="SECONDS",
        default=86400,
        convert=_seconds,
        help="How long a file may lie there before a row points at it (default: a day)",
    )
    server(parser)


def run(args: Args, context: Context) -> int:
    from accord.cli.index_options import located
    from accord.cli.render import plural
    from accord.tasks import index_upkeep

    faults = index_upkeep.fsck(
        located(args),
        repair=args.repair,
        digests=not args.sizes_only,
        grace=float(args.grace),
        tell=lambda _: None,
    )
    if context.json:
        context.emit({"faults": faults})
    else:
        for one in faults:
            state = context.paint("repaired", "green") if one["repaired"] else context.paint("fault", "red")
            context.out(f"{state}: {one['code']}: {one['subject']}: {one['words']} ({one['remedy']})")
        context.say(f"{plural(len(faults), 'fault')} found" if faults else "the index is what it says")
    return 1 if any(not one["repaired"] for one in faults) else 0


def _seconds(text: str) -> int:
    if not text.isdigit():
        raise ValueError(f"{text!r} is no number of seconds")
    return int(text)
