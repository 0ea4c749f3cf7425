"""nginx in front of an index, configured by the block of ``docs/how-to/nginx.md`` as it stands there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["NGINX", "configuration", "fronted"]

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
"""The program, ``None`` where it is not installed."""


def configuration(page: str, *, port: int, index: int, data: str, work: str, workers: int = 2) -> str:
    """The block in the text of the how-to ``page``, with this machine's ports and folders and without its certificate."""
    block = re.search(r"```nginx\n(.*?)```", page, re.DOTALL)
    assert block is not None
    text = re.sub(r" *ssl_certificate.*\n", "", block[1])
    for told, here in (
        ("listen 443 ssl;", f"listen 127.0.0.1:{port};"),
        ("127.0.0.1:8694", f"127.0.0.1:{index}"),
        ("/srv/index/", f"{data}/"),
    ):
        assert told in text, told
        text = text.replace(told, here)
    folders = " ".join(
        f"{kind}_temp_path {work};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    return f"""daemon off; pcre_jit on; worker_processes {workers}; pid {work}/pid; error_log {work}/error.log;
{"user root;" if os.geteuid() == 0 else ""}
events {{ worker_connections 512; }}
http {{
access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000; {folders}
{text}
}}
"""


@contextmanager
def fronted(settings: str, port: int, work: str) -> Iterator[str]:
    """nginx with that configuration, in the existing folder ``work``; yields its URL."""
    assert NGINX is not None
    place = os.path.join(work, "nginx.conf")
    with open(place, "w", encoding="utf-8") as file:
        file.write(settings)
    errors = os.path.join(work, "error.log")
    url = f"http://127.0.0.1:{port}"
    with subprocess.Popen([NGINX, "-c", place, "-p", work, "-e", errors]) as process:
        end = time.monotonic() + 20
        try:
            while True:
                try:
                    urllib.request.urlopen(f"{url}/robots.txt", timeout=5).close()  # noqa: S310 - our own
                    break
                except OSError:
                    assert process.poll() is None, "nginx ended at once; its log is in its folder"
                    assert time.monotonic() < end, "nginx does not answer"
                    time.sleep(0.02)
            yield url
        finally:
            process.terminate()
            process.wait(20)
