"""Expressions of a ``setup.py``, worked out without running it: the half of the reading that only makes values.

What an expression cannot be known to be is ``Unknown``, with the reason; a comparison with the platform or the Python is
a ``Condition``, which becomes a marker.
"""

from __future__ import annotations

import ast
import operator
import posixpath
import time

from accord.migrate import conditions, known, methods
from accord.migrate.constants import constants_of
from accord.migrate.values import (
    Bound,
    Class,
    Condition,
    ExtensionCall,
    Function,
    Module,
    OpenFile,
    PathText,
    Platform,
    Text,
    Unknown,
    VersionInfo,
    origins,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from accord.migrate.tree import Tree

__all__ = ["Break", "Continue", "Expressions", "Raised", "Return", "SetupFound", "Stop", "TooMuch"]

_OPERATORS = {
    ast.Sub: operator.sub, ast.Mult: operator.mul, ast.FloorDiv: operator.floordiv, ast.BitOr: operator.or_,
}  # fmt: skip
_COMPARES: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt,
    ast.GtE: operator.ge, ast.In: lambda a, b: a in b, ast.NotIn: lambda a, b: a not in b,
    ast.Is: lambda a, b: a is b, ast.IsNot: lambda a, b: a is not b,
}  # fmt: skip
_SIGNS = {ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="}
_SETUPS = frozenset(
    ("setuptools.setup", "distutils.core.setup", "skbuild.setup", "numpy.distutils.core.setup")
)


class SetupFound(Exception):
    """``setup(...)`` was called: ends the reading."""

    def __init__(self, line: int, function: str, values: dict[str, Any]) -> None:
        super().__init__("setup")
        self.line = line
        self.function = function
        self.values = values


class TooMuch(Exception):
    """A limit was reached."""


class Return(Exception):
    def __init__(self, value: Any) -> None:
        super().__init__("return")
        self.value = value


class Raised(Exception):
    pass


class Break(Exception):
    pass


class Continue(Exception):
    pass


class Stop(Exception):
    """``sys.exit`` on the way that is read."""


class Expressions:
    """Works out expressions; statements are the subclass's (:class:`~accord.migrate.evaluate.Evaluator`)."""

    tree: Tree
    names: dict[str, Any]
    marker: tuple[str, ...]

    def __init__(self) -> None:
        self._steps = 0
        self._begun = time.monotonic()
        self._depth = 0

    def block(self, body: list[ast.stmt], names: dict[str, Any]) -> None:
        raise NotImplementedError

    def assign(self, target: ast.expr, value: Any, names: dict[str, Any]) -> None:
        raise NotImplementedError

    def imported(self, name: str) -> Any:
        raise NotImplementedError

    def room(self, size: int, kind: str = "text") -> None:
        """Refuse to make what would be larger than the limits: the sizes of a stranger's file multiply."""
        limits = self.tree.limits
        if size > (limits.text_length if kind == "text" else limits.items):
            raise TooMuch(f"a {kind} in it is too long")

    def step(self) -> None:
        self._steps += 1
        limits = self.tree.limits
        if self._steps > limits.steps or time.monotonic() - self._begun > limits.reading_seconds:
            raise TooMuch("it does more than can be followed")

    def under_marker(self, values: Any) -> list[Any]:
        """``values`` as what stands under the conditions that hold here; only words can say so of themselves."""
        if not self.marker:
            return list(values)
        joined = " and ".join(self.marker)
        return [
            Text(each, origins(each), getattr(each, "line", 0), joined)
            if isinstance(each, str)
            else Unknown(f"it depends on {joined}", getattr(each, "line", 0))
            for each in values
        ]

    def value(self, node: ast.expr, names: dict[str, Any]) -> Any:
        self.step()
        self._depth += 1
        if self._depth > self.tree.limits.depth * 8:
            raise TooMuch("it is nested too deep")
        try:
            method = getattr(self, f"of_{type(node).__name__.lower()}", None)
            if method is None:
                return Unknown("it is an expression that only a run can follow", node.lineno)
            return method(node, names)
        except (
            TypeError,
            ValueError,
            KeyError,
            IndexError,
            AttributeError,
            ArithmeticError,
            OSError,
        ) as error:
            return Unknown(f"it cannot be made without running it ({type(error).__name__})", node.lineno)
        finally:
            self._depth -= 1

    def of_constant(self, node: ast.Constant, names: dict[str, Any]) -> Any:
        return Text(node.value, (), node.lineno) if isinstance(node.value, str) else node.value

    def of_name(self, node: ast.Name, names: dict[str, Any]) -> Any:
        if node.id in names:
            return names[node.id]
        if node.id in self.names:
            return self.names[node.id]
        return Module(f"builtins.{node.id}")

    def of_attribute(self, node: ast.Attribute, names: dict[str, Any]) -> Any:
        return self.attribute(self.value(node.value, names), node.attr, node.lineno)

    def attribute(self, holder: Any, name: str, line: int) -> Any:
        if isinstance(holder, Module):
            if holder.own is not None:
                constants = constants_of(self.tree, holder.own)
                if name in constants:
                    return constants[name]
                deeper = self.imported(f"{holder.name}.{name}")
                return deeper if deeper.own else Unknown(f"{holder.name}.{name} is no literal", line)
            return known.variable(f"{holder.name}.{name}")
        if isinstance(holder, ExtensionCall):
            return getattr(holder, name, None) or holder.options.get(
                name, Unknown(f"no {name} is given", line)
            )
        if isinstance(holder, VersionInfo) and name == "major":
            return 3
        if isinstance(holder, Unknown):
            return holder
        if isinstance(holder, PathText) and name in ("parent", "name", "stem"):
            parts = {"parent": posixpath.dirname(holder) or ".", "name": posixpath.basename(holder)}
            parts["stem"] = parts["name"].partition(".")[0]
            return PathText(parts[name]) if name == "parent" else Text(parts[name])
        return Bound(holder, name)

    def of_list(self, node: ast.List, names: dict[str, Any]) -> Any:
        return self.parts(node.elts, names)

    def of_tuple(self, node: ast.Tuple, names: dict[str, Any]) -> Any:
        return tuple(self.parts(node.elts, names))

    def of_set(self, node: ast.Set, names: dict[str, Any]) -> Any:
        return self.parts(node.elts, names)

    def parts(self, nodes: list[ast.expr], names: dict[str, Any]) -> list[Any]:
        found: list[Any] = []
        for each in nodes:
            if isinstance(each, ast.Starred):
                value = self.value(each.value, names)
                found += (
                    value
                    if isinstance(value, (list, tuple))
                    else [Unknown("what is spread out is not known", each.lineno)]
                )
            else:
                found.append(self.value(each, names))
        return found

    def of_dict(self, node: ast.Dict, names: dict[str, Any]) -> Any:
        found: dict[Any, Any] = {}
        for key, value in zip(node.keys, node.values, strict=True):
            if key is None:
                more = self.value(value, names)
                if not isinstance(more, dict):
                    return Unknown("what is spread out is not known", value.lineno)
                found.update(more)
            else:
                name = self.value(key, names)
                if isinstance(name, Condition | VersionInfo | Module | Platform):
                    return Unknown("a key depends on the environment", node.lineno)
                found[name] = self.value(value, names)
        return found

    def of_joinedstr(self, node: ast.JoinedStr, names: dict[str, Any]) -> Any:
        parts = [self.value(each, names) for each in node.values]
        bad = next((each for each in parts if not isinstance(each, str)), None)
        if bad is not None:
            return bad if isinstance(bad, Unknown) else Unknown("a part of it is not known", node.lineno)
        self.room(sum(map(len, parts)))
        return Text("".join(parts), origins(*parts), node.lineno)

    def of_formattedvalue(self, node: ast.FormattedValue, names: dict[str, Any]) -> Any:
        value = self.value(node.value, names)
        if node.format_spec is not None or not isinstance(value, (str, int)):
            return value if isinstance(value, Unknown) else Unknown("a part of it is not known", node.lineno)
        return Text(str(value), origins(value))

    def of_binop(self, node: ast.BinOp, names: dict[str, Any]) -> Any:
        left, right = self.value(node.left, names), self.value(node.right, names)
        if isinstance(node.op, ast.Div) and isinstance(left, PathText) and isinstance(right, str):
            return PathText(posixpath.normpath(f"{left}/{right}"))
        if isinstance(node.op, ast.Add):
            return self.add(left, right, node.lineno)
        for each in (left, right):
            if isinstance(each, Unknown):
                return each
        if isinstance(node.op, ast.Mod) and isinstance(left, str):
            return methods.percent(self, left, right)
        if type(node.op) in _OPERATORS and isinstance(left, (int, str, list, dict, tuple)):
            if isinstance(node.op, ast.Mult):
                if not isinstance(right, int) or right > 1000:
                    return Unknown("it is too large", node.lineno)
                if not isinstance(left, int):
                    self.room(len(left) * right, "text" if isinstance(left, str) else "list")
            return _OPERATORS[type(node.op)](left, right)
        return Unknown("it is calculated in a way only a run can follow", node.lineno)

    def add(self, left: Any, right: Any, line: int) -> Any:
        for each in (left, right):
            if isinstance(each, Unknown):
                return each
        if isinstance(left, str) and isinstance(right, str):
            self.room(len(left) + len(right))
            return Text(left + right, origins(left, right), getattr(left, "line", 0))
        if isinstance(left, (list, tuple)) and isinstance(right, (list, tuple)):
            self.room(len(left) + len(right), "list")
            return [*left, *right] if isinstance(left, list) else (*left, *right)
        if isinstance(left, int) and isinstance(right, int):
            return left + right
        return Unknown("it is a sum only a run can make", line)

    def of_boolop(self, node: ast.BoolOp, names: dict[str, Any]) -> Any:
        found: Any = None
        is_and = isinstance(node.op, ast.And)
        pending: list[Condition] = []
        for each in node.values:
            found = self.value(each, names)
            if isinstance(found, Condition):
                pending.append(found)
                continue
            if isinstance(found, (Unknown, Module, Platform)):
                return Unknown("it depends on the environment", node.lineno)
            if bool(found) is not is_and:
                return found
        if pending:
            word, other = (" and ", " or ") if is_and else (" or ", " and ")
            if len(pending) == 1:
                return pending[0]
            return Condition(
                f"({word.join(each.marker for each in pending)})",
                f"({other.join(each.opposite for each in pending)})",
            )
        return found

    def of_unaryop(self, node: ast.UnaryOp, names: dict[str, Any]) -> Any:
        value = self.value(node.operand, names)
        if isinstance(node.op, ast.Not):
            if isinstance(value, Condition):
                return Condition(value.opposite, value.marker)
            return value if isinstance(value, (Unknown, Module, Platform)) else not value
        if isinstance(node.op, ast.USub) and isinstance(value, int):
            return -value
        return Unknown("it is calculated in a way only a run can follow", node.lineno)

    def of_ifexp(self, node: ast.IfExp, names: dict[str, Any]) -> Any:
        decided = self.value(node.test, names)
        if isinstance(decided, Condition):
            yes, no = self.value(node.body, names), self.value(node.orelse, names)
            if isinstance(yes, list) and isinstance(no, list):
                return [
                    *(Text(each, (), getattr(each, "line", 0), decided.marker) for each in yes if isinstance(each, str)),
                    *(Text(each, (), getattr(each, "line", 0), decided.opposite) for each in no if isinstance(each, str)),
                ]  # fmt: skip
            return Unknown(f"it depends on {decided.marker}", node.lineno)
        if isinstance(decided, (Unknown, Module, Platform)):
            return Unknown("it depends on the environment", node.lineno)
        return self.value(node.body if decided else node.orelse, names)

    def of_compare(self, node: ast.Compare, names: dict[str, Any]) -> Any:
        if len(node.ops) != 1:
            return Unknown("it is compared in a way only a run can follow", node.lineno)
        left, right = self.value(node.left, names), self.value(node.comparators[0], names)
        if isinstance(left, VersionInfo):
            return conditions.python_condition(_SIGNS.get(type(node.ops[0])), right, node.lineno)
        for here, other in ((left, right), (right, left)):
            if isinstance(here, Platform):
                if isinstance(node.ops[0], (ast.In, ast.NotIn)):
                    return conditions.contained(here, other, isinstance(node.ops[0], ast.In), node.lineno)
                return conditions.platform_condition(here, _SIGNS.get(type(node.ops[0])), other, node.lineno)
            if isinstance(here, (Unknown, Module)) and not isinstance(node.ops[0], (ast.Is, ast.IsNot)):
                return (
                    here
                    if isinstance(here, Unknown)
                    else Unknown("it depends on the environment", node.lineno)
                )
        if isinstance(left, Unknown):
            return left
        return bool(_COMPARES[type(node.ops[0])](left, right))

    def of_subscript(self, node: ast.Subscript, names: dict[str, Any]) -> Any:
        holder = self.value(node.value, names)
        if isinstance(holder, Unknown):
            return holder
        if isinstance(node.slice, ast.Slice):
            if isinstance(holder, VersionInfo):
                return holder
            bounds = [
                None if each is None else self.value(each, names)
                for each in (node.slice.lower, node.slice.upper, node.slice.step)
            ]
            cut = holder[slice(*bounds)]
            return Text(cut, origins(holder)) if isinstance(cut, str) else cut
        key = self.value(node.slice, names)
        if isinstance(holder, VersionInfo):
            return 3 if key == 0 else Unknown("it depends on the Python", node.lineno)
        if isinstance(key, Unknown):
            return key
        found = holder[key]
        return Text(found, origins(holder)) if isinstance(holder, str) else found

    def of_listcomp(self, node: ast.ListComp | ast.GeneratorExp, names: dict[str, Any]) -> Any:
        found: list[Any] = []
        self.comprehend(node.generators, dict(names), lambda inner: found.append(self.value(node.elt, inner)))
        return found

    of_generatorexp = of_setcomp = of_listcomp

    def of_dictcomp(self, node: ast.DictComp, names: dict[str, Any]) -> Any:
        found: dict[Any, Any] = {}

        def put(inner: dict[str, Any]) -> None:
            found[self.value(node.key, inner)] = self.value(node.value, inner)

        self.comprehend(node.generators, dict(names), put)
        return found

    def comprehend(self, generators: list[ast.comprehension], names: dict[str, Any], put: Any) -> None:
        first, *rest = generators
        values = self.value(first.iter, names)
        if isinstance(values, OpenFile):
            values = methods.lines(values)
        if isinstance(values, (Unknown, Module, Platform, VersionInfo)):
            raise TypeError("what it is made from is not known")
        for value in list(values)[: self.tree.limits.items]:
            self.step()
            self.assign(first.target, value, names)
            tests = [self.value(test, names) for test in first.ifs]
            if any(isinstance(test, (Unknown, Condition, Module)) for test in tests):
                raise ValueError("a condition in it is not known")
            if all(tests):
                if rest:
                    self.comprehend(rest, names, put)
                else:
                    put(names)

    def of_lambda(self, node: ast.Lambda, names: dict[str, Any]) -> Any:
        return Function(node, names)

    def of_call(self, node: ast.Call, names: dict[str, Any]) -> Any:
        function = self.value(node.func, names)
        if isinstance(function, Unknown):
            return function
        arguments = self.parts(node.args, names)
        keywords: dict[str, Any] = {}
        for word in node.keywords:
            value = self.value(word.value, names)
            if word.arg is not None:
                keywords[word.arg] = value
            elif isinstance(value, dict):
                keywords.update(value)
            else:
                keywords["**"] = Unknown("what is passed by ** is not known", node.lineno)
        if len(arguments) == 1 and isinstance(function, Module) and function.name == "builtins.exec":
            arguments = [*arguments, names]  # without names of its own, it fills those around it
        return self.call(function, arguments, keywords, node.lineno)

    def call(self, function: Any, arguments: list[Any], keywords: dict[str, Any], line: int) -> Any:
        if isinstance(function, Function):
            return self.apply(function, arguments, keywords, line)
        if isinstance(function, Class):
            return self.instance(function, arguments, keywords, line)
        if isinstance(function, Module):
            if function.name in _SETUPS:
                raise SetupFound(line, function.name, keywords)
            if function.name in ("sys.exit", "builtins.exit", "builtins.quit", "os._exit"):
                raise Stop
            return known.call(self, function.name, arguments, keywords, line)
        if isinstance(function, Bound):
            return methods.call_method(self, function, arguments, keywords, line)
        return Unknown("it is made by something that only a run can follow", line)

    def instance(self, made: Class, arguments: list[Any], keywords: dict[str, Any], line: int) -> Any:
        for base in made.bases:
            inner = base
            if isinstance(inner, Class):
                return self.instance(inner, arguments, keywords, line)
            if isinstance(inner, Module) and inner.name.rpartition(".")[2] == "Extension":
                found = known.call(self, inner.name, arguments[:2], keywords, line)
                found.plain = False
                return found
        return Unknown(f"it is an object of {made.node.name}", line)

    def apply(self, function: Function, arguments: list[Any], keywords: dict[str, Any], line: int) -> Any:
        self._depth += 8
        if self._depth > self.tree.limits.depth * 8:
            raise TooMuch("its functions call each other too deep")
        node, names = function.node, dict(function.names)
        try:
            self.bind(node.args, arguments, keywords, names, function.names)
            if isinstance(node, ast.Lambda):
                return self.value(node.body, names)
            self.block(node.body, names)
        except Return as result:
            return result.value
        finally:
            self._depth -= 8
        return None

    def bind(
        self,
        spec: ast.arguments,
        arguments: list[Any],
        keywords: dict[str, Any],
        names: dict[str, Any],
        outer: dict[str, Any],
    ) -> None:
        plain = [*spec.posonlyargs, *spec.args]
        defaults = dict(zip([each.arg for each in plain][::-1], spec.defaults[::-1], strict=False))
        defaults.update(
            {
                each.arg: value
                for each, value in zip(spec.kwonlyargs, spec.kw_defaults, strict=True)
                if value is not None
            }
        )
        for each in [*plain, *spec.kwonlyargs]:
            default = defaults.get(each.arg)
            names[each.arg] = (
                Unknown("an argument is missing") if default is None else self.value(default, outer)
            )
        for each, value in zip(plain, arguments, strict=False):
            names[each.arg] = value
        if spec.vararg is not None:
            names[spec.vararg.arg] = tuple(arguments[len(plain) :])
        expected = {each.arg for each in [*plain, *spec.kwonlyargs]}
        names.update({name: value for name, value in keywords.items() if name in expected})
        if spec.kwarg is not None:
            names[spec.kwarg.arg] = {name: value for name, value in keywords.items() if name not in expected}
