"""Which index files are sent to, and what was written down of us for it.

People have this in many places already.  In falling order of weight: what the command line says (a URL, or the name of an
index); ``ACCORD_PUBLISH_URL``, ``UV_PUBLISH_URL``, ``TWINE_REPOSITORY_URL`` and, by name, ``ACCORD_PUBLISH_INDEX``,
``UV_PUBLISH_INDEX``, ``TWINE_REPOSITORY``; the one index with a ``publish-url`` in the project's ``[[tool.accord.index]]``,
the user's ``config.toml`` or ``[[tool.uv.index]]``; the one server of ``.pypirc``.  Where several could be meant none is
taken.  May read variables and ``.pypirc``; opens no connection.
"""

from __future__ import annotations

import configparser
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from accord.io.urls import redact, split, without_credentials
from accord_core.errors import DocumentError, UsageError, Where

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Endpoints", "Tables", "Target", "endpoints", "find_target", "outright", "read_pypirc"]

_URLS = ("ACCORD_PUBLISH_URL", "UV_PUBLISH_URL", "TWINE_REPOSITORY_URL")
_NAMES = ("ACCORD_PUBLISH_INDEX", "UV_PUBLISH_INDEX", "TWINE_REPOSITORY")
_TOKENS = ("ACCORD_PUBLISH_TOKEN", "UV_PUBLISH_TOKEN")
_PASSWORDS = ("UV_PUBLISH", "TWINE")
_TOKEN_USER = "__token__"  # noqa: S105 - what every index calls the user of a token
_PYPIRC_BYTES = 1 << 20

Tables = tuple[str, "Sequence[Mapping[str, Any]]"]
"""Where index tables are written, and they."""


