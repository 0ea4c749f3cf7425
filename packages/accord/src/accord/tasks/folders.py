"""Where a project, its lock and its environment are, as far as folders tell.  Hot: every project command asks."""

from __future__ import annotations

import os

from accord_core.errors import UsageError

__all__ = [
    "cache_folder",
    "find_environment",
    "find_project",
    "lock_path",
    "project_environment",
    "read_pin",
    "upwards",
]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

PROJECT_FILE = "pyproject.toml"
LOCK_FILE = "pylock.toml"
ENVIRONMENT = ".venv"
PIN_FILE = ".python-version"
_LARGEST_PIN = 64 * 1024  # bytes of it


def cache_folder(flag: str | None, environ: Mapping[str, str]) -> str:
    """The absolute cache folder: the flag, ``ACCORD_CACHE_DIR``, else the platform's place."""
    from accord.io.folders import cache_dir

    return cache_dir(flag, environ)


def find_project(start: str | None = None) -> str:
    """The nearest folder at or above ``start`` (default: here) that holds a ``pyproject.toml``, absolute.

    ``UsageError`` ``no-project`` where there is none.
    """
    folder = os.path.abspath(start or ".")
    if os.path.basename(folder) == PROJECT_FILE:
        folder = os.path.dirname(folder)
    found = upwards(folder, PROJECT_FILE)
    if found is not None:
        return found
    raise UsageError(
        "no-project",
        f"there is no {PROJECT_FILE} in {folder} or above it",
        hint="accord init makes a project; --project DIR names one elsewhere",
    )


def upwards(folder: str, file: str) -> str | None:
    """The nearest folder at or above ``folder`` (absolute) below which ``file`` (a relative path) is a file."""
    while not os.path.isfile(os.path.join(folder, file)):
        above = os.path.dirname(folder)
        if above == folder:
            return None
        folder = above
    return folder


def read_pin(folder: str) -> str | None:
    """What ``.python-version`` in ``folder`` asks for: its first line that is no comment."""
    try:
        with open(os.path.join(folder, PIN_FILE), "rb") as file:
            lines = [line.strip() for line in file.read(_LARGEST_PIN).decode("utf-8-sig").splitlines()]
    except UnicodeDecodeError as error:
        from accord_core.errors import DocumentError, Where

        path = os.path.join(folder, PIN_FILE)
        raise DocumentError(
            "document-not-utf8",
            f"{path} is not UTF-8 text",
            where=Where(path),
            hint="write it anew: accord python pin 3.12",
        ) from error
    except (FileNotFoundError, NotADirectoryError):
        return None
    return next((line for line in lines if line and not line.startswith("#")), None)


def lock_path(project_dir: str) -> str:
    """The lock of a project: ``pylock.toml`` beside its ``pyproject.toml`` (PEP 751, "File Name")."""
    return os.path.join(project_dir, LOCK_FILE)


def project_environment(project_dir: str) -> str:
    """The project's own environment, whether it is there yet or not."""
    return os.path.join(project_dir, ENVIRONMENT)


def find_environment(asked: str | None, environ: Mapping[str, str], start: str | None = None) -> str:
    """The environment a ``pip`` command is about: the one asked for, the active one (``VIRTUAL_ENV``), or the
    nearest ``.venv`` at or above ``start``.

    ``UsageError`` ``no-environment`` where there is none: nothing is ever installed into the Python of the system
    unasked.
    """
    if asked is not None:
        return os.path.abspath(asked)
    active = environ.get("VIRTUAL_ENV")
    if active:
        return os.path.abspath(active)
    found = upwards(os.path.abspath(start or "."), os.path.join(ENVIRONMENT, "pyvenv.cfg"))
    if found is not None:
        return os.path.join(found, ENVIRONMENT)
    raise UsageError(
        "no-environment",
        "no environment is active, and there is no .venv here or above",
        hint="accord venv makes one; --env DIR names one elsewhere",
    )
