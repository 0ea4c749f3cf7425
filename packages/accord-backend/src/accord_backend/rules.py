"""The small grammars of the standards: names, versions, licences, requirements, object references.

Each function takes the text a person wrote and returns its normal form, or ``None`` where the text breaks the
rule; who asks decides what to say about it.  Nothing here reads files.  The grammars are checked against
``packaging`` in the tests, which this distribution must not need.
"""

from __future__ import annotations

import re

__all__ = [
    "file_name_part",
    "is_object_reference",
    "is_specifier",
    "licence_expression",
    "normal_name",
    "normal_version",
    "requirement",
    "version_key",
    "with_extra",
]

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
_VERSION = re.compile(
    r"""\s*v?
    (?:(?P<epoch>[0-9]+)!)?
    (?P<release>[0-9]+(?:\.[0-9]+)*)
    (?:[-_.]?(?P<pre>alpha|a|beta|b|preview|pre|c|rc)[-_.]?(?P<pre_number>[0-9]+)?)?
    (?P<post>-(?P<post_bare>[0-9]+)|[-_.]?(?:post|rev|r)[-_.]?(?P<post_number>[0-9]+)?)?
    (?P<dev>[-_.]?dev[-_.]?(?P<dev_number>[0-9]+)?)?
    (?:\+(?P<local>[a-z0-9]+(?:[-_.][a-z0-9]+)*))?
    \s*""",
    re.VERBOSE | re.IGNORECASE | re.ASCII,
)
_LONGEST_VERSION = 256  # file names hold no more; and int() of a million digits takes minutes
_PRE_SPELLINGS = {"alpha": "a", "beta": "b", "c": "rc", "pre": "rc", "preview": "rc"}
_CLAUSE = re.compile(r"\s*(?:(?:===\s*[^\s,;)]+)|(?:(?:~=|==|!=|<=|>=|<|>)\s*[A-Za-z0-9.!+*_-]+))\s*")
_REQUIREMENT = re.compile(
    r"\s*(?P<name>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*"
    r"(?:\[(?P<extras>[A-Za-z0-9._,\s-]*)\])?\s*(?P<rest>.*)",
    re.DOTALL,
)
_LONGEST_LICENCE = 4000  # characters; each pair of parentheses is a call deeper
_MOST_PARENTHESES = 100
_LICENCE_TOKEN = re.compile(r"\s*([()]|[A-Za-z0-9.:+-]+)")
_LICENCE_ID = re.compile(r"(?:DocumentRef-[A-Za-z0-9.-]+:)?[A-Za-z0-9][A-Za-z0-9.-]*\+?")
_DOTTED = r"[^\W\d]\w*(?:\.[^\W\d]\w*)*"
_REFERENCE = re.compile(rf"{_DOTTED}(?:\s*:\s*{_DOTTED})?\s*(?:\[[A-Za-z0-9._,\s-]*\])?")


def normal_name(text: str) -> str | None:
    """The name with runs of ``-_.`` as one ``-``, in lower case (Names and normalization)."""
    return re.sub(r"[-_.]+", "-", text).lower() if _NAME.fullmatch(text) else None


def file_name_part(text: str) -> str:
    """A name as wheel and sdist file names spell it (binary distribution format, "File name convention")."""
    return re.sub(r"[-_.]+", "_", text).lower()


def normal_version(text: str) -> str | None:
    """The normal form of a version (PEP 440, "Normalization"), or ``None``."""
    match = _VERSION.fullmatch(text) if len(text) <= _LONGEST_VERSION else None
    if match is None:
        return None
    part = match.groupdict()
    out = f"{int(part['epoch'])}!" if part["epoch"] and int(part["epoch"]) else ""
    out += ".".join(str(int(number)) for number in part["release"].split("."))
    if part["pre"]:
        letter = part["pre"].lower()
        out += f"{_PRE_SPELLINGS.get(letter, letter)}{int(part['pre_number'] or 0)}"
    if part["post"]:
        out += f".post{int(part['post_bare'] or part['post_number'] or 0)}"
    if part["dev"]:
        out += f".dev{int(part['dev_number'] or 0)}"
    if part["local"]:
        pieces = re.split(r"[-_.]", part["local"].lower())
        out += "+" + ".".join(str(int(piece)) if piece.isdigit() else piece for piece in pieces)
    return out


