"""The report as one static site: matrix, standards down to the sentence, cases down to the command, tools, changes.  Reads without JavaScript.

index.html  standards.html  tools.html  changes.html  style.css  run.json
standard/ID.html  case/FOLDER--FILE--NAME.html  tool/NAME.html
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

from accord_conformance.cases import Case
from accord_conformance.errors import SuiteError
from accord_conformance.reading import DATA
from accord_conformance.report.elements import Element, Markup, page, table, tag
from accord_conformance.report.matrix import Book, asked, called, reproduce, shortened, wrong
from accord_conformance.results import Played, Run, StepPlayed, compare, write_run
from accord_conformance.roles import role
from accord_conformance.standards import ROLES, Rule, Standard

__all__ = ["write_site"]

_WORDS = {
    "pass": "pass",
    "fail": "fail",
    "unsupported": "no such function",
    "void": "void",
    "error": "error of the suite",
    "seen": "survey",
    "reading-1": "reading 1",
    "reading-2": "reading 2",
    "reading-3": "reading 3",
    "reading-none": "no reading",
}


def write_site(book: Book, earlier: Iterable[Run], out: Path) -> int:
    """Writes the site into ``out``, in place of an earlier one; how many pages there are.

    SuiteError for a folder that holds anything else: it would be lost.
    """
    out = out.absolute()  # "." has no name to write beside
    if out.exists() and not out.is_dir():
        raise SuiteError(str(out), "is no folder")
    if out.exists() and not (out / "run.json").exists() and any(out.iterdir()):
        raise SuiteError(str(out), "is not empty and holds no earlier report; name another folder")
    pages = {
        "index.html": _index(book),
        "standards.html": _standards(book),
        "tools.html": _tools(book),
        "changes.html": _changes(book, list(earlier)),
    }
    for standard in book.standards.standards:
        pages[f"standard/{standard.id}.html"] = _standard(book, standard)
    for tool in book.tools():
        pages[f"tool/{tool}.html"] = _tool(book, tool)
    for case in book.cases.values():
        pages[f"case/{_file(case)}"] = _case(book, case)
    # Beside it first: whoever runs out of room keeps the report there was.
    partial = out.with_name(out.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        for name, text in pages.items():
            path = partial / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        shutil.copyfile(DATA / "report" / "style.css", partial / "style.css")
        write_run(book.run, partial / "run.json")
        shutil.rmtree(out, ignore_errors=True)
        partial.replace(out)
    except OSError as error:
        raise SuiteError(str(out), f"cannot be written: {error.strerror or error}") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return len(pages)


def _file(case: Case) -> str:
    return case.id.replace("/", "--") + ".html"


def _index(book: Book) -> str:
    about = tag(
        "p",
        asked(book)
        + " A cell shows how many of the cases of MUST sentences passed, of those the tool has a function for; below it, after the plus, of SHOULD "
        "sentences. Red: a MUST failed; yellow: a SHOULD; a dot: nothing to ask it. A cell leads to what the tool failed of it. "
        "What rests on a draft, or where there is no standard, has a line that says so, and is not in those by role.",
    )
    left = book.unknown()
    if left:
        about = Markup(
            about + tag("p", f"{left} results are of cases that this suite does not have; they are left out.")
        )
    by_standard = []
    for standard in book.standards.standards:
        cases, href = book.of_standard(standard), f"standard/{standard.id}.html"
        if any(case.id in book.played for case in cases):
            link = tag("a", called(standard, standard.title), href=href)
            by_standard.append([link, *_cells(book, cases, standard.id)])
    by_role = (
        [name, *_cells(book, book.of_standards(book.of_role(name)), name)]
        for name in ROLES
        if any(case.id in book.played for case in book.of_role(name))
    )
    return page(
        "Who follows which standard",
        0,
        about,
        tag("h2", "By standard"),
        table(["Standard", *_tool_heads(book)], by_standard, class_="matrix"),
        tag("h2", "By role"),
        table(["Role", *_tool_heads(book)], by_role, class_="matrix"),
    )


def _tool_heads(book: Book) -> list[Markup]:
    return [
        tag("th", tag("a", book.title(tool), href=f"tool/{tool}.html"), class_="tool", scope="col")
        for tool in book.tools()
    ]


def _cells(book: Book, cases: list[Case], row: str) -> list[Markup]:
    """A cell for each tool, which leads to ``row`` of the tool's page."""
    cells = []
    for tool in book.tools():
        must, should = (book.share(tool, cases, level) for level in ("MUST", "SHOULD"))
        if not must.counted and not should.counted:
            cells.append(tag("td", "·", class_="none"))
            continue
        kind = "fail" if not must.whole else "part" if not should.whole else "pass"
        text = str(must) if must.counted else "-"
        shown = tag("a", text, href=f"tool/{tool}.html#{row}")
        below = tag("div", f"+ {should}", class_="soft") if should.counted else None
        cells.append(tag("td", shown, below, class_=kind))
    return cells


