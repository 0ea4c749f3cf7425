"""Making a source distribution: ``{name}-{version}.tar.gz`` with one folder inside (PEP 517, PEP 625, PEP 643).

It holds what a wheel is built from (``pyproject.toml``, readme, licences, modules, and what the tables of
``[tool.accord.build]`` name), what ``sdist-include`` adds, and ``PKG-INFO``.  Links are followed, so a licence linked
from elsewhere in a repository arrives as a file.  Before a byte is written, the finder of modules is asked once more,
over the list of files instead of the disk: what it finds must be what the tree's wheel holds.
"""

from __future__ import annotations

import os

from . import layout, metadata, packing, tars, zips
from .errors import BackendError
from .trees import ListTree, matching

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .project import Project

__all__ = ["build"]

_SHOWN = 5


def build(project: Project, folder: str) -> str:
    """Write the sdist into ``folder``; returns its file name.

    Raises ``BackendError``: ``sdist-incomplete`` where its wheel would differ from the tree's, ``pattern-empty``.
    """
    if project.steps:
        from . import steps

        steps.run(project, sdist=True)
    when = zips.source_date(os.environ.get("SOURCE_DATE_EPOCH"))
    filename = f"{project.stem}.tar.gz"
    paths = _files(project)
    _same_wheel(project, paths)
    with zips.Appearing(folder, filename) as file:
        archive = tars.TarWriter(file, when)
        archive.add(f"{project.stem}/PKG-INFO", metadata.metadata(project).encode("utf-8", "surrogateescape"))
        for path in paths:
            data, executable = packing.read_file(os.path.join(project.root, path))
            archive.add(f"{project.stem}/{path}", data, executable=executable)
        archive.close()
    return filename


def _files(project: Project) -> list[str]:
    found = {"pyproject.toml", *project.licence_files, *layout.module_files(project)}
    found.update(path for path in (project.readme_file, project.version_file) if path is not None)
    for pairs in (project.scripts, project.headers, project.data, project.sboms):
        found.update(path for path, _ in pairs)
    for pattern in project.sdist_include:
        files = matching(project.tree, pattern)
        if not files:
            raise BackendError(
                "pattern-empty",
                f"no file matches {pattern.text!r} of sdist-include",
                hint="correct [tool.accord.build] sdist-include; * and ** leave out names that begin with a dot",
            )
        found.update(files)
    found |= _native(project)
    if project.sdist_exclude:
        found = {
            path for path in found if not any(pattern.matches(path) for pattern in project.sdist_exclude)
        }
    return sorted(found - _made_by_builds(project) - {"PKG-INFO"})


def _native(project: Project) -> set[str]:
    """What extension modules and steps are made from."""
    found: set[str] = set()
    if project.extensions:
        from . import native

        found |= native.sdist_files(project)
    if project.steps:
        from . import steps

        found |= steps.sdist_files(project)
    return found


def _made_by_builds(project: Project) -> set[str]:
    """What every build makes anew: modules beside their sources, and outputs of steps that are not for an sdist."""
    found: set[str] = set()
    if project.extensions:
        from . import native

        found |= native.built_in_place(project)
    if project.steps:
        from . import steps

        found |= steps.not_in_sdist(project)
    return found


def _same_wheel(project: Project, paths: list[str]) -> None:
    """Refuse a list of files that a wheel like the tree's cannot be built from."""
    needed = {"pyproject.toml", *project.licence_files}
    needed.update(path for path in (project.readme_file, project.version_file) if path is not None)
    for pairs in (project.scripts, project.headers, project.data, project.sboms):
        needed.update(path for path, _ in pairs)
    made = _made_by_builds(project)
    from_tree = {path: target for path, target in layout.module_sources(project) if path not in made}
    needed.update(from_tree, _native(project))
    _refuse("lack", needed - made - set(paths))
    try:
        from_sdist = dict(layout.module_sources(project, ListTree(paths)))
    except BackendError as fault:
        raise _incomplete(f"in it the modules are not found: {fault.message}") from None
    _refuse("lack", {path for path in from_tree if from_sdist.get(path) != from_tree[path]})
    _refuse("add", set(from_sdist) - set(from_tree))


def _refuse(what: str, paths: set[str]) -> None:
    if paths:
        shown = sorted(paths)[:_SHOWN]
        raise _incomplete(f"it would {what} {', '.join(shown)}{' and more' if len(paths) > _SHOWN else ''}")


def _incomplete(problem: str) -> BackendError:
    return BackendError(
        "sdist-incomplete",
        f"the sdist would not build the tree's wheel: {problem}",
        hint="take it out of sdist-exclude, or also put it into wheel-exclude",
    )
