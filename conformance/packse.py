"""Makes the cases below cases/packse and cases/packse-locks from the scenarios of packse.

    python conformance/packse.py FOLDER        the scenarios folder of its unpacked sdist

What counts is soundness: what a tool chooses keeps every requirement.  What packse expects beyond that (these versions, no others) is its authors' policy: a survey.
Left out: scenarios that need another Python than the suite's, options of one tool, or platforms.
"""

from __future__ import annotations

import json
import sys
import tomllib
from pathlib import Path
from typing import Any

CASES = Path(__file__).parent / "src" / "accord_conformance" / "cases"
LEFT_OUT = {"python", "python_platform", "no_binary", "no_build", "required_environments"}
RULES = {
    "extras": ["RESOLVE.NEED.1", "RESOLVE.EXTRA.1"],
    "requires_python": ["RESOLVE.NEED.1", "RESOLVE.PYTHON.1"],
    "local": ["RESOLVE.NEED.2", "RESOLVE.VERSION.4"],
}
HEAD = "# Made by conformance/packse.py from packse 0.3.59 (MIT or Apache-2.0, https://github.com/astral-sh/packse).\n"


def text(value: Any) -> str:
    """A value as TOML, tables inline."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(key)} = {text(each)}" for key, each in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(text, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def release(table: dict[str, Any]) -> Any:
    """A version of packse as a release of a world."""
    requires, extras = list(table.get("requires", [])), table.get("extras", {})
    for name, needed in extras.items():
        for each in needed:
            wanted, _, marker = each.partition(";")
            both = f"({marker.strip()}) and " if marker else ""
            requires.append(f"{wanted.strip()} ; {both}extra == '{name}'")
    found: dict[str, Any] = {"requires": requires}
    found |= {"extras": list(extras)} if extras else {}
    found |= {key: table[key] for key in ("requires_python", "yanked") if table.get(key)}
    if table.get("wheel") is False:
        found |= {"wheel": False, "sdist": True}
    elif "wheel_tags" in table:
        found |= {"tags": table["wheel_tags"], "sdist": table.get("sdist", True)}
    return found if len(found) > 1 else requires


def case(folder: str, scenario: dict[str, Any]) -> str | None:
    """The cases of a scenario as TOML; None for one that is left out."""
    options, environment = scenario.get("resolver_options", {}), scenario.get("environment", {})
    root = scenario["root"]
    if LEFT_OUT & set(options) or environment or "requires_python" in root:
        return None
    world = {
        f"{name} {version}": release(table)
        for name, package in scenario["packages"].items()
        for version, table in package["versions"].items()
    }
    rules = RULES.get(folder, ["RESOLVE.NEED.1", "RESOLVE.NEED.2"])
    universal = bool(options.get("universal"))
    arguments: dict[str, Any] = {"requirements": root["requires"]}
    if options.get("prereleases"):
        arguments["prereleases"] = "allow"
    described = scenario["description"].strip() or scenario["name"].replace("-", " ")
    title = described.splitlines()[0].split(". ")[0].rstrip(".").replace("`", "")
    expect: dict[str, Any] = {"outcome": ["done", "refused"], "sound": root["requires"]}
    if universal:
        rules, expect["form"] = ["PYLOCK.PACKAGES.3", "PYLOCK.PACKAGES.5"], ["single", "markers"]
    lines = [
        f"given.world = {text(world)}",
        f"do = {text('lock-universal' if universal else 'resolve')}",
        f"with = {text(arguments)}",
    ]
    name = scenario["name"].replace("_", "-").replace(".", "-")
    made = [f'[[case]]\nid = "{name}"', f"title = {text(title)}", f"rules = {text(rules)}", *lines]
    made.append(f"expect = {text(expect)}\n")
    if not universal:
        expected = scenario["expected"]
        wanted: dict[str, Any] = {"outcome": "refused"}
        if expected["satisfiable"]:
            wanted = {"chosen": {**expected.get("packages", {}), "only": True}}
        made += [f'[[case]]\nid = "{name}-as-expected"', f"title = {text(title + ': as its authors expect')}"]
        made += [f"rules = {text(rules)}", 'kind = "survey"', *lines, f"expect = {text(wanted)}\n"]
    return "\n".join(made)


def main(scenarios: Path) -> None:
    """Writes the files of cases."""
    for role, place, universal in (("resolver", "packse", False), ("locker", "packse-locks", True)):
        for folder in sorted(
            each for each in scenarios.iterdir() if each.is_dir() and each.name != "examples"
        ):
            read = [tomllib.loads(path.read_text("utf-8")) for path in sorted(folder.glob("*.toml"))]
            kept = [
                each for each in read if bool(each.get("resolver_options", {}).get("universal")) is universal
            ]
            cases = [made for each in kept if (made := case(folder.name, each))]
            if cases:
                path = CASES / place / f"{folder.name.replace('_', '-')}.toml"
                path.parent.mkdir(exist_ok=True)
                path.write_text(f'{HEAD}role = "{role}"\n\n' + "\n".join(cases), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
