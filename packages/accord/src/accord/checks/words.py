"""Checks of classifiers and readme, by the index's own lists and renderer (the extra ``check`` brings them)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from difflib import get_close_matches

from accord.checks.facts import readme_type
from accord.checks.model import ADVICE, ERROR, WARNING, Edit, Finding, Register
from accord.checks.subjects import ProjectSubject, Subject

__all__ = ["CHECKS"]

check = Register()
_ALL = ("project", "sdist", "wheel")
_AT = ("project", "classifiers")
_TYPES = ("text/markdown", "text/x-rst", "text/plain")
_PYTHON = re.compile(r"Programming Language :: Python :: (\d)\.(\d+)")


def _has_classifiers(subject: Subject) -> bool:
    return bool(subject.facts and subject.facts.classifiers)


def _fix(subject: Subject, *edits: Edit) -> tuple[Edit, ...]:
    return edits if isinstance(subject, ProjectSubject) else ()


@check(
    "classifier-unknown", "A classifier is not on the list", ERROR, *_ALL,
    needs=("trove_classifiers",), concerns=_has_classifiers,
)  # fmt: skip
def classifier_unknown(subject: Subject) -> Iterable[Finding]:
    """The index refuses classifiers that are not on its list. Those that begin with ``Private ::`` have a check of their own."""
    import trove_classifiers

    known = set(trove_classifiers.classifiers)
    folded = {one.lower().replace(" ", ""): one for one in known}
    assert subject.facts is not None
    for number, one in enumerate(subject.facts.classifiers):
        if one in known or one in trove_classifiers.deprecated_classifiers or one.startswith("Private ::"):
            continue
        close = folded.get(one.lower().replace(" ", "")) or next(
            iter(get_close_matches(one, known, n=1, cutoff=0.75)), None
        )
        hint = f"did you mean {close!r}?" if close else "the index lists those there are"
        yield Finding(f"{one!r} is no classifier", subject.facts.place("classifiers", number), hint)


@check(
    "classifier-deprecated", "A classifier is deprecated", ERROR, *_ALL, fixable=True,
    needs=("trove_classifiers",), concerns=_has_classifiers,
)  # fmt: skip
def classifier_deprecated(subject: Subject) -> Iterable[Finding]:
    """The index refuses classifiers that were replaced by others. ``--fix`` writes the one that took its place.

    Files are judged by today's list, so an old one may be refused today although it was accepted once.
    """
    import trove_classifiers

    assert subject.facts is not None
    for number, one in enumerate(subject.facts.classifiers):
        if one not in trove_classifiers.deprecated_classifiers:
            continue
        instead = list(trove_classifiers.deprecated_classifiers[one])
        edits = _fix(subject, Edit("replace-item", _AT, instead[0], item=one)) if len(instead) == 1 else ()
        hint = f"write {' or '.join(map(repr, instead))}" if instead else "leave it out"
        yield Finding(f"{one!r} is deprecated", subject.facts.place("classifiers", number), hint, edits)


@check("classifier-private", "A classifier forbids publishing", ADVICE, *_ALL)
def classifier_private(subject: Subject) -> Iterable[Finding]:
    """The public index refuses what has a classifier ``Private ::``. If that is what it is there for, all is well."""
    for number, one in enumerate(subject.facts.classifiers if subject.facts else ()):
        if one.startswith("Private ::") and subject.facts:
            message = f"{one!r} keeps it out of the public index"
            yield Finding(message, subject.facts.place("classifiers", number))


@check("classifier-duplicate", "A classifier stands twice", ADVICE, *_ALL, fixable=True)
def classifier_duplicate(subject: Subject) -> Iterable[Finding]:
    """Once is enough. ``--fix`` takes the second one away."""
    facts = subject.facts
    for one, times in Counter(facts.classifiers if facts else ()).items():
        if times > 1 and facts:
            edits = _fix(subject, *[Edit("remove-item", _AT, item=one)] * (times - 1))
            place = facts.place("classifiers", facts.classifiers.index(one))
            yield Finding(f"{one!r} stands {times} times", place, "once is enough", edits)


@check("classifier-python", "Classifiers and requires-python disagree", WARNING, *_ALL, fixable=True)
def classifier_python(subject: Subject) -> Iterable[Finding]:
    """A classifier promises a Python that ``requires-python`` refuses. ``--fix`` believes ``requires-python``."""
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    facts = subject.facts
    if facts is None or not facts.requires_python:
        return
    try:
        wanted = SpecifierSet(facts.requires_python)
    except InvalidSpecifier:
        return
    for number, one in enumerate(facts.classifiers):
        found = _PYTHON.fullmatch(one)
        if found and not any(wanted.contains(f"{found[1]}.{found[2]}.{micro}") for micro in range(100)):
            yield Finding(
                f"{one!r} is promised, and requires-python {facts.requires_python} refuses it",
                facts.place("classifiers", number),
                "leave it out",
                _fix(subject, Edit("remove-item", _AT, item=one)),
            )


# -- readme --------------------------------------------------------------------------------------------------


@check("readme-missing", "There is no readme", WARNING, *_ALL)
def readme_missing(subject: Subject) -> Iterable[Finding]:
    """The readme is the page of the project on the index; without it the page is empty."""
    facts = subject.facts
    if (
        facts is not None
        and facts.readme is None
        and facts.name
        and not {"readme", "description"} & set(facts.dynamic)
    ):
        found = next(
            (path for path in subject.files if re.fullmatch(r"(?i)readme\.(md|rst|txt)", path)), None
        )
        hint = f'write readme = "{found or "README.md"}"'
        yield Finding("the page on the index would be empty", facts.place("readme"), hint)


@check("readme-file", "The readme cannot be read", ERROR, "project")
def readme_file(subject: ProjectSubject) -> Iterable[Finding]:
    """Builders stop where ``readme`` names a file that is not there or not UTF-8."""
    readme = subject.facts.readme if subject.facts else None
    if readme is not None and readme.text is None:
        fault = "is not there" if readme.absent else "is not UTF-8"
        yield Finding(f"the readme {readme.file} {fault}", readme.where)


@check("readme-type", "Nobody knows the type of the readme", ERROR, *_ALL)
def readme_kind(subject: Subject) -> Iterable[Finding]:
    """The index shows Markdown, reStructuredText and plain text, and refuses other content types."""
    readme = subject.facts.readme if subject.facts else None
    if readme is None or readme.absent:
        return
    if not readme.content_type:
        if subject.kind == "project":
            hint = "name it README.md, README.rst or README.txt, or give content-type"
            yield Finding(f"the suffix of {readme.file or 'the readme'} says no type", readme.where, hint)
        return
    kind, parameters = readme_type(readme.content_type)
    hint = f"one of {', '.join(_TYPES)}"
    if kind not in _TYPES:
        yield Finding(f"{readme.content_type!r} is not a type the index shows", readme.where, hint)
    if parameters.get("charset", "utf-8").lower() != "utf-8":
        yield Finding("the charset of a readme is UTF-8", readme.where)
    if kind == "text/markdown" and parameters.get("variant", "GFM").lower() not in ("gfm", "commonmark"):
        yield Finding(
            f"there is no variant {parameters['variant']!r} of Markdown", readme.where, "GFM or CommonMark"
        )


def _renders(subject: Subject) -> bool:
    readme = subject.facts.readme if subject.facts else None
    return readme is not None and bool(readme.text) and not readme.content_type.startswith("text/plain")


@check(
    "readme-render",
    "The readme does not render",
    ERROR,
    *_ALL,
    needs=("readme_renderer", "comrak"),
    concerns=_renders,
)
def readme_render(subject: Subject) -> Iterable[Finding]:
    """The index refuses a description it cannot render; this asks the index's own renderer.

    reStructuredText has many ways to be wrong, and raw HTML and ``include`` are not allowed there.
    """
    from accord.checks.rendering import first_fault

    readme = subject.facts.readme if subject.facts else None
    assert readme is not None
    if len(readme.text or "") > subject.limits.rendered_characters:
        return  # ``not-examined`` says so
    kind, parameters = readme_type(readme.content_type or "text/x-rst")
    fault = first_fault(readme.text or "", kind, parameters.get("variant", "GFM"))
    if fault is not None:
        line, message = fault
        where = subject.where(readme.file, line=line) if readme.file else readme.where
        as_type = "" if readme.content_type else ", as reStructuredText because no content type is given"
        yield Finding(f"it does not render: {message}{as_type}", where)


CHECKS = tuple(check.checks)
