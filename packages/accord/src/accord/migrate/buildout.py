"""``buildout.cfg`` in its simple form: the eggs of the parts that install some, and the versions that are pinned."""

from __future__ import annotations

import configparser
import re

from accord.migrate.cased import CasedParser
from accord.migrate.requirement_text import requirement_item
from accord_core.errors import DocumentError, Where
from accord_core.names import normalise

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.migrate.model import Described
    from accord.migrate.tree import Tree

    Sections = dict[str, dict[str, str]]

__all__ = ["add_buildout"]

_EGG_RECIPES = ("zc.recipe.egg", "zc.recipe.testrunner", "z3c.recipe.scripts")
_TOLD = {
    "find-links": "it is a page of links",
    "extensions": "extensions of buildout are code",
    "allow-hosts": "it is about buildout",
}
_READ = frozenset(("parts", "develop", "eggs", "versions", "extends", "index", *_TOLD))
_EGG = re.compile(
    r"\$\{(?P<section>[^}:]*):(?P<option>[^}]*)\}"
    r"|(?P<name>[A-Za-z0-9][\w.-]*)\s*(?P<extras>\[[^\]]*\])?\s*"
    r"(?P<version>(?:[<>=!~]=?=?\s*[\w.*+!-]+\s*,?\s*)*)"
)


def add_buildout(tree: Tree, into: Described, *, is_package: bool = False) -> bool:
    """Read ``buildout.cfg`` and what it extends in the project; whether there was one.

    DocumentError ``buildout-invalid``.
    """
    text = tree.read("buildout.cfg")
    if text is None:
        return False
    sections: Sections = {}
    _merge(text, "buildout.cfg", sections, tree, into, set())
    main = sections.get("buildout", {})
    reader = _Eggs(sections, tree.limits.nested)
    eggs = _parts(sections, main, reader, into)
    eggs.update(dict.fromkeys(reader.of(main.get("eggs", ""))))
    _wish(eggs, into, is_package=is_package)
    for folder in sorted({each.strip("./") for each in main.get("develop", "").split()} - {""}):
        into.leave(
            "buildout.cfg",
            f"develop = {folder}",
            "its name is in its own description",
            "name it in [tool.accord.sources] with path and editable = true",
        )
    _versions(sections.get(main.get("versions") or "versions", {}), into)
    _options(main, into)
    _unused(sections, main, into)
    return True


# ---------------------------------------------------------------- the file


def _merge(text: str, path: str, sections: Sections, tree: Tree, into: Described, seen: set[str]) -> None:
    """What ``text`` says over what it extends, ``+=`` and ``-=`` as buildout has them."""
    seen.add(path)
    if len(seen) > tree.limits.nested:
        raise _too_deep(path, tree.limits.nested)
    parser = CasedParser(strict=False, allow_no_value=True, delimiters=("=",))
    try:
        parser.read_string(text)
    except configparser.Error as error:
        raise DocumentError(
            "buildout-invalid",
            f"{path} cannot be read: {str(error).splitlines()[0]}",
            where=Where(path),
            hint="mend it first",
        ) from error
    for name in (parser.get("buildout", "extends", fallback="") or "").split():
        inner = tree.read(name) if "://" not in name else None
        if inner is None:
            into.leave(
                path, f"extends = {name}", "only files of the project are read", "copy what is needed from it"
            )
        elif name not in seen:
            _merge(inner, name, sections, tree, into, seen)
    into.read.append(path)
    for section in parser.sections():
        options = sections.setdefault(section, {})
        for option, value in parser.items(section):
            _set(options, option, value or "")


def _set(options: dict[str, str], option: str, value: str) -> None:
    if option.endswith("+"):
        name = option.rstrip("+ ")
        options[name] = f"{options[name]}\n{value}" if options.get(name) else value
    elif option.endswith("-"):
        name = option.rstrip("- ")
        less = set(value.split())
        options[name] = "\n".join(each for each in options.get(name, "").split() if each not in less)
    else:
        options[option] = value


# ---------------------------------------------------------------- eggs


