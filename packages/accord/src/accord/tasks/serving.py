"""Start an index on this machine: its first index and administrator, then its processes."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any

from accord_core.errors import UsageError

__all__ = ["Started", "default_data", "serve"]


@dataclass(frozen=True, slots=True)
class Started:
    """``url`` is where it answers, ``token`` the administrator's, at the very first start only."""

    url: str
    data: str
    token: str | None


def default_data() -> str:
    """Where a server of this user keeps its things unless told otherwise."""
    base = os.environ.get("XDG_DATA_HOME") or os.path.join(os.path.expanduser("~"), ".local", "share")
    return os.path.join(base, "accord", "server")


def serve(
    *,
    data: str,
    host: str,
    port: int,
    workers: int,
    database: str = "",
    storage: str = "",
    public_url: str | None = None,
    trusted_proxies: tuple[str, ...] = (),
    limits: tuple[str, ...] = (),
    page_files: bool = False,
    accel: str = "",
    log_format: str = "text",
    access_log: bool = False,
    public_metrics: bool = False,
    secret_file: str = "",
    attestation_roots: str = "",
    scanner: tuple[str, ...] = (),
    scanner_reads: tuple[str, ...] = (),
    started: Callable[[Started], None],
) -> None:
    """Serve until the process is told to end; ``started`` is called once, before the first request.  ``page_files``: finished
    pages are written as files as well, for a web server in front.  ``accel``: the inner location under which that server has
    the folder of blobs, from which it sends files itself.

    ``scanner`` is a program with its arguments or a URL, asked about each file that waits (``server.upkeep.scanning``);
    ``limits`` are ``NAME=NUMBER`` of ``server.limits``, ``trusted_proxies`` addresses or networks.

    Raises ``UsageError``: ``extra-missing``, ``server-address``, ``server-address-in-use``, ``server-data-unwritable``,
    ``scanner-failed``, ``server-secret``, ``server-limit``, ``server-running``, ``server-storage-unknown``,
    ``trusted-root-invalid``.
    """
    try:
        from accord.server import claims, metrics, run
        from accord.server.accounts import sealing
        from accord.server.limits import DEFAULT
        from accord.server.parts import first_start, open_parts
        from accord.server.settings import Settings
        from accord.server.upkeep import scanning
    except ModuleNotFoundError as missing:
        raise UsageError(
            "extra-missing",
            f"serving needs {missing.name}, which is not installed",
            hint="pip install 'accord[server]'",
        ) from missing
    settings = Settings(
        os.path.abspath(data),
        database=database,
        storage=storage,
        public_url=public_url,
        trusted_proxies=trusted_proxies,
        limits=replace(DEFAULT, **_numbers(limits)),
        materialise=page_files,
        accel=accel,
        log_format=log_format,
        access_log=access_log,
        public_metrics=public_metrics,
        secret_file=secret_file and os.path.abspath(secret_file),
        attestation_roots=attestation_roots and os.path.abspath(attestation_roots),
        scanner=scanner,
        scanner_reads=scanner_reads,
    )
    if scanner:
        scanning.demand_usable(scanning.Scanner(scanner))
    for text in trusted_proxies:
        _network(text)
    settings.prepare()
    claims.claim_folder(settings.data)  # held by this process and those it starts, until the last has ended
    port = claims.require_address(host, port)
    metrics.use(settings.cache)
    parts = open_parts(settings)
    with parts.database.read() as connection:
        sealing.demand_openable(connection, parts.now())
    parts.materials.clear()
    token = first_start(parts)
    parts.close()
    started(Started(public_url or f"http://{host}:{port}", settings.data, token))
    run.serve(settings, host=host, port=port, workers=workers)


def _numbers(texts: tuple[str, ...]) -> dict[str, Any]:
    """``NAME=NUMBER`` of :class:`accord.server.limits.Limits`."""
    from accord.server.limits import DEFAULT

    known = {field.name: type(getattr(DEFAULT, field.name)) for field in fields(DEFAULT)}
    found: dict[str, Any] = {}
    for text in texts:
        name, _, number = text.partition("=")
        kind = known.get(name)
        if kind is None:
            raise UsageError(
                "server-limit", f"there is no limit {name!r}", hint=f"there are {', '.join(known)}"
            )
        if not number.isascii() or not number.isdigit():
            raise UsageError("server-limit", f"the limit {name} is a whole number, not {number!r}")
        found[name] = kind(number)
    return found


def _network(text: str) -> None:
    try:
        ipaddress.ip_network(text)
    except ValueError as fault:
        raise UsageError("server-limit", f"--trusted-proxy: {fault}") from fault
