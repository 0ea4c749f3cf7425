"""Rows of one index are found by its number where they are few, and by looking at all where they are most of them."""

from __future__ import annotations

import pytest
from sqlalchemy import insert, select

from accord.server.catalogue import browsing, indexes
from accord.server.database import tables
from accord.server.database.plans import of_indexes
from accord.testing.serving import InProcess


def fill(index: InProcess, counts: dict[str, int]) -> dict[str, int]:
    """Projects without anything, of a new index each; its number by its name."""
    found = {}
    with index.parts.database.write("system") as writing:
        for name, count in counts.items():
            found[name] = indexes.add_index(writing, name).id
            rows = [
                {
                    "index_id": found[name],
                    "name": f"{name}{number}",
                    "display": f"{name}{number}",
                    "look_alike": f"{name}{number}",
                    "created": 1,
                    "serial": 1,
                }
                for number in range(count)
            ]
            if rows:
                writing.connection.execute(insert(tables.project), rows)
    return found


@pytest.mark.parametrize(
    ("share", "by_number"), [((999, 0), True), ((251, 749), False), ((249, 751), True), ((1000, 0), False)]
)
def test_the_number_of_the_index_is_used_up_to_a_quarter_of_all_projects(
    index: InProcess, share: tuple[int, int], by_number: bool
) -> None:
    numbers = fill(index, {"mine": share[0], "others": share[1]})
    mine = (numbers["mine"],)
    with index.parts.database.read() as connection:
        condition = of_indexes(connection, tables.project.c.index_id, mine)
        if index.parts.database.is_sqlite:
            asked = str(select(tables.project.c.private).where(condition).compile(connection.engine))
            assert ("+" not in asked) is by_number, asked
        named = connection.execute(select(tables.project.c.name).where(condition)).scalars().all()
        assert len(named) == share[0]
        assert all(name.startswith("mine") for name in named)
        assert browsing.project_count(connection, mine) == share[0]
        assert browsing.project_count(connection, list(numbers.values())) == sum(share)