def _parts(sections: Sections, main: dict[str, str], reader: _Eggs, into: Described) -> dict[str, None]:
    """The eggs of the parts; what else a part asks for is told."""
    eggs: dict[str, None] = {}
    for part in main.get("parts", "").split():
        values = sections.get(part)
        if values is None:
            continue
        recipe = values.get("recipe", "").partition(":")[0]
        if recipe not in _EGG_RECIPES:
            into.leave(
                "buildout.cfg",
                f"[{part}] recipe = {recipe or 'none'}",
                "a recipe is code",
                "do its job with a tool made for it",
            )
            continue
        eggs.update(dict.fromkeys(reader.of(values.get("eggs") or part)))
        others = sorted(set(values) - {"recipe", "eggs"})
        if others:
            into.leave(
                "buildout.cfg",
                f"[{part}] {', '.join(others)}",
                f"options of {recipe} say how a script is made, not what is needed",
                "accord run starts what is installed; write a task for the rest",
            )
    return eggs


class _Eggs:
    """Reads the eggs of an option, ``name [extra] >= 1`` as a requirement; ``${part:eggs}`` is what that part has, once."""

    def __init__(self, sections: Sections, nested: int) -> None:
        self.sections = sections
        self.nested = nested
        self.seen: set[tuple[str, str]] = set()

    def of(self, text: str, depth: int = 0) -> list[str]:
        if depth > self.nested:
            raise _too_deep("buildout.cfg", self.nested)
        found: list[str] = []
        for line in text.splitlines():
            for match in _EGG.finditer(line.partition("#")[0]):
                if match["name"] is None:
                    place = (match["section"] or "buildout", match["option"])
                    if place not in self.seen:
                        self.seen.add(place)
                        found += self.of(self.sections.get(place[0], {}).get(place[1], ""), depth + 1)
                else:
                    version = (match["version"] or "").strip().rstrip(",")
                    found.append(f"{match['name']}{match['extras'] or ''}{' ' if version else ''}{version}")
        return found


def _too_deep(path: str, nested: int) -> DocumentError:
    return DocumentError(
        "buildout-invalid",
        f"{path} names others that name others, more than {nested} times",
        where=Where(path),
        hint="no buildout does; look at extends and ${part:eggs}",
    )


def _wish(eggs: dict[str, None], into: Described, *, is_package: bool) -> None:
    own = set[str]()
    for egg in eggs:
        item = requirement_item(egg)
        name, _, extras = egg.partition("[")
        if item is None:
            into.leave(
                "buildout.cfg",
                f"eggs: {egg}",
                "it is no requirement (PEP 508)",
                "write it in the form of the standard",
            )
        elif into.name is None or normalise(name.split()[0]) != normalise(into.name):
            wishes = into.wishes("buildout", is_package=is_package)
            if item not in wishes:
                wishes.append(item)
        elif extras:
            own |= {each.strip() for each in extras.partition("]")[0].split(",")}
    if own:
        into.leave(
            "buildout.cfg",
            f"eggs: {into.name} [{', '.join(sorted(own))}]",
            "extras of the project itself are chosen when it is installed",
            " ".join(("accord sync", *(f"--extra {each}" for each in sorted(own)))),
        )


# ---------------------------------------------------------------- the rest


def _versions(versions: dict[str, str], into: Described) -> None:
    for name, version in versions.items():
        item = requirement_item(f"{name}=={version.strip()}")
        if item is not None:
            into.constraints.append(item)
        elif version.strip():
            into.leave(
                "buildout.cfg", f"{name} = {version}", "it is no version (PEP 440)", "write a valid one"
            )


def _options(main: dict[str, str], into: Described) -> None:
    if main.get("index"):
        into.indexes.append({"name": "buildout", "url": main["index"].strip(), "default": True})
    for key, why in _TOLD.items():
        if main.get(key):
            into.leave(
                "buildout.cfg",
                f"{key} = {' '.join(main[key].split())[:60]}",
                why,
                "see whether it is still needed",
            )
    others = sorted(set(main) - _READ)
    if others:
        into.leave(
            "buildout.cfg",
            f"[buildout] {', '.join(others)}",
            "they are options of buildout itself",
            "nothing",
        )


def _unused(sections: Sections, main: dict[str, str], into: Described) -> None:
    """Sections that are no part: of other tools, for another Python, or left lying."""
    parts = {*main.get("parts", "").split(), "buildout", main.get("versions") or "versions"}
    if "sources" in sections:
        into.leave(
            "buildout.cfg",
            f"[sources] {', '.join(sorted(sections['sources']))}",
            "checkouts of mr.developer are its own",
            "name them in [tool.accord.sources] with git = …",
        )
    others = [f"[{each}]" for each in sections if each not in parts and each != "sources"]
    if others:
        into.leave(
            "buildout.cfg",
            ", ".join(others),
            "parts does not name them",
            "see whether what they say is still needed",
        )
