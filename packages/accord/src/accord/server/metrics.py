"""What operators count: requests, their time, pages that needed no thread, in the form Prometheus reads.

Each serving process counts for itself in a mapped file; whichever is asked adds up all of them (the client library's
"multiprocess mode", which must know its folder before it is imported: :func:`use` comes first).  Where nobody called that
a process counts for itself alone.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from prometheus_client import Counter, Histogram

__all__ = ["Gauge", "Metrics", "use"]

_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
_ROOM = 256 << 10  # bytes of each of a process's files of counters
_SECONDS = (0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10.0)


@dataclass(frozen=True, slots=True)
class Gauge:
    """A value of this moment, of ``labels`` where there are several of its name."""

    name: str
    words: str
    value: float
    labels: Mapping[str, str] = field(default_factory=dict)

    def line(self) -> str:
        told = ",".join(f'{name}="{_escaped(value)}"' for name, value in self.labels.items())
        return f"{self.name}{{{told}}} {self.value:.16g}\n" if told else f"{self.name} {self.value:.16g}\n"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def use(cache: str) -> None:
    """Count in ``cache``, anew, together with the processes that will be started: once, before the first of them."""
    folder = os.path.join(cache, "metrics")
    os.makedirs(folder, exist_ok=True)
    for name in os.listdir(folder):
        if name.endswith(".db"):
            os.unlink(os.path.join(folder, name))
    os.environ[_FOLDER] = folder


def _make_room() -> None:
    """Have room for this process's counters on the disk before they are mapped: a page of a mapped file that a full disk has
    no room for ends the process (SIGBUS).  The client library takes files that are there, and zeros for an empty one."""
    folder = os.environ.get(_FOLDER)
    if folder is None or not hasattr(os, "posix_fallocate"):
        return
    for kind in ("counter", "histogram"):
        handle = os.open(os.path.join(folder, f"{kind}_{os.getpid()}.db"), os.O_RDWR | os.O_CREAT, 0o644)
        try:
            os.posix_fallocate(handle, 0, _ROOM)
        except OSError:
            pass  # full already, or a file system that cannot: then as without
        finally:
            os.close(handle)


class Metrics:
    """The counters of one serving process."""

    def __init__(self) -> None:
        from prometheus_client import CollectorRegistry, Counter, Histogram

        _make_room()
        self._own = own = CollectorRegistry()
        self.requests: Counter = Counter(
            "accord_requests",
            "requests that went through the application",
            ("method", "route", "status"),
            registry=own,
        )
        self.seconds: Histogram = Histogram(
            "accord_request_seconds", "until the answer was sent", ("route",), buckets=_SECONDS, registry=own
        )
        self.from_shelf: Counter = Counter(
            "accord_pages_from_shelf", "pages answered from memory, without a thread", registry=own
        )
        self.faults: Counter = Counter(
            "accord_faults", "requests that ended in a fault of the server", registry=own
        )

    def text(self, state: Iterable[Gauge]) -> bytes:
        """Everything counted by all processes, and ``state``: values of this moment."""
        from prometheus_client import CollectorRegistry, generate_latest
        from prometheus_client.multiprocess import MultiProcessCollector

        registry = self._own
        if _FOLDER in os.environ:
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        named: dict[str, list[Gauge]] = {}
        for gauge in state:
            named.setdefault(gauge.name, []).append(gauge)
        lines = [
            f"# HELP {name} {gauges[0].words}\n# TYPE {name} gauge\n" + "".join(one.line() for one in gauges)
            for name, gauges in named.items()
        ]
        return generate_latest(registry) + "".join(lines).encode()
