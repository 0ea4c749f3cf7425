"""Nothing is replaced that was not Accord's to replace, and a refusal leaves everything as it was."""

from __future__ import annotations

import os
import subprocess
import threading

import pytest

from accord.environments.create import create
from accord.environments.installed import installed
from accord.environments.layout import layout_of
from accord.environments.plan import Wanted, plan
from accord.io import locks
from accord.io.locks import FileLock
from accord.testing.installing import Bench, run_python, snapshot
from accord_core.errors import AccordError, InstallError


@pytest.fixture
def made(bench: Bench) -> Bench:
    create(bench.env, bench.python)
    return bench


def _refused(bench: Bench, code: str, *wanted: object, **options: object) -> InstallError:
    before = snapshot(bench.env)
    with pytest.raises(InstallError) as caught:
        bench.install(*wanted, **options)  # type: ignore[arg-type]
    assert caught.value.code == code
    assert snapshot(bench.env) == before
    assert not os.path.exists(f"{bench.env}/.accord/txn")
    assert not os.path.exists(f"{bench.env}/.accord/journal")
    return caught.value


def test_two_wheels_that_disagree_about_a_file_are_both_named(made: Bench) -> None:
    one = made.wanted("one", files={"one/__init__.py": b"", "tests/__init__.py": b"# one\n"})
    two = made.wanted("two", "2.5", files={"two/__init__.py": b"", "tests/__init__.py": b"# two\n"})
    error = _refused(made, "file-conflict", one, two)
    assert "one 1.0" in error.message and "two 2.5" in error.message and "tests/__init__.py" in error.message
    made.install(one, two, conflicts="last")
    with open(f"{made.site}/tests/__init__.py") as file:
        assert file.read() == "# two\n"


def test_two_wheels_that_agree_share_the_file_until_both_are_gone(made: Bench) -> None:
    one = made.wanted("one", files={"one.py": b"", "tests/__init__.py": b"# same\n"})
    two = made.wanted("two", files={"two.py": b"", "tests/__init__.py": b"# same\n"})
    made.install(one, two)
    made.install(one)
    assert os.path.exists(f"{made.site}/tests/__init__.py")
    made.install()
    assert not os.path.exists(f"{made.site}/tests")


def test_two_wheels_with_one_command(made: Bench) -> None:
    one = made.wanted("one", entry_points="[console_scripts]\ncmd = one:main\n")
    two = made.wanted("two", entry_points="[console_scripts]\ncmd = two:main\n")
    error = _refused(made, "file-conflict", one, two)
    assert "bin/cmd" in error.message


def test_what_is_installed_already_is_named_too(made: Bench) -> None:
    made.install(made.wanted("one", files={"one.py": b"", "tests/__init__.py": b"# one\n"}))
    two = made.wanted("two", files={"two.py": b"", "tests/__init__.py": b"# two\n"})
    error = _refused(made, "file-conflict", two, exact=False)
    assert "one 1.0" in error.message and "two 1.0" in error.message


def test_a_users_file_is_never_replaced(made: Bench) -> None:
    with open(f"{made.site}/spam.py", "w") as file:
        file.write("# mine\n")
    error = _refused(made, "file-in-the-way", made.wanted(files={"spam.py": b"# theirs\n"}))
    assert "belongs to no distribution" in error.message


def test_a_users_command_is_never_replaced(made: Bench) -> None:
    with open(f"{made.env}/bin/spam", "w") as file:
        file.write("# mine\n")
    _refused(made, "file-in-the-way", made.wanted(entry_points="[console_scripts]\nspam = spam:main\n"))


def test_a_distribution_without_record_is_not_half_removed(made: Bench) -> None:
    made.install(made.wanted())
    os.unlink(f"{made.site}/spam-1.0.dist-info/RECORD")
    error = _refused(made, "record-missing")
    assert "spam 1.0" in error.message
    with open(f"{made.site}/spam-1.0.dist-info/RECORD", "w") as file:
        file.write("only,two\n")
    _refused(made, "record-damaged")


def test_a_record_that_points_outside_removes_nothing_there(made: Bench) -> None:
    made.install(made.wanted())
    outside = f"{made.folder}/project/precious.txt"
    with open(outside, "w") as file:
        file.write("x")
    with open(f"{made.site}/spam-1.0.dist-info/RECORD", "a") as file:
        file.write(f"../../../../precious.txt,,\n{outside},,\n../../../pyvenv.cfg/../../precious.txt,,\n")
    made.install()
    assert os.path.exists(outside)
    assert installed(made.env) == ()


