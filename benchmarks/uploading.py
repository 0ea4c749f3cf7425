"""Uploading, in two figures: ``python benchmarks/uploading.py [--devpi BIN] [--wheels N] [--clients N] [--json FILE]``.

Small wheels, each of a project of its own, sent by several clients at once as forms, to ``accord serve`` and to devpi-server
(in a throwaway environment, or with the programs in the folder ``--devpi``).  Then what one upload costs an index that has a
thousand files, and one that has a million (rows made, ``--files``).  Status 1 where something asked for is not met.
"""

from __future__ import annotations

import argparse
import base64
import http.client
import json
import os
import shutil
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

if not __package__:  # started by path: the folder above holds the package `benchmarks`
    sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

from accord.testing.archives import wheel_parts, zip_bytes
from accord.testing.serving import InProcess, Served, form
from benchmarks import serving_peers as peers

TIMES_DEVPI = 10.0
GROWS = 1.5


def wheels(count: int, mark: str) -> list[tuple[str, bytes]]:
    """Small wheels, each of a project of its own."""
    return [
        (
            f"{mark}{number}x-1.0-py3-none-any.whl",
            zip_bytes(wheel_parts({f"{mark}{number}x/a.py": os.urandom(1500)}, name=f"{mark}{number}x")),
        )
        for number in range(count)
    ]


def send_all(
    url: str, path: str, headers: dict[str, str], files: list[tuple[str, bytes]], clients: int
) -> tuple[float, int]:
    """``(seconds, how often something was sent again)``; every file has been taken afterwards."""
    waiting = []
    for filename, content in files:
        fields = {
            ":action": "file_upload",
            "name": filename.split("-")[0],
            "version": "1.0",
            "filetype": "bdist_wheel",
        }
        waiting.append(form(fields, filename, content))
    again = 0
    lock = threading.Lock()

    def work() -> None:
        nonlocal again
        line = http.client.HTTPConnection(urlsplit(url).netloc, timeout=120)
        while True:
            with lock:
                if not waiting:
                    break
                body, kind = waiting.pop()
            line.request("POST", path, body, {**headers, "Content-Type": kind})
            answer = line.getresponse()
            answer.read()
            if answer.status != 200:
                if answer.status < 500:
                    raise AssertionError(f"{url}{path}: {answer.status}")
                with lock:
                    again += 1
                    waiting.append((body, kind))
        line.close()

    threads = [threading.Thread(target=work) for _ in range(clients)]
    begun = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.monotonic() - begun, again


@contextmanager
def empty_devpi(binaries: str, folder: str) -> Iterator[tuple[str, dict[str, str]]]:
    with peers.devpi(binaries, os.path.join(folder, "devpi"), lambda: iter(())) as simple:
        url = simple.removesuffix("/root/bench/+simple")
        login = json.dumps({"user": "root", "password": "bench"}).encode()
        line = http.client.HTTPConnection(urlsplit(url).netloc)
        line.request("POST", "/+login", login, {"Content-Type": "application/json"})
        token = json.loads(line.getresponse().read())["result"]["password"]
        line.close()
        secret = base64.b64encode(f"root:{token}".encode()).decode()
        yield url, {"X-Devpi-Auth": secret, "Authorization": f"Basic {secret}"}


def beside_devpi(binaries: str, count: int, clients: int, workers: int, folder: str) -> dict[str, float]:
    with Served(os.path.join(folder, "data"), workers=workers) as served:
        secret = base64.b64encode(f"__token__:{served.token}".encode()).decode()
        headers = {"Authorization": f"Basic {secret}"}
        send_all(served.url, "/legacy/", headers, wheels(20, "w"), clients)
        ours, again = send_all(served.url, "/legacy/", headers, wheels(count, "p"), clients)
        assert not again
    with empty_devpi(binaries, folder) as (url, headers):
        send_all(url, "/root/bench/", headers, wheels(20, "w"), clients)
        some = max(100, count // 10)  # its rate is the same for more
        theirs, retried = send_all(url, "/root/bench/", headers, wheels(some, "p"), clients)
    return {
        "accord": count / ours,
        "devpi": some / theirs,
        "devpi_sent_again": float(retried),
        "ratio": (count / ours) / (some / theirs),
    }


def fill(index: InProcess, files: int) -> None:
    """Rows as uploads make them, ten files to a project, without bytes."""
    from sqlalchemy import insert

    from accord.server.database import tables

    made = 0
    while made < files:
        projects = range(made // 10, min(made + 50_000, files) // 10)
        with index.parts.database.write("system") as writing:
            base = {"index_id": 1, "created": 1, "serial": 1}
            writing.connection.execute(
                insert(tables.project),
                [
                    {**base, "id": 10 + one, "name": f"g{one}", "display": f"g{one}", "look_alike": f"g{one}"}
                    for one in projects
                ],
            )
            writing.connection.execute(
                insert(tables.release),
                [
                    {"id": 10 + one, "project_id": 10 + one, "version": "1.0", "created": 1, "about": {}}
                    for one in projects
                ],
            )
            rows, names = [], []
            for one in projects:
                for number in range(10):
                    filename = f"g{one}-1.0-{number}-py3-none-any.whl"
                    digest = f"{one * 10 + number:064x}"
                    rows.append(
                        {
                            "index_id": 1, "project_id": 10 + one, "release_id": 10 + one,
                            "filename": filename, "kind": "wheel", "size": 1_000, "sha256": digest,
                            "blake2b_256": digest, "md5": digest[:32], "uploaded": 1, "added_serial": 1,
                        }
                    )  # fmt: skip
                    names.append({"index_id": 1, "filename": filename, "sha256": digest, "used": 1})
            writing.connection.execute(insert(tables.file), rows)
            writing.connection.execute(insert(tables.file_name), names)
        made += len(rows)


def cost_of_one(files: int, folder: str) -> float:
    """Milliseconds of one upload, the median of 200."""
    with InProcess.open(tempfile.mkdtemp(dir=folder)) as index:
        fill(index, files)
        took = []
        for filename, content in wheels(220, "n"):
            begun = time.perf_counter()
            assert index.upload(filename, content).status == 200
            took.append(time.perf_counter() - begun)
    return statistics.median(took[20:]) * 1_000


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--devpi", help="the folder of devpi-server's programs")
    parser.add_argument("--wheels", type=int, default=1_000)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--files", type=int, default=1_000_000)
    parser.add_argument("--json")
    options = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="accord-uploading-")
    try:
        binaries = options.devpi or peers.environment(os.path.join(folder, "env"), "devpi-server")
        found = beside_devpi(binaries, options.wheels, options.clients, options.workers, folder)
        found["upload_ms_1k"] = cost_of_one(1_000, folder)
        found["upload_ms_many"] = cost_of_one(options.files, folder)
        found["growth"] = found["upload_ms_many"] / found["upload_ms_1k"]
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    for name, value in found.items():
        print(f"{name:18} {value:10.2f}")
    if options.json:
        with open(options.json, "w") as file:
            json.dump(found, file)
    return 0 if found["ratio"] >= TIMES_DEVPI and found["growth"] <= GROWS else 1


if __name__ == "__main__":
    sys.exit(main())
