"""What a lock chose, brought into the store: found there, or fetched, built where it must be, and unpacked.

Combines the client, the builder and the store.  Downloads run in threads, unpacking in the store's crew of processes,
builds one at a time; a wheel is on its way through all three while others are in each.  Nothing appears in an
environment from here, and whatever fails leaves the store with more whole entries than before, never a broken one.
"""

from __future__ import annotations

import os

from accord.io.files import remove_tree
from accord_core.errors import AccordError, ArchiveError, RepositoryError, StoreError
from accord_core.index.model import File
from accord_core.lock.model import Archive, Directory, Vcs
from accord_core.lock.model import File as LockFile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from concurrent.futures import Future

    from accord.build.sources import SdistSource
    from accord.repositories.port import Repository
    from accord.store.crew import Crew
    from accord.store.entry import Entry
    from accord.tasks.session import Session
    from accord_core.lock.select import Chosen

__all__ = ["Fetched", "fetch_sdist", "find_stored", "materialise"]

_DOWNLOADS = 8  # at once; more only makes the first ones arrive later
SDISTS = "sdists-v1"


class Fetched:
    """A chosen package with the entry that will be installed for it; ``direct_url`` as PEP 610, or None."""

    __slots__ = ("chosen", "direct_url", "editable", "entry")

    def __init__(
        self,
        chosen: Chosen,
        entry: Entry,
        direct_url: dict[str, object] | None = None,
        *,
        editable: bool = False,
    ) -> None:
        self.chosen = chosen
        self.entry = entry
        self.direct_url = direct_url
        self.editable = editable


def find_stored(session: Session, chosen: Sequence[Chosen]) -> tuple[list[Fetched], list[Chosen]]:
    """What is in the store already, and what is not (or cannot be known before it is built)."""
    found, missing = [], []
    find = session.store.find
    for one in chosen:
        digest = (
            one.source.hashes.get("sha256")
            if one.kind == "wheel" and isinstance(one.source, LockFile)
            else None
        )
        entry = find(digest) if digest else None
        if entry is None:
            missing.append(one)
        else:
            _require_same(one, entry)
            found.append(Fetched(one, entry))
    return found, missing


def _require_same(one: Chosen, entry: Entry) -> None:
    """Hold what the lock says of a wheel against the entry its digest found, with the codes fetching it has: what a lock
    may install does not depend on what is in the store."""
    from accord.store.store import require_name

    source = one.source
    assert isinstance(source, LockFile)
    if source.size is not None and source.size != entry.packed:
        raise RepositoryError(
            "size-mismatch",
            f"{source.filename} has {entry.packed:,} of the {source.size:,} bytes the lock says",
            context=(f"in the store as {entry.filename}",),
            hint="the lock contradicts itself: write it anew with accord lock",
        )
    try:
        require_name(entry, source.filename)
        if entry.name != one.name:
            raise ArchiveError("wheel-dist-info-disagrees", f"{source.filename} holds {entry.dist_info}")
    except ArchiveError as error:
        raise _whose(error, one) from None


def materialise(session: Session, chosen: Sequence[Chosen], base: str) -> list[Fetched]:
    """An entry for each of ``chosen``, in their order.  ``base`` is the folder of the lock, for its relative paths.

    Raises the first failure: RepositoryError, StoreError, ArchiveError, BuildError; what was under way is let go.
    """
    found, missing = find_stored(session, chosen)
    if missing:
        found += _fetch_all(session, missing, base)
        place = {id(one): at for at, one in enumerate(chosen)}
        found.sort(key=lambda fetched: place[id(fetched.chosen)])
    return found


def _fetch_all(session: Session, missing: list[Chosen], base: str) -> list[Fetched]:
    from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait

    from accord.io.scratch import scratch_folder
    from accord.store.crew import Crew

    wheels = [one for one in missing if one.kind == "wheel"]
    others = [one for one in missing if one.kind != "wheel"]
    wheels.sort(
        key=lambda one: -(getattr(one.source, "size", None) or 0)
    )  # the long ones first, or last we wait
    total = sum(getattr(one.source, "size", None) or 0 for one in wheels)
    session.store.prepare()
    task = session.reporter.start(f"fetching {len(missing)} packages", total or None, "B")
    try:
        with (
            scratch_folder("download-", os.path.join(session.store.root, "aside")) as folder,
            Crew(session.cache_dir) as crew,
        ):
            crew.start()
            pool = ThreadPoolExecutor(min(_DOWNLOADS, max(1, len(wheels))), "download")
            try:
                downloads = {
                    pool.submit(_download, session, one, folder, base, crew, task): one for one in wheels
                }
                built = [_build(session, one, folder, base, crew) for one in others]
                wait(downloads, return_when=FIRST_EXCEPTION)
                unpacking = [(one, future.result()) for future, one in downloads.items() if future.done()]
            except KeyboardInterrupt:
                pool.shutdown(
                    wait=False, cancel_futures=True
                )  # what waits for the network ends with the process
                raise
            except BaseException:
                pool.shutdown(wait=True, cancel_futures=True)
                raise
            pool.shutdown()
            found = [Fetched(one, _unpacked(one, future)) for one, future in unpacking]
            for one, future, direct_url, editable in built:
                found.append(Fetched(one, _unpacked(one, future), direct_url, editable=editable))
        return found
    except OSError as error:
        from accord.io.files import refused

        raise refused(error, "fetching packages", StoreError) from error
    finally:
        session.reporter.finish(task)


