"""A browser without a window, for tests of pages: it keeps cookies, follows redirects where asked, and sends forms."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html import unescape
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urljoin, urlsplit

from accord.server.accounts import people
from accord.testing.serving import InProcess, Reply

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["PASSWORD", "Browser", "add_person", "hidden", "resolved"]

PASSWORD = "correct horse battery"  # noqa: S105 - of users that tests make


def add_person(index: InProcess, name: str, *, admin: bool = False) -> int:
    """A user with :data:`PASSWORD`; returns the number."""
    hashed = index.parts.passwords.hash(PASSWORD)
    with index.parts.database.write("system") as writing:
        return people.add_user(writing, name, password_hash=hashed, admin=admin)


@dataclass(slots=True)
class Browser:
    """``cookies`` by name, as the server set them; ``set_cookies`` are the last answer's whole headers, ``at`` is the address
    of the page it shows."""

    index: InProcess
    scheme: str = "http"
    cookies: dict[str, str] = field(default_factory=dict)
    set_cookies: list[str] = field(default_factory=list)
    at: str = "/"

    def get(self, target: str, **headers: str) -> Reply:
        return self._send("GET", target, headers)

    def follow(self, target: str) -> Reply:
        """The page at the end of all redirects."""
        reply = self.get(target)
        for _ in range(5):
            if "location" not in reply.headers:
                break
            target = resolved(target, reply.headers["location"])
            reply = self.get(target)
        return reply

    def post(
        self, target: str, fields: Mapping[str, str] | Sequence[tuple[str, str]], **headers: str
    ) -> Reply:
        sent = {"content_type": "application/x-www-form-urlencoded", **headers}
        return self._send("POST", target, sent, urlencode(fields).encode())

    def sign_in(self, name: str, password: str = PASSWORD, **fields: str) -> Reply:
        once = hidden(self.get("/login"), "once")
        return self.post("/login", {"user": name, "password": password, "once": once, **fields})

    def csrf(self, target: str) -> str:
        """The secret in the forms of a page."""
        return hidden(self.get(target), "csrf")

    def _send(self, method: str, target: str, headers: Mapping[str, str], body: bytes = b"") -> Reply:
        self.at = target
        sent = {"accept": "text/html"}
        if self.cookies:
            sent["cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        sent.update({name.replace("_", "-"): value for name, value in headers.items()})
        reply = self.index.request(method, target, sent, body)
        self.set_cookies = list(reply.cookies)
        for header in reply.cookies:
            pair, _, rest = header.partition(";")
            name, _, value = pair.partition("=")
            if "max-age=0" in rest.lower():
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = value
        return reply


def hidden(reply: Reply, name: str) -> str:
    """The value of a hidden field."""
    found = re.search(rf'name="{name}" value="([^"]*)"', reply.text)
    assert found is not None, f"there is no hidden field {name}"
    return unescape(found[1])


def resolved(target: str, location: str) -> str:
    """Where a redirect leads, as a browser takes it."""
    whole = urlsplit(urljoin(f"http://index.example{target}", location))
    return whole.path + (f"?{whole.query}" if whole.query else "")
