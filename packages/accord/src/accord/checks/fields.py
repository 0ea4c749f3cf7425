"""Checks of single fields of the metadata: names, versions, texts, addresses. They hold for every kind of subject."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from difflib import get_close_matches

from accord.checks.facts import Facts
from accord.checks.model import ADVICE, ERROR, WARNING, Edit, Finding, Register
from accord.checks.sources import lowest_python
from accord.checks.subjects import SdistSubject, Subject, WheelSubject

__all__ = ["CHECKS"]

check = Register()
_ALL = ("project", "sdist", "wheel")
_AHEAD = "introduced in metadata version"  # how packaging says so
_SUMMARY = 512  # characters, by the index
_LABEL = 32  # characters, core metadata "Project-URL"
_EMAIL = re.compile(r"[^@\s<>,;]+@[^@\s<>,;.]+(\.[^@\s<>,;.]+)+")
# Labels an index knows and shows with a sign of their own (well-known project URLs, PEP 753).
_LABELS = (
    "Homepage", "Source", "Source Code", "Repository", "GitHub", "Download", "Changelog", "Changes", "What's New", "History",
    "Release Notes", "Documentation", "Docs", "Issues", "Issue", "Bugs", "Tracker", "Issue Tracker", "Bug Tracker",
    "Funding", "Sponsor", "Donate", "Donation",
)  # fmt: skip


def _plain(label: str) -> str:
    """A label as indexes compare it (PEP 753, "Label normalization")."""
    return re.sub(r"[^a-z0-9]", "", label.lower())


_KNOWN = {_plain(label): label for label in _LABELS}


def _facts(subject: Subject) -> Facts:
    return subject.facts or Facts(place=lambda *at: subject.where(key=str(at[0]) if at else None))


@check("metadata-invalid", "The metadata break the standard", ERROR, "sdist", "wheel")
def metadata_invalid(subject: SdistSubject | WheelSubject) -> Iterable[Finding]:
    """The index refuses metadata with a value that core metadata do not allow: no version, no SPDX expression, a requirement
    nobody can read.

    Files are judged by today's rules, so an old one may be refused today although it was accepted once.
    """
    from packaging.metadata import Metadata

    place = _facts(subject).place
    for error in _invalid(Metadata.from_email, subject.metadata):
        field = getattr(error, "field", "") or "metadata"
        if _AHEAD not in str(error):
            yield Finding(f"{field}: {error}", place(field))


@check("metadata-ahead", "The metadata hold fields of a later version", ADVICE, "sdist", "wheel")
def metadata_ahead(subject: SdistSubject | WheelSubject) -> Iterable[Finding]:
    """Some builders write a field before the version of core metadata that has it. The index lets it pass; readers that
    keep to the standard do not see the field.
    """
    from packaging.metadata import Metadata

    place = _facts(subject).place
    for error in _invalid(Metadata.from_email, subject.metadata):
        if _AHEAD in str(error):
            field = getattr(error, "field", "") or "metadata"
            yield Finding(str(error), place(field), "build it with a current backend")


def _invalid(parse: object, metadata: bytes | None) -> tuple[Exception, ...]:
    if metadata is None or not callable(parse):
        return ()
    try:
        parse(metadata)
    except ExceptionGroup as group:
        return group.exceptions
    except ValueError as error:
        return (error,)
    return ()


@check("name-standard-library", "The name is that of a standard module", ERROR, *_ALL)
def name_standard_library(subject: Subject) -> Iterable[Finding]:
    """The index refuses names of modules of the standard library, which people would install by mistake."""
    facts = _facts(subject)
    name = (facts.name or "").lower().replace("-", "_")
    if name in sys.stdlib_module_names:
        yield Finding(
            f"{facts.name!r} is a module of the standard library", facts.place("name"), "choose another name"
        )


@check("version-local", "The version has a local part", ERROR, *_ALL)
def version_local(subject: Subject) -> Iterable[Finding]:
    """The public index refuses ``1.0+local``: local versions are for whoever rebuilds another one's release (PEP 440)."""
    facts = _facts(subject)
    if facts.version and "+" in facts.version:
        yield Finding(
            f"{facts.version} is a local version",
            facts.place("version"),
            "publish it without what follows the +",
        )


