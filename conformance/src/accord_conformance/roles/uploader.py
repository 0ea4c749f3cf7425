"""Uploader: sends finished files to an index, by the legacy API's form or by the sessions of Upload 2.0.

The suite's server takes what comes and keeps it: ``{legacy}`` is the address of forms, ``{sessions}`` the root of Upload 2.0 (not there
unless ``given.sessions`` makes it).  Given besides the common words: ``home`` (path below the home folder: content; in it ``{site}`` and the like are
filled in), ``answers`` (path: reply, instead of the plain success at /legacy/), ``sessions`` (``making.sessions``), ``attested`` (keys of given files
whose attestation lies beside them), ``challenge`` (true: what comes without credentials is answered with 401, and asked for HTTP Basic).
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Mapping
from typing import Any

from accord_conformance.cases import Step
from accord_conformance.errors import SuiteError
from accord_conformance.judging import COMMON_WITNESSES, Finding, Witness, agree
from accord_conformance.making.attestations import unsigned
from accord_conformance.making.files import content
from accord_conformance.making.sessions import Sessions
from accord_conformance.protocol import Answer
from accord_conformance.roles.role import Role
from accord_conformance.roles.session_checks import SESSION_WITNESSES
from accord_conformance.roles.uploader_checks import CHECKS, accepted, forms, whole
from accord_conformance.scene import COMMON_MAKERS, Maker, Scene
from accord_conformance.site import Reply, Request, reply

__all__ = ["ROLE"]

_LEGACY = "/legacy/"


def _set_up(scene: Scene) -> None:
    site = scene.serve()
    site.routes[_LEGACY] = Reply(200, "text/plain", b"OK\n")
    scene.values.update(legacy=f"{site.url}{_LEGACY}", sessions=f"{site.url}/upload/")


def _home(scene: Scene, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        each = content(name, value)
        path = scene.folder / "home" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(scene.serve().placed(each.data))
        path.chmod(0o600)


def _answers(scene: Scene, values: Mapping[str, Any]) -> None:
    scene.serve().routes.update({path: reply(path, each) for path, each in values.items()})


def _sessions(scene: Scene, values: Mapping[str, Any]) -> None:
    site = scene.serve()
    site.services.append(Sessions(site.url, values).answer)


def _challenge(scene: Scene, wanted: bool) -> None:
    def answer(request: Request) -> Reply | None:
        if not wanted or request.headers.get("authorization"):
            return None
        return Reply(401, "text/plain", b"who are you?\n", {"WWW-Authenticate": 'Basic realm="suite"'})

    scene.serve().services.append(answer)


def _attested(scene: Scene, keys: Iterable[str]) -> None:
    for key in keys:
        made = scene.made[key]
        path = scene.folder / "dist" / key / f"{made.filename}.publish.attestation"
        path.write_text(json.dumps(unsigned(made.filename, made.data)), encoding="utf-8")


def _values(scene: Scene, step: Step) -> Mapping[str, Any]:
    """``files`` become ``{files...}``; attestations beside them ``{attestation_files...}``; they lie in the project's own dist folder, ``{upload_folder}``, for tools that take none."""
    values = {"username": "somebody", "password": "a secret", "repository": "suite", **step.arguments}
    folder = scene.folder / "project" / "dist"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    paths: list[str] = []
    attestations: list[str] = []
    for key in values.pop("files"):
        if key not in scene.made:
            raise SuiteError("uploader", f"no wheel or sdist {key!r} is given")
        for path in sorted((scene.folder / "dist" / key).iterdir()):
            shutil.copyfile(path, folder / path.name)
            (attestations if path.name.endswith(".attestation") else paths).append(str(folder / path.name))
    first = scene.made[step.arguments["files"][0]]
    return {
        **values,
        "files": paths,
        "attestation_files": attestations,
        "upload_folder": str(folder),
        "project_name": first.project,
        "project_version": first.version,
    }


def _checks(scene: Scene, answer: Answer, expected: Iterable[str]) -> Iterable[Finding]:
    """Named checks of every form that was sent; none sent is a failure."""
    sent = forms(scene)
    for name in expected:
        if name not in CHECKS:
            raise SuiteError("checks", f"there is no check {name!r}: {', '.join(sorted(CHECKS))}")
        if not sent:
            yield Finding(name, "a form that was sent", "nothing was sent", False)
        for each in sent:
            wrong = CHECKS[name](each)
            yield Finding(
                f"{name} ({each.filename})", "as it should be", wrong or "as it should be", not wrong
            )


