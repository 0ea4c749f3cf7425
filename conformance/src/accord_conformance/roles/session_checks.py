"""What an uploader is looked at for when it spoke Upload 2.0 with the suite's server: the order of requests, their form, how the session ended."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Any
from urllib.parse import urlsplit

from accord_conformance.errors import SuiteError
from accord_conformance.judging import Finding, Witness, agree
from accord_conformance.making.attestations import unsigned
from accord_conformance.making.sessions import MEDIA_TYPE, Sessions, wrong_hashes
from accord_conformance.protocol import Answer
from accord_conformance.roles.uploader_checks import credentials
from accord_conformance.scene import Scene
from accord_conformance.site import Request

__all__ = ["SESSION_WITNESSES"]

# The requests whose body is not JSON of the protocol itself.
_OTHER_BODIES = ("POST bytes", "POST attestations")


def _of(scene: Scene) -> Sessions:
    services = scene.site.services if scene.site is not None else []
    for service in services:
        found = getattr(service, "__self__", None)
        if isinstance(found, Sessions):
            return found
    raise SuiteError("session", "the case gives no sessions")


def _body(request: Request) -> Any:
    try:
        return json.loads(request.body)
    except ValueError:
        return {}


def _asked_for(sessions: Sessions) -> dict[str, Any]:
    """What the first request for a session said."""
    found: Any = next((_body(request) for what, request in sessions.log if what == "POST root"), None)
    return found if isinstance(found, dict) else {}


def _media_type(sessions: Sessions) -> str:
    wrong = {
        request.headers.get("content-type", "none")
        for what, request in sessions.log
        if what.startswith("POST") and what not in _OTHER_BODIES
    } - {MEDIA_TYPE}
    return ", ".join(sorted(wrong))


def _api_version(sessions: Sessions) -> str:
    asked = [
        _body(request)
        for what, request in sessions.log
        if what.startswith("POST") and what not in _OTHER_BODIES
    ]
    wrong = [
        each
        for each in asked
        if not isinstance(each, dict) or each.get("meta", {}).get("api-version") != "2.0"
    ]
    return f"{len(wrong)} requests without it" if wrong else ""


def _create(sessions: Sessions) -> str:
    asked = _asked_for(sessions)
    missing = [key for key in ("name", "version") if not isinstance(asked.get(key), str)]
    return f"without {', '.join(missing)}" if missing else ""


def _begin(sessions: Sessions) -> str:
    asked = [_body(request) for what, request in sessions.log if what == "POST upload"]
    keys = {"filename": str, "size": int, "hashes": dict, "mechanism": str}
    missing = [
        key
        for each in asked
        for key, kind in keys.items()
        if not each.get(key) or type(each[key]) is not kind
    ]
    return f"without {', '.join(missing)}" if missing else "" if asked else "no file was begun"


def _hashes(sessions: Sessions) -> str:
    return _each(sessions, wrong_hashes)


def _secure(sessions: Sessions) -> str:
    weak = {"md5", "sha1", "shake_128", "shake_256"}  # the last two want a length: no key may
    good = hashlib.algorithms_guaranteed - weak
    return _each(sessions, lambda hashes, data: [] if good & set(hashes) else ["none that is secure"])


def _each(sessions: Sessions, wrong: Callable[[dict[str, str], bytes], list[str]]) -> str:
    found = [
        f"{each.filename}: {', '.join(w)}"
        for each in sessions.files
        if (
            w := wrong(each.asked["hashes"], each.data)
            if isinstance(each.asked["hashes"], dict)
            else ["none"]
        )
    ]
    return "; ".join(found) if sessions.files else "no file was begun"


def _size(sessions: Sessions) -> str:
    wrong = [each.filename for each in sessions.files if each.asked["size"] != len(each.data)]
    return ", ".join(wrong) if sessions.files else "no file was begun"


def _octets(sessions: Sessions) -> str:
    sent = [request for what, request in sessions.log if what == "POST bytes"]
    wrong = {each.headers.get("content-type", "none") for each in sent} - {"application/octet-stream"}
    return ", ".join(sorted(wrong)) if sent else "no bytes were sent"


def _bytes_authorized(sessions: Sessions) -> str:
    """Credentials came with the bytes, after a challenge at the latest."""
    sent = [request for what, request in sessions.log if what == "POST bytes"]
    return "" if any(each.headers.get("authorization") for each in sent) else "bytes without Authorization"


def _order(sessions: Sessions) -> str:
    """Publication was not asked for while a file was not completed."""
    if all(what != "POST publish" for what, _ in sessions.log):
        return "never published"
    return f"not completed then: {', '.join(sessions.early)}" if sessions.early else ""


def _polled(sessions: Sessions) -> str:
    done = [what for what, _ in sessions.log]
    return "" if "GET session" in done[done.index("POST publish") :] else "the status was not asked for"


def _attested_first(sessions: Sessions) -> str:
    """Each file's own attestation came before the file was completed: the server keeps none that comes later."""
    wrong = [
        each.filename for each in sessions.files if each.attestations != [unsigned(each.filename, each.data)]
    ]
    return f"no array of its attestation: {', '.join(wrong)}" if wrong or not sessions.files else ""


def _attestation_type(sessions: Sessions) -> str:
    sent = [request for what, request in sessions.log if what == "POST attestations"]
    wrong = {each.headers.get("content-type", "none") for each in sent} - {"application/json"}
    return ", ".join(sorted(wrong)) if sent else "none were sent"


