"""``accord wheel unpack``: a wheel into a folder."""

from __future__ import annotations

HELP = "Unpack a wheel into a folder, verified"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.cli.context import Context
    from accord.cli.parser import Args, Parser


def arguments(parser: Parser) -> None:
    parser.description = """Makes the folder NAME-VERSION with every file of the wheel, each verified against RECORD; if
        one is not right there is no folder at all. accord wheel pack makes a wheel of the folder again."""
    parser.examples = (
        ("accord wheel unpack spam-1.0-py3-none-any.whl", "into ./spam-1.0"),
        ("accord wheel unpack spam-1.0-py3-none-any.whl -d /tmp", "into /tmp/spam-1.0"),
    )
    parser.argument("file", metavar="FILE", help="The wheel", complete="file")
    parser.value(
        "-d",
        "--dest",
        metavar="DIR",
        default=".",
        help="The folder to make NAME-VERSION in (default: here)",
        complete="dir",
    )


def run(args: Args, context: Context) -> int:
    from accord.cli.render import plural, short_path, size
    from accord.tasks import wheel_files

    done = wheel_files.unpack_file(args.file, args.dest)
    if context.json:
        context.emit({"folder": done.folder, "files": done.files, "bytes": done.size})
    else:
        context.out(short_path(done.folder))
        context.say(f"{plural(done.files, 'file')}, {size(done.size)}, as RECORD describes them")
    return 0
