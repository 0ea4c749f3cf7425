"""What a person may set about the network, and the numbers an answer may not exceed (hot).

Values only; ``accord.repositories.settings`` fills them from flags, variables and files.
"""

from __future__ import annotations

__all__ = ["DEFAULT_LIMITS", "HttpLimits", "HttpOptions"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn


class _Frozen:
    __slots__: tuple[str, ...] = ()

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} is a value and cannot be changed")

    def __repr__(self) -> str:
        inside = ", ".join(f"{name}={getattr(self, name)!r}" for name in type(self).__slots__)
        return f"{type(self).__name__}({inside})"

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and all(
            getattr(self, name) == getattr(other, name) for name in type(self).__slots__
        )

    def __hash__(self) -> int:
        return hash(repr(self))

    def _fill(self, values: dict[str, object]) -> None:
        for name in type(self).__slots__:
            object.__setattr__(self, name, values[name])


class HttpLimits(_Frozen):
    """Bytes unless said otherwise.

    ``head``: status line and headers together; ``body``: an answer kept in memory, decoded; ``download``: a file;
    ``whole``: a file of unknown size that is fetched only to look into it (a wheel, from a server without ranges);
    ``redirects``: hops; ``retry_after``: seconds a server may ask us to wait; ``slowest``: bytes per second below
    which, after one timeout has passed, an answer is given up; ``ratio``: how much larger than itself a compressed
    body may become once it is over a megabyte.
    """

    __slots__ = ("body", "download", "head", "ratio", "redirects", "retry_after", "slowest", "whole")

    body: int
    download: int
    head: int
    ratio: int
    redirects: int
    retry_after: float
    slowest: int
    whole: int

    def __init__(
        self,
        *,
        body: int = 128 * 1024 * 1024,
        download: int = 32 * 1024**3,
        head: int = 64 * 1024,
        ratio: int = 200,
        redirects: int = 10,
        retry_after: float = 60.0,
        slowest: int = 128,
        whole: int = 1024**3,
    ) -> None:
        self._fill(locals())

    def opened(self, packed: int, most: int) -> int:
        """How many bytes a compressed body of ``packed`` bytes may become, where no body may have over ``most``."""
        return min(most, max(_RATIO_FLOOR, packed * self.ratio))


_RATIO_FLOOR = 1024 * 1024
DEFAULT_LIMITS = HttpLimits()


class HttpOptions(_Frozen):
    """How the network is used.

    ``timeout`` in seconds, for connecting and for each wait for data; ``retries`` after the first attempt;
    ``connections`` per host; ``backoff`` seconds before the first retry (doubled each time, with jitter).
    ``ca_file`` and ``ca_folder`` replace the system's trust; ``client_certificate`` is a PEM file with certificate
    and key, or ``client_key`` names the key.  ``trusted_hosts`` are ``host`` or ``host:port`` whose certificates
    are not checked.  ``proxy`` replaces what the ``*_PROXY`` variables say.
    """

    __slots__ = (
        "backoff",
        "ca_file",
        "ca_folder",
        "client_certificate",
        "client_key",
        "connections",
        "offline",
        "proxy",
        "retries",
        "timeout",
        "trusted_hosts",
    )

    timeout: float
    retries: int
    connections: int
    backoff: float
    offline: bool
    proxy: str | None
    ca_file: str | None
    ca_folder: str | None
    client_certificate: str | None
    client_key: str | None
    trusted_hosts: tuple[str, ...]

    def __init__(
        self,
        *,
        timeout: float = 30.0,
        retries: int = 3,
        connections: int = 50,
        backoff: float = 0.25,
        offline: bool = False,
        proxy: str | None = None,
        ca_file: str | None = None,
        ca_folder: str | None = None,
        client_certificate: str | None = None,
        client_key: str | None = None,
        trusted_hosts: tuple[str, ...] = (),
    ) -> None:
        self._fill(locals())
