"""Reading a ``setup.py`` without running it: a small interpreter of what such files do to make their metadata.

It knows assignments, literals, ``if``, ``for``, ``with open``, ``try``, functions, and the functions in ``known``; no
code of the project runs, no file outside the project exists, and steps, depth and sizes have limits.  What it does not
know becomes ``Unknown`` with a reason, never a guess.  A condition on the platform or the Python becomes a marker on
the requirements that stand under it.
"""

from __future__ import annotations

import ast

from accord.migrate.expressions import Break, Continue, Expressions, Raised, Return, SetupFound, Stop, TooMuch
from accord.migrate.methods import lines
from accord.migrate.values import (
    Class,
    Condition,
    ExtensionCall,
    Function,
    Module,
    OpenFile,
    Platform,
    Text,
    Unknown,
    VersionInfo,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from accord.migrate.tree import Tree

__all__ = ["Evaluator", "SetupFound", "TooMuch"]

# Modules that every environment a setup.py runs in has.
_PRESENT = frozenset(("setuptools", "distutils", "pkg_resources"))


class Evaluator(Expressions):
    """Reads one module of ``tree``.  ``names`` are its global names afterwards."""

    def __init__(self, tree: Tree, path: str) -> None:
        super().__init__()
        self.tree = tree
        self.path = path
        self.names: dict[str, Any] = {"__file__": Text(path), "__name__": "__main__", "__doc__": None}
        self.marker: tuple[str, ...] = ()

    def run(self, module: ast.Module) -> None:
        """Read all statements; SetupFound where ``setup`` is called."""
        try:
            self.names["__doc__"] = ast.get_docstring(module, clean=False)
            self.block(module.body, self.names)
        except (Raised, Return, Stop, Break, Continue):
            return

    def block(self, body: list[ast.stmt], names: dict[str, Any]) -> None:
        for statement in body:
            self.step()
            method = getattr(self, f"do_{type(statement).__name__.lower()}", None)
            if method is not None:
                method(statement, names)
            else:
                self.forget([statement], names, "it is made by a statement that only a run can follow")

    def forget(self, body: list[ast.stmt], names: dict[str, Any], reason: str) -> None:
        """Whatever ``body`` assigns or changes is unknown from here on."""
        for statement in body:
            for node in ast.walk(statement):
                name = None
                if isinstance(node, ast.Name) and isinstance(node.ctx, (ast.Store, ast.Del)):
                    name = node.id
                elif isinstance(node, (ast.Attribute, ast.Subscript)):
                    base: ast.AST = node
                    while isinstance(base, (ast.Attribute, ast.Subscript)):
                        base = base.value
                    if isinstance(base, ast.Name) and isinstance(names.get(base.id), (list, dict)):
                        name = base.id
                elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                    name = node.name
                elif isinstance(node, (ast.Import, ast.ImportFrom)):
                    for alias in node.names:
                        names[alias.asname or alias.name.partition(".")[0]] = Unknown(reason, node.lineno)
                if name is not None:
                    names[name] = Unknown(reason, getattr(node, "lineno", 0))

    def do_expr(self, node: ast.Expr, names: dict[str, Any]) -> None:
        self.value(node.value, names)

    def do_pass(self, node: ast.Pass, names: dict[str, Any]) -> None:
        return

    do_global = do_nonlocal = do_assert = do_pass

    def do_assign(self, node: ast.Assign, names: dict[str, Any]) -> None:
        value = self.value(node.value, names)
        for target in node.targets:
            self.assign(target, value, names)

    def do_annassign(self, node: ast.AnnAssign, names: dict[str, Any]) -> None:
        if node.value is not None:
            self.assign(node.target, self.value(node.value, names), names)

    def do_augassign(self, node: ast.AugAssign, names: dict[str, Any]) -> None:
        if not isinstance(node.op, ast.Add):
            self.forget([node], names, "it is changed in a way only a run can follow")
            return
        before = self.value(node.target, names)
        more = self.value(node.value, names)
        if isinstance(before, list) and isinstance(more, (list, tuple)):
            self.room(len(before) + len(more), "list")
            before.extend(self.under_marker(more))
            return
        self.assign(node.target, self.add(before, more, node.lineno), names)

    def assign(self, target: ast.expr, value: Any, names: dict[str, Any]) -> None:
        if isinstance(target, ast.Name):
            if self.marker and target.id in names and names[target.id] != value:
                value = Unknown(f"it depends on {' and '.join(self.marker)}", target.lineno)
            names[target.id] = value
        elif isinstance(target, (ast.Tuple, ast.List)):
            parts = (
                list(value) if isinstance(value, (tuple, list)) and len(value) == len(target.elts) else None
            )
            for number, each in enumerate(target.elts):
                self.assign(each, parts[number] if parts else Unknown("its parts are not known"), names)
        elif isinstance(target, ast.Subscript):
            holder, key = self.value(target.value, names), self.value(target.slice, names)
            if isinstance(holder, dict) and isinstance(key, (str, int)) and not self.marker:
                holder[key] = value
            elif isinstance(holder, dict) and isinstance(key, str):
                holder[key] = (
                    self.under_marker(value)
                    if isinstance(value, list)
                    else Unknown("it depends on the platform")
                )
            else:
                self.forget([ast.copy_location(ast.Expr(target), target)], names, "a part of it is not known")
        elif isinstance(target, ast.Attribute):
            holder = self.value(target.value, names)
            if isinstance(holder, ExtensionCall):
                holder.put(target.attr, value)

    def do_functiondef(self, node: ast.FunctionDef, names: dict[str, Any]) -> None:
        names[node.name] = (
            Unknown(f"{node.name} is decorated", node.lineno)
            if node.decorator_list
            else Function(node, names)
        )

    def do_classdef(self, node: ast.ClassDef, names: dict[str, Any]) -> None:
        names[node.name] = Class(node, tuple(self.value(base, names) for base in node.bases))

    def do_import(self, node: ast.Import, names: dict[str, Any]) -> None:
        for alias in node.names:
            name = alias.name if alias.asname else alias.name.partition(".")[0]
            names[alias.asname or name] = self.imported(name)

    def do_importfrom(self, node: ast.ImportFrom, names: dict[str, Any]) -> None:
        module = "." * node.level + (node.module or "")
        for alias in node.names:
            names[alias.asname or alias.name] = self.attribute(self.imported(module), alias.name, node.lineno)

    def imported(self, name: str) -> Any:
        for base in ("", "src"):
            own = self.tree.module_file(name.lstrip("."), base)
            if own is not None and name.partition(".")[0] not in _PRESENT:
                return Module(name, own)
        return Module(name)

    def do_return(self, node: ast.Return, names: dict[str, Any]) -> None:
        raise Return(None if node.value is None else self.value(node.value, names))

    def do_raise(self, node: ast.Raise, names: dict[str, Any]) -> None:
        raise Raised

    def do_delete(self, node: ast.Delete, names: dict[str, Any]) -> None:
        for target in node.targets:
            if isinstance(target, ast.Name):
                names.pop(target.id, None)
            else:
                self.forget([node], names, "a part of it is deleted")

    def do_if(self, node: ast.If, names: dict[str, Any]) -> None:
        decided = self.value(node.test, names)
        if isinstance(decided, Condition):
            self.conditional(node.body, decided.marker, names)
            self.conditional(node.orelse, decided.opposite, names)
        elif isinstance(decided, (Unknown, Module, Platform, VersionInfo)):
            reason = decided.reason if isinstance(decided, Unknown) else "it depends on the environment"
            self.hidden_setup(node, names)
            self.forget([*node.body, *node.orelse], names, reason)
        else:
            self.block(node.body if decided else node.orelse, names)

    def hidden_setup(self, node: ast.If, names: dict[str, Any]) -> None:
        """Where both ways lead on, the one that calls ``setup`` is the one that is described."""
        for body in (node.body, node.orelse):
            if any(
                isinstance(each, ast.Call) and isinstance(each.func, ast.Name) and each.func.id == "setup"
                for part in body
                for each in ast.walk(part)
            ):
                self.block(body, names)

    def conditional(self, body: list[ast.stmt], marker: str, names: dict[str, Any]) -> None:
        before = self.marker
        self.marker = (*before, marker)
        try:
            self.block(body, names)
        except (Raised, Stop):  # it refuses to be built there: nothing that metadata say
            return
        finally:
            self.marker = before

    def do_with(self, node: ast.With, names: dict[str, Any]) -> None:
        for item in node.items:
            value = self.value(item.context_expr, names)
            if item.optional_vars is not None:
                self.assign(item.optional_vars, value, names)
        self.block(node.body, names)

    def do_for(self, node: ast.For, names: dict[str, Any]) -> None:
        values = self.value(node.iter, names)
        if isinstance(values, OpenFile):
            values = lines(values)
        if isinstance(values, (dict, str)) or type(values).__name__ in (
            "dict_items",
            "dict_keys",
            "dict_values",
        ):
            values = list(values)
        if not isinstance(values, (list, tuple)):
            self.forget(node.body, names, "it is made in a loop that only a run can follow")
            self.forget(
                [ast.copy_location(ast.Expr(node.target), node)], names, "it is the variable of a loop"
            )
            return
        try:
            for value in values[: self.tree.limits.items]:
                self.step()
                self.assign(node.target, value, names)
                try:
                    self.block(node.body, names)
                except Continue:
                    continue
        except Break:
            return
        self.block(node.orelse, names)

    def do_break(self, node: ast.Break, names: dict[str, Any]) -> None:
        raise Break

    def do_continue(self, node: ast.Continue, names: dict[str, Any]) -> None:
        raise Continue

    def do_try(self, node: ast.Try, names: dict[str, Any]) -> None:
        foreign = next((name for name in _imports(node.body) if not self.is_present(name)), None)
        if foreign is not None:
            self.forget([*node.body, *node.orelse], names, f"it depends on whether {foreign} is installed")
            for handler in node.handlers:
                self.forget(handler.body, names, f"it depends on whether {foreign} is installed")
            return
        try:
            self.block(node.body, names)
            self.block(node.orelse, names)
        except Raised:
            if not node.handlers:
                raise
            self.block(node.handlers[0].body, names)
        finally:
            self.block(node.finalbody, names)

    def is_present(self, module: str) -> bool:
        import sys

        first = module.partition(".")[0]
        return (
            first in _PRESENT
            or first in sys.stdlib_module_names
            or (isinstance(self.imported(module), Module) and bool(self.imported(module).own))
        )


def _imports(body: list[ast.stmt]) -> list[str]:
    found: list[str] = []
    for statement in body:
        if isinstance(statement, ast.Import):
            found += [alias.name for alias in statement.names]
        elif isinstance(statement, ast.ImportFrom) and statement.module and not statement.level:
            found.append(statement.module)
    return found
