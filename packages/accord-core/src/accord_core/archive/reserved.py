"""Places of an environment that no wheel may provide.

A wheel's ``.data/data`` folder is laid over the whole environment (binary distribution format, "The .data directory"),
so it could bring the journal that Accord replays after a crash, the configuration that makes the folder an environment,
or its Python.  Names are compared as the most careless file system would: without case, without Unicode form, without
signs that are not shown.  Compares strings; asks no file system.
"""

from __future__ import annotations

from ..errors import ArchiveError
from .entrypoints import check_script_name
from .paths import fold

__all__ = ["check_library_path", "check_target"]

_OWN = ".accord"
# Made by Accord or by venv: as a file they would replace a folder, and lib64 is a link that leads to another one.
_PARTS = frozenset((_OWN, "pyvenv.cfg", "lib64"))
_FOLDERS = frozenset(("bin", "scripts", "lib", "include"))
_STARTUP = frozenset(("_accord.pth", "_accord_base.pth"))
_STARTUP_LENGTHS = frozenset(map(len, _STARTUP))


def check_library_path(path: str) -> None:
    """Refuse a file at the top of site-packages that Accord's own start-up reads (``wheel-target-reserved``)."""
    if (len(path) in _STARTUP_LENGTHS or not path.isascii()) and _plain(path) in _STARTUP:
        raise _reserved(path)


def check_target(path: str) -> None:
    """Refuse a path, relative to the environment, that is one of the environment's own parts or leads out of it.

    Raises ``ArchiveError``: ``wheel-target-reserved``, ``archive-name-traversal``, and for the folders of scripts
    ``script-name-path`` and ``script-name-reserved``.
    """
    written = path.split("/")
    if any(part in ("", ".", "..") for part in written):
        raise ArchiveError("archive-name-traversal", f"{path!r} leads out of its folder")
    parts = [_plain(part) for part in written]
    if parts == ["pyvenv.cfg"]:
        check_script_name(parts[0])
    if parts[0] in ("bin", "scripts") and len(parts) > 1:
        check_script_name(parts[1])
    if parts[0] in _PARTS or (len(parts) == 1 and parts[0] in _FOLDERS):
        raise _reserved(path)
    inside = parts[parts.index("site-packages") + 1 :] if "site-packages" in parts else []
    if inside and inside[0] in _STARTUP:
        raise _reserved(path)


def _plain(part: str) -> str:
    if part.isascii():
        return part.lower()
    return "".join(sign for sign in fold(part) if sign.isprintable())


def _reserved(path: str) -> ArchiveError:
    return ArchiveError(
        "wheel-target-reserved",
        f"the wheel would put {path!r} into the environment, which is a part of the environment itself",
        hint="do not install this package; report it to the index",
    )
