"""Several repositories as one (hot).

Names that mix are refused: with several indexes a name belongs to the first of them, in the order written, that has
it, unless the person assigned it to one.  An explicit index serves only what was assigned to it.  The person's own
files (find-links) are no index: they join the page of whichever index owns the name, or stand alone.
"""

from __future__ import annotations

from accord.repositories.port import ABSENT, FRESH, Answer
from accord_core.errors import RepositoryError, UsageError
from accord_core.index.model import QUARANTINED, Page

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Protocol

    from accord.repositories.port import Repository
    from accord_core.index.model import File

    class Folder(Repository, Protocol):
        """A repository that knows its files of a project without being asked for a page."""

        def files(self, project: str) -> tuple[File, ...]: ...


__all__ = ["Sources", "Stack"]


class Sources:
    """Where projects come from: ``indexes`` in the order written, ``explicit`` ones by name, ``assignments`` of
    projects to names, ``folders`` of the person's own files."""

    def __init__(
        self,
        indexes: Sequence[Repository],
        *,
        named: Mapping[str, Repository] | None = None,
        assignments: Mapping[str, str] | None = None,
        folders: Sequence[Folder] = (),
    ) -> None:
        self._indexes = tuple(indexes)
        self._named = named or {}
        self._assignments = assignments or {}
        self._folders = tuple(folders)
        self._overlays: dict[str, tuple[File, ...]] = {}
        for project, name in self._assignments.items():
            if name not in self._named:
                raise UsageError(
                    "index-unknown",
                    f"{project} is assigned to the index {name!r}, which is not defined",
                    hint=f"known indexes: {', '.join(sorted(self._named)) or 'none has a name'}",
                )

    @property
    def everything(self) -> tuple[Repository, ...]:
        """Every repository, once, in order."""
        found = {each.key: each for each in (*self._indexes, *self._named.values(), *self._folders)}
        return tuple(found.values())

    def order(self, project: str) -> tuple[Repository, ...]:
        """The repositories to ask for ``project``, in order; the first that has it owns it.  Empty without any index."""
        assigned = self._assignments.get(project)
        return self._indexes if assigned is None else (self._named[assigned],)

    def overlay(self, project: str) -> tuple[File, ...]:
        """The person's own files of ``project``, of all folders together, to join the owner's page or to stand alone; of
        two with one name the first counts."""
        if not self._folders:
            return ()
        found = self._overlays.get(project)
        if found is None:
            by_name: dict[str, File] = {}
            for folder in self._folders:
                for file in folder.files(project):
                    by_name.setdefault(file.filename, file)
            found = self._overlays[project] = tuple(by_name.values())
        return found

    def owner(self, project: str) -> tuple[Repository, Answer] | None:
        """Ask in order; the first repository that has ``project``, and its answer."""
        for repository in self.order(project):
            answer = repository.page(project, None, None)
            if answer.state != ABSENT:
                return repository, answer
        return None


class Stack:
    """:class:`Sources` behind the port itself, for whoever wants one repository and no cache between.

    A quarantined project is not offered: asking for it raises RepositoryError ``project-quarantined`` (PEP 792,
    "Project Status Semantics").
    """

    local = False

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._from: dict[str, Repository] = {}
        self.key = "stack:" + "|".join(each.key for each in sources.everything)

    def page(self, project: str, etag: str | None, last_modified: str | None) -> Answer:
        """Never ``unchanged``: which index owns the name may have changed with it."""
        owned, overlay = self._sources.owner(project), self._sources.overlay(project)
        if owned is None:
            return Answer(FRESH, Page(project, overlay)) if overlay else Answer(ABSENT)
        repository, answer = owned
        page = answer.page
        assert page is not None  # nothing was said that could be "unchanged"
        if page.status == QUARANTINED:
            raise RepositoryError(
                "project-quarantined",
                f"{project} is quarantined by {repository.key}",
                context=(page.status_reason,) if page.status_reason else (),
                hint="its files are thought to be harmful; look for news of the project before going on",
            )
        self._from.update((file.url, repository) for file in page.files)
        return Answer(FRESH, _joined(page, overlay), expires=answer.expires)

    def metadata(self, file: File) -> bytes | None:
        return self._origin(file).metadata(file)

    def fetch(self, file: File, into: str, progress: Callable[[int], None] | None) -> str:
        return self._origin(file).fetch(file, into, progress)

    def _origin(self, file: File) -> Repository:
        """Whose page the file was on; the person's own files can be read by any."""
        return self._from.get(file.url) or self._sources.everything[0]


def _joined(page: Page, overlay: Sequence[File]) -> Page:
    """The index's own entry wins over a file of the same name: its hash is published, so a lock of it is portable."""
    if not overlay:
        return page
    names = {file.filename for file in page.files}
    return Page(
        page.name,
        (*page.files, *(file for file in overlay if file.filename not in names)),
        status=page.status,
        status_reason=page.status_reason,
        api_version=page.api_version,
        ignored=page.ignored,
    )