def _standards(book: Book) -> str:
    rows = []
    for standard in book.standards.standards:
        asked = sum(1 for rule in standard.rules if book.cases_of(rule))
        cases = book.of_standard(standard)
        link = tag("a", called(standard, standard.title), href=f"standard/{standard.id}.html")
        rows.append(
            [link, standard.id, f"{asked} of {len(standard.rules)}", str(len(cases)), str(standard.read)]
        )
    head = ["Standard", "Rules are called", "Rules with a case", "Cases", "Text of"]
    return page("Standards", 0, table(head, rows))


def _standard(book: Book, standard: Standard) -> str:
    peps = ", ".join(f"PEP {number}" for number in standard.peps)
    body: list[Element] = [
        tag(
            "p",
            tag("a", standard.source, href=standard.source),
            f" (read as of {standard.read})",
            f"; {peps}" if peps else None,
        )
    ]
    section = ""
    for rule in standard.rules:
        if rule.section != section:
            section = rule.section
            body.append(tag("h2", section))
        body += _rule(book, rule)
    return page(called(standard, standard.title), 1, *body)


def _rule(book: Book, rule: Rule) -> list[Element]:
    cases = book.cases_of(rule)
    heading = tag("h3", f"{rule.id} ", tag("span", rule.level, class_="soft"), id=rule.id)
    said = [heading, tag("p", rule.says), tag("blockquote", rule.quote)]
    if not cases:
        why = rule.unasked or "No case asks about this sentence yet."
        return [*said, tag("p", why, class_="soft")]
    tools = [name for name in book.tools() if any(name in book.played.get(case.id, {}) for case in cases)]
    rows = [
        [
            tag("a", case.title, href=f"../case/{_file(case)}"),
            *(
                _verdict(book.played.get(case.id, {}).get(name), f"../case/{_file(case)}#{name}")
                for name in tools
            ),
        ]
        for case in cases
    ]
    heads = [tag("a", book.title(name), href=f"../tool/{name}.html") for name in tools]
    return [*said, table(["Case", *heads], rows)]


def _verdict(played: Played | None, href: str | None = None) -> Markup:
    if played is None:
        return tag("td", "·", class_="none")
    word = _WORDS[played.verdict]
    return tag("td", tag("a", word, href=href) if href else word, class_=_kind(played))


def _kind(played: Played) -> str:
    """How a verdict looks."""
    return {"pass": "pass", "fail": "fail", "unsupported": "none"}.get(played.verdict, "part")


