"""File names of wheels (binary distribution format) and sdists (PEP 625 and before)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename

from accord_core.index.filenames import few_tags, kind, safe, split_sdist, split_wheel


@pytest.mark.parametrize(
    ("filename", "parts"),
    [
        ("spam-1.0-py3-none-any.whl", ("spam", "1.0", "", "py3", "none", "any")),
        ("spam-1.0-1abc-py2.py3-none-any.whl", ("spam", "1.0", "1abc", "py2.py3", "none", "any")),
        ("Flask_Bcrypt-1.0.1-py3-none-any.whl", ("Flask_Bcrypt", "1.0.1", "", "py3", "none", "any")),
        (
            "torch-2.1+cpu-cp311-cp311-linux_x86_64.whl",
            ("torch", "2.1+cpu", "", "cp311", "cp311", "linux_x86_64"),
        ),
        ("SPAM-1!2.0-py3-none-any.WHL", ("SPAM", "1!2.0", "", "py3", "none", "any")),
    ],
)
def test_a_wheel_name_is_taken_apart_as_written(filename: str, parts: tuple[str, ...]) -> None:
    found = split_wheel(filename)
    assert found is not None
    assert (found.name, found.version, found.build, found.python, found.abi, found.platform) == parts


@pytest.mark.parametrize(
    "filename",
    [
        "spam-1.0-py3-none.whl",
        "spam-1.0-1-py3-none-any-extra.whl",
        "spam-1.0-build1-py3-none-any.whl",
        "spam__eggs-1.0-py3-none-any.whl",
        "spam--py3-none-any.whl",
        "-1.0-py3-none-any.whl",
        "spam-1.0-py3-none-any.zip",
        "spam.whl",
        ".whl",
        f"spam-1.0-{'.'.join(['py3'] * 11)}-{'.'.join(['none'] * 10)}-{'.'.join(['any'] * 10)}.whl",
    ],
)
def test_a_name_that_does_not_fit_is_no_wheel_and_no_error(filename: str) -> None:
    assert split_wheel(filename) is None


def test_tags_expand_in_lower_case_and_in_order() -> None:
    found = split_wheel("spam-1.0-py2.py3-none-Any.whl")
    assert found is not None
    assert found.tags == ("py2-none-any", "py3-none-any")


@pytest.mark.parametrize(
    ("parts", "few"),
    [((10, 10, 10), True), ((1000, 1, 1), True), ((1001, 1, 1), False), ((1, 1, 1001), False), ((10, 10, 11), False),
     ((1, 29, 1), True), ((400, 400, 400), False)],
)  # fmt: skip
def test_a_set_that_stands_for_too_many_tags_is_no_wheel_s(parts: tuple[int, int, int], few: bool) -> None:
    tags = "-".join(
        ".".join(f"{letter}{n}" for n in range(count)) for letter, count in zip("pam", parts, strict=True)
    )
    assert few_tags(tags) is few
    assert (split_wheel(f"spam-1.0-{tags}.whl") is not None) is few


def test_builds_are_ordered_by_number_then_text_and_none_comes_first() -> None:
    names = [
        "spam-1-10-py3-none-any.whl",
        "spam-1-py3-none-any.whl",
        "spam-1-9b-py3-none-any.whl",
        "spam-1-9-py3-none-any.whl",
    ]
    found = [split_wheel(name) for name in names]
    assert [
        each.build for each in sorted((each for each in found if each), key=lambda each: each.build_key)
    ] == [
        "",
        "9",
        "9b",
        "10",
    ]


_TOKEN = st.text(alphabet="abcXYZ019_.", min_size=1, max_size=6)


@given(
    st.builds(
        lambda parts, build: "-".join([*parts[:2], *build, *parts[2:]]) + ".whl",
        st.tuples(_TOKEN, st.sampled_from(["1.0", "2!1.0rc1", "1.0+cpu.1", "0.0.0"]), _TOKEN, _TOKEN, _TOKEN),
        st.sampled_from([[], ["1"], ["12abc"], ["x1"]]),
    )
)
def test_packaging_agrees_wherever_it_accepts(filename: str) -> None:
    try:
        name, _, build, tags = parse_wheel_filename(filename)
    except InvalidWheelFilename:
        return
    found = split_wheel(filename)
    assert found is not None
    assert canonicalize_name(found.name) == name
    assert found.build_key == (build or (-1, ""))
    assert set(found.tags) == {str(tag) for tag in tags}


@pytest.mark.parametrize(
    ("filename", "project", "parts"),
    [
        ("spam-1.0.tar.gz", "spam", ("spam", "1.0")),
        ("spam_eggs-1.0.tar.gz", "spam-eggs", ("spam_eggs", "1.0")),
        ("spam-eggs-1.0-2.tar.gz", "spam-eggs", ("spam-eggs", "1.0-2")),
        ("Spam.Eggs-1.0.ZIP", "spam-eggs", ("Spam.Eggs", "1.0")),
        ("spam__eggs-1.0.zip", "spam-eggs", ("spam__eggs", "1.0")),
        ("spam-2-1.0.tar.gz", "spam-2", ("spam-2", "1.0")),
        ("spam-2-1.0.tar.gz", "spam", ("spam", "2-1.0")),
        ("eggs-1.0.tar.gz", "spam", None),
        ("spam-.tar.gz", "spam", None),
        ("spam.tar.gz", "spam", None),
        ("spam-1.0.tar.bz2", "spam", None),
        ("spam-1.0.win32.exe", "spam", None),
    ],
)
def test_an_sdist_is_read_with_its_project_in_hand(
    filename: str, project: str, parts: tuple[str, str] | None
) -> None:
    assert split_sdist(filename, project) == parts


def test_kinds() -> None:
    assert kind("spam-1.0-py3-none-any.whl") == "wheel"
    assert kind("spam-1.0.tar.gz") == kind("spam-1.0.zip") == "sdist"
    assert kind("spam-1.0.egg") is kind("spam-1.0.tar.gz.asc") is kind("spam-1.0.exe") is None


@pytest.mark.parametrize(
    "name", ["", ".", "..", ".hidden", "a/b", "a\\b", "a\0b", "a\nb", "c:x", " a", "a ", "a*"]
)
def test_what_is_no_bare_file_name_is_not_safe(name: str) -> None:
    assert not safe(name)
    assert safe("spam-1!2.0+cpu.1-py3-none-any.whl")
