"""``accord build`` as people use it: what lies in dist/ afterwards, and what it says of it."""

from __future__ import annotations

import json
import os
import tarfile
import time
import zipfile
from typing import Any

import pytest

from accord.io import sandbox
from accord.testing.builds import GOOD_BACKEND
from accord.testing.worlds import Ran, World, uv_program

SDIST = """
def build_sdist(directory, config_settings=None):
    import io, os, tarfile
    name = f"{NAME}-{VERSION}"
    with tarfile.open(os.path.join(directory, name + ".tar.gz"), "w:gz", format=tarfile.PAX_FORMAT) as archive:
        def put(path, data):
            info = tarfile.TarInfo(f"{name}/{path}")
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
        for path in sorted(os.listdir(".")):
            if os.path.isfile(path):
                put(path, open(path, "rb").read())
        put("PKG-INFO", metadata().encode())
    return name + ".tar.gz"
"""


def project(
    world: World, name: str = "demo", folder: str = ".", *, requires: tuple[str, ...] = (), extra: str = ""
) -> str:
    """A project with a backend in its tree, made of the good one."""
    own = f"\nNAME, VERSION = {name!r}, '1.0'\n"
    text = f"def metadata():\n    return 'Metadata-Version: 2.2\\nName: {name}\\nVersion: 1.0\\n'\n"
    world.write(f"{folder}/backend.py", GOOD_BACKEND + own + text + SDIST + extra)
    world.write(
        f"{folder}/pyproject.toml",
        f'[project]\nname = "{name}"\nversion = "1.0"\n'
        f"[build-system]\nrequires = {json.dumps(requires)}\n"
        'build-backend = "backend"\nbackend-path = ["."]\n',
    )
    return world.path(folder)


def kinds(ran: Ran) -> list[tuple[str, str]]:
    document: Any = ran.fine().document()
    return [(file["kind"], file["name"]) for built in document["built"] for file in built["files"]]


def test_sdist_then_the_wheel_from_it(world: World) -> None:
    project(world)
    assert kinds(world.accord("build", "--json")) == [("sdist", "demo"), ("wheel", "demo")]
    assert world.listed("dist") == ["demo-1.0-py3-none-any.whl", "demo-1.0.tar.gz"]


def test_a_wheel_that_only_the_tree_can_build_is_found_out(world: World) -> None:
    extra = "\nimport os\n_wheel = build_wheel\ndef build_wheel(*args):\n    open('data/table')\n    return _wheel(*args)\n"
    project(world, extra=extra)
    world.write("data/table", "in no sdist")
    assert kinds(world.accord("build", "--wheel", "--json")) == [("wheel", "demo")]
    world.refused("build", code="build-failed")


def test_what_is_asked_for_is_built(world: World) -> None:
    project(world)
    assert kinds(world.accord("build", "--sdist", "--json", "-o", "one")) == [("sdist", "demo")]
    assert kinds(world.accord("build", "--sdist", "--wheel", "--json")) == [
        ("sdist", "demo"),
        ("wheel", "demo"),
    ]
    assert world.listed("one") == ["demo-1.0.tar.gz"]


def test_clear_removes_older_releases_once_the_build_went_well(world: World) -> None:
    project(world)
    for name in ("demo-0.9.tar.gz", "demo-0.9-py3-none-any.whl", "notes.txt"):
        world.write(f"dist/{name}", "old")
    world.accord("build", "--sdist", "--clear").fine()
    assert world.listed("dist") == ["demo-1.0.tar.gz", "notes.txt"]


def test_config_settings_reach_the_backend(world: World) -> None:
    project(world)
    world.accord("build", "--wheel", "-C", "color=red").fine()
    with zipfile.ZipFile(world.path("dist", "demo-1.0-py3-none-any.whl")) as wheel:
        assert b"'color': 'red'" in wheel.read("demo.py")


def test_sdist_and_wheel_must_agree(world: World) -> None:
    other = "\ndef metadata():\n    import os\n    more = '' if os.path.exists('PKG-INFO') else 'Requires-Dist: spam\\n'\n"
    other += "    return f'Metadata-Version: 2.2\\nName: {NAME}\\nVersion: 1.0\\n' + more\n"
    project(world, extra=other)
    error = world.refused("build", code="build-metadata-mismatch")
    assert "requires_dist" in error["message"]
    assert not os.path.exists(world.path("dist"))


