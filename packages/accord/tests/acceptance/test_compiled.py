"""``--compile-bytecode``: compiled once, linked by every environment that comes after, changed by none of them."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

from accord.store import upkeep
from accord.store.store import Store
from accord.testing.worlds import World, uv_program

TAG = sys.implementation.cache_tag
PACKAGES = {"alpha/__init__", "alpha/part", "beta/__init__", "single"}


@pytest.fixture
def asking(world: World) -> World:
    """A project that asks for two packages and a module, none of them installed yet."""
    files = {
        "alpha/__init__.py": b"version = 1\n",
        "alpha/part.py": b"",
        "alpha/broken.py": b"def {{ x }}:\n",
    }
    world.publish("alpha", "1.0", requires=["beta"], files=files)
    world.publish("beta", "1.0")
    world.publish("single", "1.0", files={"single.py": b"x = '\\d'\n"})
    world.project("alpha", "single")
    return world


def _compiled(world: World, env: str = ".venv") -> dict[str, int]:
    """Module → inode of its compiled file."""
    site = world.site(env)
    found = {}
    for above, _, names in os.walk(site):
        for name in names:
            if name.endswith(f".{TAG}.pyc"):
                module = os.path.relpath(os.path.join(os.path.dirname(above), name.split(".")[0]), site)
                found[module] = os.stat(os.path.join(above, name)).st_ino
    return found


def test_nothing_is_compiled_that_nobody_asked_for(asking: World) -> None:
    asking.accord("sync").fine()
    assert _compiled(asking) == {}
    assert not os.path.exists(f"{asking.cache}/compiled-v1")


def test_what_was_compiled_once_is_linked_by_every_later_environment(
    asking: World, kind: tuple[str, ...]
) -> None:
    said = asking.accord("sync", "--compile-bytecode", "--env", "one", *kind).fine()
    assert "Warning" not in said.err
    one = _compiled(asking, "one")
    assert one.keys() == PACKAGES
    asking.accord("sync", "--env", "two").fine()
    assert _compiled(asking, "two") == one, "hard links of one file"
    asking.accord("sync", "--env", "three", "--sealed").fine()
    assert _compiled(asking, "three") == one
    asking.accord("sync", "--env", "four", "--link-mode", "copy", "--compile-bytecode").fine()
    four = _compiled(asking, "four")
    assert four.keys() == PACKAGES
    assert not set(four.values()) & set(one.values())


def test_an_environment_that_is_there_is_completed_and_then_there_is_nothing_to_do(asking: World) -> None:
    asking.accord("sync").fine()
    before = asking.everything(".venv")
    asking.accord("sync", "--compile-bytecode").fine()
    assert _compiled(asking).keys() == PACKAGES
    assert asking.everything(".venv") == before
    inodes = _compiled(asking)
    stamp = os.stat(asking.path(".venv", ".accord", "state")).st_mtime_ns
    asking.accord("sync", "--compile-bytecode").fine()
    asking.accord("sync").fine()
    asking.accord("sync", "--no-compile").fine()
    assert _compiled(asking) == inodes
    assert os.stat(asking.path(".venv", ".accord", "state")).st_mtime_ns == stamp, "nothing was to do"
    asking.accord("verify").fine()


def test_json_says_what_it_says_without(asking: World) -> None:
    plain = asking.accord("sync", "--env", "one", "--json").document()
    compiled = asking.accord("sync", "--env", "two", "--json", "--compile-bytecode").document()
    assert compiled.keys() == plain.keys()
    assert compiled["added"] == plain["added"]


def test_installing_from_a_lock_as_pip_does_compiles_too(asking: World) -> None:
    asking.accord("lock").fine()
    asking.accord("venv", "one").fine()
    asking.accord("pip", "install", "-r", "pylock.toml", "--env", "one", "--compile-bytecode").fine()
    assert _compiled(asking, "one").keys() == PACKAGES


def test_a_dry_run_compiles_nothing(asking: World) -> None:
    asking.accord("sync", "--dry-run", "--compile-bytecode").fine()
    assert not os.path.exists(f"{asking.cache}/compiled-v1")


@pytest.mark.parametrize("name", ["ACCORD_COMPILE_BYTECODE", "UV_COMPILE_BYTECODE"])
@pytest.mark.parametrize("value", ["1", "true", "0", ""])
def test_the_variable_asks_for_it_and_the_flag_has_the_last_word(
    asking: World, name: str, value: str
) -> None:
    asking.accord("sync", "--env", "one", **{name: value}).fine()
    assert bool(_compiled(asking, "one")) == (value in ("1", "true"))
    shutil.rmtree(f"{asking.cache}/compiled-v1", ignore_errors=True)
    asking.accord("sync", "--env", "two", "--no-compile", **{name: value}).fine()
    assert _compiled(asking, "two") == {}


def test_the_project_asks_for_it_and_the_flag_has_the_last_word(asking: World) -> None:
    asking.project("alpha", "single", more="[tool.accord]\ncompile-bytecode = true\n")
    asking.accord("sync", "--env", "one", "--no-compile-bytecode").fine()
    assert _compiled(asking, "one") == {}
    asking.accord("sync", "--env", "one").fine()
    assert _compiled(asking, "one").keys() == PACKAGES
    lock = asking.read("pylock.toml")
    asking.accord("sync", "--env", "two").fine()
    assert _compiled(asking, "two").keys() == PACKAGES
    assert asking.read("pylock.toml") == lock
    asking.project("alpha", more="[tool.accord]\ncompile-bytecode = 1\n")
    assert asking.accord("sync").status == 1


def test_pip_install_and_undo(asking: World) -> None:
    asking.accord("venv", "env").fine()
    asking.accord("pip", "install", "--env", "env", "alpha", "--compile").fine()
    assert _compiled(asking, "env").keys() == PACKAGES - {"single"}
    asking.accord("pip", "install", "--env", "env", "single").fine()
    asking.accord("undo", "--env", "env").fine()
    asking.accord("undo", "--env", "env").fine()
    assert _compiled(asking, "env") == {}
    asking.accord("undo", "--redo", "--env", "env").fine()
    assert _compiled(asking, "env").keys() == PACKAGES - {"single"}
    asking.accord("pip", "uninstall", "-y", "alpha", "beta", "--env", "env").fine()
    assert os.listdir(asking.site("env")) == []


@pytest.mark.slow
@pytest.mark.parametrize("tool", ["pip", "uv"])
def test_other_tools_take_all_of_it_out(asking: World, tool: str) -> None:
    if tool == "uv" and uv_program() is None:
        pytest.skip("uv is not here")
    asking.project("alpha", "beta", "single")
    asking.accord("sync", "--compile-bytecode").fine()
    site = asking.site(".venv")
    command = asking.pip if tool == "pip" else asking.uv
    command(".venv", "check").fine()
    own = {"shop"}
    names = sorted(asking.installed(".venv").keys() - own)
    command(".venv", "uninstall", *(["-y"] if tool == "pip" else []), *names).fine()
    assert not [name for _, _, names in os.walk(site) for name in names if name.endswith(".pyc")]
    if os.path.exists(site):  # pip removes it too where nothing is left
        assert {name for name in os.listdir(site) if "shop" not in name} <= {"__pycache__"}


@pytest.mark.parametrize(
    "words",
    [
        ("-m", "compileall", "-q", "-f", "SITE"),
        ("-c", "import alpha, os; os.utime(alpha.__file__)\nimport importlib; importlib.reload(alpha)"),
        (
            "-c",
            "import alpha.part, os; p = alpha.part.__cached__; os.unlink(p); open(p, 'wb').write(b'evil')",
        ),
    ],
    ids=["compiled anew", "touched", "replaced"],
)
def test_what_is_done_in_one_changes_no_other(
    asking: World, kind: tuple[str, ...], words: tuple[str, ...]
) -> None:
    for env in ("one", "two"):
        asking.accord("sync", "--compile-bytecode", "--env", env, *kind).fine()
    before = _contents(asking, "two")
    asking.run(asking.python("one"), *(asking.site("one") if word == "SITE" else word for word in words))
    assert _contents(asking, "two") == before
    assert asking.asked_python("two", "import alpha.part, single; print(alpha.version)") == "1"
    kinds = {fault.kind for fault in upkeep.verify(Store(asking.cache))}
    # Who touches a linked file touches the store's: what was compiled of it is no good any more, and says so.
    assert kinds <= {"stale"}
    asking.accord("cache", "verify", "--repair").fine()
    assert upkeep.verify(Store(asking.cache)) == ()


def _contents(world: World, env: str) -> dict[str, bytes]:
    found = {}
    for above, _, names in os.walk(world.site(env)):
        for name in names:
            if name.endswith(".pyc"):
                with open(os.path.join(above, name), "rb") as file:
                    found[os.path.join(above, name)] = file.read()
    return found


def test_an_interpreter_that_cannot_compile_leaves_everything_as_it_was(asking: World) -> None:
    asking.accord("sync", "--env", "one").fine()
    before = asking.everything("one")
    place = f"{asking.root}/no-space"
    os.symlink(place, f"{asking.cache}/compiled-v1")  # leads nowhere
    asking.refused("sync", "--env", "one", "--compile-bytecode", code="file-not-found")
    asking.refused("sync", "--env", "two", "--compile-bytecode", code="file-not-found")
    assert asking.everything("one") == before
    assert not os.path.exists(asking.path("two"))
    os.unlink(f"{asking.cache}/compiled-v1")


DYING = """
import os, signal, sys
from accord.io import steps
left = int(sys.argv[1])