def test_old_egg_info_with_a_file_list_is_removed_and_without_one_refused(made: Bench) -> None:
    os.makedirs(f"{made.site}/old-1.0-py3.8.egg-info")
    for path in ("old.py", "old-1.0-py3.8.egg-info/PKG-INFO"):
        with open(f"{made.site}/{path}", "w") as file:
            file.write("")
    with open(f"{made.site}/old-1.0-py3.8.egg-info/installed-files.txt", "w") as file:
        file.write("../old.py\nPKG-INFO\ninstalled-files.txt\n")
    assert [(one.name, one.version) for one in installed(made.env)] == [("old", "1.0")]
    made.install()
    assert [path for path in snapshot(made.site) if "old" in path] == []
    with open(f"{made.site}/older-0.1.egg-info", "w") as file:
        file.write("")
    _refused(made, "record-missing")


def test_a_develop_install_of_old_setuptools_is_unlinked(made: Bench) -> None:
    with open(f"{made.site}/proj.egg-link", "w") as file:
        file.write("/src/proj\n.")
    with open(f"{made.site}/easy-install.pth", "w") as file:
        file.write("/src/proj\n/src/other\n")
    made.install()
    with open(f"{made.site}/easy-install.pth") as file:
        assert file.read() == "/src/other\n"
    assert not os.path.exists(f"{made.site}/proj.egg-link")


def test_one_accord_at_a_time(made: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "PATIENCE", 0.0)  # whom it waits for is told before it gives up
    spam = made.wanted()
    found = plan(made.env, [spam])
    lock = FileLock(f"{made.env}/.accord/lock", "the environment")
    os.makedirs(f"{made.env}/.accord", exist_ok=True)
    said: list[str] = []
    with lock, pytest.raises(AccordError) as caught, layout_of(made.env).lock(said.append, timeout=1.0):
        pass
    assert caught.value.code == "locked"
    assert str(os.getpid()) in caught.value.context[0]
    assert len(said) == 1
    # and one that waits long enough gets its turn
    lock.__enter__()
    timer = threading.Timer(0.2, lambda: lock.__exit__(None, None, None))
    timer.start()
    from accord.environments.apply import apply

    assert apply(found) == 1
    timer.join()


def test_what_changed_between_planning_and_applying_is_planned_anew(made: Bench) -> None:
    from accord.environments.apply import apply

    one, two = made.wanted("one"), made.wanted("two")
    made.install(one)
    found = plan(made.env, [two])  # one goes
    made.install(one, made.wanted("three"))
    apply(found)
    assert [other.name for other in installed(made.env)] == ["two"]
    found = plan(made.env, [Wanted("two", "1.0", sha256=two.sha256)])
    made.install()
    with pytest.raises(InstallError) as caught:
        apply(found)
    assert caught.value.code == "environment-changed"


def test_two_processes_change_one_environment_one_after_the_other(made: Bench) -> None:
    wants = [made.wanted(f"p{n}", files={f"p{n}.py": b"x = 1\n"}) for n in range(4)]
    children = []
    for want in wants:
        child = os.fork()
        if child == 0:
            try:
                made.install(want, exact=False)
            except BaseException as error:
                os.write(2, repr(error).encode())
                os._exit(1)
            os._exit(0)
        children.append(child)
    assert [os.waitpid(child, 0)[1] for child in children] == [0, 0, 0, 0]
    assert run_python(made.env, "-c", "import p0, p1, p2, p3").returncode == 0
    assert len(installed(made.env)) == 4


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small file system needs root")
def test_a_full_disk_leaves_the_environment_as_it_was(made: Bench) -> None:
    small = f"{made.folder}/small"
    os.mkdir(small)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", small], check=False)
    if mounted.returncode:
        pytest.skip("mounting is not permitted here")
    try:
        made.env = f"{small}/env"
        create(made.env, made.python)
        made.install(made.wanted())
        big = made.wanted("big", files={f"big{n}.bin": os.urandom(100_000) for n in range(8)})
        _refused(made, "disk-full", big, exact=False)
        assert run_python(made.env, "-B", "-c", "import spam").returncode == 0
    finally:
        subprocess.run(["umount", small], check=True)


def test_a_folder_that_cannot_be_written_is_told(made: Bench) -> None:
    made.install(made.wanted())
    if os.geteuid() == 0:
        subprocess.run(["mount", "--bind", made.env, made.env], check=False)
        if subprocess.run(["mount", "-o", "remount,ro,bind", made.env], check=False).returncode:
            pytest.skip("mounting is not permitted here")
    else:
        os.chmod(made.site, 0o555)
    try:
        with pytest.raises(InstallError) as caught:
            made.install(made.wanted("eggs"), exact=False)
        assert caught.value.code == "not-writable"
    finally:
        if os.geteuid() == 0:
            subprocess.run(["umount", made.env], check=True)
        else:
            os.chmod(made.site, 0o755)
    assert [one.name for one in installed(made.env)] == ["spam"]
