"""What a wheel or sdist is and holds, as one HTML page that needs nothing else: no script, no font, no other file.

Every word on it comes from a stranger: each passes through :func:`_text` and stands between tags or in a quoted
attribute, never in an address or a style; a policy in the page's head forbids whatever could still be smuggled in.
Links are shown as text.  Values in, text out.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from accord.wheels.limits import DEFAULT
from accord.wheels.pagestyle import STYLE
from accord.wheels.tree import tree_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from accord.wheels.contents import File
    from accord.wheels.inspection import Inspection
    from accord.wheels.limits import Limits
    from accord.wheels.tree import Folder

__all__ = ["page"]

# Shown by themselves, or of no interest beside the rest.
_APART = frozenset(
    ("name", "version", "summary", "description", "requires-dist", "classifier", "license-expression")
)
_OPEN_BELOW = 40  # folders with no more files than this are open from the start


def page(inspection: Inspection, limits: Limits = DEFAULT) -> str:
    """The page, UTF-8 when encoded."""
    one = inspection
    title = _text(f"{one.name or one.filename} {one.version}".strip(), limits)
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="color-scheme" content="light dark">',
            f"<title>{title}</title>",
            f"<style>{STYLE}</style>",
            "</head>",
            "<body>",
            *_head(one, limits),
            "<main>",
            *_faults(one, limits),
            *_facts(one, limits),
            *_requirements(one, limits),
            *_entry_points(one, limits),
            *_files(one, limits),
            *_metadata(one, limits),
            *_description(one, limits),
            "</main>",
            "<footer><p>Made by <code>accord wheel inspect</code>. Nothing of the file was run.</p></footer>",
            "</body>",
            "</html>",
            "",
        ]
    )


def _text(text: str, limits: Limits) -> str:
    """A stranger's words between tags or in a quoted attribute: escaped, cut, what would turn or hide text shown."""
    if len(text) > limits.shown_bytes:
        text = text[: limits.shown_bytes] + " … (cut)"
    shown = "".join(sign if sign.isprintable() or sign in "\n\t" else f"\\u{ord(sign):04x}" for sign in text)
    return escape(shown, quote=True)


def _head(one: Inspection, limits: Limits) -> Iterator[str]:
    yield '<header class="top">'
    yield f'<p class="kind">{one.kind}</p>'
    yield f"<h1>{_text(one.name or one.filename, limits)} <small>{_text(one.version, limits)}</small></h1>"
    summary = one.metadata.first("Summary")
    if summary:
        yield f'<p class="summary">{_text(summary, limits)}</p>'
    yield f'<p class="file"><code>{_text(one.filename, limits)}</code></p>'
    yield "</header>"


def _faults(one: Inspection, limits: Limits) -> Iterator[str]:
    words = list(one.faults)
    if one.record.state == "faulty":
        words.insert(0, f"RECORD: {one.record.message} [{one.record.code}]")
    if words:
        yield '<section class="faults" aria-labelledby="faults"><h2 id="faults">Faults</h2><ul>'
        yield from (f"<li>{_text(word, limits)}</li>" for word in words)
        yield "</ul></section>"


def _facts(one: Inspection, limits: Limits) -> Iterator[str]:
    facts = [
        ("Size", f"{_size(one.size)} packed, {_size(one.unpacked)} unpacked"),
        ("Files", f"{len(one.files):,}"),
        ("Python", one.metadata.first("Requires-Python") or "any"),
        (
            "Licence",
            one.metadata.first("License-Expression")
            or one.metadata.first("License").partition("\n")[0]
            or "not said",
        ),
    ]
    if one.kind == "wheel":
        complete = one.record.state == "complete"
        record = f"complete, {one.record.rows:,} lines" if complete else "faulty"
        pure = "yes" if one.wheel.first("Root-Is-Purelib").lower() == "true" else "no"
        facts += [
            ("Tags", ", ".join(one.tags)),
            ("Pure Python", pure),
            ("RECORD", record),
            ("Generator", one.wheel.first("Generator") or "not said"),
        ]
        if one.build:
            facts.append(("Build", one.build))
    yield '<section aria-labelledby="facts"><h2 id="facts">At a glance</h2><dl class="facts">'
    yield from (
        f"<div><dt>{label}</dt><dd>{_text(value[:2000], limits)}</dd></div>" for label, value in facts
    )
    yield f'<div class="whole"><dt>SHA-256</dt><dd><code>{one.sha256}</code></dd></div>'
    yield "</dl></section>"


def _requirements(one: Inspection, limits: Limits) -> Iterator[str]:
    required = one.metadata.all("Requires-Dist")
    extras = [text for text in required if "extra" in text.partition(";")[2]]
    always = [text for text in required if text not in extras]
    yield '<section aria-labelledby="requires"><h2 id="requires">Requires</h2>'
    if always:
        yield from _plain(always, limits)
    else:
        yield f'<p class="none">{"Nothing without extras." if extras else "Nothing."}</p>'
    if extras:
        yield f"<details><summary>With extras ({len(extras)})</summary>"
        yield from _plain(extras, limits)
        yield "</details>"
    yield "</section>"


