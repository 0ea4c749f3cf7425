"""The methods of text, lists, tables, files and paths that a ``setup.py`` may call while it is read."""

from __future__ import annotations

import posixpath
import re

from accord.migrate.patterns import matched
from accord.migrate.values import Bound, Condition, OpenFile, PathText, Platform, Text, Unknown, origins

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from accord.migrate.expressions import Expressions
    from accord.migrate.tree import Tree

__all__ = ["call_method", "lines", "opened", "percent", "relative"]

_TEXT_METHODS = frozenset(
    """strip lstrip rstrip split rsplit splitlines join replace format lower upper title capitalize startswith endswith
    partition rpartition count find rfind index encode decode zfill isdigit removeprefix removesuffix expandtabs
    casefold""".split()  # noqa: SIM905 - read as words
)


def lines(file: OpenFile) -> list[Any]:
    return [Text(line, (file.path,)) for line in file.text.splitlines(keepends=True)]


def percent(run: Expressions, left: str, right: Any) -> Any:
    values = right if isinstance(right, (tuple, dict)) else (right,)
    plain = list(values.values()) if isinstance(values, dict) else list(values)
    if not all(isinstance(each, (str, int)) for each in plain):
        return next(
            (each for each in plain if isinstance(each, Unknown)), Unknown("a part of it is not known")
        )
    if re.search(r"%[^sdi%(]|\d{3,}", left):
        return Unknown("it is formatted in a way only a run can follow")
    run.room(len(left) + (left.count("%") + 1) * max((len(str(each)) for each in plain), default=0))
    return Text(left % values, origins(left, plain), getattr(left, "line", 0))


def relative(path: Any) -> str:
    """A path inside the project; ``here`` and its kin are its root."""
    return posixpath.normpath(str(path) or ".")


def opened(tree: Tree, arguments: list[Any], keywords: dict[str, Any], line: int) -> Any:
    path = relative(arguments[0])
    encoding = keywords.get("encoding")
    text = tree.read(
        path,
        encoding="utf-8-sig"
        if not isinstance(encoding, str) or encoding.lower() in ("utf8", "utf-8")
        else encoding,
    )
    if text is None:
        return Unknown(f"{path} cannot be read", line)
    return OpenFile(path, text)


def call_method(
    run: Expressions, bound: Bound, arguments: list[Any], keywords: dict[str, Any], line: int
) -> Any:
    """The result of a method of a value."""
    holder, name = bound.holder, bound.name
    if isinstance(holder, Bound) and holder.name in ("match", "pattern"):
        if holder.name == "match":
            found, files = holder.holder
            return _of_match(found, files, name, arguments, line)
        pattern, *flags = holder.holder
        return matched(
            run.tree, name, pattern, arguments[: 2 if name == "sub" else 1], flags[0] if flags else 0, line
        )
    if isinstance(holder, OpenFile):
        return _of_file(holder, name, line)
    if isinstance(holder, Platform) and name == "startswith":
        if arguments and arguments[0] in ("java", "cli"):
            return False
        equal = {"win": "win32", "win32": "win32", "linux": "linux", "darwin": "darwin"}.get(
            str(arguments[0])
        )
        if equal and holder.variable == "sys_platform":
            return Condition(f'sys_platform == "{equal}"', f'sys_platform != "{equal}"')
        return Unknown("it depends on the platform", line)
    if isinstance(holder, Platform) and name in ("lower", "strip"):
        return (
            holder
            if holder.variable in ("sys_platform", "os_name")
            else Unknown("it depends on the platform", line)
        )
    if isinstance(holder, PathText):
        return _of_path(run, holder, name, arguments, keywords, line)
    if isinstance(holder, str) and name in _TEXT_METHODS:
        return _of_text(run, holder, name, arguments, keywords, line)
    if isinstance(holder, list):
        return _of_list(run, holder, name, arguments, line)
    if isinstance(holder, dict) and name in (
        "get",
        "items",
        "keys",
        "values",
        "pop",
        "copy",
        "update",
        "setdefault",
    ):
        if name == "update":
            holder.update(*arguments, **keywords)
            return None
        found = getattr(holder, name)(*arguments)
        return list(found) if name in ("items", "keys", "values") else found
    return Unknown(f"only a run can tell what .{name}() does", line)


def _of_match(
    found: dict[str, Any], files: tuple[str, ...], name: str, arguments: list[Any], line: int
) -> Any:
    groups = found["groups"]
    if name == "group":
        wanted = arguments or [0]
        texts = [found["names"][each] if isinstance(each, str) else groups[each] for each in wanted]
        return _traced_many(texts[0] if len(texts) == 1 else tuple(texts), files)
    if name == "groups":
        return _traced_many(tuple(groups[1:]), files)
    if name == "groupdict":
        return {key: _traced_many(value, files) for key, value in found["names"].items()}
    if name in ("start", "end") and not arguments:
        return found["span"][name == "end"]
    return Unknown(f"only a run can tell what .{name}() does", line)


