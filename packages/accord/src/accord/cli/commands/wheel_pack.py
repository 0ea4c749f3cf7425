"""``accord wheel pack``: a folder into a wheel."""

from __future__ import annotations

HELP = "Make a wheel of an unpacked folder"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.cli.context import Context
    from accord.cli.parser import Args, Parser


def arguments(parser: Parser) -> None:
    parser.description = """RECORD is written anew; the name comes from the .dist-info folder and the tags of WHEEL. The
        same files give the same bytes wherever and whenever they are packed: members are sorted, modes are 0644 or
        0755, times are SOURCE_DATE_EPOCH or 1980. A wheel of the same name is replaced; the folder is only read."""
    parser.examples = (
        ("accord wheel pack spam-1.0", "a wheel here"),
        ("accord wheel pack spam-1.0 -o dist --build-number 1local", "another build of it"),
    )
    parser.argument("folder", metavar="DIR", help="The unpacked wheel", complete="dir")
    parser.value(
        "-o", "--output", metavar="DIR", default=".", aliases=("--dest-dir",),
        help="Where the wheel goes (default: here)", complete="dir",
    )  # fmt: skip
    parser.value("--build-number", metavar="TEXT", help="Set the build number; '' removes it")


def run(args: Args, context: Context) -> int:
    from accord.cli.render import plural, short_path
    from accord.tasks import wheel_files

    done = wheel_files.pack_folder(args.folder, args.output, build=args.build_number, environ=context.environ)
    if context.json:
        context.emit({"path": done.path, "files": done.files, "dropped": list(done.dropped)})
        return 0
    for path in done.dropped:
        context.warn(f"{path} was left out: it signed the old RECORD")
    context.out(short_path(done.path))
    context.say(plural(done.files, "file"))
    return 0
