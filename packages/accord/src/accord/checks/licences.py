"""Checks of what a project says about its licence: an SPDX expression and the files that go with it (PEP 639)."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable

from accord.checks.model import ADVICE, ERROR, WARNING, Edit, Finding, Register, listed
from accord.checks.subjects import ProjectSubject, SdistSubject, Subject, WheelSubject

__all__ = ["CHECKS"]

check = Register()
_PREFIX = "License :: "
# Only those that mean one licence; "BSD License" and "Apache Software License" are families.
_OF_CLASSIFIER = {
    "License :: OSI Approved :: MIT License": "MIT",
    "License :: OSI Approved :: MIT No Attribution License (MIT-0)": "MIT-0",
    "License :: OSI Approved :: ISC License (ISCL)": "ISC",
    "License :: OSI Approved :: Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "License :: OSI Approved :: GNU General Public License v2 (GPLv2)": "GPL-2.0-only",
    "License :: OSI Approved :: GNU General Public License v2 or later (GPLv2+)": "GPL-2.0-or-later",
    "License :: OSI Approved :: GNU General Public License v3 (GPLv3)": "GPL-3.0-only",
    "License :: OSI Approved :: GNU General Public License v3 or later (GPLv3+)": "GPL-3.0-or-later",
    "License :: OSI Approved :: GNU Lesser General Public License v3 (LGPLv3)": "LGPL-3.0-only",
    "License :: OSI Approved :: GNU Lesser General Public License v3 or later (LGPLv3+)": "LGPL-3.0-or-later",
    "License :: OSI Approved :: GNU Affero General Public License v3": "AGPL-3.0-only",
    "License :: OSI Approved :: GNU Affero General Public License v3 or later (AGPLv3+)": "AGPL-3.0-or-later",
    "License :: OSI Approved :: Eclipse Public License 2.0 (EPL-2.0)": "EPL-2.0",
    "License :: OSI Approved :: Boost Software License 1.0 (BSL-1.0)": "BSL-1.0",
    "License :: OSI Approved :: The Unlicense (Unlicense)": "Unlicense",
    "License :: OSI Approved :: Universal Permissive License (UPL)": "UPL-1.0",
}
_OF_TEXT = {
    "mit license": "MIT", "the mit license": "MIT", "apache 2.0": "Apache-2.0", "apache license 2.0": "Apache-2.0",
    "apache license, version 2.0": "Apache-2.0", "apache 2": "Apache-2.0", "bsd 3-clause": "BSD-3-Clause",
    "bsd-3 clause": "BSD-3-Clause", "3-clause bsd": "BSD-3-Clause", "bsd 2-clause": "BSD-2-Clause", "mpl 2.0": "MPL-2.0",
    "isc license": "ISC",
}  # fmt: skip
_BACKENDS = ("setuptools", "hatchling", "flit-core", "poetry-core", "pdm-backend", "maturin", "uv-build")
_REPLACED = re.compile(r"((?:GPL|LGPL|AGPL|GFDL)-\d\.\d)\+?", re.IGNORECASE)
_LICENCE_FILE = re.compile(r"(LICEN[CS]E|COPYING|UNLICEN[CS]E|NOTICE|AUTHORS|LICEN[CS]ES)", re.IGNORECASE)


def _expression(text: str) -> str | None:
    """The SPDX expression a text is or clearly means."""
    from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

    words = " ".join(text.split())
    try:
        return str(canonicalize_license_expression(_OF_TEXT.get(words.lower(), words)))
    except InvalidLicenseExpression:
        return None


def _classifiers(subject: Subject) -> list[str]:
    return [one for one in (subject.facts.classifiers if subject.facts else ()) if one.startswith(_PREFIX)]


def _meant(subject: ProjectSubject) -> str | None:
    """The one expression that all places of the older form mean, None where that is not sure or nothing could read it."""
    facts = subject.facts
    if facts is None or not _backend_reads_expressions(subject):
        return None
    if facts.license is not None:
        return _expression(facts.license)
    said = {_OF_CLASSIFIER.get(one) for one in _classifiers(subject) if one != "License :: OSI Approved"}
    if facts.license_text is not None:
        said.add(_expression(facts.license_text))
    return said.pop() if len(said) == 1 else None


def _backend_reads_expressions(subject: ProjectSubject) -> bool:
    """Whether the newest release of the backend is allowed: all of them read PEP 639 today."""
    from packaging.requirements import InvalidRequirement, Requirement
    from packaging.utils import canonicalize_name

    requires = subject.table("build-system").get("requires")
    for line in requires if isinstance(requires, list) else []:
        try:
            requirement = Requirement(str(line))
        except InvalidRequirement:
            return False
        capped = not requirement.specifier.contains("999", prereleases=True)
        if canonicalize_name(requirement.name) in _BACKENDS and capped:
            return False
    return isinstance(requires, list)


def _write(meant: str | None) -> str:
    return (
        f'write license = "{meant}"'
        if meant
        else 'write the SPDX expression: license = "BSD-3-Clause", or yours'
    )


@check("license-missing", "Nothing says under which licence it is", WARNING, "project", "sdist", "wheel")
def license_missing(subject: Subject) -> Iterable[Finding]:
    """Without a licence nobody may use it. Write an SPDX expression: ``license = "MIT"``.

    Not asked of a program that is run where it lies, nor of what the classifier ``Private :: Do Not Upload`` keeps at home.
    """
    facts = subject.facts
    if (
        facts is None
        or not subject.public
        or facts.license
        or facts.license_text
        or _classifiers(subject)
        or "license" in facts.dynamic
    ):
        return
    if isinstance(subject, ProjectSubject) and "license" in subject.table("project"):
        return
    yield Finding(
        "nothing says under which licence it is", facts.place("license"), 'write license = "MIT", or yours'
    )


@check(
    "license-deprecated",
    "The licence has an identifier that was replaced",
    WARNING,
    "project",
    "sdist",
    "wheel",
)
def license_deprecated(subject: Subject) -> Iterable[Finding]:
    """SPDX replaced identifiers that leave open whether a later version of the licence may be chosen; builders warn of them
    (PEP 639), and the index may refuse them.
    """
    facts = subject.facts
    for word in re.findall(r"[\w.+-]+", facts.license or "" if facts else ""):
        found = _REPLACED.fullmatch(word)
        if found and facts:
            instead = f"{found[1]}-or-later" if word.endswith("+") else f"{found[1]}-only"
            yield Finding(
                f"{word} was replaced", facts.place("license"), f"write {instead}, if that is what you mean"
            )


@check("license-table", "The licence is a table", WARNING, "project", fixable=True)
def license_table(subject: ProjectSubject) -> Iterable[Finding]:
    """``license = {text = …}`` and ``{file = …}`` are replaced by an SPDX expression and ``license-files`` (PEP 639).

    ``--fix`` writes the expression where text and classifiers leave no doubt about it.
    """
    table = subject.table("project").get("license")
    if not isinstance(table, dict):
        return
    at = ("project", "license")
    meant = _meant(subject)
    edits: tuple[Edit, ...] = ()
    if meant is not None:
        edits = (Edit("set", at, meant),)
        file = table.get("file")
        if isinstance(file, str) and "license-files" not in subject.table("project"):
            edits += (Edit("set", ("project", "license-files"), [file]),)
    hint = _write(meant)
    yield Finding("a licence table is the older form", subject.place(at), hint, edits)


@check("license-classifier", "The licence is a classifier", WARNING, "project", fixable=True)
def license_classifier(subject: ProjectSubject) -> Iterable[Finding]:
    """Classifiers of licences are deprecated (PEP 639), and builders refuse them beside an SPDX expression.

    ``--fix`` takes them away where there is an expression, or where they leave no doubt which one they mean.
    """
    found = _classifiers(subject)
    if not found:
        return
    meant = _meant(subject)
    edits = tuple(Edit("remove-item", ("project", "classifiers"), item=one) for one in found) if meant else ()
    if meant and "license" not in subject.table("project"):
        edits += (Edit("set", ("project", "license"), meant),)
    yield Finding(
        f"{listed(found)}: classifiers of licences are deprecated",
        subject.place(("project", "classifiers", list(subject.facts.classifiers).index(found[0]))),  # type: ignore[union-attr]
        _write(meant),
        edits,
    )


@check("license-file-missing", "The text of the licence is not there", WARNING, "project", "sdist", "wheel")
def license_file_missing(subject: Subject) -> Iterable[Finding]:
    """Most licences ask that their text travels with the code. Put it into ``LICENSE``; builders find it by its name."""
    named = subject.facts.license_files if subject.facts else None
    if isinstance(subject, WheelSubject):
        inside = [path for path in subject.files if path.startswith(f"{subject.dist_info}/")]
        there = any(_LICENCE_FILE.match(path.rpartition("/")[2]) or "/licenses/" in path for path in inside)
    else:
        tops = [path for path in subject.files if path.count("/") <= 1]
        there = any(
            _LICENCE_FILE.match(path) or _LICENCE_FILE.match(path.rpartition("/")[2]) for path in tops
        )
    if not there and not named and subject.public:
        yield Finding("the text of the licence is not there", subject.where(), "put it into a file LICENSE")


@check("license-file-unmatched", "license-files names what is not there", ERROR, "project")
def license_file_unmatched(subject: ProjectSubject) -> Iterable[Finding]:
    """A pattern of ``license-files`` that matches no file is an error (PEP 639), and builders stop at it."""
    for number, pattern in enumerate(subject.facts.license_files or () if subject.facts else ()):
        if not any(_matches(path, pattern) for path in subject.files):
            at = ("project", "license-files", number)
            yield Finding(f"no file matches {pattern!r}", subject.place(at), "correct it, or add the file")


def _matches(path: str, pattern: str) -> bool:
    """Globs of PEP 639: ``*`` stays within a folder, ``**`` does not."""
    if "**" in pattern:
        return fnmatch.fnmatchcase(path, pattern.replace("**/", "*").replace("**", "*"))
    return path.count("/") == pattern.count("/") and fnmatch.fnmatchcase(path, pattern)


@check("license-file-absent", "The metadata name licence files that are not there", ERROR, "sdist", "wheel")
def license_file_absent(subject: SdistSubject | WheelSubject) -> Iterable[Finding]:
    """The index refuses archives of metadata 2.4 and later that do not hold each ``License-File`` (PEP 639)."""
    if subject.facts is None or subject.metadata is None or not _since_2_4(subject.metadata):
        return
    folder = f"{subject.dist_info}/licenses/" if isinstance(subject, WheelSubject) else ""
    for name in subject.facts.license_files or ():
        if f"{folder}{name}" not in subject.files:
            yield Finding(f"License-File: {name} is not in the archive", subject.facts.place("License-File"))


def _since_2_4(metadata: bytes) -> bool:
    found = re.match(rb"(?i)metadata-version:\s*(\d+)\.(\d+)", metadata)
    return found is not None and (int(found[1]), int(found[2])) >= (2, 4)


@check("license-field-long", "The text of the licence stands in the metadata", ADVICE, "sdist", "wheel")
def license_field_long(subject: Subject) -> Iterable[Finding]:
    """Every page and listing carries the metadata. Name the licence by its SPDX expression and ship its text as a file."""
    text = subject.facts.license_text if subject.facts else None
    if text and len(text) > 400 and subject.facts:
        message = f"the field License holds {len(text)} characters"
        yield Finding(message, subject.facts.place("License"), "write an SPDX expression, and license-files")


CHECKS = tuple(check.checks)
