"""Forms that an uploader sent, and what can be said of each: a check gives what is wrong, or "" when nothing is.

What a form says is compared with the file in that very form: a tool that builds the file itself is judged like one that was given it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import io
import json
import re
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesParser
from urllib.parse import parse_qs

from accord_conformance.making.forms import FormPart, read_form
from accord_conformance.scene import Scene
from accord_conformance.site import Request

__all__ = ["CHECKS", "Sent", "accepted", "credentials", "forms", "whole"]

_NOTHING = FormPart("", b"")
# The fields of the form that stand for no field of the metadata.
_OWN = {
    ":action",
    "protocol_version",
    "content",
    "gpg_signature",
    "attestations",
    "filetype",
    "pyversion",
    "md5_digest",
    "sha256_digest",
    "blake2_256_digest",
    "comment",
}


@dataclass(frozen=True, slots=True)
class Sent:
    """One request that was to be an upload."""

    request: Request
    parts: tuple[FormPart, ...]

    def values(self, name: str) -> list[str]:
        return [part.text for part in self.parts if part.name == name]

    @property
    def content(self) -> FormPart:
        return next((part for part in self.parts if part.name == "content"), _NOTHING)

    @property
    def filename(self) -> str:
        return self.content.filename or ""

    @property
    def credentials(self) -> str:
        return credentials(self.request)

    @property
    def query(self) -> Mapping[str, list[str]]:
        return parse_qs(self.request.path.partition("?")[2])

    def metadata(self) -> Message:
        """The metadata in the file itself; empty when there is none."""
        return BytesParser().parsebytes(_metadata(self.filename, self.content.data))


def credentials(request: Request) -> str:
    """The name and the password that a request carries as HTTP Basic; in parentheses what it carries instead."""
    kind, _, coded = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "basic":
        return f"({kind or 'none'})"
    try:
        return base64.b64decode(coded.strip(), validate=True).decode("utf-8", "replace")
    except binascii.Error:
        return f"(no base64: {coded})"


def _metadata(filename: str, data: bytes) -> bytes:
    try:
        if filename.endswith(".whl"):
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                names = [
                    name for name in archive.namelist() if re.fullmatch(r"[^/]+\.dist-info/METADATA", name)
                ]
                return archive.read(names[0]) if names else b""
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as sdist:
            for member in sdist:
                stream = sdist.extractfile(member) if re.fullmatch(r"[^/]+/PKG-INFO", member.name) else None
                if stream is not None:
                    return stream.read()
    except (zipfile.BadZipFile, tarfile.TarError, OSError, EOFError):
        pass
    return b""


def forms(scene: Scene) -> list[Sent]:
    """What was sent with a file, in order, to any address; an upload that was refused first and sent again counts each time."""
    requests = scene.site.requests if scene.site is not None else []
    return [
        Sent(each, tuple(parts))
        for each in requests
        if (parts := read_form(each.headers.get("content-type", ""), each.body))
    ]


def accepted(scene: Scene) -> list[Sent]:
    """Those of the forms that carried credentials, if any did: the first of a challenge and its answer does not count."""
    sent = forms(scene)
    authorized = [each for each in sent if each.request.headers.get("authorization")]
    return authorized or sent


def whole(sent: Sent) -> str:
    """Whether the file in the form can be read to its end."""
    stream = io.BytesIO(sent.content.data)
    try:
        if sent.filename.endswith(".whl"):
            with zipfile.ZipFile(stream) as archive:
                return archive.testzip() or ""
        with tarfile.open(fileobj=stream, mode="r:gz") as sdist:
            for member in sdist:
                if (content := sdist.extractfile(member)) is not None:
                    content.read()
    except (zipfile.BadZipFile, tarfile.TarError, OSError, EOFError, zlib.error) as error:
        return str(error) or type(error).__name__
    return ""


def _post(sent: Sent) -> str:
    return "" if sent.request.method == "POST" else sent.request.method


def _multipart(sent: Sent) -> str:
    said = sent.request.headers.get("content-type", "")
    return "" if re.match(r"multipart/form-data\s*;.*boundary=", said, re.IGNORECASE) else said


def _form_data(sent: Sent) -> str:
    wrong = [part.name for part in sent.parts if part.disposition.lower() != "form-data" or not part.name]
    return f"no form-data, or without name: {', '.join(wrong)}" if wrong else ""


def _content(sent: Sent) -> str:
    files = [part.name for part in sent.parts if part.filename is not None]
    return "" if files.count("content") == 1 else f"files in {', '.join(files) or 'no part'}"


def _octets(sent: Sent) -> str:
    said = sent.content.type.lower()
    return "" if said == "application/octet-stream" else said or "no type"


def _named(sent: Sent) -> str:
    return "" if re.fullmatch(r"[^/\\]+\.(whl|tar\.gz)", sent.filename) else sent.filename or "no file name"


def _one(sent: Sent, name: str, wanted: str, *, hexadecimal: bool = False) -> str:
    found = [each.lower() for each in sent.values(name)] if hexadecimal else sent.values(name)
    return "" if found == [wanted] else f"{name} is {found or 'not there'}, not {wanted}"


def _digest(name: str, digest: Callable[[bytes], str], *, hexadecimal: bool = True) -> Callable[[Sent], str]:
    """A digest may be left out; one that is there must be the file's, in letters of either case where it is hexadecimal."""

    def check(sent: Sent) -> str:
        wanted = digest(sent.content.data)
        return _one(sent, name, wanted, hexadecimal=hexadecimal) if sent.values(name) else ""

    return check


