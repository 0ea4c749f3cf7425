"""``accord run --with ./folder``: a changed folder is run as it is now, an unchanged one is not built again."""

from __future__ import annotations

import os

from accord.testing.worlds import World

CODE = "import eggs; print(eggs.__file__, eggs.settings)"
# The settings a module of this backend holds are those the build was given.
BUILDS = "\n_wheel = build_wheel\ndef build_wheel(directory, config_settings=None, metadata_directory=None):\n    return _wheel(directory, {{'value': '{value}'}})\n"


def said(world: World, *words: str) -> list[str]:
    return world.process("run", "--with", "./eggs", *words, "python", "-c", CODE).fine().out.split(maxsplit=1)


def built(world: World) -> set[tuple[str, int]]:
    """What ``accord run`` keeps of its environments, and when each was written."""
    folder = os.path.join(world.cache, "run-envs-v1")
    return {
        (name, os.stat(os.path.join(folder, name)).st_mtime_ns)
        for name in os.listdir(folder)
        if not name.endswith(".lock")
    }


def test_a_changed_folder_is_seen_and_an_unchanged_one_costs_nothing(world: World) -> None:
    world.tree("eggs", "eggs", "1.0", extra=BUILDS.format(value="one"))
    first = said(world)
    assert "one" in first[1]
    before = built(world)
    assert said(world) == first
    world.write("eggs/backend.py", world.read("eggs/backend.py"))  # the same again, later
    assert said(world, "--offline") == first
    assert built(world) == before
    world.tree("eggs", "eggs", "1.0", extra=BUILDS.format(value="two"))
    changed = said(world)
    assert "two" in changed[1]
    world.tree("eggs", "eggs", "1.0", extra=BUILDS.format(value="one"))
    assert said(world) == first, "what was there before is found again"
