"""``accord add``: write dependencies into the project, lock, and bring the environment along."""

from __future__ import annotations

from accord.cli import options

HELP = "Add dependencies to the project, lock and sync"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.cli.context import Context
    from accord.cli.parser import Args, Parser


def arguments(parser: Parser) -> None:
    parser.description = """Writes into pyproject.toml and keeps its comments and order. A name without a version gets
        the version that was locked as its lower bound. If locking or installing fails, pyproject.toml, the lock and
        the environment are as they were."""
    parser.examples = (
        ("accord add 'httpx[http2]>=0.27'", "a dependency of the project"),
        ("accord add --group dev pytest ruff", "two tools for its developers"),
        ("accord add --optional plot matplotlib", "a dependency of the extra 'plot'"),
        ("accord add --editable ../shared", "another source tree, as it lies there"),
        ("accord add mylib --git https://git.example/mylib.git --tag v2", "from version control"),
    )
    parser.argument(
        "requirements",
        metavar="REQUIREMENT",
        count="any",
        help="What to add, as PEP 508 writes it: NAME, 'NAME>=2', NAME[extra], 'NAME @ URL', or a path",
    )
    parser.append(
        "-r",
        "--requirements",
        metavar="FILE",
        dest="files",
        aliases=("--requirement",),
        help="Add everything FILE names",
        complete="file",
    )
    parser.append(
        "-e", "--editable", metavar="PATH", help="Add the source tree at PATH, editable", complete="dir"
    )
    parser.section("Where it goes")
    parser.value("--group", metavar="NAME", dest="into_group", help="Into this dependency group")
    parser.flag("--dev", help="The same as --group dev")
    parser.value("--optional", metavar="EXTRA", help="Into this extra of the project")
    parser.section("How it is written")
    parser.append("--extra", metavar="NAME", dest="with_extras", help="Ask for this extra of what is added")
    parser.value("-m", "--marker", metavar="MARKER", help="Only where this marker (PEP 508) holds")
    parser.flag("--raw", help="Write it as given, without a lower bound")
    parser.value(
        "--bounds",
        choices=("lower", "major", "minor", "exact"),
        default="lower",
        help="The kind of bound to write",
    )
    parser.value("--git", metavar="URL", help="Take what is added from this repository")
    parser.value("--rev", metavar="REV", help="This commit of it")
    parser.value("--tag", metavar="TAG", help="This tag of it")
    parser.value("--branch", metavar="BRANCH", help="This branch of it")
    parser.value("--subdirectory", metavar="DIR", help="The folder of the project inside the repository")
    parser.section("Options")
    parser.flag("--no-sync", help="Write pyproject.toml and the lock, and leave the environment alone")
    parser.flag("--frozen", help="Write pyproject.toml only")
    options.environment_options(parser, "The environment (default: the project's .venv)")
    options.install_options(parser)
    options.resolver_options(parser)
    options.index_options(parser)
    options.build_options(parser)


def run(args: Args, context: Context) -> int:
    from accord.cli.edits import show_edit
    from accord.tasks import project_edit

    edit = project_edit.Addition(
        requirements=args.requirements,
        files=args.files,
        editable=args.editable,
        group="dev" if args.dev else args.into_group,
        optional=args.optional,
        extras=args.with_extras,
        marker=args.marker,
        raw=args.raw,
        bounds=args.bounds,
        git=args.git,
        rev=args.rev,
        tag=args.tag,
        branch=args.branch,
        subdirectory=args.subdirectory,
    )
    outcome = project_edit.add(
        context.project_dir(),
        edit,
        options.engine(args, context),
        lock=not args.frozen,
        sync=not (args.no_sync or args.frozen),
    )
    context.finish()
    show_edit(outcome, context)
    return 0
