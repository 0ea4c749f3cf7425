"""A client of Upload 2.0 (PEP 694) that does one step at a time, so that a test can leave one out or do it wrongly."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from accord.testing.archives import TarPart, sdist_bytes, wheel_parts, zip_bytes
from accord.testing.serving import InProcess, Reply, basic

__all__ = ["MEDIA_TYPE", "HttpUploader", "Uploader", "make_release"]

MEDIA_TYPE = "application/vnd.pypi.upload.v2+json"


@dataclass(frozen=True, slots=True)
class Uploader:
    """Talks to ``index`` with a token (``None``: the administrator's, ``""``: none)."""

    index: InProcess
    token: str | None = None
    root: str = "/upload/"

    def headers(self, **more: str) -> dict[str, str]:
        token = self.index.token if self.token is None else self.token
        return {**(basic(token) if token else {}), **{key.replace("_", "-"): more[key] for key in more}}

    def post(self, url: str, *, media_type: str = MEDIA_TYPE, meta: object = None, **document: Any) -> Reply:
        body = {"meta": {"api-version": "2.0"} if meta is None else meta, **document}
        parts = urlsplit(url)
        return self.index.request(
            "POST", parts.path, self.headers(content_type=media_type), json.dumps(body).encode()
        )

    def get(self, url: str) -> Reply:
        return self.index.request("GET", urlsplit(url).path, self.headers())

    def delete(self, url: str) -> Reply:
        return self.index.request("DELETE", urlsplit(url).path, self.headers())

    def open(self, name: str = "spam", version: str = "1.0") -> Reply:
        return self.post(self.root, name=name, version=version)

    def begin(self, session: Reply, filename: str, content: bytes, **changed: Any) -> Reply:
        document = {
            "filename": filename,
            "size": len(content),
            "hashes": {"sha256": hashlib.sha256(content).hexdigest()},
            "mechanism": "http-post-bytes",
        }
        return self.post(session.json()["links"]["upload"], **{**document, **changed})

    def send(self, file: Reply, content: bytes, *, media_type: str = "application/octet-stream") -> Reply:
        path = urlsplit(file.json()["mechanism"]["file_url"]).path
        return self.index.request("POST", path, self.headers(content_type=media_type), content)

    def attest(self, file: Reply, body: bytes, *, media_type: str = "application/json") -> Reply:
        path = urlsplit(file.json()["mechanism"]["attestations_url"]).path
        return self.index.request("POST", path, self.headers(content_type=media_type), body)

    def complete(self, file: Reply) -> Reply:
        return self.post(file.json()["links"]["complete"])

    def put(self, session: Reply, filename: str, content: bytes) -> Reply:
        """All three steps of one file; the answer of the last."""
        begun = self.begin(session, filename, content)
        assert begun.status == 202, begun.text
        sent = self.send(begun, content)
        assert sent.status == 204, sent.text
        return self.complete(begun)

    def publish(self, session: Reply) -> Reply:
        return self.post(session.json()["links"]["publish"])

    def extend(self, session: Reply, seconds: Any) -> Reply:
        document: dict[str, Any] = {"extend-for": seconds}
        return self.post(session.json()["links"]["extend"], **document)

    def status(self, session: Reply) -> Any:
        return self.get(session.json()["links"]["session"]).json()


class HttpUploader:
    """The same over a socket, to an index that is served; answers are the documents themselves."""

    def __init__(self, url: str, token: str) -> None:
        self.url = url
        self._token = token

    def call(
        self, method: str, url: str, body: bytes | None = None, media_type: str = MEDIA_TYPE
    ) -> tuple[int, Any]:
        """``(status, document)``.  Raises ``OSError`` where no whole answer comes."""
        request = urllib.request.Request(  # noqa: S310 - our own server
            url, body, {"content-type": media_type, **basic(self._token)}, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
                status, data = answer.status, answer.read()
        except urllib.error.HTTPError as refused:
            with refused:
                status, data = refused.code, refused.read()
        except http.client.HTTPException as broken:
            raise ConnectionError(str(broken)) from broken
        return status, json.loads(data) if data else None

    def post(self, url: str, **document: Any) -> tuple[int, Any]:
        return self.call("POST", url, json.dumps({"meta": {"api-version": "2.0"}, **document}).encode())

    def open(self, name: str = "spam", version: str = "1.0") -> Any:
        status, document = self.post(f"{self.url}/upload/", name=name, version=version)
        assert status == 201, document
        return document

    def put(self, session: Any, filename: str, content: bytes) -> None:
        hashes = {"sha256": hashlib.sha256(content).hexdigest()}
        status, file = self.post(
            session["links"]["upload"],
            filename=filename,
            size=len(content),
            hashes=hashes,
            mechanism="http-post-bytes",
        )
        assert status == 202, file
        status, problem = self.call(
            "POST", file["mechanism"]["file_url"], content, "application/octet-stream"
        )
        assert status == 204, problem
        status, problem = self.post(file["links"]["complete"])
        assert status == 201, problem

    def publish(self, session: Any) -> tuple[int, Any]:
        return self.post(session["links"]["publish"])


def make_release(
    folder: str | os.PathLike[str], name: str, version: str = "1.0", *, content: bytes = b"value = 1\n"
) -> list[Path]:
    """A small wheel and sdist in ``folder``/dist."""
    dist = Path(folder) / "dist"
    dist.mkdir(exist_ok=True)
    info = (
        f"Metadata-Version: 2.2\nName: {name}\nVersion: {version}\nSummary: Tests\nRequires-Python: >=3.8\n"
    )
    wheel = dist / f"{name}-{version}-py3-none-any.whl"
    wheel.write_bytes(
        zip_bytes(wheel_parts({f"{name}/__init__.py": content}, name=name, version=version, metadata=info))
    )
    root = f"{name}-{version}"
    sdist = dist / f"{root}.tar.gz"
    parts = [
        TarPart(f"{root}/PKG-INFO", info.encode()),
        TarPart(f"{root}/pyproject.toml", f"[project]\nname = '{name}'\nversion = '{version}'\n".encode()),
        TarPart(f"{root}/src/{name}/__init__.py", content),
    ]
    sdist.write_bytes(sdist_bytes(parts))
    return [wheel, sdist]
