"""Index: a server that has the pages of the Simple API and takes uploads.

The suite is its client.  All cases of a file speak with one server, so each has projects of its own: a wheel or sdist without ``name`` is called by its key and a mark of
the case, which ``{mark}`` is in a wheel's name.  In arguments and expectations, for each given file KEY: ``{project_KEY}`` (normalized), ``{name_KEY}``, ``{file_KEY}``, ``{version_KEY}``,
``{sha256_KEY}``, ``{md5_KEY}``, ``{size_KEY}``; ``{simple}``, ``{upload}`` and ``{sessions}`` are the server's addresses; what ``keep`` has kept has the name it was given.

``genuine`` gives the file that genuine attestations are about, and ``attestations`` may name them (``making.attestations``).  A text stands for itself there, with
``{attestation_publish}`` for the JSON of that one.

Whoever asks is ``nobody``, ``uploader``, ``reader`` (who may not upload), ``stranger`` (a wrong password), ``colleague`` (who may upload to every project
as long as nobody shuts him out) or ``newcomer`` (who may make projects, and upload to those).
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from accord_conformance.cases import Step
from accord_conformance.judging import COMMON_WITNESSES
from accord_conformance.making.attestations import attestation, genuine_file
from accord_conformance.making.forms import FormPart, make_form
from accord_conformance.making.sdists import make_sdist
from accord_conformance.making.wheels import Made, make_wheel
from accord_conformance.names import normal
from accord_conformance.roles.index_checks import INDEX_WITNESSES, SIGNATURE, filled
from accord_conformance.roles.role import Role
from accord_conformance.scene import Maker, Scene, keep
from accord_conformance.site import HTML, JSON

__all__ = ["INDEX_VERBS", "MAKERS", "ROLE", "values"]

_ACCEPT = {"json": JSON, "html": HTML, "text": "text/html", "any": "*/*"}


def _mark(scene: Scene) -> str:
    return hashlib.sha256(str(scene.values["case"]).encode()).hexdigest()[:6]


def _wheels(scene: Scene, given: Mapping[str, Any]) -> None:
    for key, each in given.items():
        name = str(each.get("name", f"{key}-{{mark}}")).replace("{mark}", _mark(scene))
        _keep(scene, key, make_wheel(key, {**each, "name": name}))


def _sdists(scene: Scene, given: Mapping[str, Any]) -> None:
    for key, each in given.items():
        _keep(scene, key, make_sdist(key, {"name": f"{key}-{_mark(scene)}", **each}))


def _genuine(scene: Scene, given: Mapping[str, str]) -> None:
    """The file of ``making.attestations``, KEY: how its name is spelled ("" as it is).  It has one name, so the server is one that has not taken it."""
    scene.values["fresh"] = "yes"
    for key, filename in given.items():
        _keep(scene, key, genuine_file(filename))
    scene.values["attestation_publish"] = json.dumps(attestation({"is": "publish"}))


def _keep(scene: Scene, key: str, made: Made) -> None:
    scene.values |= {
        f"path_{key}": str(keep(scene, key, made)),
        f"project_{key}": normal(made.project),
        f"name_{key}": made.project,
        f"file_{key}": made.filename,
        f"version_{key}": made.version,
        f"sha256_{key}": made.sha256,
        f"md5_{key}": hashlib.md5(made.data, usedforsecurity=False).hexdigest(),
        f"blake2_{key}": hashlib.blake2b(made.data, digest_size=32).hexdigest(),
        f"size_{key}": len(made.data),
    }


def values(scene: Scene, step: Step) -> Mapping[str, Any]:
    """The HTTP request that a step is; the arguments as they stand for what is no request."""
    said = filled(scene, dict(step.arguments))
    if step.do not in _REQUESTS:
        return {"reason": "", "version": "", "owner": "newcomer", **said}
    asked: dict[str, Any] = {"http": _REQUESTS[step.do](scene, said)}
    # Where nothing is odd about the form or wanted of its answer, an index without uploads can be given the file.
    if step.do == "upload" and not step.expect and set(said) == {"file"}:
        asked["path"] = scene.values[f"path_{said['file']}"]
    return asked


def _request(
    method: str, url: str, who: str, headers: Mapping[str, str], body: bytes = b""
) -> dict[str, Any]:
    coded = base64.b64encode(body).decode()
    return {"method": method, "url": url, "headers": dict(headers), "body": coded, "as": who}


def _accept(said: Mapping[str, Any]) -> dict[str, str]:
    wanted = said.get("accept", said.get("form", "json"))
    return {"Accept": _ACCEPT.get(wanted, wanted)} if wanted != "none" else {}


def _page(scene: Scene, said: Mapping[str, Any]) -> dict[str, Any]:
    url = "{simple}" + (f"{said['project']}/" if "project" in said else "") + said.get("more", "")
    # A page that is wanted in one form is asked of those who have that.
    needs = said.get("needs", {"json": "json", "html": "html", "text": "html"}.get(said.get("form", ""), ""))
    return {**_request("GET", url, said.get("as", "uploader"), _accept(said)), "needs": needs}


def _get(scene: Scene, said: Mapping[str, Any]) -> dict[str, Any]:
    headers = _accept(said) if "accept" in said else {}
    url = f"{said['url'].rstrip('/')}/{said['below']}" if "below" in said else said["url"]
    asked = _request(said.get("method", "GET"), url, said.get("as", "uploader"), headers)
    return {**asked, "needs": said.get("needs", "")}


def _upload(scene: Scene, said: Mapping[str, Any]) -> dict[str, Any]:
    """The form as the texts have it; ``fields`` adds, replaces (a list: several) or, with false, leaves out."""
    made = scene.made[said["file"]]
    wheel = made.filename.endswith(".whl")
    fields: dict[str, Any] = {
        ":action": "file_upload",
        "protocol_version": "1",
        "metadata_version": _metadata_version(made),
        "name": made.project,
        "version": made.version,
        "filetype": "bdist_wheel" if wheel else "sdist",
        "pyversion": made.filename.removesuffix(".whl").split("-")[-3] if wheel else "source",
        "sha256_digest": made.sha256,
    }
    if made.requires_python:
        fields["requires_python"] = made.requires_python
    if "attestations" in said:
        attested = said["attestations"]
        fields["attestations"] = (
            attested if isinstance(attested, str) else json.dumps([attestation(each) for each in attested])
        )
    fields |= said.get("fields", {})
    parts = [
        FormPart(name, str(each).encode())
        for name, value in fields.items()
        if value is not False
        for each in (value if isinstance(value, list) else [value])
    ]
    data = made.data if "data" not in said else str(said["data"]).encode()
    if said.get("content", True):
        parts.append(
            FormPart("content", data, said.get("filename", made.filename), "application/octet-stream")
        )
    if said.get("signature", False):
        parts.append(FormPart("gpg_signature", SIGNATURE, f"{made.filename}.asc", "application/octet-stream"))
    kind, body = make_form(parts)
    # PEP 694 has these two in the URL, the documentation it refers to in the form.
    both = {name: fields[name] for name in (":action", "protocol_version") if fields[name] is not False}
    query = said.get("query", f"?{urlencode(both, safe=':')}" if both else "")
    asked = _request("POST", "{upload}" + query, said.get("as", "uploader"), {"Content-Type": kind}, body)
    return {**asked, "needs": "attestations" if "attestations" in said else ""}


def _metadata_version(made: Made) -> str:
    found = re.search(rb"^Metadata-Version: (.+)$", made.metadata, re.MULTILINE)
    return found[1].decode() if found else "2.1"


def _call(scene: Scene, said: Mapping[str, Any]) -> dict[str, Any]:
    """A request of Upload 2.0: ``body`` gets its ``meta``, unless it has one or ``meta`` is false."""
    headers = {"Accept": "application/vnd.pypi.upload.v2+json"}
    body = b""
    if "file" in said:
        headers["Content-Type"] = "application/octet-stream"
        body = scene.made[said["file"]].data
        # As many bytes, the last one another.
        body = body[:-1] + bytes([body[-1] ^ 1]) if said.get("spoiled", False) else body
    elif "attestations" in said:
        headers["Content-Type"] = "application/json"
        body = json.dumps([attestation(each) for each in said["attestations"]]).encode()
    elif "body" in said or said.get("method", "POST") == "POST":
        headers["Content-Type"] = "application/vnd.pypi.upload.v2+json"
        whole = said.get("body", {})
        if isinstance(whole, dict) and said.get("meta", True):
            whole = {"meta": {"api-version": "2.0"}, **whole}
        body = (whole if isinstance(whole, str) else json.dumps(whole)).encode()
    if "type" in said:
        headers["Content-Type"] = said["type"]
    asked = _request(
        said.get("method", "POST"), said.get("url", "{sessions}"), said.get("as", "uploader"), headers, body
    )
    return {**asked, "settle": said.get("settle", "")}


_REQUESTS = {"page": _page, "get": _get, "upload": _upload, "call": _call}
MAKERS: dict[str, Maker] = {"wheels": _wheels, "sdists": _sdists, "genuine": _genuine}
INDEX_VERBS: dict[str, tuple[str, ...]] = {
    # the page of a project, or the list of projects; form: json, html, text, any, none; needs: json, html, or an API version
    "page": ("project", "form", "accept", "more", "needs", "as"),
    # below: what lies there, whether the URL ends with a slash or not
    "get": ("url", "below", "accept", "method", "needs", "as"),
}


ROLE = Role(
    name="index",
    about="A server with the pages of the Simple API, which takes uploads.",
    verbs={
        **INDEX_VERBS,
        # a form to {upload}
        "upload": (
            "file",
            "fields",
            "attestations",
            "filename",
            "content",
            "data",
            "signature",
            "query",
            "as",
        ),
        # a request of Upload 2.0; settle: after 202, the status that is looked at until it is decided
        "call": ("method", "url", "body", "meta", "type", "file", "spoiled", "attestations", "settle", "as"),
        # the operator's or owner's commands
        "yank": ("project", "version", "reason"),
        "unyank": ("project", "version"),
        "status": ("project", "status", "reason"),
        # the colleague's permission to upload to every project, given and taken
        "let-in": (),
        "shut-out": (),
        # a namespace (PEP 752), the newcomer's unless another is named
        "reserve": ("namespace", "owner"),
        "release": ("namespace",),
    },
    makers=MAKERS,
    values=values,
    witnesses={**COMMON_WITNESSES, **INDEX_WITNESSES},
)
