"""The reference pages say what the source says, and the script that makes them would notice if they did not."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[4]
SCRIPT = ROOT / "docs" / "build.py"

pytestmark = pytest.mark.skipif(not SCRIPT.exists(), reason="only in a checkout")


@pytest.fixture(scope="module")
def build() -> Iterator[Any]:
    spec = importlib.util.spec_from_file_location("accord_docs_build", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


def test_every_code_in_the_source_has_words_and_the_other_way_round(build: Any) -> None:
    assert build.errors_page(build.error_codes(), build.error_words())


@pytest.mark.parametrize("page", ["cli.md", "errors.md", "checks.md"])
def test_a_page_is_up_to_date(build: Any, page: str) -> None:
    path = ROOT / "docs" / "reference" / page
    assert path.read_text() == build.pages()[path], "run make docs"


def test_every_code_is_an_anchor(build: Any) -> None:
    text = (ROOT / "docs" / "reference" / "errors.md").read_text()
    for code in build.error_words().errors:
        assert f"\n## {code}\n" in text


def test_every_check_is_an_anchor_where_findings_lead(build: Any) -> None:
    from accord.checks.table import CHECKS

    text = (ROOT / "docs" / "reference" / "checks.md").read_text()
    for check in CHECKS:
        assert check.docs == f"docs/reference/checks.md#{check.code}"
        assert f"\n## {check.code}\n" in text


SOURCE = """
from accord_core.errors import UsageError
def plain(): raise UsageError("one-code", "words")
def chosen(x): raise UsageError("two-code" if x else "three-code", "words")
def hand(code): raise UsageError(code, "words")
def handed(): hand("four-code")
class Faults:
    def note(self, path, code, message): self.found.append(UsageError(code, message))
    def use(self): self.note("x", "five-code", "words")
def named():
    code, words = "six-code", "words"
    raise UsageError(code, words)
def looped():
    for code, words in (("seven-code", ""), ("eight-code", "")):
        raise UsageError(code, words)
def innocent(names): names.add("no-code")
"""


def tree(folder: Path, source: str) -> Path:
    package = folder / "packages" / "accord" / "src" / "accord" / "room"
    package.mkdir(parents=True)
    (package / "module.py").write_text(source)
    return folder


def test_codes_are_found_however_they_are_handed_on(build: Any, tmp_path: Path) -> None:
    found = build.error_codes(tree(tmp_path, SOURCE))
    numbers = ("one", "two", "three", "four", "five", "six", "seven", "eight")
    assert set(found) == {f"{number}-code" for number in numbers}
    assert found["one-code"].rooms == {"accord.room"}


def test_a_code_put_together_at_run_time_is_refused(build: Any, tmp_path: Path) -> None:
    source = 'def f(x): raise UsageError(f"no-{x}", "words")\n'
    with pytest.raises(build.BuildFault, match="must be written out"):
        build.error_codes(tree(tmp_path, source))


def test_a_code_without_words_and_words_without_a_code_are_refused(build: Any, tmp_path: Path) -> None:
    found = build.error_codes(tree(tmp_path, 'def f(): raise UsageError("new-code", "words")\n'))
    with pytest.raises(build.BuildFault, match="says nothing about: new-code"):
        build.errors_page(found, build.Words({}, ()))
    with pytest.raises(build.BuildFault, match="nothing raises: old-code"):
        build.errors_page({}, build.Words({"old-code": ("a", "b")}, ()))
