"""``accord init``: make a project."""

from __future__ import annotations

HELP = "Create a project: a library, a program, an extension, a script"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.cli.context import Context
    from accord.cli.parser import Args, Parser
    from accord.tasks.init import Author


def arguments(parser: Parser) -> None:
    parser.description = """Makes a project that locks and runs as it is. An application is run where it lies
        (main.py); --package makes one that is built and installed and has a command of its name; --lib something to
        import; --extension a module in C; --script one file with inline metadata (PEP 723). Files that are there are
        left as they are.

        What others are to build on (--lib, --extension) gets the MIT licence unless --license says otherwise,
        programs get none. The author of what is built is the one git would write."""
    parser.examples = (
        ("accord init shop", "an application in a new folder"),
        ("accord init --lib", "a library in this folder"),
        ("accord init --extension fastspam --license Apache-2.0", "a module in C, under another licence"),
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
    parser.flag("--extension", dest="kind", const="extension", default="app", help="An extension module in C")
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
        "--license",
        choices=("MIT", "Apache-2.0", "BSD-3-Clause", "MPL-2.0", "none"),
        help="The licence; its text is written to LICENSE",
    )
    parser.append("--author", metavar="'NAME <MAIL>'", help="An author (default: from git's configuration)")
    parser.flag("--no-author", help="Name no author")
    parser.value(
        "--vcs",
        choices=("git", "none"),
        help="With git, make a repository too; with none, write no .gitignore",
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
            licence=args.license,
            authors=_authors(args, context),
            vcs=args.vcs,
            environ=context.environ,
        )
    if context.json:
        context.emit(
            {
                "name": outcome.name,
                "path": outcome.path,
                "written": list(outcome.written),
                "license": outcome.licence,
                "repository": outcome.repository,
            }
        )
        return 0
    for path in outcome.written:
        context.say(f" {context.paint_error('+', 'green')} {short_path(path)}")
    if outcome.repository:
        context.say("a git repository")
    if outcome.licence and not args.license:
        context.say(f"licence: {outcome.licence} (--license chooses another, or none)")
    if args.kind == "script":
        context.say(f"next: accord run {short_path(outcome.path)}")
    else:
        where = short_path(outcome.path)
        context.say("next: " + ("" if where == "." else f"cd {where} && ") + "accord add NAME")
    return 0


def _authors(args: Args, context: Context) -> tuple[Author, ...]:
    """Those that are named, else git's for what is built, else none."""
    from accord.tasks import init
    from accord_core.errors import UsageError

    if args.author and args.no_author:
        raise UsageError("usage", "--author and --no-author contradict each other")
    if args.author:
        return tuple(init.parse_author(text) for text in args.author)
    if args.no_author or args.kind == "app":
        return ()
    found = init.author_of_git(args.path or ".", context.environ)
    return () if found is None else (found,)
