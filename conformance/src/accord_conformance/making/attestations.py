"""Attestations (PEP 740) of cases: genuine ones, with the file they are about, and what becomes of them when something is changed.

A table in ``attestations`` with the key ``is`` stands for one of those in ``attested/``: ``publish`` and ``slsa`` are genuine, the others are the names in ``made.json``:
``good``, and what is wrong in one thing, by an authority of the suite's own that ``roots.json`` has beside Sigstore's.
Further keys, done in this order: ``flip`` (places of base64 whose last byte but one is changed), ``take`` (place: the attestation whose value is put there), ``set`` (place: value),
``drop`` (places), ``written`` (place of base64: how the bytes are written there instead: ``hex``, ``pem``, ``pem-base64`` or ``text``).
A place is a path with slashes.
"""

from __future__ import annotations

import base64
import hashlib
import json
import tarfile
from collections.abc import Mapping
from functools import cache
from io import BytesIO
from typing import Any

from accord_conformance.errors import SuiteError
from accord_conformance.making.wheels import Made
from accord_conformance.reading import DATA, Table

__all__ = ["attestation", "genuine_file", "unsigned"]

_FOLDER = DATA / "attested"


def genuine_file(filename: str) -> Made:
    """The file that the genuine attestations are about; ``filename`` for another spelling of its name, "" for its own."""
    path = next(_FOLDER.glob("*.tar.gz"))
    data = path.read_bytes()
    project, _, version = path.name.removesuffix(".tar.gz").rpartition("-")
    with tarfile.open(fileobj=BytesIO(data)) as archive:
        stream = archive.extractfile(f"{project}-{version}/PKG-INFO")
        assert stream is not None
        metadata = stream.read()
    return Made(project, version, filename or path.name, data, metadata, None)


@cache
def _texts() -> Mapping[str, str]:
    made = json.loads((_FOLDER / "made.json").read_text(encoding="utf-8"))
    genuine = {name: (_FOLDER / f"{name}.json").read_text(encoding="utf-8") for name in ("publish", "slsa")}
    return {**{name: json.dumps(each) for name, each in made.items()}, **genuine}


def _read(name: str) -> Any:
    if name not in _texts():
        raise SuiteError("attestations", f"there is no {name!r}: {', '.join(sorted(_texts()))}")
    return json.loads(_texts()[name])


def attestation(values: object) -> Any:
    """What an item of ``attestations`` stands for; one without ``is`` stands for itself."""
    if not isinstance(values, Mapping) or "is" not in values:
        return values
    table = Table("attestations", values)
    found = _read(table.take("is", str))
    for place in table.texts("flip", ()):
        holder, key = _place(found, place)
        holder[key] = _flipped(holder[key])
    for place, name in table.take("take", dict, {}).items():
        holder, key = _place(found, place)
        other, _ = _place(_read(name), place)
        holder[key] = other[key]
    for place, value in table.take("set", dict, {}).items():
        holder, key = _place(found, place)
        holder[key] = value
    for place in table.texts("drop", ()):
        holder, key = _place(found, place)
        del holder[key]
    for place, form in table.take("written", dict, {}).items():
        holder, key = _place(found, place)
        holder[key] = _written(base64.b64decode(holder[key]), form)
    table.done()
    return found


def unsigned(filename: str, data: bytes) -> dict[str, Any]:
    """An attestation of that file in the form of PEP 740: no two files have the same.  Nobody signed it: an index verifies, an uploader sends."""
    subject = {"name": filename, "digest": {"sha256": hashlib.sha256(data).hexdigest()}}
    statement = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [subject],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {},
    }
    return {
        "version": 1,
        "verification_material": {
            "certificate": "Y2VydGlmaWNhdGU=",
            "transparency_entries": [{"logIndex": "1"}],
        },
        "envelope": {
            "statement": base64.b64encode(json.dumps(statement).encode()).decode(),
            "signature": "c2lnbmF0dXJl",
        },
    }


def _place(whole: Any, place: str) -> tuple[Any, Any]:
    """What holds a place, and its key there."""
    *path, last = (int(part) if part.isdigit() else part for part in place.split("/"))
    for part in path:
        whole = whole[part]
    return whole, last


def _written(data: bytes, form: str) -> str:
    pem = f"-----BEGIN CERTIFICATE-----\n{base64.encodebytes(data).decode()}-----END CERTIFICATE-----\n"
    match form:
        case "hex":
            return data.hex()
        case "pem":
            return pem
        case "pem-base64":
            return base64.b64encode(pem.encode()).decode()
        case "text":
            return data.decode()
    raise SuiteError("attestations", f"nothing is written as {form!r}")


def _flipped(text: str) -> str:
    data = bytearray(base64.b64decode(text))
    data[-2] ^= 1
    return base64.b64encode(data).decode()
