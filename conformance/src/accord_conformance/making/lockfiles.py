"""Lock files (pylock.toml) made from a case's words: right by default, wrong where the case says so.

A lock is a table, all keys optional: ``file`` (where below the project's folder; pylock.toml), ``top`` (more keys of the top level), ``packages`` (list), ``omit`` (keys of the top level
that are left out), ``text`` (the file whole).  A package is a table: ``wheels`` (list), ``sdist``, ``archive``, each file the key of a given one or a table with ``of`` (the key), ``omit``
and keys that replace what is right (without ``of`` the table stands as it is); ``omit``; all other keys as they are to stand in the file.  Name and version are those of the first file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from accord_conformance.errors import SuiteError
from accord_conformance.making.projects import toml
from accord_conformance.making.wheels import Made
from accord_conformance.reading import Table

__all__ = ["PLACE", "lock_text"]

PLACE = "/kept/{key}/{filename}"  # where the server has a given file


def lock_text(values: Mapping[str, Any], made: Mapping[str, Made], fill: Callable[[Any], Any]) -> str:
    """The text of the file; ``fill`` puts addresses and hashes into strings."""
    table = Table("lock", values)
    whole = table.take("text", str, None)
    top = {"lock-version": "1.0", "created-by": "suite", **table.take("top", dict, {})}
    packages = [_package(each, made) for each in table.take("packages", list, [])]
    omitted = table.texts("omit", ())
    table.done()
    if whole is not None:
        return str(fill(whole))
    lines = [f"{key} = {toml(fill(value))}" for key, value in top.items() if key not in omitted]
    if not packages and "packages" not in omitted and "packages" not in top:
        lines.append("packages = []")
    for package in packages:
        lines += ["", "[[packages]]", *(f"{key} = {toml(fill(value))}" for key, value in package.items())]
    return "\n".join(lines) + "\n"


def _package(values: Mapping[str, Any], made: Mapping[str, Made]) -> dict[str, Any]:
    rest = dict(values)
    omitted = rest.pop("omit", [])
    wheels, sdist, archive = (rest.pop(key, None) for key in ("wheels", "sdist", "archive"))
    files: dict[str, Any] = {}
    first: Made | None = None
    for key, each in (("archive", archive), ("sdist", sdist)):
        if isinstance(each, Mapping) and "of" not in each:
            files[key] = each  # as it is to stand in the file
        elif each is not None:
            files[key], item = _file(each, made)
            first = first or item
            if key == "archive":
                del files[key]["name"]
    if isinstance(wheels, list):
        pairs = [_file(each, made) for each in wheels]
        files["wheels"] = [pair[0] for pair in pairs]
        first = first or (pairs[0][1] if pairs else None)
    elif wheels is not None:
        files["wheels"] = wheels
    named = {"name": first.project, "version": first.version} if first else {}
    package = {**named, **files, **rest}
    return {key: value for key, value in package.items() if key not in omitted}


def _file(value: Any, made: Mapping[str, Made]) -> tuple[dict[str, Any], Made]:
    own = dict(value) if isinstance(value, Mapping) else {"of": value}
    key, omitted = own.pop("of"), own.pop("omit", [])
    if key not in made:
        raise SuiteError("lock", f"no wheel or sdist {key!r} is given")
    item = made[key]
    right = {
        "name": item.filename,
        "url": "{site}" + PLACE.format(key=key, filename=item.filename),
        "size": len(item.data),
        "hashes": {"sha256": item.sha256},
    }
    return {name: each for name, each in {**right, **own}.items() if name not in omitted}, item
