"""``accord run``: a command in the project environment, or a script in its own."""

from __future__ import annotations

from accord.cli import options

HELP = "Run a command or a script in its environment"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.cli.context import Context
    from accord.cli.parser import Args, Parser
    from accord.tasks.project import LoadedScript


def arguments(parser: Parser) -> None:
    parser.description = """In a project, its environment is brought up to date first (nothing is asked of the network
        when nothing has to change). A script with inline metadata (PEP 723) runs in a sealed environment of its own,
        outside any project. The program takes Accord's place: signals and exit status are its own.

        Options of accord run stand before the command; everything after its first word belongs to the command."""
    parser.examples = (
        ("accord run pytest -q", "a tool of the project"),
        ("accord run hello.py", "a script; its dependencies are made ready first"),
        ("accord run --with rich python", "with a package the project does not ask for"),
    )
    parser.argument("command", metavar="COMMAND", count="rest", help="The command and its arguments")
    parser.flag("-m", "--module", help="COMMAND is a module: run python -m COMMAND")
    parser.flag("-s", "--script", help="COMMAND is a Python script, whatever its name")
    parser.append(
        "-w",
        "--with",
        metavar="REQUIREMENT",
        dest="with_requirements",
        help="Run with this package as well; may be repeated",
    )
    parser.append(
        "--with-requirements",
        metavar="FILE",
        dest="with_files",
        help="Run with what FILE names as well",
        complete="file",
    )
    parser.flag("--no-sync", help="Take the environment as it is")
    parser.flag("--locked", help="Fail with lock-outdated instead of changing the lock")
    parser.flag("--frozen", help="Take the lock as it is, without looking whether it is right")
    parser.flag("--no-project", aliases=("--isolated",), help="Do not look for a project")
    options.environment_options(parser, "The environment (default: the project's .venv)")
    options.upgrade_options(parser)
    options.selection_options(parser)
    options.resolver_options(parser)
    options.index_options(parser)
    options.build_options(parser)


def run(args: Args, context: Context) -> int:
    from accord.tasks import run

    words = list(args.command)
    if not words:
        from accord_core.errors import UsageError

        raise UsageError("usage", "COMMAND is missing", hint="accord run python starts an interpreter")
    if args.module:
        words = ["python", "-m", *words]
    elif args.script:
        words = ["python", *words]
    env, base = _environment(args, context)
    program, line = run.resolve_program(words, env, context.environ, base=base)
    context.finish()
    run.replace_process(program, line, run.environment_variables(env, context.environ))


def _environment(args: Args, context: Context) -> tuple[str, str | None]:
    """The folder of the environment to run in, made ready, and the one it lies over."""
    from accord.tasks import run

    first = args.command[0]
    if (args.script or run.is_script(first)) and not args.module:
        from accord.tasks.project import load_script

        script = load_script(first)
        if script is not None:
            return _made(args, context, None, script), None
    base = None if args.no_project else _base(args, context)
    if base is not None and not (args.with_requirements or args.with_files):
        return base, None
    return _made(args, context, base), base


def _made(args: Args, context: Context, base: str | None, script: LoadedScript | None = None) -> str:
    from accord.tasks.overlay import run_environment

    return run_environment(
        args.with_requirements,
        files=args.with_files,
        base_env=base,
        python=args.python,
        script=script,
        settings=options.resolve_settings(args, context),
        reporter=context.reporter,
    )


def _base(args: Args, context: Context) -> str | None:
    """The environment of the project here, brought up to date; outside a project the one that is named, active or
    near, if any."""
    from accord.tasks.folders import project_environment
    from accord_core.errors import UsageError

    try:
        project = context.project_dir()
    except UsageError:
        try:
            return context.environment(args.env)
        except UsageError:
            return None
    if args.no_sync:
        from accord.tasks.environment import heal

        env = context.environment(args.env) if args.env else project_environment(project)
        heal(env)
        return env
    from accord.tasks.sync import sync_project

    outcome = sync_project(
        project,
        env=args.env,
        python=args.python,
        settings=options.resolve_settings(args, context),
        selection=options.selection(args),
        locked=args.locked,
        frozen=args.frozen,
        reporter=context.reporter,
    )
    return outcome.env
