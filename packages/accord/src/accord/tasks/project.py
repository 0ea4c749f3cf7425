"""A project as the tasks see it: its document, what it asks for under each selection, and the digest of that.

Reads ``pyproject.toml`` through the core; knows nothing of versions or environments.
"""

from __future__ import annotations

import hashlib
import json
import os
from typing import TYPE_CHECKING

from accord.tasks.asked import Asked, Wish
from accord.tasks.inputs import read_text
from accord_core.errors import UsageError
from accord_core.project.groups import resolve_groups
from accord_core.project.pyproject import Project, read_pyproject
from accord_core.project.requirement import Requirement

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from accord.tasks.settings import Selection
    from accord_core.project.declared import Declared

__all__ = ["LoadedProject", "load_project"]

# Settings of [tool.accord] that change nothing a lock says.
_NOT_LOCKED = frozenset(("compile-bytecode", "default-groups", "link-mode", "python"))


def load_project(path: str) -> LoadedProject:
    """The project in the folder, or with the ``pyproject.toml``, ``path``.  Raises as ``read_pyproject``."""
    if os.path.isdir(path):
        path = os.path.join(path, "pyproject.toml")
    shown = os.path.relpath(path) if not os.path.relpath(path).startswith("..") else path
    return LoadedProject(os.path.abspath(path), read_pyproject(read_text(path), shown))


class LoadedProject:
    """``path`` of the file, ``folder`` it stands in, ``document`` as read."""

    def __init__(self, path: str, document: Project) -> None:
        self.path = path
        self.folder = os.path.dirname(path)
        self.document = document

    @property
    def tool(self) -> Mapping[str, object]:
        """``[tool.accord]`` as written, judged already."""
        tool = self.document.raw.get("tool", {})
        table = tool.get("accord", {}) if isinstance(tool, dict) else {}
        return table if isinstance(table, dict) else {}

    def asked(self) -> Asked:
        """Everything the project asks for: its dependencies, every extra, every group."""
        return Asked(
            self.wishes(None),
            constraints=self.constraints(),
            overrides=self.overrides(),
            excludes=frozenset(self.document.tool.exclude_dependencies),
            inputs=(self.path,),
            requires_python=self.document.requires_python,
        )

    def wishes(self, selection: Selection | None) -> list[Wish]:
        """What the project asks for; with a ``selection`` only that, without markers of extras or groups."""
        document, found = self.document, []
        if selection is None:
            extras, groups, own = self.extras, self.groups, True
        else:
            extras, groups, own = self._selected(selection)
        if own:
            found += self._declared(document.dependencies, "project.dependencies", "")
        label = selection is None
        for extra in extras:
            for one in self._extra(extra, ()):
                found += self._declared(
                    [one], f"project.optional-dependencies.{extra}", f"extra:{extra}" if label else ""
                )
        for group in groups:
            members = resolve_groups(document.groups, (group,), path=document.path)
            found += self._declared(members, f"dependency-groups.{group}", f"group:{group}" if label else "")
        return found

    @property
    def extras(self) -> tuple[str, ...]:
        return tuple(sorted(self.document.optional_dependencies))

    @property
    def groups(self) -> tuple[str, ...]:
        return tuple(sorted(self.document.groups.members))

    def _selected(self, selection: Selection) -> tuple[tuple[str, ...], tuple[str, ...], bool]:
        extras = self.extras if selection.all_extras else selection.extras
        self._check("unknown-extra", extras, self.extras)
        if selection.only_groups:
            self._check("unknown-group", selection.only_groups, self.groups)
            return (), selection.only_groups, False
        groups = self.groups if selection.all_groups else selection.groups
        self._check("unknown-group", groups, self.groups)
        return tuple(extras), tuple(groups), True

    def _check(self, code: str, names: Iterable[str], known: tuple[str, ...]) -> None:
        kind = code.removeprefix("unknown-")
        for name in names:
            if name not in known:
                raise UsageError(
                    code,
                    f"{self.document.path} has no {kind} {name!r}",
                    hint=f"it has: {', '.join(known) or 'none'}",
                )

    def _extra(self, extra: str, above: tuple[str, ...]) -> list[Declared]:
        """The requirements of an extra; those that name the project itself with extras are put in their place."""
        found: list[Declared] = []
        for one in self.document.optional_dependencies.get(extra, ()):
            if one.name == self.document.name and one.requirement.extras:
                for other in one.requirement.extras:
                    if other not in above and other != extra:
                        found += self._extra(other, (*above, extra))
            else:
                found.append(one)
        return found

    def _declared(self, declared: Iterable[Declared], table: str, selection: str) -> list[Wish]:
        shown = f"{self.document.raw_name or os.path.basename(self.folder)} ({os.path.basename(self.path)})"
        return [
            self._wish(one.requirement, f"{one.where}", shown, selection)
            for one in declared
            if one.name != self.document.name
        ]

    def _wish(self, requirement: Requirement, origin: str, via: str, selection: str) -> Wish:
        reference, editable = requirement.url, False
        source = self.document.tool.sources.get(requirement.name)
        if source is not None and source.index is None:
            reference, editable = _reference(source), source.editable
        return Wish(
            requirement,
            origin,
            via=via,
            reference=reference,
            base=self.folder,
            marker=requirement.marker,
            editable=editable,
            selection=selection,
        )

    def constraints(self) -> list[Wish]:
        return self._limits(self.document.tool.constraints)

    def overrides(self) -> list[Wish]:
        return self._limits(self.document.tool.overrides)

    def _limits(self, declared: Iterable[Declared]) -> list[Wish]:
        return [Wish(one.requirement, str(one.where), marker=one.requirement.marker) for one in declared]

    def digest(self) -> str:
        """The digest of everything in the document that a lock depends on."""
        raw = self.document.raw
        table = raw.get("project", {})
        asked = {
            "project": {
                key: table.get(key)
                for key in ("name", "requires-python", "dependencies", "optional-dependencies")
            },
            "groups": raw.get("dependency-groups"),
            "accord": {key: value for key, value in self.tool.items() if key not in _NOT_LOCKED},
        }
        text = json.dumps(asked, sort_keys=True, default=str)
        return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def _reference(source: object) -> str:
    path, url, git = (getattr(source, key) for key in ("path", "url", "git"))
    subdirectory = getattr(source, "subdirectory", None)
    if path is not None:
        return str(path)
    if git is not None:
        text = str(git) if str(git).startswith("git+") else f"git+{git}"
        revision = getattr(source, "revision", None)
        if revision is not None:
            text += f"@{revision[1]}"
    else:
        text = str(url)
    return f"{text}#subdirectory={subdirectory}" if subdirectory else text