def _deleted_first(sessions: Sessions) -> str:
    """A file that failed was deleted, or the whole session was; none is left in error, looked at or not."""
    left = [
        f"{each.filename} ({each.status})"
        for each in sessions.files
        if each.status in ("error", "processing")
    ]
    return f"left: {', '.join(left)}" if left and sessions.status != "canceled" else ""


def _after_failure(sessions: Sessions) -> list[str]:
    """What was asked after the look that told of the failed publication."""
    return [what for what, _ in sessions.log[sessions.failed_at :]] if sessions.failed_at else []


def _one_session(sessions: Sessions) -> str:
    """After a publication that failed no other session is asked for, unless the first was deleted before, or is used afterwards."""
    done = _after_failure(sessions)
    for place, what in enumerate(done):
        used = any(each not in ("POST root", "GET session") for each in done[place + 1 :])
        if what == "POST root" and "DELETE session" not in done[:place] and not used:
            return "another was asked for"
    return ""


def _no_reuse(sessions: Sessions) -> str:
    """Nothing is sent to the URLs of an upload that was deleted."""
    gone: set[str] = set()
    for what, request in sessions.log:
        url = request.path.partition("?")[0]
        if what == "DELETE file_upload_session":
            of = next(each for each in sessions.files if each.urls["file-upload-session"].endswith(url))
            gone |= {urlsplit(each).path for each in of.urls.values()}
        elif what.startswith("POST") and url in gone:
            return f"{what} of an upload that was deleted"
    return ""


def _retry_after(sessions: Sessions) -> str:
    """A second between two looks at a file that is processing, as the server wishes; a tenth is forgiven."""
    pauses = [later - earlier for earlier, later in pairwise(sessions.looks)]
    soonest = min(pauses, default=1.0)
    return f"asked again after {soonest:.2f} seconds" if soonest < 0.9 else ""


CHECKS: dict[str, Callable[[Sessions], str]] = {
    "media-type": _media_type,
    "api-version": _api_version,
    "create": _create,
    "begin": _begin,
    "hashes": _hashes,
    "secure-hash": _secure,
    "size": _size,
    "octet-stream": _octets,
    "bytes-authorized": _bytes_authorized,
    "order": _order,
    "polled": _polled,
    "attestations": _attested_first,
    "attestation-type": _attestation_type,
    "no-error-left": _deleted_first,
    "one-session": _one_session,
    "no-reuse": _no_reuse,
    "retry-after": _retry_after,
}


def _session_checks(scene: Scene, answer: Answer, expected: Iterable[str]) -> Iterable[Finding]:
    """Named checks of all that was asked of the sessions."""
    sessions = _of(scene)
    for name in expected:
        if name not in CHECKS:
            raise SuiteError("session_checks", f"there is no check {name!r}: {', '.join(sorted(CHECKS))}")
        wrong = CHECKS[name](sessions) if sessions.log else "nothing was asked"
        yield Finding(name, "as it should be", wrong or "as it should be", not wrong)


def _session(scene: Scene, answer: Answer, expected: str | list[str]) -> Iterable[Finding]:
    """The status of the session in the end; "" where none was created, a list where several will do."""
    allowed = [expected] if isinstance(expected, str) else expected
    found = _of(scene).status
    yield Finding("session", " or ".join(allowed) or "none", found or "none", found in allowed)


def _session_authorized(scene: Scene, answer: Answer, expected: str) -> Iterable[Finding]:
    """The name and password, joined by a colon, of every request that carried any; one did."""
    said = {credentials(each) for _, each in _of(scene).log if each.headers.get("authorization")}
    yield agree("session_authorized", [expected], sorted(said))


def _session_files(scene: Scene, answer: Answer, expected: Iterable[str]) -> Iterable[Finding]:
    """The files that were completed."""
    found = sorted(each.filename for each in _of(scene).files if each.status == "completed")
    yield agree("session_files", sorted(expected), found)


def _session_asked(scene: Scene, answer: Answer, expected: Iterable[str]) -> Iterable[Finding]:
    """Requests that were made: ``POST root``, ``DELETE session``, ``POST extend``, ``GET session`` and the like."""
    done = list(dict.fromkeys(what for what, _ in _of(scene).log))
    for wanted in expected:
        yield Finding("session_asked", wanted, ", ".join(done) or "nothing", wanted in done)


def _session_goes_on(scene: Scene, answer: Answer, expected: bool) -> Iterable[Finding]:
    """Whether more than a look followed on a publication that failed."""
    done = [what for what in _after_failure(_of(scene)) if not what.startswith("GET")]
    found = ", ".join(dict.fromkeys(done)) or "nothing"
    yield Finding("session_goes_on", "something" if expected else "nothing", found, bool(done) is expected)


def _session_named(scene: Scene, answer: Answer, expected: list[str]) -> Iterable[Finding]:
    """The name, normalized, and the version that the session was asked for with."""
    asked = _asked_for(_of(scene))
    yield agree(
        "session_named", expected, [str(asked.get("name", "")).lower(), str(asked.get("version", ""))]
    )


SESSION_WITNESSES: dict[str, Witness] = {
    "session": _session,
    "session_checks": _session_checks,
    "session_files": _session_files,
    "session_asked": _session_asked,
    "session_authorized": _session_authorized,
    "session_goes_on": _session_goes_on,
    "session_named": _session_named,
}
