"""Masks over a closed universe, and the words for them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet

from accord_core.resolve.universe import Universe

VERSIONS = ("0.9", "1.0", "1.1", "2.0a1", "2.0", "3.0")


def bits(*places: int) -> int:
    return sum(1 << place for place in places)


@pytest.mark.parametrize(
    ("places", "words"),
    [
        ((0, 1, 2, 3, 4, 5), "all versions"),
        ((2,), "1.1"),
        ((0, 1), "<=1.0"),
        ((4, 5), ">=2.0"),
        ((1, 2, 3), "1.0 to 2.0a1"),
        ((0, 2, 5), "0.9, 1.1, 3.0"),
        ((0, 1, 3, 5), "<=1.0, 2.0a1, 3.0"),
    ],
)
def test_a_mask_in_words(places: tuple[int, ...], words: str) -> None:
    assert Universe("a", VERSIONS).words(bits(*places)) == words


def test_the_absent_bit_is_not_a_version() -> None:
    universe = Universe("a", VERSIONS)
    assert universe.words(bits(2) | universe.absent) == "1.1"


def test_what_may_not_be_chosen_anyway_breaks_no_run_and_is_missed_by_nobody() -> None:
    universe = Universe("a", VERSIONS, eligible=bits(0, 1, 2, 4, 5))
    assert universe.words(bits(1, 2, 4)) == "1.0 to 2.0"
    assert universe.words(bits(0, 1, 2, 4, 5)) == "all versions"


def test_a_mask_of_nothing_but_ineligible_versions_names_them() -> None:
    universe = Universe("a", VERSIONS, eligible=bits(0, 1))
    assert universe.words(bits(3)) == "2.0a1"
    assert universe.words(bits(4, 5)) == ">=2.0"


def test_many_runs_are_shortened() -> None:
    universe = Universe("a", tuple(f"{n}.0" for n in range(20)))
    assert universe.words(bits(*range(1, 20, 2))) == "1.0, 3.0, 5.0, …, 17.0, 19.0"


def test_a_direct_reference_answers_to_its_own_url_alone_and_to_any_specifier_it_meets() -> None:
    universe = Universe("a", ("1.7",), direct="https://files.example/a.whl")
    assert universe.mask("@ https://files.example/a.whl") == 1
    assert universe.mask("@ https://other.example/a.whl") == 0
    assert universe.mask(">=1.0") == 1
    assert universe.mask("<1.0") == 0
    assert Universe("a", ("1.7",)).mask("@ https://files.example/a.whl") == 0


def test_arbitrary_equality_compares_with_every_raw_spelling() -> None:
    universe = Universe("a", ("1.0",), spellings={0: ("1.0", "1.0.0")})
    assert universe.mask("===1.0.0") == 1
    assert universe.mask("===1.0.0.0") == 0


def test_masks_that_were_handed_in_are_used_and_new_ones_are_told() -> None:
    universe = Universe("a", VERSIONS, masks={">=2": bits(4, 5)})
    assert (universe.mask(">=2"), universe.grown) == (bits(4, 5), False)
    assert (universe.mask("<1"), universe.grown) == (bits(0), True)
    assert universe.masks["<1"] == bits(0)


def test_an_index_is_found_by_normal_form() -> None:
    universe = Universe("a", VERSIONS)
    assert universe.index("2.0a1") == 3
    assert universe.index("2") is None


@given(
    st.sampled_from((">=1.0", "<2.0", "==1.*", "!=1.0", "~=1.0", ">1.0", "<=2.0a1", "===1.1", ">=0.9,!=1.1")),
    st.sets(st.sampled_from((*VERSIONS, "1.0+cpu", "1.0.post1", "1!0.1"))),
)
def test_a_mask_is_what_packaging_says_version_by_version(specifier: str, some: set[str]) -> None:
    from packaging.version import Version

    versions = tuple(sorted(some, key=Version))
    universe = Universe("a", versions)
    expected = bits(
        *(
            place
            for place, version in enumerate(versions)
            if SpecifierSet(specifier).contains(version, prereleases=True)
        )
    )
    assert universe.mask(specifier) == expected
    assert not universe.mask(specifier) & universe.absent
