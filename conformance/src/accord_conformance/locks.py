"""What a lock file (pylock.toml) is made of, read as the specification has it: what is wrong with its form, and what it installs where.

Pure functions of the document.  Each check has a name, so that a case asks about one sentence at a time.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from urllib.parse import unquote, urlsplit

from accord_conformance.markers import ENVIRONMENTS, MarkerError, evaluate, fields, here
from accord_conformance.names import normal
from accord_conformance.versions import admits, is_version

__all__ = ["CHECKS", "FILE_NAME", "chosen", "environment", "files_named", "lock_is_for"]

FILE_NAME = re.compile(r"pylock\.([^.]+\.)?toml")
_SOURCES = ("vcs", "directory", "archive")
_WHEEL_NAME = re.compile(r"[^-]+-[^-]+(-\d[^-]*)?-[^-]+-[^-]+-[^-]+\.whl")
Document = Mapping[str, Any]


def environment(name: str, extras: Iterable[str], groups: Iterable[str]) -> dict[str, Any]:
    """The marker environment of that name ("here", "windows-3.12") with what is chosen."""
    found = here() if name == "here" else ENVIRONMENTS[name]
    return {**found, "extras": list(extras), "dependency_groups": list(groups)}


def chosen(document: Document, where: Mapping[str, Any]) -> dict[str, list[str]]:
    """The versions ("" for none) that would be installed there, by project; two for one project are a fault of the lock."""
    found: dict[str, list[str]] = {}
    for package in document.get("packages", []):
        marker = package.get("marker")
        if marker is None or evaluate(marker, where):
            found.setdefault(package["name"], []).append(package.get("version", ""))
    return found


def _tables(value: Any) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _packages(document: Document) -> list[dict[str, Any]]:
    return _tables(document.get("packages"))


def _files(document: Document) -> Iterable[tuple[str, dict[str, Any]]]:
    for package in _packages(document):
        for key in ("archive", "sdist"):
            if isinstance(package.get(key), dict):
                yield f"{package.get('name')} {key}", package[key]
        for wheel in _tables(package.get("wheels")):
            yield f"{package.get('name')} wheel", wheel


def files_named(document: Document, name: str) -> list[dict[str, Any]]:
    """The entries of files of that name: archives, sdists, wheels."""
    return [file for _, file in _files(document) if _name(file) == name]


def _version(document: Document) -> Iterable[str]:
    if document.get("lock-version") != "1.0":
        yield f"lock-version is {document.get('lock-version')!r}"


def _created_by(document: Document) -> Iterable[str]:
    found = document.get("created-by")
    if not isinstance(found, str) or not found:
        yield f"created-by is {found!r}"


def _created_by_normal(document: Document) -> Iterable[str]:
    found = str(document.get("created-by"))
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", found):
        yield f"created-by is {found!r}"


def _has_packages(document: Document) -> Iterable[str]:
    found = document.get("packages")
    if not isinstance(found, list) or len(_tables(found)) != len(found):
        yield "packages is no array of tables" if "packages" in document else "packages is missing"


def _lists(document: Document) -> Iterable[str]:
    for key in ("environments", "extras", "dependency-groups", "default-groups"):
        found = document.get(key, [])
        if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
            yield f"{key} is no array of strings"


def _environments(document: Document) -> Iterable[str]:
    for marker in document.get("environments", []):
        try:
            evaluate(marker, environment("here", (), ()))
        except MarkerError:
            yield f"no marker: {marker}"


def _exclusive(document: Document) -> Iterable[str]:
    markers = document.get("environments", [])
    for name in ENVIRONMENTS:
        true = [each for each in markers if evaluate(each, environment(name, (), ()))]
        if len(true) > 1:
            yield f"{' and '.join(true)} are both true for {name}"


def _requires_python(document: Document) -> Iterable[str]:
    for where in (document, *_packages(document)):
        found = where.get("requires-python", "")
        try:
            admits(found, "3.11")
        except (ValueError, AttributeError):
            yield f"no specifier: {found!r}"


def _default_groups(document: Document) -> Iterable[str]:
    for name in document.get("default-groups", []):
        if name in document.get("dependency-groups", []):
            yield f"{name} is in default-groups and in dependency-groups"


def _names(document: Document) -> Iterable[str]:
    for package in _packages(document):
        name = package.get("name")
        if not isinstance(name, str) or normal(name) != name:
            yield f"the name {name!r}"


def _stable_versions(document: Document) -> Iterable[str]:
    for package in _packages(document):
        known = bool(package.get("wheels") or package.get("sdist"))
        if known and not package.get("version"):
            yield f"{package.get('name')} has no version"
        if "version" in package and not is_version(str(package["version"])):
            yield f"{package.get('name')} has the version {package['version']!r}"


def _tree_versions(document: Document) -> Iterable[str]:
    for package in _packages(document):
        if ("vcs" in package or "directory" in package) and "version" in package:
            yield f"{package.get('name')} has a version and is a source tree"


def _markers(document: Document) -> Iterable[str]:
    for package in _packages(document):
        marker = package.get("marker")
        try:
            if marker is not None:
                evaluate(marker, {**environment("here", (), ()), "extra": []})
        except (MarkerError, TypeError):
            yield f"{package.get('name')}: no marker: {marker}"


def _no_extra(document: Document) -> Iterable[str]:
    for package in _packages(document):
        if "extra" in fields(package.get("marker", "")):
            yield f"{package.get('name')}: {package['marker']}"


def _sources(document: Document) -> Iterable[str]:
    for package in _packages(document):
        found = [key for key in (*_SOURCES, "sdist", "wheels") if key in package]
        if not found:
            yield f"{package.get('name')} has no source"
        if len(found) > 1 and any(key in _SOURCES for key in found):
            yield f"{package.get('name')} has {' and '.join(found)}"


def _hashes(document: Document) -> Iterable[str]:
    for what, file in _files(document):
        found = file.get("hashes")
        if not isinstance(found, dict) or not found:
            yield f"{what} has no hashes"
        elif not all(isinstance(each, str) for each in found.values()):
            yield f"{what}: hashes are no strings"


def _secure(document: Document) -> Iterable[str]:
    secure = hashlib.algorithms_guaranteed - {"md5", "sha1"}
    for what, file in _files(document):
        if not secure & set(file.get("hashes", {})):
            yield f"{what} has {', '.join(file.get('hashes', {}))}"


def _lower(document: Document) -> Iterable[str]:
    for what, file in _files(document):
        if any(name != name.lower() for name in file.get("hashes", {})):
            yield f"{what} has {', '.join(file['hashes'])}"


def _sizes(document: Document) -> Iterable[str]:
    for what, file in _files(document):
        if not isinstance(file.get("size"), int):
            yield f"{what} has the size {file.get('size')!r}"


def _size_type(document: Document) -> Iterable[str]:
    for what, file in _files(document):
        if "size" in file and not isinstance(file["size"], int):
            yield f"{what} has the size {file['size']!r}"


def _upload_times(document: Document) -> Iterable[str]:
    for what, file in _files(document):
        found = file.get("upload-time")
        if found is None:
            continue
        if not isinstance(found, datetime):
            yield f"{what}: {found!r} is no date-time"
        elif found.utcoffset() != timedelta(0):
            yield f"{what}: {found.isoformat()} is not in UTC"


def _places(document: Document) -> Iterable[str]:
    for what, file in _files(document):
        if not (file.get("url") or file.get("path")):
            yield f"{what} has neither url nor path"
    for package in _packages(document):
        vcs, directory = package.get("vcs"), package.get("directory")
        if isinstance(vcs, dict) and not (vcs.get("url") or vcs.get("path")):
            yield f"{package.get('name')} vcs has neither url nor path"
        if isinstance(directory, dict) and not directory.get("path"):
            yield f"{package.get('name')} directory has no path"


def _file_names(document: Document) -> Iterable[str]:
    for package in _packages(document):
        for wheel in _tables(package.get("wheels")):
            if not _WHEEL_NAME.fullmatch(_name(wheel)):
                yield f"{_name(wheel)} is no wheel's name, and no name is given"
        sdist = package.get("sdist")
        if isinstance(sdist, dict) and not _name(sdist).endswith((".tar.gz", ".zip")):
            yield f"{_name(sdist)} is no sdist's name, and no name is given"


def _name(file: Mapping[str, Any]) -> str:
    place = file.get("path") or urlsplit(file.get("url", "")).path
    return str(file.get("name") or unquote(place.rpartition("/")[2]))


def _dependencies(document: Document) -> Iterable[str]:
    packages = _packages(document)
    for package in packages:
        found = package.get("dependencies", [])
        if not isinstance(found, list) or len(_tables(found)) != len(found):
            yield f"{package.get('name')}: dependencies is no array of tables"
        for wanted in _tables(found):
            fits = [each for each in packages if _fits(wanted, each)]
            if len(fits) != 1:
                yield f"{package.get('name')}: {wanted} fits {len(fits)} packages"


def _fits(wanted: Any, found: Any) -> bool:
    if isinstance(wanted, Mapping) and isinstance(found, Mapping):
        return all(key in found and _fits(value, found[key]) for key, value in wanted.items())
    return bool(wanted == found)


def _identities(document: Document) -> Iterable[str]:
    for package in _packages(document):
        for identity in _tables(package.get("attestation-identities")):
            if not isinstance(identity.get("kind"), str):
                yield f"{package.get('name')} has an identity of the kind {identity.get('kind')!r}"


def _commits(document: Document) -> Iterable[str]:
    for package in _packages(document):
        vcs = package.get("vcs")
        if isinstance(vcs, dict) and not re.fullmatch(r"[0-9a-f]{40,64}", str(vcs.get("commit-id"))):
            yield f"{package.get('name')} has the commit {vcs.get('commit-id')!r}"


def _indexes(document: Document) -> Iterable[str]:
    for package in _packages(document):
        if not isinstance(package.get("index"), str) and ("wheels" in package or "sdist" in package):
            yield f"{package.get('name')} has the index {package.get('index')!r}"


def _single(document: Document) -> Iterable[str]:
    """One version of each project in every environment the lock is for, whatever single extra or group is chosen."""
    options: list[tuple[list[str], list[str]]] = [([], list(document.get("default-groups", [])))]
    options += [([extra], list(document.get("default-groups", []))) for extra in document.get("extras", [])]
    options += [([], [group]) for group in document.get("dependency-groups", [])]
    for name in ENVIRONMENTS:
        for extras, groups in options:
            where = environment(name, extras, groups)
            if not lock_is_for(document, where):
                continue
            for project, versions in chosen(document, where).items():
                if len(versions) > 1:
                    yield f"{project} {' and '.join(versions)} for {name}"


def lock_is_for(document: Document, where: Mapping[str, Any]) -> bool:
    """Whether the lock is for that environment."""
    markers = document.get("environments")
    if markers and not any(evaluate(each, where) for each in markers):
        return False
    return admits(document.get("requires-python", ""), where["python_full_version"])


def _key_order(document: Document) -> Iterable[str]:
    """Keys of the packages in one order, those of the wheels in one, and of the sdists."""
    packages = _packages(document)
    wheels = [wheel for package in packages for wheel in _tables(package.get("wheels"))]
    sdists = [package["sdist"] for package in packages if isinstance(package.get("sdist"), dict)]
    for what, tables in (("package", packages), ("wheel", wheels), ("sdist", sdists)):
        seen: set[tuple[str, str]] = set()
        for table in tables:
            for one, other in pairwise(table):
                if (other, one) in seen:
                    yield f"{one} stands before {other} in one {what}, after it in another"
                seen.add((one, other))


CHECKS: dict[str, Callable[[Document], Iterable[str]]] = {
    "lock-version": _version,
    "created-by": _created_by,
    "created-by-normal": _created_by_normal,
    "packages": _has_packages,
    "arrays": _lists,
    "environments": _environments,
    "environments-exclusive": _exclusive,
    "requires-python": _requires_python,
    "default-groups": _default_groups,
    "names": _names,
    "stable-versions": _stable_versions,
    "tree-versions": _tree_versions,
    "markers": _markers,
    "no-extra": _no_extra,
    "sources": _sources,
    "hashes": _hashes,
    "secure-hashes": _secure,
    "lower-hashes": _lower,
    "sizes": _sizes,
    "size-type": _size_type,
    "upload-times": _upload_times,
    "places": _places,
    "file-names": _file_names,
    "dependencies": _dependencies,
    "identities": _identities,
    "commits": _commits,
    "indexes": _indexes,
    "single": _single,
    "key-order": _key_order,
}
