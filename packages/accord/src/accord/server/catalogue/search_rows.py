"""The rows the search is made of: what a project is found by, derived from the catalogue, for many projects at once.

Knows the tables of the search and the port to the database's own full-text search; :mod:`~accord.server.catalogue.search`
says when rows are made anew, and asks them.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol

from packaging.version import InvalidVersion, Version
from sqlalchemy import (
    BigInteger,
    Column,
    MetaData,
    String,
    Table,
    Text,
    bindparam,
    case,
    delete,
    func,
    insert,
    select,
    text,
    update,
)

from accord.server.catalogue.names import look_alike
from accord.server.catalogue.reading import visible_files
from accord.server.database import tables

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from sqlalchemy import Connection

__all__ = [
    "FILLED",
    "RANKED",
    "STATE",
    "USES",
    "Spoken",
    "Words",
    "described",
    "entry",
    "forget_near",
    "forms",
    "metadata",
    "near",
    "newest_of",
    "popular",
    "put_near",
    "renew",
]

metadata = MetaData()
entry = Table(
    "search_entry",
    metadata,
    Column("project_id", BigInteger, primary_key=True, autoincrement=False),
    Column("version", String(200), nullable=False),
    Column("summary", Text, nullable=False),
    Column("published", BigInteger, nullable=False),
)
near = Table(
    "search_near",
    metadata,
    Column("form", BigInteger, primary_key=True, autoincrement=False),
    Column("project_id", BigInteger, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)
# How many projects need a name, whether or not it is here; no more than count.
popular = Table(
    "search_popular",
    metadata,
    Column("name", String(200), primary_key=True),
    Column("uses", BigInteger, nullable=False),
)

STATE = "search_serial"
"""The key of ``state`` that holds the serial the rows are true for."""
FILLED = "search_filled"
"""The key that is there while all rows are made anew (``filling``)."""
USES = 300
"""More projects that need one count no more."""
RANKED = 5_000
"""Of more projects that match, so many are ranked: those whose name matches, and those that came first.  Ranking costs two
microseconds for each, and a word that stands in every summary says nothing of any."""
_LONGEST_NEAR = 40  # letters of a name that near spellings are kept of
_NEEDS = 200  # names a release needs whose users are counted
_SOME = (
    select(tables.release.c.project_id)
    .join(tables.dependency, tables.dependency.c.release_id == tables.release.c.id)
    .where(tables.dependency.c.name == bindparam("needed"))
    .limit(USES * 4)
    .subquery()
)
_COUNT = select(func.count(_SOME.c.project_id.distinct()))  # made once: making it costs more than asking it


@dataclass(frozen=True, slots=True)
class Spoken:
    """The words of a project.  ``name`` is the words its name is made of."""

    project_id: int
    name: str
    keywords: str
    summary: str


class Words(Protocol):
    """The full-text search of one kind of database.  All are called inside a transaction."""

    def create(self, connection: Connection) -> None:
        """Make its tables where there are none."""

    def put(self, connection: Connection, spoken: Sequence[Spoken]) -> None:
        """Enter projects (one or more), in the place of what was there of them."""

    def remove(self, connection: Connection, project_ids: Sequence[int]) -> None: ...

    def matching(self, connection: Connection, words: Sequence[str], most: int) -> list[int]:
        """Projects that have a word beginning with each of ``words`` (of a single letter: the word itself), the best
        first; where more than :data:`RANKED` have, the best of some."""

    def part(self, connection: Connection, letters: str, most: int) -> list[int]:
        """Projects whose name has ``letters`` (three letters or more) in it somewhere."""


def renew(connection: Connection, words: Words, changed: Collection[tuple[int, str]]) -> None:
    """The rows of all these projects together: one question for what is needed of all of them."""
    names = _ids(connection, changed)
    if not names:
        return
    there = set(connection.execute(select(entry.c.project_id).where(entry.c.project_id.in_(names))).scalars())
    newest = newest_of(connection, list(names))
    gone = sorted(there.difference(newest))
    if gone:
        words.remove(connection, gone)
        connection.execute(delete(entry).where(entry.c.project_id.in_(gone)))
        forget_near(connection, {number: names[number] for number in gone})
    if not newest:
        return
    _count_uses(connection, [release_id for release_id, _ in newest.values()])
    rows, spoken = described(connection, names, newest)
    words.put(connection, spoken)
    known = [{f"of_{key}": value for key, value in row.items()} for row in rows if row["project_id"] in there]
    if known:
        connection.execute(
            update(entry)
            .where(entry.c.project_id == bindparam("of_project_id"))
            .values({name: bindparam(f"of_{name}") for name in ("version", "summary", "published")}),
            known,
        )
    new = [row for row in rows if row["project_id"] not in there]
    if new:
        connection.execute(insert(entry), new)
        pairs = [(form, row["project_id"]) for row in new for form in forms(names[row["project_id"]])]
        put_near(connection, sorted(pairs))


def _ids(connection: Connection, changed: Collection[tuple[int, str]]) -> dict[int, str]:
    """The names of projects there are, by their number, in order."""
    columns = tables.project.c
    by_index: dict[int, list[str]] = {}
    for index_id, name in changed:
        by_index.setdefault(index_id, []).append(name)
    found = [
        (number, name)
        for index_id, names in by_index.items()
        for number, name in connection.execute(
            select(columns.id, columns.name).where(columns.index_id == index_id, columns.name.in_(names))
        )
    ]
    return dict(sorted(found))


def newest_of(connection: Connection, project_ids: Sequence[int]) -> dict[int, tuple[int, str]]:
    """The release that stands for each project: not yanked and no pre-release, if there is such a one.  A project that has
    none is left out."""
    rows = connection.execute(
        select(
            tables.release.c.project_id,
            tables.release.c.id,
            tables.release.c.version,
            func.min(case((tables.file.c.yanked, 1), else_=0)),
        )
        .join(tables.file, tables.file.c.release_id == tables.release.c.id)
        .join(tables.project, tables.project.c.id == tables.release.c.project_id)
        .where(
            tables.release.c.project_id.in_(project_ids),
            tables.project.c.status != "quarantined",
            *visible_files(),
        )
        .group_by(tables.release.c.project_id, tables.release.c.id, tables.release.c.version)
    )
    best: dict[int, tuple[tuple[bool, bool, Version], int, str]] = {}
    for project_id, release_id, written, yanked in rows:
        version = _version(written)
        rank = (not yanked, not version.is_prerelease, version)
        if project_id not in best or rank > best[project_id][0]:
            best[project_id] = (rank, release_id, written)
    return {project_id: (release_id, written) for project_id, (_, release_id, written) in best.items()}


def described(
    connection: Connection, names: dict[int, str], newest: dict[int, tuple[int, str]]
) -> tuple[list[dict[str, Any]], list[Spoken]]:
    """The row of ``entry`` and the words of each project."""
    columns = tables.release.c
    releases = {
        row.id: row
        for row in connection.execute(
            select(columns.id, columns.summary, columns.about, columns.published).where(
                columns.id.in_([release_id for release_id, _ in newest.values()])
            )
        )
    }
    rows, spoken = [], []
    for project_id, (release_id, version) in newest.items():
        release = releases[release_id]
        summary = release.summary[:500]
        rows.append(
            {
                "project_id": project_id,
                "version": version,
                "summary": summary,
                "published": release.published or 0,
            }
        )
        keywords = " ".join(release.about.get("Keywords", ()))[:500]
        spoken.append(Spoken(project_id, _spoken(names[project_id]), keywords, summary))
    return rows, spoken


@lru_cache(maxsize=4096)
def _version(written: str) -> Version:
    try:
        return Version(written)
    except InvalidVersion:
        return Version("0")


def _spoken(name: str) -> str:
    """A name as the words it is made of, and as one."""
    return f"{name.replace('-', ' ')} {name.replace('-', '')}" if "-" in name else name


def put_near(connection: Connection, pairs: Sequence[tuple[int, int]]) -> None:
    """Enter forms with the projects they are of; those that are there stay.  There may be millions, so each database gets them
    in the way that is cheapest for it."""
    if not pairs:
        return
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(
            "INSERT OR IGNORE INTO search_near(form, project_id) VALUES(?, ?)", list(pairs)
        )
        return
    both = {"forms": [form for form, _ in pairs], "numbers": [number for _, number in pairs]}
    connection.execute(_PUT_NEAR, both)


def forget_near(connection: Connection, names: Mapping[int, str]) -> None:
    """By the forms of the names: they are found without an index by project, which would cost more than the table itself."""
    for number, name in names.items():
        connection.execute(_FORGET_NEAR, {"of": number, "forms": sorted(forms(name))})


_PUT_NEAR = text(
    "INSERT INTO search_near(form, project_id) SELECT * FROM unnest(CAST(:forms AS bigint[]), CAST(:numbers AS bigint[])) "
    "ON CONFLICT DO NOTHING"
)
_FORGET_NEAR = delete(near).where(
    near.c.project_id == bindparam("of"), near.c.form.in_(bindparam("forms", expanding=True))
)


def forms(name: str) -> set[int]:
    """The name and the name without each of its letters, as numbers of 62 bits."""
    plain = look_alike(name)[:_LONGEST_NEAR]
    texts = {plain, *(plain[:at] + plain[at + 1 :] for at in range(len(plain)))} - {""}
    return {
        int.from_bytes(hashlib.blake2b(one.encode(), digest_size=8).digest(), "big") >> 2 for one in texts
    }


def _count_uses(connection: Connection, release_ids: Sequence[int]) -> None:
    """Count anew who needs what these releases need; what enough need already is not counted again."""
    columns = tables.dependency.c
    needs: dict[int, set[str]] = {}
    for release_id, name in connection.execute(
        select(columns.release_id, columns.name).where(columns.release_id.in_(release_ids)).distinct()
    ):
        needs.setdefault(release_id, set()).add(name)
    names = {name for found in needs.values() for name in sorted(found)[:_NEEDS]}
    if not names:
        return
    query = select(popular.c.name, popular.c.uses).where(popular.c.name.in_(names))
    known = {row.name: row.uses for row in connection.execute(query)}
    for name in sorted(names):
        uses = known.get(name)
        if uses is not None and uses >= USES:
            continue
        count = connection.execute(_COUNT, {"needed": name}).scalar_one()
        if uses is None:
            connection.execute(insert(popular).values(name=name, uses=count))
        elif uses != count:
            connection.execute(update(popular).where(popular.c.name == name).values(uses=count))
