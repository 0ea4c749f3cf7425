"""Which commands there are, in the order help shows them, and the names each is found by.

Only words: the root help must not import every module.  A test compares each line with the ``HELP`` of the module it
names, and the modules in ``commands/`` with this table.  Hot.
"""

from __future__ import annotations

__all__ = ["EXAMPLES", "FAMILIES", "SECTIONS", "commands", "module_name"]

SECTIONS: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = (
    (
        "Projects",
        (
            ("init", "Create a project: a library, a program, an extension, a script"),
            ("add", "Add dependencies to the project, lock and sync"),
            ("remove", "Remove dependencies from the project, lock and sync"),
            ("lock", "Write pylock.toml from what the project asks for"),
            ("sync", "Make an environment exactly what a lock says"),
            ("upgrade", "Lock newer versions, and say what changed"),
            ("run", "Run a command or a script in its environment"),
            ("tree", "Show the dependencies of the project as a tree"),
            ("why", "Say why a package is in the lock"),
            ("outdated", "Show which locked packages have newer versions"),
            ("export", "Write the lock in another format"),
        ),
    ),
    (
        "Packages",
        (
            ("build", "Build the sdist and the wheel of a project"),
            ("check", "Look for what an index would refuse and a maintainer would want"),
            ("publish", "Send sdists and wheels to an index"),
            ("wheel", "Look into, take apart, make, compare and repair wheels"),
            ("migrate", "Write pyproject.toml from setup.py, Poetry and other formats"),
        ),
    ),
    (
        "Environments",
        (
            ("venv", "Create a virtual environment"),
            ("history", "Show what was done to an environment"),
            ("undo", "Take back the last change of an environment"),
            ("verify", "Compare an environment with its records, and repair it"),
            ("python", "Find, list and pin Python interpreters"),
            ("pip", "Commands for people who come from pip, pip-tools or uv"),
        ),
    ),
    (
        "Indexes",
        (
            ("serve", "Serve a package index of one's own"),
            ("index", "Administer the indexes of a server on this machine"),
        ),
    ),
    (
        "House",
        (
            ("cache", "Show, verify, prune or clean the cache"),
            ("completions", "Print the completion script for a shell"),
            ("tour", "Watch the main jobs run: an application, a package, an index"),
        ),
    ),
)  # fmt: skip

