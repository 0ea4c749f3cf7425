"""A filtered mirror, brought up to its upstream: every page its rules name, then every file they let through.

Where it stands is in the rows alone, so a run that was killed goes on where it was: what is stored is not fetched again,
and what lies half written is begun anew.  Few connections, conditional questions, every file held against its hash.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update

from accord.server.catalogue import indexes
from accord.server.database import tables
from accord.server.errors import Refused
from accord.server.mirror.asking import Upstreams
from accord.server.mirror.closure import closure
from accord.server.mirror.entries import candidates, usable_files
from accord.server.mirror.facts import Kept, find_file
from accord.server.mirror.fetching import Broken, Fetches
from accord.server.mirror.report import cached_projects
from accord.server.mirror.rules import Rules, read_rules
from accord_core.errors import AccordError, RepositoryError
from accord_core.index.limits import Limits as ListLimits
from accord_core.index.negotiate import ACCEPT
from accord_core.index.parse import parse_projects
from accord_core.names import normalise

if TYPE_CHECKING:
    from accord.server.catalogue.indexes import IndexRow
    from accord.server.database import Writing
    from accord.server.parts import Parts

__all__ = ["apply_rules", "plan", "set_rules", "sync"]

_LISTED = 5_000_000  # names of upstream's list; its bytes have a limit of their own
Report = Callable[[str], None]


def set_rules(writing: Writing, index: IndexRow, document: dict[str, Any]) -> IndexRow:
    """Give the index other rules; :func:`apply_rules` comes next.  Raises ``Refused("mirror-rules")``."""
    read_rules(document)
    # As they are now: the index may have been read long ago.
    settings = {**indexes.index_named(writing.connection, index.name).settings, "filter": document}
    writing.connection.execute(
        update(tables.index).where(tables.index.c.id == index.id).values(settings=settings)
    )
    writing.changed(index.id, "change-index")
    return indexes.index_named(writing.connection, index.name)


def apply_rules(parts: Parts, index: IndexRow) -> None:
    """Hold the rules against every page that is kept, whether upstream answers or not: a block counts at once."""
    upstreams = Upstreams(parts)
    for project in cached_projects(parts, index):
        upstreams.apply_rules(index, project)
    upstreams.close()


def needed(parts: Parts, upstreams: Upstreams, index: IndexRow, document: dict[str, Any], report: Report) -> tuple[dict[str, Any], dict[str, str]]:  # fmt: skip
    """The rules, with what their requirements need; and of what could not be known."""
    texts = document.get("requirements")
    if not texts:
        return document, {}
    found = closure(
        upstreams,
        index,
        read_rules(document),
        texts,
        now=parts.now(),
        most=parts.settings.limits.mirror_projects,
        report=lambda name: report(f"what {name} needs"),
    )
    return {**document, "closure": found.specifiers}, found.unknown


def plan(parts: Parts, index: IndexRow, document: dict[str, Any], *, report: Report) -> dict[str, Any]:
    """What :func:`sync` would do with those rules: nothing is entered, no file is fetched."""
    upstreams = Upstreams(parts)
    try:
        document, unknown = needed(parts, upstreams, index, document, report)
        rules = read_rules(document)
        found = _Report(index.name, unknown)
        for project in _projects(parts, upstreams, index, rules):
            report(project)
            try:
                page = upstreams.look(index, project)
            except RepositoryError as fault:
                found.failed[project] = fault.code
                continue
            entries = {} if page is None else usable_files(page, project, {}, parts.now())
            reasons, _ = rules.verdicts(project, candidates(entries), parts.now())
            found.projects += 1
            found.withheld.update(reasons.values())
            for filename, entry in entries.items():
                if filename in reasons:
                    continue
                with parts.database.read() as connection:
                    kept = find_file(connection, index.id, project, filename)
                found.count(entry.file.size, new=kept is None or not kept.stored)
        return found.as_dict()
    finally:
        upstreams.close()


def sync(parts: Parts, index: IndexRow, *, connections: int, report: Report) -> dict[str, Any]:
    """Bring the mirror up to its upstream; the record says what was done and what was not."""
    upstreams = Upstreams(parts)
    fetches = Fetches(parts, upstreams)
    try:
        document, unknown = needed(parts, upstreams, index, index.settings.get("filter", {}), report)
        if document != index.settings.get("filter", {}):
            with parts.database.write("mirror") as writing:
                index = set_rules(writing, index, document)
        found = _Report(index.name, unknown)
        projects = _projects(parts, upstreams, index, read_rules(document))
        with ThreadPoolExecutor(connections) as pool:

            def ask(project: str) -> None:
                try:
                    answer = upstreams.ensure(index, project, force=True)
                except Refused as fault:
                    found.failed[project] = fault.context[0] if fault.context else fault.code
                    return
                if answer.stale is not None:
                    found.failed[project] = "upstream does not answer"
                found.projects += 1
                report(project)

            def fetch(work: tuple[str, Kept]) -> None:
                project, file = work
                beside = (
                    (".metadata", file.has_metadata and not file.metadata_stored, fetches.metadata),
                    (".provenance", fetches.wants_provenance(file), fetches.provenance),
                )
                for ending, wanted, fetch_it in beside:
                    try:
                        if wanted:
                            with parts.database.read() as connection:
                                known = find_file(connection, index.id, project, file.filename) or file
                            fetch_it(index, project, known)
                    except Refused as fault:
                        found.failed[file.filename + ending] = "; ".join((fault.message, *fault.context))
                try:
                    if not file.stored:
                        fetches.whole(index, project, file)
                        report(file.filename)
                    found.count(file.size, new=not file.stored)
                except (Refused, Broken) as fault:
                    found.failed[file.filename] = str(fault)

            list(pool.map(ask, projects))
            list(pool.map(fetch, _files(parts, index, frozenset(projects), found)))
        return found.as_dict()
    finally:
        fetches.close()
        upstreams.close()


class _Report:
    def __init__(self, index: str, unknown: dict[str, str]) -> None:
        self.index = index
        self.unknown = unknown
        self.projects = 0
        self.files = self.bytes = self.fetched = self.fetched_bytes = 0
        self.withheld: Counter[str] = Counter()
        self.failed: dict[str, str] = {}

    def count(self, size: int | None, *, new: bool) -> None:
        self.files += 1
        self.bytes += size or 0
        if new:
            self.fetched += 1
            self.fetched_bytes += size or 0

    def as_dict(self) -> dict[str, Any]:
        return {
            "index": self.index,
            "projects": self.projects,
            "files": self.files,
            "bytes": self.bytes,
            "fetched": self.fetched,
            "fetched_bytes": self.fetched_bytes,
            "withheld": dict(self.withheld),
            "unknown": self.unknown,
            "failed": self.failed,
        }


def _projects(parts: Parts, upstreams: Upstreams, index: IndexRow, rules: Rules) -> tuple[str, ...]:
    """What the rules name; upstream's list is asked for only where they have a pattern.  Without names: what is kept."""
    found = dict.fromkeys([*(rules.files or {}), *(rules.closure or {})])
    patterns = [name for name in rules.names or () if "*" in name]
    found.update(dict.fromkeys(name for name in rules.names or () if "*" not in name))
    if patterns:
        found.update(dict.fromkeys(_listed(parts, upstreams, index)))
    found.update(dict.fromkeys(cached_projects(parts, index)))
    taken = tuple(sorted(name for name in found if rules.takes_name(name)))
    most = parts.settings.limits.mirror_projects
    if len(taken) > most:
        raise Refused(400, "mirror-too-large", f"the rules name more than {most} projects")
    return taken


