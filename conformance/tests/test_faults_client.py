"""Wrong clients of an index, each with one seeded fault: the suite finds every one."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request as Ask
from urllib.request import urlopen

import pytest

from accord_conformance.protocol import Answer, Request
from accord_conformance.testing import Damage, agreeing, cases_like, failures, tool_here

ACCEPT = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.01"


def asks(path: str, accept: str = ACCEPT) -> Damage:
    """Asks the index for one thing more."""

    def damage(request: Request, answer: Answer) -> Answer:
        try:
            with urlopen(Ask(request.values["site"] + path, headers={"Accept": accept}), timeout=10) as reply:
                reply.read()
        except HTTPError as error:
            error.close()
        return answer

    return damage


def left(version: str, name: str = "demo") -> Damage:
    """Leaves that version of the project in the environment."""

    def damage(request: Request, answer: Answer) -> Answer:
        folder = Path(request.values["purelib"])
        for old in folder.glob(f"{name}-*.dist-info"):
            shutil.rmtree(old)
        made = folder / f"{name}-{version}.dist-info"
        made.mkdir()
        made.joinpath("METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        return answer

    return damage


def without(name: str, version: str = "*") -> Damage:
    """Does not install that project, or not that version."""

    def damage(request: Request, answer: Answer) -> Answer:
        for old in Path(request.values["purelib"]).glob(f"{name}-{version}.dist-info"):
            shutil.rmtree(old)
        return answer

    return damage


def brings(name: str) -> Damage:
    """Leaves one module more in the environment."""

    def damage(request: Request, answer: Answer) -> Answer:
        Path(request.values["purelib"], name).write_text("")
        return answer

    return damage


def words(change: Callable[[str], str]) -> Damage:
    """Says something else."""
    return lambda request, answer: replace(answer, message=change(answer.message))


def refusing(request: Request, answer: Answer) -> Answer:
    return replace(answer, outcome="refused")


def with_a_traceback(request: Request, answer: Answer) -> Answer:
    return replace(answer, untidy=True)


# Name: (the case that must find it, damage).
FAULTS: dict[str, tuple[str, Damage]] = {
    "goes on with a newer major version": ("client/versions/json-newer-major", agreeing),
    "goes on with a Content-Type of a newer major version": (
        "client/versions/content-type-of-a-newer-major",
        agreeing,
    ),
    "refuses HTML that has no version": ("client/versions/html-without-version", refusing),
    "refuses a newer minor version": ("client/versions/json-newer-minor", refusing),
    "does not say that the version is too new": (
        "client/versions/json-newer-major-words",
        words(lambda said: "error: no"),
    ),
    "says something else of a version": (
        "client/versions/html-newer-major-words",
        words(lambda said: "error: no version of demo is in the index (python 3.12.0)"),
    ),
    "installs, though it refuses": ("client/versions/html-newer-major", left("1.0")),
    "ends in a traceback where the server does not accept": (
        "client/negotiation/not-acceptable",
        with_a_traceback,
    ),
    "says that it installed what it was offered a choice of": (
        "client/negotiation/multiple-choices",
        agreeing,
    ),
    "asks for the name as it is written": (
        "client/names/upper-case",
        asks("/simple/Holy-Grail-X/"),
    ),
    "asks through the parameter format": (
        "client/negotiation/no-format-parameter",
        asks("/simple/demo/?format=application/vnd.pypi.simple.v1%2Bjson"),
    ),
    "asks without saying that it reads JSON": (
        "client/negotiation/json-that-is-read-is-asked-for",
        asks("/simple/demo/", "text/html"),
    ),
    "asks with an Accept that is out of form": (
        "client/negotiation/accept-is-a-list",
        asks("/simple/demo/", "text/html; application/vnd.pypi.simple.v1+json"),
    ),
    "asks with a quality of two": (
        "client/negotiation/accept-is-a-list",
        asks("/simple/demo/", f"{ACCEPT}, */*;q=2"),
    ),
    "asks with a type that is half a wild card": (
        "client/negotiation/accept-is-a-list",
        asks("/simple/demo/", f"{ACCEPT}, */html"),
    ),
    "asks without saying what it reads": (
        "client/negotiation/plain",
        asks("/simple/demo/", ""),
    ),
    "does not read a type that it lists": ("client/negotiation/v1-json", refusing),
    "takes a yanked version (JSON)": ("client/yanked/json-true", left("2.0")),
    "takes a yanked version without a reason (HTML)": ("client/yanked/html-empty", left("2.0")),
    "keeps away from a version that is no longer yanked": ("client/yanked/unyanked", left("1.0")),
    "installs a yanked file and says nothing": (
        "client/yanked/pinned-warning",
        words(lambda said: re.sub("(?i)yank", "----", said)),
    ),
    "installs the yanked one of two builds": ("client/yanked/build-number", brings("of_the_yanked.py")),
    "installs the yanked wheel of a version that has an sdist": (
        "client/yanked/not-yanked-file-of-the-version",
        brings("of_the_yanked.py"),
    ),
    "takes a yanked final release, to keep away from a pre-release": (
        "client/yanked/final-yanked-pre-release-not",
        left("3.0"),
    ),
    "takes a file for a Python to come": ("client/requires-python/json-newer-python", left("2.0")),
    "does not decode Requires-Python in HTML": ("client/requires-python/html-fits", left("1.0")),
    "takes the last file of the page for the newest": ("client/pages-json/order-of-files", left("1.0")),
    "takes the first file of the page for the newest": (
        "client/pages-json/order-of-files-from-the-front",
        left("1.0"),
    ),
    "takes the first of versions for the newest": ("client/pages-json/order-of-versions", left("2.0")),
    "takes a server's private key for a standard's": ("client/pages-json/private-keys", left("1.0")),
    "passes over a file with a time without fractions": (
        "client/pages-json/upload-time",
        without("demo", "1.0"),
    ),
    "passes over a file with a provenance": ("client/pages-json/provenance-null", without("second")),
    "passes over a file with a signature (JSON)": ("client/pages-json/gpg-sig", without("demo", "1.0")),
    "passes over a file with a signature (HTML)": ("client/pages-html/gpg-sig", without("demo", "1.0")),
    "takes an attribute for one that begins so": ("client/pages-html/unknown-attributes", left("1.0")),
    "asks for the name as it is written before the right one (HTML)": (
        "client/names/html",
        asks("/simple/Holy_Grail.X/"),
    ),
    "makes a hyphen of the first underscore alone": (
        "client/names/underscore",
        asks("/simple/holy-grail_x/"),
    ),
    "makes a hyphen of the first dot alone": ("client/names/dot", asks("/simple/holy-grail.x/")),
    "stops at a key it does not know": ("client/pages-json/unknown-keys", refusing),
    "does not see a dependency without a metadata file": ("client/metadata/html-missing", without("demo")),
    "fails where there is no metadata file": ("client/metadata/json-false", refusing),
    "looks for the metadata file where the name ends without its suffix": (
        "client/metadata/plain",
        asks("/files/asker/asker-1.0-py3-none-any.metadata"),
    ),
    "looks for the metadata file of a relative URL below the page": (
        "client/metadata/relative-file-url",
        asks("/simple/asker/files/asker/asker-1.0-py3-none-any.whl.metadata"),
    ),
    "takes the old name for the new one": (
        "client/metadata/names-disagree",
        asks("/files/asker/asker-1.0-py3-none-any.whl.metadata"),
    ),
    "stumbles over a project in quarantine": ("client/status/quarantined", with_a_traceback),
    "refuses an archived project": ("client/status/archived-html", refusing),
}


@pytest.mark.parametrize("name", FAULTS)
def test_the_fault_is_found(name: str) -> None:
    pattern, damage = FAULTS[name]
    cases = [case for case in cases_like(pattern) if case.role == "installer"]
    tool = tool_here("accord")

    assert not failures(tool, cases), "the honest tool passes"
    assert failures(tool, cases, damage)
