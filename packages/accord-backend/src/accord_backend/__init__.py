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

    from .delegate import Delegate
    from .project import Project

    Settings = Optional[Mapping[str, Any]]

__all__ = [
    "UnsupportedOperation",
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


class UnsupportedOperation(Exception):
    """What a frontend catches when an sdist cannot be made (PEP 517, "build_sdist"); only a delegate says so."""


def _delegate(*words: bytes) -> tuple[Delegate | None, bool]:
    """Another backend, where the tree names one, and whether a word stands in ``pyproject.toml`` at all.

    Looking at the bytes costs microseconds; a tree that says nothing of the kind pays for nothing of the kind.
    """
    try:
        with open("pyproject.toml", "rb") as file:
            text = file.read()
    except OSError:
        return None, False  # project.read says it well
    found = None
    if b"delegate" in text:
        from . import delegate

        found = delegate.find(".")
    return found, any(word in text for word in words)


def get_requires_for_build_wheel(config_settings: Settings = None) -> list[str]:
    """What steps, extension modules or a delegate need; nothing for a pure tree."""
    return _requires("get_requires_for_build_wheel", config_settings)


def get_requires_for_build_sdist(config_settings: Settings = None) -> list[str]:
    """What the steps need whose outputs an sdist carries, or a delegate."""
    return _requires("get_requires_for_build_sdist", config_settings)


def get_requires_for_build_editable(config_settings: Settings = None) -> list[str]:
    """The same as for a wheel."""
    return _requires("get_requires_for_build_editable", config_settings)


def _requires(hook: str, config_settings: Settings) -> list[str]:
    other, more = _delegate(b"extension", b"step")
    if other is not None:
        return other.requirements(hook, config_settings)
    if not more:
        return []
    from . import native, project, steps

    tree = project.read(".")
    if hook.endswith("sdist"):
        return steps.requirements(tree, sdist=True)
    return native.requirements(tree) + steps.requirements(tree)


def build_wheel(
    wheel_directory: str, config_settings: Settings = None, metadata_directory: str | None = None
) -> str:
    """Write a wheel into ``wheel_directory``; returns its file name.

    ``metadata_directory`` is what :func:`prepare_metadata_for_build_wheel` wrote: the wheel has these metadata, or
    there is no wheel.
    """
    return _wheel("build_wheel", wheel_directory, config_settings, metadata_directory)


def build_editable(
    wheel_directory: str, config_settings: Settings = None, metadata_directory: str | None = None
) -> str:
    """Write a wheel (PEP 660) that holds a ``.pth`` file naming the source root instead of the code."""
    return _wheel("build_editable", wheel_directory, config_settings, metadata_directory)


def _wheel(hook: str, wheel_directory: str, config_settings: Settings, metadata_directory: str | None) -> str:
    other, _ = _delegate()
    if other is not None:
        return other.call(hook, wheel_directory, config_settings, metadata_directory)
    from . import project, wheel

    tree = project.read(".")
    _tell(config_settings, tree)
    wheel.check_prepared(tree, metadata_directory, config_settings)
    return wheel.build(tree, wheel_directory, editable=hook == "build_editable", settings=config_settings)


def build_sdist(sdist_directory: str, config_settings: Settings = None) -> str:
    """Write ``{name}-{version}.tar.gz`` (PEP 625) into ``sdist_directory``; returns its file name."""
    other, _ = _delegate()
    if other is not None:
        return other.call("build_sdist", sdist_directory, config_settings)
    from . import project, sdist

    tree = project.read(".")
    _tell(config_settings, tree)
    return sdist.build(tree, sdist_directory)


def prepare_metadata_for_build_wheel(metadata_directory: str, config_settings: Settings = None) -> str:
    """Write the ``.dist-info`` folder the wheel will hold, without ``RECORD``; returns the folder's name."""
    return _metadata("prepare_metadata_for_build_wheel", metadata_directory, config_settings)


def prepare_metadata_for_build_editable(metadata_directory: str, config_settings: Settings = None) -> str:
    """The same folder: an editable wheel differs in its code, not in its metadata."""
    return _metadata("prepare_metadata_for_build_editable", metadata_directory, config_settings)


def _metadata(hook: str, metadata_directory: str, config_settings: Settings) -> str:
    other, _ = _delegate()
    if other is not None:
        return other.call(hook, metadata_directory, config_settings)
    from . import project, wheel

    return wheel.prepare_metadata(project.read("."), metadata_directory, settings=config_settings)


def _tell(config_settings: Settings, tree: Project) -> None:
    """Say what no build fails for: of the project, and which settings change nothing (a frontend may pass one set of them to the
    backends of many projects)."""
    from .errors import say  # loaded already, by whoever read the project

    for warning in tree.warnings:
        say(warning)
    if config_settings:
        known: tuple[str, ...] = ()
        if tree.extensions:
            from .native.options import KEYS

            known = KEYS
        for key in config_settings:
            if key not in known:
                say(f"the config setting {key!r} is not known here and changes nothing")
