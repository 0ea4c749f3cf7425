"""Golden stories: what a person reads when nothing fits.  One world, one story."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from accord_core.resolve.explain import error
from accord_core.resolve.solver import Unsolvable

World = Callable[..., Any]
NONE = "what was asked cannot be satisfied."


def test_a_name_that_no_index_has(world: World) -> None:
    told = world({}).why_not("ghost>=1")
    assert told.code == "unknown-project"
    assert told.summary == "No index has a project named ghost"
    assert told.story == (
        "ghost>=1 is required (requirements.in:1), but no index has a project named ghost.",
    )
    assert "check the spelling" in told.hint


def test_a_name_that_no_index_has_but_every_version_of_another_needs(world: World) -> None:
    told = world({"a": {"1.0": ["ghost"], "2.0": ["ghost>2"]}}).why_not("a")
    assert (told.code, told.summary) == ("unknown-project", "No index has a project named ghost")
    assert told.story[-1] == f"And because a is required (requirements.in:1), {NONE}"


def test_a_project_without_files(world: World) -> None:
    told = world({"a": {}}).why_not("a")
    assert (told.code, told.summary) == ("empty-project", "a has no files to install")


def test_no_version_matches(world: World) -> None:
    told = world({"a": {"1.0": [], "1.5": []}}).why_not("a>2")
    assert told.code == "no-matching-version"
    assert told.story == (
        "a>2 is required (requirements.in:1), but no version of a matches >2 (newest: 1.5).",
    )


def test_no_version_matches_what_another_needs(world: World) -> None:
    told = world({"a": {"1.0": ["b>2"]}, "b": {"1.0": []}}).why_not("a")
    assert (told.code, told.summary) == ("no-matching-version", "No version of b matches >2 (newest: 1.0)")
    assert told.story == (
        (
            "Because every version of a needs b>2, but no version of b matches >2 (newest: 1.0)"
            f" and a is required (requirements.in:1), {NONE}"
        ),
    )


def test_two_lines_of_one_file_that_exclude_each_other(world: World) -> None:
    told = world({"a": {"1.0": [], "2.0": []}}).why_not("a<2", "a>=2")
    assert told.code == "unsatisfiable"
    assert told.story == (
        f"Because a<2 is required (requirements.in:1) and a>=2 is required (requirements.in:2), {NONE}",
    )


def test_two_projects_that_need_different_versions_of_a_third(world: World) -> None:
    told = world(
        {"a": {"1.0": ["c<2"]}, "b": {"1.0": ["c>=2"]}, "c": {"1.0": [], "2.0": []}},
    ).why_not("a", "b")
    assert (told.code, told.summary) == (
        "unsatisfiable",
        "No set of versions satisfies everything that was asked",
    )
    assert told.story == (
        (
            "Because every version of b needs c>=2 and every version of a needs c<2,"
            " every version of b and every version of a cannot be used together."
        ),
        "And because a is required (requirements.in:1), every version of b cannot be used.",
        f"And because b is required (requirements.in:2), {NONE}",
    )
    assert set(told.leaves) == {
        "every version of b needs c>=2",
        "every version of a needs c<2",
        "a is required (requirements.in:1)",
        "b is required (requirements.in:2)",
    }


def test_a_version_that_excludes_itself(world: World) -> None:
    told = world({"a": {"1.0": ["a>=2"], "2.0": ["a<2"]}}).why_not("a")
    assert told.story[0] == "Because a 1.0 needs a>=2 and a 2.0 needs a<2, every version of a cannot be used."
    assert world({"a": {"1.0": ["a<2"], "2.0": ["a<2"]}}).versions("a") == ["a==1.0"]


def test_a_deep_chain_is_told_link_by_link(world: World) -> None:
    told = world(
        {
            "app": {"1.0": ["web"]},
            "web": {"1.0": ["http"], "2.0": ["http"]},
            "http": {"1.0": ["tls>=3"]},
            "tls": {"2.0": [], "3.0": []},
            "legacy": {"1.0": ["tls<3"]},
        }
    ).why_not("app", "legacy")
    assert told.story == (
        (
            "Because every version of legacy needs tls<3 and every version of http needs tls>=3,"
            " every version of legacy and every version of http cannot be used together."
        ),
        (
            "And because every version of web needs http,"
            " every version of legacy and every version of web cannot be used together."
        ),
        (
            "And because every version of app needs web,"
            " every version of legacy and every version of app cannot be used together."
        ),
        "And because app is required (requirements.in:1), every version of legacy cannot be used.",
        f"And because legacy is required (requirements.in:2), {NONE}",
    )


def test_an_extra_is_named_where_it_is_the_extra_that_needs(world: World) -> None:
    told = world({"a": {"1.0": {"": [], "x": ["b>=2"]}}, "b": {"1.0": [], "2.0": []}}).why_not("a[x]", "b<2")
    assert told.story == (
        "Because every version of a[x] needs b>=2 and a[x] is required (requirements.in:1), a[x] needs b 2.0.",
        "And because a[x] is required (requirements.in:1), b 2.0 is required.",
        f"And because b<2 is required (requirements.in:2), {NONE}",
    )


def test_without_the_extra_the_same_world_is_solved(world: World) -> None:
    index = world({"a": {"1.0": {"": [], "x": ["b>=2"]}}, "b": {"1.0": [], "2.0": []}})
    assert index.versions("a", "b<2") == ["a==1.0", "b==1.0"]


def test_a_constraint_is_called_one_and_named_by_its_file(world: World) -> None:
    told = world({"a": {"1.0": ["b>=2"]}, "b": {"1.0": [], "2.0": []}}).why_not("a", constraints=["b<2"])
    assert told.story == (
        "Because every version of a needs b>=2 and a is required (requirements.in:1), b 2.0 is required.",
        f"And because b<2 is a constraint (constraints.txt:1), {NONE}",
    )


def test_a_constraint_on_what_nobody_needs_is_no_reason_to_fail(world: World) -> None:
    assert world({"a": {"1.0": []}, "b": {"1.0": []}}).versions("a", constraints=["b>7", "ghost>1"]) == [
        "a==1.0"
    ]


@pytest.mark.parametrize(
    ("code", "clause"),
    [
        ("requires-python", "needs Python >=3.13, and this is 3.12.1"),
        ("only-yanked", "is yanked (broken)"),
        ("only-prereleases", "is a pre-release"),
        ("excluded-newer", "was uploaded at or after 2020-01-01"),
        ("no-compatible-wheel", "has no wheel for this Python"),
        ("project-quarantined", "is quarantined by its index"),
    ],
)
def test_why_no_version_is_eligible(world: World, code: str, clause: str) -> None:
    index = world(
        {"a": {"1.0": [], "2.0": []}}, barred={("a", "1.0"): (code, clause), ("a", "2.0"): (code, clause)}
    )
    told = index.why_not("a")
    assert told.code == code
    assert told.summary == f"Every version of a {clause}"
    assert told.story == (
        f"Because every version of a {clause} and a is required (requirements.in:1), {NONE}",
    )
    assert told.hint


def test_only_the_versions_that_would_have_done_are_said_to_be_ineligible(world: World) -> None:
    """1.0 is yanked as well, but nobody could have used it anyway."""
    told = world(
        {"a": {"1.0": ["b>=2"]}, "b": {"1.0": [], "2.0": [], "3.0": []}},
        barred={
            ("b", "1.0"): ("only-yanked", "is yanked"),
            ("b", "2.0"): ("requires-python", "needs Python >=3.13"),
            ("b", "3.0"): ("requires-python", "needs Python >=3.13"),
        },
    ).why_not("a")
    assert (told.code, told.summary) == ("requires-python", "b >=2.0 needs Python >=3.13")


def test_metadata_that_cannot_be_read(world: World) -> None:
    told = world({"a": {"1.0": []}}, broken={("a", "1.0"): "has metadata that cannot be read (x)"}).why_not(
        "a"
    )
    assert (told.code, told.summary) == (
        "metadata-invalid",
        "Every version of a has metadata that cannot be read (x)",
    )
    assert told.hint


def test_a_version_with_unreadable_metadata_is_passed_over(world: World) -> None:
    index = world({"a": {"1.0": [], "2.0": []}}, broken={("a", "2.0"): "has metadata that cannot be read"})
    assert index.versions("a") == ["a==1.0"]


def test_a_url_that_somebody_else_names_is_refused(world: World) -> None:
    told = world({"a": {"1.0": ["b @ https://files.example/b.whl"]}, "b": {"1.0": []}}).why_not("a")
    assert (told.code, told.summary) == (
        "url-dependency",
        "Only what you ask for yourself may name b by a URL",
    )


def test_a_url_that_was_asked_for_by_the_person_too_is_fine(world: World) -> None:
    index = world(
        {"a": {"1.0": ["b @ https://files.example/b.whl"]}, "b": {"1.0": []}},
        direct={"b": "https://files.example/b.whl"},
    )
    assert index.versions("a", "b @ https://files.example/b.whl") == ["a==1.0", "b==1.0"]


def test_a_direct_reference_that_does_not_meet_a_specifier(world: World) -> None:
    told = world(
        {"a": {"1.0": ["b>=2"]}, "b": {"1.0": []}}, direct={"b": "https://files.example/b.whl"}
    ).why_not("a", "b @ https://files.example/b.whl")
    assert (told.code, told.summary) == (
        "no-matching-version",
        "b is to be 1.0, from https://files.example/b.whl, which is not >=2",
    )


def test_a_conclusion_that_is_used_twice_is_told_once_and_numbered(world: World) -> None:
    told = world(
        {
            "a": {"1.0": ["b", "c"]},
            "b": {"1.0": ["d==1.0"], "2.0": ["d==2.0"]},
            "c": {"1.0": ["d==1.0", "e==2.0"], "2.0": ["d==2.0", "e==2.0"]},
            "d": {"1.0": ["e==1.0"], "2.0": ["e==1.0"]},
            "e": {"1.0": [], "2.0": []},
        }
    ).why_not("a")
    assert told.code == "unsatisfiable"
    assert len(set(told.story)) == len(told.story)
    assert told.story[-1].endswith(NONE)
    numbered = [line for line in told.story if line.endswith(" (1)")]
    for line in numbered:
        conclusion = line.rsplit(", ", 1)[1].removesuffix(". (1)")
        assert sum(f"{conclusion} (1)" in other for other in told.story if other is not line) >= 1


def test_a_story_of_a_thousand_conclusions_is_told_without_recursion(world: World) -> None:
    last = 1_500
    chain = {f"p{n}": {"1.0": [f"p{n + 1}"]} for n in range(last - 1)}
    written = {**chain, f"p{last - 1}": {"1.0": [f"p{last}<2"]}, f"p{last}": {"1.0": [], "2.0": []}}
    told = world(written).why_not("p0", f"p{last}>=2")
    assert len(told.story) == last + 1
    assert told.story[-1].endswith(NONE)


def test_the_error_carries_code_story_and_hint(world: World) -> None:
    index = world({"a": {"1.0": []}})
    with pytest.raises(Unsolvable) as caught:
        index.solve("a>2")
    failure = error(caught.value, index.reason)
    assert failure.code == "no-matching-version"
    assert failure.message == "No version of a matches >2 (newest: 1.0)"
    assert failure.context == (
        "a>2 is required (requirements.in:1), but no version of a matches >2 (newest: 1.0).",
    )
    assert failure.hint
