"""How one server is set up: a value, written to JSON for the processes that serve."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field

from accord.server.limits import DEFAULT, Limits
from accord_core.errors import UsageError

__all__ = ["DEFAULT_INDEX", "Settings"]

DEFAULT_INDEX = "main"
"""The index that answers at the root of the server as well as under its name."""


@dataclass(frozen=True, slots=True)
class Settings:
    """``data`` is the folder of everything local.  ``database`` is a URL (``sqlite:///PATH``, ``postgresql://…``),
    ``storage`` one too (``file:///PATH``, ``s3://…``); both lie in ``data`` unless said.  ``public_url`` is how clients reach
    the server where a proxy stands in front, without a slash at its end; ``None``: as each request says.  ``packed`` says
    whether pages are kept gzipped and in zstd as well, ``materialise`` whether pages are written as files for a web
    server in front; ``accel`` is where that server has the storage's folder among its own, inner locations
    (``X-Accel-Redirect``), empty: the index sends files itself.  ``trusted_proxies`` are addresses or networks whose ``X-Forwarded-For`` is believed; nobody's else.  ``log_format`` is one of ``logs.FORMATS``; ``access_log`` writes a line
    for every request; ``public_metrics`` shows ``/metrics`` to anybody.  ``secret_file`` has the secrets that
    seal keys of tokens (``accounts.sealing``).  ``scanner`` is a program with its arguments, or an address,
    which is asked about each new file that waits (``upkeep.scanning``); ``scanner_reads`` are folders the program may read.
    ``attestation_roots`` is the file of the trusted root that attestations are held against (``archives.trusted_root``).
    """

    data: str
    database: str = ""
    storage: str = ""
    public_url: str | None = None
    packed: bool = True
    trusted_proxies: tuple[str, ...] = ()
    materialise: bool = False
    accel: str = ""
    log_format: str = "text"
    access_log: bool = False
    public_metrics: bool = False
    secret_file: str = ""
    attestation_roots: str = ""
    scanner: tuple[str, ...] = ()
    scanner_reads: tuple[str, ...] = ()
    limits: Limits = field(default=DEFAULT)

    @property
    def database_url(self) -> str:
        return self.database or f"sqlite:///{os.path.join(self.data, 'index.sqlite3')}"

    @property
    def storage_url(self) -> str:
        return self.storage or f"file://{os.path.join(self.data, 'blobs')}"

    @property
    def incoming(self) -> str:
        """Where uploads are received; on the same file system as a storage folder, so that moving is a rename."""
        return os.path.join(self.data, "incoming")

    @property
    def uses(self) -> str:
        """Uses of credentials that are not in the audit yet: not derived, not to be deleted."""
        return os.path.join(self.data, "audit")

    @property
    def cache(self) -> str:
        """Derived files, which may be deleted while the server stands still."""
        return os.path.join(self.data, "cache")

    def dump(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def load(cls, text: str) -> Settings:
        """The contrary of :meth:`dump`."""
        values = json.loads(text)
        values["limits"] = Limits(**values["limits"])
        for name in ("trusted_proxies", "scanner", "scanner_reads"):
            values[name] = tuple(values[name])
        return cls(**values)

    def prepare(self) -> None:
        """Make the folders.  Raises ``UsageError("server-data-unwritable")``."""
        try:
            for path in (self.data, self.incoming, self.cache):
                os.makedirs(path, mode=0o700, exist_ok=True)
        except OSError as fault:
            raise UsageError(
                "server-data-unwritable",
                f"the server's folder cannot be made: {fault.strerror}: {self.data}",
                hint="name another with --data",
            ) from fault
