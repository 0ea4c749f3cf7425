"""No test is passed by: pytest skips folders of certain names in silence."""

from __future__ import annotations

from fnmatch import fnmatch
from pathlib import Path

import pytest

PACKAGES = Path(__file__).parents[3]


def test_no_folder_of_tests_has_a_name_that_pytest_passes_by(pytestconfig: pytest.Config) -> None:
    passed_by = pytestconfig.getini("norecursedirs")
    files = [path.relative_to(PACKAGES) for path in PACKAGES.glob("*/tests/**/test_*.py")]
    assert len(files) > 100
    hidden = [
        str(path)
        for path in files
        if any(fnmatch(folder, pattern) for folder in path.parts[:-1] for pattern in passed_by)
    ]
    assert hidden == []
