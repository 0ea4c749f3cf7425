"""The commands in the order people use them: what each does, what it prints, what it leaves alone."""

from __future__ import annotations

import json
import os
import sys
import tomllib

import pytest

from accord.testing.loopback import Loopback
from accord.testing.worlds import World, contents

GROUPS = """
[project.optional-dependencies]
fast = ["speed"]
[dependency-groups]
dev = ["linter"]
test = ["tester"]
docs = [{ include-group = "test" }, "writer"]
"""


@pytest.fixture
def shop(world: World) -> World:
    """A project with a dependency, an extra and three groups, of which ``dev`` is the default."""
    world.publish("alpha", "1.0", requires=["beta>=1"])
    for name in ("beta", "speed", "linter", "tester", "writer"):
        world.publish(name, "1.0")
    world.project("alpha", more=GROUPS)
    return world


def test_a_project_from_nothing(world: World) -> None:
    world.publish("alpha", "1.0", requires=["beta"])
    world.publish("alpha", "1.1", requires=["beta"])
    world.publish(
        "beta", "1.0", scripts={"beta": "beta:main"}, files={"beta.py": b"def main():\n    print('b')\n"}
    )
    world.accord("init", "--app", "--name", "shop").fine()
    world.accord("add", "alpha").fine()
    assert tomllib.loads(world.read("pyproject.toml"))["project"]["dependencies"] == ["alpha>=1.1"]
    assert world.installed(".venv") == {"alpha": "1.1", "beta": "1.0"}
    assert world.process("run", "beta").fine().out == "b\n"
    assert world.process("run", "python", "-c", "raise SystemExit(7)").status == 7
    world.accord("remove", "alpha").fine()
    assert world.installed(".venv") == {}
    assert tomllib.loads(world.read("pyproject.toml"))["project"]["dependencies"] == []
    assert "alpha" not in world.read("pylock.toml")
    world.accord("undo").fine()
    assert world.installed(".venv") == {"alpha": "1.1", "beta": "1.0"}


BASE = {"alpha", "beta"}


@pytest.mark.parametrize(
    ("words", "more"),
    [
        ((), {"linter"}),
        (("--no-default-groups",), set()),
        (("--no-dev",), set()),
        (("--extra", "fast"), {"linter", "speed"}),
        (("--all-extras", "--no-default-groups"), {"speed"}),
        (("--group", "test"), {"linter", "tester"}),
        (("--group", "docs", "--no-group", "dev"), {"tester", "writer"}),
        (("--all-groups",), {"linter", "tester", "writer"}),
    ],
)
def test_a_selection_is_exactly_what_is_installed(
    shop: World, words: tuple[str, ...], more: set[str]
) -> None:
    shop.accord("sync", "--all-groups", "--all-extras").fine()
    shop.accord("sync", *words).fine()
    assert set(shop.installed(".venv")) == BASE | more


@pytest.mark.parametrize(("group", "wanted"), [("test", {"tester"}), ("docs", {"tester", "writer"})])
def test_only_a_group(shop: World, group: str, wanted: set[str]) -> None:
    shop.accord("sync", "--only-group", group).fine()
    assert set(shop.installed(".venv")) == wanted


@pytest.mark.parametrize("words", [("--group", "gone"), ("--extra", "gone"), ("--only-group", "gone")])
def test_a_selection_that_is_not_there_is_refused(shop: World, words: tuple[str, ...]) -> None:
    shop.accord("sync").fine()
    before = contents(shop.path(".venv"))
    error = shop.refused("sync", *words, code=f"unknown-{words[0].removeprefix('--').removeprefix('only-')}")
    assert "gone" in error["message"]
    assert contents(shop.path(".venv")) == before


def test_locked_refuses_what_frozen_ignores(shop: World) -> None:
    shop.accord("lock").fine()
    shop.publish("gamma", "1.0")
    shop.project("alpha", "gamma", more=GROUPS)
    before = shop.read("pylock.toml")
    error = shop.refused("sync", "--locked", code="lock-outdated")
    assert "+ gamma 1.0" in error["context"]
    assert not os.path.exists(shop.path(".venv"))
    shop.refused("lock", "--check", code="lock-outdated")
    shop.accord("sync", "--frozen").fine()
    assert "gamma" not in shop.installed(".venv")
    assert shop.read("pylock.toml") == before
    shop.accord("sync").fine()
    assert "gamma" in shop.installed(".venv")
    shop.accord("sync", "--locked").fine()


