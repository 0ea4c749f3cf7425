"""What the roles that choose versions have in common: a world to choose from, and a look at what was chosen.

Given: ``world`` (making.worlds), served as the index at ``{index}``.  A step's ``world`` replaces it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from accord_conformance.judging import Finding
from accord_conformance.making.pages import make_index
from accord_conformance.making.worlds import make_world
from accord_conformance.names import normal
from accord_conformance.protocol import Answer
from accord_conformance.scene import Scene
from accord_conformance.versions import is_version, version_key

__all__ = ["found_versions", "give_world", "judge_choice"]


def give_world(scene: Scene, values: Mapping[str, Any]) -> None:
    """Serves a world at ``{index}``; its files can be named in cases."""
    scene.values["world"] = dict(values)
    made, pages = make_world(values)
    scene.made.update(made)
    for key, item in made.items():
        scene.values[f"sha256_{key}"] = item.sha256
    routes, root = make_index(pages, scene.made)
    site = scene.serve()
    site.routes.update(routes)
    scene.values["index"] = site.url + root


def found_versions(answer: Answer) -> dict[str, str]:
    """What a tool chose: the value of its answer, a table of versions."""
    value = answer.value if isinstance(answer.value, Mapping) else {}
    return {normal(name): str(version) for name, version in value.items()}


def judge_choice(what: str, found: Mapping[str, str], expected: Mapping[str, Any]) -> Iterable[Finding]:
    """The version of each named project; ``false``: it is not chosen; ``true``: any; a list: one of these.  ``only`` (true): nothing else is chosen."""
    wanted = dict(expected)
    only = wanted.pop("only", False)
    for name, each in wanted.items():
        version = found.get(normal(name))
        if isinstance(each, bool):
            ok, words = (version is not None) is each, "any version" if each else "not chosen"
        else:
            options = [each] if isinstance(each, str) else each
            ok, words = any(_same(option, version) for option in options), " or ".join(options)
        yield Finding(f"{what} {name}", words, version or "not chosen", ok)
    if only:
        more = sorted(set(found) - {normal(name) for name in wanted})
        yield Finding(f"{what} only", "nothing else", ", ".join(more) or "nothing else", not more)


def _same(one: str, other: str | None) -> bool:
    """The same version, however it is written."""
    if other is None or not (is_version(one) and is_version(other)):
        return one == other
    return version_key(one) == version_key(other)
