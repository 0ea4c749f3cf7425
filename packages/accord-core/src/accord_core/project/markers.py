"""Environment markers (PEP 508 "Environment markers", PEP 751 "packages.marker"): parse, normal form, evaluate.

A marker is parsed once and remembered; what it means is decided for an environment given from outside, never for
the interpreter that runs Accord.  The parser knows the whole grammar but the corners (escapes inside quotes,
characters beyond ASCII): those, and everything invalid, it leaves to ``packaging``, imported only then, so that
there is one judge of what is a marker.

A parsed marker is a list of terms joined by the words ``"and"`` and ``"or"`` (``and`` binds tighter); a term is a
list again (parentheses) or an atom ``(left is a variable, left, operator, right is a variable, right)``.

This room is **hot**.
"""

from __future__ import annotations

from accord_core.names import normalise
from accord_core.project import versions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "VARIABLES",
    "Atom",
    "Tree",
    "evaluate_marker",
    "format_marker",
    "normal_marker",
    "parse_marker",
    "require_shallow",
    "variables",
]

Atom = tuple[bool, str, str, bool, str]
Tree = list["Tree | Atom | str"]

# The variables an environment must define, and the three that stand for what was asked for.
VARIABLES = (
    "implementation_name",
    "implementation_version",
    "os_name",
    "platform_machine",
    "platform_python_implementation",
    "platform_release",
    "platform_system",
    "platform_version",
    "python_full_version",
    "python_version",
    "sys_platform",
)
_SETS = ("extras", "dependency_groups")
_AS_VERSION = frozenset(
    (
        "implementation_version",
        "platform_release",
        "platform_version",
        "python_full_version",
        "python_version",
    )
)
_OR_STRING = ("platform_release", "platform_version")  # of the type "Version | String"
# Spellings the grammar accepts besides the names themselves (PEP 345, and setuptools before it).
_ALIASES = {
    "os.name": "os_name",
    "sys.platform": "sys_platform",
    "platform.version": "platform_version",
    "platform.machine": "platform_machine",
    "platform.python_implementation": "platform_python_implementation",
    "python_implementation": "platform_python_implementation",
} | {name: name for name in (*VARIABLES, *_SETS, "extra")}
_OPERATORS = ("===", "==", "~=", "!=", "<=", ">=", "<", ">")
_CACHE_LIMIT = 10_000  # distinct markers remembered in one process; the largest known set meets about 2,000
_DEPTH_LIMIT = 50  # parentheses within parentheses that are read here; packaging is asked beyond it
_DEEPEST = 100  # and what nobody is asked about: packaging ends in a RecursionError, which no caller expects

_parsed: dict[str, Tree] = {}
_normal: dict[str, str] = {}


class _UnsureError(Exception):
    """The fast reader leaves this to ``packaging``."""


def require_shallow(text: str) -> None:
    """Raise ``ValueError`` for parentheses nested deeper than anybody writes them.  Those inside quotes count too."""
    if text.count("(") <= _DEEPEST:
        return
    depth = 0
    for character in text:
        if character == "(":
            depth += 1
            if depth > _DEEPEST:
                raise ValueError(f"parentheses nested deeper than {_DEEPEST}")
        elif character == ")":
            depth -= 1


def parse_marker(marker: str) -> Tree:
    """The parsed form of ``marker``; names of extras and groups are normalised.  Raises ``ValueError``."""
    tree = _parsed.get(marker)
    if tree is None:
        require_shallow(marker)
        try:
            if not marker.isascii() or not marker.replace("\t", " ").isprintable() or "\\" in marker:
                raise _UnsureError
            reader = _Reader(marker)
            tree = reader.expression(0)
            if reader.at != len(marker):
                raise _UnsureError
        except _UnsureError:
            tree = _from_packaging(marker)
        if len(_parsed) >= _CACHE_LIMIT:
            _parsed.clear()
        _parsed[marker] = tree
    return tree


