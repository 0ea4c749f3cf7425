"""The main job, done before a person's eyes on a copy of a small web application: lock, sync, run, ask, look, change,
undo.  Then the other ones, on a copy of a small project with a module in C: build, install, run; and an index of one's
own, to which it is published and from which it is installed.

Every step is the command a person would type, in a process of its own, with its time.  Nothing outside the scratch
folder and the cache is touched.
"""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from accord.tasks.folders import upwards
from accord.tasks.tour_index import show_index
from accord.tasks.tour_steps import LIMITS, Limits, Step, Walk
from accord_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Packages", "find_example", "find_packages", "take_tour"]

EXAMPLE = os.path.join("examples", "notes-web")
COMPILED = os.path.join("examples", "fast-count")
BACKEND = os.path.join("packages", "accord-backend")
ACCORD = (os.path.join("packages", "accord-core"), os.path.join("packages", "accord"))
LEFT_OUT = (".venv", "pylock.toml", "__pycache__", "build", "dist", "*.so")
ADDED = "humanize"


@dataclass(frozen=True, slots=True)
class Packages:
    """What is built in the second part: the folder of a project with a module in C, and of the backend it asks for.  For the
    third: the folders of Accord, and the lock of what an index and its clients need, empty where this Python has none."""

    project: str
    backend: str
    accord: tuple[str, ...]
    lock: str


def find_packages(start: str) -> Packages | None:
    """Those of the checkout that ``start`` lies in, if there is one."""
    found = upwards(os.path.abspath(start), os.path.join(COMPILED, "pyproject.toml"))
    if found is None:
        return None
    lock = os.path.join(found, "requirements", f"tour-{sys.version_info[0]}.{sys.version_info[1]}.txt")
    return Packages(
        os.path.join(found, COMPILED),
        os.path.join(found, BACKEND),
        tuple(os.path.join(found, folder) for folder in ACCORD),
        lock if os.path.isfile(lock) else "",
    )


def find_example(asked: str | None, start: str) -> str:
    """The project to show: the one asked for, else the example of the checkout that ``start`` lies in.

    ``UsageError`` ``no-example`` for an installation without a checkout around it.
    """
    if asked is not None:
        if not os.path.isfile(os.path.join(asked, "pyproject.toml")):
            raise UsageError(
                "no-project", f"{asked} has no pyproject.toml", hint="name the folder of a project"
            )
        return os.path.abspath(asked)
    found = upwards(os.path.abspath(start), os.path.join(EXAMPLE, "pyproject.toml"))
    if found is not None:
        return os.path.join(found, EXAMPLE)
    raise UsageError(
        "no-example",
        "the example of the tour is not installed with Accord",
        hint="run it in a checkout of Accord, or name a project: accord tour DIR",
    )


def take_tour(
    example: str,
    scratch: str,
    *,
    packages: Packages | None = None,
    tell: Callable[[Step], None],
    limits: Limits = LIMITS,
) -> tuple[Step, ...]:
    """Show ``example``, and how ``packages`` are built, in ``scratch``, an empty folder; ``tell`` hears of each step as
    it ends.

    ``AccordError`` ``tour-failed`` with the output of the step that failed.
    """
    walk = Walk(_copied(example, scratch), tell, limits)
    _use(walk)
    left_out = _left_out(packages)
    if packages is not None and _compiler():
        walk = walk.elsewhere(_copied(packages.project, scratch))
        _build(walk, packages.backend)
        if packages.lock:
            show_index(walk, packages.accord, packages.lock)
    if left_out:
        walk.note(Step(left_out, "", "", 0.0))
    return tuple(walk.steps)


def _left_out(packages: Packages | None) -> str:
    """What the tour does not show here, and why."""
    if packages is None:
        return "building a package and an index of one's own are shown by accord tour alone, in a checkout of Accord"
    if not _compiler():
        return "a project with a module in C would be built and published here, but there is no C compiler"
    if not packages.lock:
        python = f"{sys.version_info[0]}.{sys.version_info[1]}"
        return f"an index of one's own would be shown here, but requirements/ has no lock of its server for Python {python}"
    return ""


def _use(walk: Walk) -> None:
    scripts = _project_table(walk.project).get("scripts", {})
    name = os.path.basename(walk.project)
    walk.step(f"a project, {name} (a copy of it): resolve what it asks for, and write the lock", "lock")
    walk.step("make its environment", "sync")
    walk.step("nothing to do: no network, no work", "sync")
    if scripts:
        walk.application(next(iter(scripts)))
    walk.step("what leads to what", "tree", "--depth", "2")
    walk.step("change a dependency", "add", ADDED)
    walk.step("why is it there", "why", ADDED)
    walk.step("take the change of the environment back", "undo")
    walk.step("what was done", "history")


def _build(walk: Walk, backend: str) -> None:
    name = next(iter(_project_table(walk.project)["scripts"]))
    wheels = os.path.join("..", "wheels")
    walk.step("the build backend, built by itself", "build", backend, "--wheel", "-o", wheels)
    words = "a project with a module in C: its sdist, and from that its wheel"
    walk.step(words, "build", "--find-links", wheels)
    walk.step("what an index and a careful maintainer would say", "check")
    walk.step("an environment for it", "venv")
    (wheel,) = (file for file in os.listdir(os.path.join(walk.project, "dist")) if file.endswith(".whl"))
    walk.step("install the wheel", "pip", "install", os.path.join("dist", wheel))
    walk.step("run it", "run", "--no-sync", name, "README.md")


def _compiler() -> str | None:
    return shutil.which(os.environ.get("CC", "").partition(" ")[0] or "cc") or shutil.which("gcc")


def _copied(project: str, scratch: str) -> str:
    copy = os.path.join(scratch, os.path.basename(project))
    shutil.copytree(project, copy, ignore=shutil.ignore_patterns(*LEFT_OUT))
    return copy


def _project_table(folder: str) -> dict[str, Any]:
    import tomllib

    with open(os.path.join(folder, "pyproject.toml"), "rb") as file:
        table: dict[str, Any] = tomllib.load(file)["project"]
    return table
