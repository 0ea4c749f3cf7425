"""What a target accepts, and what a version needs there, decided once."""

from __future__ import annotations

import pytest

from accord.repositories.candidates import Warm, compile_page, decide
from accord.repositories.groups import group
from accord.testing.shops import target
from accord_core.index.model import File


def file(name: str, *, python: str | None = None, yanked: bool = False) -> File:
    return File(name, f"https://files.example/{name}", {}, python, yanked)


def needs(*requirements: str, extras: tuple[str, ...] = (), python: str | None = None) -> object:
    return decide("app", python, requirements, extras, target())


def test_a_requirement_is_decided_for_the_target_and_named_in_normal_form() -> None:
    assert needs("Foo_Bar[Y,x] >= 1.0 , < 2", "gone ; os_name == 'nt'") == {
        "": (("foo-bar", ("x", "y"), "<2,>=1.0"),)
    }


def test_what_is_written_twice_is_needed_once() -> None:
    assert needs("a", "a ; os_name == 'posix'", "a>=1") == {"": (("a", (), ""), ("a", (), ">=1"))}


def test_extras_are_keys_in_normal_form_also_those_that_bring_nothing() -> None:
    assert needs("a ; extra == 'Some.Extra'", extras=("some_extra", "nothing")) == {
        "": (),
        "some-extra": (("a", (), ""),),
        "nothing": (),
    }


def test_an_extra_that_is_not_declared_brings_nothing() -> None:
    assert needs("a ; extra == 'x'") == {"": ()}


def test_extras_whose_names_contain_one_another_are_told_apart() -> None:
    found = needs("a ; extra == 'x'", "b ; extra == 'x-y'", extras=("x", "x-y"))
    assert found == {"": (), "x": (("a", (), ""),), "x-y": (("b", (), ""),)}


def test_a_marker_that_holds_without_an_extra_needs_none() -> None:
    assert needs("a ; extra != 'x'", "b ; extra == 'x' or os_name == 'posix'", extras=("x",)) == {
        "": (("a", (), ""), ("b", (), "")),
        "x": (),
    }


def test_a_direct_reference_is_written_with_its_url() -> None:
    assert needs("a @ https://files.example/a.whl") == {"": (("a", (), "@ https://files.example/a.whl"),)}


@pytest.mark.parametrize("text", ["a (", "a>=x", "a ; nonsense == '1'", "a ; python_version ~~ '3'"])
def test_what_cannot_be_read_is_told_in_one_line_with_its_text(text: str) -> None:
    found = needs("fine", text)
    assert isinstance(found, tuple)
    code, reason = found
    assert code == "metadata-invalid"
    assert repr(text) in reason
    assert "\n" not in reason


def test_a_python_the_metadata_exclude() -> None:
    assert needs("a", python="<3.12") == ("requires-python", "needs Python <3.12")
    assert needs("a", python="rubbish") == {"": (("a", (), ""),)}


def test_tags_of_this_python_whatever_the_platform() -> None:
    on = target()
    assert on.same_python("cp312-cp312-win_amd64")
    assert on.same_python("cp38-abi3-macosx_11_0_arm64")
    assert on.same_python("py2.py3-none-any")
    assert not on.same_python("cp311-cp311-manylinux_2_17_x86_64")
    assert not on.same_python("cp312-cp312t-manylinux_2_17_x86_64")


def test_a_better_tag_has_a_lower_rank() -> None:
    on = target()
    best, abi3, pure = (
        on.rank(tag)
        for tag in ("cp312-cp312-manylinux_2_17_x86_64", "cp312-abi3-linux_x86_64", "py3-none-any")
    )
    assert best is not None
    assert abi3 is not None
    assert pure is not None
    assert best < abi3 < pure
    assert on.rank("py2.py3-none-any") == pure
    assert on.rank("cp312-cp312-win_amd64") is None


def test_a_warm_record_is_what_it_was_after_packing() -> None:
    groups = group(
        "app",
        [file("app-1.0.tar.gz"), file("app-1.0rc1-py3-none-any.whl"), file("app-01.1.zip", yanked=True)],
    )
    warm = compile_page(groups, target())
    warm.masks["<1"] = 1
    warm.needs["1.0"] = {"": (("a", (), ""),)}
    warm.needs["1.1"] = ("metadata-invalid", "has none")
    again = Warm.unpack(warm.pack())
    assert {name: getattr(again, name) for name in Warm.__slots__} == {
        name: getattr(warm, name) for name in Warm.__slots__
    }
    assert again.versions == ("1.0rc1", "1.0", "1.1")
    assert (again.pre, again.wheels, again.sdists, again.yanked) == (0b001, 0b001, 0b110, 0b100)
    assert again.spellings == {2: ("01.1",)}


@pytest.mark.parametrize("blob", [b"", b"\x00", b"rubbish", b"(\x01\x00\x00\x00N"])
def test_bytes_that_are_no_warm_record_are_refused(blob: bytes) -> None:
    with pytest.raises((ValueError, EOFError, TypeError)):
        Warm.unpack(blob)