def _listed(parts: Parts, upstreams: Upstreams, index: IndexRow) -> Iterable[str]:
    url = f"{index.upstream_url}/"
    answer = upstreams.client(index).get(url, accept=ACCEPT, limit=parts.settings.limits.upstream_page_bytes)
    try:
        found = parse_projects(answer.body, answer.content_type, url, limits=ListLimits(files=_LISTED))
    except (AccordError, ValueError) as fault:
        raise RepositoryError("index-page-invalid", "upstream's list of projects cannot be read") from fault
    if len(found) > _LISTED:
        raise Refused(400, "mirror-too-large", f"upstream has more than {_LISTED} projects")
    return map(normalise, found)


def _files(parts: Parts, index: IndexRow, projects: frozenset[str], found: _Report) -> list[tuple[str, Kept]]:
    """Everything of those projects that is served, by name."""
    columns = tables.upstream_file.c
    kept = [getattr(columns, name) for name in Kept.__slots__]
    with parts.database.read() as connection:
        rows = connection.execute(
            select(columns.project, *kept)
            .where(columns.index_id == index.id)
            .order_by(columns.project, columns.filename)
        ).all()
    every = [(row[0], Kept(*row[1:])) for row in rows if row[0] in projects]
    found.withheld.update(file.blocked for _, file in every if file.blocked is not None)
    return [(project, replace(file)) for project, file in every if file.blocked is None]
