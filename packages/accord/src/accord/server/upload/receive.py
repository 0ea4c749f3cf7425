"""Bytes from the wire to a file, within limits, hashed on the way."""

from __future__ import annotations

import asyncio
import hashlib
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO, Self

from python_multipart import MultipartParser
from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import parse_options_header
from starlette.requests import ClientDisconnect

from accord.server.errors import Refused, disk_full
from accord.server.incoming import forget_file
from accord.server.limits import DEFAULT

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from accord.server.limits import Limits

__all__ = ["Form", "demand_length", "receive_bytes", "receive_form"]


_HELD = 256 << 10  # bytes of a file


@dataclass(slots=True)
class Form:
    """``fields`` in order, each with all its values.  ``filename`` is what the sender calls the file in ``content``, which
    lies at the path :func:`receive_form` was given after :meth:`settle`; ``None`` where none was sent."""

    fields: dict[str, list[str]] = field(default_factory=dict)
    filename: str | None = None
    size: int = 0
    held: bytes | None = None  # a small file, not yet written

    def settle(self, path: str) -> None:
        """Write what is not: for a thread, as to make a file may wait for the disk.  Raises as :func:`receive_form`."""
        if self.held is not None:
            with disk_full(), open(path, "xb") as file:
                file.write(self.held)
            self.held = None

    def first(self, name: str) -> str | None:
        values = self.fields.get(name)
        return values[0] if values else None


def demand_length(text: str | None, limits: Limits) -> None:
    """Before a byte of a form is read.  Raises ``Refused("upload-too-large")`` (413) where its length says enough."""
    most = limits.file_bytes + limits.form_bytes
    if text is not None and text.isdigit() and (len(text) > 18 or int(text) > most):
        raise Refused(
            413, "upload-too-large", f"{text[:20]} bytes are coming, a whole upload may have {most}"
        )


@asynccontextmanager
async def _patience(limits: Limits) -> AsyncIterator[Callable[[], None]]:
    """Gives what is to be called for each piece that comes.

    Raises ``Refused``: ``upload-too-slow`` (408) where none comes for too long, or all of them take too long;
    ``upload-form`` where the client went away.
    """
    loop = asyncio.get_running_loop()
    last = loop.time() + limits.receive_seconds
    try:
        async with asyncio.timeout_at(loop.time() + limits.receive_idle_seconds) as timer:
            yield lambda: timer.reschedule(min(last, loop.time() + limits.receive_idle_seconds))
    except TimeoutError as fault:
        raise Refused(
            408,
            "upload-too-slow",
            f"nothing came for {limits.receive_idle_seconds:g} seconds, or all of it took more than"
            f" {limits.receive_seconds:g}",
            headers={"Connection": "close"},
        ) from fault
    except ClientDisconnect as fault:
        raise Refused(400, "upload-form", "the upload ends in the middle: the client went away") from fault


async def receive_form(
    content_type: str | None, stream: AsyncIterator[bytes], path: str, limits: Limits
) -> Form:
    """Read ``multipart/form-data`` with its one file, the field ``content``, written to ``path``; a small one is held in
    memory until it is settled there.

    Raises ``Refused``: ``upload-form`` (400), ``upload-too-slow`` (408), ``upload-too-large`` (413),
    ``server-disk-full`` (507).  On any failure nothing is left at ``path``.
    """
    kind, options = parse_options_header(content_type or "")
    boundary = options.get(b"boundary")
    if kind != b"multipart/form-data" or not boundary:
        raise Refused(400, "upload-form", "an upload is a form: multipart/form-data with a boundary")
    try:
        with disk_full(), _Spool(path) as spool:
            reader = _Reader(spool.write, limits)
            parser = MultipartParser(boundary, reader.callbacks())  # type: ignore[arg-type]
            async with _patience(limits) as came:
                async for piece in stream:
                    came()
                    parser.write(piece)
            parser.finalize()
        if not reader.ended:
            raise Refused(400, "upload-form", "the upload ends in the middle")
        reader.form.held = spool.held()
        return reader.form
    except MultipartParseError as fault:
        forget_file(path)
        raise Refused(400, "upload-form", f"the form cannot be read: {fault}") from fault
    except BaseException:
        forget_file(path)
        raise


