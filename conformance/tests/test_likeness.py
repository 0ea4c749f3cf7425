"""Two dependency specifiers that say the same have one spelling; two that do not have two."""

from __future__ import annotations

import tomllib

import pytest

from accord_conformance.likeness import alike
from accord_conformance.making.projects import toml


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("anyio>=4,<5", "anyio (<5, >=4)"),
        ("Friendly.Bard", "friendly-bard"),
        ("a[x,y]", "a[Y, x]"),
        ("a; os_name == 'nt'", 'a ; os_name=="nt"'),
        ("a; extra == 'Foo_Bar'", 'a; extra == "foo-bar"'),
        ("a; (os_name == 'nt') and extra == 'x'", "a; extra == 'x' and os_name == 'nt'"),
        (
            "a; (os_name == 'nt' or os_name == 'java') and extra == 'x'",
            "a; os_name == 'nt' and extra == 'x' or os_name == 'java' and extra == 'x'",
        ),
        (
            "a; sys_platform == 'win32' or (os_name == 'nt' and platform_machine != 'arm64')",
            (
                "a; os_name != 'nt' and sys_platform == 'win32' or os_name == 'nt' and platform_machine != 'arm64'"
                " or platform_machine == 'arm64' and sys_platform == 'win32'"
            ),
        ),
        ("a; os_name == 'nt' or os_name != 'nt'", "a"),
        ("a; os_name not in 'nt java'", "a; os_name not  in 'nt java'"),
        ("a @ https://a.example/a.whl ; os_name == 'nt'", "a@ https://a.example/a.whl  ;os_name=='nt'"),
    ],
)
def test_the_same_said_in_two_ways_is_alike(one: str, two: str) -> None:
    assert alike(one) == alike(two)


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("a>=1", "a>1"),
        ("a", "a; os_name == 'nt'"),
        ("a[x]", "a[y]"),
        (
            "a; (os_name == 'nt' or os_name == 'java') and extra == 'x'",
            "a; os_name == 'nt' or os_name == 'java' and extra == 'x'",
        ),
        ("a; 'nt' in os_name", "a; os_name in 'nt'"),
        ("a; python_full_version < '3.12' or python_full_version >= '3.12'", "a"),
        ("a; os_name == 'nt' or sys_platform != 'win32'", "a"),
        ("a @ https://a.example/a.whl", "a @ https://a.example/b.whl"),
        ("a @ https://a.example/a.whl", "a"),
        ("a @ https://a.example/a.whl ; os_name == 'nt'", "a @ https://a.example/a.whl; os_name == 'nt'"),
    ],
)
def test_what_differs_is_not_alike(one: str, two: str) -> None:
    assert alike(one) != alike(two)


def test_what_cannot_be_read_is_left_as_it_is() -> None:
    assert alike("not a requirement") == "not a requirement"
    assert alike("a; os_name ==").endswith("os_name ==")


def test_a_value_written_as_toml_is_read_as_the_same_value() -> None:
    value = {"a b": ['"quoted"', "größer\n", {"x.y": [1, 2.5, True]}], "plain-key": {}}

    assert tomllib.loads(f"value = {toml(value)}") == {"value": value}
