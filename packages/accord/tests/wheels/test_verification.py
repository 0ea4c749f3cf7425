"""accord wheel verify: each lie of a wheel is found, all of them at once, and an honest one has none."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from accord.testing.archives import Part, wheel_parts
from accord.wheels.verification import parse_hash, verify
from accord_core.archive import record
from accord_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    MakeWheel = Callable[..., str]
    MakeSdist = Callable[..., str]


def codes(path: str) -> list[str]:
    return sorted(fault.code for fault in verify(path).faults)


def changed(name: str, **fields: object) -> list[Part]:
    """An honest wheel's parts with another file ``name``."""
    from dataclasses import replace

    return [replace(part, **fields) if part.name == name else part for part in wheel_parts()]  # type: ignore[arg-type]


def test_an_honest_wheel_has_no_fault(wheel: MakeWheel) -> None:
    found = verify(wheel({"spam/__init__.py": b"12345"}))
    assert found.faults == ()
    assert found.files == 4
    assert found.size > 5
    assert found.as_dict()["ok"] is True


def test_a_changed_file_is_found_by_its_digest(wheel: MakeWheel) -> None:
    found = verify(wheel(parts=changed("spam/__init__.py", data=b"value = 2\n")))
    assert [(fault.code, fault.file) for fault in found.faults] == [
        ("record-digest-wrong", "spam/__init__.py")
    ]


def test_every_fault_is_found_at_once(wheel: MakeWheel) -> None:
    parts = [
        *changed("spam/__init__.py", data=b"value = 2\n"),
        Part("spam/unlisted.py", b""),
        Part("spam/other.py", b""),
    ]
    assert codes(wheel(parts=parts)) == [
        "record-digest-wrong",
        "record-file-unlisted",
        "record-file-unlisted",
    ]


def test_a_file_only_recorded_is_missed(wheel: MakeWheel) -> None:
    assert codes(wheel(parts=[part for part in wheel_parts() if part.name != "spam/__init__.py"])) == [
        "record-file-missing"
    ]


def test_a_weak_digest_is_none(wheel: MakeWheel) -> None:
    files = wheel_parts()
    text = f"spam/__init__.py,md5={record.digest(files[0].data, 'md5')},10\n".encode()
    rows = [record.Row(str(one.name), "sha256", record.digest(one.data), None) for one in files[1:-1]]
    assert codes(wheel(record=text + record.format_record(rows))) == ["record-digest-weak"]


@pytest.mark.parametrize(
    ("filename", "wheel_text", "code"),
    [
        ("spam-1.0-py2-none-any.whl", None, "wheel-tags-disagree"),
        ("spam-1.0-1-py3-none-any.whl", None, "wheel-build-disagrees"),
        ("spam-1.0-py2.py3-none-any.whl", "Tag: py2-none-any\nTag: py3-none-any\n", None),
        ("spam-1.0-py2.py3-none-any.whl", "Tag: py2.py3-none-any\n", None),
        ("spam-1.0-py3-none-any.whl", "Tag: py3-none-any\nBuild: 3\n", "wheel-build-disagrees"),
        ("spam-2.0-py3-none-any.whl", None, "wheel-dist-info-disagrees"),
    ],
)
def test_the_name_and_wheel_agree(
    wheel: MakeWheel, filename: str, wheel_text: str | None, code: str | None
) -> None:
    more = {} if wheel_text is None else {"wheel": f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\n{wheel_text}"}
    assert codes(wheel(filename=filename, **more)) == ([] if code is None else [code])


def test_other_metadata_than_the_name_announces_are_found(wheel: MakeWheel) -> None:
    text = "Metadata-Version: 2.1\nName: eggs\nVersion: 1.0\n"
    assert codes(wheel(metadata=text)) == ["wheel-metadata-disagrees"]


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        ([Part("spam/a.py", b"", before=b"hidden")], "archive-gap"),
        ([Part("../a.py", b"")], "archive-name-traversal"),
        ([Part("spam/link", b"/etc", mode=0o120777)], "archive-link"),
        ([Part("spam/__INIT__.py", b"")], "archive-name-collides"),
    ],
)
def test_tricks_of_zip_are_found(wheel: MakeWheel, parts: list[Part], code: str) -> None:
    found = verify(wheel(parts=[*wheel_parts(), *parts]))
    assert [fault.code for fault in found.faults] == [code]


def test_a_file_that_does_not_unpack_is_found_and_the_rest_is_read(wheel: MakeWheel) -> None:
    found = verify(wheel(parts=changed("spam/__init__.py", packed=b"\xff\xff\xff")))
    assert [fault.file for fault in found.faults] == ["spam/__init__.py"]
    assert found.files == 3


def test_a_place_of_the_environment_is_no_place_for_a_file(wheel: MakeWheel) -> None:
    assert codes(wheel({"spam-1.0.data/scripts/python3": b""})) == ["script-name-reserved"]


def test_the_file_itself_has_the_digest_that_is_asked_for(wheel: MakeWheel) -> None:
    path = wheel()
    right = hashlib.sha256(Path(path).read_bytes()).hexdigest()
    assert verify(path, require=[parse_hash(f"sha256:{right}")]).faults == ()
    assert verify(path, require=[("sha256", "0" * 64), ("sha256", right)]).faults == ()
    wrong = verify(path, require=[("sha256", "0" * 64)])
    assert [fault.code for fault in wrong.faults] == ["wheel-hash-wrong"]
    assert right in wrong.faults[0].message


@pytest.mark.parametrize(
    "text",
    ["", "sha256", "sha256:", "sha256:zz", "md5:" + "0" * 32, "sha256:" + "0" * 63, "sha1:" + "0" * 40],
)
def test_a_digest_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_hash(text)
    assert caught.value.code == "hash-invalid"


def test_an_sdist_has_no_record(sdist: MakeSdist) -> None:
    with pytest.raises(UsageError) as caught:
        verify(sdist())
    assert caught.value.code == "not-a-wheel"