def _case(book: Book, case: Case) -> str:
    rules = tag(
        "ul",
        *(
            tag(
                "li",
                tag("a", name, href=f"../standard/{book.standards.rules[name].standard}.html#{name}"),
                f" ({rule.level}) {rule.says} ",
                tag("q", rule.quote),
            )
            for name in case.rules
            for rule in [book.standards.rules[name]]
        ),
    )
    body: list[Element] = [
        tag("p", tag("code", case.id), f" Asked of: {case.role}. {role(case.role).about}", class_="soft"),
        tag("h2", "Sentences"),
        rules,
        tag("p", case.why) if case.why else None,
    ]
    if case.kind != "verdict":
        body.append(tag("p", _UNCOUNTED[case.kind], class_="soft"))
    body += [tag("p", f"Reading {number}: {reading.says}") for number, reading in enumerate(case.readings, 1)]
    body += [tag("h2", "What is given"), _json(case.given)] if case.given else []
    body.append(tag("h2", "What is asked, and must come of it"))
    body += [_json({"do": step.do, "with": step.arguments, "expect": step.expect}) for step in case.steps]
    review = book.reviews.get(case.id)
    if review:
        body += [tag("h2", "Looked at twice"), tag("p", review.first), tag("p", review.second)]
        body.append(tag("p", f"A third reader: {review.third}") if review.third else None)
        if review.contested:
            body.append(tag("p", "Contested: nothing is counted until this is settled.", class_="soft"))
    body.append(tag("h2", "What came of it"))
    for name in book.tools():
        if name in book.played.get(case.id, {}):
            body.append(_played(book, case, book.played[case.id][name]))
    return page(case.title, 1, *body)


_UNCOUNTED = {
    "disputed": "Disputed: the sentence can be read in more ways than one. Nothing is counted.",
    "survey": "Survey: the standard is silent here. Nothing is counted.",
}


def _json(value: object) -> Markup:
    return tag("pre", json.dumps(value, indent=2, ensure_ascii=False, default=str))


def _played(book: Book, case: Case, played: Played) -> Markup:
    word = tag("span", _WORDS[played.verdict], class_=f"word {_kind(played)}")
    summary = tag("summary", f"{book.title(played.tool)} {book.run.tools[played.tool]['version']} ", word)
    again = tag("p", "Again: ", tag("code", reproduce(book, case, played.tool)), class_="soft")
    opened = {"open": ""} if played.verdict == "fail" else {}
    wrong_here = tag("p", played.error) if played.error else None
    return tag(
        "details",
        summary,
        wrong_here,
        *(_step(step) for step in played.steps),
        again,
        id=played.tool,
        **opened,
    )


def _step(step: StepPlayed) -> Markup:
    lines = [f"$ {' '.join(command)}" for command in step.commands]
    lines.append(
        f"{step.do}: {step.outcome}"
        + ("" if step.value is None else f" {json.dumps(step.value, ensure_ascii=False)}")
    )
    lines += [line for line in step.message.splitlines() if line.strip()]
    rows = [
        [
            finding.what,
            finding.expected,
            finding.found,
            tag("td", "as expected" if finding.ok else "not so", class_="pass" if finding.ok else "fail"),
        ]
        for finding in step.findings
    ]
    looked = table(["Looked at", "Expected", "Found", ""], rows) if rows else None
    return tag("div", tag("pre", "\n".join(lines)), looked)


def _tools(book: Book) -> str:
    rows = [
        [
            tag("a", book.title(name), href=f"tool/{name}.html"),
            str(book.run.tools[name]["version"]),
            ", ".join(book.roles(name)),
            _part(book, name),
            str(book.share(name, book.cases.values(), "MUST")),
            str(book.share(name, book.cases.values(), "SHOULD")),
        ]
        for name in book.tools()
    ]
    return page("Tools", 0, table(["Tool", "Version", "Asked as", "Cases", "MUST", "SHOULD"], rows))


def _part(book: Book, tool: str) -> str:
    """How many of the cases of its roles a tool was asked."""
    played = sum(tool in results for results in book.played.values())
    return f"{played} of {sum(len(book.of_role(name)) for name in book.roles(tool))}"


