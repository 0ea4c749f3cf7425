"""Signing in and out, and one's tokens: made, shown once, ended."""

from __future__ import annotations

import hmac
import secrets
from typing import TYPE_CHECKING

from starlette.responses import RedirectResponse, Response

from accord.server.accounts import issued, people, principals, sessions
from accord.server.accounts.tokens import Restriction
from accord.server.errors import Refused
from accord.server.web.visits import Visit, changing, cookie_name
from accord.server.web.visits import reading as page
from accord_core.names import normalise

if TYPE_CHECKING:
    from starlette.routing import BaseRoute

    from accord.server.parts import Parts

__all__ = ["routes"]

_LOGIN = "accord_login"
_DAY = 86_400_000_000
_DAYS = ("1", "7", "30", "90", "365")


def routes(parts: Parts) -> list[BaseRoute]:
    return [
        page(parts, "/login", sign_in_page),
        changing(parts, "/login", sign_in, signed_in=False),
        changing(parts, "/logout", sign_out),
        page(parts, "/account/tokens/", tokens),
        changing(parts, "/account/tokens/", create),
        changing(parts, "/account/tokens/{token}/revoke", revoke),
    ]


def sign_in_page(visit: Visit) -> Response:
    return _form(visit, 200, None)


def sign_in(visit: Visit) -> Response:
    """The form has a secret that a cookie of this page repeats: nobody is signed in by a foreign page's form."""
    cookie = visit.request.cookies.get(_LOGIN, "")
    if not cookie or not hmac.compare_digest(cookie.encode(), visit.field("once").encode()):
        return _form(visit, 403, "This form is too old. Please send it once more.")
    secure = visit.secure
    name = cookie_name(secure=secure)
    try:
        key, session = sessions.sign_in(
            visit.parts.database,
            visit.parts.passwords,
            visit.parts.settings.limits,
            visit.field("user"),
            visit.field("password"),
            before=visit.request.cookies.get(name),
        )
    except Refused as fault:
        if fault.status in (401, 429, 503):
            return _form(visit, fault.status, f"{fault.message[:1].upper()}{fault.message[1:]}.")
        raise
    answer = RedirectResponse(_next(visit), 303)
    answer.set_cookie(
        name,
        key,
        max_age=max((session.expires - visit.at) // 1_000_000, 0),
        path="/",
        secure=secure,
        httponly=True,
        samesite="lax",
    )
    answer.delete_cookie(_LOGIN, path="/", secure=secure, httponly=True, samesite="strict")
    return answer


def sign_out(visit: Visit) -> Response:
    name = cookie_name(secure=visit.secure)
    with visit.parts.database.write(visit.who.actor) as writing:
        sessions.sign_out(writing, visit.request.cookies.get(name, ""))
    answer = RedirectResponse(visit.root, 303)
    answer.delete_cookie(name, path="/", secure=visit.secure, httponly=True, samesite="lax")
    return answer


def _form(visit: Visit, status: int, problem: str | None) -> Response:
    once = secrets.token_urlsafe(24)
    answer = visit.show(
        "login.html",
        status=status,
        problem=problem,
        once=once,
        user=visit.field("user")[:100],
        next=visit.field("next") or visit.query("next"),
    )
    answer.headers["cache-control"] = "no-store"
    if answer.status_code == 200 and "etag" in answer.headers:
        del answer.headers["etag"]
    answer.set_cookie(
        _LOGIN, once, max_age=3600, path="/", secure=visit.secure, httponly=True, samesite="strict"
    )
    return answer


def _next(visit: Visit) -> str:
    """Where to go after signing in: a path of this server, nothing that a browser could take for another's."""
    wanted = visit.field("next")
    plain = (
        wanted.startswith("/") and not wanted.startswith("//") and wanted.isascii() and wanted.isprintable()
    )
    if not plain or "\\" in wanted or len(wanted) > 500:
        return "account/tokens/"
    return visit.root + wanted[1:] if wanted != "/" else visit.root


def tokens(visit: Visit) -> Response:
    return _tokens(visit)


def _tokens(visit: Visit, *, secret: str | None = None, problem: str | None = None) -> Response:
    user_id = visit.who.user_id
    if user_id is None:
        return RedirectResponse(f"{visit.root}login?next=/account/tokens/", 303)
    with visit.parts.database.read() as connection:
        rows = issued.tokens_of(connection, user_id)
    return visit.show(
        "tokens.html",
        status=400 if problem else 200,
        tokens=rows,
        secret=secret,
        problem=problem,
        actions=principals.ACTIONS,
        days=_DAYS,
    )


def create(visit: Visit) -> Response:
    """The secret is in this one answer and nowhere else; so it is no redirect, and nobody keeps it."""
    limits = visit.parts.settings.limits
    name = visit.field("name").strip()
    if not name or len(name.encode()) > limits.token_name_bytes:
        return _tokens(visit, problem="Give the token a name, so that you know it again.")
    actions = frozenset(visit.form.get("actions", ()))
    days = visit.field("days")
    if not actions.issubset(principals.ACTIONS) or (days and days not in _DAYS):
        return _tokens(visit, problem="The form was changed on its way. Please fill it in again.")
    indexes = frozenset(visit.field("indexes").replace(",", " ").split())
    projects = frozenset(map(normalise, visit.field("projects").replace(",", " ").split()))
    if max(len(indexes), len(projects)) > limits.token_names:
        return _tokens(visit, problem=f"A token is restricted to at most {limits.token_names} names.")
    restriction = Restriction(indexes or None, projects or None, actions or None)
    assert visit.who.user_id is not None
    with visit.parts.database.write(visit.who.actor) as writing:
        principals.demand(writing.connection, visit.who, "account", None, None, visit.at)
        secret = people.add_token(
            writing,
            visit.who.user_id,
            name,
            restriction=restriction,
            expires=writing.at + int(days) * _DAY if days else None,
        )
    return _tokens(visit, secret=secret)


def revoke(visit: Visit) -> Response:
    with visit.parts.database.write(visit.who.actor) as writing:
        principals.demand(writing.connection, visit.who, "account", None, None, visit.at)
        token = issued.token_with(writing.connection, visit.path("token"), of=visit.who.user_id)
        issued.revoke(writing, token)
    return RedirectResponse("../", 303)
