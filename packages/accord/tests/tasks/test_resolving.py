"""One resolve, from the files a person wrote to the versions in the output, over an index in a folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from accord.io.urls import file_url
from accord.testing.worlds import World, wheel_file


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(str(tmp_path))


def compiled(world: World, text: str, *flags: str) -> list[str]:
    """What ``accord pip compile`` makes of a requirements file, line by line, without comments."""
    world.write("requirements.in", text)
    ran = world.accord("pip", "compile", "requirements.in", "--no-annotate", "--no-header", *flags).fine()
    return ran.out.splitlines()


def test_markers_count_in_a_file_of_the_full_format_as_in_a_plain_one(world: World) -> None:
    world.publish("app", "1.0")
    world.publish("other", "1.0")
    plain = "app ; sys_platform == 'linux'\nother ; sys_platform == 'win32'\n"
    assert compiled(world, plain) == ["app==1.0"]
    assert compiled(world, f"--prefer-binary\n{plain}") == ["app==1.0"]


def test_a_wheel_named_by_its_file_alone_is_a_path(world: World) -> None:
    filename, content, _ = wheel_file("app", "1.0")
    world.write(filename, content)
    assert compiled(world, f"{filename}\n")[0].startswith("app @ ")


def test_an_override_replaces_what_is_asked_for_too(world: World) -> None:
    for version in ("1.0", "2.0", "3.0rc1"):
        world.publish("lib", version)
    world.publish("app", "1.0", requires=["lib<2"])
    world.write("overrides.txt", "lib==2.0\n")
    assert compiled(world, "app\nlib==1.0\n", "--override", "overrides.txt") == ["app==1.0", "lib==2.0"]
    world.write("overrides.txt", "lib==3.0rc1\n")
    assert compiled(world, "app\n", "--override", "overrides.txt") == ["app==1.0", "lib==3.0rc1"]


def test_an_override_whose_marker_does_not_hold_takes_the_project_out(world: World) -> None:
    world.publish("lib", "1.0")
    world.publish("app", "1.0", requires=["lib"])
    world.write("overrides.txt", "lib ; sys_platform == 'win32'\n")
    assert compiled(world, "app\n", "--override", "overrides.txt") == ["app==1.0"]


def test_an_override_may_be_a_direct_reference(world: World) -> None:
    filename, content, _ = wheel_file("lib", "9.0")
    path = world.write(filename, content)
    world.publish("lib", "1.0")
    world.publish("app", "1.0", requires=["lib<2"])
    world.write("overrides.txt", f"lib @ {file_url(path)}\n")
    lines = compiled(world, "app\n", "--override", "overrides.txt")
    assert lines[0] == "app==1.0"
    assert lines[1].startswith("lib @ file:")


def test_an_excluded_project_is_left_out_whoever_asks_for_it(world: World) -> None:
    world.publish("lib", "1.0")
    world.publish("app", "1.0", requires=["lib"])
    world.write("excludes.txt", "lib\n")
    assert compiled(world, "app\nlib\n", "--exclude", "excludes.txt") == ["app==1.0"]


def test_a_constraint_limits_and_asks_for_nothing(world: World) -> None:
    for version in ("1.0", "2.0"):
        world.publish("app", version)
        world.publish("other", version)
    world.write("constraints.txt", "app<2\nother<2\n")
    assert compiled(world, "app\n", "-c", "constraints.txt") == ["app==1.0"]
    assert compiled(world, "-c constraints.txt\napp\n") == ["app==1.0"]


def test_a_constraint_with_extras_is_refused_in_either_form_of_the_file(world: World) -> None:
    world.publish("app", "1.0")
    world.write("requirements.in", "app\n")
    for text in ("app[x]<2\n", "--pre\napp[x]<2\n"):
        world.write("constraints.txt", text)
        ran = world.accord("pip", "compile", "requirements.in", "-c", "constraints.txt")
        assert ran.status != 0
        assert "a constraint cannot have extras" in ran.err


def test_a_pre_release_named_in_a_constraint_is_allowed(world: World) -> None:
    for version in ("1.0", "2.0rc1"):
        world.publish("app", version)
    world.write("constraints.txt", "app>=2.0rc0\n")
    assert compiled(world, "app\n", "-c", "constraints.txt") == ["app==2.0rc1"]


def test_an_output_that_is_there_is_kept_to_as_far_as_it_fits(world: World) -> None:
    for version in ("1.0", "2.0", "3.0"):
        world.publish("app", version)
    world.write("requirements.in", "app\n")
    world.write("out.txt", "app==2.0\n")
    world.accord("pip", "compile", "requirements.in", "-o", "out.txt").fine()
    assert "app==2.0\n" in world.read("out.txt")
    world.write("requirements.in", "app>2\n")
    world.accord("pip", "compile", "requirements.in", "-o", "out.txt").fine()
    assert "app==3.0\n" in world.read("out.txt")
    world.write("requirements.in", "app<3\n")
    world.write("out.txt", "app==1.0\n")
    world.accord("pip", "compile", "requirements.in", "-o", "out.txt", "--upgrade").fine()
    assert "app==2.0\n" in world.read("out.txt")


def test_a_locked_version_that_was_yanked_since_stays_with_a_warning_until_somebody_upgrades(
    world: World,
) -> None:
    world.publish("app", "1.0")
    world.publish("app", "2.0")
    world.project("app")
    world.accord("lock").fine()
    yanked = world.index.files["app"][1]
    yanked.yanked, yanked.yank_reason = True, "broken on Tuesdays"
    world.project("app", more="[dependency-groups]\nnew = []\n")
    ran = world.accord("lock").fine()
    assert "app 2.0 is yanked: broken on Tuesdays" in ran.err
    assert 'version = "2.0"' in world.read("pylock.toml")
    world.accord("lock", "--upgrade").fine()
    assert 'version = "1.0"' in world.read("pylock.toml")


def test_an_extra_that_nobody_provides_is_a_warning(world: World) -> None:
    world.publish("app", "1.0", extras={"x": ["lib"]})
    world.publish("lib", "1.0")
    world.write("requirements.in", "app[x,y]\n")
    ran = world.accord("pip", "compile", "requirements.in").fine()
    assert "app 1.0 has no extra y" in ran.err
    assert "lib==1.0" in ran.out
    quiet = world.accord("pip", "compile", "requirements.in", "--no-deps").fine()
    assert "lib" not in quiet.out
    assert "has no extra x" not in quiet.err


def test_two_references_for_one_project_are_refused_by_name(world: World) -> None:
    for folder in ("one", "two"):
        filename, content, _ = wheel_file("app", "1.0", files={"app.py": folder.encode()})
        world.write(f"{folder}/{filename}", content)
    world.write("requirements.in", f"./one/{filename}\n./two/{filename}\n")
    record = world.refused("pip", "compile", "requirements.in", code="conflicting-references")
    assert "app" in record["message"]


def test_what_a_direct_reference_needs_by_url_is_gathered_too(world: World) -> None:
    filename, content, _ = wheel_file("lib", "9.0")
    path = world.write(filename, content)
    other, content, _ = wheel_file("app", "1.0", requires=[f"lib @ {file_url(path)}"])
    world.write(other, content)
    lines = compiled(world, f"./{other}\n")
    assert [line.partition(" @ ")[0] for line in lines] == ["app", "lib"]
