"""What the form of an upload says, held against what the file says: the file is right, and a difference is refused.

Clients spell one thing in several ways, and all spellings that mean the same are the same here: names and extras are
normalised, versions and specifiers in normal form, requirements and classifiers are sets, blanks do not count.  A field
that is not sent, or sent empty, says nothing.  What describes the form and not the file is not looked at: ``metadata_version``
(flit's forms are of another than its files), ``pyversion``, ``comment``, signatures, and ``requires``, ``provides`` and
``obsoletes``, which the standard gave up and clients make up.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_version

from accord.server.errors import Refused
from accord_core.names import normalise

if TYPE_CHECKING:
    from accord.server.archives.examine import Examined
    from accord.server.upload.receive import Form

__all__ = ["compare"]

_SHOWN = 300  # letters of a value
_DIGESTS = {"sha256_digest": "sha256", "md5_digest": "md5", "blake2_256_digest": "blake2b_256"}
_KINDS = {"sdist": "sdist", "bdist_wheel": "wheel"}


def _text(value: str) -> Hashable:
    return " ".join(value.split())


def _words(value: str) -> Hashable:
    return frozenset(word.lower() for word in value.replace(",", " ").split())


def _requirement(value: str) -> Hashable:
    try:
        found = Requirement(value)
    except InvalidRequirement:
        return _text(value)
    extras = frozenset(normalise(one) for one in found.extras)
    return normalise(found.name), extras, found.specifier, found.url, str(found.marker or "")


def _specifier(value: str) -> Hashable:
    try:
        return SpecifierSet(value)
    except InvalidSpecifier:
        return _text(value)


def _url(value: str) -> Hashable:
    label, comma, url = value.partition(",")
    return (label.strip(), url.strip()) if comma else value.strip()


def _media_type(value: str) -> Hashable:
    return frozenset(part.strip().lower() for part in value.split(";"))


# Of a form's field: the field of the metadata, and what two spellings of one value have in common.
_FIELDS: dict[str, tuple[str, Callable[[str], Hashable]]] = {
    "name": ("Name", normalise),
    "version": ("Version", lambda value: canonicalize_version(value.strip(), strip_trailing_zero=False)),
    "summary": ("Summary", _text),
    "description": ("Description", _text),
    "description_content_type": ("Description-Content-Type", _media_type),
    "keywords": ("Keywords", _words),
    "home_page": ("Home-page", _text),
    "download_url": ("Download-URL", _text),
    "author": ("Author", _text),
    "author_email": ("Author-email", _text),
    "maintainer": ("Maintainer", _text),
    "maintainer_email": ("Maintainer-email", _text),
    "license": ("License", _text),
    "license_expression": ("License-Expression", _text),
    "license_file": ("License-File", _text),
    "license_files": ("License-File", _text),
    "classifiers": ("Classifier", _text),
    "platform": ("Platform", _text),
    "supported_platform": ("Supported-Platform", _text),
    "requires_python": ("Requires-Python", _specifier),
    "requires_dist": ("Requires-Dist", _requirement),
    "provides_dist": ("Provides-Dist", _requirement),
    "obsoletes_dist": ("Obsoletes-Dist", _requirement),
    "requires_external": ("Requires-External", _text),
    "project_urls": ("Project-URL", _url),
    "provides_extra": ("Provides-Extra", normalise),
    "provides_extras": ("Provides-Extra", normalise),
    "dynamic": ("Dynamic", lambda value: value.strip().lower()),
    "import_names": ("Import-Name", _text),
    "import_namespaces": ("Import-Namespace", _text),
}
_NOTHING = frozenset(("", "UNKNOWN", "None"))  # what tools of old send for what is not there


def compare(form: Form, examined: Examined) -> None:
    """Raises ``Refused("upload-form-disagrees")`` (400), with both values of every field that differs."""
    faults = [*_of_file(form, examined), *_of_metadata(form, examined)]
    if faults:
        raise Refused(
            400,
            "upload-form-disagrees",
            faults[0] + (f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""),
            context=tuple(faults[:50]),
            hint="build and upload again with one tool: an index shows what the file says",
        )


def _of_file(form: Form, examined: Examined) -> list[str]:
    faults = []
    for key, name in _DIGESTS.items():
        said, value = (form.first(key) or "").strip().lower(), getattr(examined, name)
        if said and said != value:
            faults.append(f"the form says {key} {said!r:.{_SHOWN}}, the file has {value!r}")
    said = (form.first("filetype") or "").strip()
    if said and _KINDS.get(said) != examined.kind:
        faults.append(f"the form says filetype {said!r:.{_SHOWN}}, the file is of kind {examined.kind!r}")
    return faults


def _of_metadata(form: Form, examined: Examined) -> list[str]:
    faults = []
    for key, (name, meaning) in _FIELDS.items():
        said = _given(form.fields.get(key, ()))
        if not said:
            continue
        there = _given(examined.fields.all(name))
        if {meaning(one) for one in said} != {meaning(one) for one in there}:
            faults.append(f"the form says {key} {_shown(said)}, the file says {_shown(there)}")
    return faults


def _given(values: object) -> list[str]:
    return [value for value in values if value.strip() not in _NOTHING]  # type: ignore[attr-defined]


def _shown(values: list[str]) -> str:
    return (repr(values[0]) if len(values) == 1 else repr(values) if values else "nothing")[:_SHOWN]
