"""Source trees made from a case's words: pyproject.toml with standard tables only, and one package to build.

A tool may need a little configuration of its own before it builds anything (where the package lies, a file for its build system): its adapter's settings
give that as ``pyproject`` and ``files``, with ``{module}`` and ``{name}`` to fill in.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

__all__ = ["module_of", "pyproject", "toml"]


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