def test_a_second_sync_says_so_and_asks_nobody(shop: World) -> None:
    with Loopback(shop.index.answer) as server:
        shop.use(f"{server.url}/simple/")
        shop.accord("sync").fine()
        assert server.asked
        for words in (("sync",), ("sync", "--locked"), ("lock",), ("sync", "--sealed", "--env", "sealed")):
            del server.asked[:]
            ran = shop.accord(*words).fine()
            assert server.asked == [], words
        assert shop.accord("sync", "--sealed", "--env", "sealed").err.count("up to date") == 1
        assert "up to date" in shop.accord("sync").err
        assert shop.accord("sync", "--json").document()["added"] == []
        assert server.asked == []
    assert "up to date" in ran.err or "added" in ran.err


def test_offline_does_everything_the_cache_can(shop: World) -> None:
    with Loopback(shop.index.answer) as server:
        shop.use(f"{server.url}/simple/")
        shop.accord("sync", "--all-groups").fine()
        del server.asked[:]
        shop.accord("lock", "--upgrade", "--offline").fine()
        shop.accord("sync", "--offline", "--env", "elsewhere", "--no-dev").fine()
        assert server.asked == []
    assert set(shop.installed("elsewhere")) == BASE


def test_upgrade_moves_what_is_named_and_nothing_else(shop: World) -> None:
    shop.accord("sync").fine()
    shop.publish("beta", "1.5")
    shop.publish("linter", "2.0")
    shop.accord("sync").fine()
    assert shop.installed(".venv")["beta"] == "1.0"  # nothing moves by itself
    rows = {
        one["name"]: (one["locked"], one["newest"]) for one in shop.accord("outdated", "--json").document()
    }
    assert rows == {"beta": ("1.0", "1.5"), "linter": ("1.0", "2.0")}
    said = shop.accord("upgrade", "beta", "--json").fine().document()
    assert said["lock"]["replaced"] == [{"name": "beta", "from": "1.0", "to": "1.5"}] or "beta" in json.dumps(
        said
    )
    assert {name: shop.installed(".venv")[name] for name in ("beta", "linter")} == {
        "beta": "1.5",
        "linter": "1.0",
    }
    shop.accord("upgrade").fine()
    assert shop.installed(".venv")["linter"] == "2.0"
    assert shop.accord("outdated", "--json").document() == []


def test_history_tells_and_undo_goes_back_step_by_step(shop: World) -> None:
    shop.accord("sync", "--no-dev").fine()
    shop.accord("sync").fine()
    shop.accord("sync", "--group", "test").fine()
    told = shop.accord("history", "--json").document()
    assert [sorted(one["name"] for one in change["added"]) for change in told] == [
        ["alpha", "beta"],
        ["linter"],
        ["tester"],
    ]
    shop.accord("undo").fine()
    assert set(shop.installed(".venv")) == BASE | {"linter"}
    shop.accord("undo").fine()
    assert set(shop.installed(".venv")) == BASE
    shop.accord("undo", "--redo").fine()
    assert set(shop.installed(".venv")) == BASE | {"linter"}
    shop.accord("verify").fine()


def test_tree_and_why_tell_who_asks(shop: World) -> None:
    shop.accord("lock").fine()
    tree = shop.accord("tree").fine().out
    assert "alpha 1.0" in tree
    assert "beta 1.0" in tree
    why = shop.accord("why", "beta").fine().out
    assert "shop" in why
    assert "alpha" in why
    shop.refused("why", "gone", code="not-locked")


def test_a_script_with_its_dependencies_inside_runs(world: World) -> None:
    world.publish("alpha", "1.0", requires=["beta"])
    world.publish("beta", "1.0")
    script = '# /// script\n# dependencies = ["alpha"]\n# ///\nimport sys, alpha, beta\nprint(alpha.version, *sys.argv[1:])\n'
    world.write("hello.py", script)
    assert world.process("run", "hello.py", "a", "b").fine().out == "1.0 a b\n"
    assert world.process("run", "hello.py").fine().out == "1.0\n"
    assert os.listdir(world.here) == ["hello.py"]
    world.write("bad.py", script.replace('["alpha"]', '["nobody-made-this"]'))
    ran = world.process("run", "bad.py")
    assert ran.status == 1
    assert ran.err.startswith("error[unknown-project]")