def die(name):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)

steps.hook = die
from accord.cli.main import main
sys.exit(main(sys.argv[2:]))
"""


@pytest.mark.slow
def test_killed_at_any_step(asking: World, kind: tuple[str, ...]) -> None:
    asking.accord("lock").fine()
    words = ("sync", "--env", "env", "--compile-bytecode", *kind)
    for step in range(1, 60):
        asking.run("rm", "-rf", f"{asking.cache}/compiled-v1").fine()
        asking.accord("cache", "clean", "alpha").fine()
        done = asking.run(sys.executable, "-c", DYING, str(step), *words)
        if os.path.exists(asking.path("env")):
            asking.accord("pip", "list", "--env", "env").fine()
            assert _compiled(asking, "env").keys() in (set(), PACKAGES)
        assert upkeep.verify(Store(asking.cache)) == ()
        if done.status == 0:
            break
        assert done.status == -signal.SIGKILL, done.err
        asking.accord(*words).fine()
        assert _compiled(asking, "env").keys() == PACKAGES
        asking.run("rm", "-rf", asking.path("env")).fine()
        asking.accord("cache", "prune", "--older-than", "0 seconds", "--quiet").fine()
        if os.path.isdir(f"{asking.cache}/closures-v1"):
            assert os.listdir(f"{asking.cache}/closures-v1") in ([], ["aside"])
    assert step > 8


# ------------------------------------------------------------ the cache


def test_the_cache_tells_what_compiled_files_take(asking: World) -> None:
    asking.accord("sync", "--compile-bytecode").fine()
    parts = {one["name"]: one for one in asking.accord("cache", "size", "--json").document()["parts"]}
    assert parts["compiled-v1"]["holds"] == "compiled files"
    assert parts["compiled-v1"]["bytes"] > 0


def test_pruning_removes_what_an_interpreter_that_is_gone_compiled(asking: World) -> None:
    asking.accord("sync", "--compile-bytecode").fine()
    (name,) = (name for name in os.listdir(f"{asking.cache}/compiled-v1") if name != "aside")
    done = asking.accord("cache", "prune", "--json").fine().document()
    assert done["compiled"] == 0
    gone = f"{asking.cache}/compiled-v1/cpython-39-00-gone"
    shutil.copytree(f"{asking.cache}/compiled-v1/{name}", gone)
    with open(f"{gone}/python", "w") as file:
        file.write("/opt/gone/bin/python3.9")
    would = asking.accord("cache", "prune", "--json", "--dry-run").fine().document()
    assert os.path.exists(gone)
    done = asking.accord("cache", "prune", "--json").fine().document()
    assert done["compiled"] == would["compiled"] == 3
    assert sorted(os.listdir(f"{asking.cache}/compiled-v1")) == sorted(["aside", name])
    assert "removed the compiled files of" in asking.accord("cache", "prune", "--older-than", "0 seconds").err


def test_pruning_removes_environments_of_scripts_that_nobody_started_for_long(world: World) -> None:
    world.publish("alpha", "1.0")
    head = '# /// script\n# dependencies = ["alpha"]\n# ///\nimport alpha, sys\n'
    world.write("quick.py", head + "print(sys.prefix)")
    world.write(
        "slow.py", head.replace('alpha"', 'alpha>0"') + "print(sys.prefix, flush=True); sys.stdin.readline()"
    )
    quick = world.process("run", "quick.py").fine().out.strip()
    running = subprocess.Popen(
        [sys.executable, "-m", "accord", "run", "slow.py"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=world.here, env=world.environ,
    )  # fmt: skip
    assert running.stdout is not None and running.stdin is not None
    slow = running.stdout.readline().strip()
    assert quick != slow
    closure = world.site(quick).partition("/tree/")[0]
    assert world.accord("cache", "prune", "--json").document()["environments"] == 0
    long_ago = time.time() - 40 * 86_400
    for env in (quick, slow):
        for path in (env, f"{env}.lock"):
            os.utime(path, (long_ago, long_ago))
    would = world.accord("cache", "prune", "--json", "--dry-run").document()
    assert would["environments"] == 1
    assert os.path.exists(quick)
    assert world.accord("cache", "prune", "--json").document()["environments"] == 1
    assert not os.path.exists(quick)
    assert os.path.exists(slow), "something runs in it"
    running.communicate("\n")
    assert (
        world.accord("cache", "prune", "--older-than", "0 seconds", "--json").document()["environments"] == 1
    )
    assert not os.path.exists(closure)
    for name in os.listdir(os.path.dirname(quick)):
        os.utime(os.path.join(os.path.dirname(quick), name), (long_ago, long_ago))
    world.accord("cache", "prune").fine()
    assert os.listdir(os.path.dirname(quick)) == []
    assert world.process("run", "quick.py").fine().out.strip() == quick


def test_damage_is_told_and_healed(asking: World) -> None:
    asking.accord("sync", "--compile-bytecode").fine()
    path = next(
        os.path.join(above, name)
        for above, _, names in os.walk(f"{asking.cache}/compiled-v1")
        for name in names
        if name.startswith("part.")
    )
    os.chmod(path, 0o644)
    with open(path, "ab") as file:
        file.write(b"x")
    told = asking.accord("cache", "verify", "--json")
    assert told.status == 1
    (fault,) = json.loads(told.out)
    assert (fault["name"], fault["kind"]) == ("alpha", "changed")
    asking.accord("cache", "verify", "--repair").fine()
    asking.accord("cache", "verify").fine()
    asking.accord("sync", "--env", "two", "--compile-bytecode").fine()
    assert _compiled(asking, "two").keys() == PACKAGES
