"""``accord serve``: an index of one's own."""

from __future__ import annotations

HELP = "Serve a package index of one's own"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.cli.context import Context
    from accord.cli.parser import Args, Parser


def arguments(parser: Parser) -> None:
    from accord.cli.index_options import attestation_roots

    parser.description = """Serves an index: upload to it with twine, uv or accord publish, install from it with pip, uv or
        accord. Everything lies in one folder (SQLite and files) unless --database and --storage say otherwise. The first
        start prints the administrator's token, once."""
    parser.examples = (
        ("accord serve", "on this machine only, in the user's data folder"),
        ("accord serve --bind 0.0.0.0:8694 --data /srv/index", "for everybody who reaches this machine"),
        ("accord serve --bind 127.0.0.1:0", "on a port that is free, which it says"),
    )
    parser.value(
        "--data", metavar="DIR", env="ACCORD_SERVER_DATA", help="The server's folder", complete="dir"
    )
    parser.value(
        "--bind", metavar="HOST:PORT", default="127.0.0.1:8694", help="Where to listen; port 0: a free one"
    )
    parser.value("--workers", metavar="N", help="Processes that serve (default: one for each processor)")
    parser.value(
        "--database", metavar="URL", default="", env="ACCORD_SERVER_DATABASE", help="The database, as a URL"
    )
    parser.value(
        "--storage",
        metavar="URL",
        default="",
        env="ACCORD_SERVER_STORAGE",
        help="Where files are kept, as a URL",
    )
    parser.value(
        "--public-url", metavar="URL", help="How clients reach the server, where a proxy stands in front"
    )
    parser.append(
        "--trusted-proxy",
        metavar="ADDRESS",
        dest="trusted_proxies",
        help="Believe X-Forwarded-For of this address or network (repeatable)",
    )
    parser.append(
        "--limit",
        metavar="NAME=NUMBER",
        dest="limits",
        help="Another limit, by its name: file_bytes=100000000 (repeatable)",
    )
    parser.value(
        "--log-format", choices=("text", "json"), default="text", help="How the log on standard error reads"
    )
    parser.flag("--access-log", help="Log every request, not only faults")
    parser.flag("--public-metrics", help="Show /metrics to anybody; else to tokens that may administer")
    parser.value(
        "--secret-file",
        metavar="FILE",
        default="",
        env="ACCORD_SERVER_SECRET_FILE",
        help="Secrets that seal the keys of tokens in the database, one a line",
        complete="file",
    )
    attestation_roots(parser, "A trusted root (JSON of Sigstore): take only attestations it vouches for")
    parser.value(
        "--scanner",
        metavar="COMMAND",
        env="ACCORD_SERVER_SCANNER",
        help="A program, or a URL, that is asked about each new file that waits in quarantine",
    )
    parser.append(
        "--scanner-reads",
        metavar="DIR",
        dest="scanner_reads",
        help="A folder the scanner's program may read (repeatable)",
    )
    parser.flag("--page-files", help="Write finished pages as files too, for a web server in front")
    parser.value(
        "--accel-redirect",
        metavar="LOCATION",
        default="",
        help="Let nginx in front send stored files, from this inner location: /stored/",
    )


def run(args: Args, context: Context) -> int:
    import os
    import re

    from accord.tasks import serving
    from accord_core.errors import UsageError

    host, colon, port = args.bind.rpartition(":")
    if not colon or not port.isdigit() or not 0 <= int(port) < 65536:
        raise UsageError("usage", f"--bind is HOST:PORT, not {args.bind!r}")
    if args.workers is not None and not (args.workers.isdigit() and int(args.workers) > 0):
        raise UsageError("usage", f"--workers is a number of processes, at least 1, not {args.workers!r}")
    if args.accel_redirect and not re.fullmatch(r"/(?:[A-Za-z0-9_-]+/)+", args.accel_redirect):
        raise UsageError(
            "usage", f"--accel-redirect is a location like /stored/, not {args.accel_redirect!r}"
        )

    def started(what: serving.Started) -> None:
        if context.json:
            context.emit({"url": what.url, "data": what.data, "token": what.token})
        else:
            context.out(f"index   {what.url}/simple/")
            context.out(f"upload  {what.url}/legacy/")
            if what.token:
                context.out(f"token   {what.token}   (the administrator's; shown this once)")
        context.stdout.flush()

    serving.serve(
        data=args.data or serving.default_data(),
        host=host.strip("[]"),
        port=int(port),
        workers=int(args.workers or os.cpu_count() or 1),
        database=args.database,
        storage=args.storage,
        public_url=args.public_url,
        trusted_proxies=args.trusted_proxies,
        limits=args.limits,
        page_files=args.page_files,
        accel=args.accel_redirect,
        log_format=args.log_format,
        access_log=args.access_log,
        public_metrics=args.public_metrics,
        secret_file=args.secret_file,
        attestation_roots=args.attestation_roots,
        scanner=_words(args.scanner or ""),
        scanner_reads=args.scanner_reads,
        started=started,
    )
    return 0


def _words(text: str) -> tuple[str, ...]:
    import shlex

    from accord_core.errors import UsageError

    try:
        return tuple(shlex.split(text))
    except ValueError as fault:
        raise UsageError("usage", f"--scanner: {fault}") from fault
