"""The report: counts what counts, tells every failure with its command, and trusts no tool's words."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from accord_conformance import results
from accord_conformance.cases import Case, Reading, Step, read_cases
from accord_conformance.cli import main
from accord_conformance.errors import SuiteError
from accord_conformance.judging import Finding
from accord_conformance.report.markdown import failures_page, matrix_page
from accord_conformance.report.matrix import Book, asked
from accord_conformance.report.site import write_site
from accord_conformance.results import (
    Played,
    Run,
    StepPlayed,
    compare,
    joined,
    read_run,
    verdicts,
    write_run,
)
from accord_conformance.reviews import Review
from accord_conformance.standards import Rule, Standard, Standards, read_standards

RULES = tuple(
    Rule(f"X.{number}", "X", level, "One", ("installer",), "It is so.", "is so")
    for number, level in ((1, "MUST"), (2, "SHOULD"))
)
STANDARDS = Standards(
    (Standard("X", "A standard", "https://standards.example/x", (), date(2026, 8, 19), RULES),),
    {rule.id: rule for rule in RULES},
)
EVIL = "<script>alert('x')</script>"


def case(name: str, rule: str = "X.1", kind: str = "verdict") -> Case:
    steps = (Step("install", {"requested": True}, {"files": [EVIL]}),)
    readings = (Reading("so", {}), Reading("otherwise", {})) if kind == "disputed" else ()
    return Case(
        f"installer/x/{name}",
        "installer",
        f"Case {name}",
        (rule,),
        STANDARDS.rules[rule].level,
        kind,
        {},
        steps,
        readings,
        "",
        "",
    )


CASES = {
    each.id: each
    for each in (case("a"), case("b"), case("c", "X.2"), case("d", kind="disputed"), case("e", kind="survey"))
}


def played(name: str, tool: str, verdict: str) -> Played:
    finding = Finding("files", EVIL, f"it is not {EVIL}", verdict != "fail")
    step = StepPlayed("install", "done", EVIL, EVIL, False, (("mine", EVIL),), (finding,))
    return Played(f"installer/x/{name}", tool, verdict, (step,), 0.1)


def run(**verdicts: str) -> Run:
    """What ``mine`` came to; ``other`` passes everything it can."""
    results = [played(name, "mine", verdict) for name, verdict in verdicts.items()]
    results += [played("a", "other", "pass"), played("b", "other", "unsupported")]
    tools = {
        name: {"title": name.title(), "version": "1.0", "packages": {"x": "1"}} for name in ("mine", "other")
    }
    return Run("2026-11-27T00:00:00Z", "3.11.7", "Linux x86_64", tools, tuple(results))


def book(found: Run) -> Book:
    return Book(found, STANDARDS, CASES, {})


def test_only_passed_and_failed_cases_that_a_sentence_decides_count() -> None:
    found = book(run(a="pass", b="fail", c="fail", d="reading-1", e="seen"))
    everything = CASES.values()

    assert str(found.share("mine", everything, "MUST")) == "1/2"
    assert str(found.share("mine", everything, "SHOULD")) == "0/1"
    assert str(found.share("other", everything, "MUST")) == "1/1"
    assert [each.id for each, _ in found.failures("mine")] == ["installer/x/b", "installer/x/c"]


def test_the_page_of_failures_has_the_sentence_and_the_command() -> None:
    text = failures_page(book(run(a="fail")))

    assert 'MUST `X.1`, It is so ("is so")' in text
    assert "`accord-conformance run --tool mine --case installer/x/a -v`" in text


def test_the_page_of_the_matrix_has_a_table_for_each_role_that_was_played() -> None:
    text = matrix_page(book(run(a="fail", c="pass")), "make conformance")

    assert "## installer" in text
    assert "| Mine | **0/1** + 1/1 | **0/1** + 1/1 |" in text
    assert "## resolver" not in text


def drafted(found: Run) -> Book:
    """The same, of a document that is a draft."""
    (standard,) = STANDARDS.standards
    rules = tuple(replace(rule, quote="is") for rule in RULES)
    draft = replace(standard, standing="draft", rules=rules)
    return replace(book(found), standards=Standards((draft,), {rule.id: rule for rule in rules}))


def test_what_rests_on_a_draft_is_shown_and_not_added_up(tmp_path: Path) -> None:
    found = drafted(run(a="fail", c="pass"))
    write_site(found, [], tmp_path)

    text = matrix_page(found, "make conformance")
    assert "| | X (draft) | all |" in text
    assert "| Mine | **0/1** + 1/1 | · |" in text
    assert 'MUST (draft) `X.1`, It is so ("is")' in failures_page(found)
    matrix = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "A standard (draft)" in matrix
    assert matrix.count("0/1") == 1


def test_no_words_of_a_tool_become_elements_of_a_page(tmp_path: Path) -> None:
    pages = write_site(
        book(run(a="fail", b="pass", c="pass", d="reading-2", e="seen")), [], tmp_path / "site"
    )

    written = list((tmp_path / "site").rglob("*.html"))
    assert len(written) == pages == 4 + 1 + 2 + 5
    for path in written:
        text = path.read_text(encoding="utf-8")
        assert "<script" not in text
        assert "href" in text
    assert "&lt;script&gt;" in (tmp_path / "site" / "case" / "installer--x--a.html").read_text(
        encoding="utf-8"
    )


def test_every_link_of_the_site_leads_somewhere(tmp_path: Path) -> None:

    write_site(book(run(a="fail", b="pass")), [], tmp_path)

    for path in tmp_path.rglob("*.html"):
        for target, place in re.findall(r'href="([^"#:]+)(?:#([^"]*))?"', path.read_text(encoding="utf-8")):
            found = path.parent / target
            assert found.exists(), f"{path.name} -> {target}"
            if place:
                assert f' id="{place}"' in found.read_text(encoding="utf-8"), (
                    f"{path.name} -> {target}#{place}"
                )


def test_what_a_tool_fails_and_why_is_two_steps_from_the_matrix(tmp_path: Path) -> None:
    write_site(book(run(a="fail", b="pass")), [], tmp_path)

    matrix, page = (tmp_path / name for name in ("index.html", "tool/mine.html"))
    assert '<td class="fail"><a href="tool/mine.html#X">1/2</a>' in matrix.read_text(encoding="utf-8")
    told = page.read_text(encoding="utf-8")
    assert 'href="../case/installer--x--a.html#mine"' in told
    assert "files: expected &lt;script&gt;" in told
    assert "<code>accord-conformance run --tool mine --case installer/x/a -v</code>" in told


def test_a_run_of_a_part_says_so() -> None:
    found = run(a="fail")
    alone = replace(found, results=found.results[:1])

    assert asked(book(alone)).startswith(
        "1 cases (of 5 that the suite has) about 1 rules, 1 of them decided by a sentence, asked of 1 tool on"
    )
    assert "asked of 2 tools" in asked(book(run(a="fail", b="pass", c="pass", d="reading-1", e="seen")))


def test_a_tool_that_was_named_is_named_again_in_the_command() -> None:
    found = run(a="fail")
    tools = {**found.tools, "mine": {**found.tools["mine"], "use": ".venv"}}

    text = failures_page(book(replace(found, tools=tools)))

    assert "`accord-conformance run --tool mine --use mine=.venv --case installer/x/a -v`" in text


def test_a_run_is_read_as_it_was_written_and_changes_between_two_are_told(tmp_path: Path) -> None:
    before, after = run(a="pass", b="fail"), replace(run(a="fail", b="fail"), when="2026-11-28T00:00:00Z")
    write_run(before, tmp_path / "run.json")

    assert read_run(tmp_path / "run.json") == before
    changed = [now.case for was, now in compare(before, after) if was is not None]
    assert changed == ["installer/x/a"]
    write_site(book(after), [before], tmp_path / "site")
    assert "installer/x/a" in (tmp_path / "site" / "changes.html").read_text(encoding="utf-8")


def test_the_verdicts_alone_are_kept_and_compared_with(tmp_path: Path) -> None:
    before, after = run(a="pass", b="fail"), replace(run(a="fail", b="fail"), when="2026-11-28T00:00:00Z")
    write_run(before, tmp_path / "whole.json")
    write_run(after, tmp_path / "after.json")
    kept = tmp_path / "kept.json.xz"

    assert main(["report", str(tmp_path / "whole.json"), "--keep", str(kept)]) == 0
    assert read_run(kept) == verdicts(before)
    assert [now.case for _, now in compare(read_run(kept), after)] == ["installer/x/a"]


def test_what_is_no_kept_run_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = tmp_path / "kept.json.xz"
    kept.write_bytes(b"no archive")
    with pytest.raises(SuiteError, match="no run that suite"):
        read_run(kept)
    write_run(run(a="pass"), kept)
    kept.write_bytes(kept.read_bytes()[:-20])
    with pytest.raises(SuiteError, match="no run that suite"):
        read_run(kept)
    write_run(run(a="pass"), kept)
    monkeypatch.setattr(results, "_MOST_BYTES", 100)
    with pytest.raises(SuiteError, match="more than 100 bytes"):
        read_run(kept)


def test_a_run_may_be_made_in_pieces() -> None:
    whole = joined(run(a="fail", b="fail"), replace(run(a="pass", c="pass"), when="2026-11-28T00:00:00Z"))

    found = {(each.case, each.tool): each.verdict for each in whole.results}
    assert found["installer/x/a", "mine"] == "pass"
    assert found["installer/x/b", "mine"] == "fail"
    assert whole.when == "2026-11-28T00:00:00Z"


def test_every_case_of_the_suite_has_its_page(tmp_path: Path) -> None:
    standards = read_standards()
    cases = {each.id: each for each in read_cases(standards)}
    nothing = Run("2026-11-27T00:00:00Z", "3.11.7", "Linux x86_64", {}, ())

    pages = write_site(Book(nothing, standards, cases, {}), [], tmp_path)

    assert pages == 4 + len(standards.standards) + len(cases)


def test_what_a_reader_is_not_convinced_of_counts_against_nobody() -> None:
    found = book(run(a="fail", b="fail"))
    found.reviews = {
        "installer/x/a": Review("installer/x/a", ("mine",), "Fair.", "Doubtful.", contested=True)
    }

    assert str(found.share("mine", CASES.values(), "MUST")) == "0/1"
    assert [each.id for each, _ in found.failures("mine")] == ["installer/x/b"]


def test_a_folder_that_holds_something_else_is_not_emptied(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("dear to me")

    with pytest.raises(SuiteError, match="no earlier report"):
        write_site(book(run(a="pass")), [], tmp_path)

    assert (tmp_path / "mine").read_text() == "dear to me"
    write_site(book(run(a="pass")), [], tmp_path / "site")
    write_site(book(run(a="fail")), [], tmp_path / "site")
