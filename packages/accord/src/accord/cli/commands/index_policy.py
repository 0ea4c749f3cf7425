"""``accord index policy``: what an index asks of a file."""

from __future__ import annotations

HELP = "Say which files an index takes, and which wait in quarantine"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.cli.context import Context
    from accord.cli.parser import Args, Parser


_WORDS = ("exact-names", "direct-urls", "local-versions", "linux-wheels")


def arguments(parser: Parser) -> None:
    from accord.cli.index_options import server

    parser.description = """Changes what is given, and shows the whole. Each index has its own."""
    parser.examples = (
        ("accord index policy main", "show it"),
        ("accord index policy main --quarantine new-projects", "first files of new projects wait"),
        ("accord index policy team --exact-names no --direct-urls yes", "old files of one's own"),
    )
    parser.argument("name", metavar="INDEX", help="The index")
    for word, line in zip(
        _WORDS,
        (
            "Files are named as the standards say, to the letter",
            "Requirements may name a URL of their own",
            "Versions may have a local part (+...)",
            "Wheels may be for linux_x86_64 and the like, and not say which Linux",
        ),
        strict=True,
    ):
        parser.value(f"--{word}", choices=("yes", "no"), help=line)
    parser.append(
        "--reserved-name",
        metavar="NAME",
        dest="reserved",
        help="A reserved name that may be used (repeatable)",
    )
    parser.value(
        "--project-bytes", metavar="NUMBER", help="All files of a project together; 0: the server's limit"
    )
    parser.value("--quarantine", choices=("none", "all", "new-projects"), help="Which new files wait")
    server(parser)


def run(args: Args, context: Context) -> int:
    from accord.cli.index_options import located
    from accord.tasks import index_quarantine
    from accord_core.errors import UsageError

    changes: dict[str, object] = {}
    for word in _WORDS:
        name = word.replace("-", "_")
        if getattr(args, name) is not None:
            changes[name] = getattr(args, name) == "yes"
    if args.reserved:
        changes["reserved_names"] = args.reserved
    if args.project_bytes is not None:
        if not args.project_bytes.isdigit():
            raise UsageError("usage", f"--project-bytes is a number, not {args.project_bytes!r}")
        changes["project_bytes"] = int(args.project_bytes)
    if args.quarantine is not None:
        changes["quarantine"] = args.quarantine
    place = located(args)
    if changes:
        record = index_quarantine.change_policy(place, args.name, changes)
    else:
        record = index_quarantine.policy(place, args.name)
    if context.json:
        context.emit(record)
        return 0
    for name, value in record.items():
        shown = {True: "yes", False: "no"}.get(value, value) if isinstance(value, bool) else value
        context.out(
            f"{name.replace('_', '-')}: {', '.join(shown) or '-' if isinstance(shown, list) else shown}"
        )
    return 0
