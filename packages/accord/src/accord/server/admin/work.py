"""``/api/jobs``: what is done later and again and again, when next, what came of it; try again, forget."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from accord.server import jobs
from accord.server.admin import shapes
from accord.server.admin.asking import MOST_ENTRY, Asked, Operation, describe, whole_number
from accord.server.upkeep import work

if TYPE_CHECKING:
    from starlette.routing import BaseRoute

    from accord.server.parts import Parts

__all__ = ["openapi", "routes"]


def routes(parts: Parts) -> list[BaseRoute]:
    return [one.route(parts) for one in _OPERATIONS]


def openapi(paths: dict[str, Any]) -> None:
    describe(_OPERATIONS, paths)


def list_jobs(asked: Asked[None]) -> object:
    """Every job: its state, when it is done next, when it was done last, and what came of it."""
    with asked.reading() as connection:
        return {"jobs": [one.as_dict() for one in jobs.listed(connection, asked.at)]}


def retry_job(asked: Asked[None]) -> object:
    """Try a job again now, as if it had never been tried."""
    number = _number(asked)
    with asked.writing() as writing:
        return {"id": number, "kind": work.retry(writing, number)}


def forget_job(asked: Asked[None]) -> None:
    """Forget a job that was given up."""
    number = _number(asked)
    with asked.writing() as writing:
        work.forget(writing, number)


def _number(asked: Asked[None]) -> int:
    return whole_number(asked.path("job"), "the job", default=0, most=MOST_ENTRY)


_OPERATIONS = (
    Operation("GET", "/api/jobs", list_jobs, "admin", answer=shapes.listed("jobs", shapes.JOB)),
    Operation("POST", "/api/jobs/{job}/retry", retry_job, "admin", answer=shapes.JOB_AGAIN),
    Operation("DELETE", "/api/jobs/{job}", forget_job, "admin"),
)
