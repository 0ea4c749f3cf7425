"""Compiled code against the promises of its wheel: objects made by the system's compiler, each with one fault."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from accord.checks.elf import read_elf
from accord.checks.limits import Limits

from .conftest import Bench, codes

pytest.importorskip("elftools", reason="accord[check] is not installed")
pytest.importorskip("auditwheel", reason="accord[check] is not installed")
pytest.importorskip("abi3info", reason="accord[check] is not installed")
pytest.importorskip("trove_classifiers", reason="accord[check] is not installed")
pytest.importorskip("comrak", reason="accord[check] is not installed")
pytestmark = pytest.mark.skipif(shutil.which("gcc") is None, reason="there is no gcc")

HONEST = "extern void *PyLong_FromLong(long);\nvoid *PyInit__speed(void) { return PyLong_FromLong(1); }\n"
NEWER_GLIBC = 'extern int memfd_create(const char *, unsigned);\nint PyInit__speed(void) { return memfd_create("", 0); }\n'
NOT_STABLE = "extern void *PyFrame_New(void);\nvoid *PyInit__speed(void) { return PyFrame_New(); }\n"
LATER = "extern void *PyType_GetName(void *);\nvoid *PyInit__speed(void) { return PyType_GetName(0); }\n"
HOME = HONEST + 'const char *where = "/home/user/build/speed.c";\n'
MANYLINUX = "cp39-abi3-manylinux_2_17_x86_64"


def compiled(folder: Path, source: str, *flags: str, name: str = "speed.so") -> bytes:
    (folder / "speed.c").write_text(source)
    out = folder / name
    command = ["gcc", "-shared", "-fPIC", "-o", str(out), str(folder / "speed.c"), *flags]
    subprocess.run(command, check=True, capture_output=True)
    return out.read_bytes()


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """A library that no policy knows."""
    compiled(tmp_path, "int spam(void) { return 1; }\n", "-Wl,-soname,libspam.so.1", name="libspam.so")
    return tmp_path


def test_an_honest_object_is_left_in_peace(bench: Bench) -> None:
    add = {"spam_shop/_speed.abi3.so": compiled(bench.folder, HONEST)}
    report = bench.check(bench.wheel(add=add, tag=MANYLINUX, pure="false"))
    assert codes(report) == []
    assert report.skipped == ()


@pytest.mark.parametrize(
    ("code", "source", "flags", "says"),
    [
        ("elf-policy", NEWER_GLIBC, (), "GLIBC_2.27"),
        ("elf-abi3", NOT_STABLE, (), "PyFrame_New"),
        ("elf-abi3", LATER, (), "cp311-abi3"),
        ("elf-home", HOME, (), "/home/user/build/speed.c"),
        ("elf-run-path", HONEST, ("-Wl,-rpath,/opt/build/lib",), "/opt/build/lib"),
    ],
)
def test_a_fault_of_an_object_is_found(
    bench: Bench, code: str, source: str, flags: tuple[str, ...], says: str
) -> None:
    add = {"spam_shop/_speed.abi3.so": compiled(bench.folder, source, *flags)}
    report = bench.check(bench.wheel(add=add, tag=MANYLINUX, pure="false"))
    assert codes(report) == [code]
    finding = report.found[0].finding
    assert says in f"{finding.message} {finding.hint}"


def test_a_newer_policy_allows_the_newer_symbol(bench: Bench) -> None:
    add = {"spam_shop/_speed.abi3.so": compiled(bench.folder, NEWER_GLIBC)}
    report = bench.check(bench.wheel(add=add, tag="cp39-abi3-manylinux_2_28_x86_64", pure="false"))
    assert codes(report) == []


def test_every_platform_of_the_name_is_a_promise(bench: Bench) -> None:
    add = {"spam_shop/_speed.abi3.so": compiled(bench.folder, NEWER_GLIBC)}
    tag = "cp39-abi3-manylinux_2_28_x86_64.manylinux2014_x86_64"
    assert codes(bench.check(bench.wheel(add=add, tag=tag, pure="false"))) == ["elf-policy"]


def test_a_library_that_is_not_promised_is_found_unless_it_travels_along(bench: Bench, library: Path) -> None:
    source = "extern int spam(void);\nint PyInit__speed(void) { return spam(); }\n"
    needs = compiled(library, source, f"-L{library}", "-lspam", "-Wl,-rpath,$ORIGIN/../spam_shop.libs")
    add = {"spam_shop/_speed.abi3.so": needs}
    report = bench.check(bench.wheel(add=add, tag=MANYLINUX, pure="false"))
    assert codes(report) == ["elf-policy"]
    assert "libspam.so.1" in report.found[0].finding.message
    add["spam_shop.libs/libspam.so.1"] = (library / "libspam.so").read_bytes()
    assert codes(bench.check(bench.wheel(add=add, tag=MANYLINUX, pure="false"))) == []


def test_a_later_function_is_fine_in_a_later_wheel(bench: Bench) -> None:
    add = {"spam_shop/_speed.abi3.so": compiled(bench.folder, LATER)}
    report = bench.check(bench.wheel(add=add, tag="cp311-abi3-manylinux_2_17_x86_64", pure="false"))
    assert codes(report) == []


def test_code_for_another_machine_is_found(bench: Bench) -> None:
    data = bytearray(compiled(bench.folder, HONEST))
    data[18:20] = (183).to_bytes(2, "little")  # e_machine: AArch64
    report = bench.check(
        bench.wheel(add={"spam_shop/_speed.abi3.so": bytes(data)}, tag=MANYLINUX, pure="false")
    )
    assert codes(report) == ["elf-machine"]


def test_an_object_that_is_none_is_found(bench: Bench) -> None:
    add = {"spam_shop/_speed.abi3.so": b"\x7fELF" + b"\xff" * 100}
    report = bench.check(bench.wheel(add=add, tag=MANYLINUX, pure="false"))
    assert codes(report) == ["elf-unreadable"]


@pytest.mark.parametrize(
    ("name", "tag", "found"),
    [
        ("_speed.cpython-312-x86_64-linux-gnu.so", "cp311-cp311", ["extension-suffix"]),
        ("_speed.cpython-312-x86_64-linux-gnu.so", "cp39-abi3", ["extension-suffix"]),
        ("_speed.cpython-313-x86_64-linux-gnu.so", "cp313-cp313t", ["extension-suffix"]),
        ("_speed.cpython-313t-x86_64-linux-gnu.so", "cp313-cp313t", []),
        ("_speed.cpython-312-x86_64-linux-gnu.so", "cp312-cp312", []),
        ("_speed.abi3.so", "cp312-cp312", []),
        ("_speed.so", "cp312-cp312", []),
        ("_speed.cpython-312-x86_64-linux-gnu.so", "py3-none", []),
    ],
)
def test_the_suffix_of_a_module_belongs_to_the_tags(
    bench: Bench, name: str, tag: str, found: list[str]
) -> None:
    add = {f"spam_shop/{name}": compiled(bench.folder, HONEST)}
    report = bench.check(bench.wheel(add=add, tag=f"{tag}-manylinux_2_17_x86_64", pure="false"))
    assert codes(report) == found


@pytest.mark.parametrize(
    ("name", "tag", "found"),
    [
        ("_speed.cp312-win_amd64.pyd", "cp311-cp311-win_amd64", ["extension-suffix"]),
        ("_speed.cp311-win_amd64.pyd", "cp311-cp311-win_amd64", []),
        ("_speed.pyd", "cp39-abi3-win_amd64", []),
        ("_speed.cpython-312-darwin.so", "cp311-cp311-macosx_11_0_arm64", ["extension-suffix"]),
        ("_speed.cpython-311-darwin.so", "cp311-cp311-macosx_11_0_arm64", []),
    ],
)
def test_the_suffixes_of_other_systems_are_known(bench: Bench, name: str, tag: str, found: list[str]) -> None:
    report = bench.check(bench.wheel(add={f"spam_shop/{name}": b"not for Linux"}, tag=tag, pure="false"))
    assert codes(report) == found


def test_an_object_of_too_many_parts_is_refused(bench: Bench) -> None:
    data = compiled(bench.folder, HONEST)
    count = next(
        number for number in range(1, 200) if not read_elf(data, Limits(binary_sections=number)).fault
    )
    assert count > 5
    assert "sections" in read_elf(data, Limits(binary_sections=count - 1)).fault
    symbols = next(
        number for number in range(1, 200) if not read_elf(data, Limits(binary_entries=number)).fault
    )
    assert "entries" in read_elf(data, Limits(binary_entries=symbols - 1)).fault


def test_an_object_beyond_the_limit_is_named_as_not_examined(bench: Bench) -> None:
    data = compiled(bench.folder, NEWER_GLIBC)
    wheel = bench.wheel(add={"spam_shop/_speed.abi3.so": data}, tag=MANYLINUX, pure="false")
    assert codes(bench.check(wheel, limits=Limits(binary_bytes=len(data)))) == ["elf-policy"]
    assert codes(bench.check(wheel, limits=Limits(binary_bytes=len(data) - 1))) == ["not-examined"]
