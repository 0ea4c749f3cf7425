"""What makes a bill of materials inside a wheel a good one (PEP 770, "SBOM data interoperability"), each thing a check of its own, as in ``backend_checks``.

Reads CycloneDX and SPDX 2 as JSON, as far as the checks go; of a document in another form they say that they cannot read it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from accord_conformance.built import Built

__all__ = ["CHECKS"]

_DEPTH = 50  # components in components
# What the schemas of CycloneDX 1.2 to 1.7 and of SPDX 2.2 and 2.3 require of a document that describes packages.
_CYCLONEDX = ("bomFormat", "specVersion")
_SPDX = ("spdxVersion", "dataLicense", "SPDXID", "name", "documentNamespace", "creationInfo")
_IDENTIFIES = (
    "purl",
    "cpe",
    "externalReferences",
    "swid",
    "omniborId",
    "swhid",
    "downloadLocation",
    "externalRefs",
)
_NOTHING = ("NONE", "NOASSERTION")  # SPDX's words for a value that is not known


def _each(check: Callable[[Mapping[str, Any]], str]) -> Callable[[Built], str]:
    """The check of every bill of a wheel, and of there being one."""

    def look(built: Built) -> str:
        folder = built.inside("{dist_info}/sboms/")
        bills = {name: data for name, data in built.members.items() if name.startswith(folder)}
        wrong = [f"{name}: {said}" for name, data in bills.items() if (said := _of(data, check))]
        return "; ".join(wrong) if bills else f"nothing in {folder}"

    return look


def _of(data: bytes, check: Callable[[Mapping[str, Any]], str]) -> str:
    try:
        document = json.loads(data.decode("utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        return f"no JSON in UTF-8: {error}"
    return check(document) if isinstance(document, dict) else "no JSON object"


def _is_cyclonedx(document: Mapping[str, Any]) -> bool:
    return document.get("bomFormat") == "CycloneDX"


def _standard(document: Mapping[str, Any]) -> str:
    spdx = str(document.get("spdxVersion", "")).startswith("SPDX-") or "spdx.org" in str(
        document.get("@context", "")
    )
    return "" if _is_cyclonedx(document) or spdx else f"neither CycloneDX nor SPDX: {sorted(document)[:5]}"


def _required(document: Mapping[str, Any]) -> str:
    if _is_cyclonedx(document):
        lacking = [key for key in _CYCLONEDX if not document.get(key)]
        nameless = [
            str(each)[:80] for each in _components(document) if not each.get("type") or not each.get("name")
        ]
        lacking += [f"type and name of {each}" for each in nameless]
    else:
        lacking = [key for key in _SPDX if not document.get(key)]
    return f"lacks {lacking}" if lacking else ""


def _origin(document: Mapping[str, Any]) -> str:
    if _is_cyclonedx(document):
        head = _table(document.get("metadata"))
        time, tool = head.get("timestamp"), head.get("tools")
    else:
        head = _table(document.get("creationInfo"))
        time = head.get("created")
        tool = [each for each in _list(head.get("creators")) if str(each).startswith("Tool:")]
    lacking = [name for name, value in (("time of creation", time), ("creating tool", tool)) if not value]
    return f"no {' and no '.join(lacking)}" if lacking else ""


def _named(document: Mapping[str, Any]) -> str:
    wanted = {"name": ("name",), "version": ("version", "versionInfo"), "identifier": _IDENTIFIES}
    wrong = [
        f"{each.get('name')!r} lacks {lacking}"
        for each in _components(document)
        if (lacking := [what for what, keys in wanted.items() if not _any(each, keys)])
    ]
    return "; ".join(wrong)


def _any(component: Mapping[str, Any], keys: Iterable[str]) -> bool:
    return any(component.get(key) and component[key] not in _NOTHING for key in keys)


def _related(document: Mapping[str, Any]) -> str:
    """Every component but the primary one is reached from it."""
    if _is_cyclonedx(document):
        primary = _table(_table(document.get("metadata")).get("component")).get("bom-ref")
        edges = [
            (each.get("ref"), target)
            for each in map(_table, _list(document.get("dependencies")))
            for target in (*_list(each.get("dependsOn")), *_list(each.get("provides")))
        ]
        wanted = [each.get("bom-ref") for each in map(_table, _list(document.get("components")))]
    else:
        primary = document.get("SPDXID")
        relations = [_table(each) for each in _list(document.get("relationships"))]
        edges = [(each.get("spdxElementId"), each.get("relatedSpdxElement")) for each in relations]
        edges += [(target, source) for source, target in edges]
        edges += [(primary, each) for each in _list(document.get("documentDescribes"))]
        wanted = [each.get("SPDXID") for each in _components(document)]
    follows: dict[str, list[str]] = {}
    for source, target in edges:
        follows.setdefault(str(source), []).append(str(target))
    reached: set[str] = set()
    todo = [str(primary)]
    while todo:
        if (one := todo.pop()) not in reached:
            reached.add(one)
            todo += follows.get(one, [])
    alone = sorted(set(map(str, wanted)) - reached)
    return f"no path from {primary} to {alone}" if alone else ""


def _primary(document: Mapping[str, Any]) -> str:
    """The name of what the document is about."""
    if _is_cyclonedx(document):
        return str(_table(_table(document.get("metadata")).get("component")).get("name", ""))
    described = [
        each.get("relatedSpdxElement")
        for each in map(_table, _list(document.get("relationships")))
        if each.get("relationshipType") == "DESCRIBES"
    ] + _list(document.get("documentDescribes"))
    names = [str(each.get("name")) for each in _components(document) if each.get("SPDXID") in described]
    return ", ".join(names)


def _about(document: Mapping[str, Any]) -> str:
    """What the document is about is the project demo itself."""
    found = _primary(document)
    return "" if found.lower() == "demo" else f"it is about {found!r}"


def _components(document: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Every component or package, the primary one among them."""
    if not _is_cyclonedx(document):
        yield from map(_table, _list(document.get("packages")))
        return
    todo = [(_table(_table(document.get("metadata")).get("component")), 0)]
    todo += [(_table(each), 0) for each in _list(document.get("components"))]
    while todo:
        component, depth = todo.pop(0)
        if component:
            yield component
        if depth < _DEPTH:
            todo += [(_table(each), depth + 1) for each in _list(component.get("components"))]


def _table(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


CHECKS: dict[str, Callable[[Built], str]] = {
    "bill-is-json": _each(lambda document: ""),
    "bill-standard": _each(_standard),
    "bill-required": _each(_required),
    "bill-origin": _each(_origin),
    "bill-components": _each(_named),
    "bill-related": _each(_related),
    "bill-about": _each(_about),
}
