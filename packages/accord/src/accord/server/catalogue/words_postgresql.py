"""Words in PostgreSQL: a ``tsvector`` with weights for words and beginnings; parts of names through ``pg_trgm`` where it is
there (the extension needs an administrator), else by looking at each name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import text

from accord.server.catalogue.search_rows import RANKED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from accord.server.catalogue.search_rows import Spoken

__all__ = ["PostgresWords"]

_TABLES = (
    "CREATE TABLE IF NOT EXISTS search_words(project_id bigint PRIMARY KEY, name text NOT NULL, words tsvector NOT NULL)",
    "CREATE INDEX IF NOT EXISTS ix_search_words ON search_words USING gin(words)",
)
_PART = "CREATE INDEX IF NOT EXISTS ix_search_names ON search_words USING gin(name gin_trgm_ops)"


class PostgresWords:
    def create(self, connection: Connection) -> None:
        for statement in _TABLES:
            connection.execute(text(statement))
        if connection.execute(text("SELECT 1 FROM pg_extension WHERE extname = 'pg_trgm'")).first():
            connection.execute(text(_PART))

    def put(self, connection: Connection, spoken: Sequence[Spoken]) -> None:
        connection.execute(
            text(
                "INSERT INTO search_words(project_id, name, words) VALUES(:id, :plain, "
                "setweight(to_tsvector('simple', :name), 'A') || setweight(to_tsvector('simple', :keywords), 'B') "
                "|| setweight(to_tsvector('simple', :summary), 'D')) "
                "ON CONFLICT (project_id) DO UPDATE SET name = excluded.name, words = excluded.words"
            ),
            [
                {
                    "id": one.project_id,
                    "plain": one.name.replace(" ", "-"),
                    "name": one.name,
                    "keywords": one.keywords,
                    "summary": one.summary,
                }
                for one in spoken
            ],
        )

    def remove(self, connection: Connection, project_ids: Sequence[int]) -> None:
        connection.execute(
            text("DELETE FROM search_words WHERE project_id = ANY(:ids)"), {"ids": list(project_ids)}
        )

    def matching(self, connection: Connection, words: Sequence[str], most: int) -> list[int]:
        found, many = self._ranked(
            connection, [f"{word}:*" if len(word) > 1 else word for word in words], most
        )
        if not many:
            return found
        named, _ = self._ranked(
            connection, [f"{word}:{'*' if len(word) > 1 else ''}A" for word in words], most
        )
        return list(dict.fromkeys((*named, *found)))[:most]

    def _ranked(self, connection: Connection, words: Sequence[str], most: int) -> tuple[list[int], bool]:
        """The best, and whether more match than are ranked."""
        found = connection.execute(
            text(
                "SELECT project_id, count(*) OVER () FROM (SELECT project_id, words, asked FROM search_words, "
                "to_tsquery('simple', :asked) asked WHERE words @@ asked LIMIT :ranked) matching "
                "ORDER BY ts_rank(words, asked) DESC LIMIT :most"
            ),
            {"asked": " & ".join(words), "ranked": RANKED + 1, "most": most},
        ).all()
        return [row[0] for row in found], bool(found) and found[0][1] > RANKED

    def part(self, connection: Connection, letters: str, most: int) -> list[int]:
        found = connection.execute(
            text("SELECT project_id FROM search_words WHERE name LIKE :part LIMIT :most"),
            {"part": f"%{letters}%", "most": most},
        )
        return list(found.scalars())
