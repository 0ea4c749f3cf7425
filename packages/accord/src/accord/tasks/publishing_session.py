"""One release in one session of Upload 2.0: what is sent, what is there already, and what becomes of it when it fails.

A session we opened is ours to cancel: on Ctrl-C, and when the index refuses a file for good.  What the network or a busy
index stopped is left open, with the words that go on.  A session somebody opened before is never canceled unasked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from accord.publish import sessions
from accord.tasks.publishing_records import Finished, Release, Sent
from accord_core.errors import RepositoryError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from accord.io.reporting import Reporter
    from accord.publish.desk import Desk
    from accord.publish.parcels import Parcel
    from accord.publish.sessions import Opened, PublishingSession
    from accord.tasks.publishing import Options

__all__ = ["end_session", "publish_release"]

# After these the same session may go on: nothing was wrong with what was sent.
_PASSING = frozenset(
    ("index-unreachable", "index-timeout", "download-truncated", "index-protocol", "index-tls",
     "publish-unavailable", "publish-limited", "publish-unauthorized", "publish-processing")
)  # fmt: skip
_THERE = "file-there-already"
_JSON_PAGE = "application/vnd.pypi.simple.v1+json"


def publish_release(
    desk: Desk,
    opened: Opened,
    name: str,
    version: str,
    parcels: Sequence[Parcel],
    options: Options,
    reporter: Reporter,
) -> Release:
    """Raises RepositoryError ``publish-session-open`` where there is a session already and it was not asked to go on."""
    ours = opened.session is not None
    session = opened.session or sessions.join(desk, opened.elsewhere)
    if not ours and not options.resume:
        raise _open_already(session, name, version)
    others = sorted(set(session.files) - {parcel.filename for parcel in parcels})
    if others and not options.preview:
        reporter.warn(
            f"the session has other files as well, which are published with these: {', '.join(others)}"
        )
    try:
        sent = _send_all(desk, session, name, parcels, options, reporter)
    except KeyboardInterrupt:
        _let_go(desk, session, ours, reporter)
        raise
    except RepositoryError as fault:
        raise _stopped(desk, session, ours, fault) from fault.__cause__
    if options.preview:
        session = sessions.refresh(desk, session.url)
        return _outcome(session, name, version, sent, "staged")
    if ours and sent and all(one.state == "there" for one in sent):
        sessions.close(desk, session.url)
        return _outcome(session, name, version, sent, "there")
    try:
        session = sessions.publish(desk, session, wait=options.wait)
    except KeyboardInterrupt:
        reporter.warn(f"whether the index has published is not known: accord publish --finish {session.url}")
        raise
    except RepositoryError as fault:
        raise _unpublished(session, fault) from fault.__cause__
    state = "published" if session.status == "published" else "processing"
    return _outcome(session, name, version, sent, state)


def _outcome(
    session: PublishingSession, name: str, version: str, sent: Sequence[Sent], state: str
) -> Release:
    files = tuple(
        one if one.state == "there" else Sent(one.filename, one.size, one.sha256, state) for one in sent
    )
    ended = state in ("published", "there")
    return Release(
        name,
        version,
        "2.0",
        state,
        files,
        session="" if ended else session.url,
        stage="" if ended else session.stage,
        expires="" if ended else session.expires,
        notices=session.notices,
    )


def _send_all(
    desk: Desk,
    session: PublishingSession,
    name: str,
    parcels: Sequence[Parcel],
    options: Options,
    reporter: Reporter,
) -> list[Sent]:
    if session.mechanisms and sessions.MECHANISM not in session.mechanisms:
        raise RepositoryError(
            "publish-answer-invalid", f"the index does not take files by {sessions.MECHANISM} (PEP 694)"
        )
    staged = _staged(desk, session, name)
    sent: list[Sent] = []
    task = reporter.start(f"sending {name} {parcels[0].version}", sum(parcel.size for parcel in parcels), "B")
    try:
        for parcel in parcels:
            state, link = session.files.get(parcel.filename, ("", ""))
            if state == "completed" and staged.get(parcel.filename) == parcel.sha256:
                reporter.advance(task, parcel.size)
                sent.append(_sent(parcel, "staged"))
                continue
            if state:
                # Half of it, another one of its name, or nobody can say: sent anew.
                sessions.close(desk, link)
            try:
                sessions.upload(desk, session, parcel, lambda size: reporter.advance(task, size))
            except RepositoryError as fault:
                if not _is_there(fault, options):
                    raise
                sent.append(_sent(parcel, "there"))
            else:
                sent.append(_sent(parcel, "staged"))
    finally:
        reporter.finish(task)
    return sent


def _sent(parcel: Parcel, state: str) -> Sent:
    return Sent(parcel.filename, parcel.size, parcel.sha256, state)


def _is_there(fault: RepositoryError, options: Options) -> bool:
    """Whether the index has the file: the same bytes are no failure; others only with ``--skip-existing``."""
    said = " ".join(fault.context)
    if fault.code != "publish-conflict":
        return False
    return f"its code is {_THERE}" in said or options.skip_existing


def _staged(desk: Desk, session: PublishingSession, name: str) -> dict[str, str]:
    """SHA-256 by file name of what the session's preview shows; empty where it has none, or shows none."""
    if not session.files or not session.stage:
        return {}
    url = sessions.joined(session.stage.rstrip("/") + "/", f"{name}/")
    answer = desk.send("GET", url, [("Accept", _JSON_PAGE)], again=True)
    files = answer.document.get("files") if answer.status == 200 else None
    found: dict[str, str] = {}
    for file in files if isinstance(files, list) else ():
        if isinstance(file, dict) and isinstance(file.get("hashes"), dict):
            found[str(file.get("filename"))] = str(file["hashes"].get("sha256", "")).lower()
    return found