def test_an_sdist_that_calls_itself_otherwise_is_refused(world: World) -> None:
    project(
        world, extra="\ndef metadata():\n    return 'Metadata-Version: 2.2\\nName: other\\nVersion: 1.0\\n'\n"
    )
    world.refused("build", code="build-output-invalid")


def test_a_build_requirement_is_had_from_the_index_once_and_then_remembered(world: World) -> None:
    world.publish("helper", "1.0")
    project(world, requires=("helper",), extra="\nimport helper\n")
    world.accord("build").fine()
    ran = world.accord("build", "--json", "--offline", ACCORD_DEFAULT_INDEX="http://nowhere.example/simple")
    assert ran.status != 0, "another index is another question"
    document = world.accord("build", "--json", "--offline").fine().document()
    assert [one["version"] for one in document["built"][0]["requirements"]] == ["1.0"]
    world.publish("helper", "2.0")
    document = world.accord("build", "--json").fine().document()
    assert document["built"][0]["requirements"][0]["version"] == "1.0"
    document = world.accord("build", "--json", "--upgrade", "--refresh").fine().document()
    assert document["built"][0]["requirements"][0]["version"] == "2.0"


def test_the_lock_pins_build_requirements_with_hashes(world: World) -> None:
    world.publish("helper", "1.0")
    project(world, requires=("helper<3",), extra="\nimport helper\n")
    world.refused("build", "--locked", code="build-lock-missing")
    world.accord("build", "--lock").fine()
    text = world.read("pylock.build.toml")
    assert 'name = "helper"' in text and "sha256" in text and "[tool" not in text
    world.publish("helper", "2.0")
    document = world.accord("build", "--locked", "--refresh", "--json").fine().document()
    assert document["built"][0]["requirements"][0]["version"] == "1.0"
    world.write("pyproject.toml", world.read("pyproject.toml").replace("helper<3", "helper>=2"))
    world.refused("build", "--locked", code="build-lock-outdated")
    ran = world.accord("build", "--json").fine()
    assert ran.document()["built"][0]["requirements"][0]["version"] == "2.0"
    assert "does not hold helper>=2" in ran.err


@pytest.mark.parametrize("tool", ["pip", "uv"])
def test_the_lock_installs_with_pip_and_uv(world: World, tool: str) -> None:
    if tool == "uv" and uv_program() is None:
        pytest.skip("uv is not here")
    world.publish("helper", "1.0")
    project(world, requires=("helper",))
    world.accord("build", "--lock").fine()
    world.accord("venv", "env").fine()
    install = world.uv if tool == "uv" else world.pip
    install("env", "install", "-r", "pylock.build.toml").fine()
    assert world.installed("env") == {"helper": "1.0"}


NOISE = {
    "time": "time.time_ns()",
    "path": "os.getcwd()",
    "user": "getpass.getuser()",
    "zone": "time.strftime('%z')",
    "seed": "hash('a')",
    "umask": "oct(os.umask(0))",
    "clock of files": "os.stat('backend.py').st_mtime_ns",
    "home": "os.path.expanduser('~')",
}


@pytest.mark.parametrize("value", NOISE.values(), ids=NOISE)
def test_what_makes_a_build_differ_is_found_and_shown(world: World, value: str) -> None:
    if sandbox.probe() is not None and "getuser" in value:
        pytest.skip("another user needs the sandbox")
    noise = f"\n_wheel = build_wheel\ndef build_wheel(directory, config_settings=None, metadata_directory=None):\n    import getpass, os, time\n    return _wheel(directory, {{'noise': str({value})}})\n"
    project(world, extra=noise)
    error = world.refused("build", "--wheel", "--reproducible", code="build-not-reproducible")
    assert any(line.strip() == "demo.py: contents" for line in error["context"]), error["context"]
    assert any(line.strip().startswith("-settings = ") for line in error["context"])
    assert not os.path.exists(world.path("dist"))


