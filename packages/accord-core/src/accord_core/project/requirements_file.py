"""The requirements file format, as pip reads it.

There is no standard but pip's documentation ("Requirements File Format") and its behaviour, followed here to the
letter where people depend on it: comments, continued lines, ``${VARIABLES}``, files that include files, options per
file and per requirement, paths and URLs without a name.  Nothing is opened here: the caller gives an ``opener``, so
files may as well lie on an index.  Paths stay as written (pip takes them from the working directory, the caller
knows it); included files are found beside the file that names them.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from urllib.parse import urljoin

from accord_core.errors import DocumentError, Where
from accord_core.names import normalise
from accord_core.project.declared import reason
from accord_core.project.entry import Entry, check_constraint, read_entry, read_hash, read_setting, slip
from accord_core.project.faults import DEFAULT_LIMITS, Faults, Limits, near

__all__ = ["Entry", "Options", "RequirementsFile", "read_entry", "read_requirements"]

_COMMENT = re.compile(r"(^|\s+)#.*$")
_VARIABLE = re.compile(r"\$\{([A-Z0-9_]+)\}")
_EDITABLE = re.compile(r"(?:-e\s*=?|--editable(?:=|\s|$))(.*?)(?=\s--[a-z]|\s-C|$)")
_SECRET = re.compile(r"://[^/@\s]+@")
_SCHEME = re.compile(r"^(http|https|file|ftp):", re.IGNORECASE)
# Option → (what it sets, whether it takes a value).
_OPTIONS: dict[str, tuple[str, bool]] = {
    "-r": ("requirement", True),
    "--requirement": ("requirement", True),
    "-c": ("constraint", True),
    "--constraint": ("constraint", True),
    "-e": ("editable", True),
    "--editable": ("editable", True),
    "-i": ("index_url", True),
    "--index-url": ("index_url", True),
    "--extra-index-url": ("extra_index_urls", True),
    "-f": ("find_links", True),
    "--find-links": ("find_links", True),
    "--no-index": ("no_index", False),
    "--no-binary": ("no_binary", True),
    "--only-binary": ("only_binary", True),
    "--prefer-binary": ("prefer_binary", False),
    "--pre": ("pre", False),
    "--require-hashes": ("require_hashes", False),
    "--trusted-host": ("trusted_hosts", True),
    "--use-feature": ("features", True),
    "--hash": ("hash", True),
    "-C": ("config_settings", True),
    "--config-settings": ("config_settings", True),
    "--config-setting": ("config_settings", True),
}
_OF_REQUIREMENT = ("hash", "config_settings")
_SWITCHES = ("no_index", "prefer_binary", "pre", "require_hashes")


@dataclass(frozen=True, slots=True)
class Options:
    """What the files say for the whole run; of several ``--index-url`` the last counts, as in pip."""

    index_url: str | None = None
    extra_index_urls: tuple[str, ...] = ()
    find_links: tuple[str, ...] = ()
    no_index: bool = False
    no_binary: tuple[str, ...] = ()
    only_binary: tuple[str, ...] = ()
    prefer_binary: bool = False
    pre: bool = False
    require_hashes: bool = False
    trusted_hosts: tuple[str, ...] = ()
    features: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RequirementsFile:
    """A file with everything it includes: ``entries`` in order, ``files`` all paths and URLs that were read."""

    entries: tuple[Entry, ...]
    options: Options
    files: tuple[str, ...]

    @property
    def requirements(self) -> tuple[Entry, ...]:
        return tuple([entry for entry in self.entries if not entry.constraint])

    @property
    def constraints(self) -> tuple[Entry, ...]:
        return tuple([entry for entry in self.entries if entry.constraint])


def read_requirements(
    path: str,
    opener: Callable[[str], str],
    environment: Mapping[str, str] | None = None,
    *,
    constraint: bool = False,
    limits: Limits = DEFAULT_LIMITS,
) -> RequirementsFile:
    """Read a requirements file and all it includes.

    ``opener`` returns the text of a path or URL and raises ``OSError`` where there is none; ``environment`` gives
    the values of ``${VARIABLES}`` (one not in it stays as written); ``constraint`` reads the file as ``-c`` would.
    Raises ``DocumentError``: ``invalid-requirements`` with every fault of every file in ``faults``.
    """
    reader = _Reader(path, opener, environment or {}, limits)
    reader.file(path, (), constraint=constraint, named_at=Where(path))
    count = len(reader.faults)
    reader.faults.refuse("invalid-requirements", f"{path} has {count} fault{'s' if count != 1 else ''}")
    return RequirementsFile(tuple(reader.entries), reader.options, tuple(reader.files))


class _Reader:
    def __init__(
        self, path: str, opener: Callable[[str], str], environment: Mapping[str, str], limits: Limits
    ) -> None:
        self.opener = opener
        self.environment = environment
        self.limits = limits
        self.faults = Faults(path, "", limits=limits)
        self.entries: list[Entry] = []
        self.files: list[str] = []
        self.options = Options()

    def fault(self, where: Where, code: str, message: str, hint: str | None = None) -> None:
        self.faults.take(DocumentError(code, message, where=where, hint=hint))

    def file(self, path: str, above: tuple[str, ...], *, constraint: bool, named_at: Where) -> None:
        if path in above:
            chain = " → ".join([*above[above.index(path) :], path])
            self.fault(
                named_at, "requirements-cycle", f"requirements files include each other in a circle: {chain}"
            )
            return
        if len(above) >= self.limits.requirement_depth or len(self.files) >= self.limits.requirement_files:
            message = (
                f"more than {self.limits.requirement_files} files, or {self.limits.requirement_depth} deep"
            )
            self.fault(named_at, "too-many-files", f"requirements files include too many others: {message}")
            return
        try:
            text = self.opener(path)
        except OSError as error:
            message = f"{path} cannot be read: {error.strerror or error}"
            self.fault(
                named_at,
                "unreadable-requirements",
                message,
                "check the path; it is taken from the file that names it",
            )
            return
        except UnicodeDecodeError:
            self.fault(
                named_at, "unreadable-requirements", f"{path} is not UTF-8 text", "save the file as UTF-8"
            )
            return
        self.files.append(path)
        for number, line in _logical_lines(text):
            if number > self.limits.requirement_lines:
                message = f"{path} has more than {self.limits.requirement_lines:,} lines"
                self.fault(Where(path, line=number), "document-too-large", message)
                return
            self.line(self.expanded(line), Where(path, line=number), (*above, path), constraint=constraint)

    def expanded(self, line: str) -> str:
        """``${NAME}`` replaced where the environment has a value; anything else stays (pip's rule)."""
        return _VARIABLE.sub(lambda match: self.environment.get(match[1]) or match[0], line)

    def line(self, line: str, where: Where, above: tuple[str, ...], *, constraint: bool) -> None:
        wanted, rest = _split_options(line)
        try:
            found = list(_options(rest))
        except ValueError as error:
            self.fault(where, "invalid-option", str(error), _option_hint(rest))
            return
        chosen = {name for name, _ in found}
        if wanted or "editable" in chosen:
            self.requirement(wanted, found, where, constraint=constraint)
            return
        for name, value in found:
            if name in ("requirement", "constraint"):
                self.nested(value, where, above, constraint=name == "constraint")
            elif name in _OF_REQUIREMENT:
                flag = "--hash" if name == "hash" else "--config-settings"
                self.fault(where, "invalid-option", f"{flag} belongs behind a requirement, on its line")
            elif name == "index_url":
                self.options = replace(self.options, index_url=value)
            elif name in _SWITCHES:
                self.options = _switched(self.options, name)
            else:
                self.options = _appended(self.options, name, value)

    def nested(self, name: str, where: Where, above: tuple[str, ...], *, constraint: bool) -> None:
        path = _beside(above[-1], name)
        last = path.replace("\\", "/").rpartition("/")[2]
        if last == "pyproject.toml" or (last.startswith("pylock.") and last.endswith(".toml")):
            message = f"a requirements file cannot include {last}"
            self.fault(where, "invalid-option", message, f"give {last} on the command line")
            return
        self.file(path, above, constraint=constraint, named_at=where)

    def requirement(
        self, wanted: str, found: list[tuple[str, str]], where: Where, *, constraint: bool
    ) -> None:
        editables = [value for name, value in found if name == "editable"]
        strangers = sorted({name for name, _ in found} - {"editable", *_OF_REQUIREMENT})
        if strangers or len(editables) + bool(wanted) != 1:
            what = (
                f"{strangers[0].replace('_', '-')} belongs on a line of its own"
                if strangers
                else "one requirement a line"
            )
            self.fault(where, "invalid-option", what)
            return
        try:
            entry = read_entry(wanted or editables[0], where, editable=bool(editables))
            hashes = tuple([read_hash(value) for name, value in found if name == "hash"])
            settings = dict([read_setting(value) for name, value in found if name == "config_settings"])
            if constraint:
                check_constraint(entry)
        except ValueError as error:
            text = wanted or editables[0]
            message = _SECRET.sub("://…@", f"{text!r}: {reason(error)}")
            self.fault(where, "invalid-requirement", message, slip(text))
            return
        self.entries.append(replace(entry, constraint=constraint, hashes=hashes, config_settings=settings))


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Lines that say something, continued lines joined, comments gone, with the number of their first line.

    A comment line ends a continuation: what follows a backslash on it is a comment too.
    """
    pending: list[str] = []
    first = 0
    # str.splitlines as pip: form feeds and their like end lines too
    for number, line in enumerate([*text.splitlines(), ""], 1):
        is_comment = line.lstrip()[:1] == "#"
        if not pending:
            first = number
        if line.endswith("\\") and not is_comment:
            pending.append(line.strip("\\"))
            continue
        pending.append(f" {line}" if is_comment else line)
        joined = _COMMENT.sub("", "".join(pending)).strip()
        pending = []
        if joined:
            yield first, joined


def _split_options(line: str) -> tuple[str, str]:
    """What is required, and the options behind it: the first word that begins with ``-`` begins them."""
    words = line.split(" ")
    for i, word in enumerate(words):
        if word.startswith("-"):
            return " ".join(words[:i]).strip(), " ".join(words[i:])
    return line.strip(), ""


def _options(rest: str) -> Iterator[tuple[str, str]]:
    """Names and values, from ``--name=value``, ``--name value``, ``-n value`` and ``-nvalue``.

    An editable goes on to the next long option, so that it may be ``-e name @ URL`` or have a marker with quotes in
    it (uv reads them so; pip drops what follows the first word).
    """
    editable = _EDITABLE.match(rest)
    if editable is not None:
        value = editable[1].strip()
        if len(value) > 1 and value[0] in "'\"" and value[0] == value[-1]:
            value = value[1:-1]
        if not value:
            raise ValueError("-e needs a value")
        yield "editable", value
        rest = rest[editable.end() :]
    try:
        words = shlex.split(rest)
    except ValueError as error:
        raise ValueError(f"quotes that do not close: {rest}") from error
    at = 0
    while at < len(words):
        word = words[at]
        at += 1
        if word.startswith("--"):
            flag, equals, value = word.partition("=")
        else:
            flag, value = word[:2], word[2:].removeprefix("=")
            equals = value
        if flag not in _OPTIONS:
            raise ValueError(f"no option of a requirements file: {word.partition('=')[0]}")
        name, takes = _OPTIONS[flag]
        if takes and not equals:
            if at >= len(words):
                raise ValueError(f"{flag} needs a value")
            value = words[at]
            at += 1
        elif not takes and equals:
            raise ValueError(f"{flag} takes no value")
        yield name, value


def _option_hint(rest: str) -> str | None:
    for word in rest.split():
        flag = word.partition("=")[0]
        if flag.startswith("--") and flag not in _OPTIONS:
            return near(flag, tuple(_OPTIONS))
    return None


def _switched(options: Options, name: str) -> Options:
    match name:
        case "no_index":
            return replace(options, no_index=True)
        case "prefer_binary":
            return replace(options, prefer_binary=True)
        case "pre":
            return replace(options, pre=True)
    return replace(options, require_hashes=True)


def _appended(options: Options, name: str, value: str) -> Options:
    match name:
        case "extra_index_urls":
            return replace(options, extra_index_urls=(*options.extra_index_urls, value))
        case "find_links":
            return replace(options, find_links=(*options.find_links, value))
        case "no_binary":
            return replace(options, no_binary=(*options.no_binary, *_names(value)))
        case "only_binary":
            return replace(options, only_binary=(*options.only_binary, *_names(value)))
        case "trusted_hosts":
            return replace(options, trusted_hosts=(*options.trusted_hosts, value))
    return replace(options, features=(*options.features, value))


def _names(value: str) -> list[str]:
    """``:all:``, ``:none:`` or names separated by commas, normalised."""
    names = [name.strip() for name in value.split(",") if name.strip()]
    return [name if name.startswith(":") else normalise(name) for name in names]


def _beside(path: str, name: str) -> str:
    if _SCHEME.match(name):
        return name
    if _SCHEME.match(path):
        return urljoin(path, name)
    return os.path.join(os.path.dirname(path), name)
