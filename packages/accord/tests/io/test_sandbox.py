"""The command line of bubblewrap, and whether it can be had: what a program sees is what the caller named."""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path

import pytest

from accord.io import processes, sandbox
from accord.io.sandbox import View

here = pytest.mark.skipif(sandbox.probe() is not None, reason=f"no sandbox here: {sandbox.probe()}")


def view(tmp_path: Path, **more: object) -> View:
    for name in ("home", "tmp"):
        (tmp_path / name).mkdir(exist_ok=True)
    return View(home=str(tmp_path / "home"), temporary=str(tmp_path / "tmp"), **more)  # type: ignore[arg-type]


def said(one: View, *program: str, cwd: str = "/") -> str:
    done = subprocess.run(
        sandbox.command(one, program, cwd=cwd),
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.defpath},
    )
    return done.stdout + done.stderr


def test_a_sandbox_that_is_not_installed_is_said_in_words(tmp_path: Path) -> None:
    assert sandbox.probe(str(tmp_path / "bwrap")) == "bubblewrap (bwrap) is not installed"


def test_a_sandbox_that_is_not_permitted_is_said_in_its_own_words(tmp_path: Path) -> None:
    broken = tmp_path / "bwrap"
    broken.write_text(
        "#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n", encoding="utf-8"
    )
    broken.chmod(0o755)
    reason = sandbox.probe(str(broken))
    assert reason == "bubblewrap cannot work here: bwrap: No permissions to create new namespace"


@here
def test_an_older_bubblewrap_does_without_what_it_does_not_know(tmp_path: Path) -> None:
    """0.6 is what a distribution of 2022 has."""
    older = tmp_path / "bwrap"
    older.write_text(
        '#!/bin/sh\ncase "$*" in *--disable-userns*) echo "bwrap: Unknown option --disable-userns" >&2; exit 1;; esac\n'
        'PATH=/usr/bin:/bin exec bwrap "$@"\n',
        encoding="utf-8",
    )
    older.chmod(0o755)
    assert sandbox.probe(str(older)) is None
    assert "--disable-userns" not in sandbox.command(view(tmp_path), ["true"], cwd="/", bwrap=str(older))
    assert "--disable-userns" in sandbox.command(view(tmp_path), ["true"], cwd="/")


@here
def test_that_there_is_a_sandbox_is_remembered_and_that_there_is_none_is_not(tmp_path: Path) -> None:
    memo, count = tmp_path / "memo", tmp_path / "count"
    for name, ending in (("works", "exit 0"), ("fails", "exit 1")):
        program = tmp_path / name
        program.write_text(f"#!/bin/sh\necho {name} >> {count}\n{ending}\n", encoding="utf-8")
        program.chmod(0o755)
    answers = []
    for name in ("works", "works", "fails"):
        sandbox._known.clear()  # another run
        answers.append(sandbox.probe(str(tmp_path / name), str(memo)) is None)
    assert answers == [True, True, False]
    assert count.read_text(encoding="utf-8").split()[:2] == ["works", "fails"]


def test_paths_are_translated_to_where_they_are_seen(tmp_path: Path) -> None:
    one = view(tmp_path, moved=((str(tmp_path / "scratch"), "/build"),))
    assert one.inside(str(tmp_path / "scratch" / "tree")) == "/build/tree"
    assert one.inside(str(tmp_path / "scratchy")) == str(tmp_path / "scratchy")
    assert one.inside(str(tmp_path / "home" / "x")) == f"{one.place[0]}/x"


@here
def test_what_is_not_named_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("key", encoding="utf-8")
    assert "No such file" in said(view(tmp_path), "cat", str(tmp_path / "secret"))
    shown = view(tmp_path, readonly=[str(tmp_path)])
    assert said(shown, "cat", str(tmp_path / "secret")) == "key"
    assert "Read-only" in said(shown, "touch", str(tmp_path / "new"))


@here
def test_a_closed_path_below_a_writable_folder_stays_closed(tmp_path: Path) -> None:
    (tmp_path / "tree" / ".git").mkdir(parents=True)
    one = view(tmp_path, writable=[str(tmp_path / "tree")], closed=[str(tmp_path / "tree" / ".git")])
    assert said(one, "touch", str(tmp_path / "tree" / "new")) == ""
    assert "Read-only" in said(one, "touch", str(tmp_path / "tree" / ".git" / "new"))


@here
@pytest.mark.parametrize("network", [False, True])
def test_the_network_is_there_when_it_is_given(tmp_path: Path, network: bool) -> None:
    outside = {
        line.split(":")[0].strip()
        for line in Path("/proc/net/dev").read_text(encoding="ascii").splitlines()[2:]
    }
    inside = said(view(tmp_path, network=network), "cat", "/proc/net/dev")
    names = {line.split(":")[0].strip() for line in inside.splitlines()[2:]}
    assert names == (outside if network else {"lo"})


@here
def test_keys_and_passwords_of_the_machine_are_not_there(tmp_path: Path) -> None:
    listed = set(said(view(tmp_path), "ls", "/etc").split())
    assert listed & {"shadow", "passwd", "ssh", "machine-id", "hostname", "ssl"} == set()


def test_a_program_is_ended_when_the_watcher_says_so(tmp_path: Path) -> None:
    done = processes.run(
        ["sleep", "60"], cwd=None, env={"PATH": os.defpath}, log=str(tmp_path / "log"), watch=lambda: "disk"
    )
    assert (done.halted, done.status) == ("disk", -15)


def test_a_program_that_prints_too_much_is_ended(tmp_path: Path) -> None:
    limits = processes.ProcessLimits(output_bytes=100_000)
    done = processes.run(
        ["yes"], cwd=None, env={"PATH": os.defpath}, log=str(tmp_path / "log"), limits=limits
    )
    assert done.halted == "output"
    fine = processes.run(
        ["head", "-c", "100000", "/dev/zero"],
        cwd=None,
        env={"PATH": os.defpath},
        log=str(tmp_path / "log"),
        limits=limits,
    )
    assert (fine.halted, fine.status) == ("", 0)


@here
def test_the_system_s_zone_and_name_are_there_and_the_temporary_folders_are_one(tmp_path: Path) -> None:
    one = view(tmp_path)
    for name in ("localtime", "os-release"):
        if Path("/etc", name).exists():
            assert said(one, "sha256sum", f"/etc/{name}").split()[0] == hashed(Path("/etc", name)), name
    assert said(one, "sh", "-c", "echo x > /var/tmp/file && cat /tmp/file") == "x\n"
    assert (tmp_path / "tmp" / "file").read_text(encoding="utf-8") == "x\n"


def hashed(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@here
def test_services_and_protocols_are_for_those_who_have_a_network(tmp_path: Path) -> None:
    listed = set(said(view(tmp_path), "ls", "/etc").split())
    with_network = set(said(view(tmp_path, network=True), "ls", "/etc").split())
    assert not listed & {"services", "protocols"}
    assert with_network >= {name for name in ("services", "protocols") if Path("/etc", name).exists()}


def test_a_link_into_what_is_shown_anyway_is_made_again_and_any_other_is_mounted(tmp_path: Path) -> None:
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    inside.symlink_to("/usr/share/zoneinfo/UTC")
    outside.symlink_to("/usr/../home/key")
    assert sandbox._shown(str(inside)) == ("--symlink", "/usr/share/zoneinfo/UTC", str(inside))
    for path in (outside, tmp_path / "gone", tmp_path):
        assert sandbox._shown(str(path)) == ("--ro-bind-try", str(path), str(path))