class _Spool:
    """A file at ``path``, made only when more comes than is held in memory."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._held = bytearray()
        self._file: BinaryIO | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def write(self, data: bytes) -> None:
        if self._file is None:
            self._held += data
            if len(self._held) <= _HELD:
                return
            self._file = open(self._path, "xb")  # noqa: SIM115 - closed when the spool is left
            data = bytes(self._held)
        self._file.write(data)

    def held(self) -> bytes | None:
        """All of it, if it is in memory only."""
        return None if self._file is not None else bytes(self._held)


async def receive_bytes(
    stream: AsyncIterator[bytes],
    path: str,
    size: int,
    hashes: Mapping[str, str],
    limits: Limits = DEFAULT,
) -> None:
    """Read a file of ``size`` bytes to ``path`` and hold it against every one of its ``hashes`` (names of ``hashlib``).

    Raises ``Refused`` (400): ``upload-size-disagrees``, ``upload-hash-disagrees``.  On any failure nothing is left at
    ``path``.
    """
    running = {name: hashlib.new(name, usedforsecurity=False) for name in hashes}
    got = 0
    try:
        with disk_full(), open(path, "xb") as file:
            async with _patience(limits) as came:
                async for piece in stream:
                    came()
                    got += len(piece)
                    if got > size:
                        raise Refused(
                            400, "upload-size-disagrees", f"more came than the {size} bytes announced"
                        )
                    for one in running.values():
                        one.update(piece)
                    file.write(piece)
        if got != size:
            raise Refused(
                400, "upload-size-disagrees", f"{got} bytes came, {size} were announced", hint="send it again"
            )
        for name, one in running.items():
            if one.hexdigest() != hashes[name]:
                raise Refused(
                    400,
                    "upload-hash-disagrees",
                    f"the file has {name} {one.hexdigest()}, announced was {hashes[name]}",
                )
    except BaseException:
        forget_file(path)
        raise


class _Reader:
    """What the parser of the form calls."""

    def __init__(self, write: object, limits: Limits) -> None:
        self.form = Form()
        self.ended = False
        self._write = write
        self._limits = limits
        self._header = bytearray()
        self._value = bytearray()
        self._headers: dict[bytes, bytes] = {}
        self._name = ""
        self._is_file = False
        self._data = bytearray()
        self._total = 0
        self._count = 0

    def callbacks(self) -> dict[str, object]:
        return {
            "on_part_begin": self._part_begin,
            "on_header_field": self._header_field,
            "on_header_value": self._header_value,
            "on_header_end": self._header_end,
            "on_headers_finished": self._headers_finished,
            "on_part_data": self._part_data,
            "on_part_end": self._part_end,
            "on_end": self._end,
        }

    def _part_begin(self) -> None:
        self._headers = {}
        self._data = bytearray()
        self._count += 1
        if self._count > self._limits.form_fields:
            raise Refused(400, "upload-form", f"the form has more than {self._limits.form_fields} fields")

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        self._headers[bytes(self._header).lower()] = bytes(self._value)
        self._header.clear()
        self._value.clear()

    def _headers_finished(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        self._name = options.get(b"name", b"").decode("utf-8", "replace")
        self._is_file = self._name == "content"
        if self._is_file:
            if self.form.filename is not None:
                raise Refused(400, "upload-form", "the form has more than one file")
            self.form.filename = options.get(b"filename", b"").decode("utf-8", "replace")

    def _part_data(self, data: bytes, start: int, end: int) -> None:
        length = end - start
        if self._is_file:
            self.form.size += length
            if self.form.size > self._limits.file_bytes:
                raise Refused(
                    413, "upload-too-large", f"the file is larger than {self._limits.file_bytes} bytes"
                )
            self._write(data[start:end])  # type: ignore[operator]
            return
        self._total += length
        if len(self._data) + length > self._limits.form_field_bytes or self._total > self._limits.form_bytes:
            raise Refused(413, "upload-too-large", f"the field {self._name!r} of the form is too large")
        self._data += data[start:end]

    def _part_end(self) -> None:
        if not self._is_file:
            self.form.fields.setdefault(self._name, []).append(self._data.decode("utf-8", "replace"))

    def _end(self) -> None:
        self.ended = True
