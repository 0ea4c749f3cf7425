"""What is written down about a build: the bill of materials inside the wheel and beside it, and the provenance beside.

Beside means in ``.accord`` below the output folder: what lies in ``dist`` itself gets uploaded.  Only loaded when one of
the two is asked for.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import accord
from accord.build import bill, provenance
from accord.io.files import write_atomic

if TYPE_CHECKING:
    from accord.tasks.build import Built
    from accord.tasks.session import Session

__all__ = ["FOLDER", "Records"]

FOLDER = ".accord"


class Records:
    """The documents about ``built``, made before it is put in place in ``output`` and written after; ``revision`` is what
    of a repository its folder was before anything was built."""

    def __init__(
        self,
        session: Session,
        built: Built,
        output: str,
        *,
        sbom: bool,
        provenance: bool,
        revision: provenance.Revision | None = None,
    ) -> None:
        self._revision = revision
        self._session = session
        self._built = built
        self._output = output
        self._files: list[tuple[str, bytes]] = []
        epoch = session.environ.get("SOURCE_DATE_EPOCH")
        if sbom:
            self._bills(epoch)
        if provenance:
            self._statement(epoch)

    def write(self) -> list[str]:
        """Put the documents beside what was built; their paths."""
        folder = os.path.join(self._output, FOLDER)
        os.makedirs(folder, exist_ok=True)
        written = []
        for name, data in self._files:
            write_atomic(os.path.join(folder, name), data)
            written.append(os.path.join(folder, name))
        return written

    def _bills(self, epoch: str | None) -> None:
        for product in self._built.products:
            data = bill.bill(product, self._built.parts, version=accord.__version__, epoch=epoch)
            if product.kind == "wheel":
                bill.add_to_wheel(product.path, bill.NAME, data)
                product.describe()
            self._files.append((f"{product.filename}.cdx.json", data))

    def _statement(self, epoch: str | None) -> None:
        built, session = self._built, self._session
        source: provenance.Revision | tuple[str, str] | None
        if os.path.isdir(built.source):
            source = self._revision
        else:
            from accord.store.store import file_sha256

            source = os.path.basename(built.source), file_sha256(built.source)
        interpreter = session.interpreter
        data = provenance.statement(
            built.products,
            built.parts,
            source=source,
            settings=built.settings,
            python={"implementation": interpreter.implementation, "version": interpreter.version},
            version=accord.__version__,
            epoch=epoch,
        )
        first = built.products[0]
        stem = f"{first.filename.split('-')[0]}-{first.version}"
        self._files.append((f"{stem}.provenance.json", data))
