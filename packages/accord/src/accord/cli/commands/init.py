"""``accord init``: make a project."""

from __future__ import annotations

HELP = "Create a project: a library, an application or a script"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.cli.context import Context
    from accord.cli.parser import Args, Parser


def arguments(parser: Parser) -> None:
    parser.description = """Makes a project that locks and runs as it is. An application is run where it lies
        (main.py); --package makes one that is built and installed and has a command of its name; --lib something to
        import; --script one file with inline metadata (PEP 723)."""
    parser.examples = (
        ("accord init shop", "an application in a new folder"),
        ("accord init --lib", "a library in this folder"),
        ("accord init --script clean.py", "one file"),
    )
    parser.argument(
        "path", metavar="PATH", count="optional", help="The folder or script (default: here)", complete="dir"
    )
    parser.flag("--app", dest="kind", const="app", default="app", help="An application (the default)")
    parser.flag(
        "--package",
        dest="kind",
        const="package",
        default="app",
        help="An application that is built and installed",
    )
    parser.flag("--lib", dest="kind", const="lib", default="app", help="A library")
    parser.flag("--script", dest="kind", const="script", default="app", help="A script")
    parser.flag("--bare", help="Write pyproject.toml only")
    parser.value("--name", metavar="NAME", help="The name (default: the folder's)")
    parser.value("--description", metavar="TEXT", default="", help="What it is, in a line")
    parser.value(
        "--build-backend",
        choices=("accord", "flit", "hatchling", "setuptools"),
        default="accord",
        help="What builds it",
    )
    parser.value(
        "-p", "--python", metavar="VERSION", help="The lowest Python it runs on (default: the one found here)"
    )


def run(args: Args, context: Context) -> int:
    from accord.cli.render import short_path
    from accord.tasks import init
    from accord_core.errors import UsageError

    python = args.python or init.default_python(context.cache())
    if args.kind == "script":
        if args.path is None:
            raise UsageError("usage", "--script needs a PATH", hint="accord init --script hello.py")
        outcome = init.init_script(args.path, python=python)
    else:
        outcome = init.init_project(
            args.path or ".",
            name=args.name,
            kind=args.kind,
            python=python,
            description=args.description,
            bare=args.bare,
            backend=args.build_backend,
        )
    if context.json:
        context.emit({"name": outcome.name, "path": outcome.path, "written": list(outcome.written)})
        return 0
    for path in outcome.written:
        context.say(f" {context.paint_error('+', 'green')} {short_path(path)}")
    if args.kind == "script":
        context.say(f"next: accord run {short_path(outcome.path)}")
    else:
        where = short_path(outcome.path)
        context.say("next: " + ("" if where == "." else f"cd {where} && ") + "accord add NAME")
    return 0
