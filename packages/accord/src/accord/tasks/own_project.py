"""The project itself, installed editable beside its lock (PEP 660): a lock that pip accepts cannot hold it.

An editable wheel says only where the sources are and which scripts there are, so it is built again only when the files
that decide that have changed.
"""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

from accord.build.reference import parse_reference
from accord.build.sources import DirectorySource
from accord.build.treedigest import DECIDING
from accord.environments.plan import Wanted
from accord.io.files import write_atomic
from accord.io.scratch import scratch_folder

if TYPE_CHECKING:
    from accord.store.entry import Entry
    from accord.tasks.project import LoadedProject
    from accord.tasks.session import Session

__all__ = ["editable_of"]

FOLDER = "editables-v1"


def editable_of(session: Session, project: LoadedProject, *, dry_run: bool = False) -> Wanted:
    """The project as a distribution to have, built unless that was done already.

    Raises BuildError; ``build-editable-unsupported`` when its backend knows no editable installs.
    """
    reference = parse_reference(
        project.folder, base=project.folder, editable=True, name=project.document.name
    )
    source = DirectorySource(reference)
    direct_url = source.direct_url()
    place = os.path.join(session.cache_dir, FOLDER, _digest(session, project.folder))
    entry = _kept(session, place)
    if entry is None:
        if dry_run:
            return Wanted(project.document.name or "", project.document.version or "0", direct_url=direct_url)
        session.store.prepare()
        with scratch_folder("editable-", os.path.join(session.store.root, "aside")) as folder:
            built = session.builder.editable(source, folder)
            entry = session.store.add(built.path, built.sha256)
        try:
            os.makedirs(os.path.dirname(place), exist_ok=True)
            write_atomic(place, entry.sha256.encode(), sync=False)
        except OSError:
            pass  # built again next time
    return Wanted(entry.name, entry.version, entry=entry, requested=True, direct_url=direct_url)


def _kept(session: Session, place: str) -> Entry | None:
    try:
        with open(place, "rb") as stream:
            digest = stream.read(64).decode("ascii", "replace")
    except OSError:
        return None
    return session.store.find(digest) if len(digest) == 64 else None


def _digest(session: Session, folder: str) -> str:
    digest = hashlib.sha256(repr((folder, session.interpreter.identity)).encode())
    for name in DECIDING:
        try:
            with open(os.path.join(folder, name), "rb") as stream:
                digest.update(hashlib.sha256(stream.read()).digest())
        except OSError:
            digest.update(b"-")
    return digest.hexdigest()
