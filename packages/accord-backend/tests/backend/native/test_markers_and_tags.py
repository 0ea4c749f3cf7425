"""Markers as ``packaging`` evaluates them, and wheel tags from the facts of interpreters this machine may not have."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from packaging import markers as oracle

from accord_backend.errors import BackendError
from accord_backend.native import markers, tags, toolchain
from accord_backend.native.description import Extension

HERE = markers.environment()
OPERATORS = ["==", "!=", "<", "<=", ">", ">=", "~="]
VERSIONS = [
    "3.8",
    "3.9",
    "3.10",
    "3.11.0",
    "3.11.7",
    "3.11",
    "3.12.0a1",
    "3.11.7rc1",
    "3.11.7.post1",
    "4",
    "3.11.7.dev1",
]


def environment() -> dict[str, str]:
    return {key: str(value) for key, value in oracle.default_environment().items()}


def test_the_environment_is_the_one_packaging_sees() -> None:
    assert environment() == HERE


@pytest.mark.parametrize("version", ["3.11.7", "3.12.0a1", "3.9.0", "3.13.0rc2"])
def test_versions_compare_as_packaging_compares_them(version: str) -> None:
    values = {
        **environment(),
        "python_full_version": version,
        "python_version": ".".join(version.split(".")[:2]),
    }
    for name, operator, other in itertools.product(
        ("python_version", "python_full_version"), OPERATORS, VERSIONS
    ):
        if operator == "~=" and "." not in other:
            continue  # no release clause to hold on to: packaging refuses it
        if operator in "<>" and (
            "rc" in other
            or "a" in other
            or "post" in other
            or "dev" in other
            or "rc" in version
            or "a" in version
        ):
            continue  # PEP 440 excludes pre-releases of the bound itself; nobody bounds a marker by one
        text = f"{name} {operator} '{other}'"
        assert markers.evaluate(text, values) == oracle.Marker(text).evaluate(values), (text, version)


@pytest.mark.parametrize(
    "text",
    [
        "sys_platform == 'linux'",
        "'linux' == sys_platform",
        "sys_platform != 'win32' and python_version >= '3.8'",
        "sys_platform == 'win32' or (os_name == 'posix' and platform_machine in 'x86_64 aarch64')",
        "python_version == '3.*'",
        "python_full_version != '3.12.*'",
        "platform_machine not in 'arm64'",
        "implementation_name == 'pypy' or implementation_name == 'cpython' and python_version < '3'",
        '(((os_name == "posix")))',
        "'3.9' <= python_version",
        "platform_release >= '0'",
    ],
)
def test_markers_mean_what_packaging_says(text: str) -> None:
    assert markers.problem(text) is None
    assert markers.evaluate(text, environment()) == oracle.Marker(text).evaluate()


@pytest.mark.parametrize(
    "text",
    ["", "os_name", "os_name ==", "os_name == 'a' and", "(os_name == 'a'", "os_name == 'a')", "os_name = 'a'", "'a' == 'a'",
     "nothing == 'a'", "os_name not 'a'", "os_name == 'a", "os_name == 'a' 'b'", "(" * 33 + "os_name == 'a'" + ")" * 33],
)  # fmt: skip
def test_what_is_no_marker_is_said(text: str) -> None:
    assert markers.problem(text)


def test_brackets_to_the_limit() -> None:
    assert markers.problem("(" * 32 + "os_name == 'a'" + ")" * 32) is None


def facts(**changed: Any) -> dict[str, Any]:
    return {
        "implementation": "cpython", "version": "3.13.0", "minor": 13, "soabi": "cpython-313-x86_64-linux-gnu",
        "suffix": ".cpython-313-x86_64-linux-gnu.so", "gil": True, "debug": False, "bits": 64, "platform": "linux-x86_64",
        **changed,
    }  # fmt: skip


def extension(limited_api: int | None = None) -> Extension:
    result = Extension()
    result.name, result.limited_api, result.free_threaded = "spam._speed", limited_api, None
    return result


FREE = facts(gil=False, soabi="cpython-313t-x86_64-linux-gnu", suffix=".cpython-313t-x86_64-linux-gnu.so")
FREE_315 = facts(gil=False, minor=15, version="3.15.0", suffix=".cpython-315t-x86_64-linux-gnu.so")
PYPY = facts(
    implementation="pypy", minor=10, soabi="pypy310-pp73", suffix=".pypy310-pp73-x86_64-linux-gnu.so"
)
PYPY_LONG = facts(
    implementation="pypy",
    minor=11,
    soabi="pypy311-pp73-x86_64-linux-gnu",
    suffix=".pypy311-pp73-x86_64-linux-gnu.so",
)


@pytest.mark.parametrize(
    ("known", "limited_api", "tag", "suffix"),
    [
        (facts(), None, "cp313-cp313-linux_x86_64", ".cpython-313-x86_64-linux-gnu.so"),
        (facts(), 9, "cp39-abi3-linux_x86_64", ".abi3.so"),
        (facts(debug=True), None, "cp313-cp313d-linux_x86_64", ".cpython-313-x86_64-linux-gnu.so"),
        (FREE, None, "cp313-cp313t-linux_x86_64", ".cpython-313t-x86_64-linux-gnu.so"),
        (FREE_315, 15, "cp315-abi3t-linux_x86_64", ".abi3t.so"),
        (PYPY, None, "pp310-pypy310_pp73-linux_x86_64", ".pypy310-pp73-x86_64-linux-gnu.so"),
        (PYPY_LONG, 9, "pp311-pypy311_pp73-linux_x86_64", ".pypy311-pp73-x86_64-linux-gnu.so"),
        (facts(platform="macosx-11.0-arm64"), 9, "cp39-abi3-macosx_11_0_arm64", ".abi3.so"),
        (facts(bits=32), None, "cp313-cp313-linux_i686", ".cpython-313-x86_64-linux-gnu.so"),
        (facts(bits=32, platform="linux-aarch64"), None, "cp313-cp313-linux_armv8l", ".cpython-313-x86_64-linux-gnu.so"),
        (facts(platform="win-amd64"), 9, "cp39-abi3-win_amd64", ".pyd"),
    ],
)  # fmt: skip
def test_tags_and_suffixes(known: dict[str, Any], limited_api: int | None, tag: str, suffix: str) -> None:
    one = extension(limited_api)
    assert (tags.wheel_tag([one], known), tags.suffix(one, known)) == (tag, suffix)


def test_the_narrowest_of_several_modules_decides() -> None:
    assert tags.wheel_tag([extension(9), extension(11)], facts()).startswith("cp311-abi3-")
    assert tags.wheel_tag([extension(9), extension()], facts()).startswith("cp313-cp313-")


@pytest.mark.parametrize(
    ("code", "known", "limited_api"),
    [("limited-api-newer", facts(), 14), ("limited-api-free-threaded", FREE, 9), ("limited-api-free-threaded", FREE_315, 14)],
)  # fmt: skip
def test_limited_apis_an_interpreter_cannot_have(code: str, known: dict[str, Any], limited_api: int) -> None:
    with pytest.raises(BackendError) as caught:
        tags.wheel_tag([extension(limited_api)], known)
    assert caught.value.code == code


def test_a_module_may_refuse_free_threaded_interpreters() -> None:
    one = extension()
    one.free_threaded = False
    toolchain.check_free_threaded(one, facts())
    with pytest.raises(BackendError) as caught:
        toolchain.check_free_threaded(one, FREE)
    assert caught.value.code == "free-threaded-refused"
    one.free_threaded = True
    toolchain.check_free_threaded(one, FREE)


def test_windows_is_refused_by_name() -> None:
    toolchain.check_platform(facts())
    with pytest.raises(BackendError) as caught:
        toolchain.check_platform(facts(platform="win-amd64"))
    assert caught.value.code == "platform-unsupported"


def test_the_tag_is_the_best_one_packaging_names_for_this_interpreter() -> None:
    from packaging.tags import sys_tags

    ours = tags.wheel_tag([extension()], toolchain.python_facts())
    assert ours in {str(tag) for tag in sys_tags()}
    assert ours.rsplit("-", 1)[0] == str(next(iter(sys_tags()))).rsplit("-", 1)[0]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("-Wsign-compare -DNDEBUG -g -fwrapv -O3 -Wall", "-DNDEBUG -fwrapv -O3 -Wall"),
        ("-I/home/me/include -L/home/me/lib -Wl,-rpath,/home/me/lib -shared", "-shared"),
        ("-O2 -ffile-prefix-map=/build/x=. -fdebug-prefix-map=/a=b -specs=/usr/lib/x -flto=auto", "-O2"),
        ("-Wp,-D_FORTIFY_SOURCE=2 -fstack-protector-strong -Wl,-z,relro", "-Wp,-D_FORTIFY_SOURCE=2 -fstack-protector-strong -Wl,-z,relro"),
        ("-isystem /x -arch arm64 -bundle -undefined dynamic_lookup", "-arch arm64 -bundle -undefined dynamic_lookup"),
        ("-gdwarf-4 -g3 -fprofile-use -std=c11", ""),
    ],
)  # fmt: skip
def test_of_pythons_own_flags_those_are_taken_that_name_no_folder(given: str, kept: str) -> None:
    assert toolchain.inherited(given.split()) == kept.split()
