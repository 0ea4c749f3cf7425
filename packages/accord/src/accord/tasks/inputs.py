"""Requirement files, project files and words of a command line, read into one :class:`~accord.tasks.asked.Asked` (hot).

Opens files; decides nothing.  A requirements file of plain lines, which most are, is read here with the hot parser;
as soon as a line has an option, a URL or a path, the whole file goes to the reader of the full format, so that there
is one judge of everything unusual.
"""

from __future__ import annotations

import os
import sys

from accord.io.reading import read_at_most
from accord.tasks.asked import Asked, Wish
from accord_core.errors import DocumentError, UsageError, Where
from accord_core.names import normalise, valid
from accord_core.project.requirement import Requirement, parse_requirement

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from accord.tasks.settings import ResolveSettings, Selection
    from accord_core.project.requirements_file import Entry, Options

__all__ = ["Inputs", "not_utf8", "pins_of", "read_bytes", "read_inputs", "read_text"]

_UTF16 = (b"\xff\xfe", b"\xfe\xff")  # byte order marks
_SPECIAL = ("-", ".", "/", "\\")
_ARCHIVES = (".whl", ".zip", ".tar", ".gz", ".bz2", ".xz", ".tgz", ".tbz", ".txz")
_LARGEST = (
    16 * 1024 * 1024
)  # bytes of a requirements file; the largest seen in the wild is under one megabyte


class Inputs:
    """What was read: ``asked``, the settings with the files' own options added, and the files in the order read."""

    __slots__ = ("asked", "files", "require_hashes", "settings")

    def __init__(
        self, asked: Asked, settings: ResolveSettings, files: list[str], require_hashes: bool
    ) -> None:
        self.asked = asked
        self.settings = settings
        self.files = files
        self.require_hashes = require_hashes


def read_inputs(
    files: Sequence[str],
    settings: ResolveSettings,
    *,
    words: Sequence[str] = (),
    editable: Sequence[str] = (),
    selection: Selection | None = None,
    environ: Mapping[str, str] = os.environ,
    as_pip: bool = False,
) -> Inputs:
    """Read ``files`` (requirements format, ``pyproject.toml``, ``-``), ``words`` and ``editable`` paths, and the
    constraints, overrides and excludes that ``settings`` names.  ``as_pip``: what a person set for pip
    (``PIP_CONSTRAINT``, ``constraint`` in its configuration) or for ``uv pip`` (``UV_CONSTRAINT``) constrains here too.

    Raises DocumentError with every fault of a file; UsageError ``file-not-found`` and ``requirement-invalid``.
    """
    reader = _Reader(settings, environ)
    for path in files:
        reader.file(path, selection)
    for word in words:
        reader.word(word)
    for path in editable:
        reader.wishes.append(_from_path(path, editable=True))
    for path in (*(_set_for_pip(environ) if as_pip else ()), *settings.constraints):
        reader.constraint(path, reader.constraints)
    for path in settings.overrides:
        reader.constraint(path, reader.overrides)
    excluded = {name for path in settings.excludes for name in _names(path)}
    asked = Asked(
        reader.wishes,
        constraints=reader.constraints,
        overrides=reader.overrides,
        excludes=frozenset(excluded) | reader.excludes,
        inputs=tuple(reader.files),
        requires_python=reader.requires_python,
    )
    return Inputs(asked, reader.settings, reader.files, reader.require_hashes or settings.require_hashes)


def _set_for_pip(environ: Mapping[str, str]) -> list[str]:
    from accord.repositories.pipconf import read

    return [*read(environ, None).several("constraint")[0], *environ.get("UV_CONSTRAINT", "").split()]


def read_text(path: str) -> str:
    """A text file, or standard input for ``-``, decoded as pip does: by a byte order mark (what PowerShell's ``>``
    writes is UTF-16), by a ``coding:`` comment, else UTF-8.

    Raises UsageError ``file-not-found``, ``file-unreadable``; DocumentError ``document-not-utf8``.
    """
    if path == "-":
        return _standard_input()
    if path.startswith(("http://", "https://")):
        raise UsageError(
            "file-remote", f"{path} is not read over the network", hint="download it, and give the file"
        )
    body = read_bytes(path)
    try:
        return body.decode(_encoding(body))
    except (UnicodeDecodeError, LookupError) as error:
        raise not_utf8(path) from error


