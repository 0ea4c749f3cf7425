"""``accord cache clean``: remove the cache."""

from __future__ import annotations

HELP = "Remove the whole cache, or what it holds of some packages"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.cli.context import Context
    from accord.cli.parser import Args, Parser


def arguments(parser: Parser) -> None:
    parser.description = """Private environments go on working: they have links or copies of their own. Sealed ones live
        in the cache and are gone with it; accord sync makes them again."""
    parser.argument(
        "names", metavar="NAME", count="any", help="Remove only the unpacked wheels of these packages"
    )
    parser.flag("-n", "--dry-run", help="Say what would be removed, and remove nothing")


def run(args: Args, context: Context) -> int:
    from accord.cli.render import plural, size
    from accord.tasks import cache
    from accord.tasks.settings import normal_names

    would = "would remove" if args.dry_run else "removed"
    if args.names:
        gone = cache.remove_packages(context.cache(), normal_names(args.names), dry_run=args.dry_run)
        if context.json:
            context.emit({"removed": [{"name": name, "version": version} for name, version in gone]})
        else:
            for name, version in gone:
                context.say(f" {context.paint_error('-', 'red')} {name} {version}")
            context.say(f"{would} {plural(len(gone), 'wheel')}")
        return 0
    done = cache.clean(context.cache(), dry_run=args.dry_run)
    if context.json:
        context.emit({"path": context.cache(), "removed_bytes": done.octets, "removed_files": done.files})
    else:
        context.say(f"{would} {plural(done.files, 'file')} ({size(done.octets)}) in {context.cache()}")
    return 0
