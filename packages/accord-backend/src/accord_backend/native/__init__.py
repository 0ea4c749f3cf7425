"""The native half of the backend: extension modules by description, configured, built by ninja, read into the wheel.

Four phases, kept apart: :mod:`.description` says what there is, :mod:`.configure` resolves it to a recorded file,
:mod:`.building` makes it, and the wheel takes the finished modules from here.  A pure project loads nothing of this.
"""

from __future__ import annotations

import os

from .. import layout, trees

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Mapping, Sequence

    from ..project import Project
    from .description import Extension
    from .options import Options

__all__ = ["build", "built_in_place", "kept_out", "requirements", "sdist_files", "tag"]


def requirements(project: Project) -> list[str]:
    """What building the extensions needs besides ``build-system.requires``: ninja where there is none, Cython."""
    from . import toolchain

    if not project.extensions:
        return []
    needed = [] if toolchain.find_ninja(os.environ) else [toolchain.NINJA]
    sources = (path for extension in project.extensions for path in extension.everywhere("sources"))
    if any(path.endswith(".pyx") for path in sources) or any(
        one.language == "cython" for one in project.extensions
    ):
        needed.append("cython>=3")
    return needed


def tag(project: Project, settings: Mapping[str, Any] | None) -> str | None:
    """The tag of the project's wheels for the running interpreter, ``None`` where it has no extensions (for it)."""
    from . import options, tags, toolchain

    if not project.extensions:
        return None
    facts = toolchain.python_facts()
    extensions = _here(project, facts, options.read_options(settings))
    return tags.wheel_tag(extensions, facts) if extensions else None


def _here(project: Project, facts: Mapping[str, Any], chosen: Options) -> Sequence[Extension]:
    from . import description, markers, toolchain

    toolchain.check_platform(facts)
    environment = markers.environment()
    found = [description.resolved(extension, environment) for extension in project.extensions]
    found = [extension for extension in found if extension.built]
    for extension in found:
        toolchain.check_free_threaded(extension, facts)
        if not chosen.limited_api:
            extension.limited_api = None
    return found


def build(
    project: Project, settings: Mapping[str, Any] | None, *, in_place: bool = False
) -> dict[str, bytes]:
    """The finished modules by their path in the wheel.  ``in_place`` puts them beside the sources as well (PEP 660)."""
    from . import building, options, tags, toolchain

    chosen = options.read_options(settings)
    facts = toolchain.python_facts()
    extensions = _here(project, facts, chosen)
    if not extensions:
        return {}
    folder = f"build/accord-{tags.wheel_tag([], facts)}{'-debug' if chosen.debug else ''}"
    if chosen.build_dir:
        folder = _below(project.root, chosen.build_dir)
    unpacked = os.path.isfile(os.path.join(project.root, "PKG-INFO")) and not chosen.build_dir
    building.open_folder(project.root, folder, clean=unpacked)
    with building.FolderLock(os.path.join(project.root, folder)) as lock:
        built = building.build(project.root, folder, extensions, facts, chosen, lock)
    if in_place:
        base = os.path.join(project.root, layout.source_root(project))
        for path, data in built.modules.items():
            _put(os.path.join(base, *path.split("/")), data)
    return built.modules


def _below(root: str, folder: str) -> str:
    place = os.path.relpath(os.path.join(root, folder), root).replace(os.sep, "/")
    return os.path.abspath(os.path.join(root, folder)) if place.startswith("..") else place


def _put(path: str, data: bytes) -> None:
    # By a new file: a process that has the old one mapped keeps it whole.
    os.makedirs(os.path.dirname(path), exist_ok=True)
    unfinished = f"{path}.{os.getpid()}.tmp"
    with open(unfinished, "wb") as file:
        file.write(data)
    os.replace(unfinished, path)


def kept_out(project: Project) -> set[str]:
    """Files of the packages that a wheel leaves out: sources, ``depends`` (but ``.pxd``), modules built in place."""
    found: set[str] = set()
    for extension in project.extensions:
        found.update(path for path in _named(project.root, extension) if not path.endswith(".pxd"))
    return found | built_in_place(project)


def built_in_place(project: Project) -> set[str]:
    """What editable builds put beside the sources, for any interpreter: neither wheel nor sdist carries it."""
    base = layout.source_root(project)
    found: set[str] = set()
    for extension in project.extensions:
        folder, _, name = "/".join(filter(None, (base, extension.path))).rpartition("/")
        try:
            entries = os.listdir(os.path.join(project.root, folder))
        except OSError:
            continue
        found.update(
            f"{folder}/{entry}" if folder else entry
            for entry in entries
            if entry.startswith(f"{name}.") and entry.endswith((".so", ".pyd"))
        )
    return found


def _named(root: str, extension: Extension) -> set[str]:
    patterns = [*extension.everywhere("sources"), *extension.everywhere("depends")]
    return {os.path.normpath(path) for pattern in patterns for path in trees.on_disk(root, pattern)}


def sdist_files(project: Project) -> set[str]:
    """What an sdist must hold besides the packages: every platform's sources, ``depends``, and headers near them.

    Headers need not be listed where they lie beside a source or below an include folder of the project.
    """
    from .description import kind_of

    found: set[str] = set()
    for extension in project.extensions:
        named = _named(project.root, extension)
        found |= named
        folders = {os.path.dirname(path) for path in named if kind_of(path)}
        patterns = [os.path.join(folder, "*") for folder in folders]
        patterns += [os.path.join(folder, "**", "*") for folder in extension.everywhere("include-dirs")]
        for pattern in patterns:
            found.update(path for path in trees.on_disk(project.root, pattern) if path.endswith(_HEADERS))
    return found


_HEADERS = (".h", ".hh", ".hpp", ".hxx", ".h++", ".inl", ".ipp", ".inc", ".pxd", ".pxi")
