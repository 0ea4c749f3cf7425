"""The completion scripts, asked as shells ask them: bash for real, zsh and fish where they are installed."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from accord.cli.catalogue import FAMILIES, SECTIONS
from accord.cli.completions import script
from accord.cli.main import declare

if TYPE_CHECKING:
    from pathlib import Path

BASH = shutil.which("bash")
ZSH = shutil.which("zsh")
FISH = shutil.which("fish")
FIRST = {name for _, section in SECTIONS for name, _ in section}


def in_bash(folder: Path, line: str) -> set[str]:
    """What bash offers at the end of ``line``, split into words as readline splits it (``=`` is a word)."""
    assert BASH
    words = line.replace("=", " = ").split(" ")
    quoted = " ".join(f"'{word}'" for word in words if word or word is words[-1])
    program = (
        f"source {folder}/accord.bash; COMP_WORDS=({quoted}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); "
        'COMP_LINE="x"; _accord; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    done = subprocess.run(
        [BASH, "--norc", "-c", program], capture_output=True, text=True, cwd=folder, check=True
    )
    assert done.stderr == ""
    return set(done.stdout.split())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "accord.bash").write_text(script("bash"))
    (tmp_path / "requirements.in").write_text("")
    (tmp_path / "src").mkdir()
    return tmp_path


@pytest.mark.skipif(BASH is None, reason="bash is not installed")
class TestBash:
    def test_the_first_word_is_a_command(self, folder: Path) -> None:
        assert in_bash(folder, "accord ") == FIRST
        assert in_bash(folder, "accord sy") == {"sync"}

    def test_the_second_word_of_a_family(self, folder: Path) -> None:
        for family, subs in FAMILIES.items():
            assert in_bash(folder, f"accord {family} ") == {name for name, _ in subs}

    def test_options_are_those_of_the_command(self, folder: Path) -> None:
        for path in ("sync", "pip compile", "cache size"):
            names = {name for option in declare(path).options for name in option.names}
            assert in_bash(folder, f"accord {path} -") == names

    def test_global_options_may_stand_before(self, folder: Path) -> None:
        assert in_bash(folder, "accord --quiet pip com") == {"compile"}
        assert in_bash(folder, "accord --cache-dir pip sy") == {"sync"}
        assert "--offline" in in_bash(folder, "accord --off")

    def test_choices_are_offered_as_values(self, folder: Path) -> None:
        expected = {"highest", "lowest", "lowest-direct"}
        assert in_bash(folder, "accord pip compile --resolution ") == expected
        assert in_bash(folder, "accord pip compile --resolution=") == expected
        assert in_bash(folder, "accord completions ") == {"bash", "zsh", "fish"}

    def test_files_and_folders(self, folder: Path) -> None:
        assert in_bash(folder, "accord pip compile req") == {"requirements.in"}
        assert in_bash(folder, "accord sync --env s") == {"src"}
        assert in_bash(folder, "accord pip compile -o req") == {"requirements.in"}

    def test_a_value_is_not_taken_for_a_command(self, folder: Path) -> None:
        assert in_bash(folder, "accord tree --lock lock ") == set()

    def test_the_script_has_no_fault_of_syntax(self, folder: Path) -> None:
        assert BASH
        subprocess.run([BASH, "-n", folder / "accord.bash"], check=True)


@pytest.mark.skipif(ZSH is None, reason="zsh is not installed")
def test_zsh_reads_its_script(tmp_path: Path) -> None:
    assert ZSH
    (tmp_path / "_accord").write_text(script("zsh"))
    subprocess.run([ZSH, "-n", tmp_path / "_accord"], check=True)


@pytest.mark.skipif(FISH is None, reason="fish is not installed")
def test_fish_offers_commands_and_choices(tmp_path: Path) -> None:
    assert FISH
    (tmp_path / "accord.fish").write_text(script("fish"))

    def offered(line: str) -> set[str]:
        program = f"source {tmp_path}/accord.fish; complete -C '{line}'"
        done = subprocess.run(
            [FISH, "--no-config", "-c", program], capture_output=True, text=True, check=True
        )
        return {row.split("\t")[0] for row in done.stdout.splitlines()}

    assert offered("accord ") == FIRST
    assert offered("accord pip ") == {name for name, _ in FAMILIES["pip"]}
    assert offered("accord pip compile --resolution ") == {"highest", "lowest", "lowest-direct"}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_option_is_in_every_script(shell: str) -> None:
    text = script(shell)
    for path in ("lock", "pip install", "cache prune"):
        for option in declare(path).options:
            for name in option.names:
                bare = name.lstrip("-") if shell == "fish" else name
                assert bare in text
