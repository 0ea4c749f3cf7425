"""``python -m venv`` run on top of an environment: of either kind, by its own Python and by every other one."""

from __future__ import annotations

import ensurepip
import glob
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from accord.environments.check import verify
from accord.environments.create import create
from accord.environments.history import undo
from accord.environments.installed import installed
from accord.environments.interpreters import find_all
from accord.environments.layout import layout_of
from accord.environments.plan import Wanted, plan
from accord.environments.seal import seal
from accord.environments.state import unchanged
from accord.environments.upkeep import collect
from accord.testing.installing import Bench, run_python, shares, snapshot
from accord_core.errors import InstallError

FILES = {"spam/__init__.py": b"def main():\n    print('spam')\n", "ns/spam.py": b""}
POINTS = "[console_scripts]\nspam = spam:main\n"

needs_sharing = pytest.mark.skipif(not shares(), reason="root without the immutable flag shares nothing")


@needs_sharing
def test_the_venv_of_every_python_takes_it_for_one_of_its_own(bench: Bench) -> None:
    want = bench.wanted(files=FILES, entry_points=POINTS)
    for python in find_all(cache_dir=bench.cache):
        env = f"{bench.folder}/{python.implementation}-{python.version}"
        seal(env, python, "key", lambda: [want], cache_dir=bench.cache)
        for flags in ((), ("--upgrade",)):
            command = [python.base_executable, "-I", "-m", "venv", "--without-pip", *flags, env]
            ran = subprocess.run(command, capture_output=True, text=True, check=False)
            assert (ran.returncode, ran.stderr) == (0, ""), (python, ran.stdout)
        assert run_python(env, "-c", "import spam, ns.spam, sys; print(sys.prefix)").stdout == f"{env}\n"
        again = seal(env, python, "key", list, cache_dir=bench.cache)
        assert (again.known, again.changed, unchanged(env, "key")) == (True, True, True)
        command[4:] = ["--clear", "--without-pip", env]
        subprocess.run(command, check=True)
        assert installed(env) == ()


