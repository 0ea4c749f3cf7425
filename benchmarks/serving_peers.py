"""Servers on free ports: Accord, nginx with the same bytes as files, devpi-server, pypiserver; and ``wrk``, which asks them.

The two indexes are installed into throwaway environments below a cache folder, which later runs use again.
"""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

from accord.testing import fronts

__all__ = [
    "Load",
    "accord",
    "devpi",
    "environment",
    "front",
    "nginx",
    "private_memory",
    "pypiserver",
    "version",
    "wrk",
]

HOW_TO = os.path.join(
    os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "docs", "how-to", "nginx.md"
)
_RATE = re.compile(r"Requests/sec:\s+([\d.]+)")
_BAD = re.compile(r"Non-2xx or 3xx responses: (\d+)")
_ERRORS = re.compile(r"Socket errors: (.*)")
JSON = "application/vnd.pypi.simple.v1+json"


@dataclass(frozen=True, slots=True)
class Load:
    """``rate`` is requests per second; ``fault`` says why it does not count."""

    rate: float
    fault: str = ""


def wrk(
    url: str, headers: dict[str, str], *, seconds: float, connections: int = 16, threads: int = 1
) -> Load:
    """Ask for ``url`` as fast as it is answered; return when the server is done with what was asked last, so that it does not
    compute into the next one's turn."""
    command = ["wrk", f"-t{threads}", f"-c{connections}", f"-d{seconds:g}s", "--timeout", "30s"]
    for name, value in headers.items():
        command += ["-H", f"{name}: {value}"]
    done = subprocess.run([*command, url], capture_output=True, text=True, check=True)
    fetch(url, headers)
    found = _RATE.search(done.stdout)
    bad, errors = _BAD.search(done.stdout), _ERRORS.search(done.stdout)
    fault = f"{bad[1]} answers of another status" if bad else errors[1] if errors else ""
    return Load(float(found[1]) if found else 0.0, fault)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    return port


def fetch(url: str, headers: dict[str, str] | None = None) -> tuple[int, dict[str, str], bytes]:
    """One GET."""
    request = urllib.request.Request(url, headers=headers or {})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, dict(answer.headers.items()), answer.read()
    except urllib.error.HTTPError as refused:
        return refused.code, dict(refused.headers.items()), refused.read()


def await_answer(url: str, headers: dict[str, str] | None = None, seconds: float = 60) -> None:
    """Until ``url`` is answered at all.  Raises ``TimeoutError``."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            fetch(url, headers)
            return
        except OSError:
            time.sleep(0.005)
    raise TimeoutError(url)


@contextmanager
def _running(command: list[str], log: str) -> Iterator[subprocess.Popen[bytes]]:
    # Compiled files are part of what is measured.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    with open(log, "ab") as stream:
        process = subprocess.Popen(
            command, stdout=stream, stderr=stream, start_new_session=True, env=environment
        )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@contextmanager
def accord(
    folder: str, *, workers: int, first: str = "/simple/", options: tuple[str, ...] = ()
) -> Iterator[tuple[str, float, int]]:
    """``(url, seconds from the start of the process to the first page, process id)``."""
    port = free_port()
    command = [os.path.join(os.path.dirname(sys.executable), "accord"), "serve", "--data", folder]
    command += ["--bind", f"127.0.0.1:{port}", "--workers", str(workers), *options]
    url = f"http://127.0.0.1:{port}"
    begun = time.monotonic()
    with _running(command, os.path.join(os.path.dirname(folder), "accord.log")) as process:
        await_answer(url + first, {"Accept": JSON})
        yield url, time.monotonic() - begun, process.pid


def private_memory(pid: int) -> float:
    """MiB of a process and all below it, shared pages counted once (PSS)."""
    total = 0
    for each in _family(pid):
        with open(f"/proc/{each}/smaps_rollup") as stream:
            total += sum(int(line.split()[1]) for line in stream if line.startswith("Pss:"))
    return total / 1024


def _family(pid: int) -> list[int]:
    found = [pid]
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/children") as stream:
            for child in stream.read().split():
                found += _family(int(child))
    return found


@contextmanager
def nginx(folder: str, *, workers: int, types: dict[str, str] | None = None) -> Iterator[str]:
    """The files below ``folder``, as fast as nginx sends files."""
    port = free_port()
    work = f"{folder}.nginx"
    os.makedirs(work, exist_ok=True)
    lines = "".join(f"{kind} {ending};" for ending, kind in (types or {}).items())
    with open(os.path.join(work, "nginx.conf"), "w") as file:
        file.write(f"""daemon off; worker_processes {workers}; pid {work}/pid; error_log {work}/error.log;
