"""One process's watch over credentials: how often they may fail, and the way of their uses into the audit.

A thread brings both to the database, a few seconds after something happened and soon after a failure, in one block.  Nothing
of this waits for the database in the request: routes that hold a connection, or the writer's turn, may ask.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError

from accord.server.accounts import rates, uses
from accord.server.accounts.rates import Policy, Rates, key_of, too_many
from accord.server.accounts.uses import Use, Uses
from accord.server.errors import Refused

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from accord.server.accounts.attempts import Attempt
    from accord.server.accounts.principals import Principal
    from accord.server.clock import Clock
    from accord.server.database import Database
    from accord.server.settings import Settings

__all__ = ["Guard"]

_SOON = 0.2  # seconds


class Guard:
    """Safe to use from many threads.  Its own thread begins with the first thing there is to enter."""

    def __init__(self, settings: Settings, database: Database, now: Clock) -> None:
        limits = settings.limits
        self._now = now
        self._database = database
        self._seconds = limits.audit_seconds
        self._uses = Uses(settings.uses, most=limits.audit_waiting)
        self._rates = Rates()
        self._by_address = Policy("failed-address", limits.failed_per_address, limits.failed_seconds)
        self._by_name = Policy("failed-credential", limits.failed_per_credential, limits.failed_seconds)
        self._uploads = Policy("uploads", limits.uploads_per_token, limits.uploads_seconds)
        self._searches = Policy("searches", limits.searches_per_address, limits.searches_seconds)
        self._projects = Policy("new-projects", limits.projects_per_user, limits.projects_seconds)
        self._turn = threading.Lock()
        self._starting = threading.Lock()
        self._started = threading.Event()
        self._wake = threading.Event()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    # -- credentials -------------------------------------------------------------------------------------

    def before(self, attempt: Attempt, name: str) -> None:
        """Before a credential is looked at; ``name`` is what it claims: ``user:ada``, ``token:ID``.

        Raises ``Refused("rate-limited")`` (429).
        """
        for policy, key in self._failures(attempt, name):
            state = self._rates.state(policy, key, attempt.at)
            if not state.left:
                attempt.states[policy.name] = state
                # Of an address its claims are not kept apart: there may be a million.
                claim = name if policy is self._by_name else ""
                self._note(attempt, "anybody", "", "authenticate", claim, "limited")
                raise too_many(state)

    def failed(self, attempt: Attempt, name: str) -> None:
        """A credential was not good."""
        self._note(attempt, "anybody", "", "authenticate", name, "failed")
        for policy, key in self._failures(attempt, name):
            attempt.states[policy.name] = self._rates.count(policy, key, attempt.at)
        self._start(soon=True)

    def signed_in(self, attempt: Attempt, actor: str) -> None:
        self._note(attempt, actor, "", "sign-in", actor, "allowed")

    def used(self, attempt: Attempt, who: Principal, action: str, subject: str, *, allowed: bool) -> None:
        """A known asker was told yes or no.  Raises ``Refused``: ``audit-unavailable`` (503), ``rate-limited`` (429)."""
        once = (action, subject, allowed)
        if once in attempt.noted:
            return
        self._note(attempt, who.actor, who.token, action, subject, "allowed" if allowed else "denied")
        attempt.noted.add(once)
        if action == "upload" and allowed and who.token:
            self._count(attempt, self._uploads, who.token)

    def search(self, attempt: Attempt) -> None:
        """Raises ``Refused("rate-limited")`` (429)."""
        self._count(attempt, self._searches, key_of(attempt.address))

    def new_project(self, attempt: Attempt, connection: Connection, user_id: int) -> None:
        """Counted in the block that makes it.  Raises ``Refused("rate-limited")`` (429)."""
        state = rates.count_now(connection, self._projects, str(user_id), attempt.at)
        attempt.states[state.policy.name] = state
        if state.left < 0:
            raise too_many(state)

    def _failures(self, attempt: Attempt, name: str) -> list[tuple[Policy, str]]:
        by_address = (self._by_address, key_of(attempt.address))
        return [by_address, (self._by_name, name)] if name else [by_address]

    def _count(self, attempt: Attempt, policy: Policy, key: str) -> None:
        state = self._rates.state(policy, key, attempt.at)
        if not state.left:
            attempt.states[policy.name] = state
            raise too_many(state)
        attempt.states[policy.name] = self._rates.count(policy, key, attempt.at)
        self._start()

    def _note(
        self, attempt: Attempt, actor: str, token: str, action: str, subject: str, outcome: str
    ) -> None:
        self._uses.note(Use(actor, token, attempt.address, action, subject[:500], outcome), attempt.at)
        self._start(soon=self._uses.crowded())

    # -- to the database ---------------------------------------------------------------------------------

    def enter(self) -> None:
        """Bring to the database what there is.  Raises what the database raises; what waits goes on waiting."""
        with self._turn:
            at = self._now()
            batch, file = self._uses.take()
            if not batch and not self._rates.unsaved():
                self._rates.saved({}, at)
                return
            try:
                with self._database.write("system") as writing:
                    uses.enter(writing.connection, batch)
                    counted = self._rates.save(writing.connection)
            except BaseException:
                self._uses.back(batch, file)
                raise
            self._uses.done(file if batch else None)
            self._rates.saved(counted, at)

    def recover(self) -> None:
        """Enter what processes left that were killed."""
        batch, files = self._uses.left_over()
        if batch:
            try:
                with self._database.write("system") as writing:
                    uses.enter(writing.connection, batch)
            except Refused:
                return  # nothing can be written now: the files keep it
        for file in files:
            self._uses.done(file)

    def close(self) -> None:
        self._ended.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join()
            try:
                self.enter()
            except (Refused, SQLAlchemyError):
                pass  # the files keep it
        self._uses.close()

    def _start(self, *, soon: bool = False) -> None:
        if not self._started.is_set():
            with self._starting:
                if not self._started.is_set():
                    self._thread = threading.Thread(target=self._run, name="accord-audit", daemon=True)
                    self._thread.start()
                    self._started.set()
        if soon:
            self._wake.set()

    def _run(self) -> None:
        while not self._ended.is_set():
            if self._wake.wait(self._seconds):
                self._wake.clear()
                if self._ended.is_set():
                    return
                threading.Event().wait(_SOON)  # what comes in a burst goes in one block
            try:
                self.enter()
            except (Refused, SQLAlchemyError):
                continue  # the database is gone for a while
