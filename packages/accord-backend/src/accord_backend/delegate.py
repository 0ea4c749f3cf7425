"""Passing the hooks on: ``[tool.accord.backend] delegate = "mesonpy"`` (PEP 517, PEP 660).

For builds that a description should not grow into: Fortran, CMake, Rust.  The delegate is named as PEP 517 names a
backend, ``module`` or ``module:object``.  Every hook goes to it; hooks it does not have behave as the standards say a
frontend would, because a frontend sees only ours.  ``requires`` names what brings it, for modules not known here.
"""

from __future__ import annotations

import os

from .errors import BackendError, Fault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Mapping, Optional

    Settings = Optional[Mapping[str, Any]]

__all__ = ["Delegate", "find"]

# What each brings is all its own hooks would ask for on a machine that has nothing.
_KNOWN = {
    "mesonpy": ("meson-python", ("ninja",)),
    "scikit_build_core.build": ("scikit-build-core", ("cmake", "ninja")),
    "maturin": ("maturin", ()),
    "setuptools.build_meta": ("setuptools", ()),
    "setuptools_rust": ("setuptools-rust", ()),
    "hatchling.build": ("hatchling", ()),
    "flit_core.buildapi": ("flit_core", ()),
    "poetry.core.masonry.api": ("poetry-core", ()),
    "pdm.backend": ("pdm-backend", ()),
    "uv_build": ("uv_build", ()),
    "sipbuild.api": ("sip", ()),
    "enscons.api": ("enscons", ()),
}
KEYS = ("delegate", "requires")


class Delegate:
    """The other backend.  ``reference`` as written; ``requires`` what has to be installed for it."""

    def __init__(self, reference: str, requires: list[str]) -> None:
        self.reference = reference
        self.requires = requires

    def _object(self) -> Any | None:
        """The backend object, ``None`` where its module is not installed (yet)."""
        import importlib

        module, _, path = self.reference.partition(":")
        try:
            found: Any = importlib.import_module(module)
        except ModuleNotFoundError as fault:
            if fault.name is not None and (module == fault.name or module.startswith(fault.name + ".")):
                return None
            raise BackendError(
                "delegate-broken", f"importing the delegate {module} failed: {fault}"
            ) from fault
        for name in filter(None, path.split(".")):
            if not hasattr(found, name):
                raise BackendError("delegate-broken", f"{module} has no {path}", hint="correct delegate")
            found = getattr(found, name)
        return found

    def requirements(self, hook: str, settings: Settings) -> list[str]:
        """The answer to ``get_requires_for_build_*``.

        On the first call the delegate is not installed yet, so it cannot be asked; then the list is what it would say on
        a machine without the programs it calls.
        """
        backend = self._object()
        if backend is None:
            return self.requires
        function = getattr(backend, hook, None)
        asked = list(function(settings)) if function is not None else []
        return [*self.requires, *(text for text in asked if text not in self.requires)]

    def call(self, hook: str, folder: str, settings: Settings, *more: str | None) -> str:
        """Run a hook.  Raises ``BackendError`` ``delegate-missing``, ``delegate-no-hook`` and ``delegate-output``."""
        backend = self._object()
        if backend is None:
            raise BackendError(
                "delegate-missing",
                f"the delegate {self.reference} is not installed where the build runs",
                hint=f"build in an isolated environment, or: python -m pip install {' '.join(self.requires) or self.reference}",
            )
        function = getattr(backend, hook, None)
        if function is None and hook.startswith("prepare_metadata_for_"):
            return self._metadata_from_wheel(hook.replace("prepare_metadata_for_", ""), folder, settings)
        if function is None:
            raise BackendError(
                "delegate-no-hook",
                f"the delegate {self.reference} has no {hook}",
                hint="install without --editable, or choose a delegate that can"
                if "editable" in hook
                else "",
            )
        answer = self._translated(backend, function, folder, settings, *more)
        if not isinstance(answer, str):
            raise BackendError(
                "delegate-output", f"{self.reference}: {hook} returned {answer!r}, not a file name"
            )
        return answer

    @staticmethod
    def _translated(backend: Any, function: Any, *arguments: Any) -> Any:
        # A frontend catches the UnsupportedOperation of the backend it knows, which is ours (PEP 517, "build_sdist").
        from . import UnsupportedOperation

        theirs = getattr(backend, "UnsupportedOperation", None)
        try:
            return function(*arguments)
        except Exception as fault:
            if isinstance(theirs, type) and isinstance(fault, theirs):
                raise UnsupportedOperation(*fault.args) from fault
            raise

    def _metadata_from_wheel(self, hook: str, folder: str, settings: Settings) -> str:
        """What a frontend does for a backend without the hook: build the wheel and take the folder out of it."""
        import tempfile
        import zipfile

        with tempfile.TemporaryDirectory(prefix="accord-delegate-") as place:
            name = self.call(hook, place, settings, None)
            with zipfile.ZipFile(os.path.join(place, name)) as wheel:
                names = [one for one in wheel.namelist() if one.split("/")[0].endswith(".dist-info")]
                tops = {one.split("/")[0] for one in names}
                if len(tops) != 1 or any(".." in one.split("/") or "\\" in one for one in names):
                    raise BackendError("delegate-output", f"{name} holds {len(tops)} .dist-info folders")
                for one in names:
                    if not one.endswith(("/", "/RECORD")):
                        wheel.extract(one, folder)
        return tops.pop()


