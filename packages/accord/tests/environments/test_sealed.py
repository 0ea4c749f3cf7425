"""Sealed environments: shared, immutable, and nobody's action in one changes what another imports."""

from __future__ import annotations

import marshal
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from accord.environments import closures
from accord.environments.check import verify
from accord.environments.create import create
from accord.environments.installed import installed
from accord.environments.plan import Wanted
from accord.environments.seal import seal
from accord.environments.state import unchanged
from accord.environments.upkeep import collect
from accord.io.files import remove_tree, write_atomic
from accord.store import upkeep
from accord.testing.installing import (
    SPAM,
    SPAM_POINTS,
    Bench,
    as_nobody,
    compiled_in,
    open_to_all,
    run_python,
    shares,
    snapshot,
    write_wheel,
)
from accord_core.errors import InstallError

if TYPE_CHECKING:
    from collections.abc import Callable


needs_sharing = pytest.mark.skipif(not shares(), reason="root without the immutable flag shares nothing")


@pytest.fixture
def pair(bench: Bench) -> tuple[Bench, str, str]:
    """Two environments in front of one closure."""
    want = bench.wanted(files=SPAM, entry_points=SPAM_POINTS)
    one, two = bench.env, f"{bench.folder}/other"
    bench.seal(one, want)
    bench.seal(two, want)
    return bench, one, two


@needs_sharing
def test_a_second_use_is_one_link_and_asks_for_nothing(bench: Bench) -> None:
    first = bench.seal(bench.env, bench.wanted(files=SPAM, entry_points=SPAM_POINTS))
    assert not first.known

    def never() -> list[Wanted]:
        raise AssertionError("a known closure needs no wheels")

    second = seal(f"{bench.folder}/two", bench.python, "key", never, cache_dir=bench.cache)
    assert (second.known, second.closure) == (True, first.closure)
    assert os.path.realpath(f"{bench.folder}/two/{bench.python.paths['purelib']}").startswith(first.closure)
    third = seal(bench.env, bench.python, "key", never, cache_dir=bench.cache)
    assert not third.changed


def test_it_behaves_like_an_environment(pair: tuple[Bench, str, str]) -> None:
    _, *both = pair
    for env in both:
        code = "import spam, ns.spam, importlib.metadata as m, sys; print(m.version('spam'), sys.prefix)"
        assert run_python(env, "-c", code).stdout.split() == ["1.0", env]
        for command, output in (("spam", "spam"), ("run", env)):
            ran = subprocess.run([f"{env}/bin/{command}"], capture_output=True, text=True, check=True)
            assert ran.stdout.strip() == output
        assert [one.name for one in installed(env)] == ["spam"]
        assert verify(env) == ()
        assert unchanged(env, "key")


def test_tree_walkers_see_what_they_see_in_a_private_one(pair: tuple[Bench, str, str]) -> None:
    bench, one, _ = pair
    private = f"{bench.folder}/private"
    create(private, bench.python)
    bench.env = private
    bench.install(bench.wanted(files=SPAM, entry_points=SPAM_POINTS))
    code = "import pathlib, sysconfig; print(sorted(str(p.relative_to(sysconfig.get_path('purelib'))) for p in pathlib.Path(sysconfig.get_path('purelib')).rglob('*') if '__pycache__' not in p.parts))"
    sealed_sees = set(eval(run_python(one, "-B", "-c", code).stdout))
    private_sees = set(eval(run_python(private, "-B", "-c", code).stdout))
    assert sealed_sees - private_sees <= {"_accord.pth"}
    assert private_sees <= sealed_sees


@needs_sharing
def test_python_compiles_into_the_environment_that_runs_it(pair: tuple[Bench, str, str]) -> None:
    bench, one, two = pair
    shared = snapshot_all(bench, one)
    for flags in ((), ("-O",), ("-OO",)):
        assert run_python(one, *flags, "-c", "import spam, ns.spam").returncode == 0
    tag = bench.python.cache_tag
    assert compiled_in(one, "spam/__pycache__/") == sorted(
        f"__init__.{tag}{opt}.pyc" for opt in ("", ".opt-1", ".opt-2")
    )
    assert snapshot_all(bench, one) == shared
    assert not os.path.exists(f"{two}/.accord/compiled")
    # and what was compiled is used: Python tells where it read the module from
    told = run_python(one, "-v", "-c", "import spam").stderr
    assert "matches" in told
    assert unchanged(one, "key")