@check(
    "version-normal", "The version is not in normal form", ADVICE, "project", "sdist", "wheel", fixable=True
)
def version_normal(subject: Subject) -> Iterable[Finding]:
    """File names and indexes carry the normal form (PEP 440), so that is what people see and type."""
    from accord_core.project.versions import normal

    facts = _facts(subject)
    if not facts.version:
        return
    try:
        found = normal(facts.version)
    except ValueError:
        return
    if found != facts.version:
        edits = (Edit("set", ("project", "version"), found),) if subject.kind == "project" else ()
        yield Finding(
            f"{facts.version!r} is {found!r} in normal form", facts.place("version"), f"write {found}", edits
        )


@check("description-missing", "There is no description", WARNING, *_ALL)
def description_missing(subject: Subject) -> Iterable[Finding]:
    """The one line that search results show. Write ``description`` in ``[project]``."""
    facts = _facts(subject)
    if not (facts.description or "").strip() and "description" not in facts.dynamic and facts.name:
        yield Finding("there is no description", facts.place("description"), "say in one line what it is")


@check("description-form", "The description is too long, or has several lines", ERROR, *_ALL)
def description_form(subject: Subject) -> Iterable[Finding]:
    """The index refuses a description ("Summary") of more than 512 characters or more than one line."""
    facts = _facts(subject)
    text = (facts.description or "").strip()
    if len(text) > _SUMMARY:
        message = f"the description has {len(text)} characters, more than {_SUMMARY}"
        yield Finding(message, facts.place("description"), "put the long text into the readme")
    if "\n" in text:
        yield Finding(
            "the description has several lines", facts.place("description"), "put the rest into the readme"
        )


@check("people-missing", "Nobody is named as author or maintainer", ADVICE, *_ALL)
def people_missing(subject: Subject) -> Iterable[Finding]:
    """People who find a fault, or a hole, want to know whom to tell."""
    facts = _facts(subject)
    if (
        not facts.people
        and facts.name
        and subject.public
        and not {"authors", "author", "author-email"} & set(facts.dynamic)
    ):
        yield Finding("nobody is named as author or maintainer", facts.place("authors"))


@check("email-invalid", "An e-mail address is none", ERROR, *_ALL)
def email_invalid(subject: Subject) -> Iterable[Finding]:
    """The index refuses authors and maintainers whose e-mail address cannot be one."""
    facts = _facts(subject)
    for field, address in facts.emails:
        if not _EMAIL.fullmatch(address):
            yield Finding(f"{address!r} is no e-mail address", facts.place(field))


@check("urls-missing", "There are no links", ADVICE, *_ALL)
def urls_missing(subject: Subject) -> Iterable[Finding]:
    """Source, documentation and issue tracker are what readers of the page look for. Write ``[project.urls]``."""
    facts = _facts(subject)
    if not facts.urls and facts.name and subject.public and "urls" not in facts.dynamic:
        yield Finding(
            "there are no links", facts.place("urls"), "write [project.urls] with Source and Issues"
        )


@check("url-invalid", "A link is none, or its label is too long", ERROR, *_ALL)
def url_invalid(subject: Subject) -> Iterable[Finding]:
    """The index refuses links that are no ``http`` or ``https`` address, and labels of more than 32 characters."""
    from urllib.parse import urlsplit

    facts = _facts(subject)
    for label, url in facts.urls.items():
        try:
            parts = urlsplit(url.strip())
            good = parts.scheme.lower() in ("http", "https") and bool(parts.netloc)
        except ValueError:
            good = False
        if not good and url != "UNKNOWN":
            yield Finding(f"{url!r} is no address of a page", facts.place("urls", label))
        if len(label) > _LABEL or not label.strip():
            yield Finding(
                f"the label {label!r} is not of 1 to {_LABEL} characters", facts.place("urls", label)
            )


