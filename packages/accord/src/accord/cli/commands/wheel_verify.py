"""``accord wheel verify``: wheels against their RECORD and their names."""

from __future__ import annotations

HELP = "Check wheels against their RECORD, file by file"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.cli.context import Context
    from accord.cli.parser import Args, Parser


def arguments(parser: Parser) -> None:
    parser.description = """Reads every file of each wheel: its size, its checksum and the digest RECORD has for it; that
        nothing is unlisted or missing; that the names and tags of the file, WHEEL and METADATA agree; that the archive
        can be read in one way only. Every fault is shown. Ends with status 1 if there is one."""
    parser.examples = (
        ("accord wheel verify dist/spam-1.0-py3-none-any.whl", "one wheel"),
        ("accord wheel verify --json dist/spam-1.0-py3-none-any.whl", "for a program"),
    )
    parser.argument("files", metavar="FILE", count="some", help="The wheels", complete="file")
    parser.append(
        "--require-hash",
        metavar="sha256:HEX",
        help="The file itself must have this digest; repeated: one of these",
    )


def run(args: Args, context: Context) -> int:
    from accord.cli.render import plural, size
    from accord.tasks import wheel_files

    found = wheel_files.verify_files(args.files, require=args.require_hash)
    bad = sum(1 for one in found if one.faults)
    if context.json:
        context.emit([one.as_dict() for one in found])
        return 1 if bad else 0
    for one in found:
        if not one.faults:
            context.out(
                f"{context.paint('ok', 'green')} {one.path}: {plural(one.files, 'file')}, {size(one.size)}"
            )
            continue
        context.out(f"{context.paint('bad', 'red', 'bold')} {one.path}: {plural(len(one.faults), 'fault')}")
        for fault in one.faults:
            context.out(f"    [{fault.code}] {fault.message}")
    return 1 if bad else 0