def _standard_input() -> str:
    if sys.stdin is None:
        raise UsageError("file-unreadable", "- is standard input, and that is closed", hint="give a file")
    return sys.stdin.read(_LARGEST)


def _encoding(body: bytes) -> str:
    if body.startswith(_UTF16):
        return "utf-16"
    for line in body.split(b"\n", 2)[:2]:
        if line.startswith(b"#") and b"coding" in line:
            import re

            said = re.search(rb"coding[:=]\s*([-\w.]+)", line)  # PEP 263, as pip reads it
            if said is not None:
                return said[1].decode("ascii", "replace")
    return "utf-8-sig"


def read_bytes(path: str, *, limit: int = _LARGEST) -> bytes:
    """A file a person named.  Raises as :func:`read_text`, and DocumentError ``document-too-large``."""
    try:
        body = read_at_most(path, limit)
    except FileNotFoundError as error:
        raise UsageError("file-not-found", f"there is no file {path}", hint="check the path") from error
    except OSError as error:
        raise UsageError(
            "file-unreadable",
            f"{path} cannot be read: {error.strerror}",
            hint="check its permissions and that it is text",
        ) from error
    if len(body) > limit:
        raise DocumentError("document-too-large", f"{path} is larger than {limit:,} bytes")
    return body


def not_utf8(path: str) -> DocumentError:
    """The error for text in an encoding that was not announced."""
    return DocumentError(
        "document-not-utf8",
        f"{path} is not UTF-8 text",
        where=Where(path),
        hint="save it as UTF-8; in PowerShell: … | Out-File -Encoding utf8 FILE",
    )


def pins_of(text: str) -> dict[str, str]:
    """The versions an earlier output pins (``name==version`` lines): preferences, so what does not fit is left out."""
    pins = {}
    for line in text.splitlines():
        if "==" not in line or line[:1] in " #-":
            continue
        name, _, rest = line.partition("==")
        version = rest.split(";")[0].split("\\")[0].split("#")[0].split(" --hash")[0].strip()
        name = name.partition("[")[0].strip()
        if version and "=" not in version and "," not in version and valid(name):
            pins[normalise(name)] = version
    return pins


class _Reader:
    def __init__(self, settings: ResolveSettings, environ: Mapping[str, str]) -> None:
        self.settings = settings
        self.environ = environ
        self.wishes: list[Wish] = []
        self.constraints: list[Wish] = []
        self.overrides: list[Wish] = []
        self.excludes: frozenset[str] = frozenset()
        self.files: list[str] = []
        self.require_hashes = False
        self.requires_python: str | None = None

    def file(self, path: str, selection: Selection | None) -> None:
        name = os.path.basename(path)
        if name == "pyproject.toml" or name.endswith(".pyproject.toml") or os.path.isdir(path):
            self._project(path, selection)
            return
        text = read_text(path)
        plain = _plain(text, path)
        if plain is not None:
            self.wishes += plain
            self.files.append(path)
        else:
            self._full(path, text, self.wishes)

    def word(self, word: str) -> None:
        """A requirement as typed on a command line: a name, a path, a URL."""
        if _looks_local(word):
            self.wishes.append(_from_path(word))
            return
        try:
            requirement = parse_requirement(word)
        except ValueError as error:
            why = str(error).partition("\n")[0]
            raise UsageError("requirement-invalid", f"{word!r} is not a requirement: {why}") from error
        self.wishes.append(_wish(requirement, "command line", "the command line"))

    def constraint(self, path: str, into: list[Wish]) -> None:
        text = read_text(path)
        plain = _plain(text, path)
        limits = into is self.constraints
        if plain is None or (limits and any(wish.requirement and wish.requirement.extras for wish in plain)):
            self._full(path, text, into, constraint=limits)
        else:
            into += plain

    def _full(self, path: str, text: str, into: list[Wish], *, constraint: bool = False) -> None:
        from accord_core.project.requirements_file import read_requirements

        held = {path: text}
        found = read_requirements(
            path, lambda name: held.get(name) or read_text(name), self.environ, constraint=constraint
        )
        for entry in found.entries:
            wish = _from_entry(entry)
            (self.constraints if entry.constraint and not constraint else into).append(wish)
        self.files += found.files
        self._options(found.options)

    def _options(self, options: Options) -> None:
        """Options written in files count less than those of the command line, more than the configuration."""
        settings = self.settings
        self.settings = settings.replace(
            index_url=settings.index_url or options.index_url,
            extra_index_urls=(*settings.extra_index_urls, *options.extra_index_urls),
            find_links=(*settings.find_links, *options.find_links),
            no_index=settings.no_index or options.no_index,
            no_binary=(*settings.no_binary, *options.no_binary),
            only_binary=(*settings.only_binary, *options.only_binary),
            prefer_binary=settings.prefer_binary or options.prefer_binary,
            trusted_hosts=(*settings.trusted_hosts, *options.trusted_hosts),
            prerelease=settings.prerelease or ("allow" if options.pre else None),
        )
        self.require_hashes = self.require_hashes or options.require_hashes

    def _project(self, path: str, selection: Selection | None) -> None:
        from accord.tasks.project import load_project

        project = load_project(path)
        self.wishes += project.wishes(selection)
        self.constraints += project.constraints()
        self.overrides += project.overrides()
        self.excludes |= frozenset(project.document.tool.exclude_dependencies)
        self.files.append(project.path)
        self.requires_python = project.document.requires_python
        said = self.settings
        tool = project.document.tool
        self.settings = said.replace(
            resolution=said.resolution or tool.resolution,
            prerelease=said.prerelease or tool.prerelease,
        )


