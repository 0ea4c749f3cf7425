"""``accord cache size``: how much room the cache takes."""

from __future__ import annotations

HELP = "Show how much room the cache takes"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.cli.context import Context
    from accord.cli.parser import Args, Parser


def arguments(parser: Parser) -> None:
    parser.flag("--bytes", help="Print the number of bytes only")


def run(args: Args, context: Context) -> int:
    from accord.cli.render import size, table
    from accord.tasks import cache

    parts = cache.parts(context.cache())
    total = sum(part.octets for part in parts)
    if context.json:
        context.emit(
            {
                "path": context.cache(),
                "bytes": total,
                "parts": [
                    {"name": part.name, "holds": part.words, "bytes": part.octets, "files": part.files}
                    for part in parts
                ],
            }
        )
    elif args.bytes:
        context.out(str(total))
    else:
        rows = [(part.name, part.words, size(part.octets), str(part.files)) for part in parts]
        rows.append(("total", "", size(total), str(sum(part.files for part in parts))))
        for line in table(("Part", "Holds", "Size", "Files"), rows, context.paint):
            context.out(line)
    return 0
