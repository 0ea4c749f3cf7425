"""A file on a web server, read by byte ranges: how METADATA is taken out of a wheel without downloading the wheel.

Some mirrors lack the ``.metadata`` files the public index has; the recording fills the gap with this.  Knows ranges
(RFC 9110, 14.2) and ``zipfile``; what is asked over the network is a function it is given.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable

__all__ = ["RemoteFile", "wheel_metadata"]

# Holds the central directory of nearly every wheel together with its .dist-info, which packers write last.
TAIL = 64 * 1024

#: ``ask("bytes=-65536")`` gives the body and the value of ``Content-Range`` (None: the whole file came), or None: 404.
Ask = Callable[[str], "tuple[bytes, str | None] | None"]


class RemoteFile(io.RawIOBase):
    """Seekable, read-only.  Reads within the tail cost nothing more; any other read is one request.

    Raises ``FileNotFoundError`` where the server has no such file.
    """

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        answer = ask(f"bytes=-{TAIL}")
        if answer is None:
            raise FileNotFoundError
        self._held, span = answer
        found = re.match(r"bytes (\d+)-\d+/(\d+)$", span) if span else None
        self._start = int(found[1]) if found else 0
        self._size = int(found[2]) if found else len(self._held)
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + (0, self._at, self._size)[whence]
        return self._at

    def read(self, size: int = -1) -> bytes:
        end = self._size if size < 0 else min(self._at + size, self._size)
        if end <= self._at:
            return b""
        if self._at >= self._start:
            content = self._held[self._at - self._start : end - self._start]
        else:
            answer = self._ask(f"bytes={self._at}-{end - 1}")
            if answer is None or answer[1] is None:
                raise OSError("the server stopped answering ranges")
            content = answer[0]
        self._at += len(content)
        return content


def wheel_metadata(ask: Ask) -> bytes | None:
    """METADATA of the wheel ``ask`` reads from; None where there is no such wheel.

    Raises ``zipfile.BadZipFile`` or ``KeyError`` where it is no wheel.
    """
    try:
        remote = RemoteFile(ask)
    except FileNotFoundError:
        return None
    with zipfile.ZipFile(remote) as archive:
        for name in archive.namelist():
            if re.fullmatch(r"[^/]+\.dist-info/METADATA", name):
                return archive.read(name)
    raise KeyError("no .dist-info/METADATA")
