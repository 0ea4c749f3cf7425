"""``accord export``: the lock in another form."""

from __future__ import annotations

from accord.cli import options
from accord.tasks.settings import CompileOutput, normal_names

HELP = "Write the lock in another format"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.cli.context import Context
    from accord.cli.parser import Args, Parser


def arguments(parser: Parser) -> None:
    parser.description = """Writes the lock as a requirements.txt with hashes, for tools that know no pylock.toml, or as
        a pylock.toml without Accord's own tables. pip and uv install the lock itself too."""
    parser.examples = (
        ("accord export -o requirements.txt", "what the project needs, with hashes"),
        ("accord export --only-group docs --no-hashes", "one group, to standard output"),
    )
    parser.value(
        "--lock", metavar="FILE", help="The lock to export, instead of the project's", complete="file"
    )
    parser.value(
        "-o",
        "--output-file",
        metavar="FILE",
        aliases=("--output",),
        help="The file to write; - is standard output",
        complete="file",
    )
    parser.value(
        "--format",
        choices=("requirements.txt", "pylock.toml"),
        help="The form (default: by the name of the file)",
    )
    parser.flag("--no-hashes", dest="hashes", const=False, default=True, help="Leave out the hashes")
    options.comment_options(parser)
    parser.append(
        "--no-emit-package", metavar="NAME", aliases=("--prune",), help="Leave NAME out of the output"
    )
    options.selection_options(parser)


def run(args: Args, context: Context) -> int:
    import shlex

    from accord.cli.render import short_path
    from accord.tasks import export
    from accord.tasks.folders import lock_path

    form = args.format or (
        "pylock.toml" if (args.output_file or "").endswith(".toml") else "requirements.txt"
    )
    outcome = export.export(
        args.lock or lock_path(context.project_dir()),
        selection=options.selection(args),
        form=CompileOutput(
            format=form,
            hashes=args.hashes,
            header=args.header,
            annotate=args.annotate,
            annotation_style=args.annotation_style,
            strip_markers=False,
            no_emit=normal_names(args.no_emit_package),
            command=shlex.join(["accord", *context.words]),
        ),
        output=args.output_file,
    )
    if context.json:
        context.emit({"output": outcome.path, "packages": outcome.packages, "text": outcome.text})
    elif outcome.path is None:
        context.stdout.write(outcome.text)
    else:
        context.say(f"{short_path(outcome.path)}: written")
    return 0
