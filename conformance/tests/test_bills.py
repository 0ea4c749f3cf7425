"""The checks of bills of materials: the good ones pass all of them, each fault is found by the check that is about it, and by no other."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from accord_conformance.built import Built
from accord_conformance.roles.bills import CHECKS

CYCLONEDX: dict[str, Any] = {
    "bomFormat": "CycloneDX",
    "specVersion": "1.6",
    "metadata": {
        "timestamp": "2026-01-01T00:00:00Z",
        "tools": {"components": [{"type": "application", "name": "maker"}]},
        "component": {
            "bom-ref": "a",
            "type": "library",
            "name": "demo",
            "version": "1.0",
            "purl": "pkg:pypi/demo@1.0",
        },
    },
    "components": [
        {"bom-ref": "b", "type": "library", "name": "zlib", "version": "1.3", "purl": "pkg:generic/zlib@1.3"},
        {
            "bom-ref": "c",
            "type": "library",
            "name": "tiny",
            "version": "1",
            "cpe": "cpe:2.3:a:tiny:tiny:1:*:*:*:*:*:*:*",
        },
    ],
    "dependencies": [{"ref": "a", "dependsOn": ["b"]}, {"ref": "b", "dependsOn": ["c"]}],
}
SPDX: dict[str, Any] = {
    "spdxVersion": "SPDX-2.3",
    "dataLicense": "CC0-1.0",
    "SPDXID": "SPDXRef-DOCUMENT",
    "name": "demo",
    "documentNamespace": "https://demo.example/1",
    "creationInfo": {"created": "2026-01-01T00:00:00Z", "creators": ["Person: Somebody", "Tool: maker-1"]},
    "packages": [
        {
            "SPDXID": "SPDXRef-a",
            "name": "demo",
            "versionInfo": "1.0",
            "downloadLocation": "https://demo.example/",
        },
        {
            "SPDXID": "SPDXRef-b",
            "name": "zlib",
            "versionInfo": "1.3",
            "downloadLocation": "NOASSERTION",
            "externalRefs": [{}],
        },
    ],
    "relationships": [
        {
            "spdxElementId": "SPDXRef-DOCUMENT",
            "relationshipType": "DESCRIBES",
            "relatedSpdxElement": "SPDXRef-a",
        },
        {
            "spdxElementId": "SPDXRef-b",
            "relationshipType": "CONTAINED_BY",
            "relatedSpdxElement": "SPDXRef-a",
        },
    ],
}
Change = Callable[[dict[str, Any]], object]
# What is done to a good one: the form, the change, the one check that finds it.
FAULTS: dict[str, tuple[dict[str, Any], Change, str]] = {
    "of no standard": (CYCLONEDX, lambda bill: bill.update(bomFormat="OurOwn"), "bill-standard"),
    "no version of the standard": (CYCLONEDX, lambda bill: bill.pop("specVersion"), "bill-required"),
    "a component of no type": (CYCLONEDX, lambda bill: bill["components"][0].pop("type"), "bill-required"),
    "no time": (CYCLONEDX, lambda bill: bill["metadata"].pop("timestamp"), "bill-origin"),
    "no tool": (CYCLONEDX, lambda bill: bill["metadata"].pop("tools"), "bill-origin"),
    "a component of no version": (
        CYCLONEDX,
        lambda bill: bill["components"][1].pop("version"),
        "bill-components",
    ),
    "a component nobody can look up": (
        CYCLONEDX,
        lambda bill: bill["components"][1].pop("cpe"),
        "bill-components",
    ),
    "no version inside a component": (
        CYCLONEDX,
        lambda bill: bill["components"][0].update(
            components=[{"type": "file", "name": "x", "purl": "pkg:a/x"}]
        ),
        "bill-components",
    ),
    "a component beside the graph": (CYCLONEDX, lambda bill: bill["dependencies"].pop(), "bill-related"),
    "about something else": (
        CYCLONEDX,
        lambda bill: bill["metadata"]["component"].update(name="other"),
        "bill-about",
    ),
    "SPDX without a namespace": (SPDX, lambda bill: bill.pop("documentNamespace"), "bill-required"),
    "SPDX of a person alone": (SPDX, lambda bill: bill["creationInfo"]["creators"].pop(), "bill-origin"),
    "SPDX whose package has no version": (
        SPDX,
        lambda bill: bill["packages"][1].pop("versionInfo"),
        "bill-components",
    ),
    "SPDX whose package lies nowhere": (
        SPDX,
        lambda bill: bill["packages"][0].update(downloadLocation="NOASSERTION"),
        "bill-components",
    ),
    "SPDX with a package beside the graph": (SPDX, lambda bill: bill["relationships"].pop(), "bill-related"),
    "SPDX about something else": (
        SPDX,
        lambda bill: bill["relationships"][0].update(relatedSpdxElement="SPDXRef-b"),
        "bill-about",
    ),
}


def found(*documents: bytes) -> list[str]:
    """The checks that find something wrong with a wheel that has these bills."""
    members = {f"demo-1.0.dist-info/sboms/{number}.json": data for number, data in enumerate(documents)}
    built = Built("wheel", Path("demo.whl"), members, ("demo-1.0.dist-info",))
    return [name for name, check in CHECKS.items() if check(built)]


@pytest.mark.parametrize("bill", [CYCLONEDX, SPDX], ids=["CycloneDX", "SPDX"])
def test_a_good_one_passes(bill: dict[str, Any]) -> None:
    assert found(json.dumps(bill).encode()) == []


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_found_by_its_check(fault: str) -> None:
    good, change, check = FAULTS[fault]
    bill = json.loads(json.dumps(good))
    change(bill)

    assert check in found(json.dumps(bill).encode())
    # What is of no standard known is read as the other one, of which it has nothing.
    assert fault == "of no standard" or found(json.dumps(bill).encode()) == [check]
    assert check in found(json.dumps(good).encode(), json.dumps(bill).encode()), "beside a good one, too"


@pytest.mark.parametrize(
    "data",
    [b"", b"<bom/>", b"[]", b'{"name": "\xff"}', b"[" * 100_000, b'"' + b"x" * 10],
    ids=["empty", "XML", "list", "latin-1", "deep", "cut"],
)
def test_what_is_no_json_object_fails_every_check(data: bytes) -> None:
    assert found(data) == list(CHECKS)


@pytest.mark.parametrize(
    "odd",
    [
        {
            "bomFormat": "CycloneDX",
            "metadata": [],
            "components": {"a": 1},
            "dependencies": [1, {"dependsOn": 3}],
        },
        {"bomFormat": "CycloneDX", "components": ["x", {"bom-ref": {"a": 1}}], "dependencies": [{"ref": []}]},
        {"spdxVersion": 3, "packages": [None], "relationships": "none", "creationInfo": "me"},
    ],
)
def test_odd_shapes_are_read(odd: dict[str, Any]) -> None:
    assert "bill-origin" in found(json.dumps(odd).encode())


def test_components_in_components_are_read_to_a_limit() -> None:
    bill = json.loads(json.dumps(CYCLONEDX))
    inner: dict[str, Any] = {"type": "file", "name": "deepest"}
    for _ in range(300):
        inner = {"type": "library", "name": "x", "version": "1", "purl": "pkg:a/x", "components": [inner]}
    bill["components"] = [{**inner, "bom-ref": "b"}]
    bill["dependencies"] = [{"ref": "a", "dependsOn": ["b"]}]

    assert found(json.dumps(bill).encode()) == []
