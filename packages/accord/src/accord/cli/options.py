"""The options many commands share, and the records they become.

One declaration each, so that ``--extra`` means the same everywhere and reads the same in every help page.  The
names are those people know from pip, pip-tools and uv.  Hot.
"""

# ruff: noqa: A002 - "help" as in the parser
from __future__ import annotations

from accord.tasks.settings import ResolveSettings, Selection, normal_names

__all__ = [
    "build_constraint_option",
    "build_options",
    "dry_run_option",
    "engine",
    "environment_options",
    "index_options",
    "install_arguments",
    "install_options",
    "python_option",
    "resolve_settings",
    "resolver_options",
    "sandbox_option",
    "selection",
    "selection_options",
    "upgrade_options",
]  # fmt: skip

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from accord.cli.context import Context
    from accord.cli.parser import Args, Parser
    from accord.tasks.project_edit import AccordEngine

RESOLUTIONS = ("highest", "lowest", "lowest-direct")
PRERELEASES = ("disallow", "allow", "if-necessary", "explicit", "if-necessary-or-explicit")
LINK_MODES = ("auto", "reflink", "hardlink", "copy")


def python_option(
    parser: Parser, help: str = "The interpreter: a version (3.12), a path or an environment"
) -> None:
    parser.value("-p", "--python", metavar="PYTHON", env="ACCORD_PYTHON", help=help)


def environment_options(
    parser: Parser, help: str = "The environment (default: the active one, else .venv)"
) -> None:
    parser.value("--env", metavar="DIR", help=help, complete="dir")
    python_option(parser)


def dry_run_option(parser: Parser) -> None:
    parser.flag("-n", "--dry-run", help="Say what would be done, and do nothing")


def index_options(parser: Parser) -> None:
    """Where files come from."""
    parser.section("Index options")
    parser.value(
        "-i", "--index-url", metavar="URL", aliases=("--default-index",),
        help="The default index, instead of the configured one",
    )  # fmt: skip
    parser.append(
        "--index", metavar="[NAME=]URL", help="A further index, asked before the default one; may be repeated"
    )
    parser.append("--extra-index-url", metavar="URL", help="The same, by the name pip gives it")
    parser.append(
        "-f",
        "--find-links",
        metavar="PATH|URL",
        help="A folder or page of files to look into as well",
        complete="file",
    )
    parser.flag("--no-index", help="Use no index: only --find-links and direct references")
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


def resolver_options(parser: Parser) -> None:
    """Which versions are chosen."""
    parser.section("Resolver options")
    parser.append(
        "-c",
        "--constraint",
        metavar="FILE",
        dest="constraints",
        aliases=("--constraints",),
        help="Versions must also meet the requirements in FILE",
        complete="file",
    )
    parser.append(
        "--override",
        metavar="FILE",
        dest="overrides",
        aliases=("--overrides",),
        help="The requirements in FILE replace what packages ask for",
        complete="file",
    )
    parser.append(
        "--exclude",
        metavar="FILE",
        dest="excludes",
        aliases=("--excludes",),
        help="The packages named in FILE are left out whoever asks for them",
        complete="file",
    )
    build_constraint_option(parser)
    parser.value(
        "--resolution",
        choices=RESOLUTIONS,
        help="Prefer the highest versions, the lowest, or the lowest of what is asked for directly",
    )
    parser.value("--prerelease", choices=PRERELEASES, help="When pre-releases may be chosen")
    parser.flag("--pre", help="The same as --prerelease allow")
    parser.value(
        "--exclude-newer",
        metavar="WHEN",
        aliases=("--uploaded-prior-to",),
        help="Do not see files uploaded after WHEN: a date (that day included), an instant, or a duration back from now (30 days, P30D)",
    )
    parser.append("--exclude-newer-package", metavar="NAME=WHEN", help="The same for one project")
    parser.flag("--no-deps", help="Take only what is named, without its dependencies")
    parser.flag("--refresh", help="Ask the index again, whatever the cache holds")


def build_constraint_option(parser: Parser) -> None:
    """Limits of what backends are built with."""
    parser.append(
        "-b",
        "--build-constraint",
        metavar="FILE",
        dest="build_constraints",
        aliases=("--build-constraints",),
        help="Versions of build requirements must meet FILE",
        complete="file",
    )


def upgrade_options(parser: Parser) -> None:
    parser.flag(
        "-U", "--upgrade", help="Choose the newest versions, whatever the existing file or environment holds"
    )
    parser.append("-P", "--upgrade-package", metavar="NAME", help="The same for one package; may be repeated")