@dataclass(frozen=True, slots=True)
class Target:
    """``url`` as written but without credentials, which are in ``auth``; ``origin`` says where it was written."""

    url: str
    name: str | None
    origin: str
    auth: tuple[str, str] | None = None

    def __repr__(self) -> str:
        return f"Target({redact(self.url)!r}, {self.name!r}, from {self.origin})"


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where an index may take uploads: the root of Upload 2.0, and the address of forms."""

    root: str
    form: str


def endpoints(url: str) -> Endpoints:
    """Both addresses, from either of them or from that of an index's pages.

    Neither standard says how the one is found from the other.  What is written as ``…/legacy/``, ``…/upload/`` or
    ``…/simple/`` has its siblings beside it; anything else is the address of forms, with ``upload/`` below it.
    """
    bare = without_credentials(url).partition("?")[0].partition("#")[0].rstrip("/")
    parent, _, last = bare.rpartition("/")
    if last == "upload":
        return Endpoints(f"{bare}/", f"{parent}/legacy/")
    if last == "legacy":
        return Endpoints(f"{parent}/upload/", f"{bare}/")
    if last == "simple":
        return Endpoints(f"{parent}/upload/", f"{parent}/legacy/")
    return Endpoints(f"{bare}/upload/", url if url.endswith("/") else f"{bare}/")


def find_target(
    asked: str | None, tables: Sequence[Tables], pypirc: Mapping[str, Target], environ: Mapping[str, str]
) -> Target:
    """The index meant.  Raises UsageError ``publish-no-index``, ``publish-index-unknown``, ``publish-index-ambiguous``,
    ``url-invalid``."""
    if asked:
        return _named(asked, "--index", tables, pypirc)
    for variable in _URLS:
        if environ.get(variable):
            return _at(environ[variable], variable, pypirc)
    for variable in _NAMES:
        if environ.get(variable):
            return _named(environ[variable], variable, tables, pypirc)
    for origin, indexes in tables:
        found = [table for table in indexes if table.get("publish-url")]
        if len(found) > 1:
            raise _ambiguous([str(table.get("name")) for table in found], origin)
        if found:
            return _of_table(found[0], origin, pypirc)
    if len(pypirc) > 1:
        raise _ambiguous(sorted(pypirc), ".pypirc")
    if pypirc:
        return next(iter(pypirc.values()))
    raise UsageError(
        "publish-no-index",
        "nothing says which index to publish to",
        hint="say it with --index URL, or once and for all: publish-url in [[tool.accord.index]] of pyproject.toml",
    )


def _ambiguous(names: Sequence[str], origin: str) -> UsageError:
    return UsageError(
        "publish-index-ambiguous",
        f"{origin} has several indexes to publish to: {', '.join(names)}",
        hint=f"choose one: --index {names[0]}",
    )


def _named(asked: str, said: str, tables: Sequence[Tables], pypirc: Mapping[str, Target]) -> Target:
    if "://" in asked:
        return _at(asked, said, pypirc)
    known: list[str] = []
    for origin, indexes in tables:
        for table in indexes:
            known.append(str(table.get("name")))
            if table.get("name") == asked:
                return _of_table(table, origin, pypirc)
    if asked in pypirc:
        return pypirc[asked]
    known = sorted({*known, *pypirc} - {"None"})
    raise UsageError(
        "publish-index-unknown",
        f"{said} names the index {asked!r}, which is written down nowhere",
        hint=f"known: {', '.join(known)}" if known else "give its URL, or name it in [[tool.accord.index]]",
    )


def _of_table(table: Mapping[str, Any], origin: str, pypirc: Mapping[str, Target]) -> Target:
    found = _at(str(table.get("publish-url") or table.get("url")), origin, pypirc)
    name = table.get("name")
    return Target(found.url, str(name) if name else None, origin, found.auth)


def _at(url: str, origin: str, pypirc: Mapping[str, Target]) -> Target:
    auth = split(url).auth
    bare = without_credentials(url)
    if auth is None:
        # The same address in .pypirc is where its password is.
        same = (one for one in pypirc.values() if one.url.rstrip("/") == bare.rstrip("/"))
        auth = next((one.auth for one in same), None)
    return Target(bare, None, origin, auth)


def outright(token: str | None, environ: Mapping[str, str]) -> tuple[str, str] | None:
    """``(user, password)`` as said for this run: a token, or what uv's and twine's variables hold."""
    for said in (token, *(environ.get(variable) for variable in _TOKENS)):
        if said:
            return _TOKEN_USER, said.strip()
    for tool in _PASSWORDS:
        password = environ.get(f"{tool}_PASSWORD")
        if password:
            return environ.get(f"{tool}_USERNAME") or _TOKEN_USER, password
    return None


def read_pypirc(environ: Mapping[str, str]) -> dict[str, Target]:
    """The servers of ``~/.pypirc`` that have an address, by name; in the order of ``index-servers`` where there is one.

    Raises DocumentError ``pypirc-invalid``, whose words quote nothing of the file: it holds passwords.
    """
    path = os.path.join(environ.get("HOME") or os.path.expanduser("~"), ".pypirc")
    try:
        with open(path, "rb") as file:
            text = file.read(_PYPIRC_BYTES).decode("utf-8")
    except OSError:
        return {}
    except UnicodeDecodeError as fault:
        raise DocumentError("pypirc-invalid", ".pypirc is no UTF-8", where=Where(path)) from fault
    parser = configparser.RawConfigParser()
    try:
        parser.read_string(text)
    except configparser.Error as fault:
        line = getattr(fault, "lineno", None)
        raise DocumentError(
            "pypirc-invalid", ".pypirc cannot be read", where=Where(path, line=line) if line else Where(path)
        ) from None
    names = parser.get("distutils", "index-servers", fallback="").split()
    found: dict[str, Target] = {}
    for name in names or [section for section in parser.sections() if section != "distutils"]:
        url = parser.get(name, "repository", fallback="") if parser.has_section(name) else ""
        if not url:
            continue
        password = parser.get(name, "password", fallback="")
        user = parser.get(name, "username", fallback="") or _TOKEN_USER
        found[name] = Target(
            without_credentials(url), name, path, (user, password) if password else split(url).auth
        )
    return found