def _unpacked(one: Chosen, future: Future[Entry]) -> Entry:
    """The entry that became of ``one``; a refusal says whose file it is, and what to do."""
    try:
        return future.result()
    except ArchiveError as error:
        raise _whose(error, one) from error.__cause__


def _whose(error: ArchiveError, one: Chosen) -> ArchiveError:
    name = getattr(one.source, "filename", None) or one.name
    error.context = (f"in {name}, of {one.name} {one.package.version or ''}".rstrip(), *error.context)
    error.hint = error.hint or "nothing of it was installed; choose another version, and tell its publisher"
    return error


def _file(source: LockFile, base: str) -> File:
    """A lock's file as an index would announce it."""
    from accord.io.urls import file_url

    url = source.url
    if source.path is not None:
        # Where both are given the file is taken from here (pylock.toml, "Installing"), if it is here.
        place = os.path.normpath(os.path.join(base, source.path))
        if url is None or os.path.exists(place):
            url = file_url(place)
    assert url is not None, "a lock's file has a path or a URL"
    return File(source.filename, url, dict(source.hashes), size=source.size)


def _download(session: Session, one: Chosen, folder: str, base: str, crew: Crew, task: int) -> Future[Entry]:
    assert isinstance(one.source, LockFile)
    file = _file(one.source, base)
    import tempfile

    into = tempfile.mkdtemp(dir=folder)
    path = session.artifacts.fetch(file, into, lambda amount: session.reporter.advance(task, amount))
    future = crew.submit(
        path,
        file.sha256,
        filename=file.filename,
        expect_metadata=session.expected_metadata(one.package, file),
    )
    future.add_done_callback(lambda _: remove_tree(into))
    return future


def _build(
    session: Session, one: Chosen, folder: str, base: str, crew: Crew
) -> tuple[Chosen, Future[Entry], dict[str, object] | None, bool]:
    """Build what is no wheel (or take the wheel that an archive is) and have it unpacked."""
    import tempfile

    from accord.build.reference import locked_reference
    from accord.build.sources import WheelSource

    into = tempfile.mkdtemp(dir=folder)
    if one.kind == "sdist":
        assert isinstance(one.source, LockFile)
        source = fetch_sdist(session, None, _file(one.source, base), one.package.name, one.package.version)
        built = session.builder.wheel(source, into)
        return one, crew.submit(built.path, built.sha256), None, False
    assert isinstance(one.source, (Archive, Vcs, Directory))
    reference, commit = locked_reference(one.source, name=one.package.name, base=base)
    opened = session.openers.open(
        reference,
        size=one.source.size if isinstance(one.source, Archive) else None,
        commit=commit,
    )
    if isinstance(opened, WheelSource):
        return one, crew.submit(opened.path, opened.sha256), opened.direct_url(), False
    editable = isinstance(one.source, Directory) and bool(one.source.editable)
    built = session.builder.editable(opened, into) if editable else session.builder.wheel(opened, into)
    return one, crew.submit(built.path, built.sha256), opened.direct_url(), editable


def fetch_sdist(
    session: Session,
    repository: Repository | None,
    file: File,
    name: str | None = None,
    version: str | None = None,
) -> SdistSource:
    """An sdist of an index, fetched into the cache unless it is there, verified by its sha256."""
    from accord.build.cache import describe
    from accord.build.sources import SdistSource
    from accord_core.index.filenames import split_sdist
    from accord_core.names import normalise
    from accord_core.project.versions import normal

    if name is None or version is None:
        stem = file.filename.rpartition("-")[0]
        split = split_sdist(file.filename, normalise(stem))
        if split is None:
            raise AccordError("sdist-name-invalid", f"{file.filename} is not the name of an sdist")
        name, version = normalise(split[0]), normal(split[1])
    folder = os.path.join(session.cache_dir, SDISTS, file.sha256 or "unhashed")
    path = os.path.join(folder, file.filename)
    if file.sha256 is None or not os.path.isfile(path) or describe(path).sha256 != file.sha256:
        os.makedirs(folder, exist_ok=True)
        task = session.reporter.start(f"fetching {file.filename}", file.size, "B")
        try:
            fetcher = repository or session.artifacts
            path = fetcher.fetch(file, folder, lambda amount: session.reporter.advance(task, amount))
        finally:
            session.reporter.finish(task)
    return SdistSource(path, describe(path).sha256, name, version)
