"""``buildout.cfg`` in its simple form: the eggs of the parts that install some, and the versions that are pinned."""

from __future__ import annotations

import configparser

from accord.migrate.cased import CasedParser
from accord.migrate.model import Described
from accord.migrate.requirement_text import requirement_item
from accord_core.errors import DocumentError, Where

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.migrate.tree import Tree

__all__ = ["add_buildout"]

_EGG_RECIPES = ("zc.recipe.egg", "zc.recipe.testrunner", "z3c.recipe.scripts")


def add_buildout(tree: Tree, into: Described) -> bool:
    """Read ``buildout.cfg`` (and ``versions.cfg`` where it is extended); whether there was one.

    DocumentError ``buildout-invalid``.
    """
    text = tree.read("buildout.cfg")
    if text is None:
        return False
    parser = CasedParser(strict=False, allow_no_value=True, delimiters=("=",))
    try:
        for part in _extended(text, tree, into):
            parser.read_string(part)
        parser.read_string("\n".join(_plain(line) for line in text.splitlines()))
    except configparser.Error as error:
        raise DocumentError(
            "buildout-invalid",
            f"buildout.cfg cannot be read: {str(error).splitlines()[0]}",
            where=Where("buildout.cfg"),
            hint="mend it first",
        ) from error
    into.read.append("buildout.cfg")
    main = dict(parser.items("buildout")) if parser.has_section("buildout") else {}
    develop = {each.strip("./") for each in (main.get("develop") or "").split()}
    eggs: dict[str, None] = {}
    for part in (main.get("parts") or "").split():
        if not parser.has_section(part):
            continue
        values = dict(parser.items(part))
        recipe = (values.get("recipe") or "").split(":")[0]
        if recipe in _EGG_RECIPES:
            eggs.update(dict.fromkeys(_eggs(values.get("eggs") or part, parser)))
        else:
            into.leave(
                "buildout.cfg",
                f"[{part}] recipe = {recipe or 'none'}",
                "a recipe is code",
                "do its job with a tool made for it",
            )
    eggs.update(dict.fromkeys(_eggs(main.get("eggs") or "", parser)))
    for egg in eggs:
        item = requirement_item(egg)
        if item is None:
            into.leave(
                "buildout.cfg",
                f"eggs: {egg}",
                "it is no requirement (PEP 508)",
                "write it in the form of the standard",
            )
        elif (into.name or "").lower() != egg.lower():
            into.dependencies.append(item)
    for folder in sorted(develop - {""}):
        into.leave(
            "buildout.cfg",
            f"develop = {folder}",
            "its name is in its own description",
            "name it in [tool.accord.sources] with path and editable = true",
        )
    section = main.get("versions") or "versions"
    if parser.has_section(section):
        for name, version in parser.items(section):
            item = requirement_item(f"{name}=={(version or '').strip()}")
            if item is not None:
                into.constraints.append(item)
            elif version and version.strip():
                into.leave(
                    "buildout.cfg", f"{name} = {version}", "it is no version (PEP 440)", "write a valid one"
                )
    for key, why in (
        ("find-links", "it is a page of links"),
        ("extensions", "extensions of buildout are code"),
        ("allow-hosts", "it is about buildout"),
        ("index", ""),
    ):
        if key == "index" and main.get("index"):
            into.indexes.append({"name": "buildout", "url": main["index"].strip(), "default": True})
        elif main.get(key):
            into.leave(
                "buildout.cfg",
                f"{key} = {' '.join((main[key] or '').split())[:60]}",
                why,
                "see whether it is still needed",
            )
    return True


def _plain(line: str) -> str:
    """``+=`` and ``-=`` add to what a file below says; here there is one file that counts."""
    return line.replace("+=", "=", 1) if not line[:1].isspace() and "+=" in line else line


def _extended(text: str, tree: Tree, into: Described) -> list[str]:
    found: list[str] = []
    parser = CasedParser(strict=False, allow_no_value=True, delimiters=("=",))
    parser.read_string("\n".join(_plain(line) for line in text.splitlines()))
    for name in (parser.get("buildout", "extends", fallback="") or "").split():
        inner = tree.read(name) if "://" not in name else None
        if inner is None:
            into.leave(
                "buildout.cfg",
                f"extends = {name}",
                "only files of the project are read",
                "copy what is needed from it",
            )
        else:
            found.append("\n".join(_plain(line) for line in inner.splitlines()))
            into.read.append(name)
    return found


def _eggs(text: str, parser: configparser.RawConfigParser) -> list[str]:
    """The eggs of an option; ``${part:eggs}`` is what that part has."""
    found: list[str] = []
    for line in text.splitlines():
        for word in [line.strip()] if ">" in line or "=" in line or "<" in line else line.split():
            if word.startswith("${") and word.endswith("}"):
                section, _, option = word[2:-1].partition(":")
                if parser.has_option(section or "buildout", option):
                    found += _eggs(parser.get(section or "buildout", option) or "", parser)
            elif word and not word.startswith("#"):
                found.append(word)
    return found