def find(root: str) -> Delegate | None:
    """The delegate that ``pyproject.toml`` names, ``None`` where there is none.

    The ``project`` table is the delegate's business and is not looked at.  Raises ``BackendError``
    ``pyproject-not-toml`` and ``pyproject-invalid``.
    """
    from .project import document
    from .tables import Table

    tools = Table(document(root), "", []).table("tool")
    table = tools.table("accord").table("backend")
    if not table.data:
        return None
    table.only(*KEYS)
    reference = table.text("delegate")
    requires = table.texts("requires")
    from . import rules

    if "delegate" not in table.data:
        table.fault("key-missing", "delegate", "is required: the module of the other backend")
    elif reference is not None and not rules.is_object_reference(reference, callable_needed=False):
        table.fault("delegate-invalid", "delegate", f"{reference!r} is not 'module' or 'module:object'")
    elif reference is not None and reference.partition(":")[0].partition(".")[0] == "accord_backend":
        table.fault("delegate-invalid", "delegate", "a backend does not delegate to itself")
    table.faults.extend(
        Fault(
            "requirement-invalid", "tool.accord.backend.requires", f"{text!r} is not a requirement (PEP 508)"
        )
        for text in requires
        if rules.requirement(text) is None
    )
    if table.faults:
        raise BackendError(
            "pyproject-invalid", "tool.accord.backend is not right", faults=tuple(table.faults)
        )
    found = _delegate(reference or "", requires)
    if found.reference == "maturin":
        found.requires.extend(_of_maturin(tools.data))
    return found


def _of_maturin(tools: Mapping[str, Any]) -> list[str]:
    """What maturin asks for because of its table and of what is here.  Without cffi it runs pip in the middle of the build."""
    import shutil
    import sys

    table = tools.get("maturin")
    asked = []
    if isinstance(table, dict) and table.get("bindings") == "cffi" and sys.implementation.name != "pypy":
        asked.append("cffi")  # PyPy brings its own
    if not os.environ.get("MATURIN_NO_INSTALL_RUST") and shutil.which("cargo") is None:
        asked.append("puccinialin")
    return asked


def _delegate(reference: str, named: list[str]) -> Delegate:
    import shutil

    distribution, programs = _KNOWN.get(reference.replace(" ", "").partition(":")[0], (None, ()))
    requires = list(named)
    if distribution is not None and not named:
        requires = [distribution, *(program for program in programs if shutil.which(program) is None)]
    return Delegate(reference.replace(" ", ""), requires)
