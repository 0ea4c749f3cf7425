"""What a build needs of a project's ``pyproject.toml``, kept by its digest (hot): reading TOML takes 14 ms to load alone."""

from __future__ import annotations

import marshal
import os
import stat

from accord.build.backend import BuildSystem, read_build_system
from accord.io.digests import sha256

__all__ = ["Facts", "read_facts"]

FOLDER = "builds-v1"
_FACTS = 2  # the form of what is kept


class Facts:
    """What a build needs of a ``pyproject.toml``: ``name`` and ``version`` as written (None: not said there),
    ``requires_python``, ``dependencies`` as written, the ``tool`` table ``[tool.accord]``, the build ``system``."""

    __slots__ = ("dependencies", "name", "requires_python", "system", "tool", "version")

    def __init__(
        self,
        name: str | None,
        version: str | None,
        requires_python: str | None,
        dependencies: tuple[str, ...],
        tool: dict[str, object],
        system: BuildSystem | None,
    ) -> None:
        self.dependencies = dependencies
        self.name = name
        self.version = version
        self.requires_python = requires_python
        self.tool = tool
        self.system = system


def read_facts(tree: str, cache_dir: str | None, *, buildable: bool = True) -> Facts:
    """What ``pyproject.toml`` of ``tree`` says, judged as everywhere; kept by its digest, because reading TOML takes
    longer than many a build.  One that need not be ``buildable`` may have no build system.  Raises as ``read_pyproject`` and ``read_build_system``."""
    from accord.io.files import write_atomic
    from accord.io.folders import cache_dir as find_cache

    path = os.path.join(tree, "pyproject.toml")
    try:
        body = _read(path)
    except OSError:  # what is no file, and a pipe on which one would wait for ever, is refused there
        return Facts(None, None, None, (), {}, read_build_system(tree, os.path.basename(tree)))
    folder = os.path.join(find_cache(cache_dir, os.environ), FOLDER, "facts")
    kept = os.path.join(folder, sha256(body).hexdigest())
    try:
        with open(kept, "rb") as file:
            form, *said = marshal.loads(file.read())  # noqa: S302 - our own cache
        if form == _FACTS:
            facts = Facts(said[0], said[1], said[2], said[3], said[4], BuildSystem(*said[5]))
            if not said[5][2]:  # a backend-path is looked at each time
                return facts
    except (OSError, ValueError, EOFError, TypeError):
        pass
    facts = _judged(tree, buildable=buildable)
    system = facts.system
    if system is None:
        return facts
    try:
        data = marshal.dumps(
            (
                _FACTS, facts.name, facts.version, facts.requires_python, facts.dependencies, facts.tool,
                (system.requires, system.backend, system.backend_path, system.declared),
            )
        )  # fmt: skip
        os.makedirs(folder, exist_ok=True)
        write_atomic(kept, data, sync=False)
    except (ValueError, OSError):
        pass  # a date in the table, which marshal has no form for; a cache that cannot be written
    return facts


_LARGEST = 2 << 20


def _read(path: str) -> bytes:
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise IsADirectoryError(path)
    with open(path, "rb") as file:
        return file.read(_LARGEST + 1)


def _judged(tree: str, *, buildable: bool) -> Facts:
    from accord.tasks.project import load_project

    project = load_project(tree)
    raw = project.document.raw
    system = read_build_system(tree, os.path.basename(tree)) if buildable or "build-system" in raw else None
    table = raw.get("project", {})
    version = table.get("version") if isinstance(table, dict) else None
    return Facts(
        project.document.raw_name,
        version if isinstance(version, str) else None,
        project.document.requires_python,
        tuple(one.text for one in project.document.dependencies),
        dict(project.tool),
        system,
    )