def _tool(book: Book, tool: str) -> str:
    facts = book.run.tools[tool]
    failures = book.failures(tool)
    rows = [
        [
            tag("div", tag("a", case.title, href=f"../case/{_file(case)}#{tool}"), _why(played)),
            case.level,
            tag("a", rule.id, href=f"../standard/{rule.standard}.html#{rule.id}"),
            rule.quote,
            tag("code", reproduce(book, case, tool)),
        ]
        for case, played in failures
        for rule in [book.sentence(case)]
    ]
    packages = ", ".join(f"{name} {version}" for name, version in facts["packages"].items())
    shares = [_share(book, tool, tag("span", name, id=name), book.of_role(name)) for name in book.roles(tool)]
    standards = [
        _with_failures(
            book,
            tool,
            tag("a", called(each, each.title), href=f"../standard/{each.id}.html", id=each.id),
            cases,
        )
        for each in book.standards.standards
        for cases in [book.of_standard(each)]
        if any(tool in book.played.get(case.id, {}) for case in cases)
    ]
    told = (
        table(["What is not so", "Level", "Rule", "The sentence", "Again"], rows, class_="told")
        if rows
        else tag("p", "It failed nothing.")
    )
    return page(
        f"{facts['title']} {facts['version']}",
        1,
        tag("p", f"Asked {_part(book, tool)} cases of its roles.", class_="soft"),
        table(["Asked as", "MUST", "SHOULD"], shares),
        tag("h2", f"Failures ({len(failures)})"),
        told,
        tag("h2", "By standard"),
        table(["Standard", "MUST", "SHOULD", "Failed"], standards),
        tag("h2", "Its environment"),
        tag("p", packages, class_="soft"),
    )


def _why(played: Played) -> Markup | None:
    """What was expected and what was found, of a failure."""
    found = wrong(played)
    if found is None:
        return None
    return tag(
        "div",
        f"{found.what}: expected {shortened(found.expected)}, found {shortened(found.found)}",
        class_="soft",
    )


def _share(book: Book, tool: str, name: Element, cases: list[Case]) -> list[Element]:
    """A row about some cases: what passed."""
    return [name, *(str(book.share(tool, cases, level)) for level in ("MUST", "SHOULD"))]


def _with_failures(book: Book, tool: str, name: Element, cases: list[Case]) -> list[Element]:
    """The same, with links to what did not pass."""
    links = [
        tag("li", tag("a", case.id, href=f"../case/{_file(case)}#{tool}"))
        for case, _ in book.failures(tool)
        if case in cases
    ]
    return [*_share(book, tool, name, cases), tag("ul", *links) if links else None]


def _changes(book: Book, earlier: list[Run]) -> str:
    """What changed from each kept run to the next."""
    runs = sorted([*earlier, book.run], key=lambda run: run.when)
    body: list[Element] = []
    for before, after in pairwise(runs):
        changed = [(was, now) for was, now in compare(before, after) if was is not None]
        body.append(tag("h2", f"{before.when[:16]} to {after.when[:16]}"))
        versions = [
            f"{facts['title']} {before.tools[name]['version']} to {facts['version']}"
            for name, facts in after.tools.items()
            if name in before.tools and before.tools[name]["version"] != facts["version"]
        ]
        body.append(tag("p", "; ".join(versions) or "The same versions of all tools.", class_="soft"))
        fresh = len(compare(before, after)) - len(changed)
        gone = len(before.results) + fresh - len(after.results)
        if fresh or gone:
            body.append(tag("p", f"{fresh} results are new, {gone} are no longer there.", class_="soft"))
        rows = [_change(book, was, now) for was, now in changed]
        body.append(table(["Case", "Tool", "Was", "Is"], rows) if rows else tag("p", "No verdict changed."))
    if not body:
        body.append(tag("p", "This is the first run that is kept."))
    return page("Changes between runs", 0, *body)


def _change(book: Book, was: Played, now: Played) -> list[Element]:
    case = book.cases.get(now.case)
    href = f"case/{_file(case)}#{now.tool}" if case and now.tool in book.played.get(now.case, {}) else None
    name = tag("a", now.case, href=href) if href else now.case
    return [name, now.tool, _verdict(was), _verdict(now)]
