"""An uploader that does what the texts say, but for the one fault that FAULT names: the suite must find each."""

import base64
import contextlib
import email
import hashlib
import json
import os
import time
import urllib.error
import urllib.parse
import urllib.request
import zipfile
from pathlib import Path

from speak import Refused, serve  # type: ignore[import-not-found]

FAULT = os.environ["FAULT"]
MEDIA_TYPE = "application/vnd.pypi.upload.v2+json"


def ask(method: str, url: str, kind: str, body: bytes | None, authorization: str) -> bytes:
    headers = {"Content-Type": kind, "Authorization": authorization}
    if FAULT == "waits to be asked":
        with contextlib.suppress(urllib.error.HTTPError):
            unasked = urllib.request.Request(url, body, {"Content-Type": kind}, method=method)
            urllib.request.urlopen(unasked).close()
            raise RuntimeError("nobody asked")
    request = urllib.request.Request(url, body, headers, method=method)
    try:
        with urllib.request.urlopen(request) as answer:
            data: bytes = answer.read()
            return data
    except urllib.error.HTTPError as error:
        raise Refused(str(error)) from error


def basic(username: str, password: str) -> str:
    if FAULT == "bearer":
        return f"Bearer {password}"
    pair = f"{username}:{password}" if FAULT != "password in upper case" else f"{username}:{password.upper()}"
    return "Basic " + base64.b64encode(pair.encode()).decode()


def fields_of(path: Path) -> list[tuple[str, str]]:
    data = path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        said = email.message_from_bytes(archive.read(name))
    fields = [
        (":action", "file_upload" if FAULT != "another action" else "submit"),
        ("protocol_version", "1" if FAULT != "protocol 2" else "2"),
        ("filetype", "bdist_wheel" if FAULT != "filetype" else "wheel"),
        ("pyversion", path.name.split("-")[-3] if FAULT != "pyversion" else "any"),
        ("metadata_version", said["Metadata-Version"] if FAULT != "metadata version" else "9.9"),
        ("name", said["Name"] if FAULT != "name" else said["Name"].upper() + "-x"),
        ("version", said["Version"]),
        ("sha256_digest", hashlib.sha256(data).hexdigest() if FAULT != "digest" else "0" * 64),
    ]
    if FAULT == "no digest":
        fields.pop()
    if FAULT == "field names":
        fields.append(("Requires-Python", ">=3"))
    requires_python = "requires-python" if FAULT == "hyphens in fields" else "requires_python"
    fields += [(requires_python, each) for each in said.get_all("Requires-Python", [])]
    description = str(said.get_payload())
    fields.append(("description", description[:1000] if FAULT == "cuts the description" else description))
    requires = said.get_all("Requires-Dist", [])
    fields += [("requires_dist", each) for each in (requires[:1] if FAULT == "one of several" else requires)]
    return fields


def attestations_of(path: Path, attestation_files: list[str]) -> list[object]:
    own = [
        name
        for name in attestation_files
        if Path(name).name.startswith(path.name) or FAULT == "all attestations with each"
    ]
    return [json.loads(Path(name).read_text(encoding="utf-8")) for name in own]


def upload(
    files: list[str], legacy: str, username: str, password: str, attestation_files: list[str] | None = None
) -> None:
    for each in files if FAULT != "one file only" else files[:1]:
        path = Path(each)
        fields = fields_of(path) if each.endswith(".whl") else []
        if attestation_files:
            attested = attestations_of(path, attestation_files)
            said = json.dumps(attested[0] if FAULT == "attestation bare" else attested)
            fields += [("attestations", said)] * (2 if FAULT == "attestations twice" else 1)
        form, data = [], path.read_bytes()
        if FAULT == "cut short":
            data = data[:-10]
        if FAULT == "line ends":
            data = data.replace(b"\r\n", b"\n")
        for name, value in fields:
            form.append(f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode())
        content = "content" if FAULT != "content" else "file"
        named = path.name if FAULT != "folder in name" else str(path)
        head = f'--x\r\nContent-Disposition: form-data; name="{content}"; filename="{named}"\r\nContent-Type: application/octet-stream\r\n\r\n'
        body = b"".join(form) + head.encode() + data + b"\r\n--x--\r\n"
        method = "POST" if FAULT != "put" else "PUT"
        ask(method, legacy, "multipart/form-data; boundary=x", body, basic(username, password))


