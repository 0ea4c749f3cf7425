"""What ``-o`` names: files are replaced whole, everything else is written into and stays what it is."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from accord.io import outputs
from accord.io.outputs import write_output
from accord_core.errors import AccordError


def refused(path: Path | str) -> AccordError:
    with pytest.raises(AccordError) as caught:
        write_output(str(path), b"new")
    return caught.value


@pytest.mark.parametrize("mode", [0o600, 0o664, 0o444])
def test_a_file_keeps_its_mode_and_is_replaced_in_one_step(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "out"
    path.write_text("old")
    path.chmod(mode)
    before = path.stat().st_ino
    write_output(str(path), b"new")
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == mode
    assert path.stat().st_ino != before
    assert os.listdir(tmp_path) == ["out"]


@pytest.mark.parametrize("there", [True, False])
def test_a_link_is_followed(tmp_path: Path, there: bool) -> None:
    (tmp_path / "real").mkdir()
    if there:
        (tmp_path / "real" / "out").write_text("old")
    (tmp_path / "out").symlink_to("real/out")
    write_output(str(tmp_path / "out"), b"new")
    assert (tmp_path / "out").is_symlink()
    assert (tmp_path / "real" / "out").read_bytes() == b"new"


def test_a_device_is_written_into(tmp_path: Path) -> None:
    (tmp_path / "null").symlink_to("/dev/null")
    write_output(str(tmp_path / "null"), b"new")
    assert stat.S_ISCHR((tmp_path / "null").stat().st_mode)
    (tmp_path / "full").symlink_to("/dev/full")
    assert refused(tmp_path / "full").code == "disk-full"


def test_a_fifo_is_written_into(tmp_path: Path) -> None:
    path = tmp_path / "fifo"
    os.mkfifo(path)
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(path.read_bytes()))
    reader.start()
    write_output(str(path), b"new" * 50_000)
    reader.join()
    assert got == [b"new" * 50_000]
    assert stat.S_ISFIFO(path.stat().st_mode)


def test_a_fifo_that_nobody_reads_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(tmp_path / "fifo")
    monkeypatch.setattr(outputs, "NOBODY", 0.1)
    assert refused(tmp_path / "fifo").code == "output-not-a-file"


WRITE = "import sys; from accord.io.outputs import write_output; write_output(sys.argv[1], b'new\\n')"


@pytest.mark.parametrize(
    "line", ["OUT | cat", "OUT > file; cat file", "echo old > file; OUT >> file; tail -1 file"]
)
def test_standard_output_by_its_name(tmp_path: Path, line: str) -> None:
    (tmp_path / "out").symlink_to("/proc/self/fd/1")
    line = line.replace("OUT", f'({sys.executable} -c "{WRITE}" out; echo more)')
    done = subprocess.run(["bash", "-c", line], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout in ("new\nmore\n", "more\n")
    assert (tmp_path / "out").is_symlink()
    if (tmp_path / "file").exists():
        assert (tmp_path / "file").read_text().endswith("new\nmore\n")
        assert (tmp_path / "file").read_text().startswith("old" if ">>" in line else "new")


def test_what_a_shell_hands_over(tmp_path: Path) -> None:
    line = f'{sys.executable} -c "{WRITE}" >(tr a-z A-Z > got); while ! grep -q NEW got; do sleep 0.05; done'
    subprocess.run(["bash", "-c", line], cwd=tmp_path, check=True, timeout=20)
    assert (tmp_path / "got").read_text() == "NEW\n"


def test_the_cause_is_the_one_that_is(tmp_path: Path) -> None:
    assert "is a folder" in refused(tmp_path).message
    missing = refused(tmp_path / "nodir" / "x.txt")
    assert (missing.code, "nodir" in missing.message) == ("file-not-found", True)
    (tmp_path / "file").touch()
    below = refused(tmp_path / "file" / "x.txt")
    assert "there is no folder" in below.message
    for error in (missing, below):
        assert "disk" not in str(error.hint)