def _plain(text: str, path: str) -> list[Wish] | None:
    """The wishes of a file of plain requirement lines; None where a line needs the full reader."""
    wishes = []
    for number, line in enumerate(text.splitlines(), 1):
        line = line.strip()
        if not line or line[0] == "#":
            continue
        if line[0] in _SPECIAL or "\\" in line or "${" in line or "/" in line or " -" in line:
            return None
        line = line.partition(" #")[0].rstrip()
        if line.partition(";")[0].partition("[")[0].rstrip().lower().endswith(_ARCHIVES):
            return None
        try:
            requirement = parse_requirement(line)
        except ValueError:
            return None
        if requirement.url is not None:
            return None
        wishes.append(_wish(requirement, f"{path}:{number}", f"-r {path}"))
    return wishes


def _wish(requirement: Requirement, origin: str, via: str, *, selection: str = "") -> Wish:
    return Wish(
        requirement,
        origin,
        via=via,
        reference=requirement.url,
        base=os.getcwd() if requirement.url is not None else ".",
        marker=requirement.marker,
        selection=selection,
    )


def _from_entry(entry: Entry) -> Wish:
    requirement = entry.requirement
    reference = entry.location
    if reference is not None and entry.extras and "://" not in reference:
        reference += f"[{','.join(entry.extras)}]"
    if requirement is not None and requirement.url is not None:
        reference = requirement.url
    return Wish(
        requirement,
        str(entry.where),
        via=f"-r {entry.where.path}",
        reference=reference,
        base=os.getcwd(),
        marker=entry.marker if requirement is None else requirement.marker,
        editable=entry.editable,
        hashes=entry.hashes,
    )


def _looks_local(word: str) -> bool:
    if "@" in word:
        try:
            return parse_requirement(word).url is None
        except ValueError:
            pass  # git+https://…/x.git@main
    bare = word.partition("[")[0]
    return (
        bare.startswith((".", "/", "~", "file:", "git+"))
        or bare.endswith((".whl", ".tar.gz", ".zip"))
        or os.sep in bare
    )


def _from_path(word: str, *, editable: bool = False) -> Wish:
    return Wish(
        None,
        "command line",
        via="the command line",
        reference=os.path.expanduser(word),
        base=os.getcwd(),
        editable=editable,
    )


def _names(path: str) -> Iterable[str]:
    for line in read_text(path).splitlines():
        name = line.partition("#")[0].strip()
        if name:
            yield normalise(name)