FAMILIES: dict[str, tuple[tuple[str, str], ...]] = {
    "pip": (
        ("compile", "Resolve requirement files to a requirements.txt or a pylock.toml"),
        ("sync", "Make an environment exactly what the files say"),
        ("install", "Install packages into an environment"),
        ("uninstall", "Remove packages from an environment"),
        ("list", "List what is installed"),
        ("freeze", "Print what is installed in requirements format"),
        ("show", "Show details of installed packages"),
        ("check", "Check that what is installed fits together"),
        ("tree", "Show what is installed as a tree"),
    ),
    "python": (
        ("list", "List the interpreters on this machine"),
        ("find", "Print the interpreter a request leads to"),
        ("pin", "Write the Python of a project to .python-version"),
    ),
    "wheel": (
        ("inspect", "Show what a wheel or sdist is and holds"),
        ("diff", "Compare two wheels or two sdists"),
        ("verify", "Check wheels against their RECORD, file by file"),
        ("unpack", "Unpack a wheel into a folder, verified"),
        ("pack", "Make a wheel of an unpacked folder"),
        ("tags", "Give wheels other tags"),
        ("repair", "Put the libraries a wheel needs into it (Linux)"),
    ),
    "index": (
        ("migrate", "Move a running index to another database or storage"),
        ("export", "Write a whole server into a folder"),
        ("import", "Read an exported server into a new one"),
        ("fsck", "Look whether a server is sound, and repair it"),
        ("pause", "Take no changes for a while; reading goes on"),
        ("resume", "Take changes again after accord index pause"),
        ("upgrade", "Bring the tables of an older version up to date"),
        ("list", "List the indexes of a server"),
        ("create", "Create an index"),
        ("user", "Who has an account: add, list, disable, give a password"),
        ("token", "Tokens for programs: create, list, narrow, revoke"),
        ("role", "Who may do what: grant, list, revoke, transfer"),
        ("change", "Give an index another title, or other makers of projects"),
        ("visibility", "Say who sees an index or a project"),
        ("stack", "Say on which indexes one builds, and which names it mixes"),
        ("yank", "Mark a release or a file as not to be chosen any more"),
        ("unyank", "Take a yank back"),
        ("status", "Say that a project is archived, deprecated or in quarantine"),
        ("withdraw", "Take files away, for legal reasons or for safety"),
        ("restore", "Bring withdrawn files back, as long as they are kept"),
        ("promote", "Let a release of one index be one of another as well"),
        ("journal", "Show what happened to a project, and who did it"),
        ("namespace", "Keep names that begin alike: reserve, list, release"),
        ("policy", "Say which files an index takes, and which wait in quarantine"),
        ("quarantine", "New files that wait: list, release, reject, scan"),
        ("audit", "Show who signed in, which tokens were used, what was changed"),
        ("jobs", "Show what a server does by itself, and what came of it"),
        ("refresh", "Ask the upstream of an index again"),
        ("mirror", "Say what an index takes of its upstream, and fetch it"),
    ),
    "cache": (
        ("dir", "Print where the cache is"),
        ("size", "Show how much room the cache takes"),
        ("prune", "Remove what has not been used for a while"),
        ("clean", "Remove the whole cache, or what it holds of some packages"),
        ("verify", "Check every stored wheel against its records"),
    ),
    "index user": (
        ("add", "Add a user"),
        ("list", "List the users"),
        ("disable", "Lock a user out, or let one in again"),
        ("passwd", "Give a user a password"),
    ),
    "index token": (
        ("create", "Make a token and show it, this once"),
        ("list", "List tokens: whose, for what, last used when"),
        ("revoke", "End a token"),
        ("narrow", "Make a lesser token of one, without asking the server"),
        ("seal", "Seal the keys of all tokens with the first secret of the file"),
    ),
    "index namespace": (
        ("reserve", "Keep the names that begin alike for one owner"),
        ("list", "List the reserved namespaces of an index"),
        ("release", "Give a namespace back"),
    ),
    "index quarantine": (
        ("list", "List the files that wait"),
        ("release", "Let a file be seen"),
        ("reject", "Let a file never be seen"),
        ("scan", "Ask a program about each file that waits, and act on its verdict"),
    ),
    "index role": (
        ("grant", "Let a user do something in an index or a project"),
        ("list", "List who may do what"),
        ("revoke", "Take a role away"),
        ("transfer", "Give a project to a new owner, and to nobody else"),
    ),
}

EXAMPLES: tuple[tuple[str, str], ...] = (
    ("accord init shop && cd shop", "begin"),
    ("accord add 'flask>=3'", "write it down, lock it, install it"),
    ("accord run flask --app shop run", "run in the project's environment"),
    ("accord undo", "take the last change back"),
)


def commands() -> tuple[tuple[str, str], ...]:
    """Every command line there is (``sync``, ``pip compile`` ...) with its line of help."""
    found: list[tuple[str, str]] = []
    for _, section in SECTIONS:
        for name, line in section:
            found.extend(_below(name, line))
    return tuple(found)


def _below(path: str, line: str) -> tuple[tuple[str, str], ...]:
    """The commands of a family, and of the families in it; a command by itself."""
    if path not in FAMILIES:
        return ((path, line),)
    return tuple(pair for sub, text in FAMILIES[path] for pair in _below(f"{path} {sub}", text))


def module_name(command: str) -> str:
    """The module of a command line: ``pip compile`` lives in ``accord.cli.commands.pip_compile``."""
    return "accord.cli.commands." + command.replace(" ", "_").replace("-", "_")