def upload_sessions(
    files: list[str],
    sessions: str,
    username: str,
    password: str,
    attestation_files: list[str] | None = None,
) -> None:
    path = Path(files[0])
    password = "another" if FAULT == "another password" else password
    data, authorization = path.read_bytes(), basic(username, password)

    def call(url: str, body: dict[str, object], method: str = "POST") -> dict[str, object]:
        meta = {} if FAULT == "no api-version" else {"meta": {"api-version": "2.0"}}
        kind = MEDIA_TYPE if FAULT != "media type" else "application/json"
        said = ask(method, url, kind, json.dumps({**meta, **body}).encode(), authorization)
        answer: dict[str, object] = json.loads(said or b"{}")
        return answer

    def links(answer: dict[str, object]) -> dict[str, str]:
        found: dict[str, str] = json.loads(json.dumps(answer["links"]))
        return found

    name, version = path.name.split("-")[:2]
    session = links(call(sessions, {"name": name, "version": version}))
    hashes = (
        {"md5": hashlib.md5(data).hexdigest()}
        if FAULT == "weak hash"
        else {"sha256": hashlib.sha256(data).hexdigest()}
    )
    if FAULT == "another hash":
        hashes = {"sha512": hashlib.sha512(data).hexdigest().upper()}
    size = len(data) + 1 if FAULT == "says another size" else len(data)
    mechanism = "" if FAULT == "names no mechanism" else "http-post-bytes"
    asked = {"filename": path.name, "size": size, "hashes": hashes, "mechanism": mechanism}
    file = call(session["upload"], asked)
    places = json.loads(json.dumps(file["mechanism"]))
    where = places["file_url"]
    kind = "application/octet-stream" if FAULT != "session type" else "application/zip"
    ask("POST", where, kind, data, authorization if FAULT != "bytes without name" else "")
    own = links(file)["file-upload-session"]

    def discard() -> None:
        if FAULT != "leaves a file in error":
            ask("DELETE", own, MEDIA_TYPE, None, authorization)
        if FAULT == "uses a deleted upload":
            ask("POST", where, kind, data, authorization)
        raise Refused("the file failed")

    def attest() -> None:
        if attestation_files:
            body = json.dumps(attestations_of(path, attestation_files)).encode()
            ask("POST", places["attestations_url"], "application/json", body, authorization)

    if FAULT != "attests too late":
        attest()
    try:
        done = call(links(file)["complete"], {})
    except Refused:
        discard()
    while done["status"] == "processing" and FAULT != "never looks at a file":
        time.sleep(1 if FAULT != "looks at once" else 0)
        done = json.loads(ask("GET", own, MEDIA_TYPE, None, authorization))
    if done["status"] == "error":
        discard()

    if FAULT == "attests too late":
        with contextlib.suppress(Refused):
            attest()

    def publish() -> object:
        published = call(session["publish"], {})
        while published["status"] == "processing" and FAULT != "does not wait":
            try:
                published = json.loads(ask("GET", session["session"], MEDIA_TYPE, None, authorization))
            except Refused as error:
                raise (
                    RuntimeError(error) if FAULT == "falls over a session that is gone" else error
                ) from error
        return published["status"]

    ended = publish()
    if ended == "error":
        if FAULT == "asks for another session":
            call(sessions, {"name": name, "version": version})
        elif FAULT == "cancels, and asks for another session":
            ask("DELETE", session["session"], MEDIA_TYPE, None, authorization)
            call(sessions, {"name": name, "version": version})
        ended = publish()
    if ended == "error" and FAULT != "error is success":
        raise Refused("it was not published")


serve(
    {
        "upload": upload,
        "upload-attested": upload,
        "upload-sessions": upload_sessions,
        "upload-sessions-attested": upload_sessions,
    },
    refusals=(OSError,),
)
