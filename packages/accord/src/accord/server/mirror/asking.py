"""Asking upstream for a page: when it must be asked, what the answer means, and what holds when there is none.

One process at a time asks for one page, whoever wants it meanwhile waits for the answer.  A page that was had once is
served as long as upstream does not answer (and said to be old); a name that is not there is not asked for again for a
moment; nor is an upstream that does not answer.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from accord.io.folders import config_dir
from accord.io.http.client import Client
from accord.io.http.options import HttpLimits, HttpOptions
from accord.io.locks import FileLock
from accord.repositories.http import HttpRepository
from accord.repositories.port import ABSENT, FRESH
from accord.repositories.settings import credentials, index_settings
from accord.server.errors import Refused
from accord.server.mirror import ledger
from accord.server.mirror.entries import clean
from accord.server.mirror.leaving import Said, withdrawn_upstream
from accord.server.mirror.ledger import PageRow
from accord.server.mirror.rules import Rules, read_rules
from accord_core.errors import AccordError, RepositoryError
from accord_core.index.negotiate import JSON
from accord_core.index.parse import parse_page
from accord_core.index.serialise import json_page

if TYPE_CHECKING:
    from accord.repositories.port import Answer
    from accord.server.catalogue.indexes import IndexRow
    from accord.server.parts import Parts
    from accord_core.index.model import Page

__all__ = ["Found", "Upstreams"]

V = TypeVar("V")
_SECOND = 1_000_000
_BUCKETS = 4096
_WITHDRAWN = "_withdrawn-upstream"  # of a page as it is kept: causes by file name
# Faults of an upstream, not of one of its pages.
_WHOLE = frozenset(
    ("index-unreachable", "index-timeout", "index-tls", "index-unauthorized", "proxy-unreachable", "offline")
)


@dataclass(frozen=True, slots=True)
class Found:
    """What is known of a project after asking.  ``here``: the index has it.  ``until`` is the instant up to which that
    needs no further question; ``stale`` the seconds by which it is overdue, where upstream did not answer."""

    here: bool
    until: int
    stale: int | None = None


class Upstreams:
    """The upstreams of one server, for one process.  Safe to use from many threads."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._limits = parts.settings.limits
        self._clients: dict[tuple[str, str], Client] = {}
        self._absent: OrderedDict[tuple[int, str], int] = OrderedDict()
        self._failed: OrderedDict[tuple[int, str], tuple[int, RepositoryError]] = OrderedDict()
        self._lock = threading.Lock()
        self._folder = os.path.join(parts.settings.cache, "upstream")
        os.makedirs(self._folder, exist_ok=True)

    def close(self) -> None:
        for client in self._clients.values():
            client.close()

    def client(self, index: IndexRow) -> Client:
        """The client for an index, with what the operator's own settings say of proxies, certificates and passwords."""
        assert index.upstream_url is not None
        key = (index.name, index.upstream_url)
        with self._lock:
            found = self._clients.get(key)
            if found is None:
                found = self._clients[key] = self._make_client(index.name, index.upstream_url)
        return found

    def _make_client(self, name: str, url: str) -> Client:
        limits = self._limits
        settings = index_settings(
            project_indexes=({"name": name, "url": url, "default": True},),
            environ=os.environ,
            config_dir=config_dir(os.environ),
        )
        options = {slot: getattr(settings.http, slot) for slot in HttpOptions.__slots__}
        options.update(timeout=limits.upstream_seconds, retries=limits.upstream_retries, offline=False)
        return Client(
            HttpOptions(**options),
            credentials=credentials(settings, os.environ),
            environ=os.environ,
            limits=HttpLimits(
                body=limits.upstream_page_bytes,
                download=limits.file_bytes,
                slowest=limits.upstream_slowest,
                retry_after=limits.upstream_seconds,
            ),
            user_agent="accord-index",
        )

    def ensure(self, index: IndexRow, project: str, *, force: bool = False) -> Found:
        """Make what the index has of a project (normalised) as true as upstream allows.  ``force`` asks in any case.

        Raises ``Refused("upstream-unavailable")`` (503) where nothing is known and upstream does not answer.
        """
        known = None if force else self._known(index, project)
        if known is not None:
            return known
        try:
            with self._turn(f"{index.id}/{project}"):
                known = None if force else self._known(index, project)  # somebody asked meanwhile
                return known or self._ask(index, project)
        except RepositoryError as fault:
            return self._without(index, project, fault)

    def repository(self, index: IndexRow) -> HttpRepository:
        assert index.upstream_url is not None
        return HttpRepository(index.upstream_url, self.client(index), now=lambda: self._parts.now() / _SECOND)

    def look(self, index: IndexRow, project: str) -> Page | None:
        """What upstream has, without entering it anywhere.  Raises RepositoryError."""
        answer = self.repository(index).page(project, None, None)
        return None if answer.state == ABSENT else _page(answer)

    def apply_rules(self, index: IndexRow, project: str) -> None:
        """Hold the rules of the index against a page that is kept, without asking upstream."""
        with self._parts.database.read() as connection:
            row = ledger.find_page(connection, index.id, project)
        if row is not None and row.sha256 is not None:
            self._apply(index, project, row, read_rules(index.settings.get("filter", {})))

    def _apply(self, index: IndexRow, project: str, row: PageRow, rules: Rules) -> Found:
        """A page as it is kept, entered once more."""
        assert row.sha256 is not None
        body = self._parts.storage.read(row.sha256)
        page = parse_page(body, JSON, f"{index.upstream_url}/{project}/")
        return self._enter(index, project, Said(page, _withdrawn_kept(body)), row, rules)

    def _known(self, index: IndexRow, project: str) -> Found | None:
        """What needs no question."""
        now = self._parts.now()
        absent = self._absent.get((index.id, project))
        if absent is not None and absent > now:
            return Found(here=False, until=absent)
        with self._parts.database.read() as connection:
            row = ledger.find_page(connection, index.id, project)
        if row is not None and row.expires > now:
            return Found(here=True, until=row.expires)
        for key in ((index.id, ""), (index.id, project)):
            failed = self._failed.get(key)
            if failed is not None and failed[0] > now:
                return self._stale(row, failed[1])
        return None

    def _stale(self, row: PageRow | None, fault: RepositoryError) -> Found:
        """What is served although it is old."""
        if row is None:
            raise Refused(
                503,
                "upstream-unavailable",
                "upstream does not answer, and nothing is kept of this project",
                context=(fault.code,),
                hint="try again later; the operator of this index can see what is wrong",
                headers={"Retry-After": str(int(self._limits.upstream_failed_seconds))},
            ) from fault
        late = max(0, self._parts.now() - row.expires) // _SECOND
        return Found(here=True, until=0, stale=late)

    def _without(self, index: IndexRow, project: str, fault: RepositoryError) -> Found:
        until = self._parts.now() + int(self._limits.upstream_failed_seconds * _SECOND)
        whole = fault.code in _WHOLE
        self._remember(self._failed, (index.id, "" if whole else project), (until, fault))
        with self._parts.database.read() as connection:
            return self._stale(ledger.find_page(connection, index.id, project), fault)

    def _remember(self, memory: OrderedDict[tuple[int, str], V], key: tuple[int, str], value: V) -> None:
        with self._lock:
            memory[key] = value
            while len(memory) > self._limits.upstream_absent_names:
                memory.popitem(last=False)

    @contextmanager
    def _turn(self, what: str) -> Iterator[None]:
        """One asker at a time, over all processes of this machine."""
        bucket = int(hashlib.sha256(what.encode()).hexdigest()[:8], 16) % _BUCKETS
        path = os.path.join(self._folder, f"{bucket:x}.lock")
        patience = self._limits.upstream_seconds * (self._limits.upstream_retries + 2)
        with FileLock(path, "a page of upstream", timeout=patience, family=RepositoryError):
            yield

    def _ask(self, index: IndexRow, project: str) -> Found:
        parts = self._parts
        rules = read_rules(index.settings.get("filter", {}))
        with parts.database.read() as connection:
            row = ledger.find_page(connection, index.id, project)
        if not rules.takes_name(project):
            if row is not None and row.sha256 is not None:
                now = parts.now()
                return self._apply(
                    index, project, replace(row, fetched=now, expires=self._expiry(0.0, now)), rules
                )
            answer: Answer | None = None
        else:
            etag, modified = (row.etag, row.last_modified) if row and row.sha256 else (None, None)
            answer = self.repository(index).page(project, etag, modified)
        now = parts.now()
        if answer is None or answer.state == ABSENT:
            return self._gone(index, project, row, now, rules)
        self._failed.pop((index.id, ""), None)
        expires = self._expiry(answer.expires, now)
        if answer.state == FRESH:
            said = Said(_page(answer), _withdrawn(answer))
            return self._enter(
                index, project, said, PageRow(None, answer.etag, answer.last_modified, now, expires), rules
            )
        assert row is not None
        row = replace(row, etag=answer.etag, last_modified=answer.last_modified, fetched=now, expires=expires)
        if rules.empty:
            with parts.database.write("upstream") as writing:
                ledger.keep_page(writing, index.id, project, row, JSON)
            return Found(here=True, until=row.expires)
        return self._apply(index, project, row, rules)

    def _expiry(self, expires: float, now: int) -> int:
        """As upstream says, within bounds: not on every request, not for ever."""
        limits = self._limits
        return int(
            min(
                max(expires * _SECOND, now + limits.upstream_least_seconds * _SECOND),
                now + limits.upstream_most_seconds * _SECOND,
            )
        )

    def _enter(self, index: IndexRow, project: str, said: Said, row: PageRow, rules: Rules) -> Found:
        assert said.page is not None
        body = json_page(said.page, own={_WITHDRAWN: said.withdrawn} if said.withdrawn else None)
        sha256 = hashlib.sha256(body).hexdigest()
        before: str | None = None
        self._parts.storage.put_bytes(sha256, body)
        with self._parts.database.write("upstream") as writing:
            known = ledger.find_page(writing.connection, index.id, project)
            before = None if known is None else known.sha256
            ripe = ledger.take_page(writing, index, project, said, rules)
            expires = row.expires if ripe is None else min(row.expires, ripe)
            ledger.keep_page(writing, index.id, project, replace(row, sha256=sha256, expires=expires), JSON)
            unused = before not in (None, sha256) and not ledger.uses_page(writing.connection, before)
        if unused and before is not None:
            self._parts.storage.delete(before)
        self._absent.pop((index.id, project), None)
        return Found(here=True, until=expires)

    def _gone(self, index: IndexRow, project: str, row: PageRow | None, now: int, rules: Rules) -> Found:
        """Upstream has no such project, or its rules leave it out."""
        until = now + int(self._limits.upstream_absent_seconds * _SECOND)
        if row is None:
            self._remember(self._absent, (index.id, project), until)
            return Found(here=False, until=until)
        with self._parts.database.write("upstream") as writing:
            ledger.take_page(writing, index, project, Said(None), rules)
            ledger.keep_page(writing, index.id, project, PageRow(None, None, None, now, until), "")
        # The name stays this index's, without files: nobody further down answers for it.
        return Found(here=True, until=until)


def _withdrawn(answer: Answer) -> dict[str, str]:
    """Of a page that could be read."""
    return {} if answer.raw is None else withdrawn_upstream(answer.raw.open())


def _withdrawn_kept(body: bytes) -> dict[str, str]:
    """The same, of a page as it is kept here."""
    if _WITHDRAWN.encode() not in body:
        return {}
    found: dict[str, str] = json.loads(body).get(_WITHDRAWN, {})
    return found


def _page(answer: Answer) -> Page:
    """Raises RepositoryError where what came is no page."""
    try:
        page = answer.page
    except RepositoryError:
        raise
    except (AccordError, ValueError) as fault:
        raise RepositoryError(
            "index-page-invalid", f"upstream sent something that is no page: {fault}"
        ) from fault
    assert page is not None
    return clean(page)
