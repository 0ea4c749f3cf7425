"""A lock as text: the same lock is always the same bytes, and two locks that differ a little differ in few lines.

Keys stand in the standard's order, packages and files are sorted, every file has a line of its own as an inline
table, so that a change of one wheel is a change of one line and two branches that add different packages merge
("Tools SHOULD write the lock file in a consistent way to minimize noise in diff output").  The writer is our own,
because no general one lays tables out like this, and a large lock is written ten times faster.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from accord_core.index.filenames import split_wheel
from accord_core.lock.model import Archive, Directory, File, Lock, Package, Vcs
from accord_core.project.versions import sort_key

__all__ = ["dumps"]

_BARE = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}


class _Time(str):
    """Text that is written as a TOML time."""

    __slots__ = ()


def dumps(lock: Lock) -> str:
    """The text of ``pylock.toml``.  Raises ``TypeError`` where a ``tool`` table holds what TOML cannot say."""
    out: list[str] = [f"lock-version = {_value(lock.lock_version)}"]
    if lock.environments:
        out.append(f"environments = {_lines(sorted(lock.environments))}")
    if lock.requires_python is not None:
        out.append(f"requires-python = {_value(lock.requires_python)}")
    # An empty array says that there was nothing of the kind to lock, which is more than not saying it.
    out.append(f"extras = {_value(sorted(lock.extras))}")
    out.append(f"dependency-groups = {_value(sorted(lock.dependency_groups))}")
    if lock.default_groups:
        out.append(f"default-groups = {_value(sorted(lock.default_groups))}")
    out.append(f"created-by = {_value(lock.created_by)}")
    if not lock.packages:
        out.append("packages = []")
    for package in sorted(lock.packages, key=_place):
        out += ("", "[[packages]]")
        _package(package, out)
    if lock.tool:
        _tables(("tool",), lock.tool, out)
    return "\n".join(out) + "\n"


def _place(package: Package) -> tuple[str, bytes, str, str]:
    try:
        key = b"" if package.version is None else sort_key(package.version)
    except ValueError:
        key = b""
    return package.name, key, package.version or "", package.marker or ""


def _package(package: Package, out: list[str]) -> None:
    for key, value in (
        ("name", package.name),
        ("version", package.version),
        ("marker", package.marker),
        ("requires-python", package.requires_python),
    ):
        if value is not None:
            out.append(f"{key} = {_value(value)}")
    if package.dependencies:
        tables = sorted(package.dependencies, key=lambda table: (str(table.get("name", "")), _inline(table)))
        out.append(f"dependencies = {_lines(tables)}")
    for key, source in (("vcs", package.vcs), ("directory", package.directory), ("archive", package.archive)):
        if source is not None:
            out.append(f"{key} = {_inline(_source(source))}")
    if package.index is not None:
        out.append(f"index = {_value(package.index)}")
    if package.sdist is not None:
        out.append(f"sdist = {_inline(_source(package.sdist))}")
    if package.wheels:
        out.append(
            f"wheels = {_lines([_source(wheel) for wheel in sorted(package.wheels, key=_wheel_place)])}"
        )
    if package.attestation_identities:
        out.append(f"attestation-identities = {_lines(sorted(package.attestation_identities, key=_inline))}")
    if package.tool:
        out.append(f"tool = {_inline(package.tool)}")


def _wheel_place(wheel: File) -> tuple[str, str, int, str, str]:
    """By tags; of several builds the highest first, because pip takes the first of equal tags."""
    found = split_wheel(wheel.filename)
    place = wheel.url or wheel.path or ""
    if found is None:
        return wheel.filename, "", 0, "", place
    number, rest = found.build_key
    return (
        f"{found.name}-{found.version}",
        "-".join((found.python, found.abi, found.platform)),
        -number,
        rest,
        place,
    )


def _source(source: File | Archive | Vcs | Directory) -> dict[str, Any]:
    table: dict[str, Any] = {}
    for name in source.__slots__:
        value = getattr(source, name)
        if value is None or value == {}:
            continue
        if name == "upload_time":
            value = _Time(value)
        elif name == "hashes":
            value = dict(sorted(value.items()))
        table[name.replace("_", "-")] = value
    return table


def _tables(path: tuple[str, ...], table: Mapping[str, Any], out: list[str]) -> None:
    """A table of other people under its own header: plain values first, then tables inside it, keys as they came."""
    plain = {key: value for key, value in table.items() if not isinstance(value, Mapping)}
    if plain or not table:
        out += ("", f"[{'.'.join(_key(part) for part in path)}]")
    for key, value in plain.items():
        long = isinstance(value, (list, tuple)) and any(
            isinstance(item, (list, tuple, Mapping)) for item in value
        )
        out.append(f"{_key(key)} = {_lines(value) if long else _value(value)}")
    for key, value in table.items():
        if isinstance(value, Mapping):
            _tables((*path, key), value, out)


def _lines(items: Any) -> str:
    return "[\n" + "".join([f"    {_value(item)},\n" for item in items]) + "]"


def _inline(table: Mapping[str, Any]) -> str:
    if not table:
        return "{}"
    return "{ " + ", ".join([f"{_key(key)} = {_value(value)}" for key, value in table.items()]) + " }"


def _key(key: str) -> str:
    return key if key and _BARE.issuperset(key) else _string(key)


def _value(value: Any) -> str:
    if isinstance(value, _Time):
        return str(value)
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return repr(value) if value == value else "nan"  # noqa: PLR0124 - nan is not itself
    if isinstance(value, Mapping):
        return _inline(value)
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join([_value(item) for item in value]) + "]"
    if hasattr(value, "isoformat"):
        return str(value.isoformat())
    raise TypeError(f"TOML has no {type(value).__name__}")


def _string(text: str) -> str:
    """Markers hold double quotes, so the single ones are used where they can be."""
    if text.isascii() and text.isprintable() and "\\" not in text:
        if '"' not in text:
            return f'"{text}"'
        if "'" not in text:
            return f"'{text}'"
    return '"' + "".join([_escaped(character) for character in text]) + '"'


def _escaped(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    code = ord(character)
    return f"\\u{code:04x}" if code < 32 or code == 127 else character