def sandbox_option(parser: Parser) -> None:
    """Where strangers' code runs."""
    parser.value(
        "--sandbox",
        choices=("require", "warn", "off"),
        env="ACCORD_BUILD_SANDBOX",
        help="Run strangers' code in a sandbox: or not at all, or without one after a warning (the default), or never",
    )


def build_options(parser: Parser) -> None:
    """What may be built from source, and how."""
    parser.section("Build options")
    parser.append("--no-binary", metavar="NAME", help="Build NAME from source (:all: for everything)")
    parser.append("--only-binary", metavar="NAME", help="Never build NAME (:all: for everything)")
    parser.flag("--no-build", help="The same as --only-binary :all:")
    parser.flag("--prefer-binary", help="Prefer an older version with a wheel over a newer one without")
    parser.append(
        "-C",
        "--config-setting",
        metavar="KEY=VALUE",
        dest="config_settings",
        aliases=("--config-settings",),
        help="A setting for build backends",
    )
    parser.append("--config-settings-package", metavar="NAME:KEY=VALUE", help="The same for one package")
    parser.flag("--no-build-isolation", help="Build with what is installed in the environment")
    sandbox_option(parser)


def install_options(parser: Parser) -> None:
    """How files come into an environment."""
    parser.section("Installer options")
    parser.value(
        "--link-mode",
        choices=LINK_MODES,
        env="ACCORD_LINK_MODE",
        help="How files come from the store into the environment",
    )
    parser.flag(
        "--compile-bytecode",
        aliases=("--compile",),
        default=None,
        env=("ACCORD_COMPILE_BYTECODE", "UV_COMPILE_BYTECODE"),
        help="Compile everything now instead of at first import: once for all environments of one Python",
    )
    parser.flag(
        "--no-compile-bytecode",
        aliases=("--no-compile",),
        dest="compile_bytecode",
        const=False,
        default=None,
        help="Compile nothing, whatever the variable or the project says",
    )
    parser.flag("--reinstall", aliases=("--force-reinstall",), help="Install again what is installed already")
    parser.value(
        "--conflicts",
        choices=("refuse", "last"),
        default="refuse",
        help="When two packages provide the same file differently: refuse, or let the last by name have it",
    )
    parser.flag("--sealed", help="Make an immutable, shared environment instead of a private one")


def comment_options(parser: Parser) -> None:
    """What a requirements file says beside the requirements."""
    parser.flag(
        "--no-annotate",
        dest="annotate",
        const=False,
        default=True,
        help="Leave out the comments that say who asks for a package",
    )
    parser.flag(
        "--no-header", dest="header", const=False, default=True, help="Leave out the comment at the top"
    )
    parser.value(
        "--annotation-style",
        choices=("split", "line"),
        default="split",
        help="One comment line for each who asks, or one for all",
    )


def selection_options(parser: Parser) -> None:
    """Which parts of a project or lock are wanted."""
    parser.section("Selection options")
    parser.append(
        "--extra", metavar="NAME", dest="extras", help="Add the dependencies of this extra; may be repeated"
    )
    parser.flag("--all-extras", help="Add the dependencies of every extra")
    parser.append("--group", metavar="NAME", dest="groups", help="Add this dependency group; may be repeated")
    parser.flag("--all-groups", help="Add every dependency group")
    parser.flag(
        "--no-default-groups",
        dest="default_groups",
        const=False,
        default=True,
        help="Leave the default groups out",
        aliases=("--no-default",),
    )
    parser.append("--no-group", metavar="NAME", dest="no_groups", help="Leave this group out")
    parser.append(
        "--only-group",
        metavar="NAME",
        dest="only_groups",
        help="Take this group and nothing else; may be repeated",
    )
    parser.flag("--no-dev", help="The same as --no-group dev")


def selection(args: Args) -> Selection:
    """The record of :func:`selection_options`; names in normal form."""
    return Selection(
        extras=normal_names(args.extras),
        all_extras=args.all_extras,
        groups=normal_names(args.groups),
        all_groups=args.all_groups,
        default_groups=args.default_groups,
        no_groups=normal_names((*args.no_groups, "dev") if args.no_dev else args.no_groups),
        only_groups=normal_names(args.only_groups),
    )


