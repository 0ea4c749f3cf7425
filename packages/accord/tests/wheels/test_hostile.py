"""Whatever bytes a file has, it is answered or refused with a code, and nothing is left where nothing was made."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accord.testing.archives import sdist_bytes, wheel_parts, zip_bytes
from accord.wheels.compare import LOOSE, compare
from accord.wheels.inspection import inspect
from accord.wheels.packing import pack
from accord.wheels.page import page
from accord.wheels.tagging import Retagging, retag
from accord.wheels.textdiff import text_diffs
from accord.wheels.unpacking import unpack
from accord.wheels.verification import verify
from accord_core.errors import AccordError

WHEEL = zip_bytes(
    wheel_parts(
        {"spam/__init__.py": b"a = 1\n" * 20, "spam-1.0.data/scripts/x": b"#!python\n"},
        entry_points="[console_scripts]\nx = spam:y\n",
    )
)
SDIST = gzip.decompress(sdist_bytes())
NAMES = {WHEEL: "spam-1.0-py3-none-any.whl", SDIST: "spam-1.0.tar.gz"}

# (where, how many bytes go, what comes in their place)
changes = st.lists(
    st.tuples(st.integers(0, 1 << 30), st.integers(0, 4), st.binary(max_size=4)), min_size=1, max_size=6
)


def changed(data: bytes, edits: list[tuple[int, int, bytes]]) -> bytes:
    for place, gone, come in edits:
        at = place % len(data)
        data = data[:at] + come + data[at + gone :]
    return data


def answered(action: Callable[..., Any], *arguments: Any, **more: Any) -> Any:
    try:
        return action(*arguments, **more)
    except AccordError as error:
        assert error.code and error.message
        return None


@pytest.mark.parametrize("honest", [WHEEL, SDIST], ids=["wheel", "sdist"])
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(edits=changes)
def test_a_damaged_file_is_answered_or_refused(
    tmp_path_factory: pytest.TempPathFactory, honest: bytes, edits: list[tuple[int, int, bytes]]
) -> None:
    folder = tmp_path_factory.mktemp("hostile")
    good, bad = folder / "good" / NAMES[honest], folder / "bad" / NAMES[honest]
    for path, data in ((good, honest), (bad, changed(honest, edits))):
        path.parent.mkdir()
        path.write_bytes(data if honest is WHEEL else gzip.compress(data, 1))
    found = answered(inspect, str(bad))
    if found is not None:
        page(found)
    one = answered(compare, str(good), str(bad))
    if one is not None:
        answered(text_diffs, one)
    answered(compare, str(bad), str(good), ignoring=LOOSE)
    answered(verify, str(bad))
    done = answered(unpack, str(bad), str(folder / "into"))
    if done is None:
        assert not list(folder.glob("into/*")) and not list(folder.glob("into/.*"))
    else:
        answered(pack, done.folder, str(folder / "out"))
    made = answered(retag, str(bad), Retagging(python="py2"))
    assert len(list((folder / "bad").iterdir())) == (1 if made is None else 2)


def test_the_honest_files_are_answered(tmp_path: Path) -> None:
    for data, name in NAMES.items():
        (tmp_path / name).write_bytes(data if data is WHEEL else gzip.compress(data, 1))
        assert inspect(str(tmp_path / name)).name == "spam"
    path = str(tmp_path / NAMES[WHEEL])
    assert verify(path).faults == () and unpack(path, str(tmp_path)).files == 6