def _open_already(session: PublishingSession, name: str, version: str) -> RepositoryError:
    files = [f"{filename}: {state}" for filename, (state, _) in session.files.items()]
    return RepositoryError(
        "publish-session-open",
        f"a session for {name} {version} is open already",
        context=(session.url, f"until {session.expires}", *(files[:20] or ["no files yet"])),
        hint=f"go on with it: --resume; or throw it away: accord publish --cancel {session.url}",
    )


def _let_go(desk: Desk, session: PublishingSession, ours: bool, reporter: Reporter) -> None:
    """Ctrl-C."""
    if not ours:
        reporter.warn(f"stopped; the session stays open until {session.expires}: {session.url}")
        return
    try:
        sessions.close(desk, session.url)
    except RepositoryError as fault:
        reporter.warn(f"the session could not be canceled ({fault.message}); it ends at {session.expires}")
    else:
        reporter.warn("the session was canceled: nothing was published")


def _stopped(desk: Desk, session: PublishingSession, ours: bool, fault: RepositoryError) -> RepositoryError:
    """The failure, with what became of the session."""
    passing = fault.code in _PASSING
    said: tuple[str, ...]
    hint = fault.hint
    if ours and not passing:
        try:
            sessions.close(desk, session.url)
            said = ("the session was canceled: nothing was published",)
        except RepositoryError:
            said = (f"nothing was published; the session ends at {session.expires}",)
    else:
        said = (f"nothing was published; the session stays open until {session.expires}: {session.url}",)
        hint = f"the same command with --resume goes on; or: accord publish --cancel {session.url}"
        if fault.code == "publish-unauthorized" and fault.hint:
            hint = f"{fault.hint}; then {hint}"
    return RepositoryError(
        fault.code, fault.message, where=fault.where, context=(*fault.context, *said), hint=hint
    )


def _unpublished(session: PublishingSession, fault: RepositoryError) -> RepositoryError:
    """Everything is sent, and the index does not publish it: nothing sent is thrown away for that.

    A session whose address is gone has ended, in whichever way (PEP 694 "Session Status Retention")."""
    if fault.code == "publish-no-such-place":
        return RepositoryError(
            fault.code,
            "everything is sent, and the session no longer exists",
            where=fault.where,
            context=(*fault.context, f"it was {session.url}"),
            hint="look at the index whether it has the release: it may be published; if not, publish it again",
        )
    return RepositoryError(
        fault.code,
        fault.message,
        where=fault.where,
        context=(*fault.context, f"everything is sent; the session stays open until {session.expires}"),
        hint=f"accord publish --finish {session.url} tries again; --cancel throws it away",
    )


def end_session(desk: Desk, url: str | None, asked: str, root: str, how: str, *, wait: bool) -> Finished:
    """``--finish`` and ``--cancel``.  Without a URL the session is asked for as PEP 694 lets everybody who may upload:
    by opening one, which is refused with the address of the one that is there."""
    if url is None:
        url = _find(desk, asked, root)
    session = sessions.join(desk, url)
    if how == "cancel":
        sessions.close(desk, session.url)
        return Finished(session.url, "canceled", tuple(session.files))
    if session.status == "published":
        return Finished(session.url, "published", tuple(session.files))
    done = sessions.publish(desk, session, wait=wait)
    return Finished(done.url, done.status, tuple(done.files))


def _find(desk: Desk, asked: str, root: str) -> str:
    name, equals, version = asked.partition("==")
    if not equals or not name.strip() or not version.strip():
        raise UsageError("usage", f"{asked!r} is neither a session's URL nor NAME==VERSION")
    opened = sessions.open_session(desk, root, name.strip(), version.strip())
    if opened.elsewhere:
        return opened.elsewhere
    if opened.session is not None:
        sessions.close(desk, opened.session.url)
    raise UsageError("publish-no-session", f"no session is open for {asked}", hint="accord publish opens one")
