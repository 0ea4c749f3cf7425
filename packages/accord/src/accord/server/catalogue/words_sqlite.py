"""Words in SQLite: FTS5, once by words (with the beginnings of two to four letters kept ready), once by three letters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import text

from accord.server.catalogue.search_rows import RANKED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from accord.server.catalogue.search_rows import Spoken

__all__ = ["SqliteWords"]

_TABLES = (
    """CREATE VIRTUAL TABLE IF NOT EXISTS search_words USING fts5(
        name, keywords, summary, tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3 4')""",
    "CREATE VIRTUAL TABLE IF NOT EXISTS search_names USING fts5(name, tokenize = 'trigram')",
    "INSERT INTO search_words(search_words, rank) VALUES('rank', 'bm25(12.0, 4.0, 1.0)')",
)


class SqliteWords:
    def create(self, connection: Connection) -> None:
        for statement in _TABLES:
            connection.execute(text(statement))

    def put(self, connection: Connection, spoken: Sequence[Spoken]) -> None:
        connection.execute(
            text(
                "INSERT OR REPLACE INTO search_words(rowid, name, keywords, summary) "
                "VALUES(:id, :name, :keywords, :summary)"
            ),
            [
                {"id": one.project_id, "name": one.name, "keywords": one.keywords, "summary": one.summary}
                for one in spoken
            ],
        )
        connection.execute(
            text("INSERT OR REPLACE INTO search_names(rowid, name) VALUES(:id, :name)"),
            [{"id": one.project_id, "name": one.name.replace(" ", "-")} for one in spoken],
        )

    def remove(self, connection: Connection, project_ids: Sequence[int]) -> None:
        for table in ("search_words", "search_names"):
            connection.execute(
                text(f"DELETE FROM {table} WHERE rowid = :id"),  # noqa: S608 - ours
                [{"id": project_id} for project_id in project_ids],
            )

    def matching(self, connection: Connection, words: Sequence[str], most: int) -> list[int]:
        asked = " AND ".join(f'"{word}"{"*" if len(word) > 1 else ""}' for word in words)
        if not self._many(connection, asked):
            return self._ranked(connection, asked, most)
        named = self._ranked(connection, f"{{name}} : ({asked})", most)
        return list(dict.fromkeys((*named, *self._ranked(connection, asked, most))))[:most]

    def part(self, connection: Connection, letters: str, most: int) -> list[int]:
        query = text("SELECT rowid FROM search_names WHERE search_names MATCH :asked LIMIT :most")
        return list(connection.execute(query, {"asked": f'"{letters}"', "most": most}).scalars())

    # What is asked is made of words that have letters and digits only, or names: nothing of FTS5's own language.

    def _many(self, connection: Connection, asked: str) -> bool:
        """Whether more match than are ranked."""
        query = text(
            "SELECT count(*) FROM (SELECT 1 FROM search_words WHERE search_words MATCH :asked LIMIT :most)"
        )
        found: int = connection.execute(query, {"asked": asked, "most": RANKED + 1}).scalar_one()
        return found > RANKED

    def _ranked(self, connection: Connection, asked: str, most: int) -> list[int]:
        query = text(
            "SELECT rowid FROM (SELECT rowid, rank FROM search_words WHERE search_words MATCH :asked LIMIT :ranked) "
            "ORDER BY rank LIMIT :most"
        )
        return list(connection.execute(query, {"asked": asked, "ranked": RANKED, "most": most}).scalars())