def test_run_with_more_leaves_the_project_alone(shop: World) -> None:
    shop.publish("gamma", "1.0")
    shop.accord("sync").fine()
    before = contents(shop.path(".venv"))
    code = "import alpha, gamma; print(alpha.version, gamma.version)"
    assert shop.process("run", "--with", "gamma", "python", "-c", code).fine().out == "1.0 1.0\n"
    assert contents(shop.path(".venv")) == before


# ------------------------------------------------------------ accord pip


def test_pip_commands_as_pip_people_type_them(world: World) -> None:
    world.publish("alpha", "1.0", requires=["beta>=1"])
    world.publish("alpha", "2.0", requires=["beta>=1"])
    world.publish("beta", "1.0")
    world.publish("gamma", "1.0")
    env = ("--env", "env")
    world.accord("pip", "install", "alpha<2", *env).fine()
    assert world.installed("env") == {"alpha": "1.0", "beta": "1.0"}
    world.accord("pip", "install", "gamma", *env).fine()
    assert world.installed("env") == {"alpha": "1.0", "beta": "1.0", "gamma": "1.0"}
    world.accord("pip", "install", "alpha", *env).fine()
    assert world.installed("env")["alpha"] == "1.0"  # what fits stays
    world.accord("pip", "install", "-U", "alpha", *env).fine()
    assert world.installed("env")["alpha"] == "2.0"
    assert world.accord("pip", "freeze", *env).fine().out == "alpha==2.0\nbeta==1.0\ngamma==1.0\n"
    world.accord("pip", "uninstall", "beta", *env).fine()
    check = world.accord("pip", "check", *env)
    assert check.status == 1
    assert "beta" in check.out + check.err
    world.accord("undo", *env).fine()
    world.accord("pip", "check", *env).fine()
    assert "Required-by: alpha" in world.accord("pip", "show", "beta", *env).fine().out
    assert world.accord("pip", "show", "gone", *env).status == 1
    assert "beta 1.0" in world.accord("pip", "tree", *env).fine().out


def test_pip_compile_keeps_pins_until_they_are_to_move(world: World) -> None:
    world.publish("alpha", "1.0")
    world.write("in.txt", "alpha\n")
    world.accord("pip", "compile", "in.txt", "-o", "out.txt").fine()
    world.publish("alpha", "2.0")
    world.accord("pip", "compile", "in.txt", "-o", "out.txt").fine()
    assert "alpha==1.0" in world.read("out.txt")
    world.accord("pip", "compile", "in.txt", "-o", "out.txt", "--upgrade-package", "alpha").fine()
    assert "alpha==2.0" in world.read("out.txt")


def test_pip_sync_removes_what_the_file_does_not_name(world: World) -> None:
    for name in ("alpha", "beta"):
        world.publish(name, "1.0")
    world.accord("pip", "install", "alpha", "beta", "--env", "env").fine()
    world.write("requirements.txt", "alpha==1.0\n")
    world.accord("pip", "sync", "requirements.txt", "--env", "env").fine()
    assert world.installed("env") == {"alpha": "1.0"}


def test_sealed_means_sealed_for_pip_commands_too(world: World) -> None:
    world.publish("alpha", "1.0")
    world.write("requirements.txt", "alpha==1.0\n")
    world.accord("pip", "sync", "requirements.txt", "--sealed", "--env", "env").fine()
    assert os.path.islink(world.path("env", "lib64", f"python3.{sys.version_info.minor}"))
    assert world.installed("env") == {"alpha": "1.0"}
    assert "up to date" in world.accord("pip", "sync", "requirements.txt", "--sealed", "--env", "env").err
    error = world.refused("pip", "install", "alpha", "--sealed", "--env", "other", code="usage")
    assert "sealed" in error["message"]
    assert not os.path.exists(world.path("other"))


# ------------------------------------------------------------ what is printed

