"""The literals a module assigns, read and never imported: versions, authors, lists, and the docstring."""

from __future__ import annotations

import ast

from accord.migrate.values import Text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from accord.migrate.tree import Tree

__all__ = ["constants", "constants_of"]


def constants(text: str, origin: str) -> dict[str, Any]:
    """The literals a module assigns at its top, their strings with their origin; also ``a = b`` of such."""
    found: dict[str, Any] = {}
    try:
        module = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return found
    body = module.body
    if (said := ast.get_docstring(module, clean=False)) is not None:
        found["__doc__"] = Text(said, (origin,))
    for node in body:
        if isinstance(node, ast.Try):
            continue
        value = node.value if isinstance(node, (ast.Assign, ast.AnnAssign)) else None
        targets = (
            node.targets
            if isinstance(node, ast.Assign)
            else [node.target]
            if isinstance(node, ast.AnnAssign)
            else []
        )
        if value is None:
            continue
        if isinstance(value, ast.Name) and value.id in found:
            literal = found[value.id]
        else:
            try:
                literal = _traced(ast.literal_eval(value), origin)
            except (ValueError, TypeError, MemoryError, RecursionError):
                literal = _joined(value, found, origin)
        for target in targets:
            if isinstance(target, ast.Name):
                if literal is None:
                    found.pop(target.id, None)
                else:
                    found[target.id] = literal
    return found


def _joined(node: ast.expr, found: dict[str, Any], origin: str) -> Any:
    """``".".join(map(str, VERSION))`` and its kin, the one calculation people write for a version."""
    if not (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "join"
        and len(node.args) == 1
    ):
        return None
    sign = node.func.value
    names = [each.id for each in ast.walk(node.args[0]) if isinstance(each, ast.Name) and each.id in found]
    if not isinstance(sign, ast.Constant) or not isinstance(sign.value, str) or len(names) != 1:
        return None
    parts = found[names[0]]
    shape = ast.dump(node.args[0])
    plain = (
        f"Call(func=Name(id='map', ctx=Load()), args=[Name(id='str', ctx=Load()), Name(id='{names[0]}', ctx=Load())]",
        f"Name(id='{names[0]}', ctx=Load())",
    )
    if isinstance(parts, tuple) and shape.startswith(plain):
        return Text(sign.value.join(str(part) for part in parts), (origin,))
    return None


def _traced(value: Any, origin: str) -> Any:
    if isinstance(value, str):
        return Text(value, (origin,))
    if isinstance(value, (list, tuple)):
        return type(value)(_traced(each, origin) for each in value)
    return value


def constants_of(tree: Tree, path: str) -> dict[str, Any]:
    text = tree.read(path)
    return {} if text is None else constants(text, path)
