"""Extras, groups and single groups of a lock."""

from __future__ import annotations

import pytest

from accord.tasks.selecting import choose
from accord.tasks.settings import Selection
from accord_core.errors import AccordError
from accord_core.lock.model import Lock, Package

LOCK = Lock(
    packages=(Package(name="a", version="1"), Package(name="b", version="1")),
    extras=("web", "db"),
    dependency_groups=("dev", "docs"),
    tool={"accord": {"only-groups": {"docs": ["b"]}}},
)


@pytest.mark.parametrize(
    ("selection", "extras", "groups", "names"),
    [
        (Selection(), (), (), None),
        (Selection(extras=("web",)), ("web",), (), None),
        (Selection(all_extras=True), ("web", "db"), (), None),
        (Selection(groups=("dev",)), (), ("dev",), None),
        (Selection(all_groups=True, no_groups=("dev",)), (), ("docs",), None),
        (Selection(only_groups=("docs",), extras=("web",)), (), ("docs",), {"b"}),
    ],
)
def test_what_is_selected(
    selection: Selection, extras: tuple[str, ...], groups: tuple[str, ...], names: set[str] | None
) -> None:
    parts = choose(LOCK, selection)
    assert (parts.extras, parts.groups, parts.names) == (extras, groups, names)


def test_default_groups_of_the_lock_are_taken_unasked() -> None:
    parts = choose(LOCK.replace(default_groups=("dev",)), Selection(default_groups=False))
    assert parts.groups == ("dev",)


@pytest.mark.parametrize(
    ("selection", "code"),
    [
        (Selection(extras=("wbe",)), "unknown-extra"),
        (Selection(groups=("nope",)), "unknown-group"),
        (Selection(only_groups=("nope",)), "unknown-group"),
        (Selection(only_groups=("dev",)), "lock-without-groups"),
    ],
)
def test_what_the_lock_does_not_have_is_refused(selection: Selection, code: str) -> None:
    with pytest.raises(AccordError) as caught:
        choose(LOCK, selection)
    assert caught.value.code == code