def test_a_build_that_is_the_same_both_times_passes(world: World) -> None:
    fixed = "\nimport zipfile\nzipfile.time.time = lambda: 1e9\nzipfile.time.localtime = lambda now: (1980, 1, 1, 0, 0, 0)\n"
    project(world, extra=fixed)
    assert "twice, with the same bytes" in world.accord("build", "--wheel", "--reproducible").fine().err
    assert world.listed("dist") == ["demo-1.0-py3-none-any.whl"]


def test_members_of_a_workspace_are_built_with_each_other(world: World) -> None:
    world.write(
        "pyproject.toml", '[tool.accord.workspace]\nmembers = ["packages/*"]\nexclude = ["packages/old"]\n'
    )
    project(
        world, "tool", "packages/a-tool", requires=("backend-of-ours",), extra="\nimport backend_of_ours\n"
    )
    project(world, "backend-of-ours", "packages/b-backend", extra="\nNAME = 'backend_of_ours'\n")
    project(world, "old", "packages/old", extra="\nraise RuntimeError\n")
    assert kinds(world.accord("build", "--all", "--json")) == [
        ("sdist", "backend-of-ours"),
        ("wheel", "backend-of-ours"),
        ("sdist", "tool"),
        ("wheel", "tool"),
    ]
    assert len(world.listed("dist")) == 4
    assert kinds(world.accord("build", "--package", "tool", "--wheel", "-o", "one", "--json")) == [
        ("wheel", "tool")
    ]
    assert world.listed("one") == ["tool-1.0-py3-none-any.whl"]
    error = world.refused("build", "--package", "nobody", code="workspace-unknown-member")
    assert "tool" in error["hint"]


def test_members_that_need_each_other_in_a_circle_are_named(world: World) -> None:
    world.write("pyproject.toml", '[tool.accord.workspace]\nmembers = ["*"]\n')
    project(world, "one", "one", requires=("two",))
    project(world, "two", "two", requires=("one",))
    error = world.refused("build", "--all", code="workspace-cycle")
    assert "one -> two -> one" in error["message"]


def test_a_workspace_that_is_not_there_is_explained(world: World) -> None:
    project(world)
    error = world.refused("build", "--all", code="workspace-missing")
    assert "[tool.accord.workspace]" in error["hint"]


def test_two_members_of_one_name_are_refused(world: World) -> None:
    world.write("pyproject.toml", '[tool.accord.workspace]\nmembers = ["*"]\n')
    project(world, "one", "one")
    project(world, "One", "two")
    world.refused("build", "--all", code="workspace-member-invalid")


def test_what_cannot_be_built_is_said_before_anything_runs(world: World) -> None:
    world.refused("build", "nowhere", code="build-source-missing")
    world.refused("build", world.write("notes.txt", "hello"), code="build-source-invalid")
    world.refused("build", code="build-not-a-project")


def test_a_project_cannot_switch_the_sandbox_off_for_itself(world: World) -> None:
    project(world)
    world.write("pyproject.toml", world.read("pyproject.toml") + '[tool.accord]\nbuild-sandbox = "off"\n')
    world.refused("build", code="invalid-pyproject")


def test_the_log_of_a_failing_build_is_kept_and_named(world: World) -> None:
    project(world, extra="\nprint('hello from the build')\nraise RuntimeError('no')\n")
    error = world.refused("build", code="build-failed")
    assert "RuntimeError: no" in error["context"]
    place = error["hint"].rpartition("in ")[2]
    with open(place, encoding="utf-8") as file:
        assert "hello from the build" in file.read()


def test_verbose_shows_what_the_build_prints(world: World) -> None:
    project(world, extra="\nprint('hello from the build')\n")
    assert "hello from the build" in world.accord("build", "-v").fine().err
    assert "hello from the build" not in world.accord("build").fine().err


def test_members_in_the_archives_are_those_of_the_tree(world: World) -> None:
    project(world)
    world.accord("build").fine()
    with tarfile.open(world.path("dist", "demo-1.0.tar.gz")) as archive:
        assert "demo-1.0/backend.py" in archive.getnames()


