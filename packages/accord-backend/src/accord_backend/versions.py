"""The one place a version is written: a module, a file, a git tag, or the archive the tree came in.

Nothing is imported and nothing of the project is run.  A module is read as syntax; git is run with an environment of
its own and with every program that a repository's configuration could name switched off.  Inside an sdist the
version of ``PKG-INFO`` holds, so that an sdist builds without git and gives the version it was made with.
"""

from __future__ import annotations

import os

from . import rules, tags
from .errors import BackendError, say

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .project import Project

__all__ = ["Limits", "find"]

_ONLY_SYNTAX = 0x400  # ast.PyCF_ONLY_AST, without importing ast
_ARCHIVE = ".git_archival.txt"


class Limits:
    """Bytes read of a ``module``, of a version ``file`` and of ``PKG-INFO``'s head."""

    module = 4 * 1024 * 1024
    file = 4096
    pkg_info = 1024 * 1024


def find(project: Project, source: dict[str, Any]) -> str:
    """The version in normal form.  Raises ``BackendError`` with a code that begins with ``version-`` or ``git-``."""
    if "module" in source:
        attribute = source.get("attribute", "__version__")
        path = project.version_file = _module_path(project, source["module"])
        return _checked(_of_module(_read(project, path, Limits.module), path, attribute), path)
    if "file" in source:
        path = project.version_file = source["file"]
        try:
            text = _read(project, path, Limits.file).decode("utf-8")
        except UnicodeDecodeError:
            raise BackendError("version-file-invalid", f"{path} is not UTF-8") from None
        return _checked(text.strip(), path)
    return _of_history(project, source)


def _checked(text: str, place: str) -> str:
    version = rules.normal_version(text)
    if version is None:
        raise BackendError(
            "version-invalid",
            f"{place} says {text[:80]!r}, which is not a version (PEP 440)",
            hint="such as 1.2, 1.2rc1 or 1.2.post1",
        )
    return version


def _read(project: Project, path: str, limit: int) -> bytes:
    place = os.path.join(project.root, path)
    root = os.path.realpath(project.root) + os.sep
    if not os.path.realpath(place).startswith(root) or (os.path.exists(place) and not os.path.isfile(place)):
        raise BackendError("version-source-missing", f"{path} is not a file inside the project")
    try:
        with open(place, "rb") as file:
            data = file.read(limit + 1)
    except OSError as fault:
        raise BackendError("version-source-missing", f"{path} cannot be read: {fault.strerror}") from None
    if len(data) > limit:
        raise BackendError("version-source-too-large", f"{path} has more than {limit:,} bytes")
    return data


def _module_path(project: Project, module: str) -> str:
    inside = module.replace(".", "/")
    for base in ("src/", ""):
        for path in (f"{base}{inside}/__init__.py", f"{base}{inside}.py"):
            if os.path.isfile(os.path.join(project.root, path)):
                return path
    raise BackendError(
        "version-source-missing",
        f"there is no module {module!r} in src or beside pyproject.toml to read the version of",
        hint="correct [tool.accord.build] version = {module = '…'}",
    )


def _of_module(source: bytes, path: str, attribute: str) -> str:
    """The string that is assigned to ``attribute`` at the top level of the module; the module does not run."""
    import warnings

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree: Any = compile(source, path, "exec", _ONLY_SYNTAX, True)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as fault:
        raise BackendError(
            "version-module-syntax",
            f"{path} cannot be read as Python: {fault}",
            hint="put __version__ into a small module of its own, and name that",
        ) from None
    values = [node.value for node in tree.body for name in _targets(node) if name == attribute]
    texts = {getattr(value, "value", None) for value in values if type(value).__name__ == "Constant"}
    if not values:
        raise BackendError(
            "version-not-found",
            f"{path} assigns nothing to {attribute} at its top level",
            hint=f'write {attribute} = "1.0" there; what stands inside if or try is not looked at',
        )
    text = texts.pop() if len(texts) == 1 else None
    if not isinstance(text, str) or any(type(value).__name__ != "Constant" for value in values):
        raise BackendError(
            "version-not-literal",
            f"{attribute} in {path} is not one plain string",
            hint="nothing is run to find it out: assign a literal, once",
        )
    return text


def _targets(node: Any) -> list[str]:
    kind = type(node).__name__
    if kind == "AnnAssign" and node.value is not None:
        targets = [node.target]
    else:
        targets = node.targets if kind == "Assign" else []
    return [target.id for target in targets if type(target).__name__ == "Name"]


def _of_history(project: Project, source: dict[str, Any]) -> str:
    version = _of_pkg_info(project) or _of_archive(project, source.get("tag-prefix"))
    if version is not None:
        return version
    from . import git

    try:
        described = git.describe(project.root, source.get("tag-prefix"))
    except BackendError as fault:
        if "fallback" not in source:
            raise
        say(f"version {source['fallback']} (fallback): {fault.message}")
        return _checked(source["fallback"], "fallback")
    version, distance, commit, dirty = described
    return tags.after_tag(version, distance, commit, dirty=dirty)


def _of_pkg_info(project: Project) -> str | None:
    place = os.path.join(project.root, "PKG-INFO")
    if not os.path.isfile(place):
        return None
    head = _read(project, "PKG-INFO", Limits.pkg_info).replace(b"\r\n", b"\n").partition(b"\n\n")[0]
    fields = dict(line.partition(": ")[::2] for line in head.decode("utf-8", "replace").split("\n"))
    if rules.normal_name(fields.get("Name", "")) != rules.normal_name(project.name):
        return None
    return _checked(fields.get("Version", ""), "PKG-INFO")


def _of_archive(project: Project, prefix: str | None) -> str | None:
    """What ``git archive`` wrote into ``.git_archival.txt`` (``export-subst`` in ``.gitattributes``)."""
    if not os.path.isfile(os.path.join(project.root, _ARCHIVE)):
        return None
    text = _read(project, _ARCHIVE, Limits.file).decode("utf-8", "replace")
    fields = dict(line.partition(": ")[::2] for line in text.splitlines())
    described = tags.DESCRIBED.fullmatch(fields.get("describe-name", "").strip())
    if described is not None:
        tag, distance, commit = described["tag"], int(described["distance"]), described["commit"]
        return tags.after_tag(_untagged(tag, prefix, _ARCHIVE), distance, commit, dirty=False)
    names = [name.strip() for name in fields.get("ref-names", "").split(",")]
    names = [name[5:] for name in names if name.startswith("tag: ")]
    names += [name for name in [fields.get("describe-name", "").strip()] if name and "$" not in name]
    versions = {version for name in names for version in [tags.tag_version(name, prefix)] if version}
    return max(versions, key=rules.version_key) if versions else None


def _untagged(tag: str, prefix: str | None, place: str) -> str:
    version = tags.tag_version(tag, prefix)
    if version is None:
        raise BackendError("git-tag-invalid", f"the tag {tag!r} that {place} names is not a version")
    return version
