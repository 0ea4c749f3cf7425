"""What a target accepts, and what a version needs there, decided once."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accord.repositories.candidates import Warm, compile_page, decide
from accord.repositories.groups import Groups, split
from accord.testing.shops import target
from accord_core.index.model import File
from accord_core.project.versions import sort_key


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


def test_file_names_of_too_many_tags_are_left_out_and_cost_nothing() -> None:
    many = ".".join(f"p{n}" for n in range(400))
    names = [f"spam-{n}.0-{many}-{many}-{many}.whl" for n in range(300)]
    began = time.process_time()
    warm, _ = compile_page(
        Groups("spam", [file(name) for name in (*names, "spam-7.1-py3-none-any.whl")]), target()
    )
    assert time.process_time() - began < 2
    assert warm.wheels == 1 << warm.versions.index("7.1")
    assert [split(name, "spam") for name in names[:2]] == [None, None]
    assert target().rank(f"{many}-{many}-{many}") is None and not target().same_python(
        f"{many}-{many}-{many}"
    )


@pytest.mark.parametrize("spare", [0, 1])
def test_there_are_most_requirements_and_extras(spare: int) -> None:
    requirements = [f"spam{n}" for n in range(10_000 + spare)]
    extras = [f"extra{n}" for n in range(5_000 + spare)]
    for found in (
        decide("spam", None, requirements, (), target()),
        decide("spam", None, (), extras, target()),
    ):
        assert isinstance(found, dict) if spare == 0 else isinstance(found, tuple)


@pytest.mark.parametrize(
    "text", ["eggs>=" + "9" * 5000, "eggs; " + "(" * 3000 + "python_version>'3'" + ")" * 3000]
)
def test_what_is_longer_or_deeper_than_anybody_writes_makes_a_version_unusable(text: str) -> None:
    found = needs(text)
    assert isinstance(found, tuple) and found[0] == "metadata-invalid" and len(found[1]) < 1000


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
    groups = Groups(
        "app",
        [file("app-1.0.tar.gz"), file("app-1.0rc1-py3-none-any.whl"), file("app-01.1.zip", yanked=True)],
    )
    warm, _ = compile_page(groups, target())
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


NAMES = (
    "app-{v}.tar.gz",
    "App-{v}.zip",
    "app-{v}-py3-none-any.whl",
    "app-{v}-1-py3-none-any.whl",
    "app-{v}-cp312-cp312-manylinux_2_17_x86_64.whl",
    "app-{v}-cp312-cp312-win_amd64.whl",
    "app-{v}-cp38-abi3-linux_x86_64.manylinux_2_17_x86_64.whl",
    "other-{v}-py3-none-any.whl",
    "app-{v}-py3-none.whl",
    "app-{v}.exe",
    "app-{v}-py3-none-any.whl.asc",
)
VERSIONS = (
    "1.0",
    "1.0.0",
    "01.0",
    "1.0-1",
    "1.0rc1",
    "1.0.dev1",
    "2.0+cpu.1",
    "2.0",
    "1!0.1",
    "nonsense",
    "1.0.post1",
)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(NAMES),
            st.sampled_from(VERSIONS),
            st.sampled_from((None, ">=3.8", "<3.12", "rubbish")),
            st.booleans(),
            st.sampled_from((None, "2024-01-01T00:00:00Z", "2024-06-01T00:00:00Z")),
        ),
        max_size=40,
    ),
    st.sampled_from((None, "2024-03-01T00:00:00Z")),
)
def test_a_page_in_any_order_says_of_each_version_what_its_files_say_one_by_one(
    made: list[tuple[str, str, str | None, bool, str | None]], cutoff: str | None
) -> None:
    on = target()
    files = [
        File(name.format(v=version), "https://files.example/f", {}, python, yanked, upload_time=uploaded)
        for name, version, python, yanked, uploaded in made
    ]
    groups = Groups("app", files)
    warm, keys = compile_page(groups, on, cutoff=cutoff)
    assert keys == [sort_key(version) for version in warm.versions] == sorted(set(keys))
    listed = {
        sort_key(parts[0]) for file in files if (parts := split(file.filename, "app")) and sane(parts[0])
    }
    assert set(keys) == listed
    for index, version in enumerate(warm.versions):
        rows = [
            row
            for row in groups.rows(version)
            if on.python_fits(row[0].requires_python)
            and (cutoff is None or (row[0].upload_time is not None and row[0].upload_time < cutoff))
            and (row[1] is None or on.rank(row[1]) is not None)
        ]
        bits = [mask >> index & 1 for mask in (warm.wheels, warm.sdists, warm.yanked)]
        assert bits == [
            any(row[1] is not None for row in rows),
            any(row[1] is None for row in rows),
            bool(rows) and all(row[0].yanked for row in rows),
        ]
        spelt = warm.spellings.get(index, (version,))
        assert spelt == tuple(dict.fromkeys(row[2] for row in groups.rows(version)))
        assert Groups("app", files).tagged(version, spelt) == groups.tagged(version)


def sane(version: str) -> bool:
    try:
        sort_key(version)
    except ValueError:
        return False
    return True