def test_pruning_removes_environments_that_nothing_was_built_in_for_long(world: World) -> None:
    world.publish("helper", "1.0")
    project(world, requires=("helper",), extra="\nimport helper\n")
    world.accord("build").fine()
    (name,) = [name for name in os.listdir(f"{world.cache}/build-envs-v2") if len(name) == 40]
    world.accord("cache", "prune", "--older-than", "1d").fine()
    assert os.path.isdir(f"{world.cache}/build-envs-v2/{name}")
    for path in (name, f"{name}.seal"):
        os.utime(f"{world.cache}/build-envs-v2/{path}", (0, 0))
    world.accord("cache", "prune", "--older-than", "1d").fine()
    assert not os.path.exists(f"{world.cache}/build-envs-v2/{name}")
    world.accord("build").fine()


def test_without_isolation_a_backend_that_is_editable_there_is_found(world: World) -> None:
    world.accord("venv", "env").fine()
    elsewhere = os.path.join(world.root, "elsewhere")
    os.makedirs(elsewhere)
    with open(os.path.join(elsewhere, "demo_backend.py"), "w", encoding="utf-8") as file:
        file.write(GOOD_BACKEND)
    with open(os.path.join(world.site("env"), "demo.pth"), "w", encoding="utf-8") as file:
        file.write(f"{elsewhere}\n")
    world.write("pyproject.toml", '[build-system]\nrequires = []\nbuild-backend = "demo_backend"\n')
    words = ("build", "--wheel", "--no-build-isolation", "-p", "env")
    world.accord(*words).fine()
    assert world.listed("dist") == ["demo-1.0-py3-none-any.whl"]


def test_a_project_file_that_is_no_file_is_refused_at_once(world: World) -> None:
    for name, make in (("piped", os.mkfifo), ("folder", os.mkdir)):
        os.mkdir(world.path(name))
        make(world.path(name, "pyproject.toml"))
        error = world.refused("build", name, code="build-file-unreadable")
        assert "not a regular file" in error["message"]


def test_a_folder_whose_name_is_not_utf_8_is_built(world: World) -> None:
    tree = world.tree("plain", "demo", "1.0")
    odd = os.fsdecode(os.fsencode(world.path("odd")) + b"\xff")
    os.rename(tree, odd)
    world.accord("build", odd, "--wheel").fine()
    assert world.listed(os.path.join(odd, "dist")) == ["demo-1.0-py3-none-any.whl"]


def test_what_a_killed_build_left_days_ago_is_removed(world: World) -> None:
    builds = os.path.join(world.cache, "builds-v1")
    for name, days in ((".scratch-old", 4), (".scratch-of-now", 0)):
        os.makedirs(os.path.join(builds, name, "below"))
        when = time.time() - days * 86_400
        os.utime(os.path.join(builds, name), (when, when))
    world.tree("own", "demo", "1.0")
    world.accord("build", "own", "--wheel").fine()
    assert [name for name in os.listdir(builds) if name.startswith(".scratch-")] == [".scratch-of-now"]


def test_the_wheel_of_an_sdist_in_dist_lies_beside_it(world: World) -> None:
    project(world)
    world.accord("build", "--sdist").fine()
    world.accord("build", "dist/demo-1.0.tar.gz").fine()
    assert world.listed("dist") == ["demo-1.0-py3-none-any.whl", "demo-1.0.tar.gz"]


@pytest.mark.parametrize(("first", "then", "status"), [("aa", "a", 0), ("ab", "a", 1)])
def test_a_requirement_that_stands_in_the_sdist_twice_is_the_one_in_the_wheel(
    world: World, first: str, then: str, status: int
) -> None:
    said = f"({first!r} if called == 'build_sdist' else {then!r})"
    extra = (
        "\nimport sys\n_metadata = metadata\ndef metadata():\n"
        "    frame = sys._getframe()\n    names = []\n"
        "    while frame:\n        names.append(frame.f_code.co_name)\n        frame = frame.f_back\n"
        "    called = 'build_sdist' if 'build_sdist' in names else 'build_wheel'\n"
        f"    return _metadata() + ''.join(f'Requires-Dist: {{each}}\\n' for each in {said})\n"
    )
    project(world, extra=extra)
    assert world.accord("build").status == status
