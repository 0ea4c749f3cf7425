"""Wrong build backends, each with one seeded fault: the suite finds every one."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from accord_conformance.protocol import Answer, Request
from accord_conformance.reading import DATA
from accord_conformance.testing import Damage, agreeing, cases_like, failures, tool_here

Members = dict[str, bytes]
Change = Callable[[Members], Members]


def out(request: Request) -> Path:
    """Where what was built lies."""
    return request.folder.parent / "out"


def write_wheel(path: Path, members: Members) -> None:
    """The wheel anew, with a RECORD that is true, unless there is one called ``RECORD!``."""
    record = next(name for name in members if name.endswith("/RECORD"))
    wrong = members.pop("RECORD!", None)
    rows = [
        f"{name},sha256={base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b'=').decode()},{len(data)}\n"
        for name, data in members.items()
        if name != record
    ]
    members[record] = wrong or ("".join(rows) + f"{record},,\n").encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)


def in_wheels(change: Change, built: str = "wheel") -> Damage:
    """Changes the members of each wheel that was built as ``built``."""

    def damage(request: Request, answer: Answer) -> Answer:
        for path in (out(request) / built).glob("*.whl"):
            with zipfile.ZipFile(path) as archive:
                members = {name: archive.read(name) for name in archive.namelist()}
            write_wheel(path, change(members))
        return answer

    return damage


def in_sdists(change: Change, form: int = tarfile.PAX_FORMAT) -> Damage:
    """Changes the members of each sdist."""

    def damage(request: Request, answer: Answer) -> Answer:
        for path in (out(request) / "sdist").glob("*.tar.gz"):
            with tarfile.open(path) as archive:
                members = {
                    info.name: stream.read() for info in archive if (stream := archive.extractfile(info))
                }
            with gzip.open(path, "wb") as packed, tarfile.open(fileobj=packed, mode="w", format=form) as new:
                for name, data in change(members).items():
                    info = tarfile.TarInfo(name)
                    info.size = len(data)
                    new.addfile(info, io.BytesIO(data))
        return answer

    return damage


def text(name: str, pattern: str, new: str) -> Change:
    """Puts ``new`` for every match of ``pattern`` in members whose path ends in ``name``."""

    def change(members: Members) -> Members:
        return {
            path: re.sub(pattern.encode(), new.encode(), data) if path.endswith(name) else data
            for path, data in members.items()
        }

    return change


def without(pattern: str) -> Change:
    """Leaves out the members whose path the pattern is in."""
    return lambda members: {path: data for path, data in members.items() if not re.search(pattern, path)}


def renamed(pattern: str, new: str) -> Change:
    """Renames members."""
    return lambda members: {re.sub(pattern, new, path): data for path, data in members.items()}


def not_utf_8(members: Members) -> Members:
    return {
        path: data.decode().encode("latin-1", "replace") if path.endswith("/METADATA") else data
        for path, data in members.items()
    }


def wrong_record(members: Members) -> Members:
    record = next(data for path, data in members.items() if path.endswith("/RECORD"))
    return {**members, "RECORD!": re.sub(rb"sha256=..", b"sha256=xx", record, count=1)}


def with_signature_row(members: Members) -> Members:
    record = next(name for name in members if name.endswith("/RECORD"))
    return {**members, "RECORD!": members[record] + b"demo-1.0.dist-info/RECORD.jws,,\n"}


def with_own_hash(members: Members) -> Members:
    record = next(name for name in members if name.endswith("/RECORD"))
    empty = f"{record},,".encode()
    return {**members, "RECORD!": members[record].replace(empty, empty[:-2] + b",sha256=x,1")}


def copied(request: Request, answer: Answer) -> Answer:
    """An editable wheel with copies of the modules."""
    source = (request.folder / "src" / "demo" / "part.py").read_bytes()

    def change(members: Members) -> Members:
        return {**without(r"\.pth$")(members), "demo/__init__.py": b"", "demo/part.py": source}

    return in_wheels(change, "editable")(request, answer)


def whole_path(request: Request, answer: Answer) -> Answer:
    return replace(answer, value={**answer.value, "value": f"/somewhere/{answer.value['value']}"})


def one_string(request: Request, answer: Answer) -> Answer:
    return replace(answer, value={"type": "str", "value": "setuptools"})


def no_specifier(request: Request, answer: Answer) -> Answer:
    return replace(answer, value={"type": "list", "value": ["setuptools, please"]})


def for_another_machine(request: Request, answer: Answer) -> Answer:
    for path in (out(request) / "editable").glob("*.whl"):
        path.rename(path.with_name("demo-1.0-py3-none-manylinux_2_17_m68k.whl"))
    return answer


def reading_stdin(request: Request, answer: Answer) -> Answer:
    return replace(answer, value={**answer.value, "left": ""}) if "left" in answer.value else answer


def long_name(request: Request, answer: Answer) -> Answer:
    """An sdist whose file name is not normalised."""
    for path in (out(request) / "sdist").glob("*.tar.gz"):
        path.rename(path.with_name("Friendly.Bard--Two-1.0.tar.gz"))
    return answer


def dashed_wheel(request: Request, answer: Answer) -> Answer:
    for path in (out(request) / "wheel").glob("*.whl"):
        path.rename(path.with_name("demo-1.0+Local-7-py3-none-any.whl"))
    return answer


def lettered_wheel(request: Request, answer: Answer) -> Answer:
    for path in (out(request) / "wheel").glob("*.whl"):
        path.rename(path.with_name("demo-1.0-b7-py3-none-any.whl"))
    return answer


def no_wheel_file(request: Request, answer: Answer) -> Answer:
    for path in out(request).glob("*-metadata/*.dist-info/WHEEL"):
        path.unlink()
    return answer


def for_another_system(request: Request, answer: Answer) -> Answer:
    for path in (out(request) / "editable").glob("*.whl"):
        path.rename(path.with_name("demo-1.0-cp27-cp27m-win32.whl"))
    return answer


def two_wheels(request: Request, answer: Answer) -> Answer:
    for path in (out(request) / "wheel").glob("*.whl"):
        shutil.copy(path, path.with_name("other-1.0-py3-none-any.whl"))
    return answer


def sorted_in_the_sdist(request: Request, answer: Answer) -> Answer:
    """An sdist whose PKG-INFO has the classifiers in another order than the wheel that is built from it."""
    if request.do != "build-sdist":
        return answer
    project = (request.folder / "pyproject.toml").read_text().replace('dynamic = ["classifiers"]\n', "")
    named = "".join(f"Classifier: {each}\n" for each in ("Development Status :: 4 - Beta", "Typing :: Typed"))
    files = {
        "PKG-INFO": f"Metadata-Version: 2.4\nName: demo\nVersion: 1.0\n{named}Dynamic: Classifier\n",
        "pyproject.toml": project,
        "src/demo/__init__.py": "",
    }
    with tarfile.open(out(request) / "sdist" / "demo-1.0.tar.gz", "w:gz") as archive:
        for name, body in files.items():
            info = tarfile.TarInfo(f"demo-1.0/{name}")
            info.size = len(body)
            archive.addfile(info, io.BytesIO(body.encode()))
    return replace(answer, outcome="done")


# Name: (the case that must find it, damage).
FAULTS: dict[str, tuple[str, Damage]] = {
    "returns a whole path": ("backend/hooks/build-wheel", whole_path),
    "builds two wheels": ("backend/hooks/build-wheel", two_wheels),
    "returns one string of requirements": ("backend/hooks/requires-for-wheel", one_string),
    "prepares no WHEEL": ("backend/hooks/prepared-metadata-is-valid", no_wheel_file),
    "builds other metadata than it prepared": (
        "backend/hooks/prepared-metadata-is-what-is-built",
        in_wheels(text("/METADATA", r"\nRequires-Dist: trio[^\n]*", "")),
    ),
    "asks for what is no dependency specifier": ("backend/hooks/requires-for-wheel", no_specifier),
    "keeps the modules of an earlier build": (
        "backend/hooks/what-is-gone-is-gone",
        in_wheels(lambda members: {**members, "demo/part.py": b"value = 1\n"}, "wheel-again"),
    ),
    "leaves a module out of the second build": (
        "backend/hooks/twice-the-same",
        in_wheels(without("demo/__init__"), "wheel-again"),
    ),
    "tags an editable wheel for another machine": ("backend/editable/tags", for_another_machine),
    "writes other metadata into an editable wheel": (
        "backend/editable/same-metadata",
        in_wheels(text("/METADATA", r"Metadata-Version: 2\.\d", "Metadata-Version: 2.0"), "editable"),
    ),
    "has a semicolon at the end of a URL": (
        "backend/dependencies/url-in-an-extra",
        in_wheels(text("/METADATA", r"\.whl\s*;", ".whl;")),
    ),
    "drops an extra's reference to another": (
        "backend/dependencies/self-referring-extra",
        in_wheels(text("/METADATA", r"\nRequires-Dist: [^\n]*all[^\n]*", "")),
    ),
    "has a field of dependency groups": (
        "backend/dependency-groups/wheel",
        in_wheels(text("/METADATA", r"\nName:", "\nDependency-Group: only-for-work\nName:")),
    ),
    "takes ? for none as well": (
        "backend/globs/question-mark",
        in_wheels(text("/METADATA", r"\nLicense-File", r"\nLicense-File: COPYING\nLicense-File")),
    ),
    "looks for * in every folder": (
        "backend/globs/star",
        in_wheels(text("/METADATA", r"\nName:", r"\nLicense-File: legal/LICENSE\nName:")),
    ),
    "reads standard input where it is open": ("backend/hooks/build-wheel-without-stdin", reading_stdin),
    "builds a broken project": ("backend/hooks/unable-raises", agreeing),
    "loses dependencies in an editable wheel": (
        "backend/editable/same-dependencies",
        in_wheels(text("/METADATA", r"\nRequires-Dist: trio", ""), "editable"),
    ),
    "copies modules into an editable wheel": ("backend/editable/change-is-seen", copied),
    "writes a wrong RECORD": ("backend/editable/is-a-wheel", in_wheels(wrong_record, "editable")),
    "tags an editable wheel for another system": ("backend/editable/tags", for_another_system),
    "loses the summary": ("backend/project/plain", in_wheels(text("/METADATA", r"\nSummary: [^\n]*", ""))),
    "fills in classifiers": (
        "backend/project/classifiers",
        in_wheels(text("/METADATA", r"\nName:", "\nClassifier: Programming Language :: Python\nName:")),
    ),
    "writes metadata in latin-1": ("backend/project/description-not-ascii", in_wheels(not_utf_8)),
    "takes Markdown for plain text": (
        "backend/project/readme-suffix-in-capitals",
        in_wheels(text("/METADATA", "text/markdown", "text/plain")),
    ),
    "puts an address into Author": (
        "backend/people/address-only",
        in_wheels(text("/METADATA", "Author-email:", "Author:")),
    ),
    "joins the marker of an extra without brackets": (
        "backend/dependencies/optional-with-or-in-its-marker",
        in_wheels(text("/METADATA", r"; \((.*)\) and extra", r"; \1 and extra")),
    ),
    "forgets extras without dependencies": (
        "backend/dependencies/extra-without-dependencies",
        in_wheels(text("/METADATA", r"\nProvides-Extra: nothing", "")),
    ),
    "writes names of entry points in lower case": (
        "backend/entry-points/capitals",
        in_wheels(text("/entry_points.txt", r"Demo ?= ?demo:main\n", "")),
    ),
    "leaves licence files out of the wheel": (
        "backend/licences/files-in-the-wheel",
        in_wheels(without("/licenses/legal")),
    ),
    "flattens licence files": (
        "backend/licences/files-by-way-of-the-sdist",
        in_wheels(renamed("/licenses/legal/", "/licenses/"), "wheel-from-sdist"),
    ),
    "writes an old metadata version": (
        "backend/licences/metadata-version-of-an-expression",
        in_wheels(text("/METADATA", r"Metadata-Version: 2\.\d", "Metadata-Version: 2.1")),
    ),
    "writes License beside an expression": (
        "backend/licences/expression",
        in_wheels(text("/METADATA", r"\nName:", "\nLicense: MIT\nName:")),
    ),
    "lets * cross a slash": (
        "backend/globs/star-stops-at-a-slash",
        in_wheels(text("/METADATA", r"\nLicense-File", r"\nLicense-File: legal/deep/b.txt\nLicense-File")),
    ),
    "takes a pattern that matches nothing": ("backend/globs/no-match", agreeing),
    "takes a pattern with ..": ("backend/globs/parent", agreeing),
    "takes a dynamic name": ("backend/refused/dynamic-name", agreeing),
    "takes console_scripts twice": ("backend/refused/console-scripts-among-entry-points", agreeing),
    "writes a GNU archive": ("backend/sdists/pax", in_sdists(dict, tarfile.GNU_FORMAT)),
    "puts files beside the folder": (
        "backend/sdists/plain",
        in_sdists(lambda members: {**members, "beside.txt": b"x"}),
    ),
    "leaves PKG-INFO out": ("backend/sdists/plain", in_sdists(without("PKG-INFO"))),
    "leaves pyproject.toml out": ("backend/sdists/plain", in_sdists(without("pyproject.toml"))),
    "does not normalise the sdist's name": ("backend/sdists/name-is-normalised", long_name),
    "writes PKG-INFO of version 2.1": (
        "backend/sdists/metadata-version",
        in_sdists(text("PKG-INFO", r"Metadata-Version: 2\.\d", "Metadata-Version: 2.1")),
    ),
    "forgets a module in the sdist": ("backend/sdists/builds-again", in_sdists(without("demo/part.py"))),
    "changes metadata on the way through the sdist": (
        "backend/sdists/metadata-is-kept",
        in_wheels(text("/METADATA", r"\nRequires-Python: [^\n]*", ""), "wheel-from-sdist"),
    ),
    "writes a Build that the file name does not have": (
        "backend/wheels/build-number",
        in_wheels(text("/WHEEL", r"\nTag:", "\nBuild: 1\nTag:")),
    ),
    "strips dependency groups from pyproject.toml": (
        "backend/dependency-groups/table-stays",
        in_sdists(text("pyproject.toml", r"\[dependency-groups\]", "[tool.gone]")),
    ),
    "lists a signature in RECORD": ("backend/wheels/in-form", in_wheels(with_signature_row)),
    "signs wheels as of old": (
        "backend/wheels/no-leftovers",
        in_wheels(lambda members: {**members, "demo-1.0.dist-info/RECORD.jws": b"{}"}),
    ),
    "sorts in the sdist alone": ("backend/dynamic/what-the-sdist-has-stays", sorted_in_the_sdist),
    "names the data folder otherwise": (
        "backend/wheels/data-folder",
        in_wheels(renamed(r"^demo-1\.0\.data/", "demo.data/")),
    ),
    "invents a key of the install scheme": (
        "backend/wheels/data-keys",
        in_wheels(renamed(r"\.data/data/", ".data/share/")),
    ),
    "puts a readme among the bills of materials": (
        "backend/wheels/bills-of-materials",
        in_wheels(lambda members: {**members, "demo-1.0.dist-info/sboms/README": b"Bills of CycloneDX."}),
    ),
    "calls a field dynamic that there is not": (
        "backend/sdists/dynamic-names-fields",
        in_sdists(text("PKG-INFO", r"\nName:", "\nDynamic: Colour\nName:")),
    ),
    "has other import names in the wheel": (
        "backend/import-names/the-same-everywhere",
        in_wheels(text("/METADATA", "Import-Name: demo", "Import-Name: other")),
    ),
    "refuses without UnsupportedOperation": (
        "backend/hooks/build-sdist-without-version-control",
        lambda request, answer: replace(answer, outcome="refused", message="RuntimeError: no git"),
    ),
    "prints in latin-1": (
        "backend/hooks/output-is-utf-8",
        lambda request, answer: replace(answer, message="gr\ufffd\ufffde"),
    ),
    "leaves the expression out": (
        "backend/licences/metadata-version-of-an-expression",
        in_wheels(text("/METADATA", r"\nLicense-Expression: [^\n]*", "")),
    ),
    "makes an expression of a classifier": (
        "backend/licences/classifier-without-expression",
        in_wheels(text("/METADATA", r"\nName:", "\nLicense-Expression: MIT\nName:")),
    ),
    "cuts a name at its bracket": (
        "backend/people/name-that-needs-quotes",
        in_wheels(text("/METADATA", r" \(Peanuts\)", "")),
    ),
    "writes dashes for the dots of a name": (
        "backend/project/name-with-capitals-and-dots",
        in_wheels(text("/METADATA", r"\nName: [^\n]*", "\nName: Friendly-Bard-Two")),
    ),
    "names another charset": (
        "backend/project/readme-markdown",
        in_wheels(text("/METADATA", r"text/markdown[^\n]*", "text/markdown; charset=iso-8859-1")),
    ),
    "reads a readme in the locale's encoding": (
        "backend/project/readme-in-another-locale",
        in_wheels(text("/METADATA", "Größe", "GrÃ¶Ã\x9fe")),
    ),
    "reads a licence in the locale's encoding": (
        "backend/metadata/license-table-in-another-locale",
        in_wheels(text("/METADATA", "Müller", "MÃ¼ller")),
    ),
    "names the sdist otherwise than its metadata": ("backend/sdists/folder-follows-the-metadata", long_name),
    "loses letters that are not ASCII": (
        "backend/sdists/metadata-in-form",
        in_sdists(text("PKG-INFO", "ä", "?")),
    ),
    "calls the version dynamic": (
        "backend/sdists/dynamic-names-fields",
        in_sdists(text("PKG-INFO", r"\nName:", "\nDynamic: Version\nName:")),
    ),
    "loses a module on the way through the sdist": (
        "backend/sdists/builds-again",
        in_wheels(without("demo/part.py"), "wheel-from-sdist"),
    ),
    "writes metadata of version 1.0": (
        "backend/wheels/in-form",
        in_wheels(text("/METADATA", r"Metadata-Version: 2\.\d", "Metadata-Version: 1.0")),
    ),
    "gives RECORD a hash of itself": ("backend/wheels/in-form", in_wheels(with_own_hash)),
    "leaves a dash in a local version": ("backend/wheels/local-version", dashed_wheel),
    "writes a build tag of letters": ("backend/wheels/name-of-the-file", lettered_wheel),
    "takes every file beside a licence": (
        "backend/licences/files-in-the-sdist",
        in_sdists(text("PKG-INFO", r"\nLicense-File", r"\nLicense-File: legal/other.txt\nLicense-File")),
    ),
    "packs setup.py": (
        "backend/wheels/no-leftovers",
        in_wheels(lambda members: {**members, "setup.py": b"from setuptools import setup\n"}),
    ),
    "writes import names under an old version": (
        "backend/import-names/names",
        in_wheels(text("/METADATA", r"Metadata-Version: 2\.\d", "Metadata-Version: 2.4")),
    ),
}


def renamed_wheel(request: Request, answer: Answer) -> Answer:
    """The wheel with the build number in its file name, and nowhere else."""
    for path in (out(request) / "wheel").glob("*.whl"):
        path.rename(path.with_name("demo-1.0-7-py3-none-any.whl"))
    return answer


@pytest.mark.slow
def test_a_build_number_in_the_file_name_alone_is_found() -> None:
    cases = cases_like("backend/wheels/build-number-asked-for")
    here = tool_here("accord-backend")
    part = here.adapter.parts["backend"]
    told = replace(part, settings={**part.settings, "numbered": {}})
    tool = replace(here, adapter=replace(here.adapter, parts={**here.adapter.parts, "backend": told}))

    assert not failures(tool, cases), "who makes nothing of it is not asked"
    assert failures(tool, cases, renamed_wheel)


@pytest.mark.parametrize(
    ("needs", "declares", "built"),
    [("", [], False), ("Requires-Dist: borrowed>=1\n", [], True), ("", ["Borrowed"], True)],
)
def test_what_is_hidden_is_what_nothing_declared_brings(
    tmp_path: Path, needs: str, declares: list[str], built: bool
) -> None:
    for name, code, more in (
        ("borrowed", "", ""),
        ("wrapping", "def build_wheel(folder):\n    import borrowed\n    return ''\n", needs),
    ):
        (tmp_path / f"{name}.py").write_text(code)
        folder = tmp_path / f"{name}-1.0.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n{more}")
        (folder / "RECORD").write_text(f"{name}.py,,\n")
    call = {
        "backend": "wrapping", "hook": "build_wheel", "hidden": ["borrowed"], "declared": declares, "closed": False,
        "tree": str(tmp_path), "positional": [str(tmp_path)], "named": {}, "answer": str(tmp_path / "answer.json"),
    }  # fmt: skip
    (tmp_path / "call.json").write_text(json.dumps(call))
    caller = DATA / "speaking" / "call_hook.py"
    done = subprocess.run(
        [sys.executable, str(caller), str(tmp_path / "call.json")],
        env={"PYTHONPATH": str(tmp_path)}, capture_output=True, check=False,
    )  # fmt: skip

    assert (done.returncode == 0) is built, done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("name", FAULTS)
def test_the_fault_is_found(name: str) -> None:
    pattern, damage = FAULTS[name]
    cases = [case for case in cases_like(pattern) if case.role == "backend"]
    tool = tool_here("accord-backend")

    assert not failures(tool, cases), "the honest tool passes"
    assert failures(tool, cases, damage)
