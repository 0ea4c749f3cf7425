"""``accord pip compile``: requirement files to a requirements.txt or a pylock.toml."""

from __future__ import annotations

from accord.cli import options
from accord.tasks.settings import normal_names

HELP = "Resolve requirement files to a requirements.txt or a pylock.toml"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.cli.context import Context
    from accord.cli.parser import Args, Parser
    from accord.tasks.settings import CompileOutput


def arguments(parser: Parser) -> None:
    parser.description = """Reads requirements.in, requirements.txt, pyproject.toml or
        - (standard input) and writes every package they lead to, with its version. An output file that is there
        already is kept to as far as it fits; --upgrade and --upgrade-package let go of it.

        -o requirements.txt writes requirements format, -o pylock.toml a standard lock; without -o the result goes
        to standard output."""
    parser.examples = (
        ("accord pip compile requirements.in -o requirements.txt", "as pip-compile and uv do it"),
        (
            "accord pip compile pyproject.toml --extra web --generate-hashes -o web.txt",
            "one extra, with hashes",
        ),
        ("accord pip compile requirements.in --universal -o pylock.toml", "a lock for every platform"),
    )
    parser.argument(
        "inputs", metavar="FILE", count="any", help="Files to compile; - is standard input", complete="file"
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
        help="The form of the output (default: by its name)",
    )
    options.python_option(parser)
    parser.value(
        "--python-version", metavar="VERSION", help="The Python to resolve for, where --python names none"
    )
    parser.flag("--universal", default=None, help="One result for every platform and Python that is allowed")
    options.upgrade_options(parser)
    parser.section("Output options")
    parser.flag("--generate-hashes", help="Write the hashes of every file")
    options.comment_options(parser)
    parser.flag(
        "--no-strip-extras", dest="strip_extras", const=False, default=True, help="Write extras behind names"
    )
    parser.flag(
        "--no-strip-markers",
        dest="strip_markers",
        const=False,
        default=True,
        help="Write markers even where one target was asked for",
    )
    parser.append(
        "--no-emit-package",
        metavar="NAME",
        aliases=("--unsafe-package",),
        help="Leave NAME out of the output",
    )
    parser.flag("--emit-index-url", help="Write the index options into the output")
    parser.flag("--emit-find-links", help="Write the --find-links options into the output")
    parser.value(
        "--custom-compile-command",
        metavar="TEXT",
        env="CUSTOM_COMPILE_COMMAND",
        help="What the header says to run",
    )
    options.selection_options(parser)
    options.resolver_options(parser)
    options.index_options(parser)
    options.build_options(parser)


def run(args: Args, context: Context) -> int:
    from accord.tasks import lock

    inputs = args.inputs
    if not inputs:
        if not (args.groups or args.only_groups):
            from accord_core.errors import UsageError

            raise UsageError(
                "usage",
                "FILE is missing",
                hint="name a requirements.in or a pyproject.toml, or - for standard input",
            )
        inputs = (context.project_file(),)
    form = _form(args, context)
    outcome = lock.compile_requirements(
        inputs,
        python=args.python,
        settings=options.resolve_settings(args, context),
        selection=options.selection(args),
        form=form,
        output=args.output_file,
        reporter=context.reporter,
    )
    context.finish()
    if context.json:
        context.emit(
            {
                "output": outcome.path,
                "written": outcome.written,
                "packages": outcome.packages,
                "seconds": round(outcome.seconds, 3),
                "text": outcome.text,
            }
        )
    elif outcome.path is None:
        context.stdout.write(outcome.text)
    else:
        from accord.cli.render import plural, short_path

        became = "written" if outcome.written else "unchanged"
        context.say(
            f"{short_path(args.output_file)}: {became}, {plural(outcome.packages, 'package')} ({outcome.seconds:.2f} s)"
        )
    if form.format == "pylock.toml" and (outcome.written or outcome.path is None):
        from accord.cli.render import say_for_pip

        say_for_pip(outcome.lock, context)
    return 0


def _form(args: Args, context: Context) -> CompileOutput:
    from accord.tasks.settings import CompileOutput

    form = args.format
    if form is None:
        form = "pylock.toml" if (args.output_file or "").endswith(".toml") else "requirements.txt"
    return CompileOutput(
        format=form,
        hashes=args.generate_hashes,
        header=args.header,
        annotate=args.annotate,
        annotation_style=args.annotation_style,
        strip_extras=args.strip_extras,
        strip_markers=args.strip_markers,
        no_emit=normal_names(args.no_emit_package),
        emit_index_url=args.emit_index_url,
        emit_find_links=args.emit_find_links,
        command=args.custom_compile_command or _command(context),
    )


# What a shell reads as it stands, as shlex says; but shlex would load re.
_AS_IT_STANDS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789@%+=:,./-_")


def _command(context: Context) -> str:
    """The command line as the header shows it: what has no influence on the result is left out."""
    quiet = {
        "-q",
        "--quiet",
        "-v",
        "--verbose",
        "--no-progress",
        "--no-color",
        "--offline",
        "-U",
        "--upgrade",
        "--refresh",
        "--json",
    }
    with_value = {"-P", "--upgrade-package", "--cache-dir"}
    words = []
    skip = False
    for word in context.words:
        if skip or word in quiet:
            skip = False
        elif word.partition("=")[0] in with_value:
            skip = "=" not in word
        elif word.startswith("-P"):
            continue
        else:
            words.append(word)
    if all(word and _AS_IT_STANDS.issuperset(word) for word in words):
        return " ".join(["accord", *words])
    import shlex

    return shlex.join(["accord", *words])
