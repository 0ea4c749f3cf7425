"""The bill of materials of a wheel (CycloneDX 1.6, JSON), and putting it inside (PEP 770).

It names the project, and under ``formulation`` what it was built with, each file by its hash.  It holds no time, no path
and no random number, unless SOURCE_DATE_EPOCH gives a time, so that it changes no bytes of a reproducible wheel.  Every
build writes one (hot), so the writer is our own: the tests hold it against the schema of ``cyclonedx-python-lib``.
"""

from __future__ import annotations

import os
import time

from accord.io import jsons
from accord.io.digests import sha256
from accord_core.archive.metadata import parse_metadata
from accord_core.errors import BuildError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from accord.build.products import Product

__all__ = ["NAME", "add_to_wheel", "bill", "package_url"]

NAME = "accord.cdx.json"


def bill(
    product: Product, parts: Sequence[tuple[str, str, str, str]], *, version: str, epoch: str | None = None
) -> bytes:
    """The document for ``product``, built with ``parts`` (name, version, file name, sha256) by Accord ``version``."""
    metadata = parse_metadata(product.metadata)
    reference = package_url(product.name, product.version)
    component: dict[str, Any] = {
        "type": "library",
        "bom-ref": reference,
        "name": metadata.name,
        "version": product.version,
        "purl": reference,
    }
    summary = _field(product.metadata, "Summary")
    if summary:
        component["description"] = summary
    expression = _field(product.metadata, "License-Expression")
    if expression:
        component["licenses"] = [{"expression": expression}]
    document: dict[str, Any] = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": component,
            "tools": {"components": [{"type": "application", "name": "accord", "version": version}]},
            "lifecycles": [{"phase": "build"}],
        },
        "components": [],
        "dependencies": [{"ref": reference}],
        "formulation": [
            {
                "bom-ref": "build",
                "components": [
                    {
                        "type": "library",
                        "bom-ref": f"build/{package_url(name, number)}",
                        "name": name,
                        "version": number,
                        "purl": package_url(name, number),
                        "hashes": [{"alg": "SHA-256", "content": digest}],
                    }
                    for name, number, _, digest in sorted(parts)
                ],
            }
        ],
    }
    if epoch is not None and epoch.isdigit():
        document["metadata"]["timestamp"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(int(epoch)))
    document["serialNumber"] = f"urn:uuid:{_uuid(sha256(jsons.dumps(document)).hexdigest())}"
    return jsons.dumps(document)


def _uuid(digest: str) -> str:
    """Made of the beginning of a digest, marked as RFC 9562 marks version 4 ("UUID Format")."""
    variant = "89ab"[int(digest[16], 16) & 3]
    return f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-{variant}{digest[17:20]}-{digest[20:32]}"


def package_url(name: str, version: str) -> str:
    """``pkg:pypi/…`` of a normal name and version, in which nothing but ``!`` and ``+`` needs an escape."""
    return f"pkg:pypi/{name}@{version.replace('!', '%21').replace('+', '%2B')}"


def _field(metadata: bytes, field: str) -> str | None:
    head = metadata.decode("utf-8", "replace").partition("\n\n")[0]
    for line in head.splitlines():
        name, colon, value = line.partition(":")
        if colon and name.lower() == field.lower():
            return value.strip()
    return None


def add_to_wheel(path: str, name: str, data: bytes) -> None:
    """Put ``data`` into the wheel at ``path`` as ``.dist-info/sboms/name``, and a row for it into RECORD.

    The other members stay the bytes they are.  Raises BuildError ``build-output-invalid`` where RECORD is not the last
    member, which every backend known sees to, or the wheel has such a file already.
    """
    import base64
    import zipfile

    from accord_core.archive.record import parse_record

    aside = f"{path}.part"
    with open(path, "rb") as source, open(aside, "wb") as target:
        target.write(source.read())
    with zipfile.ZipFile(aside, "a") as archive:
        record = archive.filelist[-1]
        folder, _, own = record.filename.rpartition("/")
        member = f"{folder}/sboms/{name}"
        if own != "RECORD" or not folder.endswith(".dist-info") or member in archive.NameToInfo:
            raise BuildError(
                "build-output-invalid",
                f"{os.path.basename(path)}: no SBOM can be put in: its RECORD is not last, or it has {name} already",
                hint="build without --sbom",
            )
        rows = archive.read(record)
        parse_record(rows)
        digest = base64.urlsafe_b64encode(sha256(data).digest()).rstrip(b"=").decode()
        row = f"{member},sha256={digest},{len(data)}\n".encode()
        lines = rows.splitlines(keepends=True)
        place = next(
            (i for i, line in enumerate(lines) if line.startswith(record.filename.encode())), len(lines)
        )
        text = b"".join((*lines[:place], row, *lines[place:]))
        # What follows is written where RECORD stood; everything before it is not touched.
        archive.filelist.pop()
        del archive.NameToInfo[record.filename]
        archive.start_dir = record.header_offset
        for one, body in ((member, data), (record.filename, text)):
            info = zipfile.ZipInfo(one, record.date_time)
            info.compress_type = record.compress_type
            info.external_attr = record.external_attr
            info.create_system = record.create_system
            archive.writestr(info, body)
    os.replace(aside, path)
