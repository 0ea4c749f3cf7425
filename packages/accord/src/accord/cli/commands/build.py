"""``accord build``: the sdist and the wheel of a project."""

from __future__ import annotations

from accord.cli import options

HELP = "Build the sdist and the wheel of a project"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.cli.context import Context
    from accord.cli.parser import Args, Parser
    from accord.tasks.build import BuildOutcome


def arguments(parser: Parser) -> None:
    parser.description = """Builds the sdist, then the wheel from that sdist, so that what you publish is known to
        build; both are checked, and put into dist/ together. A failing build leaves dist/ as it was. --wheel alone
        builds the wheel from the folder; an sdist as SOURCE is built into a wheel.

        Builds run in an environment of their own with what the project requires to build, and in a sandbox: no
        network, no home, and nothing to write to but their own folder.

        What went into each file and where it comes from is written to dist/.accord/."""
    parser.examples = (
        ("accord build", "sdist and wheel of the project here"),
        ("accord build --all", "every project of the workspace"),
        ("accord build --wheel -o /tmp/wheels", "the wheel only"),
        ("accord build spam-1.0.tar.gz", "a wheel of somebody's sdist"),
    )
    parser.argument(
        "source",
        metavar="SOURCE",
        count="optional",
        help="A project's folder (default: here), or an sdist",
        complete="file",
    )
    parser.flag("--sdist", help="Build the sdist")
    parser.flag("--wheel", help="Build the wheel; alone: from the folder, not from the sdist")
    parser.value(
        "-o",
        "--out-dir",
        metavar="DIR",
        aliases=("--outdir",),
        help="Where the files go (default: dist, in the project or beside the sdist)",
        complete="dir",
    )
    parser.flag("--clear", help="Remove other sdists and wheels from that folder, once the build went well")
    parser.flag("--all", aliases=("--all-packages",), help="Build every member of the workspace")
    parser.append("--package", metavar="NAME", dest="packages", help="Build this member of the workspace")
    parser.flag(
        "--reproducible",
        help="Build twice, in different places, as different users, at different times, and compare the bytes",
    )
    parser.flag("--sbom", help="Put the bill of materials (CycloneDX) into the wheel, too")
    parser.flag(
        "--no-records",
        help="Write no bill of materials and no provenance (SLSA) to .accord in the output folder",
    )
    parser.flag(
        "--lock", help="Build with the newest build requirements, and write them to pylock.build.toml"
    )
    parser.flag("--locked", help="Build with pylock.build.toml, or not at all")
    options.python_option(parser)
    options.build_options(parser)
    parser.value("--time-limit", metavar="SECONDS", convert=float, help="End a build that takes longer")
    options.build_constraint_option(parser)
    parser.flag("-U", "--upgrade", help="Look for newer build requirements, whatever was used before")
    parser.flag("--refresh", help="Ask the index again, whatever the cache holds")
    options.index_options(parser)


def run(args: Args, context: Context) -> int:
    from accord.tasks.build import Wanted, build, build_members

    wanted = Wanted(
        sdist=args.sdist,
        wheel=args.wheel,
        output=args.out_dir,
        clear=args.clear,
        time_limit=args.time_limit,
        reproducible=args.reproducible,
        sbom=args.sbom,
        records=not args.no_records,
        lock=args.lock,
        locked=args.locked,
        echo=_echo(context) if context.verbose else None,
    )
    source = args.source or context.project or "."
    settings = options.resolve_settings(args, context)
    if args.all or args.packages:
        outcome = build_members(
            source, args.packages, wanted, python=args.python, settings=settings, reporter=context.reporter
        )
    else:
        outcome = build(source, wanted, python=args.python, settings=settings, reporter=context.reporter)
    context.finish()
    _show(outcome, context, same=args.reproducible)
    return 0


def _echo(context: Context):  # type: ignore[no-untyped-def]
    def echo(data: bytes) -> None:
        for line in data.decode("utf-8", "replace").splitlines():
            context.complain(f"  {line}")

    return echo


def _show(outcome: BuildOutcome, context: Context, *, same: bool) -> None:
    """``same``: it was built twice, and has the same bytes."""
    from accord.cli.render import short_path

    if context.json:
        context.emit(
            {
                "output": outcome.output,
                "sandbox": outcome.sandbox,
                "reproducible": same,
                "seconds": round(outcome.seconds, 3),
                "records": list(outcome.records),
                "lock": outcome.lock,
                "warnings": [
                    {
                        "code": notice.code,
                        "source": notice.source,
                        "message": notice.message,
                        "count": notice.count,
                    }
                    for notice in outcome.notices
                ],
                "built": [
                    {
                        "source": built.source,
                        "requirements": [
                            {"name": name, "version": version, "filename": filename, "sha256": sha256}
                            for name, version, filename, sha256 in built.parts
                        ],
                        "files": [
                            {
                                "kind": product.kind,
                                "name": product.name,
                                "version": product.version,
                                "path": product.path,
                                "sha256": product.sha256,
                                "size": product.size,
                                "seconds": round(product.seconds, 3),
                                "sandbox": product.sandbox,
                            }
                            for product in built.products
                        ],
                    }
                    for built in outcome.built
                ],
            }
        )
        return
    for built in outcome.built:
        for product in built.products:
            context.out(short_path(product.path))
    if outcome.lock is not None:
        context.say(f"wrote {short_path(outcome.lock)}")
    count = sum(len(built.products) for built in outcome.built)
    where = "in the sandbox" if outcome.sandbox else "without a sandbox"
    twice = ", twice, with the same bytes" if same else ""
    context.say(f"built {count} file{'' if count == 1 else 's'} {where}{twice} ({outcome.seconds:.2f} s)")