def version_key(version: str) -> tuple[object, ...]:
    """What orders versions in normal form (PEP 440, "Summary of permitted suffixes and relative ordering").

    Local parts are not looked at: no tag carries one that means anything.
    """
    match = _VERSION.fullmatch(version)
    assert match is not None
    part = match.groupdict()
    release = [int(number) for number in part["release"].split(".")]
    while release[-1:] == [0]:
        release.pop()
    dev = int(part["dev_number"]) if part["dev"] else float("inf")
    post = int(part["post_number"]) if part["post"] else -1
    # A development release of a final one comes before its pre-releases, and a final one after them.
    pre = (
        (part["pre"], int(part["pre_number"]))
        if part["pre"]
        else ("" if post < 0 and part["dev"] else "z", 0)
    )
    return int(part["epoch"] or 0), release, pre, post, dev


def is_specifier(text: str) -> bool:
    """Whether ``text`` is a comma-separated list of version clauses (PEP 440, "Version specifiers")."""
    return all(_CLAUSE.fullmatch(clause) for clause in text.split(",")) if text.strip() else True


def _split_marker(rest: str) -> tuple[str, str]:
    # PEP 508: a URL may contain ";", so there the marker must stand after a blank.
    pattern = r"\s;" if rest.lstrip().startswith("@") else ";"
    found = re.search(pattern, rest)
    return (rest, "") if found is None else (rest[: found.start()], rest[found.end() :].strip())


def requirement(text: str) -> str | None:
    """The requirement without outer blanks if its name, extras and specifiers are well formed (PEP 508).

    The marker is passed on as written: an installer evaluates it, a builder only carries it.
    """
    match = _REQUIREMENT.fullmatch(text)
    if match is None or "\n" in text:
        return None
    body, marker = _split_marker(match["rest"])
    body = body.strip()
    if body.startswith("@"):
        if not body[1:].strip():
            return None
    elif not is_specifier(body[1:-1] if body.startswith("(") and body.endswith(")") else body):
        return None
    if ";" in match["rest"] and not marker and not body.startswith("@"):
        return None
    return text.strip()


def with_extra(text: str, extra: str) -> str:
    """``text`` with ``extra == "…"`` joined to its marker (core metadata, "Provides-Extra")."""
    match = _REQUIREMENT.fullmatch(text)
    assert match is not None
    rest = match["rest"]
    body, marker = _split_marker(rest)
    head = text[: match.start("rest")] + body
    blank = " " if body.lstrip().startswith("@") else ""
    condition = f"({marker}) and extra == '{extra}'" if marker else f"extra == '{extra}'"
    return f"{head.strip()}{blank}; {condition}"


def licence_expression(text: str) -> str | None:
    """The SPDX expression with its operators in upper case (PEP 639), or ``None`` where it is not one.

    Checks the grammar, not the list of licences, which grows faster than a backend should.
    """
    if len(text) > _LONGEST_LICENCE or text.count("(") > _MOST_PARENTHESES:
        return None
    tokens: list[str] = []
    position = 0
    stripped = text.rstrip()
    while position < len(stripped):
        match = _LICENCE_TOKEN.match(stripped, position)
        if match is None:
            return None
        word = match[1]
        tokens.append(word.upper() if word.upper() in {"AND", "OR", "WITH"} else word)
        position = match.end()
    rest = _licence_terms(tokens)
    if rest is None or rest or not tokens:
        return None
    return " ".join(tokens).replace("( ", "(").replace(" )", ")")


def _licence_terms(tokens: list[str]) -> list[str] | None:
    """What is left after one expression at the head of ``tokens``; ``None`` where there is none."""
    while True:
        if tokens[:1] == ["("]:
            inner = _licence_terms(tokens[1:])
            if inner is None or inner[:1] != [")"]:
                return None
            tokens = inner[1:]
        else:
            if not tokens or tokens[0] in {")", "AND", "OR", "WITH"} or not _LICENCE_ID.fullmatch(tokens[0]):
                return None
            tokens = tokens[1:]
            if tokens[:1] == ["WITH"]:
                if len(tokens) < 2 or tokens[1] in {"(", ")", "AND", "OR", "WITH"}:
                    return None
                tokens = tokens[2:]
        if tokens[:1] not in (["AND"], ["OR"]):
            return tokens
        tokens = tokens[1:]


def is_object_reference(text: str, *, callable_needed: bool) -> bool:
    """Whether ``text`` is ``module:attribute`` (entry points specification, "Data model")."""
    return bool(_REFERENCE.fullmatch(text.strip())) and (":" in text or not callable_needed)