def _md5(data: bytes) -> str:
    # The documentation's form; a hash as a name only.
    return base64.urlsafe_b64encode(hashlib.md5(data, usedforsecurity=False).digest()).rstrip(b"=").decode()


def _some_digest(sent: Sent) -> str:
    names = ("md5_digest", "sha256_digest", "blake2_256_digest")
    return "" if any(any(sent.values(name)) for name in names) else "none of the three"


def _filetype(sent: Sent) -> str:
    return _one(sent, "filetype", "bdist_wheel" if sent.filename.endswith(".whl") else "sdist")


def _wheel_pyversion(sent: Sent) -> str:
    if not sent.filename.endswith(".whl"):
        return ""
    return _one(sent, "pyversion", sent.filename.removesuffix(".whl").split("-")[-3])


def _sdist_pyversion(sent: Sent) -> str:
    return "" if sent.filename.endswith(".whl") else _one(sent, "pyversion", "source")


def _metadata_field(field: str, name: str) -> Callable[[Sent], str]:
    return lambda sent: _one(sent, name, str(sent.metadata().get(field, "")))


def _description(sent: Sent) -> str:
    """The description need not be sent; one that is there is whole, however its lines end."""
    said, metadata = sent.values("description"), sent.metadata()
    wanted = str(metadata.get("Description", "")) or str(metadata.get_payload())
    whole = not said or [each.split() for each in said] == [wanted.split()]
    return "" if whole else f"{sum(map(len, said))} characters of {len(wanted)}"


def _known_metadata_version(sent: Sent) -> str:
    found = sent.values("metadata_version")
    known = {"1.0", "1.1", "1.2", "2.1", "2.2", "2.3", "2.4", "2.5"}
    return "" if len(found) == 1 and found[0] in known else f"metadata_version is {found or 'not there'}"


def _names(sent: Sent) -> str:
    wrong = [
        part.name
        for part in sent.parts
        if part.name not in _OWN and not re.fullmatch(r"[a-z0-9_]+", part.name)
    ]
    return ", ".join(wrong)


def _action(sent: Sent) -> str:
    found = sent.query.get(":action", []) + sent.values(":action")
    return "" if found and set(found) == {"file_upload"} else f":action is {found or 'not there'}"


def _protocol(sent: Sent) -> str:
    found = sent.query.get("protocol_version", []) + sent.values("protocol_version")
    return "" if set(found) <= {"1"} else f"protocol_version is {found}"


def _protocol_there(sent: Sent) -> str:
    found = sent.query.get("protocol_version", []) + sent.values("protocol_version")
    return "" if found else "protocol_version is not there"


def _action_in_query(sent: Sent) -> str:
    return "" if sent.query.get(":action") == ["file_upload"] else "no URL parameter :action"


def _action_in_form(sent: Sent) -> str:
    return "" if sent.values(":action") == ["file_upload"] else "no field :action"


def _once(sent: Sent) -> str:
    single = (
        "name",
        "version",
        "metadata_version",
        "filetype",
        "pyversion",
        "summary",
        "requires_python",
        "content",
    )
    wrong = [name for name in single if len([part for part in sent.parts if part.name == name]) > 1]
    return f"more than once: {', '.join(wrong)}" if wrong else ""


def _attestations_field(sent: Sent) -> str:
    found = len(sent.values("attestations"))
    return "" if found == 1 else f"{found} fields attestations"


def _attestations_array(sent: Sent) -> str:
    """The one field is a JSON array with an object in it at least, and with nothing else."""
    try:
        found = [json.loads(each) for each in sent.values("attestations")]
    except ValueError:
        return "no JSON"
    right = len(found) == 1 and isinstance(found[0], list) and found[0]
    return "" if right and all(isinstance(each, dict) for each in found[0]) else f"{found}"


CHECKS: dict[str, Callable[[Sent], str]] = {
    "post": _post,
    "multipart": _multipart,
    "form-data": _form_data,
    "content": _content,
    "octet-stream": _octets,
    "file-name": _named,
    "some-digest": _some_digest,
    "sha256": _digest("sha256_digest", lambda data: hashlib.sha256(data).hexdigest()),
    "blake2": _digest("blake2_256_digest", lambda data: hashlib.blake2b(data, digest_size=32).hexdigest()),
    "md5": _digest("md5_digest", _md5, hexadecimal=False),
    "filetype": _filetype,
    "wheel-pyversion": _wheel_pyversion,
    "sdist-pyversion": _sdist_pyversion,
    "metadata-version-known": _known_metadata_version,
    "metadata-version": _metadata_field("Metadata-Version", "metadata_version"),
    "name": _metadata_field("Name", "name"),
    "version": _metadata_field("Version", "version"),
    "description": _description,
    "field-names": _names,
    "action": _action,
    "action-in-query": _action_in_query,
    "action-in-form": _action_in_form,
    "protocol": _protocol,
    "protocol-there": _protocol_there,
    "once": _once,
    "attestations-field": _attestations_field,
    "attestations-array": _attestations_array,
}
