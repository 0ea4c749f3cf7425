"""Many at once: of those who want one thing exactly one gets it, and nobody sees anything between."""

from __future__ import annotations

import hashlib
import json
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from functools import partial
from typing import Any

from accord.testing.archives import wheel_parts, zip_bytes
from accord.testing.serving import Served, basic, form
from accord.testing.uploading import HttpUploader


def at_once(*works: Callable[[], Any]) -> list[Any]:
    """What each came to; all begin together."""
    barrier = threading.Barrier(len(works))
    found: list[Any] = [None] * len(works)

    def run(number: int, work: Callable[[], Any]) -> None:
        barrier.wait()
        found[number] = work()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return found


def published(upload: HttpUploader, session: Any) -> int:
    return upload.publish(session)[0]


def delete(upload: HttpUploader, session: Any) -> int:
    return upload.call("DELETE", session["links"]["session"])[0]


def legacy(served: Served, filename: str, content: bytes) -> int:
    body, kind = form({":action": "file_upload", "protocol_version": "1"}, filename, content)
    request = urllib.request.Request(
        f"{served.url}/legacy/", body, {"content-type": kind, **basic(served.token)}, method="POST"
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code


def wheels(name: str, count: int, version: str = "1.0") -> list[bytes]:
    return [
        zip_bytes(wheel_parts({f"{name}/__init__.py": f"value = {n}\n".encode()}, name=name, version=version))
        for n in range(count)
    ]


def page(served: Served, project: str) -> dict[str, str]:
    request = urllib.request.Request(
        f"{served.url}/simple/{project}/", headers={"accept": "application/vnd.pypi.simple.v1+json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return {file["filename"]: file["hashes"]["sha256"] for file in json.load(answer)["files"]}
    except urllib.error.HTTPError as refused:
        with refused:
            return {}


def test_one_name_by_form_and_by_session_at_once_has_one_winner(served: Served) -> None:
    upload = HttpUploader(served.url, served.token)
    for number in range(4):
        name, filename = f"race{number}", f"race{number}-1.0-py3-none-any.whl"
        mine, *others = wheels(name, 4)
        session = upload.open(name)
        upload.put(session, filename, mine)
        results = at_once(
            partial(published, upload, session),
            *(partial(legacy, served, filename, content) for content in others),
        )
        assert sorted(results) in ([200, 409, 409, 409], [201, 409, 409, 409]), results
        winner = [mine, *others][results.index(min(results))]
        assert page(served, name) == {filename: hashlib.sha256(winner).hexdigest()}


def test_one_release_has_one_session_however_many_ask_at_once(served: Served) -> None:
    upload = HttpUploader(served.url, served.token)

    def open_it() -> int:
        return upload.post(f"{served.url}/upload/", name="single", version="1.0")[0]

    assert sorted(at_once(*[open_it] * 6)) == [201, 409, 409, 409, 409, 409]


def test_a_session_published_by_many_at_once_is_published_once(served: Served) -> None:
    upload = HttpUploader(served.url, served.token)
    session = upload.open("often")
    [content] = wheels("often", 1)
    upload.put(session, "often-1.0-py3-none-any.whl", content)
    assert at_once(*[partial(published, upload, session)] * 4) == [201] * 4
    assert len(page(served, "often")) == 1


def test_publishing_and_canceling_at_once_leave_all_or_nothing(served: Served) -> None:
    upload = HttpUploader(served.url, served.token)
    for number in range(4):
        name = f"either{number}"
        session = upload.open(name)
        [content] = wheels(name, 1)
        upload.put(session, f"{name}-1.0-py3-none-any.whl", content)
        done, canceled = at_once(partial(published, upload, session), partial(delete, upload, session))
        assert (done, canceled) in ((201, 409), (409, 204))
        assert len(page(served, name)) == (done == 201)
        if done == 201:
            url = f"{served.url}/files/{name}/{name}-1.0-py3-none-any.whl"
            with urllib.request.urlopen(url, timeout=60) as answer:
                assert answer.read() == content


def test_readers_see_a_release_whole_or_not_at_all(served: Served) -> None:
    upload = HttpUploader(served.url, served.token)
    seen: set[int] = set()
    ended = threading.Event()

    def read() -> None:
        while not ended.is_set():
            seen.add(len(page(served, "whole")))

    reader = threading.Thread(target=read)
    reader.start()
    try:
        session = upload.open("whole")
        for number in range(12):
            tag = f"py3-none-manylinux_2_{number}_x86_64"
            wheel = f"Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: {tag}\n"
            content = zip_bytes(wheel_parts(name="whole", wheel=wheel))
            upload.put(session, f"whole-1.0-{tag}.whl", content)
        assert upload.publish(session)[0] == 201
        assert len(page(served, "whole")) == 12
    finally:
        ended.set()
        reader.join(60)
    assert seen <= {0, 12}
    assert 0 in seen