user root;
events {{ worker_connections 512; }}
http {{
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000;
  client_body_temp_path {work}; proxy_temp_path {work}; fastcgi_temp_path {work}; uwsgi_temp_path {work}; scgi_temp_path {work};
  types {{ {lines} }}
  default_type application/octet-stream;
  server {{ listen 127.0.0.1:{port}; root {folder}; etag on; }}
}}
""")
    program = shutil.which("nginx") or "/usr/sbin/nginx"
    command = [
        program,
        "-c",
        os.path.join(work, "nginx.conf"),
        "-p",
        work,
        "-e",
        os.path.join(work, "error.log"),
    ]
    with _running(command, os.path.join(work, "log")):
        await_answer(f"http://127.0.0.1:{port}/")
        yield f"http://127.0.0.1:{port}"


@contextmanager
def front(url: str, data: str, *, workers: int) -> Iterator[str]:
    """nginx as ``docs/how-to/nginx.md`` has it, in front of Accord at ``url``, which writes its pages as files."""
    port, work = free_port(), f"{data}.front"
    os.makedirs(work)
    with open(HOW_TO, encoding="utf-8") as stream:
        page = stream.read()
    index = int(url.rpartition(":")[2])
    settings = fronts.configuration(page, port=port, index=index, data=data, work=work, workers=workers)
    with fronts.fronted(settings, port, work) as found:
        yield found


def environment(cache: str, distribution: str) -> str:
    """The ``bin`` of an environment with ``distribution`` in it, made where there is none.  Raises ``CalledProcessError``."""
    folder = os.path.join(cache, distribution)
    if not os.path.exists(os.path.join(folder, "complete")):
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        pip = [
            os.path.join(folder, "bin", "python"),
            "-m",
            "pip",
            "install",
            "-q",
            "--disable-pip-version-check",
        ]
        subprocess.run([*pip, distribution], check=True, stdout=sys.stderr)
        with open(os.path.join(folder, "complete"), "w"):
            pass
    return os.path.join(folder, "bin")


def version(binaries: str, distribution: str) -> str:
    """``NAME VERSION``, as its environment says it."""
    code = f"import importlib.metadata as m; print(m.version({distribution!r}))"
    python = os.path.join(binaries, "python")
    return (
        f"{distribution} "
        + subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    )


@contextmanager
def pypiserver(binaries: str, folder: str) -> Iterator[str]:
    """The files of ``folder``."""
    port = free_port()
    command = [os.path.join(binaries, "pypi-server"), "run", "-i", "127.0.0.1", "-p", str(port), folder]
    with _running(command, f"{folder}.log"):
        await_answer(f"http://127.0.0.1:{port}/simple/")
        yield f"http://127.0.0.1:{port}"


@contextmanager
def devpi(binaries: str, folder: str, uploads: Callable[[], Iterator[tuple[str, bytes]]]) -> Iterator[str]:
    """An index with ``uploads``, below the yielded URL; uploaded over HTTP, once for each ``folder``."""
    port = free_port()
    complete = os.path.join(folder, "complete")
    if not os.path.exists(complete):
        shutil.rmtree(folder, ignore_errors=True)
        command = [
            os.path.join(binaries, "devpi-init"),
            "--serverdir",
            folder,
            "--no-root-pypi",
            "--root-passwd",
            "bench",
        ]
        subprocess.run(command, check=True, stdout=sys.stderr, stderr=sys.stderr)
    command = [
        os.path.join(binaries, "devpi-server"),
        "--serverdir",
        folder,
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
    ]
    url = f"http://127.0.0.1:{port}"
    with _running(command, f"{folder}.log"):
        await_answer(f"{url}/+api")
        if not os.path.exists(complete):
            _fill_devpi(url, uploads)
            with open(complete, "w"):
                pass
        yield f"{url}/root/bench/+simple"


def _fill_devpi(url: str, uploads: Callable[[], Iterator[tuple[str, bytes]]]) -> None:
    login = json.dumps({"user": "root", "password": "bench"}).encode()
    token = json.loads(_send(f"{url}/+login", "POST", login, {"Content-Type": "application/json"}))["result"][
        "password"
    ]
    secret = base64.b64encode(f"root:{token}".encode()).decode()
    headers = {"X-Devpi-Auth": secret, "Authorization": f"Basic {secret}"}
    _send(
        f"{url}/root/bench",
        "PUT",
        b'{"type": "stage", "bases": []}',
        {**headers, "Content-Type": "application/json"},
    )

    def upload(item: tuple[str, bytes]) -> None:
        filename, content = item
        fields = {
            ":action": "file_upload",
            "name": filename.split("-")[0],
            "version": filename.split("-")[1],
            "filetype": "bdist_wheel",
        }
        lines = [
            f'--b\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'
            for key, value in fields.items()
        ]
        lines.append(f'--b\r\nContent-Disposition: form-data; name="content"; filename="{filename}"\r\n\r\n')
        body = "".join(lines).encode() + content + b"\r\n--b--\r\n"
        _send(
            f"{url}/root/bench/", "POST", body, {**headers, "Content-Type": "multipart/form-data; boundary=b"}
        )

    with ThreadPoolExecutor(1) as pool:  # more, and its database is locked
        for done in pool.map(upload, uploads()):
            assert done is None


def _send(url: str, method: str, body: bytes, headers: dict[str, str]) -> bytes:
    request = urllib.request.Request(url, body, headers, method=method)
    with urllib.request.urlopen(request, timeout=120) as answer:
        found: bytes = answer.read()
    return found
