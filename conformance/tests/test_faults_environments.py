"""Wrong makers of environments, each with one seeded fault: the suite finds every one."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from accord_conformance.protocol import Answer, Request
from accord_conformance.testing import Damage, agreeing, cases_like, failures, tool_here

MODULES = Path("lib") / f"python3.{sys.version_info[1]}" / "site-packages"


def made(change: Callable[[Path, Path], object]) -> Damage:
    """Changes the environment (its folder, the prefix of the Python below) after it was honestly made."""

    def damage(request: Request, answer: Answer) -> Answer:
        if answer.outcome == "done":
            change(Path(request.values["made"]), Path(request.values["base_prefix"]))
        return answer

    return damage


def in_file(name: str, old: str, new: str) -> Damage:
    """Changes the text of a file."""

    def change(env: Path, base: Path) -> None:
        text = (env / name).read_text("utf-8")
        assert old in text, text
        (env / name).write_text(text.replace(old, new), encoding="utf-8")

    return made(change)


def lost(name: str) -> Damage:
    def change(env: Path, base: Path) -> None:
        path = env / name
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()

    return made(change)


def copied(env: Path, base: Path) -> None:
    """A copy in the place of the link."""
    (env / "bin" / "python").unlink()
    shutil.copy2(base / "bin" / f"python3.{sys.version_info[1]}", env / "bin" / "python")


def copied_beside(env: Path, base: Path) -> None:
    """A link, to a copy in the same folder."""
    (env / "bin" / "python").unlink()
    shutil.copy2(base / "bin" / f"python3.{sys.version_info[1]}", env / "bin" / "copy")
    (env / "bin" / "python").symlink_to("copy")


def library_copied(env: Path, base: Path) -> None:
    """A package of the standard library, copied and put first."""
    folder = MODULES.parent
    shutil.copytree(base / folder / "json", env / folder / "json")
    text = f"import sys; sys.path.insert(0, {str(env / folder)!r})\n"
    (env / MODULES / "more.pth").write_text(text, encoding="utf-8")


def its_own_base(env: Path, base: Path) -> None:
    """The base's prefixes are those of the environment."""
    text = "import sys; sys.base_prefix = sys.base_exec_prefix = sys.prefix\n"
    (env / MODULES / "own.pth").write_text(text, encoding="utf-8")


def of_another(env: Path, base: Path) -> None:
    """The Python of the suite in the place of the one that was asked for."""
    text = (env / "pyvenv.cfg").read_text("utf-8")
    (env / "pyvenv.cfg").write_text(text.replace(str(base), sys.base_prefix), encoding="utf-8")


def sees_more(folder: str) -> Damage:
    """A .pth file that puts a folder at the front."""

    def change(env: Path, base: Path) -> None:
        target = folder.format(base=base / MODULES, home=base.parent / "home" / ".local" / MODULES)
        text = f"import sys; sys.path.insert(0, {target!r})\n"
        (env / MODULES / "more.pth").write_text(text, encoding="utf-8")

    return made(change)


FAULTS: dict[str, tuple[str, Damage]] = {
    "makes nothing and says it did": (
        "made/made",
        made(lambda env, base: shutil.rmtree(env)),
    ),
    "refuses a folder with a space, and says it did it": (
        "made/space-in-path",
        lambda request, answer: agreeing(
            request, made(lambda env, base: shutil.rmtree(env))(request, answer)
        ),
    ),
    "writes no pyvenv.cfg": ("made/prefix", lost("pyvenv.cfg")),
    "writes no home": ("made/home", in_file("pyvenv.cfg", "home = ", "house = ")),
    "names another home": ("made/base-prefix", made(of_another)),
    "writes pyvenv.cfg with colons": ("made/config-form", in_file("pyvenv.cfg", " = ", ": ")),
    "makes no python3": ("made/executables", lost("bin/python3")),
    "copies where it can link": ("made/linked", made(copied)),
    "links to a copy of its own": ("made/linked", made(copied_beside)),
    "takes modules from a copy of the standard library": ("made/standard-library", made(library_copied)),
    "is its own base": ("made/headers", made(its_own_base)),
    "makes no site-packages": ("made/site-packages", lost(str(MODULES))),
    "lets everything below be seen": (
        "isolation/isolated",
        in_file("pyvenv.cfg", "include-system-site-packages = false", "include-system-site-packages = true"),
    ),
    "is isolated from another Python than the one it is of": ("isolation/isolated", made(of_another)),
    "finds modules below": ("isolation/isolated", sees_more("{base}")),
    "finds modules of the user": ("isolation/user-isolated", sees_more("{home}")),
    "never lets anything below be seen": (
        "isolation/seeing",
        in_file("pyvenv.cfg", "include-system-site-packages = true", "include-system-site-packages = false"),
    ),
    "puts what is below first": ("isolation/seeing-precedence", sees_more("{base}")),
    "puts what is the user's first": ("isolation/seeing-order", sees_more("{home}")),
}


@pytest.mark.parametrize("name", FAULTS)
def test_the_fault_is_found(name: str) -> None:
    case, damage = FAULTS[name]
    cases = cases_like(f"environments/{case}")
    tool = tool_here("accord")

    assert len(cases) == 1
    assert not failures(tool, cases), "the honest tool passes"
    assert failures(tool, cases, damage)
