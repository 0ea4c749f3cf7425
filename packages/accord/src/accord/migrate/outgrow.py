"""When a project outgrows the description: the files of meson-python or scikit-build-core, written from it.

A pure function of ``pyproject.toml`` as a mapping and the names of the project's files: text out, nothing read and nothing
written.  What has no counterpart over there is said in ``notes`` and not dropped in silence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from accord.migrate import outgrow_cmake, outgrow_meson, outgrow_model
from accord.migrate.outgrow_model import Outgrown

__all__ = ["TARGETS", "Outgrown", "outgrow"]

TARGETS = ("meson-python", "scikit-build-core")


def outgrow(
    document: Mapping[str, Any],
    target: str,
    *,
    files: Sequence[str],
    packages: Sequence[str],
    base: str = "src",
) -> Outgrown:
    """The build files of ``target``, one of :data:`TARGETS`.

    ``document`` is ``pyproject.toml``; ``files`` every file of the project relative to its root with ``/``; ``packages`` the top
    import packages or modules, ``base`` the folder they lie in (``""`` for a flat layout).  The description must be one the
    backend accepts.  Raises ``ValueError`` for another ``target``.
    """
    notes: list[str] = []
    project = outgrow_model.read(document, files, packages, base, notes)
    if target == "meson-python":
        return outgrow_meson.write(project, notes)
    if target == "scikit-build-core":
        return outgrow_cmake.write(project, notes)
    raise ValueError(f"{target!r} is not one of {', '.join(TARGETS)}")