class _Reader:
    __slots__ = ("at", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def expression(self, depth: int) -> Tree:
        terms: Tree = [self.term(depth)]
        while True:
            start = self.at
            word = self.word()
            if word not in ("and", "or"):
                self.at = start
                return terms
            terms += (word, self.term(depth))

    def term(self, depth: int) -> Tree | Atom:
        self.space()
        if self.text[self.at : self.at + 1] != "(":
            return self.atom()
        if depth >= _DEPTH_LIMIT:
            raise _UnsureError
        self.at += 1
        inner = self.expression(depth + 1)
        if self.text[self.at : self.at + 1] != ")":
            raise _UnsureError
        self.at += 1
        self.space()
        return inner

    def atom(self) -> Atom:
        left_variable, left = self.value()
        operator = self.operator()
        right_variable, right = self.value()
        if left_variable and left == "extra" and not right_variable:
            right = normalise(right)
        elif right_variable and not left_variable and (right == "extra" or right in _SETS):
            left = normalise(left)
        return left_variable, left, operator, right_variable, right

    def value(self) -> tuple[bool, str]:
        self.space()
        quote = self.text[self.at : self.at + 1]
        if quote and quote in "'\"":
            end = self.text.find(quote, self.at + 1)
            if end < 0:
                raise _UnsureError
            value = self.text[self.at + 1 : end]
            self.at = end + 1
            self.space()
            return False, value
        name = _ALIASES.get(self.word())
        if name is None:
            raise _UnsureError
        self.space()
        return True, name

    def operator(self) -> str:
        for operator in _OPERATORS:
            if self.text.startswith(operator, self.at):
                self.at += len(operator)
                return operator
        word = self.word()
        if word == "in":
            return "in"
        start = self.at
        self.space()
        if word == "not" and self.at > start and self.word() == "in":
            return "not in"
        raise _UnsureError

    def word(self) -> str:
        start = at = self.at
        text = self.text
        while at < len(text) and (text[at].isalnum() or text[at] in "_."):
            at += 1
        self.at = at
        return text[start:at]

    def space(self) -> None:
        at = self.at
        while self.text[at : at + 1] in (" ", "\t"):
            at += 1
        self.at = at


def _from_packaging(marker: str) -> Tree:
    from packaging.markers import Marker

    return _tree(Marker(marker)._markers)


def _tree(found: object) -> Tree:
    from packaging._parser import Variable

    tree: Tree = []
    assert isinstance(found, (list, tuple))
    for item in found:
        if isinstance(item, str):
            tree.append(item)
        elif isinstance(item, list):
            tree.append(_tree(item))
        else:
            left, operator, right = item
            tree.append(
                (
                    isinstance(left, Variable),
                    left.value,
                    operator.value,
                    isinstance(right, Variable),
                    right.value,
                )
            )
    return tree


def format_marker(tree: Tree | Atom | str, *, outermost: bool = True) -> str:
    """The normal form: double quotes where they can be, one space, parentheses only where somebody wrote them.

    Raises ``ValueError`` for a value holding both kinds of quotes, which cannot be written.
    """
    if isinstance(tree, str):
        return tree
    if isinstance(tree, tuple):
        left_variable, left, operator, right_variable, right = tree
        return f"{left if left_variable else _quoted(left)} {operator} {right if right_variable else _quoted(right)}"
    if len(tree) == 1:
        return format_marker(tree[0], outermost=outermost)
    inner = " ".join([format_marker(term, outermost=False) for term in tree])
    return inner if outermost else f"({inner})"


def normal_marker(marker: str) -> str:
    """:func:`format_marker` of :func:`parse_marker`, remembered.  Raises ``ValueError``."""
    found = _normal.get(marker)
    if found is None:
        found = format_marker(parse_marker(marker))
        if len(_normal) >= _CACHE_LIMIT:
            _normal.clear()
        _normal[marker] = found
    return found


def _quoted(value: str) -> str:
    if '"' not in value:
        return f'"{value}"'
    if "'" not in value:
        return f"'{value}'"
    raise ValueError(f"a marker value cannot hold both kinds of quotes: {value!r}")


def variables(tree: Tree | Atom | str) -> frozenset[str]:
    """The names of the variables a parsed marker reads; ``extra`` among them means it depends on what was asked."""
    if isinstance(tree, str):
        return frozenset()
    if isinstance(tree, tuple):
        return frozenset(name for is_name, name in ((tree[0], tree[1]), (tree[3], tree[4])) if is_name)
    return frozenset().union(*[variables(term) for term in tree])


def evaluate_marker(
    marker: str,
    environment: Mapping[str, str],
    extras: frozenset[str] = frozenset(),
    groups: frozenset[str] = frozenset(),
) -> bool:
    """Whether ``marker`` holds in ``environment`` (all of :data:`VARIABLES`) when these were asked for.

    ``extra == "x"`` (core metadata) holds when "x" is one of ``extras``; ``"x" in extras``
    and ``"x" in dependency_groups`` (lock files) ask the sets.  Names in both are normalised by the caller.
    Raises ``ValueError`` for what is no marker or compares what cannot be compared, ``KeyError`` for a variable
    the environment does not define: Accord never answers for the interpreter it happens to run in.
    """
    return _holds(parse_marker(marker), environment, extras, groups)


def _holds(
    tree: Tree, environment: Mapping[str, str], extras: frozenset[str], groups: frozenset[str]
) -> bool:
    """``and`` binds tighter than ``or``: any of the runs between ``or`` all of whose terms hold."""
    run = True
    for term in tree:
        if term == "or":
            if run:
                return True
            run = True
        elif run and not isinstance(term, str):
            if isinstance(term, list):
                run = _holds(term, environment, extras, groups)
            else:
                run = _atom_holds(term, environment, extras, groups)
    return run


def _atom_holds(
    atom: Atom, environment: Mapping[str, str], extras: frozenset[str], groups: frozenset[str]
) -> bool:
    left_variable, left, operator, right_variable, right = atom
    if left_variable is right_variable:
        raise ValueError(f"a marker compares a variable with a value: {format_marker(atom)}")
    name = left if left_variable else right
    if name in _SETS:
        if left_variable or operator not in ("in", "not in"):
            raise ValueError(f"{name} is a set, ask '\"name\" in {name}': {format_marker(atom)}")
        return (left in (extras if name == "extras" else groups)) is (operator == "in")
    if name == "extra":
        # It asks the set of all that were asked for, and nothing but whether one is among them ("Extras").
        asked = right if left_variable else left
        return operator in ("==", "!=") and (asked in extras) is (operator == "==")
    value = environment[name]
    if name == "python_full_version" and value.endswith("+"):
        value += "local"  # a build between tags calls itself "3.13.0+", which PEP 440 does not know
    if left_variable:
        left = value
    else:
        right = value
    if operator == "in":
        return left in right
    if operator == "not in":
        return left not in right
    if name in _AS_VERSION:
        answer = _as_versions(left, operator, right, or_string=name in _OR_STRING)
        if answer is not None:
            return answer
    if operator in ("~=", "==="):
        raise ValueError(f"{operator} compares versions: {format_marker(atom)}")
    # Strings have no order (PEP 508): only the equality inside "<=" and ">=" can hold.
    return left != right if operator == "!=" else left == right and operator not in ("<", ">")


def _as_versions(left: str, operator: str, right: str, *, or_string: bool) -> bool | None:
    """Compare as PEP 440 does; None, so that strings are compared, where ``right`` makes no version clause, or ``left`` is no
    version of a variable that may be a string."""
    try:
        _, spelling, bounds = versions.clause(operator + right)
    except ValueError:
        return None
    if bounds is None:
        return left.lower() == spelling.lower()
    inside, low, high = bounds
    try:
        return (low <= versions.sort_key(left) < high) is inside
    except ValueError:
        return None if or_string else False
