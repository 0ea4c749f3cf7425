"""Accord's build backend: the hooks of PEP 517 and PEP 660, and nothing else.

A frontend imports this module in the interpreter the wheel is for, asks one question and throws the process
away, so the module itself imports nothing: each hook brings in the room it needs.  The backend *describes*, it
does not script: everything it writes follows from ``pyproject.toml`` and the files beside it, so the same tree
gives the same bytes on any machine, whatever the umask, the times of the files or the folder's place.  It knows
the standard library only (``tomli`` below Python 3.11) and no other part of Accord.

Hooks run with the source tree as the working directory (PEP 517, "Build backend interface").  All of them raise
:class:`accord_backend.errors.BackendError`.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Mapping, Optional

    Settings = Optional[Mapping[str, Any]]

__all__ = [
    "build_editable",
    "build_sdist",
    "build_wheel",
    "get_requires_for_build_editable",
    "get_requires_for_build_sdist",
    "get_requires_for_build_wheel",
    "prepare_metadata_for_build_editable",
    "prepare_metadata_for_build_wheel",
]

__version__ = "0.1.0"


def get_requires_for_build_wheel(config_settings: Settings = None) -> list[str]:
    """Nothing beyond ``build-system.requires``: pure wheels are made with the standard library."""
    return []


def get_requires_for_build_sdist(config_settings: Settings = None) -> list[str]:
    """Nothing beyond ``build-system.requires``."""
    return []


def get_requires_for_build_editable(config_settings: Settings = None) -> list[str]:
    """Nothing beyond ``build-system.requires``."""
    return []


def build_wheel(
    wheel_directory: str, config_settings: Settings = None, metadata_directory: str | None = None
) -> str:
    """Write a pure wheel into ``wheel_directory``; returns its file name.

    ``metadata_directory`` is what :func:`prepare_metadata_for_build_wheel` wrote: the wheel has these metadata, or
    there is no wheel.
    """
    from . import project, wheel

    _tell_unknown(config_settings)
    tree = project.read(".")
    wheel.check_prepared(tree, metadata_directory)
    return wheel.build(tree, wheel_directory)


def build_editable(
    wheel_directory: str, config_settings: Settings = None, metadata_directory: str | None = None
) -> str:
    """Write a wheel (PEP 660) that holds a ``.pth`` file naming the source root instead of the code."""
    from . import project, wheel

    _tell_unknown(config_settings)
    tree = project.read(".")
    wheel.check_prepared(tree, metadata_directory)
    return wheel.build(tree, wheel_directory, editable=True)


def build_sdist(sdist_directory: str, config_settings: Settings = None) -> str:
    """Write ``{name}-{version}.tar.gz`` (PEP 625) into ``sdist_directory``; returns its file name."""
    from . import project, sdist

    _tell_unknown(config_settings)
    return sdist.build(project.read("."), sdist_directory)


def prepare_metadata_for_build_wheel(metadata_directory: str, config_settings: Settings = None) -> str:
    """Write the ``.dist-info`` folder the wheel will hold, without ``RECORD``; returns the folder's name."""
    from . import project, wheel

    return wheel.prepare_metadata(project.read("."), metadata_directory)


def prepare_metadata_for_build_editable(metadata_directory: str, config_settings: Settings = None) -> str:
    """The same folder: an editable wheel differs in its code, not in its metadata."""
    return prepare_metadata_for_build_wheel(metadata_directory, config_settings)


def _tell_unknown(config_settings: Settings) -> None:
    """Name what changes nothing: a frontend may pass one set of settings to the backends of many projects."""
    if config_settings:
        from .errors import say

        for key in config_settings:
            say(f"the config setting {key!r} is not known here and changes nothing")