def _traced_many(value: Any, files: tuple[str, ...]) -> Any:
    if isinstance(value, str):
        return Text(value, files)
    return tuple(_traced_many(each, files) for each in value) if isinstance(value, tuple) else value


def _of_path(
    run: Expressions, path: PathText, name: str, arguments: list[Any], keywords: dict[str, Any], line: int
) -> Any:
    if name in ("resolve", "absolute", "expanduser"):
        return path
    if name == "joinpath":
        return PathText(posixpath.normpath("/".join([path, *map(str, arguments)])))
    if name in ("read_text", "read_bytes", "open"):
        file = opened(run.tree, [path], keywords, line)
        return file if name == "open" or isinstance(file, Unknown) else Text(file.text, (file.path,))
    if name in ("exists", "is_file", "is_dir"):
        return run.tree.is_file(path) or run.tree.is_folder(path)
    if name == "with_name":
        return PathText(posixpath.join(posixpath.dirname(path), str(arguments[0])))
    return Unknown(f"only a run can tell what .{name}() does", line)


def _of_file(file: OpenFile, name: str, line: int) -> Any:
    if name == "read":
        return Text(file.text, (file.path,))
    if name == "readlines":
        return lines(file)
    if name == "readline":
        text, _, file.text = file.text.partition("\n")
        return Text(text + "\n", (file.path,))
    return None if name in ("close", "seek") else Unknown(f"only a run can tell what .{name}() does", line)


def _of_text(
    run: Expressions, holder: str, name: str, arguments: list[Any], keywords: dict[str, Any], line: int
) -> Any:
    if name in ("encode", "decode"):
        return holder
    flat = [each for value in arguments for each in (value if isinstance(value, (list, tuple)) else [value])]
    unknown = next(
        (each for each in [*flat, *keywords.values()] if not isinstance(each, (str, int, type(None)))), None
    )
    if unknown is not None:
        return unknown if isinstance(unknown, Unknown) else Unknown("a part of it is not known", line)
    if name in ("zfill", "expandtabs") and arguments and arguments[0] > 1000:
        return Unknown("it is too large", line)
    if name == "format" and re.search(r"\{[^}]*[.\[:!]", holder):
        return Unknown("it is formatted in a way only a run can follow", line)
    plain = [
        [str(each) for each in value]
        if isinstance(value, (list, tuple)) and name == "join"
        else tuple(value)
        if isinstance(value, list)
        else value
        for value in arguments
    ]
    run.room(_most(str(holder), name, flat, keywords))
    found = getattr(str(holder), name)(*plain, **keywords)
    files = origins(holder, flat, list(keywords.values()))
    at = getattr(holder, "line", 0)
    if isinstance(found, str):
        return Text(found, files, at)
    if isinstance(found, (list, tuple)):
        return type(found)(Text(each, files, at) for each in found)
    return found


def _most(holder: str, name: str, flat: list[Any], keywords: dict[str, Any]) -> int:
    """The most letters a method can make: few of them make more than they were given."""
    given = [len(each) for each in [*flat, *keywords.values()] if isinstance(each, str)]
    if name == "replace":
        return len(holder) + (holder.count(flat[0]) if flat and isinstance(flat[0], str) else 0) * max(
            given, default=0
        )
    if name == "join":
        return sum(given) + len(holder) * len(flat)
    if name == "format":
        return len(holder) + (holder.count("{") + 1) * max(given, default=0)
    return 2 * len(holder)


def _of_list(run: Expressions, holder: list[Any], name: str, arguments: list[Any], line: int) -> Any:
    more = arguments[0] if arguments else ()
    run.room(len(holder) + (len(more) if name == "extend" and isinstance(more, (list, tuple)) else 1), "list")
    if name == "append":
        holder.extend(run.under_marker(arguments))
        return None
    if name == "extend":
        holder.extend(
            run.under_marker(more)
            if isinstance(more, (list, tuple))
            else [Unknown("what is added is not known", line)]
        )
        return None
    if name in ("insert", "remove", "pop", "sort", "reverse", "clear") and not run.marker:
        return getattr(holder, name)(*arguments)
    if name in ("index", "count", "copy"):
        return getattr(holder, name)(*arguments)
    holder.append(Unknown(f"only a run can tell what .{name}() does", line))
    return None
