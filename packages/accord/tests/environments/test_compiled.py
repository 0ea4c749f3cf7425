"""Compiled files in environments: linked from the store, used by Python, gone with their sources, never in the way."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from accord.environments.check import verify
from accord.environments.compiled import complete
from accord.environments.create import create
from accord.environments.history import undo
from accord.environments.transaction import recover
from accord.io.files import remove_tree
from accord.store import upkeep
from accord.testing.installing import (
    SPAM,
    Bench,
    compiled_in,
    dies_at,
    run_python,
    shares,
    snapshot,
    steps_of,
)

if TYPE_CHECKING:
    from accord.environments.plan import Wanted

TAG = sys.implementation.cache_tag
FILES = {
    "spam/__init__.py": b"def fail():\n    raise ValueError('spam')\n",
    "spam/part.py": b"v = 1\n",
    "single.py": b"v = 1\n",
    "ns/a.py": b"",
}
NEWER = {
    "spam/__init__.py": b"v = 2\n",
    "spam/part.py": b"v = 2\n",
    "single.py": b"v = 2\n",
    "ns/b.py": b"",
}
MADE = {
    f"__pycache__/single.{TAG}.pyc",
    f"ns/__pycache__/a.{TAG}.pyc",
    f"spam/__pycache__/__init__.{TAG}.pyc",
    f"spam/__pycache__/part.{TAG}.pyc",
}
IMPORTS = "import single, spam, spam.part; print(single.v, spam.part.v)"


@pytest.fixture
def made(bench: Bench) -> Bench:
    create(bench.env, bench.python)
    return bench


@pytest.fixture
def want(bench: Bench) -> Wanted:
    return bench.compiled(bench.wanted(files=FILES))


def _compiled(bench: Bench) -> set[str]:
    return {
        os.path.relpath(os.path.join(above, name), bench.site)
        for above, _, names in os.walk(bench.site)
        for name in names
        if name.endswith(".pyc")
    }


def _folders(bench: Bench) -> set[str]:
    return {
        os.path.relpath(above, bench.site)
        for above, _, _ in os.walk(bench.site)
        if above.endswith("__pycache__")
    }


def _compiles(bench: Bench, *flags: str) -> set[str]:
    """The modules that a Python of the environment compiles, because it finds no compiled file that is good."""
    code = (
        "import sys; from importlib.machinery import SourceFileLoader as L; whole = L.source_to_code\n"
        "def seen(self, data, path, **k):\n"
        "    print('COMPILES', path)\n"
        "    return whole(self, data, path, **k)\n"
        f"L.source_to_code = seen\n{IMPORTS}"
    )
    told = run_python(bench.env, *flags, "-c", code)
    assert told.returncode == 0, told.stderr
    lines = [line.split() for line in told.stdout.splitlines()]
    return {os.path.relpath(line[1], bench.site) for line in lines if line[0] == "COMPILES"}


@pytest.mark.parametrize("mode", ["hardlink", "copy", "auto"])
def test_the_first_import_compiles_nothing(made: Bench, want: Wanted, mode: str) -> None:
    made.install(want, link_mode=mode)
    assert _compiled(made) == MADE
    assert _compiles(made) == set()
    assert _compiles(made, "-O") == {"single.py", "spam/__init__.py", "spam/part.py"}, (
        "and the check can fail"
    )


def test_a_traceback_names_the_file_in_the_environment(made: Bench, want: Wanted) -> None:
    made.install(want)
    told = run_python(made.env, "-c", "import spam; spam.fail()").stderr
    assert f'File "{made.site}/spam/__init__.py", line 2, in fail' in told
    assert "raise ValueError('spam')" in told


def test_who_edits_a_source_sees_the_edit(made: Bench) -> None:
    want = made.wanted(files=FILES)
    assert want.entry is not None
    # Python tells sources apart by whole seconds: the edit is not made in the second in which the wheel was unpacked.
    os.utime(f"{want.entry.path}/site/spam/part.py", (1_700_000_000, 1_700_000_000))
    made.install(made.compiled(want))
    path = f"{made.site}/spam/part.py"
    os.unlink(path)
    with open(path, "w") as file:
        file.write("v = 3\n")  # as long as it was
    assert run_python(made.env, "-c", IMPORTS).stdout == "1 3\n"


def test_what_python_compiles_anew_reaches_neither_the_store_nor_others(made: Bench, want: Wanted) -> None:
    made.install(want, link_mode="hardlink")
    assert want.entry is not None and want.compiled is not None
    place = want.compiled.path(want.entry.sha256)
    before = snapshot(place)
    path = f"{made.site}/spam/__pycache__/part.{TAG}.pyc"
    assert os.stat(path).st_nlink == 2
    run_python(made.env, "-m", "compileall", "-q", "-f", made.site)
    assert os.stat(path).st_nlink == 1
    assert snapshot(place) == before
    assert upkeep.verify(made.store) == ()


def test_record_names_them_and_verify_is_content_with_or_without_them(made: Bench, want: Wanted) -> None:
    made.install(want)
    with open(f"{made.site}/spam-1.0.dist-info/RECORD") as file:
        lines = file.read().splitlines()
    assert {line[:-2] for line in lines if line.endswith(".pyc,,")} == MADE
    assert verify(made.env) == ()
    for folder in _folders(made):
        shutil.rmtree(f"{made.site}/{folder}")
    assert verify(made.env) == ()


@pytest.mark.parametrize("ran", [False, True], ids=["fresh", "after -O and a new module"])
@pytest.mark.parametrize("tool", ["accord", "pip", "uv"])
def test_uninstalling_leaves_nothing(made: Bench, want: Wanted, tool: str, ran: bool) -> None:
    other = made.compiled(made.wanted("eggs", files={"eggs.py": b"", "ns/eggs.py": b""}))
    made.install(other)
    alone = snapshot(made.site), _compiled(made)
    made.install(want, other)
    if ran:
        for flag in ("-O", "-OO"):
            run_python(made.env, flag, "-c", IMPORTS)
    if tool == "accord":
        made.install(other)
    elif tool == "pip":
        python = [sys.executable, "-I", "-m", "pip", "--python", f"{made.env}/bin/python"]
        subprocess.run([*python, "uninstall", "-y", "spam"], check=True, capture_output=True)
        assert subprocess.run([*python, "check"], check=False).returncode == 0
    else:
        uv = shutil.which("uv", path=os.path.dirname(sys.executable))
        if uv is None:
            pytest.skip("no uv here")
        subprocess.run(
            [uv, "pip", "uninstall", "--offline", "-p", made.env, "spam"], check=True, capture_output=True
        )
    left = _compiled(made) - alone[1]
    if tool == "accord" or not ran:
        assert left == set()
        assert snapshot(made.site) == alone[0]
        assert not os.path.exists(f"{made.site}/spam")
    else:
        # Of what Python compiled beside them pip and uv leave what they leave in any environment.
        assert {path for path in left if ".opt-" not in path} == set()
    assert run_python(made.env, "-c", "import eggs, ns.eggs").returncode == 0


def test_an_upgrade_and_its_undo(made: Bench, want: Wanted) -> None:
    newer = made.compiled(made.wanted("spam", "2.0", NEWER))
    made.install(want)
    made.install(newer)
    assert run_python(made.env, "-c", IMPORTS).stdout == "2 2\n"
    assert _compiles(made) == set()
    undo(made.env)
    assert run_python(made.env, "-c", IMPORTS).stdout == "1 1\n"
    assert _compiles(made) == set()
    undo(made.env, redo=True)
    assert run_python(made.env, "-c", IMPORTS).stdout == "2 2\n"


@pytest.mark.parametrize("when", ["before", "after"])
def test_an_undo_after_somebody_removed_every_compiled_file(made: Bench, want: Wanted, when: str) -> None:
    newer = made.compiled(made.wanted("spam", "2.0", NEWER))
    made.install(want)
    if when == "after":
        made.install(newer)
    for folder in sorted(_folders(made), reverse=True):
        shutil.rmtree(f"{made.site}/{folder}")
    if when == "before":
        made.install(newer)
    undo(made.env)
    assert run_python(made.env, "-c", IMPORTS).stdout == "1 1\n"
    undo(made.env, redo=True)
    assert run_python(made.env, "-c", IMPORTS).stdout == "2 2\n"


def test_an_undo_takes_what_python_compiled_since(made: Bench) -> None:
    # The same size and second: what the newer one compiled must not be run for the older.
    old = made.compiled(made.wanted("spam", "1.0", {"single.py": b"v = 1\n", "ns/a.b.py": b"v = 1\n"}))
    new = made.wanted("spam", "2.0", {"single.py": b"v = 2\n", "ns/a.b.py": b"v = 2\n"})
    made.install(old, made.wanted("eggs", files={"ns/eggs.py": b""}))
    made.install(new, made.wanted("eggs", files={"ns/eggs.py": b""}))
    assert run_python(made.env, "-c", "import single; print(single.v)").stdout == "2\n"
    run_python(made.env, "-m", "compileall", "-q", made.site)
    undo(made.env)
    assert run_python(made.env, "-c", "import single; print(single.v)").stdout == "1\n"


def test_a_compiled_file_that_was_left_behind_is_in_nobodys_way(made: Bench, want: Wanted) -> None:
    for path in MADE:
        os.makedirs(os.path.dirname(f"{made.site}/{path}"), exist_ok=True)
        with open(f"{made.site}/{path}", "w") as file:
            file.write("left")
    made.install(want)
    assert _compiles(made) == set()
    undo(made.env)
    assert _compiled(made) == MADE
    made.install(want)
    assert run_python(made.env, "-c", IMPORTS).stdout == "1 1\n"


def test_of_a_file_two_wheels_share_one_is_placed(made: Bench) -> None:
    one = made.compiled(made.wanted("one", files={"ns/__init__.py": b"", "ns/one.py": b""}))
    two = made.compiled(made.wanted("two", files={"ns/__init__.py": b"", "ns/two.py": b""}))
    made.install(one, two)
    names = ("__init__", "one", "two")
    assert _compiled(made) == {f"ns/__pycache__/{name}.{TAG}.pyc" for name in names}
    made.install(one)
    assert run_python(made.env, "-c", "import ns.one").returncode == 0
    made.install()
    assert not os.path.exists(f"{made.site}/ns")


def test_where_the_last_wheel_wins_its_compiled_file_wins(made: Bench) -> None:
    one = made.compiled(made.wanted("one", files={"both.py": b"v = 1\n"}))
    two = made.compiled(made.wanted("two", files={"both.py": b"v = 2\n"}))
    for want in (one, two):
        assert want.entry is not None
        os.utime(f"{want.entry.path}/site/both.py", (1_700_000_000, 1_700_000_000))
        remove_tree(f"{made.cache}/compiled-v1")
    for want in (one, two):
        made.compiled(want)
    made.install(one, two, conflicts="last")
    assert run_python(made.env, "-c", "import both; print(both.v)").stdout == "2\n"


def test_what_was_pruned_in_between_is_no_failure(made: Bench, want: Wanted) -> None:
    assert want.entry is not None and want.compiled is not None
    remove_tree(f"{want.compiled.path(want.entry.sha256)}/site/spam")
    made.install(want)
    assert run_python(made.env, "-c", IMPORTS).stdout == "1 1\n"
    assert verify(made.env) == ()


@pytest.mark.parametrize("mode", ["hardlink", "copy"])
def test_an_environment_installed_without_them_is_completed(made: Bench, mode: str) -> None:
    want = made.wanted(files=FILES)
    made.install(want, key="key", link_mode=mode)
    stamp = snapshot(made.env)
    os.unlink(f"{made.site}/spam/part.py")
    with open(f"{made.site}/spam/part.py", "w") as file:
        file.write("v = 3\n")
    assert complete(made.env, [made.compiled(want)], link_mode=mode) == 3
    assert _compiled(made) == MADE - {f"spam/__pycache__/part.{TAG}.pyc"}, (
        "none beside a source somebody edited"
    )
    assert run_python(made.env, "-c", IMPORTS).stdout == "1 3\n"
    assert complete(made.env, [want], link_mode=mode) == 0
    assert snapshot(made.env).keys() == stamp.keys()
    made.install()
    assert not os.path.exists(f"{made.site}/spam")
    assert _compiled(made) == set()


def test_killed_at_any_step_of_an_upgrade_the_imports_are_of_one_version(made: Bench, want: Wanted) -> None:
    newer = made.compiled(made.wanted("spam", "2.0", NEWER))

    def reset() -> None:
        remove_tree(made.env)
        create(made.env, made.python)
        made.install(want)

    reset()
    said = steps_of(lambda: made.install(newer))
    outcomes = set()
    for number in range(len(said)):
        reset()
        assert dies_at(number, lambda: made.install(newer))
        recover(made.env)
        outcomes.add(run_python(made.env, "-c", IMPORTS).stdout)
        assert _compiles(made) == set()
    assert outcomes == {"1 1\n", "2 2\n"}


# ---------------------------------------------------------------- sealed

needs_sharing = pytest.mark.skipif(not shares(), reason="root without the immutable flag shares nothing")


@needs_sharing
def test_names_too_long_for_one_folder_and_odd_ones_are_compiled_and_told_apart(bench: Bench) -> None:
    long = "/".join(f"{'very_' * 8}{number}" for number in range(6))
    files = {
        "a%2Fb/__init__.py": b"x = 1\n",
        "a/b/__init__.py": b"x = 2\n",
        "ä/__init__.py": b"x = 3\n",
        f"{long}/deep.py": b"x = 4\n",
    }
    bench.seal(bench.env, bench.wanted(files=files))
    modules = ["a%2Fb", "a.b", "ä", long.replace("/", ".") + ".deep"]
    code = f"import importlib; print([importlib.import_module(name).x for name in {modules!r}])"
    for _ in range(2):
        ran = run_python(bench.env, "-v", "-X", "utf8", "-c", code)
        assert ran.stdout == "[1, 2, 3, 4]\n"
    assert ran.stderr.count(f"matches {bench.site}/") >= 4, "the second time all of them were there"


@needs_sharing
def test_what_was_compiled_with_the_closure_is_run_by_all_who_share_it(bench: Bench) -> None:
    want = bench.compiled(bench.wanted(files=SPAM))
    bench.seal(bench.env, want)
    told = run_python(bench.env, "-c", "import spam, ns.spam, sys; print(sys.flags.optimize)")
    assert told.stdout == "0\n"
    assert not os.path.exists(f"{bench.env}/.accord/compiled")
    # Another level of optimisation is not there and goes to the environment's own folder.
    run_python(bench.env, "-O", "-c", "import spam")
    assert compiled_in(bench.env, "spam/__pycache__/")


@needs_sharing
def test_of_some_wheels_compiled_and_others_not_each_is_run_from_where_it_is(bench: Bench) -> None:
    done = bench.compiled(bench.wanted(files=SPAM))
    bench.seal(bench.env, done, bench.wanted("eggs", files={"eggs.py": b"", "more.py": b""}))
    for _ in range(2):
        told = run_python(bench.env, "-v", "-c", "import spam, eggs").stderr
        tag = bench.python.cache_tag
        assert f"matches {bench.site}/spam/__init__.py" in told
    assert compiled_in(bench.env, "") == [f"__pycache__/eggs.{tag}.pyc"]
    assert f"matches {bench.site}/eggs.py" in told
