"""Releases of the configured index: no error on what the index took, and the ones that are known stay known."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import Bench, codes

pytest.importorskip("trove_classifiers", reason="accord[check] is not installed")
pytest.importorskip("elftools", reason="accord[check] is not installed")
pytest.importorskip("comrak", reason="accord[check] is not installed")
pytestmark = [pytest.mark.network, pytest.mark.slow]

# Pure, compiled, of the stable ABI, bundled libraries, a program, metadata that ask only for others.
WHEELS = (
    "attrs==24.2.0",
    "flask==3.0.3",
    "requests==2.32.3",
    "markupsafe==2.1.5",
    "pyyaml==6.0.2",
    "cryptography==43.0.1",
    "psutil==6.0.0",
    "lxml==5.3.0",
    "numpy==1.26.4",
    "pydantic-core==2.23.4",
)
SDISTS = ("flask==3.0.3", "markupsafe==3.0.2", "tomlkit==0.13.2")
# Accepted once, and refused by a rule that came later: metadata 2.0 were never a standard.
OLDER = ("six==1.10.0",)


def download(folder: Path, kind: str, names: tuple[str, ...]) -> list[Path]:
    command = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "download", "--no-deps"]
    done = subprocess.run(
        [*command, kind, ":all:", "--dest", str(folder), *names], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        pytest.skip(f"the configured index did not give the releases: {done.stderr[-300:]}")
    return sorted(folder.iterdir())


def test_no_error_is_found_in_published_wheels(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "wheels").mkdir()
    paths = download(tmp_path / "wheels", "--only-binary", WHEELS)
    reports = [bench.check(path) for path in paths]
    errors = {
        (Path(report.path).name.partition("-")[0], one.check.code)
        for report in reports
        for one in report.found
        if one.check.severity == "error"
    }
    # Names in normal form were not asked for when these two were uploaded.
    assert errors == {("MarkupSafe", "wheel-name"), ("PyYAML", "wheel-name")}
    assert len(reports) == len(WHEELS)
    assert all(report.skipped == () for report in reports)


def test_no_error_is_found_in_published_sdists(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "sdists").mkdir()
    for path in download(tmp_path / "sdists", "--no-binary", SDISTS):
        report = bench.check(path)
        assert [one.finding.message for one in report.found if one.check.severity == "error"] == []


def test_a_wheel_of_before_the_rule_is_refused_by_the_rule_only(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "older").mkdir()
    (path,) = download(tmp_path / "older", "--only-binary", OLDER)
    report = bench.check(path)
    assert [one.check.code for one in report.found if one.check.severity == "error"] == ["metadata-invalid"]
    assert "requires-python-missing" in codes(report)


def test_a_promise_that_is_renamed_is_found_in_a_real_wheel(bench: Bench, tmp_path: Path) -> None:
    """The wheel of a later policy, called as if it were of an older one; the stable ABI of 3.7, called 3.2."""
    (tmp_path / "wheels").mkdir()
    (path,) = download(tmp_path / "wheels", "--only-binary", ("cryptography==43.0.1",))
    name, version, _, abi, _ = path.name.removesuffix(".whl").split("-")
    other = path.with_name(f"{name}-{version}-cp32-{abi}-manylinux_2_5_x86_64.whl")
    path.rename(other)
    found = codes(bench.check(other))
    assert {"wheel-tags", "elf-policy", "elf-abi3"} <= set(found)
