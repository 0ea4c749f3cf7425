"""What is compiled of a wheel: once for an interpreter, from the store alone, whole or not at all."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from accord.io import files
from accord.store import upkeep
from accord.store.compiled import CompiledFiles, load_compiled, record_of, source_of
from accord.store.compiling import CompileLimits, compile_wheels
from accord.testing.installing import Bench, dies_at, steps_of, write_wheel
from accord_core.errors import StoreError

if TYPE_CHECKING:
    from pathlib import Path

    from accord.store.entry import Entry

TAG = sys.implementation.cache_tag
FILES = {
    "spam/__init__.py": b"value = 1\n",
    "spam/sub/odd,name.py": b"",
    "spam/template.py": b"def {{ name }}():\n",
    "spam/nul.py": b"x = '\0'\n",
    "spam/latin.py": b"x = '\xe9'\n",
    "spam/warns.py": b"assert (1, 'always')\nx = '\\d'\n",
    "spam/data.txt": b"",
    "single.py": b"import sys\n",
}
MADE = (
    f"__pycache__/single.{TAG}.pyc",
    f"spam/__pycache__/__init__.{TAG}.pyc",
    f"spam/__pycache__/warns.{TAG}.pyc",
    f"spam/sub/__pycache__/odd,name.{TAG}.pyc",
)


@pytest.fixture
def place(bench: Bench) -> CompiledFiles:
    return CompiledFiles(bench.cache, "this-python")


def _entry(bench: Bench) -> Entry:
    return bench.store.add(write_wheel(bench.wheels, files=FILES))


def _compile(place: CompiledFiles, *entries: Entry) -> int:
    return compile_wheels(place, entries, sys.executable)


def _loads(compiled: str, source: str) -> bool:
    """Whether Python takes the compiled file for one of the source, asked of Python itself."""
    code = (
        "import importlib.util as u, sys; from importlib.machinery import SourceFileLoader as L\n"
        "u.cache_from_source = None; import importlib._bootstrap_external as b\n"
        "b.cache_from_source = lambda path, **_: sys.argv[1]\n"
        "L.source_to_code = lambda *_, **__: sys.exit(3)\n"
        "L('m', sys.argv[2]).get_code('m')\n"
    )
    return (
        subprocess.run([sys.executable, "-I", "-B", "-c", code, compiled, source], check=False).returncode
        == 0
    )


def test_what_compiles_is_compiled_and_what_does_not_is_no_failure(
    bench: Bench, place: CompiledFiles, capfd: pytest.CaptureFixture[str]
) -> None:
    entry = _entry(bench)
    assert place.find(entry) is None
    assert _compile(place, entry) == 1
    found = place.find(entry)
    assert found is not None
    assert found.files == MADE
    assert found.dirs == ("__pycache__", "spam/__pycache__", "spam/sub/__pycache__")
    assert [source_of(path) for path in MADE] == [
        "single.py",
        "spam/__init__.py",
        "spam/warns.py",
        "spam/sub/odd,name.py",
    ]
    for path in MADE:
        assert _loads(f"{found.site}/{path}", f"{entry.path}/site/{source_of(path)}")
        assert stat.S_IMODE(os.stat(f"{found.site}/{path}").st_mode) == 0o444
    assert not _loads(f"{found.site}/{MADE[0]}", f"{entry.path}/site/spam/__init__.py"), "the check can fail"
    assert not upkeep.faults(entry), "nothing was written beside the sources"
    assert capfd.readouterr() == ("", ""), "no warning of the compiler is shown"


def test_it_is_done_once(bench: Bench, place: CompiledFiles) -> None:
    entry = _entry(bench)
    assert _compile(place, entry) == 1
    assert steps_of(lambda: _compile(place, entry)) == []
    assert compile_wheels(place, [entry], "/nonexistent") == 0
    assert CompiledFiles(bench.cache, "another-python").find(entry) is None


def test_a_wheel_with_nothing_to_compile_is_remembered_too(bench: Bench, place: CompiledFiles) -> None:
    entry = bench.store.add(write_wheel(bench.wheels, files={"spam/data.txt": b""}))
    assert _compile(place, entry) == 1
    assert _compile(place, entry) == 0


def test_record_lines_are_those_pip_writes() -> None:
    assert record_of(("a/__pycache__/b.pyc", "a,b.pyc")) == 'a/__pycache__/b.pyc,,\n"a,b.pyc",,\n'


def test_a_path_of_the_cache_is_in_no_compiled_file(bench: Bench, place: CompiledFiles) -> None:
    entry = _entry(bench)
    _compile(place, entry)
    for path in MADE:
        with open(f"{place.path(entry.sha256)}/site/{path}", "rb") as file:
            assert os.fsencode(bench.folder) not in file.read()


def test_what_a_wheel_brings_compiled_is_the_wheels(bench: Bench, place: CompiledFiles) -> None:
    own = f"spam/__pycache__/__init__.{TAG}.pyc"
    entry = bench.store.add(write_wheel(bench.wheels, files={"spam/__init__.py": b"", own: b"theirs"}))
    _compile(place, entry)
    found = place.find(entry)
    assert found is not None
    assert found.files == ()
    assert upkeep.compiled_faults(found, entry) == ()


def test_many_wheels_take_few_processes(bench: Bench, place: CompiledFiles, tmp_path: Path) -> None:
    counting = tmp_path / "python"
    counting.write_text(f'#!/bin/sh\necho >>"{tmp_path}/starts"\nexec "{sys.executable}" "$@"\n')
    counting.chmod(0o755)
    entries = [
        bench.store.add(
            write_wheel(bench.wheels, f"p{n}", files={f"p{n}/m{m}.py": b"" for m in range(n * 9)})
        )
        for n in range(12)
    ]
    compile_wheels(place, entries, str(counting), limits=CompileLimits(processes=2))
    assert len((tmp_path / "starts").read_text()) <= 2
    assert [len(place.find(entry).files) for entry in entries] == [n * 9 for n in range(12)]  # type: ignore[union-attr]


def test_killed_at_any_step_it_is_there_whole_or_not_at_all(bench: Bench, place: CompiledFiles) -> None:
    entry = _entry(bench)
    said = steps_of(lambda: _compile(place, entry))
    assert said == ["compile-files", "compile-manifest", "compile-appear", "compile-appeared"]
    for number, name in enumerate(said):
        files.remove_tree(place.root)
        assert dies_at(number, lambda: _compile(place, entry))
        found = CompiledFiles(bench.cache, "this-python").find(entry)
        assert (found is not None) == (name == "compile-appeared")
        _compile(place, entry)
        found = place.find(entry)
        assert found is not None
        assert upkeep.compiled_faults(found, entry) == ()
    # Workers of a killed command end with their input; until then they may still write into what is swept.
    until = time.monotonic() + 30
    upkeep.collect_compiled(bench.store)
    while os.listdir(f"{place.above}/aside"):
        assert time.monotonic() < until, "it is not swept"
        time.sleep(0.1)
        upkeep.collect_compiled(bench.store)


def test_a_worker_killed_in_the_middle_of_a_wheel(bench: Bench, place: CompiledFiles, tmp_path: Path) -> None:
    """The wheel stays uncompiled, the others do not."""
    dying = tmp_path / "python"
    dying.write_text(
        f'#!/bin/sh\nexec "{sys.executable}" -c "\n'
        "import builtins, os, runpy, sys\n"
        "sys.argv = sys.argv[sys.argv.index('ignore') + 1:]\n"
        "whole = builtins.compile\n"
        "def compile(text, name, *a, **k):\n"
        "    if name == 'bad/b.py': os.kill(os.getpid(), 9)\n"
        "    return whole(text, name, *a, **k)\n"
        "builtins.compile = compile\n"
        "runpy.run_path(sys.argv[0], run_name='__main__')\n"
        '" "$@"\n'
    )
    dying.chmod(0o755)
    bad = bench.store.add(write_wheel(bench.wheels, "bad", files={"bad/a.py": b"", "bad/b.py": b""}))
    good = [bench.store.add(write_wheel(bench.wheels, f"g{n}", files={f"g{n}.py": b""})) for n in range(3)]
    said: list[str] = []

    class Listening:
        def start(self, task: str, total: int | None, unit: str) -> int:
            said.append(task)
            return 0

        def advance(self, number: int, amount: int) -> None: ...
        def finish(self, number: int) -> None: ...
        def note(self, text: str) -> None: ...
        def warn(self, text: str) -> None:
            said.append(text)

    compile_wheels(place, [bad, *good], str(dying), reporter=Listening())
    assert said[0] == "compiling 4 wheels"
    assert said[1].startswith("bad 1.0 is left uncompiled")
    assert place.find(bad) is None
    assert all(place.find(entry) for entry in good)
    assert os.listdir(f"{place.above}/aside") == []


def test_a_worker_that_takes_too_long_is_given_up(bench: Bench, place: CompiledFiles, tmp_path: Path) -> None:
    sleeping = tmp_path / "python"
    sleeping.write_text("#!/bin/sh\necho '[]'\nexec sleep 60\n")
    sleeping.chmod(0o755)
    entry = _entry(bench)
    began = time.monotonic()
    compile_wheels(place, [entry], str(sleeping), limits=CompileLimits(seconds=0.2))
    assert time.monotonic() - began < 10
    assert place.find(entry) is None


def test_a_worker_that_dies_again_and_again_is_a_coded_error(
    bench: Bench, place: CompiledFiles, tmp_path: Path
) -> None:
    dying = tmp_path / "python"
    dying.write_text("#!/bin/sh\necho '[]'\nread job\n")
    dying.chmod(0o755)
    entries = [bench.store.add(write_wheel(bench.wheels, f"p{n}", files={"m.py": b""})) for n in range(4)]
    one = CompileLimits(processes=1, deaths=2)
    assert compile_wheels(place, entries[:2], str(dying), limits=one) == 2
    with pytest.raises(StoreError) as caught:
        compile_wheels(place, entries, str(dying), limits=one)
    assert caught.value.code == "compile-failed"
    assert os.listdir(f"{place.above}/aside") == []


@pytest.mark.parametrize(("size", "taken"), [(1000, True), (999, False)])
def test_an_answer_beyond_the_limit_is_no_answer(
    bench: Bench, place: CompiledFiles, tmp_path: Path, size: int, taken: bool
) -> None:
    talking = tmp_path / "python"
    talking.write_text("#!/bin/sh\necho '[]'\nread job\nprintf '[%999s' ''\nsleep 0.2\necho ']'\nread end\n")
    talking.chmod(0o755)
    entry = _entry(bench)
    compile_wheels(place, [entry], str(talking), limits=CompileLimits(processes=1, answer=size))
    assert (place.find(entry) is not None) == taken


def test_a_source_beyond_the_limit_is_left_to_python(bench: Bench, place: CompiledFiles) -> None:
    entry = bench.store.add(write_wheel(bench.wheels, files={"at.py": b"#" * 100, "over.py": b"#" * 101}))
    compile_wheels(place, [entry], sys.executable, limits=CompileLimits(source=100))
    found = place.find(entry)
    assert found is not None
    assert [source_of(path) for path in found.files] == ["at.py"]


@pytest.mark.parametrize("program", ["/nonexistent/python", "/bin/false"])
def test_an_interpreter_that_does_not_run_is_a_coded_error(
    bench: Bench, place: CompiledFiles, program: str
) -> None:
    with pytest.raises(StoreError) as caught:
        compile_wheels(place, [_entry(bench)], program)
    assert caught.value.code == "compile-failed"
    assert os.listdir(f"{place.above}/aside") == []


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small file system needs root")
def test_a_full_disk_is_a_coded_error_and_leaves_nothing(bench: Bench) -> None:
    text = b"".join(b"x%d = '%s'\n" % (n, os.urandom(400).hex().encode()) for n in range(1000))
    entry = bench.store.add(write_wheel(bench.wheels, files={"big.py": text}))
    small = f"{bench.cache}/compiled-v1"
    os.makedirs(small)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", small], check=False).returncode:
        pytest.skip("mounting is not permitted here")
    try:
        with pytest.raises(StoreError) as caught:
            _compile(CompiledFiles(bench.cache, "this-python"), entry)
        assert caught.value.code == "disk-full"
        assert os.listdir(f"{small}/aside") == []
    finally:
        subprocess.run(["umount", small], check=True)


def test_a_wheel_that_was_unpacked_again_is_compiled_again(bench: Bench, place: CompiledFiles) -> None:
    entry = _entry(bench)
    _compile(place, entry)
    os.utime(f"{entry.path}/site", (1_000_000, 1_000_000))
    assert place.find(entry) is None
    assert _compile(place, entry) == 1
    assert place.find(entry) is not None


def test_with_a_wheel_goes_what_was_compiled_of_it(bench: Bench, place: CompiledFiles) -> None:
    entry = _entry(bench)
    _compile(place, entry)
    bench.store.discard(entry.sha256)
    assert load_compiled(place.path(entry.sha256)) is None


def test_what_a_power_cut_left_half_written_is_thrown_away(bench: Bench, place: CompiledFiles) -> None:
    entry = _entry(bench)
    for damage in (False, True):
        _compile(place, entry)
        found = place.find(entry)
        assert found is not None
        found.boot = "another"
        _overwrite(f"{found.path}/manifest", found.dumps())
        if damage:
            _overwrite(f"{found.site}/{MADE[0]}", b"\0" * found.sizes[0])
        settled = CompiledFiles(bench.cache, "this-python").find(entry)
        assert (settled is None) == damage
        assert settled is None or settled.boot == ""


def test_verify_tells_damage_and_repair_throws_away_what_was_compiled(
    bench: Bench, place: CompiledFiles
) -> None:
    entry = _entry(bench)
    _compile(place, entry)
    assert upkeep.verify(bench.store) == ()
    site = f"{place.path(entry.sha256)}/site"
    _overwrite(f"{site}/{MADE[0]}", b"evil")
    os.unlink(f"{site}/{MADE[1]}")
    os.utime(f"{entry.path}/site/spam/warns.py", (1, 1))
    found = {(fault.path.partition(": ")[2], fault.kind) for fault in upkeep.verify(bench.store, repair=True)}
    assert found == {(MADE[0], "changed"), (MADE[1], "missing"), (MADE[2], "stale")}
    assert upkeep.verify(bench.store) == ()
    assert bench.store.find(entry.sha256) is not None, "the wheel is sound and stays"
    assert place.find(entry) is None


def test_collect_removes_what_is_unused_orphaned_or_of_an_interpreter_that_is_gone(bench: Bench) -> None:
    one, two = _entry(bench), bench.store.add(write_wheel(bench.wheels, "eggs"))
    places = {name: CompiledFiles(bench.cache, name) for name in ("here", "gone")}
    for place in places.values():
        _compile(place, one, two)
    os.utime(places["here"].path(two.sha256), (1_000_000, 1_000_000))
    arguments: dict[str, object] = {
        "older_than": 3600.0,
        "gone": lambda name, executable: name == "gone" and executable == sys.executable,
    }
    assert upkeep.collect_compiled(bench.store, dry_run=True, **arguments) == 3  # type: ignore[arg-type]
    assert places["gone"].find(one) is not None
    assert upkeep.collect_compiled(bench.store, **arguments) == 3  # type: ignore[arg-type]
    assert not os.path.exists(places["gone"].root)
    assert places["here"].find(one) is not None
    assert places["here"].find(two) is None
    os.rename(one.path, f"{one.path}-by-hand")
    assert upkeep.collect_compiled(bench.store) == 1
    assert not os.path.exists(places["here"].root)


def test_the_size_of_what_was_compiled_counts(bench: Bench, place: CompiledFiles) -> None:
    entry = _entry(bench)
    before = upkeep.collect(bench.store, dry_run=True).kept_bytes
    _compile(place, entry)
    found = place.find(entry)
    assert found is not None
    done = upkeep.collect(bench.store, max_bytes=before)
    assert (done.removed, done.removed_bytes) == (1, before + sum(found.sizes))


def _overwrite(path: str, data: bytes) -> None:
    os.chmod(path, 0o644)
    with open(path, "wb") as file:
        file.write(data)
