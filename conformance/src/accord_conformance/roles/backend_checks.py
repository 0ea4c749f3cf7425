"""What makes a wheel, an sdist or a metadata folder sound, each thing a check of its own: the first words of what is wrong, or nothing.

A case names the checks that its rules are about.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import re
import sys
import sysconfig
from collections.abc import Callable, Iterable

from accord_conformance.built import Built
from accord_conformance.errors import SuiteError
from accord_conformance.judging import Finding
from accord_conformance.roles import bills

__all__ = ["CHECKS", "sound"]

# The metadata version each field came with; those of 1.0 are not here.
_SINCE = {
    "supported-platform": (1, 1), "classifier": (1, 1), "download-url": (1, 1), "requires": (1, 1),
    "provides": (1, 1), "obsoletes": (1, 1), "maintainer": (1, 2), "maintainer-email": (1, 2),
    "requires-dist": (1, 2), "requires-python": (1, 2), "requires-external": (1, 2), "project-url": (1, 2),
    "provides-dist": (1, 2), "obsoletes-dist": (1, 2), "description-content-type": (2, 1),
    "provides-extra": (2, 1), "dynamic": (2, 2), "license-expression": (2, 4), "license-file": (2, 4),
    "import-name": (2, 5), "import-namespace": (2, 5),
}  # fmt: skip
_FIRST = {"platform", "summary", "description", "keywords", "home-page", "author", "author-email", "license"}
_LEGAL = ("1.0", "1.1", "1.2", "2.1", "2.2", "2.3", "2.4", "2.5", "2.6")
_SCHEME = ("purelib", "platlib", "headers", "scripts", "data")
# How bills of materials begin that are no JSON.
_BILLS = (
    rb"<(?:\w+:)?bom\b[^>]*cyclonedx\.org/schema/bom",
    rb"<(?:\w+:)?SoftwareIdentity\b",
    rb"<rdf:RDF\b[^>]*spdx\.org/",
    rb"(?m)^SPDXVersion: *SPDX-\d",
    rb"(?m)^\"?spdxVersion\"?: *[\"']?SPDX-\d",
)
_BETTER = ("sha256", "sha384", "sha512")


def _readable(built: Built) -> str:
    return "; ".join(built.faults)


def _utf8(built: Built) -> str:
    try:
        built.metadata.decode("utf-8")
    except UnicodeDecodeError as error:
        return str(error)
    return ""


def _required(built: Built) -> str:
    wrong = [
        f"{name}: {built.fields(name)}"
        for name in ("Metadata-Version", "Name", "Version")
        if len(built.fields(name)) != 1
    ]
    return "; ".join(wrong)


def _legal_version(built: Built) -> str:
    found = built.fields("Metadata-Version")
    return "" if found and found[0] in _LEGAL else str(found)


def _version(built: Built) -> tuple[int, ...]:
    found = built.fields("Metadata-Version") or ["0"]
    return tuple(int(part) for part in found[0].split(".") if part.isdigit())


def _fields_of_version(built: Built) -> str:
    version = _version(built)
    late = [
        name for name in dict.fromkeys(built.message().keys()) if _SINCE.get(name.lower(), (1, 0)) > version
    ]
    return f"metadata {built.fields('Metadata-Version')} has {late}" if late else ""


def _single_use(built: Built) -> str:
    multiple = {
        "platform", "supported-platform", "classifier", "requires-dist", "requires-external", "project-url",
        "provides-extra", "provides-dist", "obsoletes-dist", "license-file", "import-name",
        "import-namespace", "dynamic", "requires", "provides", "obsoletes",
    }  # fmt: skip
    names = [name.lower() for name in built.message()]
    twice = sorted({name for name in names if names.count(name) > 1} - multiple)
    return f"more than once: {twice}" if twice else ""


def _dynamic_names(built: Built) -> str:
    fixed = ("name", "version", "metadata-version")
    known = {*_SINCE, *_FIRST} - {*fixed}
    wrong = [name for name in built.fields("Dynamic") if name.lower() not in known]
    return f"Dynamic: {wrong}" if wrong else ""


def _no_parentheses(built: Built) -> str:
    wrong = [each for each in built.fields("Requires-Dist") if "(" in each.partition(";")[0]]
    return f"with parentheses: {wrong}" if wrong else ""


def _one_license(built: Built) -> str:
    both = built.fields("License") and built.fields("License-Expression")
    return f"License: {built.fields('License')}, License-Expression too" if both else ""


def _stem(built: Built) -> str:
    name = re.sub(r"[-_.]+", "_", "".join(built.fields("Name"))).lower()
    return f"{name}-{''.join(built.fields('Version'))}"


def _wheel_name(built: Built) -> str:
    parts = built.path.name.removesuffix(".whl").split("-")
    if len(parts) not in (5, 6):
        return f"{built.path.name} has {len(parts)} parts"
    if len(parts) == 6 and not re.match(r"[0-9]", parts[2]):
        return f"{built.path.name} has the build tag {parts[2]!r}"
    return (
        "" if "-".join(parts[:2]) == _stem(built) else f"{built.path.name}, but metadata says {_stem(built)}"
    )


def _dist_info(built: Built) -> str:
    if len(built.homes) != 1:
        return f"{len(built.homes)} .dist-info folders"
    wanted = ["METADATA", "WHEEL"] + (["RECORD"] if built.kind == "wheel" else [])
    lacking = [name for name in wanted if f"{built.home}/{name}" not in built.members]
    if lacking:
        return f"{built.home} lacks {lacking}"
    return (
        "" if built.home == f"{_stem(built)}.dist-info" else f"{built.home}, but metadata says {_stem(built)}"
    )


def _wheel_file(built: Built) -> str:
    text = built.members.get(f"{built.home}/WHEEL", b"").decode("utf-8", "replace")
    pairs = [line.partition(": ")[::2] for line in text.splitlines() if line.strip()]
    values = dict(pairs)
    if values.get("Wheel-Version") != "1.0":
        return f"Wheel-Version: {values.get('Wheel-Version')}"
    if values.get("Root-Is-Purelib") not in ("true", "false"):
        return f"Root-Is-Purelib: {values.get('Root-Is-Purelib')}"
    if built.kind != "wheel":
        return ""
    pythons, abis, platforms = (part.split(".") for part in built.path.name[:-4].split("-")[-3:])
    expanded = {f"{p}-{a}-{f}" for p in pythons for a in abis for f in platforms}
    tags = {value for key, value in pairs if key == "Tag"}
    return "" if tags == expanded else f"Tag: {sorted(tags)}, file name: {sorted(expanded)}"


def _record(built: Built) -> str:
    own = f"{built.home}/RECORD"
    rows = list(csv.reader(io.StringIO(built.members.get(own, b"").decode("utf-8", "replace"))))
    listed = {row[0]: row for row in rows if len(row) == 3}
    if len(listed) != len(rows):
        return "rows that are not of three fields, or twice the same"
    for name, data in built.members.items():
        if name in (own, f"{own}.jws", f"{own}.p7s"):
            continue
        if name not in listed:
            return f"{name} is not listed"
        algorithm, _, digest = listed[name][1].partition("=")
        if algorithm not in _BETTER:
            return f"{name} has the hash {algorithm!r}"
        coded = base64.urlsafe_b64encode(hashlib.new(algorithm, data).digest()).rstrip(b"=").decode()
        if coded != digest or listed[name][2] not in ("", str(len(data))):
            return f"{name} has another hash or size"
    more = sorted(set(listed) - set(built.members))
    if more:
        return f"listed, but not there: {more}"
    # It is a list of "(almost) all the files in the wheel": whether it names itself is open, but a hash of itself it cannot have.
    return f"{own} has a hash of itself" if own in listed and listed[own][1] else ""


def _generator(built: Built) -> str:
    text = built.members.get(f"{built.home}/WHEEL", b"").decode("utf-8", "replace")
    return "" if re.search(r"(?m)^Generator: \S", text) else "no Generator"


def _last(built: Built) -> str:
    """The metadata files lie at the end of the archive."""
    inside = [name.startswith(f"{built.home}/") for name in built.members]
    return "" if inside == sorted(inside) else f"the order is {list(built.members)}"


def _no_leftovers(built: Built) -> str:
    own = [f"{built.home}/{name}" for name in ("INSTALLER", "REQUESTED", "RECORD.jws", "RECORD.p7s")]
    found = [name for name in (*own, "setup.py", "setup.cfg") if name in built.members]
    return f"has {found}" if found else ""


def _no_bytecode(built: Built) -> str:
    found = [name for name in built.members if name.endswith(".pyc")]
    return f"has {found}" if found else ""


def _reserved_folders(built: Built) -> str:
    inside = (
        name.removeprefix(f"{built.home}/") for name in built.members if name.startswith(f"{built.home}/")
    )
    folders = {name.split("/")[0] for name in inside if "/" in name}
    others = sorted(folders - {"licenses", "license_files", "LICENSES", "sboms"})
    return f"{built.home} has {others}" if others else ""


def _compatible(built: Built) -> str:
    """Tagged as compatible with this system: any Python 3, or this one, on any or this platform."""
    python, abi, platform = built.path.name[:-4].split("-")[-3:]
    own = f"cp{sys.version_info[0]}{sys.version_info[1]}"
    pythons = {
        "py3",
        f"py3{sys.version_info[1]}",
        own,
        *(f"py3{minor}" for minor in range(sys.version_info[1])),
    }
    here = re.sub(r"[-.]", "_", sysconfig.get_platform())
    machine = here.removeprefix("linux_")
    good = (
        pythons & set(python.split("."))
        and {"none", "abi3", own} & set(abi.split("."))
        and any(
            each in ("any", here) or re.fullmatch(rf"manylinux\w*_{machine}", each)
            for each in platform.split(".")
        )
    )
    return "" if good else built.path.name


def _build_number(built: Built) -> str:
    """WHEEL has the Build of the file name, and none where that has none."""
    parts = built.path.name.removesuffix(".whl").split("-")
    wanted = parts[2:3] if len(parts) == 6 else []
    text = built.members.get(f"{built.home}/WHEEL", b"").decode("utf-8", "replace")
    found = re.findall(r"(?m)^Build: *(\S*)", text)
    return "" if found == wanted else f"Build: {found}, file name: {built.path.name}"


def _data_name(built: Built) -> str:
    """The .data folder has the name of the .dist-info folder."""
    tops = {name.split("/")[0] for name in built.members}
    found = sorted(name for name in tops if name.endswith(".data"))
    return "" if found == [built.inside("{data}")] else f"{found}, beside {built.home}"


def _data_keys(built: Built) -> str:
    """What lies below .data is below a key of the install scheme."""
    inside = [name.split("/") for name in built.members if name.split("/")[0].endswith(".data")]
    if not inside:
        return "no .data folder"
    wrong = sorted("/".join(parts) for parts in inside if len(parts) < 3 or parts[1] not in _SCHEME)
    return f"below no key of a scheme: {wrong}" if wrong else ""


def _bills(built: Built) -> str:
    """Every file below sboms/ is a bill of materials: CycloneDX, SPDX or a SWID tag, in any of their forms."""
    folder = f"{built.home}/sboms/"
    others = sorted(
        name for name, data in built.members.items() if name.startswith(folder) and not _is_bill(name, data)
    )
    return f"no bills of materials: {others}" if others else ""


def _is_bill(name: str, data: bytes) -> bool:
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        # CycloneDX in XML; SWID; SPDX as RDF, tag-value, YAML; the binary form of CycloneDX has no mark but its ending.
        return bool(data) and (name.endswith(".cdx") or any(re.search(form, data) for form in _BILLS))
    if not isinstance(document, dict):
        return False
    spdx = "spdxVersion" in document or "spdx.org" in str(document.get("@context", ""))
    return spdx or document.get("bomFormat") == "CycloneDX"


def _license_files(built: Built) -> str:
    """Every License-File is there: below the root of an sdist, below licenses/ of a wheel."""
    if _version(built) < (2, 4):
        return ""
    base = built.home if built.kind == "sdist" else f"{built.home}/licenses"
    lacking = [name for name in built.fields("License-File") if f"{base}/{name}" not in built.members]
    return f"{base} lacks {lacking}" if lacking else ""


def _sdist_name(built: Built) -> str:
    wanted = f"{_stem(built)}.tar.gz"
    return "" if built.path.name == wanted else f"{built.path.name}, but metadata says {wanted}"


def _one_root(built: Built) -> str:
    beside = [name for name in built.members if "/" not in name]
    return "" if len(built.homes) == 1 and not beside else f"{list(built.homes)} {beside}"


def _root_name(built: Built) -> str:
    return "" if built.home == _stem(built) else f"{built.home}, but metadata says {_stem(built)}"


def _pax(built: Built) -> str:
    return "" if built.magics == {b"ustar\0"} else f"magic {sorted(built.magics)}"


def _version_2_2(built: Built) -> str:
    return "" if _version(built) >= (2, 2) else f"Metadata-Version: {built.fields('Metadata-Version')}"


CHECKS: dict[str, Callable[[Built], str]] = {
    **bills.CHECKS,
    "readable": _readable,
    "utf-8": _utf8,
    "required-fields": _required,
    "legal-metadata-version": _legal_version,
    "fields-of-its-version": _fields_of_version,
    "single-use": _single_use,
    "dynamic-names": _dynamic_names,
    "no-parentheses": _no_parentheses,
    "one-license-field": _one_license,
    "license-files": _license_files,
    "wheel-name": _wheel_name,
    "dist-info": _dist_info,
    "wheel-file": _wheel_file,
    "record": _record,
    "generator": _generator,
    "metadata-at-the-end": _last,
    "no-leftovers": _no_leftovers,
    "no-bytecode": _no_bytecode,
    "reserved-folders": _reserved_folders,
    "compatible": _compatible,
    "build-number": _build_number,
    "data-name": _data_name,
    "data-keys": _data_keys,
    "bills-of-materials": _bills,
    "sdist-name": _sdist_name,
    "one-root": _one_root,
    "root-name": _root_name,
    "pax": _pax,
    "metadata-2.2": _version_2_2,
}


def sound(built: Built, expected: Iterable[str], name: str = "") -> Iterable[Finding]:
    """What checks, by name, find of what was built as ``name``."""
    for check in expected:
        if check not in CHECKS:
            raise SuiteError("sound", f"no check {check!r}: {', '.join(CHECKS)}")
        wrong = CHECKS[check](built)
        yield Finding(f"{name} {check}".strip(), "nothing wrong", wrong or "nothing wrong", not wrong)
