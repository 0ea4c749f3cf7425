"""An environment whose Python keeps platlib apart from purelib: each wheel lies where its Root-Is-Purelib says, and its ``.data`` files where they say
(binary distribution format, "Installing a wheel")."""

from __future__ import annotations

import csv
import os
import sys
from typing import TYPE_CHECKING

import pytest

from accord.environments.check import verify
from accord.environments.create import create
from accord.environments.history import undo
from accord.environments.installed import installed
from accord.environments.layout import layout_of
from accord.environments.plan import plan
from accord.environments.state import unchanged
from accord.testing.installing import Bench, snapshot
from accord_core.errors import InstallError

if TYPE_CHECKING:
    from collections.abc import Sequence

PLAT = f"lib64/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages"
PURE = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
COMPILED = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: false\nTag: py3-none-any\n"
# As a distribution that patches sysconfig has it.
OTHER_PYTHON = f"""#!{os.path.realpath(sys.executable)}
import runpy, sys, sysconfig
for scheme in ("posix_prefix", "venv"):
    sysconfig._INSTALL_SCHEMES.get(scheme, {{}})["platlib"] = "{{platbase}}/{PLAT}"
runpy.run_path(sys.argv[-1], run_name="__main__")
"""


@pytest.fixture
def apart(bench: Bench) -> Bench:
    create(bench.env, bench.python)
    os.unlink(f"{bench.env}/lib64")
    os.unlink(f"{bench.env}/bin/python")
    with open(f"{bench.env}/bin/python", "w") as file:
        file.write(OTHER_PYTHON)
    os.chmod(f"{bench.env}/bin/python", 0o755)
    return bench


def names(folder: str) -> Sequence[str]:
    return sorted(name for name in os.listdir(folder) if name != "__pycache__")


def listed(folder: str, info: str) -> set[str]:
    """The files RECORD lists, absolute."""
    with open(f"{folder}/{info}/RECORD", newline="") as file:
        return {os.path.normpath(f"{folder}/{row[0]}") for row in csv.reader(file)}


def test_each_wheel_lies_where_it_says(apart: Bench) -> None:
    apart.install(apart.wanted("pure"), apart.wanted("fast", wheel=COMPILED))

    assert names(apart.site) == ["pure", "pure-1.0.dist-info"]
    assert names(f"{apart.env}/{PLAT}") == ["fast", "fast-1.0.dist-info"]
    assert [(one.name, one.library) for one in installed(apart.env)] == [
        ("fast", PLAT),
        ("pure", apart.python.paths["purelib"]),
    ]
    assert verify(apart.env) == ()


@pytest.mark.parametrize("wheel", [PURE, COMPILED])
def test_what_is_in_data_goes_to_the_library_it_names_and_record_says_so(apart: Bench, wheel: str) -> None:
    files = {
        "spam.py": b"",
        "DATA/purelib/slow/a.py": b"a = 1\n",
        "DATA/platlib/quick/b.py": b"b = 2\n",
        "DATA/scripts/run": b"#!python\n",
    }
    apart.install(apart.wanted(files=files, wheel=wheel))

    own, other = (apart.site, f"{apart.env}/{PLAT}")[:: 1 if wheel == PURE else -1]
    everything = {f"{apart.env}/{path}" for path in snapshot(apart.env) if "site-packages" in path}
    assert os.path.exists(f"{own}/spam.py") and os.path.exists(f"{own}/spam-1.0.dist-info/RECORD")
    assert names(other) == ["quick" if wheel == PURE else "slow"]
    assert "quick" not in names(apart.site) and "slow" not in names(f"{apart.env}/{PLAT}")
    assert listed(own, "spam-1.0.dist-info") == everything | {f"{apart.env}/bin/run"}
    assert verify(apart.env) == ()


def test_it_goes_as_it_came_and_comes_back_by_undo(apart: Bench) -> None:
    before = snapshot(apart.env)
    apart.install(
        apart.wanted(
            "fast",
            wheel=COMPILED,
            files={"fast.py": b"", "DATA/purelib/slow.py": b"", "DATA/platlib/q/c.py": b""},
        )
    )
    there = snapshot(apart.env)
    apart.install()

    gone = snapshot(apart.env)
    assert {path: what for path, what in gone.items() if what != "/"} == {
        path: what for path, what in before.items() if what != "/"
    }
    undo(apart.env)
    assert snapshot(apart.env) == there
    assert verify(apart.env) == ()


def test_a_change_in_either_library_is_seen(apart: Bench) -> None:
    apart.install(apart.wanted("pure"), apart.wanted("fast", wheel=COMPILED), key="k")
    assert unchanged(apart.env, "k")
    os.mkdir(f"{apart.env}/{PLAT}/more")

    assert not unchanged(apart.env, "k")


def test_what_is_damaged_in_either_is_put_back(apart: Bench) -> None:
    apart.install(
        apart.wanted("fast", wheel=COMPILED, files={"fast.py": b"good\n", "DATA/purelib/slow.py": b"slow\n"})
    )
    for path in (f"{apart.env}/{PLAT}/fast.py", f"{apart.site}/slow.py"):
        os.unlink(path)

    assert all(problem.repaired for problem in verify(apart.env, repair=True, store=apart.store))
    assert verify(apart.env) == ()


def test_files_of_one_name_in_the_two_libraries_are_two_files(apart: Bench) -> None:
    files = {"same.py": b"one\n"}
    apart.install(apart.wanted("pure", files=files), apart.wanted("fast", wheel=COMPILED, files=files))
    assert verify(apart.env) == ()

    with pytest.raises(InstallError, match=r"both provide same\.py") as raised:
        apart.install(
            apart.wanted("new", wheel=COMPILED, files=files),
            apart.wanted("other", wheel=COMPILED, files={"same.py": b"two\n"}),
        )
    assert raised.value.code == "file-conflict"


def test_what_keeps_them_apart_is_not_sealed(apart: Bench) -> None:
    apart.install(apart.wanted("fast", wheel=COMPILED))
    before = snapshot(apart.env)

    with pytest.raises(InstallError) as raised:
        apart.seal(apart.env, apart.wanted("spam"))

    assert raised.value.code == "environment-apart"
    assert {path: what for path, what in snapshot(apart.env).items() if "site-packages" in path} == {
        path: what for path, what in before.items() if "site-packages" in path
    }


def test_a_folder_in_the_place_of_the_link_is_not_enough(bench: Bench) -> None:
    """The environment was copied, and its link followed."""
    create(bench.env, bench.python)
    os.unlink(f"{bench.env}/lib64")
    os.makedirs(f"{bench.env}/{PLAT}")

    assert layout_of(bench.env).libraries == (bench.python.paths["purelib"],)
    bench.install(bench.wanted("fast", wheel=COMPILED))
    assert names(bench.site) == ["fast", "fast-1.0.dist-info"]
    assert plan(bench.env, [bench.wanted("fast", wheel=COMPILED)]).empty
