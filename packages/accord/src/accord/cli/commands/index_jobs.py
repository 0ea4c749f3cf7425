"""``accord index jobs``: what a server does by itself."""

from __future__ import annotations

HELP = "Show what a server does by itself, and what came of it"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.cli.context import Context
    from accord.cli.parser import Args, Parser


def arguments(parser: Parser) -> None:
    from accord.cli.index_options import server

    parser.description = """Shows what is done again and again (tidying up, refreshing mirrors), what waits to be done once (a scanner to be asked),
        and what was given up, with its failure. Ends with status 1 if something was given up."""
    parser.examples = (
        ("accord index jobs", "what is done, and when next"),
        ("accord index jobs --retry 12", "the scanner runs again: ask it once more"),
    )
    parser.append("--retry", metavar="ID", help="Do this job now, as if never tried (repeatable)")
    parser.append("--forget", metavar="ID", help="Take away what was given up (repeatable)")
    server(parser)


def run(args: Args, context: Context) -> int:
    from accord.cli.index_options import located, show
    from accord.tasks import index_jobs

    records = index_jobs.jobs(
        located(args),
        retry=[_number(text) for text in args.retry],
        forget=[_number(text) for text in args.forget],
    )
    show(
        context,
        "jobs",
        records,
        ("id", "kind", "arguments", "state", "next", "every", "ran", "took", "failure"),
    )
    return 1 if any(record["state"] == "given up" for record in records) else 0


def _number(text: str) -> int:
    from accord_core.errors import UsageError

    if not text.isdigit() or len(text) > 18:
        raise UsageError("usage", f"{text!r} is no number of a job")
    return int(text)