@check("url-label", "The label of a link is spelt almost right", WARNING, *_ALL)
def url_label(subject: Subject) -> Iterable[Finding]:
    """Indexes know some labels and show them with a sign of their own (PEP 753); a slip of one is just text."""
    facts = _facts(subject)
    for label in facts.urls:
        meant = _slip_of(label)
        if meant is not None:
            message = f"the label {label!r} is not one that indexes know"
            yield Finding(message, facts.place("urls", label), f"did you mean {meant!r}?")


def _slip_of(label: str) -> str | None:
    """The known label that ``label`` is almost.  One that holds a known word ("Documentation (stable)", "Sponsor me") is
    meant as it is, and hardly anybody gets the first letter wrong ("Resources")."""
    normal = _plain(label)
    words = {normal, *map(_plain, label.split()), normal.rstrip("0123456789")}
    words |= {f"{word}s" for word in words} | {word.removesuffix("s") for word in words}
    if words & _KNOWN.keys():
        return None
    close = get_close_matches(normal, _KNOWN, n=1, cutoff=0.85)
    return _KNOWN[close[0]] if close and close[0][0] == normal[0] else None


@check("requires-python-missing", "Nothing says which Pythons it runs on", WARNING, *_ALL)
def requires_python_missing(subject: Subject) -> Iterable[Finding]:
    """Without ``requires-python`` an old Python installs a release it cannot run, instead of the last one it could."""
    facts = _facts(subject)
    if not facts.requires_python and facts.name and "requires-python" not in facts.dynamic:
        hint = 'write requires-python = ">=3.10", or what is true'
        yield Finding("nothing says which Pythons it runs on", facts.place("requires-python"), hint)


@check("requires-python-cap", "requires-python shuts out Pythons to come", WARNING, *_ALL, fixable=True)
def requires_python_cap(subject: Subject) -> Iterable[Finding]:
    """An upper bound makes resolvers go back to a release from before the bound was written, which is no better.

    It cannot be taken back for what is published. ``--fix`` takes ``<4`` away; another bound may have its reason.
    """
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    facts = _facts(subject)
    try:
        clauses = list(SpecifierSet(facts.requires_python or ""))
    except InvalidSpecifier:
        return
    if lowest_python(facts.requires_python) is None:
        return  # it lets Python 2 in, and what was written for that has its bounds
    for cap in clauses:
        if cap.operator in ("<", "<=", "~=", "==", "==="):
            message = f"{cap} shuts out Pythons to come"
            edits = _without(facts.requires_python or "", str(cap)) if subject.kind == "project" else ()
            yield Finding(message, facts.place("requires-python"), "give a lower bound only", edits)


def _without(specifier: str, cap: str) -> tuple[Edit, ...]:
    """The edit that takes ``<4`` out of a specifier that says more than that; nothing for any other cap."""
    parts = [part.strip() for part in specifier.split(",")]
    rest = [part for part in parts if part.replace(" ", "") != cap]
    if not re.fullmatch(r"<4(\.0)*", cap) or not rest:
        return ()
    return (Edit("set", ("project", "requires-python"), ",".join(rest)),)


@check("dynamic-dependencies", "What it needs is known only after a build", ADVICE, "project", "sdist")
def dynamic_dependencies(subject: Subject) -> Iterable[Finding]:
    """A resolver that meets the sdist must run its build to learn what it needs (PEP 643). Write it down if it is fixed."""
    facts = _facts(subject)
    named = {
        "dependencies": "dependencies", "optional-dependencies": "optional-dependencies", "requires-python": "requires-python",
        "requires-dist": "dependencies", "provides-extra": "optional-dependencies",
    }  # fmt: skip
    found = dict.fromkeys(named[field] for field in facts.dynamic if field in named)
    if found:
        verb = "is" if list(found) == ["requires-python"] else "are"
        yield Finding(f"{' and '.join(found)} {verb} known only after a build", facts.place("dynamic"))


@check("keyword-comma", "A keyword holds a comma", WARNING, "project")
def keyword_comma(subject: Subject) -> Iterable[Finding]:
    """Metadata join keywords by commas, so one that holds a comma becomes two."""
    facts = _facts(subject)
    for number, word in enumerate(facts.keywords):
        if "," in word:
            yield Finding(f"{word!r} becomes {word.count(',') + 1} keywords", facts.place("keywords", number))


CHECKS = tuple(check.checks)
