"""Whether a person's folder is something to build, and what to say where it is not, or where it does not say by what.

``accord_core`` and :mod:`accord.build` judge trees of anybody; here it is somebody's own, who can be told what to do next.
"""

from __future__ import annotations

import os

from accord_core.errors import BuildError, Where

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.io.reporting import Reporter
    from accord.tasks.build_facts import Facts

__all__ = ["advise", "require_description", "require_project", "tell_fallback"]

_MARKS = ("pyproject.toml", "setup.py", "setup.cfg")
_LOOKED_AT = 2000  # entries of a folder, before it is clear enough what it is
TABLE = '[build-system] with requires = ["accord-backend"] and build-backend = "accord_backend"'


def require_project(folder: str) -> None:
    """Raise BuildError ``build-not-a-project`` where nothing in ``folder`` says how it is built, with what lies there in
    the hint."""
    # One that is no file is refused for that, by who reads it.
    if any(os.path.lexists(os.path.join(folder, name)) for name in _MARKS[:2]):
        return
    label = os.path.basename(folder) or folder
    names = sorted(os.listdir(folder))[:_LOOKED_AT]
    visible = [name for name in names if not name.startswith(".")]
    below = [name for name in visible if _marked(os.path.join(folder, name))]
    above = _above(folder)
    if not visible:
        message, hint = f"{label} is empty: there is nothing to build", "accord init makes a project here"
        if above is not None:
            hint = f"the project is in {above}: accord build {os.path.relpath(above)}"
    elif "setup.cfg" in names:
        message = f"{label} has a setup.cfg, and neither pyproject.toml nor setup.py beside it"
        hint = "accord migrate writes a pyproject.toml of it"
    elif below:
        message = f"{label} is no project: it has neither pyproject.toml nor setup.py"
        several = "" if len(below) == 1 else f" (or one of {len(below) - 1} others)"
        hint = (
            f"the project is below: accord build {os.path.relpath(os.path.join(folder, below[0]))}{several}"
        )
    elif above is not None:
        message = f"{label} is a part of the project in {above}, which is built as a whole"
        hint = f"accord build {os.path.relpath(above)}"
    else:
        message = f"{label} holds files, but neither a pyproject.toml nor a setup.py that says what they are"
        hint = "accord init --package makes a project of them; one file is run as it is: accord run FILE.py"
        if not any(name.endswith(".py") for name in visible):
            hint = "name the folder that holds the project: accord build FOLDER"
    raise BuildError("build-not-a-project", message, where=Where(folder), hint=hint)


def require_description(folder: str, facts: Facts) -> None:
    """Raise BuildError ``build-not-a-project`` where ``pyproject.toml`` is for other tools only: setuptools, which stands in,
    would make a release called "unknown"."""
    system = facts.system
    described = facts.name is not None or (system is not None and system.declared)
    if described or any(os.path.isfile(os.path.join(folder, name)) for name in _MARKS[1:]):
        return
    hint = f"write [project] with name and version, and {TABLE}; accord migrate carries over what Poetry or Flit had"
    if "workspace" in facts.tool:
        hint = "it is the root of a workspace: accord build --all builds its members"
    raise BuildError(
        "build-not-a-project",
        f"{os.path.basename(folder) or folder} has a pyproject.toml that describes no project: neither [project] nor [build-system]",
        where=Where(os.path.join(folder, "pyproject.toml")),
        hint=hint,
    )


def tell_fallback(facts: Facts, label: str, reporter: Reporter) -> None:
    """Say by what a project is built that does not say it."""
    if facts.system is not None and not facts.system.declared:
        reporter.warn(f"{label} names no build system, so setuptools built it (PEP 517): {_writing(facts)}")


def advise(error: BuildError, facts: Facts) -> None:
    """Put into the hint of a failed build that setuptools was nobody's choice."""
    if facts.system is None or facts.system.declared or error.code == "build-not-reproducible":
        return
    advice = f"the project names no build system, so setuptools built it: {_writing(facts)}"
    error.hint = f"{advice}; {error.hint}" if error.hint else advice


def _writing(facts: Facts) -> str:
    if facts.name is None:
        return "accord migrate writes a pyproject.toml that names one"
    return f"to choose, write {TABLE}; what is only run where it lies needs no build"


def _marked(path: str) -> bool:
    return any(os.path.isfile(os.path.join(path, name)) for name in _MARKS[:2])


def _above(folder: str) -> str | None:
    """The nearest folder above that is a project."""
    above = os.path.dirname(folder)
    while above != folder:
        if _marked(above):
            return above
        folder, above = above, os.path.dirname(above)
    return None
