"""A project, or a script with inline metadata, as the tasks see it: its document, what it asks for under each
selection, and the digest of that.

Reads ``pyproject.toml`` and scripts through the core; knows nothing of versions or environments.
"""

from __future__ import annotations

import hashlib
import json
import os
from typing import TYPE_CHECKING

from accord.tasks.asked import Asked, Wish
from accord.tasks.inputs import not_utf8, read_bytes
from accord_core.errors import UsageError, Where
from accord_core.project.groups import resolve_groups
from accord_core.project.pyproject import Project, read_pyproject
from accord_core.project.requirement import Requirement
from accord_core.project.scripts import Script, read_script

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from accord.tasks.session import Session
    from accord.tasks.settings import Selection
    from accord_core.project.declared import Declared

__all__ = ["LoadedProject", "LoadedScript", "check_python", "load_project", "load_script", "python_text"]

_LARGEST_SCRIPT = 16 * 1024 * 1024  # bytes

# Settings of [tool.accord] that change nothing a lock says.
_NOT_LOCKED = frozenset(
    (
        "build-network",
        "build-sandbox",
        "check",
        "compile-bytecode",
        "default-groups",
        "link-mode",
        "python",
        "workspace",
    )
)


def load_project(path: str) -> LoadedProject:
    """The project in the folder, or with the ``pyproject.toml``, ``path``.  Raises as ``read_pyproject``."""
    if os.path.isdir(path):
        path = os.path.join(path, "pyproject.toml")
    shown = os.path.relpath(path) if not os.path.relpath(path).startswith("..") else path
    return LoadedProject(os.path.abspath(path), read_pyproject(_utf8(path, read_bytes(path)), shown))


def load_script(path: str) -> LoadedScript | None:
    """A Python file with inline metadata (PEP 723); ``None`` without any.

    Raises as ``read_script``; DocumentError ``document-not-utf8`` for a file that is not in the encoding it announces
    (PEP 263), which Python could not run either.
    """
    script = read_script(python_text(path)[0], path)
    return None if script is None else LoadedScript(os.path.abspath(path), script)


def python_text(path: str) -> tuple[str, str]:
    """The text of a Python file and its encoding, announced as PEP 263 says; raises as :func:`load_script`."""
    import io
    import tokenize

    body = read_bytes(path, limit=_LARGEST_SCRIPT)
    try:
        encoding = tokenize.detect_encoding(io.BytesIO(body).readline)[0]
    except SyntaxError as error:
        raise not_utf8(path) from error
    return _utf8(path, body, encoding), encoding


def check_python(document: Project | Script, session: Session) -> None:
    """Raise UsageError ``python-not-allowed`` where the session's Python is none that ``document`` allows."""
    wanted = document.requires_python
    if not session.target.python_fits(wanted):
        found = session.interpreter
        raise UsageError(
            "python-not-allowed",
            f"{document.path} requires Python {wanted}, and {found.executable} is {found.version}",
            where=Where(
                document.path,
                table="project" if isinstance(document, Project) else None,
                key="requires-python",
            ),
            hint="accord venv --clear makes the environment anew, for a Python that is allowed"
            if found.is_venv
            else "choose another interpreter with --python; accord python list shows them",
        )


def _utf8(path: str, body: bytes, encoding: str = "utf-8-sig") -> str:
    try:
        return body.decode(encoding)
    except UnicodeDecodeError as error:
        raise not_utf8(path) from error


class _Loaded:
    """A document that asks for distributions and has a ``[tool.accord]`` table: ``path`` of the file, ``folder`` it
    stands in, ``document`` as read."""

    document: Project | Script
    name: str | None = None  # of the project that the document is of
    shown: str

    def __init__(self, path: str) -> None:
        self.path = path
        self.folder = os.path.dirname(path)

    @property
    def tool(self) -> Mapping[str, object]:
        """``[tool.accord]`` as written, judged already."""
        tool = self.document.raw.get("tool", {})
        table = tool.get("accord", {}) if isinstance(tool, dict) else {}
        return table if isinstance(table, dict) else {}

    def constraints(self) -> list[Wish]:
        return self._limits(self.document.tool.constraints)

    def overrides(self) -> list[Wish]:
        return self._limits(self.document.tool.overrides)

    def _limits(self, declared: Iterable[Declared]) -> list[Wish]:
        return [Wish(one.requirement, str(one.where), marker=one.requirement.marker) for one in declared]

    def _declared(self, declared: Iterable[Declared], selection: str) -> list[Wish]:
        return [
            self._wish(one.requirement, f"{one.where}", selection)
            for one in declared
            if one.name != self.name
        ]

    def _wish(self, requirement: Requirement, origin: str, selection: str) -> Wish:
        reference, editable = requirement.url, False
        source = self.document.tool.sources.get(requirement.name)
        if source is not None and source.index is None:
            reference, editable = _reference(source), source.editable
        return Wish(
            requirement,
            origin,
            via=self.shown,
            reference=reference,
            base=self.folder,
            marker=requirement.marker,
            editable=editable,
            selection=selection,
        )


class LoadedScript(_Loaded):
    """A script with inline metadata (PEP 723)."""

    document: Script

    def __init__(self, path: str, document: Script) -> None:
        super().__init__(path)
        self.document = document
        self.shown = document.path

    def add_to(self, asked: Asked) -> None:
        """Have ``asked`` ask for what the script asks for, too."""
        asked.wishes += self._declared(self.document.dependencies, "")
        asked.constraints += self.constraints()
        asked.overrides += self.overrides()
        asked.excludes |= frozenset(self.document.tool.exclude_dependencies)
        asked.requires_python = self.document.requires_python

    def identity(self) -> str:
        """Everything that its environment depends on; its place counts where a path may be relative to it."""
        table = self.tool
        said = (self.document.requires_python, [one.text for one in self.document.dependencies])
        return json.dumps([said, table, self.folder if table else ""], sort_keys=True, default=str)


class LoadedProject(_Loaded):
    """A project by its ``pyproject.toml``."""

    document: Project

    def __init__(self, path: str, document: Project) -> None:
        super().__init__(path)
        self.document = document
        self.name = document.name
        self.shown = f"{document.raw_name or os.path.basename(self.folder)} ({os.path.basename(path)})"

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
            found += self._declared(document.dependencies, "")
        label = selection is None
        for extra in extras:
            for one in self._extra(extra, ()):
                found += self._declared([one], f"extra:{extra}" if label else "")
        for group in groups:
            members = resolve_groups(document.groups, (group,), path=document.path)
            found += self._declared(members, f"group:{group}" if label else "")
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
