"""The small grammars of the standards: names, versions, licences, requirements, object references.

Each function takes the text a person wrote and returns its normal form, or ``None`` where the text breaks the
rule; who asks decides what to say about it.  Nothing here reads files.  The grammars are checked against
``packaging`` in the tests, which this distribution must not need.

Written out by hand: loading ``re`` and compiling these grammars takes as long as building a small wheel.  Only a
version that is more than numbers and dots needs it.
"""

from __future__ import annotations

__all__ = [
    "file_name_part",
    "is_object_reference",
    "is_specifier",
    "licence_expression",
    "licence_warnings",
    "normal_name",
    "normal_version",
    "requirement",
    "version_key",
    "with_extra",
]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Match, Optional

_VERSION = r"""\s*v?
    (?:(?P<epoch>[0-9]+)!)?
    (?P<release>[0-9]+(?:\.[0-9]+)*)
    (?:[-_.]?(?P<pre>alpha|a|beta|b|preview|pre|c|rc)[-_.]?(?P<pre_number>[0-9]+)?)?
    (?P<post>-(?P<post_bare>[0-9]+)|[-_.]?(?:post|rev|r)[-_.]?(?P<post_number>[0-9]+)?)?
    (?P<dev>[-_.]?dev[-_.]?(?P<dev_number>[0-9]+)?)?
    (?:\+(?P<local>[a-z0-9]+(?:[-_.][a-z0-9]+)*))?
    \s*"""
