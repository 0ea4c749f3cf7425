"""The frontend: from a buildable source to its metadata or its wheel, each had the cheapest way that is certain.

    cache ─▶ static metadata (PEP 643, PEP 621) ─▶ policy ─▶ [build-system] ─▶ environment ─▶ hooks ─▶ checked

It may ask the ports for environments and trees and write below ``<cache>/builds-v1``; it resolves nothing and
installs nothing.  Every failure is a BuildError with a code, or the AccordError of a port as the cause of one.
"""

from __future__ import annotations

import os
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Literal, cast

from accord.build.backend import read_build_system, read_pyproject_table
from accord.build.cache import BuildCache, BuiltWheel, describe
from accord.build.environ import settings_digest
from accord.build.hooks import HookNotThere
from accord.build.metadata import (
    SourceMetadata,
    metadata_identity,
    static_project_metadata,
    trusted_static_metadata,
)
from accord.build.wheels import read_wheel
from accord.build.workshop import BuildOptions, Job, Workshop
from accord.io.reporting import SILENT
from accord_core.errors import ArchiveError, BuildError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from accord.build.ports import Buildable, BuildEnvironments, Python
    from accord.io.reporting import Reporter

__all__ = ["BuildOptions", "Builder"]

Kind = Literal["wheel", "editable"]
_USUAL = BuildOptions()

# What this thread is building, outermost first: key and label. Making an environment may build its requirements.
_building: ContextVar[tuple[tuple[str, str], ...]] = ContextVar("building", default=())


