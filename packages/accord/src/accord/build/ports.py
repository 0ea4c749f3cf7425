"""What the frontend needs of others: an interpreter's facts, and isolated environments to run a backend in."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Protocol
else:
    Protocol = object

__all__ = ["BuildEnvironments", "Buildable", "Downloader", "Python"]


class Python(Protocol):
    """The interpreter something is built for; ``accord.environments.interpreters.Interpreter`` is one."""

    @property
    def executable(self) -> str:
        """Absolute path of the interpreter."""

    @property
    def identity(self) -> str:
        """Digest that changes when builds for this interpreter would."""

    @property
    def base_prefix(self) -> str:
        """Where its standard library is installed."""

    @property
    def magic(self) -> str:
        """The number that its compiled files begin with, in hex."""


class BuildEnvironments(Protocol):
    """Makes environments for build backends.

    ``make`` is called once or twice per build, first with the static build requirements, then with those plus what
    the backend asked for; the order is as written.  It returns the absolute path of a Python executable that is of
    the same interpreter, sees exactly the requirements (and what they need) and has their scripts beside it.  The
    environment must not be changed while it is used; it may be shared and kept.  What cannot be had is an
    ``AccordError``.  A requirement that has to be built itself is built in the calling thread, or in one that runs
    in a copy of its context (``contextvars``): so a project that needs itself is found out instead of waited for.
    """

    def make(self, requirements: tuple[str, ...], python: Python) -> str: ...


class Buildable(Protocol):
    """A source that can be built.

    ``label`` is how people know it (``"six 1.17.0 (sdist)"``); ``name`` (normalised) and ``version`` (normal form)
    are what its file name or reference promised, None where nothing was promised.  ``key`` identifies its bytes for
    the cache; None when they may change (a local directory).  ``own`` says it is the user's own folder, which a
    policy against building strangers' code does not mean.  ``pkg_info`` returns the ``PKG-INFO`` that a build backend
    put into an sdist (PEP 643), None for what is no sdist or has none.  ``tree`` returns the project's folder, made inside the empty folder ``into``
    unless it is there already; it is called at most once per build.
    """

    @property
    def label(self) -> str: ...
    @property
    def name(self) -> str | None: ...
    @property
    def version(self) -> str | None: ...
    @property
    def key(self) -> str | None: ...
    @property
    def own(self) -> bool: ...
    def pkg_info(self) -> bytes | None: ...
    def tree(self, into: str) -> str: ...


class Downloader(Protocol):
    """The part of ``accord.io.http.Client`` that archives by URL need."""

    @property
    def offline(self) -> bool: ...

    def download(
        self,
        url: str,
        into: str,
        name: str | None = None,
        *,
        hashes: Mapping[str, str] | None = None,
        size: int | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> str:
        """Fetch ``url`` into the folder ``into`` as ``name``, verified; returns the file's path."""
