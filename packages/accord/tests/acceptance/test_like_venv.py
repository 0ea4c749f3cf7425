"""It behaves like ``python -m venv``, both kinds: beside each environment stands a control that venv and pip made."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from accord.testing.worlds import World, uv_program

Kind = tuple[str, ...]
SITE = "lib/python3.11/site-packages".replace("3.11", f"{sys.version_info[0]}.{sys.version_info[1]}")
PROGRAM = b"import sys\n\ndef main():\n    print('hello from', __name__, *sys.argv[1:])\n    return 3 if 'fail' in sys.argv else 0\n"


def _publish(world: World) -> tuple[str, ...]:
    world.publish("alpha", "1.0", requires=["beta>=1"])
    world.publish("beta", "1.0")
    world.publish("program", "1.0", files={"program.py": PROGRAM}, scripts={"program": "program:main"})
    world.publish("space-one", "1.0", files={"space/one.py": b"here = 1\n"})
    world.publish("space-two", "1.0", files={"space/two.py": b"here = 2\n"})
    data = {
        "data.py": b"",
        "data-1.0.data/data/share/data/table.txt": b"1\n",
        "data-1.0.data/scripts/shell": b"#!/bin/sh\necho from a shell\n",
        "data-1.0.data/scripts/snake": b"#!python\nimport sys\nprint(sys.prefix)\n",
        "data-1.0.data/headers/data.h": b"/* */\n",
        "data-1.0.data/purelib/pure.py": b"",
        "data-1.0.data/platlib/plat.py": b"",
    }
    world.publish("data", "1.0", files=data)
    return ("alpha", "program", "space-one", "space-two", "data")


@pytest.fixture
def made(world: World, kind: Kind) -> World:
    """``.venv`` of either kind."""
    world.project(*_publish(world))
    world.accord("sync", *kind).fine()
    return world


def _control(world: World, *names: str) -> str:
    """``control``: made by ``python -m venv``, filled by pip."""
    base = os.path.realpath(sys.executable)
    world.run(base, "-m", "venv", "--without-pip", world.path("control")).fine()
    world.pip("control", "install", *names).fine()
    return "control"


def test_everything_imports_and_the_metadata_is_the_locks(made: World) -> None:
    names = "alpha, beta, program, space.one, space.two, data, pure, plat"
    assert made.asked_python(".venv", f"import {names}; print('fine')") == "fine"
    versions = {"alpha", "beta", "program", "space-one", "space-two", "data"}
    assert made.installed(".venv") == dict.fromkeys(versions, "1.0")


def test_the_metadata_lists_files_that_are_there(made: World, kind: Kind) -> None:
    code = (
        "import importlib.metadata as m, json\n"
        "found = [f for d in m.distributions() for f in d.files]\n"
        "print(json.dumps([len(found), [str(f) for f in found if not f.locate().exists()]]))"
    )
    count, missing = json.loads(made.asked_python(".venv", code))
    assert count > 20
    if kind:
        # A launcher names its environment and cannot be shared; from the closure, "../../../bin" leads past it.
        missing = [path for path in missing if not path.startswith("../../../bin/")]
    assert missing == []


def test_sys_prefix_and_the_paths_are_the_environments_own(made: World) -> None:
    code = (
        "import sys, sysconfig, json; print(json.dumps([sys.prefix, sys.base_prefix != sys.prefix, "
        "sysconfig.get_path('purelib'), sysconfig.get_path('scripts')]))"
    )
    root = made.path(".venv")
    assert json.loads(made.asked_python(".venv", code)) == [root, True, f"{root}/{SITE}", f"{root}/bin"]


def test_programs_run_and_end_with_their_own_status(made: World) -> None:
    ran = made.run(made.path(".venv", "bin", "program"), "a", "b c").fine()
    assert ran.out == "hello from program a b c\n"
    assert made.run(made.path(".venv", "bin", "program"), "fail").status == 3
    assert made.run(made.path(".venv", "bin", "shell")).fine().out == "from a shell\n"
    assert made.run(made.path(".venv", "bin", "snake")).fine().out == made.path(".venv") + "\n"
    assert Path(made.path(".venv", "share", "data", "table.txt")).read_text() == "1\n"


def test_activate_finds_programs(made: World) -> None:
    said = made.run(
        "sh", "-c", ". .venv/bin/activate && command -v program && program x && echo $VIRTUAL_ENV"
    )
    assert said.fine().out.splitlines() == [
        made.path(".venv", "bin", "program"),
        "hello from program x",
        made.path(".venv"),
    ]


def test_walks_find_the_same_files_as_in_a_control(made: World) -> None:
    control = _control(made, "alpha", "program", "space-one", "space-two", "data")
    code = (
        "import glob, json, os, pathlib, sys, sysconfig\n"
        "site = sysconfig.get_path('purelib')\n"
        "walked = [os.path.relpath(os.path.join(a, f), site) for a, _, fs in os.walk(site) for f in fs]\n"
        "globbed = [str(p.relative_to(site)) for p in pathlib.Path(site).rglob('*') if p.is_file()]\n"
        "old = [os.path.relpath(p, site) for p in glob.glob(site + '/**/*.py', recursive=True)]\n"
        "keep = lambda names: sorted(n for n in names if '__pycache__' not in n and not n.startswith('_virtualenv'))\n"
        "print(json.dumps([keep(walked), keep(globbed), keep(old)]))"
    )
    ours, theirs = (
        json.loads(made.asked_python(env, code, PYTHONDONTWRITEBYTECODE="1")) for env in (".venv", control)
    )
    own = {
        f"{name}-1.0.dist-info/REQUESTED" for name in ("alpha", "data", "program", "space_one", "space_two")
    }
    own |= {"_accord.pth"}  # where a sealed environment keeps what it compiles
    for mine, others in zip(ours, theirs, strict=True):
        assert set(mine) ^ set(others) <= own, sorted(set(mine) ^ set(others))
        assert others


def test_find_looks_into_site_packages(made: World) -> None:
    """Which it does not where the folder it is given is a link itself."""
    found = made.run("find", made.path(".venv", SITE), "-name", "alpha").fine().out
    assert found == made.path(".venv", SITE, "alpha") + "\n"
    assert not os.path.islink(made.path(".venv", SITE))


@pytest.mark.skipif(shutil.which("gcc") is None, reason="no C compiler is here")
def test_a_library_that_reaches_into_another_wheels_folder_loads(
    world: World, kind: Kind, tmp_path: Path
) -> None:
    """``$ORIGIN/../..`` in an RPATH, as the CUDA and Qt wheels have it."""
    build = tmp_path / "c"
    build.mkdir()
    (build / "base.c").write_text("int answer(void) { return 42; }\n")
    (build / "user.c").write_text("int answer(void);\nint ask(void) { return answer(); }\n")
    gcc = ["gcc", "-shared", "-fPIC"]
    subprocess.run([*gcc, "-Wl,-soname,libbase.so", "-o", "libbase.so", "base.c"], cwd=build, check=True)
    reach = "-Wl,-rpath,$ORIGIN/../../vendor_base/lib"
    subprocess.run([*gcc, reach, "-o", "libuser.so", "user.c", "-L.", "-lbase"], cwd=build, check=True)
    base, user = (build / "libbase.so").read_bytes(), (build / "libuser.so").read_bytes()
    world.publish(
        "vendor-base", "1.0", files={"vendor_base/__init__.py": b"", "vendor_base/lib/libbase.so": base}
    )
    world.publish(
        "vendor-user",
        "1.0",
        requires=["vendor-base"],
        files={"vendor_user/__init__.py": b"", "vendor_user/lib/libuser.so": user},
    )
    world.project("vendor-user")
    world.accord("sync", *kind).fine()
    code = "import ctypes, vendor_user as v; print(ctypes.CDLL(v.__path__[0] + '/lib/libuser.so').ask())"
    assert world.asked_python(".venv", code) == "42"


# ------------------------------------------------------------ venv, rm and an environment that is there


def test_venv_clear_empties_it_and_a_sync_fills_it_again(made: World, kind: Kind) -> None:
    base = os.path.realpath(sys.executable)
    made.run(base, "-m", "venv", "--clear", "--without-pip", made.path(".venv")).fine()
    assert made.installed(".venv") == {}
    made.accord("sync", *kind).fine()
    assert made.installed(".venv")["alpha"] == "1.0"
    made.accord("verify").fine()


def test_rm_and_rmtree_remove_it(made: World, kind: Kind) -> None:
    made.run("rm", "-r", ".venv").fine()
    assert not os.path.lexists(made.path(".venv"))
    made.accord("sync", *kind).fine()
    shutil.rmtree(made.path(".venv"))
    assert not os.path.lexists(made.path(".venv"))


@pytest.mark.parametrize("flags", [(), ("--upgrade",), ("--symlinks",)])
def test_venv_on_top_of_it_keeps_everything(made: World, kind: Kind, flags: tuple[str, ...]) -> None:
    base = os.path.realpath(sys.executable)
    made.run(base, "-m", "venv", "--without-pip", *flags, made.path(".venv")).fine()
    names = "alpha, beta, program, space.one, space.two, data, pure, plat"
    assert made.asked_python(".venv", f"import {names}; print('fine')") == "fine"
    assert made.run(made.path(".venv", "bin", "program")).fine().out == "hello from program\n"
    made.accord("verify").fine()
    for _ in range(2):
        outcome = made.accord("sync", *kind, "--json").fine().document()
        assert (outcome["added"], outcome["removed"], outcome["kept"]) == ([], [], 6)
    made.accord("verify").fine()
    assert made.run(made.path(".venv", "bin", "program")).fine().out == "hello from program\n"


@pytest.mark.slow
def test_venv_on_top_brings_pip_or_says_that_it_cannot(made: World, kind: Kind) -> None:
    """``ensurepip`` adds to a private environment; to a sealed one nothing is added."""
    base = os.path.realpath(sys.executable)
    ran = made.run(base, "-m", "venv", made.path(".venv"))
    assert made.asked_python(".venv", "import alpha; print(alpha.version)") == "1.0"
    made.accord("verify").fine()
    if kind:
        assert ran.status == 1
        assert "ensurepip" in ran.out + ran.err
        said = made.run(made.python(".venv"), "-m", "ensurepip")
        assert "Permission denied" in said.err or "Operation not permitted" in said.err
    else:
        assert made.run(made.path(".venv", "bin", "pip"), "--version").fine()
    made.accord("sync", *kind).fine()
    assert set(made.installed(".venv")) == {"alpha", "beta", "program", "space-one", "space-two", "data"}
    assert made.run(made.path(".venv", "bin", "program")).fine().out == "hello from program\n"


@pytest.mark.slow
def test_an_environment_that_is_there_is_adopted(world: World, kind: Kind) -> None:
    """What venv and pip made becomes exactly the lock; its own settings stay."""
    _publish(world)
    world.publish("stray", "1.0")
    base = os.path.realpath(sys.executable)
    world.run(base, "-m", "venv", "--without-pip", "--prompt", "mine", world.path(".venv")).fine()
    world.pip(".venv", "install", "stray", "beta").fine()
    config = world.read(".venv/pyvenv.cfg")
    world.project("alpha", "program")
    world.accord("sync", *kind).fine()
    assert world.installed(".venv") == {"alpha": "1.0", "beta": "1.0", "program": "1.0"}
    assert world.read(".venv/pyvenv.cfg") == config
    world.accord("undo").fine()
    assert world.installed(".venv") == {"stray": "1.0", "beta": "1.0"}


def test_sealed_becomes_private_and_back(world: World) -> None:
    world.project(*_publish(world))
    for flags in ((), ("--sealed",), (), ("--sealed",)):
        world.accord("sync", *flags).fine()
        assert os.path.islink(os.path.dirname(world.path(".venv", SITE))) is bool(flags)
        assert world.run(world.path(".venv", "bin", "program")).fine().out == "hello from program\n"
        world.accord("verify").fine()


# ------------------------------------------------------------ pip and uv in a private one


@pytest.fixture
def private(world: World) -> World:
    world.project(*_publish(world))
    world.publish("beta", "2.0")
    world.project(*_publish_again(), "beta<2")
    world.accord("sync").fine()
    return world


def _publish_again() -> tuple[str, ...]:
    return ("alpha", "program", "data")


def test_pip_check_is_content(made: World) -> None:
    assert "No broken requirements" in made.pip(".venv", "check").fine().out


@pytest.mark.slow
def test_pip_lists_and_shows_what_accord_does(made: World) -> None:
    theirs = json.loads(made.pip(".venv", "list", "--format", "json").fine().out)
    ours = made.accord("pip", "list", "--json").fine().document()
    assert {(one["name"], one["version"]) for one in ours} == {
        (one["name"], one["version"]) for one in theirs
    }
    assert "Requires: beta" in made.pip(".venv", "show", "alpha").fine().out


def test_pip_uninstalls_and_accord_brings_it_back(private: World) -> None:
    private.pip(".venv", "uninstall", "-y", "program", "data").fine()
    assert not os.path.exists(private.path(".venv", "bin", "program"))
    assert not os.path.exists(private.path(".venv", "share", "data", "table.txt"))
    assert set(private.installed(".venv")) == {"alpha", "beta"}
    private.accord("sync").fine()
    assert private.run(private.path(".venv", "bin", "program")).fine().out == "hello from program\n"
    private.accord("verify").fine()


@pytest.mark.slow
def test_pip_upgrades_and_accord_goes_back_to_the_lock(private: World) -> None:
    private.pip(".venv", "install", "-U", "beta").fine()
    assert private.installed(".venv")["beta"] == "2.0"
    private.accord("sync").fine()
    assert private.installed(".venv")["beta"] == "1.0"
    private.accord("verify").fine()


@pytest.mark.skipif(uv_program() is None, reason="uv is not here")
def test_uv_installs_into_it_and_accord_goes_back_to_the_lock(private: World) -> None:
    private.uv(".venv", "install", "beta==2.0", "space-one").fine()
    assert private.installed(".venv")["beta"] == "2.0"
    assert private.accord("pip", "check").status == 0
    private.accord("sync").fine()
    assert private.installed(".venv") == {"alpha": "1.0", "beta": "1.0", "program": "1.0", "data": "1.0"}
    private.uv(".venv", "check").fine()


# ------------------------------------------------------------ coverage


@pytest.mark.network
@pytest.mark.slow
def test_coverage_and_pytest_cov_count_the_statements_a_control_counts(world: World, kind: Kind) -> None:
    outside = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "UV_"))}
    for name in ("ACCORD_DEFAULT_INDEX", "PIP_INDEX_URL", "UV_DEFAULT_INDEX", "PIP_CONFIG_FILE"):
        world.environ.pop(name)
    world.environ |= {**outside, "HOME": os.environ.get("HOME", world.home)}
    world.write("app.py", "import click\n\ndef go():\n    return click.__name__\n\nprint(go())\n")
    world.write("test_app.py", "import app\n\ndef test_go():\n    assert app.go() == 'click'\n")
    world.project("click", "pytest-cov")
    world.accord("sync", *kind).fine()
    world.accord("export", "-o", "requirements.txt").fine()
    base = os.path.realpath(sys.executable)
    world.run(base, "-m", "venv", "--without-pip", world.path("control")).fine()
    world.pip("control", "install", "-r", "requirements.txt").fine()
    counted = {}
    for env in (".venv", "control"):
        python = world.python(env)
        for name, words in {
            "run": ("coverage", "run", "app.py"),
            "cov": ("pytest", "-q", "--cov", "--cov-report="),
        }.items():
            data = {"COVERAGE_FILE": world.path(f"{env.strip('.')}-{name}.data")}
            world.run(python, "-m", *words, **data).fine()
            report = json.loads(
                world.run(python, "-m", "coverage", "json", "-q", "-o", "-", **data).fine().out
            )
            counted[env, name] = report["totals"]["num_statements"]
    assert counted[".venv", "run"] == counted["control", "run"] == 4
    assert counted[".venv", "cov"] == counted["control", "cov"]
