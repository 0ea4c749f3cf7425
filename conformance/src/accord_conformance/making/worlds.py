"""An index in a few words, for those who choose versions.

A world is a table: ``"name version"``: a list of its dependencies, or a table: ``requires`` and the other keys of a wheel (making.wheels) with ``tags`` (several wheels of these
tags), ``yanked``, ``upload_time``, ``page_python`` (what the index says of Requires-Python, false for nothing), ``core_metadata`` (as on a page; true for wheels), ``wheel`` (false: none),
``sdist`` (true, or a table as in making.sdists), ``hashes``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from accord_conformance.errors import SuiteError
from accord_conformance.making.sdists import make_sdist
from accord_conformance.making.wheels import Made, make_wheel
from accord_conformance.names import normal

__all__ = ["make_world"]

_ON_PAGES = ("yanked", "upload_time", "hashes", "core_metadata")


def make_world(values: Mapping[str, Any]) -> tuple[dict[str, Made], dict[str, Any]]:
    """The files by key, and the table of the index that has them."""
    made: dict[str, Made] = {}
    projects: dict[str, dict[str, Any]] = {}
    for title, each in values.items():
        name, _, version = title.partition(" ")
        if not version:
            raise SuiteError("world", f"{title!r} is no name with a version")
        table = {"requires": each} if isinstance(each, list) else dict(each)
        page = {key: table.pop(key) for key in _ON_PAGES if key in table}
        if "page_python" in table:
            page["requires_python"] = table.pop("page_python")
        files = projects.setdefault(normal(name), {"files": []})["files"]
        for key, kind, item in _files(title, name, version, table):
            made[key] = item
            # What an sdist states may be dynamic: an index that serves it promises more than there is.
            files.append({kind: key, "core_metadata": kind == "wheel", **page})
    return made, {"projects": projects}


def _files(title: str, name: str, version: str, table: dict[str, Any]) -> list[tuple[str, str, Made]]:
    key = re.sub(r"[^A-Za-z0-9]+", "-", title)
    sdist, wheel = table.pop("sdist", False), table.pop("wheel", True)
    tags = table.pop("tags", [None])
    found: list[tuple[str, str, Made]] = []
    for number, tag in enumerate(tags if wheel else ()):
        named = {**table, "name": name, "version": version, **({"tag": tag} if tag else {})}
        found.append((f"{key}-w{number}", "wheel", make_wheel(name, named)))
    if sdist is not False:
        own: dict[str, Any] = {
            key: table[key] for key in ("requires", "requires_python", "metadata_lines") if key in table
        }
        extras = [f"Provides-Extra: {each}" for each in table.get("extras", ())]
        own["metadata_lines"] = [*extras, *own.get("metadata_lines", ())]
        own.update(sdist if isinstance(sdist, Mapping) else {})
        found.append((f"{key}-s", "sdist", make_sdist(name, {"name": name, "version": version, **own})))
    return found