_LONGEST_VERSION = 256  # file names hold no more; and int() of a million digits takes minutes
_PRE_SPELLINGS = {"alpha": "a", "beta": "b", "c": "rc", "pre": "rc", "preview": "rc"}
_DIGITS = frozenset("0123456789")
_LETTERS = _DIGITS.union("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
_NAME = _LETTERS.union("._-")
_RELEASE = _DIGITS.union(".")
_OPERATORS = ("~=", "==", "!=", "<=", ">=", "<", ">")
_LONGEST_LICENCE = 4000  # characters; each pair of parentheses is a call deeper
_MOST_PARENTHESES = 100
# Written so, nobody need load the list.
_COMMON_LICENCES = frozenset(
    ("MIT", "Apache-2.0", "BSD-3-Clause", "BSD-2-Clause", "MPL-2.0", "ISC", "PSF-2.0", "0BSD")
)
_LICENCE_REFERENCE = _LETTERS.union(".-")
_LICENCE_WORD = _LICENCE_REFERENCE.union(":+")


def _is_name(text: str) -> bool:
    return bool(text) and text[0] in _LETTERS and text[-1] in _LETTERS and _NAME.issuperset(text)


def _joined(text: str, sign: str) -> str:
    """``text`` with each run of ``-_.`` as one ``sign``."""
    text = text.replace("-", sign).replace("_", sign).replace(".", sign)
    while sign + sign in text:
        text = text.replace(sign + sign, sign)
    return text


def normal_name(text: str) -> str | None:
    """The name with runs of ``-_.`` as one ``-``, in lower case (Names and normalization)."""
    return _joined(text, "-").lower() if _is_name(text) else None


def file_name_part(text: str) -> str:
    """A name as wheel and sdist file names spell it (binary distribution format, "File name convention")."""
    return _joined(text, "_").lower()


def _version(text: str) -> Optional[Match[str]]:
    import re

    return re.fullmatch(_VERSION, text, re.VERBOSE | re.IGNORECASE | re.ASCII)


def normal_version(text: str) -> str | None:
    """The normal form of a version (PEP 440, "Normalization"), or ``None``."""
    if len(text) > _LONGEST_VERSION:
        return None
    numbers = text.split(".")
    if all(numbers) and all(map(_DIGITS.issuperset, numbers)):
        return ".".join([str(int(number)) for number in numbers])
    match = _version(text)
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
        pieces = part["local"].lower().replace("-", ".").replace("_", ".").split(".")
        out += "+" + ".".join(str(int(piece)) if piece.isdigit() else piece for piece in pieces)
    return out


def version_key(version: str) -> tuple[object, ...]:
    """What orders versions in normal form (PEP 440, "Summary of permitted suffixes and relative ordering").

    Local parts are not looked at: no tag carries one that means anything.
    """
    match = _version(version)
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
    return all(_is_clause(clause.strip()) for clause in text.split(",")) if text.strip() else True


def _is_clause(text: str) -> bool:
    if text.startswith("==="):
        arbitrary = text[3:].split()
        return len(arbitrary) == 1 and not {";", ")"} & set(arbitrary[0])
    for operator in _OPERATORS:
        if text.startswith(operator):
            return _is_operand(operator, text[len(operator) :].strip())
    return False


def _is_operand(operator: str, version: str) -> bool:
    """Whether ``version`` may stand after ``operator`` (PEP 440, "Version specifiers")."""
    exact = operator in ("==", "!=")
    if exact and version.endswith(".*"):
        normal = normal_version(version[:-2])
        return normal is not None and _RELEASE.issuperset(normal.rpartition("!")[2])
    normal = normal_version(version)
    if normal is None or ("+" in normal and not exact):
        return False
    release = normal.rpartition("!")[2]
    while release and not _RELEASE.issuperset(release):
        release = release[:-1]
    # What is compatible with a single number is everything: one too few.
    return operator != "~=" or "." in release.strip(".")


def _split_marker(rest: str) -> tuple[str, str]:
    place = rest.find(";")
    if rest.lstrip().startswith("@"):
        # PEP 508: a URL may contain ";", so there the marker must stand after a blank.
        while place >= 0 and not rest[place - 1].isspace():
            place = rest.find(";", place + 1)
    return (rest, "") if place < 0 else (rest[:place], rest[place + 1 :].strip())


def _after_name(text: str) -> int:
    """Where in a requirement what follows its name and extras begins; -1 where no name stands at its head."""
    begun = place = len(text) - len(text.lstrip())
    while place < len(text) and text[place] in _NAME:
        place += 1
    while place > begun and text[place - 1] not in _LETTERS:
        place -= 1
    if place == begun or text[begun] not in _LETTERS:
        return -1
    rest = text[place:].lstrip()
    if rest.startswith("["):
        extras, closed, behind = rest[1:].partition("]")
        if closed and all(sign in _NAME or sign == "," or sign.isspace() for sign in extras):
            rest = behind.lstrip()
    return len(text) - len(rest)


def requirement(text: str) -> str | None:
    """The requirement without outer blanks, and without parentheses round its specifiers, if its name, extras and specifiers are well formed (PEP 508).

    The marker is passed on as written: an installer evaluates it, a builder only carries it.
    """
    place = _after_name(text)
    if place < 0 or "\n" in text:
        return None
    rest = text[place:]
    body, marker = _split_marker(rest)
    body = body.strip()
    if body.startswith("@"):
        if not body[1:].strip():
            return None
    elif body.startswith("(") and body.endswith(")"):
        # Parentheses may be read, but not be written (core metadata, "Requires-Dist").
        inner = body[1:-1].strip()
        text = text[:place].rstrip() + inner + (f"; {marker}" if marker else "")
        body = inner
    if not body.startswith("@") and not is_specifier(body):
        return None
    if ";" in rest and not marker and not body.startswith("@"):
        return None
    return text.strip()


def with_extra(text: str, extra: str) -> str:
    """``text`` with ``extra == "…"`` joined to its marker (core metadata, "Provides-Extra")."""
    place = _after_name(text)
    assert place >= 0
    body, marker = _split_marker(text[place:])
    head = text[:place] + body
    blank = " " if body.lstrip().startswith("@") else ""
    condition = f"({marker}) and extra == '{extra}'" if marker else f"extra == '{extra}'"
    return f"{head.strip()}{blank}; {condition}"


def licence_expression(text: str) -> str | None:
    """The SPDX expression with operators and identifiers in their reference case (PEP 639), or ``None`` where it is not one.

    An identifier that is not in the list stays as it is written: the list grows faster than a backend should
    (``licence_warnings`` says so).
    """
    if len(text) > _LONGEST_LICENCE or text.count("(") > _MOST_PARENTHESES:
        return None
    words = text.replace("(", " ( ").replace(")", " ) ").split()
    if not all(word in ("(", ")") or _LICENCE_WORD.issuperset(word) for word in words):
        return None
    tokens = [word.upper() if word.upper() in ("AND", "OR", "WITH") else word for word in words]
    rest = _licence_terms(tokens)
    if rest is None or rest or not tokens:
        return None
    tokens = [_reference_case(tokens, place)[0] for place in range(len(tokens))]
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
            if not tokens or tokens[0] in {")", "AND", "OR", "WITH"} or not _is_licence(tokens[0]):
                return None
            tokens = tokens[1:]
            if tokens[:1] == ["WITH"]:
                if len(tokens) < 2 or tokens[1] in {"(", ")", "AND", "OR", "WITH"}:
                    return None
                tokens = tokens[2:]
        if tokens[:1] not in (["AND"], ["OR"]):
            return tokens
        tokens = tokens[1:]


def licence_warnings(expression: str) -> list[str]:
    """What to say of the identifiers of an expression in normal form: those that are deprecated or in no list."""
    tokens = expression.replace("(", " ( ").replace(")", " ) ").split()
    found = [(word, _reference_case(tokens, place)[1]) for place, word in enumerate(tokens)]
    return [f"{word!r} {said}" for word, said in found if said]


def _reference_case(tokens: list[str], place: int) -> tuple[str, str]:
    """The word at ``place`` as SPDX writes it, and what is to be said of it."""
    word = tokens[place]
    if word in _COMMON_LICENCES or word in ("(", ")", "AND", "OR", "WITH"):
        return word, ""
    if word.lower().startswith(("licenseref-", "documentref-")):
        return ("LicenseRef-" + word[11:], "") if word.lower().startswith("licenseref-") else (word, "")
    from . import spdx

    listed = spdx.EXCEPTIONS if place and tokens[place - 1] == "WITH" else spdx.LICENCES
    known = {each.rstrip("*").lower(): each for each in listed.split()}
    # "GPL-2.0+" is an identifier of its own; of others "+" is an operator.
    for text, sign in ((word, ""), (word[:-1], "+")):
        found = known.get(text.lower())
        if found is not None and word.endswith(sign):
            deprecated = "is a deprecated identifier of the SPDX list" if found.endswith("*") else ""
            return found.rstrip("*") + sign, deprecated
    return word, "is not in the SPDX list that this backend knows"


def _is_licence(word: str) -> bool:
    """Whether ``word`` is an identifier of SPDX, or a reference to a text of one's own."""
    document, colon, name = word.partition(":")
    if not colon:
        name = document
    elif not document.startswith("DocumentRef-") or document == "DocumentRef-" or "+" in document:
        return False
    name = name[:-1] if name.endswith("+") else name
    return bool(name) and name[0] in _LETTERS and _LICENCE_REFERENCE.issuperset(name)


def is_entry_point_group(text: str) -> bool:
    """Whether ``text`` can be the name of a group (entry points specification, "Data model")."""
    return all(part.replace("_", "a").isalnum() for part in text.split("."))


def is_object_reference(text: str, *, callable_needed: bool) -> bool:
    """Whether ``text`` is ``module:attribute`` (entry points specification, "Data model")."""
    head = text.strip()
    if head.endswith("]"):
        head, opened, extras = head[:-1].partition("[")
        if not opened or not all(sign in _NAME or sign == "," or sign.isspace() for sign in extras):
            return False
    module, colon, attribute = head.partition(":")
    if not _is_dotted(module.rstrip()) or (colon and not _is_dotted(attribute.strip())):
        return False
    return ":" in text or not callable_needed


def _is_dotted(text: str) -> bool:
    return all(
        part and not part[0].isdecimal() and all(sign == "_" or sign.isalnum() for sign in part)
        for part in text.split(".")
    )
