"""What is written down about each file that was built: its bill of materials and where it comes from (hot).

The bill holds no time and says the same for the same bytes; the provenance is about one run.  Both lie beside, in a folder
no upload finds; where that was asked for the bill is inside the wheel, too.  Which those are is said here, how they are
written in :mod:`accord.build`.
"""

from __future__ import annotations

import os

import accord
from accord.build import bill, provenance

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.build.revision import Revision
    from accord.tasks.build import Built, Wanted
    from accord.tasks.session import Session

__all__ = ["Times", "records_of"]


class Times:
    """When a run ``began`` and ``ended``, in seconds since the epoch."""

    __slots__ = ("began", "ended")

    def __init__(self, began: float, ended: float) -> None:
        self.began = began
        self.ended = ended


def records_of(
    session: Session, built: Built, wanted: Wanted, *, times: Times, revision: Revision | None
) -> dict[str, bytes]:
    """The documents about ``built`` by file name, before it is put in place; a wheel gets its bill inside where that is
    ``wanted``.  ``revision`` is what of a repository its folder was before anything was built."""
    interpreter = session.interpreter
    epoch = session.environ.get("SOURCE_DATE_EPOCH")
    documents: dict[str, bytes] = {}
    is_sdist = os.path.isfile(built.source)
    for product in built.products:
        said = bill.bill(product, built.parts, version=accord.__version__, epoch=epoch)
        if wanted.sbom and product.kind == "wheel":
            bill.add_to_wheel(product.path, bill.NAME, said)
            product.describe()
        if not wanted.records:
            continue
        documents[f"{product.filename}.cdx.json"] = said
        documents[f"{product.filename}.provenance.json"] = provenance.statement(
            product,
            built.parts,
            source=product.origin if is_sdist else revision,
            sdist=None if is_sdist else product.origin,
            settings=built.settings,
            python={"implementation": interpreter.implementation, "version": interpreter.version},
            version=accord.__version__,
            # Whoever sets it wants the same output each time, and an end that was none would be a lie.
            when=None if epoch is not None else (times.began, times.ended),
        )
    return documents
