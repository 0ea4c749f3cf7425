"""Wrong build frontends, each with one seeded fault (``small_frontend``): the suite finds every one, and nothing wrong with the honest one."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from accord_conformance.cases import Case
from accord_conformance.running import play_case
from accord_conformance.testing import cases_like, tool_here

from .small_frontend import SmallFrontend

# The fault: the case that must find it.
FAULTS = {
    "runs hooks elsewhere": "frontend/hooks/plain",
    "puts backend-path last": "frontend/backend-path/before-the-requirements",
    "looks for the backend in the tree": "frontend/hooks/not-from-the-tree",
    "lets backend-path lead outside": "frontend/backend-path/outside-by-a-link",
    "ignores requires": "frontend/environment/requires-of-pyproject",
    "ignores what hooks require": "frontend/environment/what-the-hook-asked-for",
    "does not mind a missing requires": "frontend/environment/no-requires",
    "leaves programs off PATH": "frontend/environment/programs-are-on-path",
    "prefers setup.py": "frontend/hooks/setup-py-is-not-asked",
    "wants every hook": "frontend/hooks/no-get-requires",
    "wants metadata prepared": "frontend/hooks/no-prepare-metadata",
    "wants UnsupportedOperation": "frontend/hooks/no-unsupported-operation",
    "calls all hooks in one process": "frontend/hooks/each-hook-in-a-fresh-process",
    "loads the backend anew in one process": "frontend/hooks/each-hook-in-a-fresh-process",
    "drops settings": "frontend/hooks/settings",
    "forgets the settings of requirements": "frontend/hooks/settings-when-installing",
    "drops what has a marker": "frontend/environment/requirement-whose-marker-does-not-hold",
    "lets the last setting win": "frontend/hooks/setting-given-twice",
    "goes by the exit code": "frontend/hooks/a-hook-that-ends-its-process-in-peace",
    "passes over failures": "frontend/hooks/a-hook-that-raises",
    "takes what is printed for the answer": "frontend/hooks/a-hook-that-prints",
    "wants UTF-8": "frontend/hooks/a-hook-that-prints-no-text",
    "takes noise for success": "frontend/hooks/a-hook-that-prints-no-text-and-fails",
    "hands on half of the metadata": "frontend/editable/prepared-metadata-is-handed-on",
    "writes into the prepared metadata": "frontend/hooks/prepared-metadata-is-handed-on-at-installing",
    "does not say editable": "frontend/editable/direct-url",
    "keeps the editable wheel": "frontend/editable/wheel-is-not-kept",
    "leaves editables in place": "frontend/editable/uninstalled",
    "leaves programs in place": "frontend/editable/uninstalled",
    "makes every file a program": "frontend/unpacking/plain",
    "unpacks whatever there is": "frontend/unpacking/absolute-link",
    "leaves out in silence what leads outside": "frontend/unpacking/told-of-an-entry-outside",
}


def wrong(cases: Sequence[Case], fault: str = "") -> list[str]:
    """The cases that fail with the small frontend."""
    tool = tool_here("accord")  # only its folder of programs is looked at
    return [case.id for case in cases if play_case(tool, case, SmallFrontend(fault)).verdict == "fail"]


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
def test_the_fault_is_found(fault: str) -> None:
    cases = cases_like(FAULTS[fault])

    assert cases
    assert not wrong(cases), "the honest frontend passes"
    assert wrong(cases, fault)


@pytest.mark.slow
@pytest.mark.parametrize(("fault", "reading"), [("", "reading-1"), ("puts backend-path last", "reading-2")])
def test_where_the_folders_of_backend_path_stand_is_seen(fault: str, reading: str) -> None:
    (case,) = cases_like("frontend/backend-path/first-of-sys-path")

    assert play_case(tool_here("accord"), case, SmallFrontend(fault)).verdict == reading


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "reading"), [("", "reading-1"), ("lets the target environment in", "reading-2")]
)
def test_whether_a_build_is_isolated_is_seen(fault: str, reading: str) -> None:
    (case,) = cases_like("frontend/environment/isolated")

    assert play_case(tool_here("accord"), case, SmallFrontend(fault)).verdict == reading


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["parent-folder", "file-through-a-link", "hard-link-to-outside", "high-bits"]
)
def test_who_unpacks_whatever_there_is_is_found_though_it_sweeps_up(name: str) -> None:
    (case,) = cases_like(f"frontend/unpacking/{name}")

    assert play_case(tool_here("accord"), case, SmallFrontend("unpacks whatever there is")).verdict == "fail"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["pipe", "hard-link-to-outside"])
def test_who_leaves_an_entry_out_and_builds_is_right(name: str) -> None:
    (case,) = cases_like(f"frontend/unpacking/{name}")
    lenient = SmallFrontend("leaves out in silence what leads outside")

    assert play_case(tool_here("accord"), case, lenient).verdict == "pass"
