"""The jobs of a server, for ``accord index jobs``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from accord.tasks.index_folder import operator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from accord.tasks.index_folder import Place

__all__ = ["jobs"]


def jobs(place: Place, *, retry: Sequence[int] = (), forget: Sequence[int] = ()) -> list[dict[str, Any]]:
    """Every job as it is after those were put back to now, or forgotten.  Raises ``Refused("no-such-job")``: then none was."""
    with place.opened() as parts:
        from accord.server import jobs
        from accord.server.upkeep import work

        if retry or forget:
            with parts.database.write(operator()) as writing:
                for number in retry:
                    work.retry(writing, number)
                for number in forget:
                    work.forget(writing, number)
        with parts.database.read() as connection:
            return [one.as_dict() for one in jobs.listed(connection, parts.now())]
