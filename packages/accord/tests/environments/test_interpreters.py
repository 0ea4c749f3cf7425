"""Finding Pythons and describing them, each file once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from copy import copy
from typing import Any

import pytest

from accord.environments import interpreters, tags
from accord.environments.interpreters import accepts, find, find_all, inspect, parse_request
from accord.testing.installing import Bench
from accord_core.errors import InstallError

ORACLE = """\
import sys, json; sys.path.append({path!r})
from packaging.tags import sys_tags
from packaging.markers import default_environment
print(json.dumps([[str(tag) for tag in sys_tags()], dict(default_environment())]))
"""


def test_markers_and_tags_are_what_packaging_says_inside_it(bench: Bench) -> None:
    import packaging

    path = os.path.dirname(os.path.dirname(str(packaging.__file__)))
    checked = 0
    for one in find_all(cache_dir=bench.cache):
        # Packaging releases differ in their opinions: the one used here, for the Pythons it still supports.
        done = subprocess.run(
            [one.executable, "-I", "-S", "-c", ORACLE.format(path=path)],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode == 0:
            expected, environment = json.loads(done.stdout)
            environment.pop("extra", None)
            assert list(one.tags) == expected, one
            assert one.markers == environment
            checked += 1
    assert checked


def test_a_second_look_starts_nothing(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    first = inspect(sys.executable, cache_dir=bench.cache)
    assert "subprocess" in sys.modules
    monkeypatch.setattr(subprocess, "run", None)
    second = inspect(sys.executable, cache_dir=bench.cache)
    assert (second.identity, second.tags, second.markers) == (first.identity, first.tags, first.markers)


def test_a_changed_file_and_a_damaged_cache_are_described_again(bench: Bench) -> None:
    script = f"{bench.folder}/python3"
    with open(script, "w") as file:
        file.write(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    os.chmod(script, 0o755)
    first = inspect(script, cache_dir=bench.cache)
    os.utime(script, (1, 1))
    assert inspect(script, cache_dir=bench.cache).identity != first.identity
    for name in os.listdir(f"{bench.cache}/interpreters-v1"):
        with open(f"{bench.cache}/interpreters-v1/{name}", "wb") as file:
            file.write(b"garbage")
    assert inspect(script, cache_dir=bench.cache).version == first.version


def test_a_virtual_environment_is_described_by_its_base(bench: Bench) -> None:
    subprocess.run([sys.executable, "-I", "-m", "venv", "--without-pip", bench.env], check=True)
    base = find(None, cache_dir=bench.cache, environ={"HOME": "/"}, directory=bench.folder)
    inside = find(bench.env, cache_dir=bench.cache)
    assert (inside.is_venv, inside.prefix) == (True, bench.env)
    assert (base.identity, base.tags) == (inside.identity, inside.tags)
    assert inside.base_prefix == sys.base_prefix
    # Nothing of the environment is run, so a broken startup file does not matter.
    with open(f"{bench.env}/lib/python{inside.short}/site-packages/x.pth", "w") as file:
        file.write("import sys; sys.exit(3)\n")
    assert find(bench.env, cache_dir=bench.cache).version == inside.version


def test_without_a_request_the_active_then_the_nearest_environment(bench: Bench) -> None:
    subprocess.run([sys.executable, "-I", "-m", "venv", "--without-pip", bench.env], check=True)
    below = f"{bench.folder}/project/src/deep"
    os.makedirs(below)
    other = f"{bench.folder}/active"
    subprocess.run([sys.executable, "-I", "-m", "venv", "--without-pip", other], check=True)
    assert find(None, cache_dir=bench.cache, environ={}, directory=below).prefix == bench.env
    assert find(None, cache_dir=bench.cache, environ={"VIRTUAL_ENV": other}, directory=below).prefix == other


VERSION = ".".join(map(str, sys.version_info[:2]))
FULL = ".".join(map(str, sys.version_info[:3]))


@pytest.mark.parametrize(
    "text",
    [
        "3",
        VERSION,
        FULL,
        f"cpython{VERSION}",
        f"cpython@{FULL}",
        f"=={FULL}",
        VERSION.replace(".", ""),
        "python",
    ],
)
def test_requests_that_this_python_answers(bench: Bench, text: str) -> None:
    found = find(text, cache_dir=bench.cache, environ={"PATH": "", "HOME": bench.folder})
    assert found.version == FULL


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3.12", ("", (3, 12), "")),
        ("cpython@3.12.1", ("cpython", (3, 12, 1), "")),
        ("cp312", ("cpython", (3, 12), "")),
        ("pypy", ("pypy", (), "")),
        ("pypy@3.10", ("pypy", (3, 10), "")),
        ("313", ("", (3, 13), "")),
        (">=3.11,<3.13", ("", (), ">=3.11,<3.13")),
        ("python3.12", ("", (3, 12), "")),
        ("3.14t", ("", (3, 14), "")),
        ("cpython@3.14.7t", ("cpython", (3, 14, 7), "")),
        ("3.14tt", None),
        ("3.t", None),
        ("./python3.12", None),
        ("3.x", None),
        ("1.2.3.4", None),
        ("conda", None),
    ],
)
def test_the_grammar_of_requests(text: str, expected: Any) -> None:
    found = parse_request(text)
    assert (found and (found.implementation, found.version, found.specifier)) == expected


def test_a_version_is_the_python_with_the_gil_unless_it_ends_in_t(bench: Bench) -> None:
    """Two Pythons of one version on one machine: distributions and installers name the one without the GIL with a t."""
    usual = inspect(sys.executable, cache_dir=bench.cache)
    free = copy(usual)
    minor = sys.version_info[1]
    free.tags = (f"cp3{minor}-cp3{minor}t-linux_x86_64",)
    assert (usual.free_threaded, free.free_threaded) == (False, True)
    for text, answers in (
        (VERSION, (True, False)),
        (f"{VERSION}t", (False, True)),
        (f">={VERSION}", (True, True)),
    ):
        words = parse_request(text)
        assert words is not None
        assert (words.accepts(usual), words.accepts(free)) == answers


def test_what_is_not_found_tells_where_was_looked(bench: Bench) -> None:
    with pytest.raises(InstallError) as caught:
        find("3.99", cache_dir=bench.cache)
    assert caught.value.code == "interpreter-not-found"
    assert any("looked at" in line and FULL in line for line in caught.value.context)
    for text in (f"{bench.folder}/nothing", bench.folder, "nothing-of-the-kind"):
        with pytest.raises(InstallError) as caught:
            find(text, cache_dir=bench.cache)
        assert caught.value.code == "interpreter-not-found"


def program(bench: Bench, text: str) -> str:
    script = f"{bench.folder}/liar"
    with open(script, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(script, 0o755)
    return script


def why_broken(bench: Bench, text: str) -> str:
    with pytest.raises(InstallError) as caught:
        inspect(program(bench, text), cache_dir=bench.cache)
    assert caught.value.code == "interpreter-broken"
    return caught.value.message + " ".join(caught.value.context)


@pytest.mark.parametrize("stream", ["1", "2"])
def test_what_prints_without_end_is_no_python(bench: Bench, stream: str) -> None:
    assert "more than" in why_broken(bench, f"#!/bin/sh\nexec yes python >&{stream}\n")


@pytest.mark.parametrize("spare", [0, 1])
def test_what_a_python_says_of_itself_has_a_limit(bench: Bench, spare: int) -> None:
    """It may say other things first: a wrapper does."""
    text = f"#!/bin/sh\nhead -c {(1 << 20) + spare} /dev/zero >&2\nexec '{sys.executable}' \"$@\"\n"
    if spare == 0:
        assert inspect(program(bench, text), cache_dir=bench.cache).version
    else:
        assert "more than 1,048,576 bytes" in why_broken(bench, text)


def test_what_says_nothing_is_given_up(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interpreters, "_SECONDS", 0.3)
    assert "did not answer" in why_broken(bench, "#!/bin/sh\nexec sleep 60\n")
    assert "did not answer" in why_broken(bench, "#!/bin/sh\nexec >&- 2>&-\nexec sleep 61\n")


@pytest.mark.parametrize(
    "facts",
    ["[]", '{"version_info": "x"}', '{"version_info": [3, "x"]}', '{"version_info": [3, 12]}', "[" * 5000,
     '{"version_info": [3, 12], "markers": [], "paths": {}}', '{"version_info": [3, 12], "markers": {}, "paths": 1}'],
)  # fmt: skip
def test_what_describes_itself_otherwise_is_no_python(bench: Bench, facts: str) -> None:
    assert why_broken(bench, f"#!/bin/sh\necho '{facts}'\n")


def test_what_is_no_python_is_broken(bench: Bench) -> None:
    script = f"{bench.folder}/liar"
    for text in ("#!/bin/sh\necho '{}'\n", "#!/bin/sh\necho Segmentation >&2; exit 139\n", "\x7fELF"):
        with open(script, "w") as file:
            file.write(text)
        os.chmod(script, 0o755)
        with pytest.raises(InstallError) as caught:
            inspect(script, cache_dir=bench.cache)
        assert caught.value.code == "interpreter-broken"


def test_an_old_python_is_refused(bench: Bench) -> None:
    script = f"{bench.folder}/old"
    with open(script, "w") as file:
        file.write("#!/bin/sh\necho '{\"version_info\": [3, 7, 16]}'\n")
    os.chmod(script, 0o755)
    with pytest.raises(InstallError) as caught:
        inspect(script, cache_dir=bench.cache)
    assert caught.value.code == "interpreter-too-old"


def test_shims_are_not_asked(bench: Bench) -> None:
    shims = f"{bench.folder}/shims"
    os.mkdir(shims)
    with open(f"{shims}/python3.99", "w") as file:
        file.write(f"#!/bin/sh\ntouch {bench.folder}/asked\n")
    os.chmod(f"{shims}/python3.99", 0o755)
    with pytest.raises(InstallError):
        find("3.99", cache_dir=bench.cache, environ={"PATH": shims, "HOME": bench.folder})
    assert not os.path.exists(f"{bench.folder}/asked")


def test_requires_python(bench: Bench) -> None:
    assert accepts(bench.python, ">=3.8")
    assert not accepts(bench.python, "<3.8")
    with pytest.raises(InstallError) as caught:
        accepts(bench.python, "about three")
    assert caught.value.code == "requires-python-invalid"


FACTS: dict[str, Any] = {
    "version_info": [3, 13, 0],
    "markers": {"implementation_name": "cpython", "platform_system": "Linux", "platform_machine": "x86_64"},
    "platform": "linux-x86_64",
    "glibc": [2, 17],
    "manylinux": {},
    "is_32bit": False,
    "debug": False,
    "free_threaded": False,
    "ext_suffix": ".cpython-313-x86_64-linux-gnu.so",
    "mac": "",
}


@pytest.mark.parametrize(
    ("facts", "first", "present", "absent"),
    [
        ({}, "cp313-cp313-linux_x86_64", "cp313-abi3-manylinux2014_x86_64", "cp313-cp313-manylinux_2_18_x86_64"),
        ({"free_threaded": True}, "cp313-cp313t-linux_x86_64", "py3-none-any", "cp313-abi3-linux_x86_64"),
        ({"debug": True}, "cp313-cp313d-linux_x86_64", "cp313-cp313-linux_x86_64", "cp313-cp313t-linux_x86_64"),
        ({"manylinux": {"17": False}}, "cp313-cp313-linux_x86_64", "py3-none-manylinux_2_16_x86_64", "py3-none-manylinux2014_x86_64"),
        ({"is_32bit": True}, "cp313-cp313-linux_i686", "py3-none-manylinux1_i686", "py3-none-linux_x86_64"),
        ({"platform": "linux-aarch64"}, "cp313-cp313-linux_aarch64", "py3-none-manylinux_2_17_aarch64", "py3-none-manylinux_2_5_aarch64"),
    ],
)  # fmt: skip
def test_tags_of_pythons_that_are_not_here(
    facts: dict[str, Any], first: str, present: str, absent: str
) -> None:
    found = tags.interpreter_tags({**FACTS, **facts}, "/nonexistent")
    assert found[0] == first
    assert present in found
    assert absent not in found


def test_tags_of_pypy_and_macos() -> None:
    pypy = {
        **FACTS,
        "version_info": [3, 10, 14],
        "markers": {**FACTS["markers"], "implementation_name": "pypy"},
        "ext_suffix": ".pypy310-pp73-x86_64-linux-gnu.so",
    }
    found = tags.interpreter_tags(pypy, "/nonexistent")
    assert found[0] == "pp310-pypy310_pp73-linux_x86_64"
    assert "pp3-none-any" in found
    mac = {
        **FACTS,
        "markers": {**FACTS["markers"], "platform_system": "Darwin", "platform_machine": "arm64"},
        "mac": "14.5",
        "glibc": None,
    }
    assert tags.interpreter_tags(mac, "/nonexistent")[0] == "cp313-cp313-macosx_14_0_arm64"


def test_musl_is_told_by_its_loader(bench: Bench) -> None:
    import struct

    loader = f"{bench.folder}/ld-musl-x86_64.so.1"
    with open(loader, "w") as file:
        file.write("#!/bin/sh\nprintf 'musl libc (x86_64)\\nVersion 1.2.4\\n' >&2; exit 1\n")
    os.chmod(loader, 0o755)
    name = os.fsencode(loader) + b"\0"
    header = (
        b"\x7fELF\x02\x01\x01"
        + b"\0" * 9
        + struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, 0, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    )
    program = struct.pack("<IIQQQQQQ", 3, 4, 120, 0, 0, len(name), len(name), 1)
    with open(f"{bench.folder}/python", "wb") as out:
        out.write(header + program + name)
    assert tags.musl_version(f"{bench.folder}/python") == (1, 2)
    found = tags.interpreter_tags({**FACTS, "glibc": None}, f"{bench.folder}/python")
    assert found[1] == "cp313-cp313-musllinux_1_2_x86_64"
    assert tags.musl_version(sys.executable) is None or sys.platform != "linux"
    assert interpreters.environment_python(bench.folder) is None
