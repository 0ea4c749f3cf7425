"""The surroundings of one case: a folder of its own, a clean environment, what was made for it, a server if it needs one.

Makers turn the words of ``given`` into these; roles choose which makers they have.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from accord_conformance.making.files import write_tree
from accord_conformance.making.pages import make_index
from accord_conformance.making.sdists import make_sdist
from accord_conformance.making.wheels import Made, make_wheel
from accord_conformance.site import Site

__all__ = ["COMMON_MAKERS", "Maker", "Scene", "keep", "make_environment", "purelib"]


@dataclass(slots=True)
class Scene:
    """One case's surroundings; ``values`` is what adapters' templates may name."""

    folder: Path
    environment: dict[str, str]
    values: dict[str, Any] = field(default_factory=dict)
    made: dict[str, Made] = field(default_factory=dict)
    site: Site | None = None
    closers: list[Callable[[], None]] = field(default_factory=list)

    @classmethod
    def at(cls, folder: Path, programs: Path) -> Scene:
        """A scene in the empty ``folder`` for a tool whose programs lie in ``programs``."""
        for name in ("home", "tmp", "project", "dist"):
            (folder / name).mkdir(parents=True)
        environment = {
            "PATH": os.pathsep.join((str(programs), os.path.dirname(sys.executable), os.defpath)),
            "HOME": str(folder / "home"),
            "TMPDIR": str(folder / "tmp"),
            "LC_ALL": "C.UTF-8",
            "NO_COLOR": "1",
            # What depends on the order of a set is the same each time it is asked.
            "PYTHONHASHSEED": "0",
            # Nothing of the person's own set-up is a tool's behaviour.
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "PIP_NO_INPUT": "1",
            "UV_NO_CONFIG": "1",
            "UV_PYTHON_DOWNLOADS": "never",
            "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
        }
        values = {"folder": str(folder), "project": str(folder / "project"), "dist": str(folder / "dist")}
        return cls(folder, environment, values)

    def serve(self) -> Site:
        """The scene's server, started when it is first wanted."""
        if self.site is None:
            self.site = Site({})
            self.closers.append(self.site.close)
            self.values["site"] = self.site.url
        return self.site

    def close(self) -> None:
        """Ends what was started."""
        while self.closers:
            self.closers.pop()()


Maker = Callable[[Scene, Any], None]


def _files(scene: Scene, values: Mapping[str, Any]) -> None:
    """A tree in the project's folder."""
    write_tree(scene.folder / "project", values)


def _wheels(scene: Scene, values: Mapping[str, Any]) -> None:
    for key, each in values.items():
        keep(scene, key, make_wheel(key, each))


def _sdists(scene: Scene, values: Mapping[str, Any]) -> None:
    for key, each in values.items():
        keep(scene, key, make_sdist(key, each))


def keep(scene: Scene, key: str, made: Made) -> Path:
    """Keeps a given file, and writes it: where it lies."""
    scene.made[key] = made
    scene.values[f"sha256_{key}"] = made.sha256
    # A folder for each: two files of a case may have one name.
    path = scene.folder / "dist" / key / made.filename
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(made.data)
    return path


def _index(scene: Scene, values: Mapping[str, Any]) -> None:
    """An index at ``{index}``, and ``{own_json}``, the site, where it has the public index's own JSON."""
    routes, root = make_index(values, scene.made)
    site = scene.serve()
    site.routes.update(routes)
    scene.values["index"] = site.url + root
    if values.get("serial"):
        scene.values["own_json"] = site.url


def _environment(scene: Scene, values: Mapping[str, str]) -> None:
    """Variables for the tool; ``{site}`` and the like are filled in."""
    for name, text in values.items():
        for key, value in scene.values.items():
            text = text.replace(f"{{{key}}}", str(value))
        scene.environment[name] = text


# In this order: an index speaks of wheels.
COMMON_MAKERS: dict[str, Maker] = {
    "files": _files,
    "wheels": _wheels,
    "sdists": _sdists,
    "index": _index,
    "environment": _environment,
}


def make_environment(
    scene: Scene, name: str = "env", base: Path | None = None, *, system: bool = False
) -> Path:
    """A virtual environment as PEP 405 describes it, written by hand so that no tool's accident is in it.

    Of the Python ``base`` (default: the suite's); ``system`` lets it see what is installed there.  Offers ``{env}``, ``{target}`` (its Python) and ``{purelib}``.
    """
    folder = scene.folder / name
    base = base or Path(getattr(sys, "_base_executable", sys.executable)).resolve()
    (folder / "bin").mkdir(parents=True)
    purelib(folder).mkdir(parents=True)
    (folder / "pyvenv.cfg").write_text(
        f"home = {base.parent}\ninclude-system-site-packages = {str(system).lower()}\n"
        f"version = {'.'.join(map(str, sys.version_info[:3]))}\n",
        encoding="utf-8",
    )
    for program in ("python", "python3", f"python3.{sys.version_info[1]}"):
        (folder / "bin" / program).symlink_to(base)
    scene.values.update(env=str(folder), target=str(folder / "bin" / "python"), purelib=str(purelib(folder)))
    return folder


def purelib(folder: Path) -> Path:
    """Where pure modules lie in the environment at ``folder``."""
    return folder / "lib" / f"python3.{sys.version_info[1]}" / "site-packages"
