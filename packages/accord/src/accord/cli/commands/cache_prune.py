"""``accord cache prune``: remove what is not used."""

from __future__ import annotations

HELP = "Remove what has not been used for a while"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.cli.context import Context
    from accord.cli.parser import Args, Parser


def arguments(parser: Parser) -> None:
    parser.description = """Removes what was not used for a while: unpacked wheels, compiled files, environments of scripts and builds, sealed
        environments that nothing links to. Your own environments are not touched."""
    parser.examples = (
        ("accord cache prune --older-than '2 weeks'", "by age"),
        ("accord cache prune --max-size 2GB", "by size, the longest unused first; for a CI cache"),
    )
    parser.value(
        "--older-than",
        metavar="DURATION",
        convert=_duration,
        default=None,
        help="Not used for so long (default: 30 days, unless --max-size is given)",
    )
    parser.value("--max-size", metavar="SIZE", convert=_size, help="Leave at most so much: 500MB, 2GB")
    parser.flag("-n", "--dry-run", help="Say what would be removed, and remove nothing")


def _duration(text: str) -> float:
    from accord.tasks.instants import read_duration

    return float(read_duration(text))


def _size(text: str) -> int:
    units = {"": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "kib": 2**10, "mib": 2**20, "gib": 2**30}
    number = text.strip().rstrip("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
    unit = text.strip()[len(number) :].lower()
    if unit not in units:
        raise ValueError(f"{text!r} is not a size; write 500MB or 2GB")
    return int(float(number) * units[unit])


def run(args: Args, context: Context) -> int:
    from accord.cli.render import plural, size
    from accord.tasks.pruning import prune

    older = args.older_than
    if older is None and args.max_size is None:
        older = 30 * 86400.0
    pruned = prune(context.cache(), older_than=older, max_bytes=args.max_size, dry_run=args.dry_run)
    done = pruned.wheels
    if context.json:
        context.emit(
            {
                "environments": pruned.environments,
                "closures": pruned.closures,
                "compiled": pruned.compiled,
                "removed": done.removed,
                "removed_bytes": done.removed_bytes,
                "kept": done.kept,
                "kept_bytes": done.kept_bytes,
                "dry_run": args.dry_run,
            }
        )
    else:
        would = "would remove" if args.dry_run else "removed"
        for count, what in (
            (pruned.environments, "script or build environment"),
            (pruned.closures, "sealed environment"),
        ):
            if count:
                context.say(f"{would} {plural(count, what)}")
        if pruned.compiled:
            context.say(f"{would} the compiled files of {plural(pruned.compiled, 'wheel')}")
        context.say(
            f"{would} {plural(done.removed, 'wheel')} ({size(done.removed_bytes)}), "
            f"kept {done.kept} ({size(done.kept_bytes)})"
        )
    return 0
