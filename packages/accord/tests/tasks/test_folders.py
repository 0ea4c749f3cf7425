"""Finding the project and the environment a command is about."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from accord.tasks.folders import cache_folder, find_environment, find_project, lock_path, project_environment
from accord_core.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path


def test_a_project_is_found_from_below_and_by_its_file(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("")
    below = tmp_path / "src" / "x"
    below.mkdir(parents=True)
    for start in (tmp_path, below, tmp_path / "pyproject.toml"):
        assert find_project(str(start)) == str(tmp_path)
    assert lock_path(str(tmp_path)) == str(tmp_path / "pylock.toml")
    assert project_environment(str(tmp_path)) == str(tmp_path / ".venv")


def test_the_nearest_project_is_meant(tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    (tmp_path / "pyproject.toml").write_text("")
    (inner / "pyproject.toml").write_text("")
    assert find_project(str(inner)) == str(inner)


def test_no_project_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        find_project(str(tmp_path))
    assert caught.value.code == "no-project"


def test_an_environment_is_the_one_asked_for_then_the_active_one_then_the_nearest(tmp_path: Path) -> None:
    near = tmp_path / ".venv"
    near.mkdir()
    (near / "pyvenv.cfg").write_text("")
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    active = {"VIRTUAL_ENV": "/active"}
    assert find_environment("/asked", active, str(below)) == "/asked"
    assert find_environment(None, active, str(below)) == "/active"
    assert find_environment(None, {}, str(below)) == str(near)


def test_a_folder_called_venv_that_is_none_does_not_count(tmp_path: Path) -> None:
    (tmp_path / ".venv").mkdir()
    with pytest.raises(UsageError) as caught:
        find_environment(None, {"VIRTUAL_ENV": ""}, str(tmp_path))
    assert caught.value.code == "no-environment"


def test_the_cache_is_where_the_flag_or_the_variable_says(tmp_path: Path) -> None:
    assert cache_folder(str(tmp_path), {"ACCORD_CACHE_DIR": "/x"}) == str(tmp_path)
    assert cache_folder(None, {"ACCORD_CACHE_DIR": "/x"}) == "/x"
