"""A project's folder, read and never written: small regular files inside it, and nothing through a link out of it.

Paths are relative to the root, with ``/``.
"""

from __future__ import annotations

import os
import stat

from accord.migrate.limits import DEFAULT, Limits
from accord_core.errors import DocumentError, Where

__all__ = ["Tree"]

_NOT_CODE = frozenset((
    "__pycache__", ".git", ".hg", ".svn", ".tox", ".nox", ".venv", ".mypy_cache", ".pytest_cache", ".ruff_cache", "node_modules",
))  # fmt: skip


class Tree:
    """The folder ``root``.  What lies outside of it does not exist here."""

    def __init__(self, root: str, limits: Limits = DEFAULT) -> None:
        self.root = os.path.realpath(root)
        self.limits = limits
        self._files: tuple[str, ...] | None = None

    def inside(self, path: str) -> str | None:
        """The relative form of a path written in the project, None where it leads out of the folder."""
        full = os.path.realpath(os.path.join(self.root, path))
        if full == self.root:
            return "."
        if not full.startswith(self.root + os.sep):
            return None
        return os.path.relpath(full, self.root).replace(os.sep, "/")

    def is_file(self, path: str) -> bool:
        found = self.inside(path)
        return found is not None and os.path.isfile(os.path.join(self.root, found))

    def is_folder(self, path: str) -> bool:
        found = self.inside(path)
        return found is not None and os.path.isdir(os.path.join(self.root, found))

    def read(self, path: str, limit: int | None = None, encoding: str = "utf-8-sig") -> str | None:
        """The text of a file, None where there is none or it is no text.  DocumentError ``document-too-large``."""
        data = self.read_bytes(path, limit)
        if data is None:
            return None
        try:
            return data.decode(encoding).replace("\r\n", "\n")
        except (UnicodeDecodeError, LookupError):
            try:
                return (
                    data.decode("latin-1").replace("\r\n", "\n") if path.endswith((".py", ".cfg")) else None
                )
            except UnicodeDecodeError:
                return None

    def read_bytes(self, path: str, limit: int | None = None) -> bytes | None:
        found = self.inside(path)
        if found is None:
            return None
        try:
            handle = os.open(os.path.join(self.root, found), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            return None
        bound = self.limits.file_bytes if limit is None else limit
        with open(handle, "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return None
            data = file.read(bound + 1)
        if len(data) > bound:
            raise DocumentError(
                "document-too-large", f"{found} is larger than {bound:,} bytes", where=Where(found)
            )
        return data

    def files(self) -> tuple[str, ...]:
        """Every regular file, sorted; folders of tools and of version control left out.

        DocumentError ``migrate-tree-too-large``.
        """
        if self._files is None:
            found: list[str] = []
            for folder, folders, names in os.walk(self.root):
                folders[:] = sorted(each for each in folders if each not in _NOT_CODE)
                base = os.path.relpath(folder, self.root).replace(os.sep, "/")
                found += [name if base == "." else f"{base}/{name}" for name in names]
                if len(found) > self.limits.tree_files:
                    raise DocumentError(
                        "migrate-tree-too-large",
                        f"{self.root} has more than {self.limits.tree_files:,} files",
                        where=Where(self.root),
                        hint="name the folder of one project",
                    )
            self._files = tuple(sorted(found))
        return self._files

    def below(self, folder: str) -> tuple[str, ...]:
        """The files below ``folder`` (``""``: all of them)."""
        start = f"{folder}/" if folder not in ("", ".") else ""
        return tuple(path for path in self.files() if path.startswith(start))

    def listing(self, folder: str) -> tuple[str, ...]:
        """The names in a folder, sorted; empty where there is none."""
        found = self.inside(folder)
        try:
            return tuple(sorted(os.listdir(os.path.join(self.root, found)))) if found is not None else ()
        except OSError:
            return ()

    def module_file(self, module: str, base: str = "") -> str | None:
        """The file of an import package or module below ``base``, None where there is none."""
        place = "/".join(filter(None, (base, *module.split("."))))
        for path in (f"{place}/__init__.py", f"{place}.py"):
            if self.is_file(path):
                return path
        return None
