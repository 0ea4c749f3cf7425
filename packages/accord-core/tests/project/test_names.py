"""Names agree with ``packaging.utils``."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st
from packaging.utils import InvalidName, canonicalize_name

from accord_core import names

spelt = st.one_of(st.text("aB9-_.", max_size=8), st.text(max_size=5))


@given(spelt)
@example("A.-_b")
@example("İx")
def test_normal_form(name: str) -> None:
    assert names.normalise(name) == canonicalize_name(name)


@given(spelt)
@example("")
@example("-a")
@example("a_")
@example("İ")
@example("K")  # the Kelvin sign lowers to k
@example("a\n")
def test_valid(name: str) -> None:
    try:
        canonicalize_name(name, validate=True)
    except InvalidName:
        assert not names.valid(name)
    else:
        assert names.valid(name)