@needs_sharing
def test_a_source_put_back_by_a_repair_is_compiled_once_more_and_not_at_each_start(bench: Bench) -> None:
    want = bench.compiled(bench.wanted(files={"spam.py": b"v = 1\n"}))
    bench.seal(bench.env, want, link_mode="copy")
    place = os.path.realpath(f"{bench.site}/spam.py")
    with open(place, "r+b") as file:  # in place: no folder changes, and root may
        file.write(b"v = 2\n")
    assert all(one.repaired for one in verify(bench.env, repair=True, store=bench.store))
    os.utime(place, (1_800_000_000, 1_800_000_000))
    assert run_python(bench.env, "-c", "import spam; print(spam.v)").stdout == "1\n"
    told = run_python(bench.env, "-v", "-c", "import spam; print(spam.v)")
    assert told.stdout == "1\n"
    assert f"matches {bench.site}/spam.py" in told.stderr


def snapshot_all(bench: Bench, env: str) -> set[str]:
    """Every name in the closure, compiled files included."""
    root = os.path.realpath(f"{env}/{bench.python.paths['purelib']}")
    return {
        os.path.join(above, name) for above, folders, names in os.walk(root) for name in (*folders, *names)
    }


def _pip(env: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-I", "-m", "pip", "--python", f"{env}/bin/python", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )


def _attacks(bench: Bench, env: str) -> dict[str, Callable[[], object]]:
    site = f"{env}/{bench.python.paths['purelib']}"
    newer = write_wheel(bench.wheels, "spam", "9.0", {"spam/__init__.py": b"hacked = True\n"})
    other = write_wheel(bench.wheels, "extra", "1.0", {"ns/extra.py": b"", "extra.py": b""})
    uv = shutil.which("uv", path=os.path.dirname(sys.executable))
    offline = ("--no-index", "--no-deps")
    attacks: dict[str, Callable[[], object]] = {
        "pip upgrade": lambda: _pip(env, "install", *offline, newer),
        "pip add": lambda: _pip(env, "install", *offline, other),
        "pip uninstall": lambda: _pip(env, "uninstall", "-y", "spam"),
        "pip force": lambda: _pip(env, "install", "--force-reinstall", "--ignore-installed", *offline, newer),
        "python -O": lambda: run_python(env, "-O", "-m", "compileall", "-q", site),
        "venv on top": lambda: subprocess.run(
            [sys.executable, "-I", "-m", "venv", env], check=False, capture_output=True
        ),
        "venv --upgrade": lambda: subprocess.run(
            [sys.executable, "-I", "-m", "venv", "--upgrade", env], check=False, capture_output=True
        ),
        "ensurepip": lambda: run_python(env, "-m", "ensurepip", "--upgrade", "--default-pip"),
        "write": lambda: run_python(env, "-c", f"open({site + '/evil.py'!r}, 'w')"),
        "replace": lambda: run_python(
            env, "-c", f"import os; os.replace({newer!r}, {site + '/spam/__init__.py'!r})"
        ),
        "remove": lambda: run_python(env, "-c", f"import shutil; shutil.rmtree({site + '/spam'!r})"),
        "remove all": lambda: run_python(env, "-c", f"import shutil; shutil.rmtree({site!r})"),
        "remove above": lambda: subprocess.run(
            f"rm -rf {os.path.dirname(site)}/*", shell=True, check=False, capture_output=True
        ),
        "write above": lambda: run_python(env, "-c", f"open({os.path.dirname(site) + '/evil.py'!r}, 'w')"),
        "rm -r site/*": lambda: subprocess.run(
            f"rm -rf {site}/*", shell=True, check=False, capture_output=True
        ),
        "venv --clear": lambda: subprocess.run(
            [sys.executable, "-I", "-m", "venv", "--without-pip", "--clear", env],
            check=False,
            capture_output=True,
        ),
        "rmtree": lambda: shutil.rmtree(env),
    }
    if uv is not None:
        call = [uv, "pip", "install", "--offline", "-p", env, *offline]
        attacks["uv upgrade"] = lambda: subprocess.run([*call, newer], check=False, capture_output=True)
        attacks["uv add"] = lambda: subprocess.run([*call, other], check=False, capture_output=True)
        attacks["uv uninstall"] = lambda: subprocess.run(
            [uv, "pip", "uninstall", "--offline", "-p", env, "spam"], check=False, capture_output=True
        )
        attacks["uv venv --clear"] = lambda: subprocess.run(
            [uv, "venv", "--offline", "--clear", env], check=False, capture_output=True
        )
    return attacks


NAMES = (
    "pip upgrade", "pip add", "pip uninstall", "pip force", "python -O", "venv on top", "venv --upgrade", "ensurepip",
    "write", "replace", "remove", "remove all", "remove above", "write above", "rm -r site/*", "venv --clear", "rmtree",
    "uv upgrade", "uv add", "uv uninstall", "uv venv --clear",
)  # fmt: skip


@needs_sharing
@pytest.mark.parametrize("name", NAMES)
def test_nothing_done_in_one_changes_what_another_imports(pair: tuple[Bench, str, str], name: str) -> None:
    bench, one, two = pair
    attacks = _attacks(bench, one)
    if name not in attacks:
        pytest.skip("no uv here")
    before = snapshot(f"{two}/{bench.python.paths['purelib']}/")
    names = snapshot_all(bench, two)
    outside = snapshot(two)
    attacks[name]()
    assert snapshot(f"{two}/{bench.python.paths['purelib']}/") == before
    assert snapshot_all(bench, two) == names
    assert snapshot(two) == outside
    assert run_python(two, "-c", "import spam; print(hasattr(spam, 'hacked'))").stdout == "False\n"
    assert run_python(two, "-c", "import extra").returncode == 1
    assert upkeep.verify(bench.store) == ()


@pytest.mark.slow
@needs_sharing
def test_the_attacks_are_real(bench: Bench) -> None:
    """The same actions do change an unguarded tree: otherwise the test above proves nothing."""
    create(bench.env, bench.python)
    bench.install(bench.wanted(files=SPAM, entry_points=SPAM_POINTS), link_mode="copy")
    assert _attacks(bench, bench.env)["pip upgrade"]() is not None
    assert run_python(bench.env, "-c", "import spam; print(spam.hacked)").stdout == "True\n"
    _attacks(bench, bench.env)["pip add"]()
    assert run_python(bench.env, "-c", "import extra").returncode == 0
    _attacks(bench, bench.env)["python -O"]()
    assert any(".opt-1." in name for name in os.listdir(f"{bench.site}/spam/__pycache__"))
    _attacks(bench, bench.env)["remove"]()
    assert not os.path.exists(f"{bench.site}/spam")
    _attacks(bench, bench.env)["ensurepip"]()
    assert os.path.exists(f"{bench.site}/pip")
    _attacks(bench, bench.env)["write above"]()
    assert os.path.exists(f"{os.path.dirname(bench.site)}/evil.py")
    _attacks(bench, bench.env)["remove above"]()
    assert os.listdir(os.path.dirname(bench.site)) == []


def test_what_tools_write_beside_site_packages_is_private(pair: tuple[Bench, str, str]) -> None:
    _, one, two = pair
    before = snapshot(two)
    os.makedirs(f"{one}/share/spam/mine")
    for path in ("share/spam/mine/kernel.json", "share/spam/kernel.json", "bin/mine"):
        with open(f"{one}/{path}", "w") as file:
            file.write("mine")
    shutil.rmtree(f"{one}/share/spam")
    assert snapshot(two) == before


@needs_sharing
def test_a_module_is_never_run_from_what_was_compiled_for_another_lock(bench: Bench) -> None:
    # Same size, same second: time and size, which a compiled file names its source by, do not tell the two apart.
    one = bench.wanted("spam", "1.0", {"spam.py": b"v = 1\n"})
    two = bench.wanted("spam", "2.0", {"spam.py": b"v = 2\n"})
    for want in (one, two):
        assert want.entry is not None
        os.utime(f"{want.entry.path}/site/spam.py", (1_700_000_000, 1_700_000_000))
    for want, key, told in ((one, "one", "1\n"), (two, "two", "2\n"), (one, "one", "1\n")):
        bench.seal(bench.env, want, key=key)
        assert run_python(bench.env, "-c", "import spam; print(spam.v)").stdout == told


@needs_sharing
def test_what_is_left_of_a_closure_that_was_deleted_by_hand_is_no_hindrance(bench: Bench) -> None:
    want = bench.wanted(files=SPAM)
    closure = bench.seal(bench.env, want).closure
    os.unlink(f"{closure}/state")  # what `rm -rf` of the cache by root leaves: the tree, without the state
    other = f"{bench.folder}/other"
    bench.seal(other, want)
    assert run_python(other, "-c", "import spam").returncode == 0


def test_a_running_program_keeps_what_it_started_with(bench: Bench) -> None:
    old = bench.wanted(files={"spam/__init__.py": b"v = 1\n", "spam/late.py": b"v = 1\n"})
    new = bench.wanted("spam", "2.0", {"spam/__init__.py": b"v = 2\n", "spam/late.py": b"v = 2\n"})
    bench.seal(bench.env, old, key="old")
    tree = os.path.realpath(f"{bench.env}/{bench.python.paths['purelib']}")
    code = "import sys; sys.path.insert(0, sys.argv[1]); import spam; input(); import spam.late; print(spam.v, spam.late.v)"
    running = subprocess.Popen(
        [f"{bench.env}/bin/python", "-c", code, tree],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    bench.seal(bench.env, new, key="new")
    out, _ = running.communicate("\n", timeout=30)
    if closures.shareable(bench.folder):
        assert out == "1 1\n"


def test_a_folder_that_holds_something_else_is_refused(bench: Bench) -> None:
    os.makedirs(bench.env)
    with open(f"{bench.env}/thesis.tex", "w") as file:
        file.write("x")
    with pytest.raises(InstallError) as caught:
        bench.seal(bench.env, bench.wanted())
    assert caught.value.code == "folder-not-empty"
    assert os.listdir(bench.env) == ["thesis.tex"]
    assert os.listdir(os.path.dirname(bench.env)) == [".venv"]


def test_two_processes_seal_the_same_at_once(bench: Bench) -> None:
    want = bench.wanted(files={f"spam/m{n}.py": b"" for n in range(200)})
    children = []
    for number in range(4):
        child = os.fork()
        if child == 0:
            try:
                bench.seal(f"{bench.folder}/env{number}", want)
            except BaseException as error:
                os.write(2, repr(error).encode())
                os._exit(1)
            os._exit(0)
        children.append(child)
    assert [os.waitpid(child, 0)[1] for child in children] == [0, 0, 0, 0]
    for number in range(4):
        assert run_python(f"{bench.folder}/env{number}", "-c", "import spam.m199").returncode == 0
    if closures.shareable(bench.folder):
        assert os.listdir(f"{bench.cache}/closures-v1/aside") == []


@needs_sharing
def test_a_closure_from_an_earlier_boot_is_looked_at_once(bench: Bench) -> None:
    want = bench.wanted(files=SPAM)
    path = bench.seal(bench.env, want).closure
    _set_boot(path)
    assert closures.find_closure(path) is not None
    _set_boot(path)
    place = os.path.realpath(f"{bench.site}/spam/__init__.py")
    os.chmod(place, 0o644)
    os.truncate(place, 0)
    assert closures.find_closure(path) is None
    assert not os.path.exists(path)


def _set_boot(path: str) -> None:
    import marshal

    with open(f"{path}/state", "rb") as file:
        values = marshal.loads(file.read())
    values["boot"] = "another"
    with open(f"{path}/state", "wb") as file:
        file.write(marshal.dumps(values))


@needs_sharing
def test_collect_leaves_closures_that_are_in_use(bench: Bench) -> None:
    used = bench.seal(bench.env, bench.wanted(), key="used").closure
    left = bench.seal(f"{bench.folder}/gone", bench.wanted("eggs"), key="left").closure
    assert collect(bench.cache, older_than=-1.0) == 0
    remove_tree(f"{bench.folder}/gone")
    assert collect(bench.cache, older_than=3600.0) == 0
    assert collect(bench.cache, older_than=-1.0) == 1
    assert (os.path.exists(used), os.path.exists(left)) == (True, False)
    assert run_python(bench.env, "-c", "import spam").returncode == 0


@needs_sharing
def test_damage_in_a_closure_is_found_and_healed_from_the_store(bench: Bench) -> None:
    want = bench.wanted(files=SPAM)
    bench.seal(bench.env, want, link_mode="copy")
    place = os.path.realpath(f"{bench.site}/spam/__init__.py")
    with open(place, "r+b") as file:  # in place: no folder changes, and root may
        file.write(b"evil")
    found = verify(bench.env)
    assert [(one.path.rpartition("/")[2], one.kind) for one in found] == [("__init__.py", "changed")]
    assert all(one.repaired for one in verify(bench.env, repair=True, store=bench.store))
    assert verify(bench.env) == ()
    with pytest.raises(OSError), open(f"{bench.site}/new.py", "w"):
        pass  # closed again


@pytest.mark.skipif(os.geteuid() != 0, reason="becoming somebody else needs root")
def test_somebody_without_root_cannot_write_either(bench: Bench) -> None:
    os.chmod(bench.folder, 0o777)
    open_to_all(bench.folder)
    bench.python  # noqa: B018 described by root: nobody may not be able to read the test's own Python
    want = bench.wanted(files=SPAM)
    for folder in (bench.cache, bench.store.root, f"{bench.cache}/closures-v1"):
        os.makedirs(folder, exist_ok=True)
        os.chmod(folder, 0o777)

    def seal_and_write() -> None:
        done = bench.seal(f"{bench.folder}/theirs", want, link_mode="copy")
        assert done.closure
        site = f"{bench.folder}/theirs/{bench.python.paths['purelib']}"
        for path in (f"{site}/new.py", f"{site}/spam/new.py", f"{site}/spam/__init__.py"):
            with pytest.raises(PermissionError):
                os.close(os.open(path, os.O_WRONLY | os.O_CREAT))

    as_nobody(seal_and_write)
    # What only modes guard is closed to root before root shares it.
    assert bench.seal(f"{bench.folder}/roots", want).closure == "" or _closed(bench, f"{bench.folder}/roots")


@needs_sharing
@pytest.mark.skipif(os.geteuid() != 0, reason="becoming somebody else needs root")
def test_a_closure_of_another_boot_in_a_cache_that_is_somebody_elses_can_be_used(bench: Bench) -> None:
    """That it was looked at cannot be written down there, which is no failure."""
    done = bench.seal(bench.env, bench.wanted(files=SPAM))
    with open(f"{done.closure}/state", "rb") as file:
        values = marshal.loads(file.read())
    write_atomic(f"{done.closure}/state", marshal.dumps({**values, "boot": "another"}))
    open_to_all(done.closure)

    def find() -> None:
        assert closures.find_closure(done.closure) is not None

    as_nobody(find)


def _closed(bench: Bench, env: str) -> bool:
    try:
        with open(f"{env}/{bench.python.paths['purelib']}/new.py", "w"):
            return False
    except OSError:
        return True


UNSHARED = """\
import sys; sys.path[:] = {path!r}
from accord.environments import interpreters
from accord.environments.plan import Wanted
from accord.environments.seal import seal
from accord.store.store import Store
entry = Store({cache!r}).find({sha256!r})
python = interpreters.find({python!r}, cache_dir={cache!r})
for env in {envs!r}:
    done = seal(env, python, "key", lambda: [Wanted(entry.name, entry.version, entry=entry)], cache_dir={cache!r})
    assert done.closure == "", done.closure
open(f"{{env}}/{{python.paths['purelib']}}/extra.py", "w").close()
"""


@pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("setpriv") is None,
    reason="taking a capability from root needs root and setpriv",
)
def test_root_without_the_immutable_flag_shares_nothing(bench: Bench) -> None:
    """As in most containers: then each sealed environment has a tree of its own."""
    want = bench.wanted(files=SPAM, entry_points=SPAM_POINTS)
    envs = [f"{bench.folder}/one", f"{bench.folder}/two"]
    code = UNSHARED.format(
        path=sys.path, cache=bench.cache, sha256=want.sha256, python=sys.executable, envs=envs
    )
    drop = ["setpriv", "--inh-caps=-linux_immutable", "--bounding-set=-linux_immutable"]
    done = subprocess.run(
        [*drop, sys.executable, "-I", "-c", code], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert run_python(envs[1], "-c", "import spam, extra").returncode == 0
    assert run_python(envs[0], "-c", "import spam").returncode == 0
    assert run_python(envs[0], "-c", "import extra").returncode == 1
    assert [unchanged(env, "key") for env in envs] == [True, False]
