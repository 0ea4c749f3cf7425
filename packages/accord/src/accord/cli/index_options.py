"""What every command of ``accord index`` takes and shows alike: where the server is, a place in it, records as a table."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from accord.cli.context import Context
    from accord.cli.parser import Args, Parser
    from accord.tasks.index_folder import Place

__all__ = ["attestation_roots", "located", "password", "restrictions", "server", "show"]


def server(parser: Parser) -> None:
    """The options that say which server is meant, as ``accord serve`` has them."""
    parser.section("The server")
    parser.value(
        "--data", metavar="DIR", env="ACCORD_SERVER_DATA", help="The server's folder", complete="dir"
    )
    parser.value(
        "--database", metavar="URL", default="", env="ACCORD_SERVER_DATABASE", help="Its database, as a URL"
    )
    parser.value(
        "--storage",
        metavar="URL",
        default="",
        env="ACCORD_SERVER_STORAGE",
        help="Where it keeps files, as a URL",
    )
    parser.value(
        "--secret-file",
        metavar="FILE",
        default="",
        env="ACCORD_SERVER_SECRET_FILE",
        help="Its secrets, if it seals keys of tokens",
        complete="file",
    )


def attestation_roots(parser: Parser, words: str) -> None:
    """The option of what takes attestations, from people or from upstream."""
    parser.value(
        "--attestation-roots",
        metavar="FILE",
        default="",
        env="ACCORD_SERVER_ATTESTATION_ROOTS",
        help=words,
        complete="file",
    )


def located(args: Args, attestation_roots: str = "") -> Place:
    from accord.tasks.index_folder import Place

    return Place(args.data, args.database, args.storage, args.secret_file, attestation_roots)


def restrictions(parser: Parser) -> None:
    """What a token is narrowed to."""
    parser.append("--index", metavar="NAME", dest="indexes", help="Only in this index (repeatable)")
    parser.append("--for-project", metavar="NAME", dest="projects", help="Only this project (repeatable)")
    parser.append(
        "--action", metavar="ACTION", dest="actions", help="Only this: read, upload, yank ... (repeatable)"
    )
    parser.value("--expires", metavar="DURATION", help="Only for so long from now: '30 days', PT2H")


def password(context: Context, *, what: str) -> str:
    """A password from the first line of standard input, or asked for twice on a terminal."""
    import sys

    from accord_core.errors import UsageError

    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    import getpass

    first = getpass.getpass(f"{what}: ")
    if getpass.getpass("once more: ") != first:
        raise UsageError("usage", "these are two different passwords")
    return first


def show(context: Context, name: str, records: Sequence[dict[str, object]], columns: Sequence[str]) -> int:
    """Records as ``{name: [...]}`` under ``--json``, as a table otherwise."""
    if context.json:
        context.emit({name: list(records)})
        return 0
    from accord.cli.render import table

    rows = [[_cell(record[column]) for column in columns] for record in records]
    for line in table([column.replace("_", " ") for column in columns], rows, context.paint):
        context.out(line)
    return 0


def _cell(value: object) -> str:
    if value is None or value is False:
        return "-"
    if value is True:
        return "yes"
    if isinstance(value, dict):
        return " ".join(f"{key}={_cell(one)}" for key, one in value.items()) or "-"
    if isinstance(value, list):
        return ",".join(map(_cell, value)) or "-"
    text = str(value)
    # An instant to the second is what fits a line; --json has all of it.
    return f"{text[:19]}Z" if len(text) == 27 and text[10] == "T" and text.endswith("Z") else text
