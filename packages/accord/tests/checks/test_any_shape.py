"""Whatever a stranger's document holds where something else should stand, checks report it and none of them breaks."""

from __future__ import annotations

import random
import tomllib
from typing import Any

import pytest

from .conftest import METADATA, PYPROJECT, Bench, codes

WRONG: tuple[Any, ...] = (
    3,
    True,
    "text",
    [],
    [3],
    [[]],
    [{}],
    {},
    {"a": 3},
    {"a": []},
    {"a": {"b": [1]}},
    1.5,
)


def places(value: Any, at: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Where something could stand in a document."""
    found = [at] if at else []
    if isinstance(value, dict):
        for key, inside in value.items():
            found += places(inside, (*at, key))
    elif isinstance(value, list):
        for number, inside in enumerate(value):
            found += places(inside, (*at, number))
    return found


def with_value(document: Any, at: tuple[str | int, ...], value: Any) -> Any:
    head, *rest = at
    changed: Any = dict(document) if isinstance(document, dict) else list(document)
    changed[head] = with_value(document[head], tuple(rest), value) if rest else value
    return changed


def toml(value: Any) -> str:
    """A TOML value, inline."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return "'" + value + "'"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"'{key}' = {toml(inside)}" for key, inside in value.items()) + "}"
    return str(value)


def document() -> dict[str, Any]:
    """The honest document with everything else that has a meaning."""
    data = tomllib.loads(PYPROJECT)
    data["project"]["readme"] = {"file": "README.md", "content-type": "text/markdown"}
    data["project"]["keywords"] = ["spam"]
    data["project"]["gui-scripts"] = {"spam-gui": "spam_shop.main:main"}
    data["project"]["entry-points"] = {"spam.plugins": {"one": "spam_shop.main"}}
    data["project"]["import-names"] = ["spam_shop"]
    data["dependency-groups"] = {"dev": ["ruff"]}
    data["tool"]["accord"] = {
        "check": {"ignore": ["urls-missing"]},
        "build": {"modules": ["spam_shop"]},
        "extension": [{"name": "spam_shop._speed", "sources": ["x.c"]}],
        "step": [{"name": "x", "command": ["x"], "outputs": ["x"]}],
    }
    return data


@pytest.mark.parametrize("at", places(document()), ids=lambda at: ".".join(map(str, at)))
def test_any_value_may_stand_anywhere(bench: Bench, at: tuple[str | int, ...]) -> None:
    for value in WRONG:
        data = with_value(document(), at, value)
        text = "\n".join(f"{key} = {toml(inside)}" for key, inside in data.items())
        report = bench.check(bench.project(add={"pyproject.toml": text}))
        assert report.ran > 20


def test_the_document_itself_is_honest(bench: Bench) -> None:
    text = "\n".join(f"{key} = {toml(inside)}" for key, inside in document().items())
    assert codes(bench.check(bench.project(add={"pyproject.toml": text}))) == []


@pytest.mark.parametrize("seed", range(40))
def test_metadata_may_be_damaged_anywhere(bench: Bench, seed: int) -> None:
    dice = random.Random(seed)
    data = bytearray(METADATA.encode())
    for _ in range(dice.randrange(1, 30)):
        place = dice.randrange(len(data))
        data[place : place + dice.randrange(3)] = dice.randbytes(dice.randrange(3))
    bench.check(bench.sdist(add={"PKG-INFO": bytes(data)}))


@pytest.mark.parametrize("seed", range(40))
def test_a_shared_object_may_be_damaged_anywhere(seed: int) -> None:
    pytest.importorskip("elftools", reason="accord[check] is not installed")
    import _ctypes  # any extension module of the running Python

    from accord.checks.elf import read_elf

    dice = random.Random(seed)
    with open(_ctypes.__file__, "rb") as file:
        data = bytearray(file.read())
    for _ in range(dice.randrange(1, 200)):
        data[dice.randrange(min(len(data), 20_000))] = dice.randrange(256)
    read_elf(bytes(data))
