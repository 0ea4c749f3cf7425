"""The test of a migration: whether the old and the new description build wheels with the same files and metadata.

A difference is told with the reason where it is what a migration is for (a licence classifier that became an
expression), so that whatever is left without one is a fault of the migration.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from accord.migrate.cased import CasedParser
from accord.wheels.fields import read_fields

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord_core.archive.wheel import Wheel

__all__ = ["Difference", "compare_wheels"]


@dataclass(frozen=True, slots=True)
class Difference:
    """``what`` differs (a file, a field), how it was and is; ``reason`` where it is meant, None where it is a fault."""

    what: str
    old: str | None
    new: str | None
    reason: str | None = None

    def as_dict(self) -> dict[str, str | None]:
        return {"what": self.what, "old": self.old, "new": self.new, "reason": self.reason}


def compare_wheels(old: Wheel, new: Wheel) -> tuple[Difference, ...]:
    """Every difference between two opened wheels: files by path and content, metadata by meaning, entry points."""
    found = [
        *_files(old, new),
        *_metadata(old.metadata_bytes(), new.metadata_bytes(), b"poetry" in old.info("WHEEL")),
        *_points(old, new),
    ]
    if _tags(old) != _tags(new):
        reason = (
            "the old wheel was tagged for Python 2 too"
            if _tags(new) == ("py3-none-any",) and any("py2" in tag for tag in _tags(old))
            else None
        )
        found.append(Difference("tags", " ".join(_tags(old)), " ".join(_tags(new)), reason))
    return tuple(found)


def _tags(wheel: Wheel) -> tuple[str, ...]:
    text = wheel.info("WHEEL").decode("utf-8", "replace")
    return tuple(sorted(re.findall(r"^Tag:\s*(\S+)", text, re.M)))


def _files(old: Wheel, new: Wheel) -> list[Difference]:
    mine, theirs = _contents(old), _contents(new)
    found: list[Difference] = []
    for path in sorted(mine.keys() | theirs.keys()):
        if mine.get(path) != theirs.get(path):
            reason = None
            if path.endswith((".so", ".pyd")) and path in mine and path in theirs:
                reason = "compiled: the bytes depend on the compiler's flags"
            found.append(
                Difference(
                    path,
                    "is there" if path in mine else None,
                    "is there, otherwise"
                    if path in mine and path in theirs
                    else "is there"
                    if path in theirs
                    else None,
                    reason,
                )
            )
    return found


def _contents(wheel: Wheel) -> dict[str, str]:
    """Digest of each file; ``.data`` folders under one name, metadata left out, scripts without their first line."""
    found: dict[str, str] = {}
    for member in wheel.members:
        path = member.name
        if path.startswith(f"{wheel.dist_info}/") or path.endswith("/"):
            continue
        place = re.sub(r"^[^/]+\.data/(purelib|platlib)/", "", path)
        place = re.sub(r"^[^/]+\.data/", "{data}/", place)
        row = wheel.rows.get(path)
        found[place] = str(row)
    return found


def _points(old: Wheel, new: Wheel) -> list[Difference]:
    mine, theirs = _entries(old), _entries(new)
    return (
        [Difference("entry points", str(sorted(mine - theirs)), str(sorted(theirs - mine)))]
        if mine != theirs
        else []
    )


def _entries(wheel: Wheel) -> set[tuple[str, str, str]]:
    member = next(
        (each for each in wheel.members if each.name == f"{wheel.dist_info}/entry_points.txt"), None
    )
    if member is None:
        return set()
    parser = CasedParser(delimiters=("=",), strict=False)
    parser.read_string(wheel.read(member).decode())
    return {
        (section, name, re.sub(r"\s*([:\[\],])\s*", r"\1", value))
        for section in parser.sections()
        for name, value in parser.items(section)
    }


# ---------------------------------------------------------------- metadata

_PROPER = {
    name.lower(): name
    for name in ("Author-email", "Maintainer-email", "Home-page", "Download-URL", "Project-URL", "Description-Content-Type",
                 "Requires-Dist", "Requires-Python", "Requires-External", "Provides-Extra", "License-Expression", "License-File",
                 "Metadata-Version", "Import-Name", "Import-Namespace", "Provides-Dist", "Obsoletes-Dist")
}  # fmt: skip

_PEOPLE = ("Author", "Author-email", "Maintainer", "Maintainer-email")
_LINKS = ("Home-page", "Download-URL", "Project-URL")
_MEANT = {
    "Metadata-Version": "each backend writes the metadata version it knows",
    "Dynamic": "which fields a build may change is the backend's to say",
    "License-File": "licence files are listed since metadata 2.4 (PEP 639)",
    "Import-Name": "import names are listed since metadata 2.5 (PEP 794)",
    "Import-Namespace": "import names are listed since metadata 2.5 (PEP 794)",
    "Description-Content-Type": "a readme names its format; what was empty meant the same",
}  # fmt: skip


def _metadata(old: bytes, new: bytes, by_poetry: bool) -> list[Difference]:
    mine, theirs = _fields(old), _fields(new)
    found: list[Difference] = []
    for key in sorted(mine.keys() | theirs.keys()):
        if key in (
            *_PEOPLE,
            *_LINKS,
            "License",
            "License-Expression",
            "Classifier",
            "Requires-Dist",
            "Description",
            "Provides-Extra",
            "Keywords",
        ):
            continue
        if mine.get(key) != theirs.get(key):
            reason = _MEANT.get(key)
            if key == "License-File":
                lost = set(mine.get(key, ())) - set(theirs.get(key, ()))
                if set(mine.get(key, ())) == set(theirs.get(key, ())):
                    continue
                reason = None if lost else reason
            if key == "Description-Content-Type" and key in mine and _kind(mine) != _kind(theirs):
                reason = None
            if key == "Requires-Python" and _specifiers(mine) == _specifiers(theirs):
                continue
            if key == "Summary" and " ".join(" ".join(mine.get(key, ())).split()) == " ".join(
                " ".join(theirs.get(key, ())).split()
            ):
                continue
            found.append(Difference(key, _shown(mine.get(key)), _shown(theirs.get(key)), reason))
    found += _set_difference("people", _people(mine), _people(theirs))
    found += _set_difference("links", _urls(mine), _urls(theirs))
    found += _licence(mine, theirs, by_poetry)
    before, after = _requirements(mine), _requirements(theirs)
    plain = {
        re.sub(
            r'(?: and )?(?:platform_|sys_|os_|python_|implementation_)\w+ [!<>=]=? "[^"]*"', "", each
        ).replace("; and ", "; ")
        for each in after
    }
    reason = (
        "what setup.py decided while it ran is a marker now" if before == plain and before != after else None
    )
    if by_poetry and _same_ranges(before - after, after - before):
        reason = "Poetry writes a range of versions in other words; it allows the same versions"
    found += _set_difference("requirements", before, after, reason)
    found += _set_difference(
        "extras",
        {_name(each) for each in mine.get("Provides-Extra", ())},
        {_name(each) for each in theirs.get("Provides-Extra", ())},
    )
    found += _set_difference("keywords", _keywords(mine), _keywords(theirs))
    if _description(mine) != _description(theirs):
        found.append(
            Difference(
                "Description",
                f"{len(_description(mine)):,} letters",
                f"{len(_description(theirs)):,} letters",
            )
        )
    return found


def _kind(fields: dict[str, list[str]]) -> str:
    return (fields.get("Description-Content-Type") or [""])[0].partition(";")[0].strip().lower()


def _fields(data: bytes) -> dict[str, list[str]]:
    """Fields by the spelling of the standard; empty ones, and the ``UNKNOWN`` of old tools, count as absent."""
    found: dict[str, list[str]] = {}
    for key, value in read_fields(data).pairs:
        if value.strip() not in ("", "UNKNOWN"):
            found.setdefault(_PROPER.get(key.lower(), key.title()), []).append(value)
    if "Description" in found:  # the body counts where a header has one too
        found["Description"] = found["Description"][-1:]
    return found


def _shown(values: list[str] | None) -> str | None:
    return None if values is None else "; ".join(values)[:200]


def _set_difference(
    what: str, mine: set[str], theirs: set[str], reason: str | None = None
) -> list[Difference]:
    if mine == theirs:
        return []
    return [
        Difference(
            what, ", ".join(sorted(mine - theirs)) or None, ", ".join(sorted(theirs - mine)) or None, reason
        )
    ]


def _people(fields: dict[str, list[str]]) -> set[str]:
    """Names and addresses with their role, however they are spread over the fields."""
    import email.header
    from email.utils import getaddresses

    found: set[str] = set()
    for key in _PEOPLE:
        for text in fields.get(key, ()):
            role = key.partition("-")[0]
            text = str(email.header.make_header(email.header.decode_header(text)))
            if key.endswith("-email"):
                pairs = getaddresses([text.replace(";", ",")])
                found |= {
                    f"{role} {part.strip()}"
                    for pair in pairs
                    for each in pair
                    for part in each.split(",")
                    if part.strip()
                }
            else:
                found |= {
                    f"{role} {part.strip()}" for part in re.split(r",\s*(?:and\s+)?", text) if part.strip()
                }
    return found


def _urls(fields: dict[str, list[str]]) -> set[str]:
    found = {f"homepage {each.strip()}" for each in fields.get("Home-page", ())}
    found |= {f"download {each.strip()}" for each in fields.get("Download-URL", ())}
    for each in fields.get("Project-URL", ()):
        label, _, url = each.partition(",")
        found |= {f"{re.sub(r'[^a-z0-9]', '', label.lower())} {url.strip()}"}
    return found


def _licence(mine: dict[str, list[str]], theirs: dict[str, list[str]], by_poetry: bool) -> list[Difference]:
    old = [each for each in mine.get("Classifier", ()) if each.startswith("License ::")]
    new = [each for each in theirs.get("Classifier", ()) if each.startswith("License ::")]
    found: list[Difference] = []
    plain = [
        {each for each in fields.get("Classifier", ()) if not each.startswith("License ::")}
        for fields in (mine, theirs)
    ]
    pythons = all(each.startswith("Programming Language :: Python") for each in plain[0] ^ plain[1])
    poetry = "poetry adds classifiers of the Pythons it knows by itself" if pythons and by_poetry else None
    found += _set_difference("classifiers", plain[0], plain[1], poetry)
    before = [*mine.get("License", ()), *mine.get("License-Expression", ()), *old]
    after = [*theirs.get("License", ()), *theirs.get("License-Expression", ()), *new]
    if before != after:
        reason = (
            "the licence is an SPDX expression now (PEP 639)" if theirs.get("License-Expression") else None
        )
        found.append(
            Difference("licence", "; ".join(before)[:120] or None, "; ".join(after)[:120] or None, reason)
        )
    return found


def _requirements(fields: dict[str, list[str]]) -> set[str]:
    from packaging.requirements import InvalidRequirement, Requirement

    found: set[str] = set()
    for text in fields.get("Requires-Dist", ()):
        try:
            each = Requirement(text)
        except InvalidRequirement:
            found |= {text}
            continue
        marker = re.sub(r"[()]", "", str(each.marker)).replace("'", '"') if each.marker else ""
        extra_only = re.findall(r'extra == "([^"]+)"', marker)
        if " or " in marker and re.fullmatch(r'extra == "[^"]+"(?: or extra == "[^"]+")*', marker):
            found |= {
                f'{_name(each.name)}[{",".join(sorted(map(_name, each.extras)))}]{each.specifier}{each.url or ""}; extra == "{_name(extra)}"'
                for extra in extra_only
            }
            continue
        parts = sorted(part.strip() for part in marker.split(" and ")) if " or " not in marker else [marker]
        parts = [
            re.sub(r'extra == "([^"]+)"', lambda match: f'extra == "{_name(match[1])}"', part)
            for part in parts
        ]
        extras = ",".join(sorted(map(_name, each.extras)))
        found |= {f"{_name(each.name)}[{extras}]{each.specifier}{each.url or ''}; {' and '.join(parts)}"}
    return found


def _same_ranges(mine: set[str], theirs: set[str]) -> bool:
    """Whether each requirement of one has its like in the other: the same project, extras and marker, and of the versions
    around every bound of both the same ones allowed."""
    from packaging.specifiers import SpecifierSet

    def split(text: str) -> tuple[str, str, str]:
        head, _, marker = text.partition("; ")
        name, _, specifier = head.partition("]")
        return name, marker, specifier

    ours = {split(each)[:2]: split(each)[2] for each in mine}
    others = {split(each)[:2]: split(each)[2] for each in theirs}
    if ours.keys() != others.keys() or not ours or any("@" in each for each in (*mine, *theirs)):
        return False
    for key, specifier in ours.items():
        bounds = sorted(set(re.findall(r"\d+(?:\.\d+)*", f"{specifier} {others[key]}")))
        around = [
            f"{each}{more}"
            for each in bounds
            for more in ("", ".dev0", "a1", ".post1", ".1", ".1.dev0", ".0.1")
        ]
        sets = [SpecifierSet(text, prereleases=True) for text in (specifier, others[key])]
        if any(sets[0].contains(each) != sets[1].contains(each) for each in around):
            return False
    return True


def _specifiers(fields: dict[str, list[str]]) -> set[str]:
    return {
        part.strip().replace(" ", "")
        for text in fields.get("Requires-Python", ())
        for part in text.split(",")
    }


def _keywords(fields: dict[str, list[str]]) -> set[str]:
    return {part.strip() for text in fields.get("Keywords", ()) for part in text.split(",") if part.strip()}


def _name(text: str) -> str:
    return re.sub(r"[-_.]+", "-", text).lower()


def _description(fields: dict[str, list[str]]) -> str:
    text = "".join(fields.get("Description", ()))
    lines = "\n".join(line.strip() for line in text.strip().splitlines())
    return re.sub(r"\n{3,}", "\n\n", lines)  # one empty line or several are the same to every markup
