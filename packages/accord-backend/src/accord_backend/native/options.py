"""What a person may say per build (``-C key=value``), apart from what the project says of itself.

``build-dir`` a folder to build in and keep, ``debug`` true for ``-O0 -g``, ``jobs`` how many compilers at once, ``verbose`` to
see each command, ``limited-api`` false to build for the running interpreter alone, ``precompile`` false to have each source
read ``Python.h`` for itself.  Keys of other backends pass unread:
frontends send the same settings to all.
"""

from __future__ import annotations

from ..errors import BackendError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Mapping

__all__ = ["KEYS", "Options", "read_options"]

KEYS = ("build-dir", "debug", "jobs", "limited-api", "precompile", "verbose")

_MOST_JOBS = 1024


class Options:
    """The settings in normal form; ``jobs`` 0 leaves the number to ninja."""

    __slots__ = ("build_dir", "debug", "jobs", "limited_api", "precompile", "verbose")

    build_dir: str | None
    debug: bool
    jobs: int
    limited_api: bool
    precompile: bool
    verbose: bool


def read_options(settings: Mapping[str, Any] | None) -> Options:
    """Raises ``BackendError`` ``setting-invalid``."""
    result = Options()
    given = dict(settings or {})
    result.build_dir = _last(given.get("build-dir")) or None
    result.debug = _flag(given, "debug", False)
    result.verbose = _flag(given, "verbose", False)
    result.limited_api = _flag(given, "limited-api", True)
    result.precompile = _flag(given, "precompile", True)
    jobs = _last(given.get("jobs")) or "0"
    if not jobs.isdigit() or int(jobs) > _MOST_JOBS:
        raise BackendError("setting-invalid", f"-C jobs={jobs}: give a number up to {_MOST_JOBS}")
    result.jobs = int(jobs)
    return result


def _last(value: object) -> str:
    # A key given several times arrives as a list (PEP 517, "Config settings"); the last one counts.
    if isinstance(value, (list, tuple)):
        value = value[-1] if value else ""
    return "" if value is None else str(value)


def _flag(settings: Mapping[str, Any], key: str, default: bool) -> bool:
    text = _last(settings.get(key)).lower()
    if text in ("true", "1", "yes", "on"):
        return True
    if text in ("false", "0", "no", "off"):
        return False
    if text:
        raise BackendError("setting-invalid", f"-C {key}={text}: say true or false")
    return default
