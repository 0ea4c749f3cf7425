"""Resolving in a test: a made-up index, a clock that stands still, a shelf in a folder, and a target of one's own.

:class:`Shop` sells releases by their metadata alone (no wheel is built), counts what is asked of it, and can be made
slow.  :meth:`Shop.resolve` goes the whole way of a resolve that needs no build: shelf, catalogue, policy, solver.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from accord.io.reporting import SILENT
from accord.repositories.candidates import Target
from accord.repositories.catalogue import Catalogue
from accord.repositories.merged import Sources
from accord.repositories.policy import Policy
from accord.repositories.port import UNCHANGED, Answer, Repository
from accord.repositories.shelf import Shelf
from accord.testing.indexes import MadeUp, MemoryRepository
from accord_core.errors import ResolutionError
from accord_core.index.model import File
from accord_core.project.requirement import parse_requirement
from accord_core.resolve.explain import error
from accord_core.resolve.port import Dependency, Root
from accord_core.resolve.solver import Solution, Unsolvable

__all__ = ["Shop", "SlowRepository", "counted", "dependency", "target"]

_LIFE = 600.0  # seconds a page holds, as on the public index


def target(python: str = "3.12.1", *, machine: str = "x86_64", libc: str = "manylinux_2_17") -> Target:
    """CPython on Linux, described without asking any interpreter."""
    from packaging import tags

    major, minor, _ = (int(part) for part in python.split("."))
    short = f"cp{major}{minor}"
    where = [f"{libc}_{machine}", f"linux_{machine}"]
    accepted = [
        *tags.cpython_tags((major, minor), [short], where),
        *tags.compatible_tags((major, minor), short, where),
    ]
    markers = {
        "implementation_name": "cpython",
        "implementation_version": python,
        "os_name": "posix",
        "platform_machine": machine,
        "platform_python_implementation": "CPython",
        "platform_release": "6.1.0",
        "platform_system": "Linux",
        "platform_version": "#1 SMP",
        "python_full_version": python,
        "python_version": f"{major}.{minor}",
        "sys_platform": "linux",
    }
    return Target(
        markers, tuple(dict.fromkeys(str(tag) for tag in accepted)), f"{short}-{python}-{libc}-{machine}"
    )


def dependency(text: str) -> Dependency:
    """What is asked for by a requirement, as the solver takes it; its marker is not looked at."""
    requirement = parse_requirement(text)
    specifier = requirement.specifier if requirement.url is None else f"@ {requirement.url}"
    return requirement.name, requirement.extras, specifier


class SlowRepository(MemoryRepository):
    """A memory index that behaves like one far away: pages hold for ten minutes from ``clock``, and ``pause`` is
    called (in a worker) before each answer."""

    local = False

    def __init__(
        self, index: MadeUp, key: str, clock: Callable[[], float], pause: Callable[[], None] = lambda: None
    ) -> None:
        super().__init__(index, key)
        self._clock = clock
        self._pause = pause

    def page(self, project: str, etag: str | None, last_modified: str | None) -> Answer:
        self._pause()
        answer = super().page(project, etag, last_modified)
        if answer.state == UNCHANGED:
            self.asked.append(("unchanged", project))
        return Answer(answer.state, answer.page, etag=answer.etag, expires=self._clock() + _LIFE)

    def metadata(self, file: File) -> bytes | None:
        self._pause()
        return super().metadata(file)


@dataclass
class Shop:
    """``folder`` holds the shelf; ``now`` is the time in unix seconds and passes only when told to."""

    folder: str
    index: MadeUp = field(default_factory=MadeUp)
    now: float = 1_000_000.0
    notes: list[str] = field(default_factory=list)
    _catalogue: Catalogue | None = None
    _shelf: Shelf | None = None

    def release(
        self,
        name: str,
        version: str,
        *requires: str,
        tag: str = "py3-none-any",
        filename: str | None = None,
        page_python: str | None = None,
        needs_python: str | None = None,
        extras: Iterable[str] = (),
        yanked: str | None = None,
        uploaded: str | None = None,
        announced: bool = True,
        content: bytes | None = None,
        metadata: bytes | None = None,
    ) -> File:
        """Publish a wheel (a file of the name given) by its metadata.  ``page_python`` is what the page says of
        ``Requires-Python``, ``needs_python`` what METADATA say; ``yanked`` the reason."""
        if metadata is None:
            lines = ["Metadata-Version: 2.4", f"Name: {name}", f"Version: {version}"]
            if needs_python is not None:
                lines.append(f"Requires-Python: {needs_python}")
            lines += [f"Provides-Extra: {extra}" for extra in extras]
            lines += [f"Requires-Dist: {requirement}" for requirement in requires]
            metadata = ("\n".join(lines) + "\n").encode()
        filename = filename or f"{name.replace('-', '_')}-{version}-{tag}.whl"
        file = self.index.add(
            name,
            filename,
            filename.encode() if content is None else content,
            metadata=metadata if announced else None,
        )
        file.requires_python = page_python
        file.yanked = yanked is not None
        file.yank_reason = yanked or None
        file.upload_time = uploaded
        return file

    def sdist(self, name: str, version: str, *, suffix: str = ".tar.gz", **described: Any) -> File:
        """Publish an sdist, which says nothing without being built."""
        filename = described.pop("filename", None) or f"{name.replace('-', '_')}-{version}{suffix}"
        return self.release(name, version, filename=filename, announced=False, **described)

    def repository(
        self, key: str = "https://index.example/simple", *, pause: Callable[[], None] = lambda: None
    ) -> SlowRepository:
        return SlowRepository(self.index, key, lambda: self.now, pause)

    @property
    def catalogue(self) -> Catalogue:
        """Of the last resolve: its workers are gone, and it still answers."""
        assert self._catalogue is not None, "nothing was resolved yet"
        return self._catalogue

    def close(self) -> None:
        if self._shelf is not None:
            self._shelf.close()
            self._shelf = None

    @property
    def shelf_path(self) -> str:
        return os.path.join(self.folder, "cache", "catalogue.db")

    def resolve(
        self,
        *wanted: str,
        repository: Repository | None = None,
        sources: Sources | None = None,
        on: Target | None = None,
        policy: Policy | None = None,
        constraints: Iterable[str] = (),
        **options: Any,
    ) -> dict[str, str]:
        """Version by project.  Raises ResolutionError, and whatever the catalogue raises.

        ``options`` are the catalogue's.
        """
        pins = self.solution(
            *wanted,
            repository=repository,
            sources=sources,
            on=on,
            policy=policy,
            constraints=constraints,
            **options,
        ).pins
        return {name: pin.version for name, pin in pins.items()}

    def solution(
        self,
        *wanted: str,
        repository: Repository | None = None,
        sources: Sources | None = None,
        on: Target | None = None,
        policy: Policy | None = None,
        constraints: Iterable[str] = (),
        **options: Any,
    ) -> Solution:
        self.close()
        self._shelf = Shelf(self.shelf_path, self.notes.append)
        policy = policy or Policy()
        catalogue = self._catalogue = Catalogue(
            self._shelf,
            sources or Sources([repository or self.repository()]),
            on or target(),
            policy,
            now=self.now,
            reporter=SILENT,
            **options,
        )
        roots = [Root(dependency(text), "requirements.in") for text in wanted]
        roots += [Root(dependency(text), "constraints.txt", "constraint") for text in constraints]
        try:
            for text in wanted:
                catalogue.expect(*dependency(text))
            return catalogue.solve(tuple(roots), policy.strategy)
        except Unsolvable as failure:
            raise error(failure, catalogue.reason) from None
        finally:
            catalogue.close()

    def refused(self, *wanted: str, **options: Any) -> ResolutionError:
        """The error of a resolve that must fail because nothing fits."""
        try:
            found = self.resolve(*wanted, **options)
        except ResolutionError as failure:
            return failure
        raise AssertionError(f"resolved to {found}")


def counted(asked: Iterable[tuple[str, str]]) -> Mapping[str, int]:
    """How often each kind of question was asked."""
    found: dict[str, int] = {}
    for kind, _ in asked:
        found[kind] = found.get(kind, 0) + 1
    return found
