"""Files, pipes and devices that a person names are read whole, within a limit, and never waited for in vain."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from accord.io import reading
from accord.io.reading import Nobody, read_at_most


@pytest.mark.parametrize(("size", "read"), [(0, 0), (9, 9), (10, 10), (11, 11), (99, 11)])
def test_no_more_than_one_byte_over_the_limit(tmp_path: Path, size: int, read: int) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * size)
    assert len(read_at_most(str(path), 10)) == read


def test_a_device_without_an_end() -> None:
    assert read_at_most("/dev/zero", 3_000_000) == bytes(3_000_001)


def test_a_folder(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError):
        read_at_most(str(tmp_path), 10)


@pytest.mark.parametrize("late", [0.0, 0.2])
def test_a_fifo_with_a_slow_writer(tmp_path: Path, late: float) -> None:
    path = tmp_path / "fifo"
    os.mkfifo(path)

    def write() -> None:
        time.sleep(late)
        with open(path, "wb") as stream:
            time.sleep(0.2)
            stream.write(b"a")
            stream.flush()
            time.sleep(0.1)
            stream.write(b"b" * 100_000)

    writer = threading.Thread(target=write)
    writer.start()
    assert read_at_most(str(path), 1_000_000) == b"a" + b"b" * 100_000
    writer.join()


def test_a_fifo_that_nobody_writes_into(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "fifo"
    os.mkfifo(path)
    monkeypatch.setattr(reading, "NOBODY", 0.1)
    with pytest.raises(Nobody, match="nobody writes"):
        read_at_most(str(path), 10)


@pytest.mark.parametrize(
    ("command", "text"), [("echo six", b"six\n"), ("true", b""), ("sleep 0.3; echo x", b"x\n")]
)
def test_what_a_shell_hands_over(command: str, text: bytes) -> None:
    """``<(command)``, also where the command has ended before we look."""
    code = "import sys,time; time.sleep(0.1)\nfrom accord.io.reading import read_at_most\nsys.stdout.buffer.write(read_at_most(sys.argv[1], 99))"
    line = f"{sys.executable} -c '{code}' <({command})"
    done = subprocess.run(["bash", "-c", line], capture_output=True, check=True, timeout=20)
    assert done.stdout == text