@pytest.mark.slow
@needs_sharing
def test_ensurepip_is_content_with_a_pip_that_is_there(bench: Bench) -> None:
    """``python -m venv`` on top, pip and all, changes nothing where the lock brings what it asks for."""
    bundled = glob.glob(f"{os.path.dirname(ensurepip.__file__)}/_bundled/*.whl")
    if not bundled:
        pytest.skip("this Python brings no wheel of pip")
    wanted = []
    for path in bundled:
        entry = bench.store.add(path)
        wanted.append(Wanted(entry.name, entry.version, entry=entry))
    bench.seal(bench.env, *wanted)
    before = snapshot(f"{bench.site}/")
    ran = subprocess.run(
        [sys.executable, "-I", "-m", "venv", bench.env], capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
    assert snapshot(f"{bench.site}/") == before
    assert subprocess.run([f"{bench.env}/bin/pip", "--version"], check=True, capture_output=True).stdout


@pytest.mark.slow
@needs_sharing
def test_ensurepip_cannot_replace_an_older_pip(bench: Bench) -> None:
    one, two = bench.env, f"{bench.folder}/other"
    old = bench.wanted("pip", "0.1", {"pip/__init__.py": b"old = True\n"})
    for env in (one, two):
        bench.seal(env, old, key="with pip")
    before = snapshot(f"{two}/{bench.python.paths['purelib']}/"), snapshot(one), snapshot(two)
    assert run_python(one, "-m", "ensurepip", "--upgrade", "--default-pip").returncode != 0
    assert (snapshot(f"{two}/{bench.python.paths['purelib']}/"), snapshot(one), snapshot(two)) == before
    assert run_python(one, "-c", "import pip; print(pip.old)").stdout == "True\n"


def _as_an_earlier_accord(bench: Bench) -> None:
    """Have site-packages itself be the link, as it was before ``python -m venv`` could be run on top."""
    library, site = os.path.dirname(bench.site), os.path.realpath(bench.site)
    os.unlink(library)
    os.mkdir(library)
    os.symlink(site, bench.site)


@needs_sharing
def test_what_an_earlier_accord_sealed_works_and_is_made_anew(bench: Bench) -> None:
    want = bench.wanted(files=FILES, entry_points=POINTS)
    closure = bench.seal(bench.env, want).closure
    _as_an_earlier_accord(bench)
    assert run_python(bench.env, "-c", "import spam").returncode == 0
    assert verify(bench.env) == ()
    assert collect(bench.cache, older_than=-1.0) == 0
    with pytest.raises(InstallError) as caught:
        plan(bench.env, [want], exact=False)
    assert caught.value.code == "environment-sealed"
    assert not unchanged(bench.env, "key")
    assert bench.seal(bench.env, want).changed
    assert os.path.realpath(os.path.dirname(bench.site)).startswith(closure)
    assert unchanged(bench.env, "key")
    # Undone, it is as it was, works, and is made anew the next time.
    undo(bench.env)
    assert os.path.islink(bench.site)
    assert run_python(bench.env, "-c", "import spam").returncode == 0
    assert not unchanged(bench.env, "key")
    bench.install(want, key="private")
    assert not os.path.islink(bench.site)
    assert not os.path.islink(os.path.dirname(bench.site))
    assert verify(bench.env) == ()


@pytest.mark.parametrize("sealed", [False, True])
def test_what_another_python_made_on_top_is_the_environments_own_again(bench: Bench, sealed: bool) -> None:
    """``python -m venv`` leaves ``bin/python``, and writes to pyvenv.cfg where its own standard library is."""
    want = bench.wanted()

    def bring(key: str) -> None:
        if sealed:
            seal(bench.env, bench.python, key, lambda: [want], cache_dir=bench.cache)
        else:
            if not os.path.exists(bench.env):
                create(bench.env, bench.python)
            bench.install(want, key=key)

    bring("first")
    first = snapshot(bench.site)
    code = "import struct, ssl, spam, sys; print(sys.prefix, sys.base_prefix, sys.version.split()[0])"
    said = run_python(bench.env, "-c", code).stdout
    assert said.split()[0] == bench.env
    others = [one for one in find_all(cache_dir=bench.cache) if one.real != bench.python.real]
    for other in others:
        command = [other.base_executable, "-I", "-m", "venv", "--without-pip", "--prompt", "mine", bench.env]
        subprocess.run(command, check=True, capture_output=True)
        if sealed:
            assert not unchanged(bench.env, "first")
        bring("first")
        assert run_python(bench.env, "-c", code).stdout == said
        assert unchanged(bench.env, "first")
        assert layout_of(bench.env).site == bench.python.paths["purelib"]
        assert snapshot(bench.site) == first
        with open(f"{bench.env}/pyvenv.cfg") as file:
            lines = file.read().splitlines()
        assert f"home = {os.path.dirname(bench.python.base_executable)}" in lines
        assert f"version = {bench.python.short}" in lines
        assert "include-system-site-packages = false" in lines
        assert "prompt = 'mine'" in lines
        assert len({line.partition(" = ")[0] for line in lines}) == len(lines)


def test_a_cut_off_pyvenv_cfg_is_written_anew(bench: Bench) -> None:
    create(bench.env, bench.python)
    bench.install(bench.wanted(), key="key")
    with open(f"{bench.env}/pyvenv.cfg", "w"):
        pass
    bench.install(bench.wanted(), key="key")
    code = "import site, spam, sys; print(sys.prefix, len(site.getsitepackages()))"
    assert run_python(bench.env, "-c", code).stdout == f"{bench.env} 1\n"


def test_a_pyvenv_cfg_that_names_its_python_otherwise_stays(bench: Bench) -> None:
    """By another link to the same folder, as ``uv`` and distributions write it; or beside a copy of Python."""
    create(bench.env, bench.python)
    alias = f"{bench.folder}/alias"
    os.symlink(os.path.dirname(bench.python.base_executable), alias)
    with open(f"{bench.env}/pyvenv.cfg", "w") as file:
        file.write(f"home = {alias}\ninclude-system-site-packages = true\n")
    bench.install(bench.wanted())
    assert Path(f"{bench.env}/pyvenv.cfg").read_text().startswith(f"home = {alias}\n")
    os.unlink(f"{bench.env}/bin/python")
    shutil.copy(bench.python.base_executable, f"{bench.env}/bin/python")
    with open(f"{bench.env}/pyvenv.cfg", "w") as file:
        file.write("home = /elsewhere/bin\n")
    bench.install(bench.wanted("eggs"))
    assert Path(f"{bench.env}/pyvenv.cfg").read_text() == "home = /elsewhere/bin\n"
