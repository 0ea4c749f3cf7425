"""Direct references: what a person wrote instead of a version (PEP 508 URLs, paths, ``-e``, ``git+…``).

Turns text into one value and says what it is; reads nothing but whether a local path is a folder or a file.  The
value's ``identity`` is what two spellings of one source share: it names a universe of one.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import unquote

from accord.build.limits import DEFAULT, Limits
from accord.io.urls import file_url, path_of, redact, without_credentials
from accord_core.errors import UsageError, Where
from accord_core.lock.model import Archive, Directory, Vcs
from accord_core.names import normalise, valid

__all__ = ["Reference", "locked_reference", "parse_reference", "public_url"]

Kind = Literal["directory", "archive", "wheel", "git"]

_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):", re.IGNORECASE)
_SCP = re.compile(r"(?:git\+)?[\w.-]+@[\w.-]+:(?!//)")
_GIT_SCHEMES = frozenset({"https", "http", "ssh", "file"})
_STRONG = frozenset({"sha224", "sha256", "sha384", "sha512"})
_VARIABLES = re.compile(r"\$\{[A-Za-z0-9_]+\}(?::\$\{[A-Za-z0-9_]+\})?")
_EXTRAS = re.compile(r"(.+?)\[([\w.,\s-]*)\]")
# git-check-ref-format(1), and "-" in front, which would be an option.
_BAD_REVISION = re.compile(r"^-|\.\.|@\{|[\x00-\x20\x7f~^:?*\[\\]|//|^/|/$|\.$|\.lock$")


@dataclass(frozen=True, slots=True)
class Reference:
    """One direct reference.

    ``url`` is what is asked: ``https:``, ``file:`` or, for git, the repository's URL without ``git+``, revision and
    fragment; it may hold credentials, so show ``str(reference)`` instead.  ``path`` is the absolute local path where
    there is one.  ``hashes`` are ``(algorithm, hex digest)``.  ``revision`` is what was asked of git: a branch, tag,
    commit or ``refs/…``.  ``name`` (normalised) and ``extras`` are what the person said it is.
    """

    kind: Kind
    url: str
    path: str | None = None
    subdirectory: str | None = None
    hashes: tuple[tuple[str, str], ...] = ()
    revision: str | None = None
    editable: bool = False
    name: str | None = None
    extras: tuple[str, ...] = ()

    @property
    def identity(self) -> str:
        """The same text for every spelling of one source; holds no credentials."""
        if self.kind == "git":
            url = _lower_host(without_credentials(self.url)).rstrip("/").removesuffix(".git")
            text = f"git+{url}" + (f"@{self.revision}" if self.revision else "")
        elif self.path is not None:
            text = file_url(os.path.realpath(self.path))
        else:
            text = _lower_host(without_credentials(self.url))
        return f"{text}#subdirectory={self.subdirectory}" if self.subdirectory else text

    def __str__(self) -> str:
        """As a person may be shown it: credentials replaced."""
        if self.path is not None and self.kind != "git":
            shown = self.path
        else:
            shown = redact(self.url)
        if self.kind == "git":
            shown = f"git+{shown}" + (f"@{self.revision}" if self.revision else "")
        return f"{shown}#subdirectory={self.subdirectory}" if self.subdirectory else shown


def parse_reference(
    text: str,
    *,
    base: str,
    editable: bool = False,
    name: str | None = None,
    extras: tuple[str, ...] = (),
    where: Where | None = None,
    limits: Limits = DEFAULT,
) -> Reference:
    """The reference ``text`` (a URL, or a path relative to the absolute folder ``base``).

    ``name`` and ``extras`` are those of ``name[extras] @ url``; ``egg=`` and ``path[extras]`` count where they are
    missing.  Raises UsageError: ``reference-invalid``, ``reference-not-found`` (a path that is not there),
    ``reference-vcs-unsupported``, ``reference-hash-weak``, ``reference-not-editable``, ``git-revision-invalid``.
    """
    text = text.strip()
    if not text or len(text) > limits.url_length or any(ord(char) < 32 for char in text):
        raise _invalid(text[:100], "it is empty, too long or holds control characters", where)
    if _SCP.match(text):
        raise _invalid(
            text, "git's short form of ssh is not a URL", where, "write git+ssh://git@host/path.git"
        )
    scheme = _SCHEME.match(text)
    if scheme is None or (os.name == "nt" and len(scheme[1]) == 1):
        found = _local(text, base, None, extras, where)
    else:
        bare, _, fragment = text.partition("#")
        found = _by_scheme(scheme[1].lower(), bare, _fragment(text, fragment, where), base, where)
    if name is not None or extras:
        found = _with(found, name=normalise(name) if name else found.name, extras=extras or found.extras)
    if editable:
        if found.kind != "directory":
            raise UsageError(
                "reference-not-editable",
                f"{found} cannot be editable: it is not a folder of yours",
                where=where,
                hint="clone or unpack it and name the folder, or leave out -e",
            )
        found = _with(found, editable=True)
    return found


def locked_reference(
    entry: Archive | Directory | Vcs, *, name: str, base: str
) -> tuple[Reference, str | None]:
    """What a lock's entry (PEP 751 ``packages.archive``, ``.directory``, ``.vcs``) refers to, and the commit of a vcs.

    ``base`` is the folder of the lock file.  Raises UsageError as :func:`parse_reference` does.
    """
    if isinstance(entry, Vcs):
        if entry.type != "git":
            raise UsageError(
                "reference-vcs-unsupported", f"{name}: {entry.type!r} repositories are not supported"
            )
        local = os.path.normpath(os.path.join(base, entry.path)) if entry.path else None
        url = entry.url or file_url(local or base)
        if not _COMMIT.fullmatch(entry.commit_id):
            raise UsageError("git-revision-invalid", f"{name}: {entry.commit_id!r} is not a commit")
        found = parse_reference(f"git+{url.removeprefix('git+')}", base=base, name=name)
        subdirectory = _subdirectory(url, entry.subdirectory or "", None)
        found = _with(found, revision=entry.requested_revision, subdirectory=subdirectory)
        return found, entry.commit_id
    where = entry.path or (entry.url if isinstance(entry, Archive) else "") or ""
    editable = isinstance(entry, Directory) and bool(entry.editable)
    found = parse_reference(where, base=base, name=name, editable=editable)
    hashes = tuple(sorted(entry.hashes.items())) if isinstance(entry, Archive) else ()
    subdirectory = _subdirectory(where, entry.subdirectory or "", None)
    return _with(found, subdirectory=subdirectory, hashes=hashes), None


def public_url(url: str) -> str:
    """``url`` as PEP 610 ("Specification") lets it be recorded: no credentials but ``git@`` and variables."""
    scheme, separator, rest = url.partition("://")
    authority = rest.partition("/")[0]
    user, at, _ = authority.rpartition("@")
    if at and (_VARIABLES.fullmatch(user) or (user == "git" and scheme.endswith("ssh"))):
        return url
    return without_credentials(url) if separator else url


@dataclass(frozen=True, slots=True)
class _Fragment:
    subdirectory: str | None
    hashes: tuple[tuple[str, str], ...]
    name: str | None
    extras: tuple[str, ...]


def _fragment(text: str, fragment: str, where: Where | None) -> _Fragment:
    subdirectory = name = None
    hashes: dict[str, str] = {}
    extras: tuple[str, ...] = ()
    for part in fragment.split("&") if fragment else ():
        key, _, value = part.partition("=")
        value = unquote(value)
        if key == "subdirectory":
            subdirectory = _subdirectory(text, value, where)
        elif key == "egg":
            name, extras = _egg(text, value, where)
        elif key in _STRONG:
            digest = value.lower()
            if not re.fullmatch(r"[0-9a-f]{56,128}", digest) or len(digest) * 4 != int(key[3:]):
                raise _invalid(text, f"its {key} is not a digest", where)
            hashes[key] = digest
        elif key in {"md5", "sha1"}:
            raise UsageError(
                "reference-hash-weak",
                f"{redact(text)} is only sealed with {key}, which anyone can forge",
                where=where,
                hint="give its sha256",
            )
    return _Fragment(subdirectory, tuple(sorted(hashes.items())), name, extras)


def _by_scheme(scheme: str, url: str, said: _Fragment, base: str, where: Where | None) -> Reference:
    if scheme == "file":
        return _local(path_of(url), base, said, said.extras, where)
    if scheme in {"http", "https"}:
        kind: Kind = "wheel" if url.partition("?")[0].lower().endswith(".whl") else "archive"
        return Reference(
            kind,
            url,
            subdirectory=said.subdirectory,
            hashes=said.hashes,
            name=said.name,
            extras=said.extras,
        )
    vcs, plus, transport = scheme.partition("+")
    if plus and vcs == "git" and transport in _GIT_SCHEMES:
        return _git(url[4:], said, where)
    if plus and vcs == "git":
        raise _invalid(
            url, f"git over {transport!r} is not used", where, "use https or ssh, which prove the server"
        )
    raise UsageError(
        "reference-vcs-unsupported",
        f"{redact(url)}: {scheme!r} is not a way to a source Accord knows",
        where=where,
        hint="https:, file:, git+https: and git+ssh: are known",
    )


def _git(url: str, said: _Fragment, where: Where | None) -> Reference:
    scheme, _, rest = url.partition("://")
    authority, slash, path = rest.partition("/")
    path, at, revision = path.rpartition("@") if "@" in path else (path, "", "")
    if not slash or not path or (not authority and scheme.lower() != "file"):
        raise _invalid(url, "it names no repository", where)
    revision = unquote(revision)
    if (at and not revision) or _BAD_REVISION.search(revision):
        raise UsageError(
            "git-revision-invalid",
            f"{revision!r} is not a revision",
            where=where,
            hint="a branch, tag, commit or refs/… name after @",
        )
    repository = f"{scheme.lower()}://{authority}/{path}"
    local = os.path.normpath(path_of(repository)) if scheme.lower() == "file" else None
    return Reference(
        "git",
        file_url(local) if local else repository,
        path=local,
        subdirectory=said.subdirectory,
        revision=revision or None,
        name=said.name,
        extras=said.extras,
    )


def _local(
    text: str, base: str, said: _Fragment | None, extras: tuple[str, ...], where: Where | None
) -> Reference:
    path = os.path.normpath(os.path.join(base, os.path.expanduser(text) if said is None else text))
    bracket = _EXTRAS.fullmatch(text)
    if said is None and bracket and not os.path.exists(path):
        names = tuple(normalise(part.strip()) for part in bracket[2].split(",") if part.strip())
        return _local(bracket[1], base, said, extras or names, where)
    if not os.path.exists(path):
        if "://" in text:
            raise _invalid(text, "it is neither a requirement nor a path", where, "write NAME @ URL")
        raise UsageError(
            "reference-not-found",
            f"there is nothing at {path}",
            where=where,
            hint="relative paths count from the file they are written in"
            if where
            else "check the path; a project's name has no slash in it",
        )
    kind: Kind = "archive"
    if os.path.isdir(path):
        kind = "directory"
    elif path.lower().endswith(".whl"):
        kind = "wheel"
    return Reference(
        kind,
        file_url(path),
        path=path,
        subdirectory=said.subdirectory if said else None,
        hashes=said.hashes if said else (),
        name=said.name if said else None,
        extras=extras,
    )


def _subdirectory(text: str, value: str, where: Where | None) -> str | None:
    parts = [part for part in value.strip("/").split("/") if part != "."]
    if (
        value.startswith("/")
        or "\\" in value
        or ".." in parts
        or "" in parts[:-1]
        or (parts and ":" in parts[0])
    ):
        raise _invalid(text, f"subdirectory {value!r} is not a folder below the top", where)
    return "/".join(parts) or None


def _egg(text: str, value: str, where: Where | None) -> tuple[str, tuple[str, ...]]:
    bracket = _EXTRAS.fullmatch(value)
    name, inside = (bracket[1], bracket[2]) if bracket else (value, "")
    if not valid(name):
        raise _invalid(text, f"egg={value!r} is not a project's name", where)
    return normalise(name), tuple(normalise(part.strip()) for part in inside.split(",") if part.strip())


def _lower_host(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    authority, slash, path = rest.partition("/")
    return f"{scheme.lower()}{separator}{authority.lower()}{slash}{path}"


def _with(reference: Reference, **changes: object) -> Reference:
    from dataclasses import replace

    return replace(reference, **changes)  # type: ignore[arg-type]


def _invalid(text: str, reason: str, where: Where | None, hint: str | None = None) -> UsageError:
    return UsageError("reference-invalid", f"{redact(text)} cannot be used: {reason}", where=where, hint=hint)
