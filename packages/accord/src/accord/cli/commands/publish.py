"""``accord publish``: sdists and wheels to an index."""

from __future__ import annotations

from accord.cli import options

HELP = "Send sdists and wheels to an index"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.cli.context import Context
    from accord.cli.parser import Args, Parser
    from accord.publish.target import Target
    from accord.tasks.publishing_records import Finished, Published, Release


def arguments(parser: Parser) -> None:
    parser.description = """Publishes one release: the files named, or those in dist/. They are checked first; errors of
        accord check stop it. An index that speaks Upload 2.0 (PEP 694) gets everything in one session and publishes it
        whole; any other gets one form after the other, as from twine.

        Which index: --index, else ACCORD_PUBLISH_URL, else the one with a publish-url in [[tool.accord.index]], in
        the user's config.toml or in [[tool.uv.index]], else the one of .pypirc. The token: --token, else ACCORD_PUBLISH_TOKEN,
        else what uv, twine, .pypirc, .netrc and the keyring know."""
    parser.examples = (
        ("accord publish", "what accord build left in dist/, to the index of the project"),
        ("accord publish --dry-run", "say what would be sent, and where"),
        ("accord publish --preview", "send it, try it, then: accord publish --finish spam==1.0"),
        ("accord publish dist/* --index https://index.example/legacy/", "these files, to this index"),
    )
    parser.argument(
        "files",
        metavar="FILE",
        count="any",
        help="Wheels and sdists of one release (default: those in dist/)",
        complete="file",
    )
    parser.value(
        "--index", metavar="NAME|URL", dest="target", help="The index, by name or by the address of its uploads",
        aliases=("--publish-url", "--repository-url", "-r", "--repository"),
    )  # fmt: skip
    parser.value("--token", metavar="TOKEN", help="The token to upload with; - reads it from standard input")
    options.dry_run_option(parser)
    parser.flag("--preview", help="Send everything and do not publish yet; print how to install it")
    parser.value("--finish", metavar="URL|NAME==VERSION", help="Publish what --preview sent")
    parser.value("--cancel", metavar="URL|NAME==VERSION", help="Throw away what --preview or a failure left")
    parser.flag("--resume", help="Go on with the session of this release that is open already")
    parser.flag("--skip-existing", help="Leave out files the index has already")
    parser.flag("--all", dest="releases", help="Publish several releases, one after the other")
    parser.flag("--no-check", help="Do not run the checks of accord check first")
    parser.flag("--no-wait", help="Do not wait for an index that publishes later")
    parser.section("Network options")
    parser.value(
        "--keyring-provider",
        choices=("auto", "disabled", "import", "subprocess"),
        help="Where passwords for indexes come from",
    )
    parser.append(
        "--trusted-host",
        metavar="HOST[:PORT]",
        help="Talk to this host without TLS, or without checking its certificate",
    )
    parser.value("--cert", metavar="FILE", help="The certificates to trust (PEM)", complete="file")


def run(args: Args, context: Context) -> int:
    from accord.tasks import publishing

    _usable(args)
    settings = options.resolve_settings(args, context)
    common = {
        "index": args.target,
        "token": _token(args.token),
        "settings": settings,
        "project": context.project,
        "reporter": context.reporter,
        "environ": context.environ,
    }
    if args.finish or args.cancel:
        end = publishing.finish if args.finish else publishing.cancel
        _show_end(end(args.finish or args.cancel, wait=not args.no_wait, **common), context)
        return 0
    chosen = publishing.Options(
        check=not args.no_check,
        dry_run=args.dry_run,
        wait=not args.no_wait,
        preview=args.preview,
        skip_existing=args.skip_existing,
        releases=args.releases,
        resume=args.resume,
    )

    def announce(target: Target) -> None:
        from accord.io.urls import redact

        context.say(
            f"{'would publish' if args.dry_run else 'publishing'} to {redact(target.url)} ({target.origin})"
        )

    outcome = publishing.publish(
        args.files, options=chosen, cache_dir=context.cache(), announce=announce, **common
    )
    if context.json:
        context.emit(_record(outcome))
    else:
        for release in outcome.releases:
            _show(release, context)
    return 0


def _usable(args: Args) -> None:
    from accord_core.errors import UsageError

    if args.finish and args.cancel:
        raise UsageError("usage", "--finish and --cancel are each other's contrary")
    if (args.finish or args.cancel) and (args.files or args.preview or args.resume or args.dry_run):
        raise UsageError("usage", "--finish and --cancel stand alone: everything was sent before")


def _token(said: str | None) -> str | None:
    if said != "-":
        return said
    import sys

    return sys.stdin.readline().strip() or None


def _show(release: Release, context: Context) -> None:
    from accord.cli.render import size

    whole = {"legacy": "one file after the other", "2.0": "in one session"}.get(release.protocol, "")
    whole = "" if release.state == "there" else whole
    words = {"planned": "would be published", "there": "was there already", "staged": "is staged"}
    state = words.get(release.state, f"is {release.state}")
    context.out(
        f"{context.paint(f'{release.name} {release.version}', 'bold')} {state}"
        + (f", {whole}" if whole else "")
    )
    for file in release.files:
        there = "   there already" if file.state == "there" and release.state != "there" else ""
        context.out(f"  {file.filename}  {size(file.size)}  sha256 {file.sha256[:12]}…{there}")
    for notice in release.notices:
        context.out(f"  the index says: {notice}")
    wanted = f"'{release.name}=={release.version}'"
    if release.stage:
        context.out(f"  preview  {release.stage}")
        context.out(f"  try it   pip install --extra-index-url {release.stage} {wanted}")
        context.out(f"           uv pip install --index {release.stage} {wanted}")
        context.out(f"           accord pip install --index {release.stage} {wanted}")
    if release.session:
        context.out(f"  until    {release.expires}")
        context.out(f"  publish  accord publish --finish {release.session}")
        context.out(f"  or not   accord publish --cancel {release.session}")


def _show_end(done: Finished, context: Context) -> None:
    if context.json:
        context.emit({"session": done.session, "state": done.state, "files": list(done.files)})
        return
    context.out(f"{done.session} is {done.state}")
    if done.state == "published":
        for filename in done.files:
            context.out(f"  {filename}")


def _record(outcome: Published) -> dict[str, object]:
    return {
        "index": outcome.index,
        "releases": [
            {
                "name": release.name,
                "version": release.version,
                "protocol": release.protocol or None,
                "state": release.state,
                "session": release.session or None,
                "stage": release.stage or None,
                "expires": release.expires or None,
                "notices": list(release.notices),
                "files": [
                    {"filename": one.filename, "size": one.size, "sha256": one.sha256, "state": one.state}
                    for one in release.files
                ],
            }
            for release in outcome.releases
        ],
    }
