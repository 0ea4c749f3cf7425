"""What publishing came to: records the command line shows, as words or as JSON."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Finished", "Published", "Release", "Sent"]


@dataclass(frozen=True, slots=True)
class Sent:
    """``state``: ``planned`` (nothing was sent), ``there`` (the index had it), ``staged``, ``published``, ``processing``."""

    filename: str
    size: int
    sha256: str
    state: str


@dataclass(frozen=True, slots=True)
class Release:
    """``protocol`` is ``2.0`` or ``legacy``, ``""`` where nothing was sent; ``session`` and ``stage`` are URLs, ``""``
    where there is none."""

    name: str
    version: str
    protocol: str
    state: str
    files: tuple[Sent, ...]
    session: str = ""
    stage: str = ""
    expires: str = ""
    notices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Published:
    """``index`` is the address that was meant, without credentials, ``origin`` where it is written."""

    index: str
    origin: str
    releases: tuple[Release, ...]


@dataclass(frozen=True, slots=True)
class Finished:
    """A session that was brought to its end: ``published``, ``processing`` or ``canceled``."""

    session: str
    state: str
    files: tuple[str, ...] = ()
