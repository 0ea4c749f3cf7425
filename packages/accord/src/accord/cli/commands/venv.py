"""``accord venv``: make a virtual environment."""

from __future__ import annotations

from accord.cli import options

HELP = "Create a virtual environment"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.cli.context import Context
    from accord.cli.parser import Args, Parser


def arguments(parser: Parser) -> None:
    parser.description = """Makes an environment like python -m venv does, without pip in it. One that is there
        already is kept with everything in it, unless --clear is given."""
    parser.examples = (
        ("accord venv", "in .venv, for the Python at hand"),
        ("accord venv --python 3.12 /srv/app/env", "elsewhere, for another Python"),
    )
    parser.argument(
        "path", metavar="DIR", count="optional", help="The folder (default: .venv)", complete="dir"
    )
    options.python_option(parser)
    parser.flag("--clear", aliases=("-c",), help="Empty the environment first")
    parser.flag(
        "--allow-existing",
        help="Accepted for scripts written for uv: an environment that is there is kept anyway",
    )
    parser.flag(
        "--system-site-packages", help="Let the environment see what is installed for the interpreter"
    )
    parser.value(
        "--prompt", metavar="TEXT", help="What the shell shows when it is active (default: the folder's name)"
    )
    parser.flag("--seed", help="Install pip into it")
    options.index_options(parser)


def run(args: Args, context: Context) -> int:
    import os

    from accord.cli.render import short_path
    from accord.tasks import environment

    folder = os.path.abspath(args.path or ".venv")
    interpreter = environment.make(
        folder,
        python=args.python,
        cache_dir=context.cache(),
        clear=args.clear,
        system_site_packages=args.system_site_packages,
        prompt=args.prompt,
        project=context.project,
        reporter=context.reporter,
    )
    if args.seed:
        from accord.tasks.install import install
        from accord.tasks.settings import Selection

        install(
            ("pip",),
            files=(),
            editable=(),
            env=folder,
            python=None,
            settings=options.resolve_settings(args, context),
            selection=Selection(),
            sealed=False,
            link_mode=None,
            compile_bytecode=False,
            reinstall=False,
            dry_run=False,
            reporter=context.reporter,
        )
    context.finish()
    if context.json:
        context.emit(
            {"environment": folder, "python": interpreter.base_executable, "version": interpreter.version}
        )
        return 0
    context.say(f"environment {short_path(folder)} for {interpreter.implementation} {interpreter.version}")
    context.say(f"activate it with: source {short_path(folder)}/bin/activate")
    return 0