def _fields(scene: Scene, answer: Answer, expected: Mapping[str, str | list[str]]) -> Iterable[Finding]:
    """The fields of the first form; a list where one is sent several times, in any order."""
    sent = forms(scene)
    for name, wanted in expected.items():
        found = sent[0].values(name) if sent else []
        yield agree(f"field {name}", [wanted] if isinstance(wanted, str) else sorted(wanted), sorted(found))


def _has_fields(scene: Scene, answer: Answer, expected: Iterable[str]) -> Iterable[Finding]:
    """Fields that the first form has, whatever is in them."""
    there = {part.name for each in forms(scene)[:1] for part in each.parts}
    for name in expected:
        yield Finding(f"has {name}", "there", "there" if name in there else "not there", name in there)


def _no_fields(scene: Scene, answer: Answer, expected: Iterable[str]) -> Iterable[Finding]:
    """Fields that no form may have."""
    for name in expected:
        found = [value for each in forms(scene) for value in each.values(name)]
        yield Finding(f"no field {name}", "not there", ", ".join(found) or "not there", not found)


def _sent(scene: Scene, answer: Answer, expected: Iterable[str]) -> Iterable[Finding]:
    """The files that were sent, each once and whole, in any order."""
    yield agree("sent", sorted(expected), sorted(each.filename for each in accepted(scene)))
    for each in accepted(scene):
        wrong = whole(each)
        yield Finding(f"whole ({each.filename})", "whole", wrong or "whole", not wrong)


def _same(scene: Scene, answer: Answer, expected: Iterable[str]) -> Iterable[Finding]:
    """The given files whose bytes were sent unchanged."""
    bodies = {each.content.data for each in forms(scene)}
    for key in expected:
        there = scene.made[key].data in bodies
        yield Finding(f"same {key}", "its bytes", "its bytes" if there else "other bytes", there)


def _uploaded_to(scene: Scene, answer: Answer, expected: Iterable[str]) -> Iterable[Finding]:
    """The paths that forms were sent to, no other."""
    paths = {each.request.path.partition("?")[0] for each in forms(scene)}
    yield agree("uploaded_to", sorted(expected), sorted(paths))


def _authorized(scene: Scene, answer: Answer, expected: str) -> Iterable[Finding]:
    """The name and password, joined by a colon, of every request that counted."""
    for found in [each.credentials for each in accepted(scene)] or ["nothing was sent"]:
        yield agree("authorized", expected, found)


def _attestations(scene: Scene, answer: Answer, expected: int) -> Iterable[Finding]:
    """So many attestations in every form, each that of the file there, unchanged."""
    if not accepted(scene):
        yield Finding("attestations", "a form that was sent", "nothing was sent", False)
    for each in accepted(scene):
        said = each.values("attestations")
        try:
            found = json.loads(said[0]) if len(said) == 1 else said or None
        except ValueError:
            found = said[0]
        own = unsigned(each.filename, each.content.data)
        yield agree(f"attestations ({each.filename})", [own] * expected or None, found)


MAKERS: dict[str, Maker] = {
    **COMMON_MAKERS,
    "home": _home,
    "answers": _answers,
    "sessions": _sessions,
    "attested": _attested,
    "challenge": _challenge,
}
WITNESSES: dict[str, Witness] = {
    **COMMON_WITNESSES,
    **SESSION_WITNESSES,
    "checks": _checks,
    "fields": _fields,
    "has_fields": _has_fields,
    "no_fields": _no_fields,
    "sent": _sent,
    "same": _same,
    "uploaded_to": _uploaded_to,
    "authorized": _authorized,
    "attestations": _attestations,
}

ROLE = Role(
    name="uploader",
    about="Sends finished files to an index.",
    verbs={
        # to {legacy}, as {username} with {password}
        "upload": ("files", "username", "password"),
        # to the repository of that name in {HOME}/.pypirc
        "upload-named": ("files", "repository"),
        # the same, with a name and a password given beside that file
        "upload-named-as": ("files", "repository", "username", "password"),
        # to {legacy}, with the attestations that lie beside the files
        "upload-attested": ("files", "username", "password"),
        # to {sessions}
        "upload-sessions": ("files", "username", "password"),
        # the same, with the attestations that lie beside the files
        "upload-sessions-attested": ("files", "username", "password"),
    },
    makers=MAKERS,
    set_up=_set_up,
    values=_values,
    witnesses=WITNESSES,
)