JSON = (
    ("lock",),
    ("sync",),
    ("sync", "--dry-run", "--group", "test"),
    ("tree",),
    ("why", "beta"),
    ("outdated",),
    ("upgrade", "--dry-run"),
    ("export",),
    ("history",),
    ("verify",),
    ("pip", "list"),
    ("pip", "freeze"),
    ("pip", "show", "alpha"),
    ("pip", "check"),
    ("pip", "tree"),
    ("pip", "compile", "in.txt"),
    ("pip", "install", "speed"),
    ("pip", "uninstall", "speed"),
    ("python", "find"),
    ("python", "list"),
    ("cache", "size"),
    ("cache", "dir"),
    ("cache", "verify"),
    ("venv", "another"),
    ("add", "speed"),
    ("remove", "speed"),
    ("undo",),
)


def test_json_of_every_command_is_one_document(shop: World) -> None:
    shop.write("in.txt", "alpha\n")
    shop.accord("sync").fine()
    for words in JSON:
        ran = shop.accord(*words, "--json").fine()
        ran.document()
        assert ran.err == "", words


def test_quiet_says_nothing_when_all_is_well(shop: World) -> None:
    for words in (
        ("lock",),
        ("sync",),
        ("sync",),
        ("add", "speed"),
        ("remove", "speed"),
        ("upgrade",),
        ("undo",),
    ):
        ran = shop.accord(*words, "--quiet").fine()
        assert (ran.out, ran.err) == ("", ""), words
    assert shop.accord("add", "gone", "--quiet").err.startswith("error[")


def test_no_color_and_pipes_get_no_colour(shop: World) -> None:
    ran = shop.process("sync", FORCE_COLOR="1").fine()
    assert "\x1b[" in ran.err
    for environ in ({}, {"NO_COLOR": "1"}, {"NO_COLOR": "1", "FORCE_COLOR": "1"}):
        ran = shop.process("pip", "list", **environ).fine()
        assert "\x1b[" not in ran.out + ran.err, environ
    assert "\x1b[" not in shop.process("add", "gone").err


DRY = (
    ("lock", "--dry-run"),
    ("sync", "--dry-run"),
    ("upgrade", "--dry-run"),
    ("sync", "--dry-run", "--env", "new"),
    ("sync", "--dry-run", "--sealed", "--env", "sealed"),
    ("pip", "install", "--dry-run", "speed"),
    ("pip", "uninstall", "--dry-run", "beta"),
    ("pip", "sync", "--dry-run", "requirements.txt"),
)


@pytest.mark.parametrize("words", DRY)
def test_dry_run_changes_nothing_at_all(shop: World, words: tuple[str, ...]) -> None:
    shop.accord("sync").fine()
    shop.publish("beta", "2.0")
    shop.publish("gamma", "1.0")
    shop.project("alpha", "gamma", more=GROUPS)
    shop.write("requirements.txt", "beta==2.0\n")
    before = contents(shop.here, without=("__pycache__",))
    said = shop.accord(*words).fine()
    assert said.err
    assert contents(shop.here, without=("__pycache__",)) == before


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (("sync", "--no-such-option"), 2),
        (("no-such-command",), 2),
        (("pip", "list", "--format", "yaml"), 2),
        (("lock", "--resolution", "newest"), 2),
        (("--version",), 0),
        (("sync", "--help"), 0),
        (("tree", "--lock", "gone.toml"), 2),
        (("pip", "list", "--env", "gone"), 2),
    ],
)
def test_exit_statuses(shop: World, words: tuple[str, ...], status: int) -> None:
    ran = shop.accord(*words)
    assert ran.status == status, ran
    assert "internal-error" not in ran.err


def test_two_packages_with_the_same_file_are_refused_unless_one_is_let_win(
    world: World, kind: tuple[str, ...]
) -> None:
    for name in ("alpha", "beta"):
        world.publish(name, "1.0", files={f"{name}.py": b"", "tests/__init__.py": f"of = {name!r}".encode()})
    world.project("alpha", "beta")
    told = world.refused("sync", *kind, code="file-conflict")
    assert "alpha" in told["message"]
    assert "beta" in told["message"]
    assert "--conflicts last" in told["hint"]
    assert not os.path.exists(world.path(".venv", "bin"))
    world.accord("sync", *kind, "--conflicts", "last").fine()
    assert world.asked_python(world.path(".venv"), "import tests; print(tests.of)").strip() == "beta"
