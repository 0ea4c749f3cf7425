"""Of two wheels alike but for their build tags the greater one is taken (binary distribution format, "File name convention")."""

from __future__ import annotations

import pytest

from accord_core.lock.select import rank_tags, wheel_rank

RANKS = rank_tags(["py3-none-any"])


@pytest.mark.parametrize(
    ("greater", "less"),
    [("1", ""), ("2", "1"), ("10", "9"), ("1a", "1"), ("1b", "1a"), ("1ab", "1a"), ("2", "1z")],
)
def test_the_greater_build_is_the_better(greater: str, less: str) -> None:
    def rank(build: str) -> object:
        return wheel_rank(f"demo-1.0-{build}-py3-none-any.whl".replace("--", "-"), RANKS, {})

    assert rank(greater) < rank(less)  # type: ignore[operator]