def _plain(texts: Sequence[str], limits: Limits) -> Iterator[str]:
    yield '<ul class="plain">'
    yield from (f"<li><code>{_text(text, limits)}</code></li>" for text in texts[: limits.page_values])
    yield "</ul>"
    yield from _more(len(texts), limits)


def _more(count: int, limits: Limits) -> Iterator[str]:
    """That a list was cut."""
    if count > limits.page_values:
        yield f'<p class="none">And {count - limits.page_values:,} more.</p>'


def _entry_points(one: Inspection, limits: Limits) -> Iterator[str]:
    if not one.entry_points:
        return
    rows = [
        (point.group, point.name, f"{point.module}:{point.attribute}".rstrip(":"))
        for point in one.entry_points
    ]
    yield '<section aria-labelledby="points"><h2 id="points">Entry points</h2>'
    yield from _table("Entry points", ("Group", "Name", "Object"), rows, limits)
    yield "</section>"


def _metadata(one: Inspection, limits: Limits) -> Iterator[str]:
    rows = [(key, value) for key, value in one.metadata.pairs if key.lower() not in _APART]
    classifiers = one.metadata.all("Classifier")
    yield '<section aria-labelledby="metadata"><h2 id="metadata">Metadata</h2>'
    yield from _table("Metadata", ("Field", "Value"), rows, limits)
    if classifiers:
        yield f"<details><summary>Classifiers ({len(classifiers)})</summary>"
        yield from _plain(classifiers, limits)
        yield "</details>"
    yield "</section>"


def _table(
    caption: str, headers: tuple[str, ...], rows: Sequence[tuple[str, ...]], limits: Limits
) -> Iterator[str]:
    yield f'<div class="wide" role="region" aria-label="{caption}" tabindex="0"><table>'
    yield (
        "<thead><tr>"
        + "".join(f'<th scope="col">{header}</th>' for header in headers)
        + "</tr></thead><tbody>"
    )
    for first, *rest in rows[: limits.page_values]:
        cells = "".join(f"<td>{_text(cell, limits)}</td>" for cell in rest)
        yield f'<tr><th scope="row">{_text(first, limits)}</th>{cells}</tr>'
    yield "</tbody></table></div>"
    yield from _more(len(rows), limits)


def _files(one: Inspection, limits: Limits) -> Iterator[str]:
    root = tree_of(one.files)
    shared = frozenset(one.shared_objects)
    few = len(one.files) <= limits.page_files
    yield '<section aria-labelledby="files"><h2 id="files">Files</h2>'
    if not few:
        yield f'<p class="none">More than {limits.page_files:,} files: folders only.</p>'
    yield '<div class="tree">'
    yield from _folder(root, "", shared, limits, few=few)
    yield "</div></section>"


def _folder(
    folder: Folder, above: str, shared: frozenset[str], limits: Limits, *, few: bool
) -> Iterator[str]:
    yield "<ul>"
    for inner in folder.folders.values():
        state = " open" if few and inner.count <= _OPEN_BELOW else ""
        files = "1 file" if inner.count == 1 else f"{inner.count:,} files"
        label = f'<span class="name">{_text(inner.name, limits)}/</span> <span class="size">{_size(inner.size)}, {files}</span>'
        if few or inner.folders:
            yield f"<li><details{state}><summary>{label}</summary>"
            yield from _folder(inner, f"{above}{inner.name}/", shared, limits, few=few)
            yield "</details></li>"
        else:
            yield f"<li>{label}</li>"
    for file in folder.files if few else ():
        yield _file(file, shared, limits)
    yield "</ul>"


def _file(file: File, shared: frozenset[str], limits: Limits) -> str:
    marks = ""
    if file.path in shared:
        marks += ' <span class="mark">machine code</span>'
    if file.mode & 0o111:
        marks += ' <span class="mark">executable</span>'
    if file.kind != "file":
        marks += f' <span class="mark">{file.kind} to {_text(file.target, limits)}</span>'
    name = _text(file.path.rpartition("/")[2], limits)
    return f'<li><span class="name">{name}</span> <span class="size">{_size(file.size)}</span>{marks}</li>'


def _description(one: Inspection, limits: Limits) -> Iterator[str]:
    text = one.metadata.first("Description")
    if text:
        yield '<section aria-labelledby="description"><h2 id="description">Description</h2>'
        yield f'<details><summary>As written ({_size(len(text.encode()))})</summary><pre tabindex="0">{_text(text, limits)}</pre></details></section>'


def _size(octets: int) -> str:
    amount = float(octets)
    for unit in ("B", "kB", "MB"):
        if amount < 999.5:
            return f"{amount:.0f} {unit}" if unit == "B" or amount >= 99.95 else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} GB"
