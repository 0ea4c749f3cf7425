"""``accord wheel tags``: wheels under other tags."""

from __future__ import annotations

HELP = "Give wheels other tags"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.cli.context import Context
    from accord.cli.parser import Args, Parser


def arguments(parser: Parser) -> None:
    parser.description = """Writes each wheel under other tags beside it: WHEEL, RECORD and the name change, every other
        member keeps its bytes, mode and time. Each tag may be several, divided by dots; with + in front they are added
        to those there are, with - they are taken away. The names of the wheels are printed."""
    parser.examples = (
        ("accord wheel tags --python-tag py2.py3 spam-1.0-py3-none-any.whl", "for Python 2 as well"),
        (
            "accord wheel tags --platform-tag +musllinux_1_2_x86_64 --remove spam-1.0-py3-none-linux_x86_64.whl",
            "in its place",
        ),
    )
    parser.argument("files", metavar="FILE", count="some", help="The wheels", complete="file")
    parser.value("--python-tag", metavar="TAG", help="The Python tags")
    parser.value("--abi-tag", metavar="TAG", help="The ABI tags")
    parser.value("--platform-tag", metavar="TAG", help="The platform tags")
    parser.value(
        "--build", metavar="TEXT", aliases=("--build-number",), help="The build number; '' removes it"
    )
    parser.flag("--remove", help="Remove the old wheels")


def run(args: Args, context: Context) -> int:
    from accord.tasks import wheel_files

    wanted = wheel_files.Retagging(args.python_tag, args.abi_tag, args.platform_tag, args.build)
    done = wheel_files.retag_files(args.files, wanted, remove=args.remove)
    if context.json:
        context.emit([{"path": one.path, "changed": one.changed, "removed": one.removed} for one in done])
        return 0
    for one in done:
        context.out(one.path)
        if not one.changed:
            context.say(f"{one.path} has these tags already")
    return 0
