"""``setup.py`` as text: what it passes to ``setup()``, read without running it."""

from __future__ import annotations

import ast

from accord.migrate import comments
from accord.migrate.evaluate import Evaluator, SetupFound, TooMuch
from accord.migrate.values import Unknown
from accord.migrate.words import Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from accord.migrate.tree import Tree

__all__ = ["StaticSetup", "read_setup_py"]


class StaticSetup:
    """``words``: the keywords as read; ``source`` where they stand; ``trouble`` why the reading ended, if it did."""

    __slots__ = ("function", "source", "trouble", "words")

    def __init__(
        self, words: dict[str, Any], source: Source, trouble: str | None, function: str = "setuptools.setup"
    ) -> None:
        self.words = words
        self.source = source
        self.trouble = trouble
        self.function = function


def read_setup_py(tree: Tree, path: str = "setup.py") -> StaticSetup | None:
    """The call of ``setup()`` in a file; None where there is no such file."""
    text = tree.read(path)
    if text is None:
        return None
    source = Source(path, tree, comments.of_python(text), {})
    try:
        module = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return StaticSetup({}, source, f"it is no Python that can be read here ({type(error).__name__})")
    source.lines.update(_lines(module))
    try:
        Evaluator(tree, path).run(module)
    except SetupFound as found:
        words = dict(found.values)
        trouble = None
        if "**" in words:
            hidden = words.pop("**")
            trouble = hidden.reason if isinstance(hidden, Unknown) else None
        return StaticSetup(words, source, trouble, found.function)
    except (TooMuch, RecursionError) as error:
        return StaticSetup({}, source, str(error) or "it is nested too deep")
    return StaticSetup({}, source, "no call of setup() was reached by reading it")


def _lines(module: ast.Module) -> dict[str, int]:
    """Where each keyword of ``setup()`` stands; the last such call counts, as where most is said."""
    found: dict[str, int] = {}
    for node in ast.walk(module):
        if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) == "setup":
            found.update({word.arg: word.value.lineno for word in node.keywords if word.arg})
    return found
