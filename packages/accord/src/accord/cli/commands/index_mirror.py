"""``accord index mirror``: what an upstream index takes, fetched."""

from __future__ import annotations

HELP = "Say what an index takes of its upstream, and fetch it"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.cli.context import Context
    from accord.cli.parser import Args, Parser


def arguments(parser: Parser) -> None:
    from accord.cli.index_options import attestation_roots, server

    parser.description = """Gives an index with an upstream rules, which are kept, and fetches what they let through. Without rules
        it fetches what the ones it has let through. What the rules leave out is not served either, also if it is here
        already. A run that was ended goes on where it was."""
    parser.examples = (
        (
            "accord index mirror cache --name numpy --name 'zope-*' --newest 3",
            "the three newest versions of these",
        ),
        ("accord index mirror cache --lock pylock.toml", "what a lock names, and nothing else"),
        ("accord index mirror cache --every '6 hours' --no-fetch", "the server does it, again and again"),
        (
            "accord index mirror cache --requirements reqs.txt --newest 1 --no-sdists",
            "with everything they need",
        ),
        ("accord index mirror cache --block 'spam==6.6.6' --reason malware --no-fetch", "never serve this"),
    )
    parser.argument("name", metavar="INDEX", help="An index with an upstream")
    parser.section("What it takes")
    parser.append("--name", metavar="NAME", dest="names", help="This project, or 'zope-*' (repeatable)")
    parser.append("--only", metavar="SPEC", dest="only", help="Only these versions: 'numpy>=2' (repeatable)")
    parser.append(
        "--platform",
        metavar="TAG",
        dest="platforms",
        help="Wheels for it: 'any', 'manylinux*_x86_64' (repeatable)",
    )
    parser.value("--newest", metavar="N", convert=_number, help="The newest N versions of each project")
    parser.value(
        "--cooldown", metavar="DAYS", convert=_days, help="Only files that are older than so many days"
    )
    parser.append(
        "--lock",
        metavar="FILE",
        dest="locks",
        help="What this pylock.toml names (repeatable)",
        complete="file",
    )
    parser.append(
        "--requirements",
        metavar="FILE",
        dest="requirements",
        help="What these need, and what that needs (repeatable)",
        complete="file",
    )
    parser.flag("--no-sdists", help="Wheels only")
    parser.append(
        "--block",
        metavar="WHAT",
        dest="blocks",
        help="Never this: NAME, 'NAME==1.0', 'evil-*' or a file name (repeatable)",
    )
    parser.append(
        "--unblock", metavar="NAME", dest="unblocks", help="Take back the blocks of a project (repeatable)"
    )
    parser.value("--reason", metavar="TEXT", default="", help="Why it is blocked, for whoever asks for it")
    parser.flag("--anew", help="Forget the rules there are")
    parser.section("What is done")
    parser.value(
        "--every",
        metavar="DURATION",
        help="The server does it again every '6 hours', PT30M ...; 'never': no more",
    )
    parser.flag("--dry-run", help="Say what would be fetched; keep no rules")
    parser.flag("--no-fetch", help="Keep the rules and fetch nothing")
    parser.value(
        "--connections", metavar="N", default=4, convert=_number, help="So many at a time (default: 4)"
    )
    server(parser)
    attestation_roots(parser, "Its trusted root, if it holds attestations against one")


def _number(text: str) -> int:
    if not text.isdigit() or not 0 < int(text) <= 1000:
        raise ValueError(f"{text!r} is no number from 1 to 1000")
    return int(text)


def _days(text: str) -> float:
    try:
        found = float(text)
    except ValueError:
        found = -1.0
    if not 0 <= found <= 3650:
        raise ValueError(f"{text!r} is no number of days")
    return found


def run(args: Args, context: Context) -> int:
    from accord.cli.index_options import located
    from accord.tasks import index_upstream

    wanted = index_upstream.Wanted(
        names=tuple(args.names),
        only=tuple(args.only),
        platforms=tuple(args.platforms),
        newest=args.newest,
        cooldown=args.cooldown,
        locks=tuple(args.locks),
        requirements=tuple(args.requirements),
        blocks=tuple(args.blocks),
        unblocks=tuple(args.unblocks),
        reason=args.reason,
        sdists=False if args.no_sdists else None,
    )
    record = index_upstream.mirror(
        located(args, args.attestation_roots),
        args.name,
        wanted,
        anew=args.anew,
        fetch=not args.no_fetch,
        dry_run=args.dry_run,
        every=args.every,
        connections=args.connections,
        report=context.reporter.note,
    )
    if context.json:
        context.emit(record)
        return 1 if record.get("failed") else 0
    if "rules" in record:
        context.out("the rules are kept")
        return 0
    verb = "would be fetched" if record["dry_run"] else "fetched"
    context.out(
        f"{record['projects']} projects, {record['files']} files; {record['fetched']} {verb}"
        f" ({record['fetched_bytes']:,} bytes)"
    )
    for reason, count in sorted(record["withheld"].items()):
        context.out(f"  {count} left out: {reason}")
    for what, reason in sorted({**record["unknown"], **record["failed"]}.items()):
        context.out(f"  {what}: {reason}")
    return 1 if record["failed"] else 0
