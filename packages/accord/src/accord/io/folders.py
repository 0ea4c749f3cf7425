"""Where Accord keeps its own files (hot).

Every place is below one cache folder that can be emptied at any time (``accord cache clean``): nothing in it is the only copy of anything.
The caller hands over flag and variables; nothing here reads the process environment behind its back.
"""

from __future__ import annotations

import os
import sys

from accord_core.errors import UsageError

__all__ = ["cache_dir", "config_dir"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


def cache_dir(flag: str | None = None, environ: Mapping[str, str] = os.environ) -> str:
    """The absolute cache folder: ``--cache-dir``, else ``ACCORD_CACHE_DIR``, else the platform's place + ``accord``.

    The folder need not exist.  ``UsageError`` ``no-home`` where the platform has no place for this user.
    """
    chosen = flag or environ.get("ACCORD_CACHE_DIR")
    if chosen:
        return os.path.abspath(os.path.expanduser(chosen))
    if sys.platform == "win32":
        return os.path.join(
            environ.get("LOCALAPPDATA") or _home(environ, "AppData", "Local"), "accord", "cache"
        )
    if sys.platform == "darwin":
        return _home(environ, "Library", "Caches", "accord")
    given = environ.get("XDG_CACHE_HOME", "")
    # The XDG base directory specification: a relative path is to be ignored.
    return os.path.join(given, "accord") if os.path.isabs(given) else _home(environ, ".cache", "accord")


def config_dir(environ: Mapping[str, str] = os.environ) -> str:
    """The absolute folder of the user's configuration: ``ACCORD_CONFIG_DIR``, else the platform's place + ``accord``."""
    chosen = environ.get("ACCORD_CONFIG_DIR")
    if chosen:
        return os.path.abspath(os.path.expanduser(chosen))
    if sys.platform == "win32":
        return os.path.join(environ.get("APPDATA") or _home(environ, "AppData", "Roaming"), "accord")
    if sys.platform == "darwin":
        return _home(environ, "Library", "Application Support", "accord")
    given = environ.get("XDG_CONFIG_HOME", "")
    return os.path.join(given, "accord") if os.path.isabs(given) else _home(environ, ".config", "accord")


def _home(environ: Mapping[str, str], *parts: str) -> str:
    home = environ.get("HOME") or os.path.expanduser("~")
    if not os.path.isabs(home):
        raise UsageError(
            "no-home",
            "this user has no home folder to keep the cache in",
            hint="set ACCORD_CACHE_DIR to a folder that can be written",
        )
    return os.path.join(home, *parts)
