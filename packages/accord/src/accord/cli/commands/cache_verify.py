"""``accord cache verify``: whether the store is what it was."""

from __future__ import annotations

HELP = "Check every stored wheel against its records"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.cli.context import Context
    from accord.cli.parser import Args, Parser


def arguments(parser: Parser) -> None:
    parser.description = """Reads every file of every unpacked wheel, and what was compiled of it. Ends with status 1 if one is not what it was."""
    parser.flag(
        "--repair", help="Throw damaged wheels away; they are fetched again when they are next wanted"
    )


def run(args: Args, context: Context) -> int:
    from accord.cli.render import plural
    from accord.tasks import cache

    faults = cache.verify(context.cache(), repair=args.repair)
    if context.json:
        context.emit(
            [
                {
                    "name": one.name,
                    "version": one.version,
                    "path": one.path,
                    "kind": one.kind,
                    "sha256": one.sha256,
                }
                for one in faults
            ]
        )
    else:
        for one in faults:
            context.out(f"{context.paint(one.kind, 'red')}: {one.name} {one.version}: {one.path}")
        context.say(f"{plural(len(faults), 'fault')} found" if faults else "the store is what it was")
    return 1 if faults and not args.repair else 0