class Builder:
    """Builds sources for one interpreter.  Safe to use from several threads; each call has its own scratch folder.

    ``environ`` is the person's environment, of which builds see a part (:mod:`accord.build.environ`).
    """

    def __init__(
        self,
        cache_dir: str,
        environments: BuildEnvironments,
        python: Python,
        *,
        environ: Mapping[str, str],
        options: BuildOptions = _USUAL,
        reporter: Reporter = SILENT,
    ) -> None:
        self._cache = BuildCache(cache_dir)
        self._workshop = Workshop(environments, python, environ=environ, options=options, reporter=reporter)
        self._python = python
        self._environ = environ
        self._options = options
        self._reporter = reporter

    def metadata(self, source: Buildable, *, editable: bool = False) -> SourceMetadata:
        """The metadata of ``source``, built only where no standard lets it be read.

        Raises BuildError; ``build-metadata-mismatch`` when it is not the project or version that was promised.
        """
        digest = None if editable else self._digest(source)
        with self._alone(digest, source) as scratch:
            kept = self._cache.metadata(digest) if digest else None
            if kept is not None:
                return self._checked(source, kept[0], kept[1])
            found = self._static_sdist(source)
            if found is None:
                tree = source.tree(os.path.join(scratch, "tree"))
                found = self._static_tree(source, tree)
                if found is None:
                    found = self._prepare(source, tree, scratch, "editable" if editable else "wheel", digest)
            if digest:
                self._cache.keep_metadata(digest, found.data, found.origin)
            return found

    def wheel(self, source: Buildable, into: str) -> BuiltWheel:
        """A wheel of ``source``: from the cache, or built.  One that is not cached is put into the folder ``into``.

        Raises BuildError.
        """
        return self._build(source, "wheel", into, self._digest(source))

    def editable(self, source: Buildable, into: str) -> BuiltWheel:
        """An editable wheel of ``source`` in the folder ``into`` (PEP 660).

        Raises BuildError; ``build-editable-unsupported`` when the backend has no ``build_editable``.
        """
        return self._build(source, "editable", into, None)

    def _build(self, source: Buildable, kind: Kind, into: str, digest: str | None) -> BuiltWheel:
        with self._alone(digest, source) as scratch:
            kept = self._cache.wheel(digest) if digest else None
            if kept is not None:
                return kept
            self._options.policy.check(source)
            tree = source.tree(os.path.join(scratch, "tree"))
            task = self._reporter.start(f"Building {source.label}", None, "steps")
            try:
                built = self._run_build(source, tree, kind, scratch)
            finally:
                self._reporter.finish(task)
            if digest:
                return self._cache.keep_wheel(digest, built)
            os.makedirs(into, exist_ok=True)
            target = os.path.join(into, os.path.basename(built))
            _move(built, target)
            return describe(target)

    @contextmanager
    def _alone(self, digest: str | None, source: Buildable) -> Iterator[str]:
        """A scratch folder, and no other thread or process at work on the same ``digest``."""
        chain = _building.get()
        if any(key == (digest or source.label) for key, _ in chain):
            raise BuildError(
                "build-cycle",
                f"{source.label} is needed to build itself",
                context=tuple(f"to build {label}" for _, label in chain),
                hint="one of them needs a release with a wheel: constrain it, or allow its wheels",
            )
        with ExitStack() as stack:
            stack.callback(_building.reset, _building.set((*chain, (digest or source.label, source.label))))
            if digest:
                stack.enter_context(self._cache.lock(digest, source.label, self._reporter))
            yield stack.enter_context(self._cache.scratch())

    def _prepare(
        self, source: Buildable, tree: str, scratch: str, kind: Kind, digest: str | None
    ) -> SourceMetadata:
        """Metadata from the backend: the prepare hook, else a whole build whose wheel is kept for later."""
        self._options.policy.check(source)
        task = self._reporter.start(f"Preparing {source.label}", None, "steps")
        try:
            into = os.path.join(scratch, "metadata")
            os.mkdir(into)
            try:
                made = self._workshop.perform(self._job(source, tree, kind, scratch), "prepare", into)[0]
                data = cast("bytes", made)
            except HookNotThere as error:
                self._require(kind, source, tree, error)
                built = self._run_build(source, tree, kind, scratch)
                data = read_wheel(built).metadata
                if digest and kind == "wheel":
                    self._cache.keep_wheel(digest, built)
            return self._checked(source, data, "built")
        finally:
            self._reporter.finish(task)

    def _job(self, source: Buildable, tree: str, kind: Kind, scratch: str) -> Job:
        return Job(
            kind,
            tree,
            scratch,
            self._cache.log(self._cache.digest(source.key or tree, source.label, kind)),
            label=source.label,
            name=source.name,
            own=source.own,
        )

    def _require(self, kind: Kind, source: Buildable, tree: str, missing: HookNotThere) -> None:
        """Raise where the hook that is ``missing`` is the one that builds, and not only one that may be there."""
        if str(missing) not in (f"build_{kind}", f"get_requires_for_build_{kind}"):
            return
        backend = read_build_system(tree, source.label, self._options.limits).backend
        if kind == "editable":
            raise BuildError(
                "build-editable-unsupported",
                f"{source.label}: its build backend {backend!r} cannot build editable wheels (PEP 660)",
                hint="install it without --editable, or ask for a newer backend in its build-system.requires",
            ) from missing
        raise BuildError(
            "build-output-invalid", f"{source.label}: its build backend {backend!r} has no build_{kind}"
        ) from missing

    def _run_build(self, source: Buildable, tree: str, kind: Kind, scratch: str) -> str:
        into = os.path.join(scratch, "dist")
        os.makedirs(into, exist_ok=True)
        try:
            path = cast(
                "str", self._workshop.perform(self._job(source, tree, kind, scratch), "build", into)[0]
            )
        except HookNotThere as error:
            self._require(kind, source, tree, error)
            raise AssertionError(f"{error} is not needed to build") from error
        try:
            data = read_wheel(path).metadata
        except ArchiveError as error:
            raise BuildError(
                "build-output-invalid",
                f"{source.label}: what its backend built is not a sound wheel: {error.message}",
                context=(f"code: {error.code}", f"wheel: {os.path.basename(path)}"),
                hint="this is a fault of the project's build backend; another release may be sound",
            ) from error
        self._checked(source, data, "wheel")
        return path

    def _static_sdist(self, source: Buildable) -> SourceMetadata | None:
        """What an sdist says of itself, where PEP 643 lets it be believed; it need not be unpacked for that."""
        pkg_info = source.pkg_info()
        found = trusted_static_metadata(pkg_info) if pkg_info is not None else None
        return self._checked(source, found.data, found.origin) if found is not None else None

    def _static_tree(self, source: Buildable, tree: str) -> SourceMetadata | None:
        """What ``pyproject.toml`` says, where PEP 621 lets it be believed."""
        document = read_pyproject_table(tree, self._options.limits)
        if document is None:
            return None
        has_setup = any(os.path.lexists(os.path.join(tree, name)) for name in ("setup.py", "setup.cfg"))
        found = static_project_metadata(document, has_setup=has_setup)
        return self._checked(source, found.data, found.origin) if found is not None else None

    def _checked(self, source: Buildable, data: bytes, origin: str) -> SourceMetadata:
        """``data`` as the metadata of ``source``, if it is of the project and version that were promised."""
        identity = metadata_identity(data)
        if identity is None:
            raise BuildError(
                "build-metadata-invalid",
                f"{source.label}: its metadata ({origin}) has no valid name and version",
                hint="the project's author has to mend it; another release may be sound",
            )
        promised = (source.name or identity[0], source.version or identity[1])
        if promised != identity:
            raise BuildError(
                "build-metadata-mismatch",
                f"{source.label} calls itself {identity[0]} {identity[1]}",
                context=(f"promised: {promised[0]} {promised[1]}", f"found in: {origin}"),
                hint="the file is not what its name says; do not use it before you know why",
            )
        return SourceMetadata(
            *identity, data, cast("Literal['PKG-INFO', 'pyproject.toml', 'built', 'wheel']", origin)
        )

    def _digest(self, source: Buildable) -> str | None:
        """Key of what ``source`` builds to, None when its bytes may change."""
        if source.key is None:
            return None
        return self._cache.digest(
            source.key,
            tuple(sorted(self._options.settings_for(source.name).items())),
            self._python.identity,
            self._options.isolated,
            settings_digest(self._environ, self._options.keep),
        )


def _move(path: str, target: str) -> None:
    """Put the file at ``path`` at ``target``, on whatever disk, appearing whole."""
    import shutil

    aside = f"{target}.part"
    shutil.move(path, aside)
    os.chmod(aside, 0o644)
    os.replace(aside, target)
