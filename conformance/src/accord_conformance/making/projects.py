"""Source trees made from a case's words: pyproject.toml with standard tables only, and one package to build.

A tool may need a little configuration of its own before it builds anything (where the package lies, a file for its build system): its adapter's settings
give that as ``pyproject`` and ``files``, with ``{module}`` and ``{name}`` to fill in.  ``ships.scripts``, ``ships.data`` and ``ships.sboms`` are the
same once more, for a tool that has words for files which do not go among the modules; ``numbered`` (``pyproject``, ``config``) is how it is told the build number 7.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from accord_conformance.processes import done

__all__ = ["configured", "module_of", "pyproject", "toml", "under_git"]

# What a tree has that ships such a thing: a path, its text.
_SHIPPED = {
    "scripts": ("scripts/run-demo", "#!python\nimport demo\nprint('demo runs')\n"),
    "data": ("data/share/demo.txt", "shared\n"),
    "sboms": ("sboms/demo.cdx.json", '{"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1}\n'),
}


def toml(value: Any) -> str:
    """A value as TOML, tables inline."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_key(key)} = {toml(each)}" for key, each in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(toml(each) for each in value) + "]"
    if isinstance(value, date):  # a datetime is one
        return value.isoformat()
    # JSON's strings, numbers and truth values are TOML's.
    return json.dumps(value, ensure_ascii=False)


def _key(text: str) -> str:
    return text if re.fullmatch(r"[A-Za-z0-9_-]+", text) else toml(text)


def module_of(name: str) -> str:
    """The import package that a project of that name is given."""
    return re.sub(r"[-_.]+", "_", name).lower()


def configured(settings: Mapping[str, Any], name: str, ships: str) -> tuple[str, dict[str, str]]:
    """What a tool's own settings add to pyproject.toml, and the files they put into the tree; ``ships``: so that it ships that, or ""."""
    text, files = settings.get("pyproject", ""), dict(settings.get("files", {}))
    if ships:
        more = settings.get("ships", {}).get(ships, {})
        text += more.get("pyproject", "")
        files = {path: each + more.get("files", {}).get(path, "") for path, each in files.items()}
        path, shipped = _SHIPPED[ships]
        files[path] = shipped

    def filled(words: str) -> str:
        return words.replace("{module}", module_of(name)).replace("{name}", name)

    return filled(text), {filled(path): filled(each) for path, each in files.items()}


def under_git(folder: Path, environment: Mapping[str, str]) -> None:
    """Puts a tree under version control: some build systems make an sdist of what that knows."""
    git = ["git", "-c", "user.name=suite", "-c", "user.email=suite@suite.example", "-C", str(folder)]
    for arguments in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "all"]):
        done([*git, *arguments], folder, environment)


def pyproject(
    project: Mapping[str, Any] | str, backend: str, requires: Sequence[str], more: Sequence[str]
) -> str:
    """The text of pyproject.toml; ``project`` as text is taken as it stands, ``more`` are further tables."""
    parts = [f"[build-system]\nrequires = {toml(list(requires))}\nbuild-backend = {toml(backend)}\n"]
    if isinstance(project, str):
        parts.append(project)
    else:
        lines = "".join(f"{_key(key)} = {toml(value)}\n" for key, value in project.items())
        parts.append(f"[project]\n{lines}")
    return "\n".join([*parts, *more])
