"""Wrong installers, as readers of metadata and keepers of what lies beside it: the suite finds every one."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from accord_conformance.protocol import Answer, Request
from accord_conformance.testing import Damage, agreeing, cases_like, failures, tool_here


def without(pattern: str) -> Damage:
    """Takes away what an honest installation put there."""

    def damage(request: Request, answer: Answer) -> Answer:
        for path in list(Path(request.values["purelib"]).glob(pattern)):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        return answer

    return damage


# Name: (the case that must find it, damage).
FAULTS: dict[str, tuple[str, Damage]] = {
    "takes metadata of any version": ("installer/metadata/newer-major", agreeing),
    "leaves licence files out": ("installer/metadata/licence-files", without("*.dist-info/licenses/legal")),
    "leaves bills of materials out": ("installer/metadata/bills-of-materials", without("*.dist-info/sboms")),
    "forgets the second extra": ("installer/metadata/extras-add-up", without("two.py")),
    "lets one project of a namespace win": ("installer/metadata/shared-namespace", without("space/one.py")),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", FAULTS)
def test_the_fault_is_found(name: str) -> None:
    pattern, damage = FAULTS[name]
    cases = [case for case in cases_like(pattern) if case.role == "installer"]
    tool = tool_here("accord")

    assert not failures(tool, cases), "the honest tool passes"
    assert failures(tool, cases, damage)
