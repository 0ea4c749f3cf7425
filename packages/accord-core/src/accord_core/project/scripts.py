"""Inline script metadata (PEP 723): a TOML document in the comments of a script that says what it needs.

The block is found by the regular expression of the standard, which is the standard; what is inside is judged like
any other document, and lines are counted in the script, not in the block.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from accord_core.errors import DocumentError, Where
from accord_core.project.declared import Declared, read_many
from accord_core.project.faults import DEFAULT_LIMITS, Faults, Limits, load_toml
from accord_core.project.fields import Fields
from accord_core.project.tool_table import ToolTable, read_tool_table

__all__ = ["Script", "read_script", "write_script_block"]

_BLOCK = re.compile(r"(?m)^# /// (?P<type>[a-zA-Z0-9-]+)$\s(?P<content>(^#(| .*)$\s)+)^# ///$")
_TYPE = "script"
_CODING = re.compile(r"^[ \t\f]*#.*?coding[:=][ \t]*[-\w.]+")  # PEP 263


@dataclass(frozen=True, slots=True)
class Script:
    """What a script's block says; ``toml`` is the block's content without the comment signs."""

    path: str
    requires_python: str | None
    dependencies: tuple[Declared, ...]
    tool: ToolTable
    toml: str
    raw: Mapping[str, Any] = field(repr=False)


def read_script(text: str, path: str, *, limits: Limits = DEFAULT_LIMITS) -> Script | None:
    """The ``script`` block of a Python file, or None where there is none (an unclosed block is none, PEP 723).

    Raises ``DocumentError``: ``invalid-script`` with every fault; ``document-too-large``.
    """
    if len(text) > limits.script_characters:
        raise DocumentError(
            "document-too-large",
            f"{path} has {len(text):,} characters, more than a script may have",
            where=Where(path),
            hint="check that this is the file you mean",
        )
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    found = _blocks(text)
    if not found:
        return None
    if len(found) > 1:
        lines = tuple(f"a block begins at line {_line(text, block)}" for block in found)
        raise DocumentError(
            "invalid-script",
            f"{path} has {len(found)} script blocks, and may have one",
            where=Where(path, line=_line(text, found[1])),
            context=lines,
            hint="merge them into one",
        )
    toml = _content(found[0])
    # Blank lines stand for what comes before the block, so that every line counts as in the script.
    placed = "\n" * _line(text, found[0]) + toml
    data = load_toml(placed, path, code="invalid-script", limits=limits)
    faults = Faults(path, placed, limits=limits)
    fields = Fields(faults)
    fields.unknown(data, (), ("dependencies", "requires-python", "tool"))
    script = Script(
        path=path,
        requires_python=fields.specifier(data, "requires-python", ()),
        dependencies=read_many(data.get("dependencies"), ("dependencies",), faults),
        tool=read_tool_table(data, faults),
        toml=toml,
        raw=data,
    )
    faults.refuse("invalid-script", f"the script block of {path} is faulty")
    return script


def write_script_block(text: str, toml: str) -> str:
    """The script with its block's content replaced by ``toml``, or with a new block below its first comments.

    "First comments" are the shebang and the encoding, which must stay where they are.  Line ends stay as they are.
    Raises ``ValueError`` where the script has several blocks.
    """
    end = "\r\n" if "\r\n" in text else "\n"
    text = text.replace("\r\n", "\n")
    commented = "".join([f"# {line}\n" if line else "#\n" for line in toml.rstrip("\n").split("\n")])
    block = f"# /// {_TYPE}\n{commented}# ///"
    found = _blocks(text)
    if len(found) > 1:
        raise ValueError("several script blocks")
    if found:
        text = text[: found[0].start()] + block + text[found[0].end() :]
    else:
        lines = text.split("\n")
        first = 1 if lines[0].startswith("#!") else 0
        if first < len(lines) and _CODING.match(lines[first]):
            first += 1
        rest = lines[first:]
        gap = [""] if rest and rest[0] else []
        text = "\n".join([*lines[:first], *block.split("\n"), *gap, *rest])
    return text.replace("\n", end)


def _blocks(text: str) -> list[re.Match[str]]:
    return [match for match in _BLOCK.finditer(text) if match["type"] == _TYPE]


def _content(block: re.Match[str]) -> str:
    return "".join(
        [line[2:] if line.startswith("# ") else line[1:] for line in block["content"].splitlines(True)]
    )


def _line(text: str, block: re.Match[str]) -> int:
    return text.count("\n", 0, block.start()) + 1
