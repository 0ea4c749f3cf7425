"""From one closure to another, from private to sealed and back: what goes, what stays, and the way back."""

from __future__ import annotations

import os

import pytest

from accord.environments import closures
from accord.environments.check import verify
from accord.environments.create import create
from accord.environments.history import history, undo
from accord.environments.plan import plan
from accord.environments.state import unchanged
from accord.environments.upkeep import collect
from accord.store import upkeep
from accord.testing.installing import SPAM, SPAM_POINTS, Bench, run_python, shares, snapshot
from accord_core.errors import InstallError

needs_sharing = pytest.mark.skipif(not shares(), reason="root without the immutable flag shares nothing")


def test_switching_keeps_the_users_files_and_undo_brings_back(bench: Bench) -> None:
    old = bench.wanted(files=SPAM, entry_points=SPAM_POINTS)
    new = bench.wanted("spam", "2.0", {"spam/__init__.py": b"v = 2\n", "DATA/data/share/spam/b.txt": b"b"})
    bench.seal(bench.env, old, key="old")
    with open(f"{bench.env}/share/spam/mine.txt", "w") as file:
        file.write("mine")
    first = snapshot(bench.env)
    bench.seal(bench.env, new, key="new", command="deploy 2")
    assert run_python(bench.env, "-c", "import spam; print(spam.v)").stdout == "2\n"
    assert sorted(os.listdir(f"{bench.env}/share/spam")) == ["b.txt", "mine.txt"]
    assert not os.path.exists(f"{bench.env}/bin/spam")
    assert history(bench.env)[-1].added == (("spam", "2.0"),)
    undo(bench.env)
    assert snapshot(bench.env) == first
    assert unchanged(bench.env, "old")


def test_private_becomes_sealed_and_private_again(bench: Bench) -> None:
    want = bench.wanted(files=SPAM, entry_points=SPAM_POINTS)
    create(bench.env, bench.python)
    bench.install(want)
    private = snapshot(bench.env)
    bench.seal(bench.env, want)
    assert run_python(bench.env, "-c", "import spam").returncode == 0
    found = plan(bench.env, [want])
    if found.sealed:
        with pytest.raises(InstallError) as caught:
            plan(bench.env, [want], exact=False)
        assert caught.value.code == "environment-sealed"
    bench.install(want, key="again")
    assert not os.path.islink(bench.site)
    assert snapshot(bench.env) == private
    assert unchanged(bench.env, "again")
    assert upkeep.verify(bench.store) == ()


@needs_sharing
def test_a_closure_that_only_history_links_to_is_kept(bench: Bench) -> None:
    bench.seal(bench.env, bench.wanted(), key="old")
    bench.seal(bench.env, bench.wanted("spam", "2.0", {"spam/__init__.py": b"value = 2\n"}), key="new")
    assert collect(bench.cache, older_than=-1.0) == 0
    undo(bench.env)
    assert run_python(bench.env, "-c", "import spam; print(spam.value)").stdout == "1\n"


@needs_sharing
def test_it_is_made_whole_when_its_closure_is_gone(bench: Bench) -> None:
    want = bench.wanted(files=SPAM, entry_points=SPAM_POINTS)
    closures.discard(bench.seal(bench.env, want).closure)
    assert run_python(bench.env, "-c", "import spam").returncode == 1
    assert not unchanged(bench.env, "key")
    create(bench.env, bench.python)
    bench.seal(bench.env, want)
    assert run_python(bench.env, "-c", "import spam").returncode == 0
    assert verify(bench.env) == ()


@needs_sharing
def test_data_that_a_wheel_puts_beside_its_modules_is_shared_too(bench: Bench) -> None:
    library = os.path.dirname(bench.python.paths["purelib"])
    files = {
        "spam.py": b"",
        f"DATA/data/{bench.python.paths['purelib']}/eggs.py": b"value = 3\n",
        f"DATA/data/{library}/beside.txt": b"beside",
        "DATA/data/lib/other.txt": b"other",
    }
    want = bench.wanted(files=files)
    create(bench.env, bench.python)
    bench.install(want)
    private = snapshot(bench.env)
    bench.seal(bench.env, want)
    assert run_python(bench.env, "-c", "import eggs; print(eggs.value)").stdout == "3\n"
    for path in (f"{library}/beside.txt", "lib/other.txt"):
        assert os.path.isfile(f"{bench.env}/{path}")
    assert verify(bench.env) == ()
    bench.install(want)
    assert snapshot(bench.env) == private


def test_what_somebody_else_keeps_above_site_packages_is_in_the_way(bench: Bench) -> None:
    want = bench.wanted(files=SPAM)
    create(bench.env, bench.python)
    bench.install(want)
    with open(f"{os.path.dirname(bench.site)}/mine.txt", "w") as file:
        file.write("mine")
    before = snapshot(bench.env)
    if closures.shareable(bench.folder):
        with pytest.raises(InstallError) as caught:
            bench.seal(bench.env, want)
        assert caught.value.code == "file-in-the-way"
        assert snapshot(bench.env) == before
        os.unlink(f"{os.path.dirname(bench.site)}/mine.txt")
    bench.seal(bench.env, want)
    assert run_python(bench.env, "-c", "import spam").returncode == 0
