"""A private environment behaves like one made by ``python -m venv`` and filled by pip."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys

import pytest

from accord.environments.check import verify
from accord.environments.create import create
from accord.environments.installed import installed
from accord.environments.plan import plan
from accord.environments.state import unchanged
from accord.io.files import remove_tree
from accord.testing.installing import Bench, as_nobody, open_to_all, run_python, snapshot, write_wheel
from accord_core.errors import InstallError

FILES = {
    "spam/__init__.py": b"def main():\n    print('spam', __name__)\n",
    "spam/odd,name.txt": b"x",
    "DATA/scripts/run": b"#!python\nimport sys; print(sys.prefix)\n",
    "DATA/scripts/shell": b"#!/bin/sh\necho shell\n",
    "DATA/data/share/spam/a.txt": b"a",
    "DATA/data/etc/spam.conf": b"b",
    "DATA/headers/spam.h": b"/* */",
}
POINTS = "[console_scripts]\nspam = spam:main\n"
LONG = "a folder with blanks and 'quotes' " + "x" * 100


@pytest.fixture
def made(bench: Bench) -> Bench:
    create(bench.env, bench.python)
    return bench


def test_what_is_installed_imports_runs_and_is_listed(made: Bench) -> None:
    made.install(made.wanted(files=FILES, entry_points=POINTS))
    done = run_python(
        made.env, "-c", "import spam, importlib.metadata as m; print(spam.__file__, m.version('spam'))"
    )
    assert done.stdout.split() == [f"{made.site}/spam/__init__.py", "1.0"]
    for command, output in (("spam", "spam spam"), ("run", made.env), ("shell", "shell")):
        ran = subprocess.run([f"{made.env}/bin/{command}"], capture_output=True, text=True, check=True)
        assert ran.stdout.strip() == output
    assert os.path.isfile(f"{made.env}/share/spam/a.txt")
    assert os.path.isfile(f"{made.env}/include/site/python{made.python.short}/spam/spam.h")


def test_record_lists_every_file_with_its_digest_and_nothing_else(made: Bench) -> None:
    made.install(made.wanted(files=FILES, entry_points=POINTS, requested=True))
    with open(f"{made.site}/spam-1.0.dist-info/RECORD", newline="") as file:
        rows = {row[0]: row[1:] for row in csv.reader(file)}
    listed = {os.path.normpath(f"{made.site}/{path}") for path in rows}
    own = {path for path in snapshot(made.env) if "spam" in path or path.endswith(("bin/run", "bin/shell"))}
    assert listed == {f"{made.env}/{path}" for path in own}
    code = "import importlib.metadata as m; print(all(f.hash.value and f.locate().exists() for f in m.files('spam') if not str(f).endswith('/RECORD')))"
    assert run_python(made.env, "-c", code).stdout.strip() == "True"
    assert rows["spam-1.0.dist-info/RECORD"] == ["", ""]


def test_the_installer_files_are_as_the_standards_say(made: Bench) -> None:
    direct = {"url": "https://files.example/spam.whl", "archive_info": {"hashes": {"sha256": "0" * 64}}}
    made.install(made.wanted(requested=True, direct_url=direct), made.wanted("eggs"))
    info = f"{made.site}/spam-1.0.dist-info"
    with open(f"{info}/INSTALLER") as file:
        assert file.read() == "accord\n"
    with open(f"{info}/direct_url.json") as file:
        assert json.load(file) == direct
    assert os.path.getsize(f"{info}/REQUESTED") == 0
    assert not os.path.exists(f"{made.site}/eggs-1.0.dist-info/REQUESTED")


@pytest.mark.parametrize("name", [LONG, "back\\slash"])
def test_launchers_start_from_any_folder(bench: Bench, name: str) -> None:
    bench.env = os.path.join(bench.folder, name)
    create(bench.env, bench.python)
    bench.install(bench.wanted(files=FILES, entry_points=POINTS))
    for command in ("spam", "run"):
        ran = subprocess.run([f"{bench.env}/bin/{command}"], capture_output=True, text=True, check=False)
        assert (ran.returncode, ran.stderr) == (0, "")
        assert ran.stdout.strip() in ("spam spam", bench.env)


def test_only_what_differs_is_touched(made: Bench) -> None:
    spam, eggs = made.wanted(files=FILES), made.wanted("eggs")
    made.install(spam, eggs)
    before = os.stat(f"{made.site}/eggs/__init__.py"), os.stat(f"{made.site}/eggs-1.0.dist-info")
    newer = made.wanted("spam", "2.0")
    found = plan(made.env, [newer, eggs])
    assert [one.version for one in found.add] == ["2.0"]
    assert found.replaced == {"spam"}
    assert [one.name for one in found.keep] == ["eggs"]
    made.install(newer, eggs)
    after = os.stat(f"{made.site}/eggs/__init__.py"), os.stat(f"{made.site}/eggs-1.0.dist-info")
    assert [(one.st_ino, one.st_mtime_ns) for one in before] == [
        (one.st_ino, one.st_mtime_ns) for one in after
    ]
    # Nothing of the old one is left, its data files included.
    assert not os.path.exists(f"{made.env}/share")
    assert {one.version for one in installed(made.env) if one.name == "spam"} == {"2.0"}


def test_the_same_version_from_another_wheel_is_another_thing(made: Bench) -> None:
    first = made.wanted(files={"spam.py": b"value = 1\n"})
    made.install(first)
    assert plan(made.env, [first]).empty
    second = made.wanted(files={"spam.py": b"value = 2\n"})
    assert not plan(made.env, [second]).empty
    made.install(second)
    assert run_python(made.env, "-c", "import spam; print(spam.value)").stdout.strip() == "2"


def test_the_key_tells_in_a_handful_of_stats_that_nothing_changed(made: Bench) -> None:
    spam = made.wanted()
    made.install(spam, key="lock-1")
    assert unchanged(made.env, "lock-1")
    assert not unchanged(made.env, "lock-2")
    run_python(made.env, "-c", "import spam")
    assert unchanged(made.env, "lock-1")  # compiled files are no change
    os.rename(f"{made.site}/spam", f"{made.site}/spam2")
    assert not unchanged(made.env, "lock-1")
    os.rename(f"{made.site}/spam2", f"{made.site}/spam")
    made.install(spam, key="lock-1")
    assert unchanged(made.env, "lock-1")
    os.unlink(f"{made.env}/bin/python")
    os.symlink("/nonexistent/python", f"{made.env}/bin/python")
    assert not unchanged(made.env, "lock-1")


def test_pip_and_uv_work_on_it(made: Bench) -> None:
    made.install(made.wanted(files=FILES, entry_points=POINTS), made.wanted("eggs"))
    listed = _pip(made, "list", "--format=freeze")
    assert listed.stdout.split() == ["eggs==1.0", "spam==1.0"]
    assert _pip(made, "check").returncode == 0
    assert "share/spam/a.txt" in _pip(made, "show", "-f", "spam").stdout
    newer = write_wheel(made.wheels, "eggs", "2.0")
    assert _pip(made, "install", "--no-index", "--no-deps", newer).returncode == 0
    assert _pip(made, "uninstall", "-y", "spam").returncode == 0
    assert not any("spam" in path for path in snapshot(made.env))
    # and Accord on what pip installed
    assert [one.version for one in plan(made.env, [made.wanted("eggs", "2.0")]).keep] == []
    made.install()
    assert installed(made.env) == ()
    uv = shutil.which("uv", path=os.path.dirname(sys.executable))
    if uv is not None:
        made.install(made.wanted())
        ran = subprocess.run(
            [uv, "pip", "uninstall", "--offline", "-p", made.env, "spam"], capture_output=True, check=False
        )
        assert ran.returncode == 0
        assert not os.path.exists(f"{made.site}/spam")


def _pip(bench: Bench, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            sys.executable,
            "-I",
            "-m",
            "pip",
            "--python",
            f"{bench.env}/bin/python",
            "--disable-pip-version-check",
            *arguments,
        ],
        capture_output=True,
        text=True,
        check=False,
    )


def test_what_pip_installed_from_a_file_is_replaced_and_from_an_index_kept(made: Bench) -> None:
    # pip writes direct_url.json for a file it was handed: that is not what an index would have given.
    assert _pip(made, "install", "--no-index", "--no-deps", write_wheel(made.wheels)).returncode == 0
    spam = made.wanted()
    assert [one.name for one in plan(made.env, [spam]).add] == ["spam"]
    os.unlink(f"{made.site}/spam-1.0.dist-info/direct_url.json")
    assert plan(made.env, [spam]).empty


def test_venv_on_top_and_clear_and_removal(made: Bench) -> None:
    made.install(made.wanted())
    subprocess.run([sys.executable, "-I", "-m", "venv", "--without-pip", made.env], check=True)
    assert run_python(made.env, "-c", "import spam").returncode == 0
    subprocess.run([sys.executable, "-I", "-m", "venv", "--without-pip", "--clear", made.env], check=True)
    assert installed(made.env) == ()
    made.install(made.wanted())
    assert run_python(made.env, "-c", "import spam").returncode == 0
    shutil.rmtree(made.env)
    assert bench_is_whole(made)


def bench_is_whole(bench: Bench) -> bool:
    from accord.store import upkeep

    return upkeep.verify(bench.store) == ()


def test_an_existing_environment_is_adopted(bench: Bench) -> None:
    subprocess.run([sys.executable, "-I", "-m", "venv", "--without-pip", bench.env], check=True)
    with open(f"{bench.env}/pyvenv.cfg") as file:
        config = file.read()
    create(bench.env, bench.python)
    with open(f"{bench.env}/pyvenv.cfg") as file:
        assert file.read() == config
    bench.install(bench.wanted())
    assert run_python(bench.env, "-c", "import spam").returncode == 0


def test_a_folder_that_holds_something_else_is_never_emptied(bench: Bench) -> None:
    os.makedirs(bench.env)
    with open(f"{bench.env}/thesis.tex", "w") as file:
        file.write("x")
    for clear in (False, True):
        with pytest.raises(InstallError) as caught:
            create(bench.env, bench.python, clear=clear)
        assert caught.value.code == "folder-not-empty"
    assert os.listdir(bench.env) == ["thesis.tex"]


def test_created_like_venv(bench: Bench) -> None:
    create(bench.env, bench.python, prompt="mine")
    control = f"{bench.folder}/control"
    subprocess.run([sys.executable, "-I", "-m", "venv", "--without-pip", control], check=True)
    ours, theirs = set(snapshot(bench.env)), set(snapshot(control))
    assert ours ^ theirs == set()
    told = run_python(bench.env, "-c", "import sys; print(sys.prefix, sys.base_prefix)").stdout.split()
    assert told == [bench.env, bench.python.base_prefix]


@pytest.mark.parametrize("shell", ["sh", "bash", "zsh", "fish"])
@pytest.mark.parametrize("name", ["plain", "with 'quotes' and $dollars"])
def test_activation(bench: Bench, shell: str, name: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"no {shell} here")
    env = os.path.join(bench.folder, name)
    create(env, bench.python)
    script = "activate.fish" if shell == "fish" else "activate"
    source = "source" if shell == "fish" else "."
    quoted = env.replace("\\", "\\\\").replace("'", "\\'") if shell == "fish" else env.replace("'", "'\"'\"'")
    text = (
        f"{source} '{quoted}/bin/{script}'; python -c 'import sys; print(sys.prefix)'; deactivate; echo $PATH"
    )
    done = subprocess.run(
        [shell, "-c", text], capture_output=True, text=True, env={"PATH": os.environ["PATH"]}, check=False
    )
    assert done.stderr == ""
    prefix, path = done.stdout.strip().splitlines()
    assert prefix == env
    assert path.replace(" ", ":") == os.environ["PATH"].replace(" ", ":")


def test_users_files_stay_when_a_project_goes(made: Bench) -> None:
    made.install(made.wanted(files=FILES))
    for path in ("spam/notes.txt", "my_module.py"):
        with open(f"{made.site}/{path}", "w") as file:
            file.write("mine")
    made.install()
    assert {path.rpartition("site-packages/")[2] for path in snapshot(made.site)} == {
        "spam/notes.txt",
        "my_module.py",
    }


def test_compiled_files_go_with_their_sources(made: Bench) -> None:
    spam = made.wanted(files={"spam.py": b"", "pack/__init__.py": b"", "pack/m.py": b""})
    made.install(spam, made.wanted("eggs", files={"eggs.py": b""}))
    run_python(made.env, "-c", "import spam, eggs, pack.m")
    made.install(made.wanted("eggs", files={"eggs.py": b""}))
    assert not os.path.exists(f"{made.site}/pack")
    assert [name.partition(".")[0] for name in os.listdir(f"{made.site}/__pycache__")] == ["eggs"]


def test_a_namespace_package_is_shared_by_its_portions(made: Bench) -> None:
    one = made.wanted("ns_one", files={"ns/one.py": b"", "ns/deep/one.py": b""})
    two = made.wanted("ns_two", files={"ns/two.py": b"", "ns/deep/two.py": b""})
    made.install(one, two)
    assert run_python(made.env, "-c", "import ns.one, ns.two, ns.deep.one, ns.deep.two").returncode == 0
    made.install(one)
    assert run_python(made.env, "-c", "import ns.one, ns.deep.one").returncode == 0
    assert not os.path.exists(f"{made.site}/ns/two.py")
    made.install()
    assert not os.path.exists(f"{made.site}/ns")


@pytest.mark.parametrize("mode", ["hardlink", "copy", "auto"])
def test_link_modes(made: Bench, mode: str) -> None:
    want = made.wanted()
    made.install(want, link_mode=mode)
    assert want.entry is not None
    ours, theirs = (
        os.stat(f"{made.site}/spam/__init__.py"),
        os.stat(f"{want.entry.path}/site/spam/__init__.py"),
    )
    linked = (ours.st_ino, ours.st_dev) == (theirs.st_ino, theirs.st_dev)
    assert linked == (mode == "hardlink") or mode == "auto"
    if not linked:
        assert ours.st_mode & 0o200  # a file of its own, for its owner to edit


def test_settings_are_files_of_their_own(made: Bench) -> None:
    want = made.wanted(files=FILES)
    made.install(want, link_mode="hardlink")
    with open(f"{made.env}/etc/spam.conf", "w") as file:
        file.write("changed in place")
    assert bench_is_whole(made)


def test_a_missing_environment_and_another_python_are_told(bench: Bench) -> None:
    with pytest.raises(InstallError) as caught:
        plan(bench.env, [])
    assert caught.value.code == "no-environment"
    create(bench.env, bench.python)
    os.rename(f"{bench.env}/lib/python{bench.python.short}", f"{bench.env}/lib/python3.7")
    with pytest.raises(InstallError) as caught:
        create(bench.env, bench.python)
    assert caught.value.code == "environment-other-python"
    remove_tree(f"{bench.env}/lib/python3.7")
    with pytest.raises(InstallError) as caught:
        plan(bench.env, [])
    assert caught.value.code == "environment-broken"


@pytest.mark.skipif(os.geteuid() != 0, reason="becoming somebody else needs root")
def test_whoever_may_only_read_it_can_verify_it(bench: Bench) -> None:
    create(bench.env, bench.python)
    bench.install(bench.wanted(files=FILES))
    open_to_all(bench.env)

    def look(*found: tuple[str, str]) -> None:
        assert [(os.path.basename(one.path), one.kind) for one in verify(bench.env)] == [*found]

    as_nobody(look)
    with open(f"{bench.site}/spam/__init__.py", "a") as file:
        file.write("# edited\n")
    as_nobody(lambda: look(("__init__.py", "changed")))
