"""Wrong uploaders, each with one seeded fault: the suite finds every one, and none in the honest one."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from accord_conformance.adapters import read_adapter
from accord_conformance.testing import cases_like, failures
from accord_conformance.tools import Tool

# The fault, and the case or rule that must find it.
FAULTS = {
    "put": "uploader/forms/post",
    "another action": "UPLOAD.1",
    "protocol 2": "UPLOAD.2",
    "content": "UPLOAD.7",
    "line ends": "uploader/forms/binary",
    "folder in name": "UPLOAD.FIELD.1",
    "digest": "UPLOAD.FIELD.3",
    "no digest": "UPLOAD.FIELD.2",
    "filetype": "UPLOAD.FIELD.6",
    "pyversion": "UPLOAD.FIELD.7",
    "metadata version": "UPLOAD.FIELD.9",
    "name": "UPLOAD.FIELD.10",
    "field names": "UPLOAD.FIELD.13",
    "one of several": "uploader/forms/field-requires-dist",
    "one file only": "uploader/forms/both",
    "password in upper case": "UPLOAD.AUTH.2",
    "bearer": "UPLOAD.AUTH.1",
    "attestation bare": "ATTEST.UPLOAD.3",
    "no api-version": "UPLOAD2.CREATE.2",
    "media type": "UPLOAD2.VERSION.4",
    "weak hash": "UPLOAD2.FILE.9",
    "session type": "UPLOAD2.MECHANISM.3",
    "bytes without name": "UPLOAD2.MECHANISM.4",
    "does not wait": "UPLOAD2.PUBLISH.10",
    "error is success": "UPLOAD2.PUBLISH.10",
    "asks for another session": "UPLOAD2.STATE.3",
    "uses a deleted upload": "UPLOAD2.REPLACE.3",
    "leaves a file in error": "uploader/sessions/file-fails-later",
    "never looks at a file": "uploader/sessions/file-fails-later",
    "cuts the description": "uploader/forms/large-description",
    "looks at once": "uploader/sessions/retry-after",
    "cut short": "uploader/forms/plain",
    "hyphens in fields": "uploader/forms/field-names",
    "all attestations with each": "uploader/attestations/each-its-own",
    "attestations twice": "uploader/attestations/array",
    "attests too late": "uploader/sessions/attestations",
    "says another size": "uploader/sessions/size",
    "names no mechanism": "uploader/sessions/begin",
    "falls over a session that is gone": "uploader/sessions/gone",
    "another password": "uploader/sessions/authorization",
}


def uploader(folder: Path, fault: str) -> Tool:
    """The uploader beside these tests, with a fault; "none" for the honest one."""
    adapter = folder / "wrong.toml"
    program = Path(__file__).parent / "wrong_uploader.py"
    adapter.write_text(
        '[tool]\nname = "wrong"\ntitle = "Wrong"\nhome = ""\nrequires = []\nversion = []\n'
        f'[roles.uploader]\nprogram = "{program}"\npython = "suite"\nenvironment.FAULT = "{fault}"\n',
        encoding="utf-8",
    )
    return Tool(read_adapter(adapter), Path(sys.prefix) / "bin", "1", {})


@pytest.mark.parametrize("fault", FAULTS)
def test_the_fault_is_found(fault: str, tmp_path: Path) -> None:
    # An sdist's fields are more than the uploader of these tests reads.
    cases = [
        case
        for case in cases_like(FAULTS[fault])
        if case.role == "uploader" and case.kind == "verdict" and "sdist" not in case.id
    ]

    assert not failures(uploader(tmp_path, "none"), cases), "the honest tool passes"
    assert failures(uploader(tmp_path, fault), cases)


def test_who_cancels_a_session_before_the_next_does_nothing_wrong(tmp_path: Path) -> None:
    cases = cases_like("uploader/sessions/error-editable")

    assert not failures(uploader(tmp_path, "cancels, and asks for another session"), cases)


@pytest.mark.parametrize(
    ("way", "cases"),
    [
        ("another hash", "uploader/sessions/hashes"),
        ("another hash", "uploader/sessions/secure"),
        ("waits to be asked", "uploader/sessions/bytes-authorization"),
        ("waits to be asked", "uploader/forms/basic"),
    ],
)
def test_another_honest_way_is_as_good(way: str, cases: str, tmp_path: Path) -> None:
    assert not failures(uploader(tmp_path, way), cases_like(cases))
