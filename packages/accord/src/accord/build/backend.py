"""The ``[build-system]`` table of a source tree (PEP 517, PEP 518): what must be there before a backend can run.

Reads one file of an untrusted tree and decides; runs nothing.  Where the table is missing the standards name
setuptools as the backend of history, in its legacy form.
"""

from __future__ import annotations

import os
import stat

from accord.build.limits import DEFAULT, Limits
from accord_core.errors import BuildError, Where

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["BuildSystem", "read_build_system", "read_pyproject_table"]

_LEGACY_REQUIRES = ("setuptools>=40.8.0",)
_LEGACY_BACKEND = "setuptools.build_meta:__legacy__"


class BuildSystem:
    """``requires`` are PEP 508 strings as written; ``backend_path`` are folders below the tree, relative.

    ``declared`` is false when the tree has no ``[build-system]`` table and the default stands in for it.
    """

    __slots__ = ("backend", "backend_path", "declared", "requires")

    def __init__(
        self,
        requires: tuple[str, ...],
        backend: str,
        backend_path: tuple[str, ...] = (),
        declared: bool = True,
    ) -> None:
        self.requires = requires
        self.backend = backend
        self.backend_path = backend_path
        self.declared = declared


def read_small_file(path: str, limit: int) -> bytes | None:
    """A regular file of a tree, None if it is not there.

    Raises BuildError ``build-file-unreadable`` for a link, a device or a file over ``limit`` bytes.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unreadable(path, error.strerror or str(error)) from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise _unreadable(path, "it is not a regular file")
    with open(descriptor, "rb") as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise _unreadable(path, f"it is larger than {limit} bytes")
    return data


def read_pyproject_table(tree: str, limits: Limits = DEFAULT) -> dict[str, Any] | None:
    """``pyproject.toml`` of ``tree`` as TOML data, None if there is none.

    Raises BuildError ``build-pyproject-invalid`` when it is not TOML in UTF-8.
    """
    path = os.path.join(tree, "pyproject.toml")
    data = read_small_file(path, limits.pyproject_bytes)
    if data is None:
        return None
    import tomllib

    try:
        return tomllib.loads(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise _invalid(path, f"it is not UTF-8 (byte {error.start})") from error
    except tomllib.TOMLDecodeError as error:
        raise _invalid(path, f"it is not TOML: {error}") from error


def read_build_system(tree: str, label: str, limits: Limits = DEFAULT) -> BuildSystem:
    """The build system of ``tree``.

    Raises BuildError: ``build-pyproject-invalid`` for a broken table, ``build-requirement-invalid`` for a build
    requirement that is not PEP 508, ``build-backend-path-invalid`` for a ``backend-path`` outside the tree,
    ``build-not-a-project`` when the tree has neither ``pyproject.toml`` nor ``setup.py``.
    """
    path = os.path.join(tree, "pyproject.toml")
    document = read_pyproject_table(tree, limits)
    if document is None and not os.path.isfile(os.path.join(tree, "setup.py")):
        raise BuildError(
            "build-not-a-project",
            f"{label} has neither pyproject.toml nor setup.py",
            where=Where(tree),
            hint="name the folder that holds the project (#subdirectory=… for git and archives)",
        )
    table = (document or {}).get("build-system")
    if table is None:
        return BuildSystem(_LEGACY_REQUIRES, _LEGACY_BACKEND, declared=False)
    if not isinstance(table, dict):
        raise _invalid(path, "build-system is not a table")
    requires = _strings(path, table, "requires", required=True)
    _check_requirements(path, requires, limits)
    backend = table.get("build-backend")
    backend_path = _strings(path, table, "backend-path", required=False)
    if backend is None:
        if backend_path:
            raise _invalid(path, "backend-path is given without build-backend", "backend-path")
        return BuildSystem(requires, _LEGACY_BACKEND)
    if not isinstance(backend, str) or not _is_object_reference(backend):
        raise _invalid(path, f"build-backend {backend!r} is not module[:object]", "build-backend")
    for part in backend_path:
        _check_backend_path(path, tree, part)
    return BuildSystem(requires, backend, backend_path)


def _strings(path: str, table: dict[str, Any], key: str, *, required: bool) -> tuple[str, ...]:
    value = table.get(key)
    if value is None:
        if required:
            raise _invalid(path, f"build-system has no {key!r}, which the standard requires (PEP 518)", key)
        return ()
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise _invalid(path, f"{key} is not a list of strings", key)
    return tuple(value)


def _check_requirements(path: str, requires: tuple[str, ...], limits: Limits) -> None:
    if len(requires) > limits.build_requirements:
        raise _invalid(path, f"more than {limits.build_requirements} build requirements", "requires")
    for text in requires:
        check_requirement(text, Where(path, table="build-system", key="requires"), limits)


def check_requirement(text: str, where: Where, limits: Limits) -> None:
    """Raise BuildError ``build-requirement-invalid`` unless ``text`` is a PEP 508 requirement."""
    from accord_core.project.requirement import parse_requirement

    if len(text) <= limits.requirement_length:
        try:
            parse_requirement(text)
        except ValueError as error:
            reason = str(error).splitlines()[0]
        else:
            return
    else:
        reason = f"it is longer than {limits.requirement_length} characters"
    raise BuildError(
        "build-requirement-invalid",
        f"build requirement {text[:120]!r} is not a requirement",
        where=where,
        context=(reason,),
        hint="the project's author has to mend it; an older or newer release may be sound",
    )


def _is_object_reference(text: str) -> bool:
    module, colon, obj = text.partition(":")
    parts = module.split(".") + (obj.split(".") if colon else [])
    return all(part.isidentifier() for part in parts)


def _check_backend_path(path: str, tree: str, part: str) -> None:
    root = os.path.realpath(tree)
    target = os.path.realpath(os.path.join(root, part))
    inside = target == root or target.startswith(root + os.sep)
    if os.path.isabs(part) or not inside or not os.path.isdir(target):
        raise BuildError(
            "build-backend-path-invalid",
            f"backend-path {part!r} is not a folder inside the source tree",
            where=Where(path, table="build-system", key="backend-path"),
            hint="PEP 517 wants relative folders of the tree itself",
        )


def _invalid(path: str, reason: str, key: str | None = None) -> BuildError:
    return BuildError(
        "build-pyproject-invalid",
        f"cannot use {os.path.basename(path)}: {reason}",
        where=Where(path, table="build-system" if key else None, key=key),
        hint="mend the file, or choose another release of the project",
    )


def _unreadable(path: str, reason: str) -> BuildError:
    return BuildError(
        "build-file-unreadable",
        f"cannot read {path}: {reason}",
        where=Where(path),
        hint="it must be an ordinary file, of an ordinary size",
    )
