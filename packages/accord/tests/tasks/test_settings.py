"""The records a command line becomes are values."""

from __future__ import annotations

import pytest

from accord.tasks.outcomes import SyncOutcome
from accord.tasks.settings import CompileOutput, ResolveSettings, Selection, normal_names


def test_records_are_equal_by_what_they_hold() -> None:
    assert ResolveSettings(indexes=["https://index.example/"]) == ResolveSettings(
        indexes=("https://index.example/",)
    )
    assert ResolveSettings() != ResolveSettings(offline=True)
    assert Selection() != CompileOutput()
    assert len({ResolveSettings(), ResolveSettings(), ResolveSettings(no_deps=True)}) == 2


def test_a_record_cannot_be_changed_but_replaced() -> None:
    settings = ResolveSettings(resolution="lowest")
    with pytest.raises(AttributeError, match="use replace"):
        settings.offline = True
    changed = settings.replace(offline=True)
    assert (changed.offline, changed.resolution, settings.offline) == (True, "lowest", False)
    with pytest.raises(TypeError):
        settings.replace(no_such_field=1)


@pytest.mark.parametrize(
    ("settings", "project", "build", "wheel"),
    [
        (ResolveSettings(), "a", True, True),
        (ResolveSettings(only_binary=(":all:",)), "a", False, True),
        (ResolveSettings(only_binary=("a",)), "a", False, True),
        (ResolveSettings(only_binary=("a",)), "b", True, True),
        (ResolveSettings(no_binary=("a",)), "a", True, False),
        (ResolveSettings(no_binary=(":all:",)), "b", True, False),
    ],
)
def test_what_may_be_built_and_what_may_be_a_wheel(
    settings: ResolveSettings, project: str, build: bool, wheel: bool
) -> None:
    assert settings.may_build(project) is build
    assert settings.may_use_wheel(project) is wheel


def test_names_are_normalised_once_each() -> None:
    assert normal_names(("Foo.Bar", "foo-bar", "B")) == ("foo-bar", "b")


def test_an_outcome_knows_whether_anything_changed() -> None:
    assert not SyncOutcome(env="x", kept=3).changed
    assert SyncOutcome(env="x", removed=[("a", "1")]).changed
