"""The routes of all pages, in the order they are tried."""

from __future__ import annotations

from typing import TYPE_CHECKING

from accord.server.web import account, diffs, home, manage, operator, projects

if TYPE_CHECKING:
    from starlette.routing import BaseRoute

    from accord.server.parts import Parts

__all__ = ["routes"]


def routes(parts: Parts) -> list[BaseRoute]:
    """Pages with words of their own before those with names in their place."""
    return [
        *home.routes(parts),
        *account.routes(parts),
        *operator.routes(parts),
        *diffs.routes(parts),
        *manage.routes(parts),
        *projects.routes(parts),
        *home.last_routes(parts),
    ]