def resolve_settings(args: Args, context: Context) -> ResolveSettings:
    """The record of the index, resolver and build options a command declared; what it did not declare has its
    default.  ``UsageError`` where two of them contradict each other or a value cannot be read."""
    said = args.__dict__
    return ResolveSettings(
        index_url=said.get("index_url"),
        indexes=said.get("index", ()),
        extra_index_urls=said.get("extra_index_url", ()),
        find_links=said.get("find_links", ()),
        no_index=said.get("no_index", False),
        keyring_provider=said.get("keyring_provider"),
        trusted_hosts=said.get("trusted_host", ()),
        cert=said.get("cert"),
        conflicts=said.get("conflicts", "refuse"),
        constraints=said.get("constraints", ()),
        overrides=said.get("overrides", ()),
        excludes=said.get("excludes", ()),
        build_constraints=said.get("build_constraints", ()),
        build_sandbox=said.get("sandbox"),
        resolution=said.get("resolution"),
        prerelease="allow" if said.get("pre") else said.get("prerelease"),
        exclude_newer=_instant(said.get("exclude_newer"), "--exclude-newer"),
        exclude_newer_packages=_instants(said.get("exclude_newer_package", ())),
        upgrade=_upgrade(args),
        refresh=said.get("refresh", False),
        no_deps=said.get("no_deps", False),
        no_binary=_names(said.get("no_binary", ())),
        only_binary=(":all:",) if said.get("no_build") else _names(said.get("only_binary", ())),
        prefer_binary=said.get("prefer_binary", False),
        no_build_isolation=said.get("no_build_isolation", False),
        config_settings=_config_settings(said),
        require_hashes=said.get("require_hashes", False),
        universal=said.get("universal"),
        python_version=said.get("python_version"),
        offline=context.offline,
        cache_dir=context.cache_dir,
    )


def _upgrade(args: Args) -> bool | frozenset[str]:
    said = args.__dict__
    if said.get("upgrade"):
        return True
    names = said.get("upgrade_package", ())
    if not names:
        return False

    # A bound belongs into a constraint file; pip-compile takes one here and forgets it at the next run.
    for name in names:
        if any(sign in name for sign in "<>=!~[;@ "):
            raise _usage(
                f"--upgrade-package takes a name, not {name!r}", "put bounds into a --constraint file"
            )
    return frozenset(normal_names(names))


def _names(words: tuple[str, ...]) -> tuple[str, ...]:
    """Names as pip writes them: repeated, comma-separated, ``:all:``, and ``:none:`` to begin anew."""
    names: list[str] = []
    for word in ",".join(words).split(","):
        if word == ":none:":
            names.clear()
        elif word:
            names.append(word if word == ":all:" else normal_names((word,))[0])
    return tuple(dict.fromkeys(names))


def _instant(text: str | None, option: str) -> str | None:
    if text is None:
        return None
    import time

    from accord.tasks.instants import read_instant

    try:
        return read_instant(text, time.time())
    except ValueError as error:
        raise _usage(
            f"{option}: {error}", "write 2026-11-01, 2026-11-01T12:00:00Z, 30 days or P30D"
        ) from error


def _instants(words: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    found: list[tuple[str, str]] = []
    for word in words:
        name, equals, text = word.partition("=")
        when = _instant(text, "--exclude-newer-package")
        if not equals or when is None:
            raise _usage(f"--exclude-newer-package takes NAME=WHEN, not {word!r}", None)
        found.append((normal_names((name.strip(),))[0], when))
    return tuple(found)


def _config_settings(said: dict[str, tuple[str, ...]]) -> tuple[tuple[str | None, str, str], ...]:
    found: list[tuple[str | None, str, str]] = []
    for word in said.get("config_settings", ()):
        key, equals, value = word.partition("=")
        if not equals or not key:
            raise _usage(f"--config-setting takes KEY=VALUE, not {word!r}", None)
        found.append((None, key, value))
    for word in said.get("config_settings_package", ()):
        name, colon, setting = word.partition(":")
        key, equals, value = setting.partition("=")
        if not colon or not equals or not key:
            raise _usage(f"--config-settings-package takes NAME:KEY=VALUE, not {word!r}", None)
        found.append((normal_names((name,))[0], key, value))
    return tuple(found)


def _usage(message: str, hint: str | None) -> Exception:
    from accord_core.errors import UsageError

    return UsageError("usage", message, hint=hint)


def install_arguments(args: Args) -> dict[str, Any]:
    """The keyword arguments of :func:`install_options`, as the tasks take them."""
    return {
        "sealed": args.sealed,
        "link_mode": args.link_mode,
        "compile_bytecode": args.compile_bytecode,
        "reinstall": args.reinstall,
    }


def engine(args: Args, context: Context) -> AccordEngine:
    """How an edit of the project is locked and synced, with the options of this line."""
    from accord.tasks.project_edit import AccordEngine

    return AccordEngine(
        env=args.env,
        python=args.python,
        settings=resolve_settings(args, context),
        selection=selection(args) if "groups" in args.__dict__ else Selection(),
        install=install_arguments(args),
        reporter=context.reporter,
    )
