"""What a person writes to name a Python, and whether one is it (hot).

``3.12``, ``3.14t`` (without the GIL), ``cpython@3.12``, ``pypy3.10``, ``>=3.11,<3.13``.  Knows the words and what a Python says of itself; must not
know where Pythons are.
"""

from __future__ import annotations

from accord_core.errors import InstallError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.environments.interpreters import Interpreter

__all__ = ["Request", "accepts", "parse_request"]

_IMPLEMENTATIONS = {
    "python": "",
    "cpython": "cpython",
    "cp": "cpython",
    "pypy": "pypy",
    "pp": "pypy",
    "graalpy": "graalpy",
}


class Request:
    """What was asked for: ``implementation`` (``""`` = any) and ``version`` (``()`` = any) or ``specifier``.

    A version means the Python with the GIL unless it ends in ``t`` (``free_threaded``), as in the names of the programs.
    """

    __slots__ = ("free_threaded", "implementation", "specifier", "text", "version")

    def __init__(
        self,
        text: str,
        implementation: str,
        version: tuple[int, ...],
        specifier: str,
        *,
        free_threaded: bool = False,
    ) -> None:
        self.free_threaded = free_threaded
        self.text = text
        self.implementation = implementation
        self.version = version
        self.specifier = specifier

    def may_be(self, implementation: str, version: tuple[int, ...]) -> bool:
        """Whether a Python of which no more is known may be what was asked for."""
        if self.implementation and self.implementation != implementation:
            return False
        return version[: len(self.version)] == self.version

    def accepts(self, found: Interpreter) -> bool:
        if self.implementation and found.implementation != self.implementation:
            return False
        if self.specifier:
            return accepts(found, self.specifier)
        if self.version and found.free_threaded is not self.free_threaded:
            return False
        told = tuple(int(part) for part in found.version.split(".")[:3] if part.isdigit())
        return told[: len(self.version)] == self.version


def parse_request(text: str) -> Request | None:
    """``3``, ``3.12``, ``3.12.1``, ``312``, ``cpython``, ``cpython3.12``, ``cpython@3.12``, ``3.14t``, ``pypy@3.10``,
    ``>=3.11,<3.13``; ``None`` for what can only be a path."""
    value = text.strip()
    if value[:1] in ("<", ">", "=", "~", "!"):
        return Request(text, "", (), value)
    at = 0
    while at < len(value) and (value[at].isalpha()):
        at += 1
    name, rest = value[:at].lower(), value[at:].removeprefix("@").removeprefix("-")
    if name not in _IMPLEMENTATIONS and name != "":
        return None
    if not rest:
        return Request(text, _IMPLEMENTATIONS[name], (), "") if name else None
    free_threaded = rest.endswith("t")
    parts = rest.removesuffix("t").split(".")
    if not all(part.isascii() and part.isdigit() for part in parts) or len(parts) > 3:
        return None
    if len(parts) == 1 and len(rest) > 1:
        parts = [rest[0], rest[1:]]  # 312
    version = tuple(int(part) for part in parts)
    return Request(text, _IMPLEMENTATIONS.get(name, ""), version, "", free_threaded=free_threaded)


def accepts(interpreter: Interpreter, requires_python: str) -> bool:
    """Whether the interpreter satisfies a Requires-Python specifier (core metadata, "Requires-Python").

    ``InstallError`` ``requires-python-invalid`` for text that is no specifier.
    """
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    try:
        return SpecifierSet(requires_python).contains(interpreter.version, prereleases=True)
    except InvalidSpecifier as error:
        raise InstallError(
            "requires-python-invalid",
            f"{requires_python!r} is no version specifier",
            hint="write it as >=3.11 or >=3.11,<3.14",
        ) from error
