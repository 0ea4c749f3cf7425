"""The matrix as a page of Markdown, for documentation that is read beside the code: a table for each role, then every failure with its command."""

from __future__ import annotations

from accord_conformance.report.matrix import Book, asked, called, reproduce, sentence, shortened, wrong
from accord_conformance.standards import ROLES

__all__ = ["failures_page", "matrix_page"]


def matrix_page(book: Book, command: str) -> str:
    """One table a role: tools down, standards across, MUST (and SHOULD) passed of counted."""
    made = f"Made by {command}; every failure with the command that shows it: [conformance-failures.md](conformance-failures.md)."
    cells = (
        "A cell says how many cases of MUST sentences passed, out of those the tool has a function for; after the plus, "
        "of SHOULD sentences; a dot: nothing to ask it. What fails is in **bold**. What rests on a draft, or where there is no standard, "
        "has a column that says so, and is not in the last one."
    )
    contested = sum(1 for case in book.cases.values() if book.contested(case))
    fair = (
        "A case that some tool fails counts when two people who did not write it found it fair, or when it was changed as they asked"
        + (f"; {contested} others count against nobody until they are settled." if contested else ".")
    )
    lines = ["# Who follows which standard", "", f"{asked(book)} {made}", "", f"{cells} {fair}"]
    for name in ROLES:
        lines += _role_table(book, name)
    lines += [
        "",
        "## Versions",
        "",
        ", ".join(f"{book.title(tool)} {book.run.tools[tool]['version']}" for tool in book.tools()) + ".",
    ]
    return "\n".join(lines) + "\n"


def _role_table(book: Book, name: str) -> list[str]:
    cases = [case for case in book.of_role(name) if case.id in book.played]
    if not cases:
        return []
    standards = [
        each
        for each in book.standards.standards
        if any(set(case.rules) & {rule.id for rule in each.rules} for case in cases)
    ]
    lines = [
        "",
        f"## {name}",
        "",
        f"| | {' | '.join(called(each, each.id) for each in standards)} | all |",
        "| --- |" + " ---: |" * (len(standards) + 1),
    ]
    groups = [[case for case in book.of_standard(each) if case in cases] for each in standards]
    groups.append(book.of_standards(cases))
    for tool in book.tools():
        if name not in book.roles(tool):
            continue
        cells = []
        for group in groups:
            must, should = (book.share(tool, group, level) for level in ("MUST", "SHOULD"))
            shown = [f"{share}" if share.whole else f"**{share}**" for share in (must, should)]
            parts = ([shown[0]] if must.counted else []) + ([f"+ {shown[1]}"] if should.counted else [])
            cells.append(" ".join(parts) or "·")
        lines.append(f"| {book.title(tool)} | {' | '.join(cells)} |")
    return lines


def failures_page(book: Book) -> str:
    """Every failure of every tool: the sentence, what was found, the command."""
    lines = [
        "# Conformance: every failure, and the command that shows it",
        "",
        "Made with [conformance.md](conformance.md).",
    ]
    for tool in book.tools():
        failures = book.failures(tool)
        lines += ["", f"## {book.title(tool)} {book.run.tools[tool]['version']}", ""]
        if not failures:
            lines.append("Nothing failed.")
        for case, played in failures:
            rule = book.sentence(case)
            bad = wrong(played)
            found = (
                f" Expected {bad.what}: {_short(bad.expected)}; found: {_short(bad.found)}." if bad else ""
            )
            standing = book.standing(rule)
            level = f"{rule.level} ({standing})" if standing else rule.level
            lines.append(
                f"- {level} `{rule.id}`, {sentence(rule)}. {case.title}.{found} `{reproduce(book, case, tool)}`"
            )
    return "\n".join(lines) + "\n"


def _short(text: str) -> str:
    return "`" + shortened(text).replace("`", "'") + "`"
