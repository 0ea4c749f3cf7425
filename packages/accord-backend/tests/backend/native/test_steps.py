"""Declared steps: they run when their inputs' content or their command changed, and what they make is what they said."""

from __future__ import annotations

import os
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import accord_backend

if TYPE_CHECKING:
    from tests.backend.native.conftest import Workshop

PURE = {"src/spam/__init__.py": ""}
TABLES = """
[[tool.accord.step]]
name = "tables"
command = ["{python}", "tools/make.py", "{output}"]
inputs = ["tools/*.txt"]
outputs = ["src/spam/tables.py"]
"""
# Says how often it ran, which a step for real should not.
MAKE = """\
import sys
with open("ran.log", "a") as log:
    log.write("x")
with open("tools/a.txt") as source, open(sys.argv[1], "w") as target:
    target.write("value = " + source.read().strip() + "\\n")
"""
FILES = {**PURE, "tools/make.py": MAKE, "tools/a.txt": "1"}
VALUE = "import spam.tables; print(spam.tables.value)"


def runs(root: Path) -> int:
    path = root / "ran.log"
    return len(path.read_text()) if path.exists() else 0


def test_a_step_makes_a_module_once(workshop: Workshop) -> None:
    root = workshop(TABLES, FILES, extension="")
    assert workshop.run(workshop.build(), VALUE) == "1"
    workshop.build()
    workshop.build("build_sdist")
    assert runs(root) == 1


def test_a_made_module_is_found_where_the_tree_was_looked_at_before(workshop: Workshop) -> None:
    root = workshop(TABLES, FILES, extension="")
    path = root / "pyproject.toml"
    path.write_text(
        path.read_text().replace('version = "1.0"', 'version = "1.0"\ndynamic = ["import-names"]')
    )
    assert "spam/tables.py" in workshop.members(workshop.build())


def test_times_of_files_mean_nothing_and_their_content_everything(workshop: Workshop) -> None:
    root = workshop(TABLES, FILES, extension="")
    workshop.build()
    os.utime(root / "tools/a.txt")
    workshop.build()
    assert runs(root) == 1
    (root / "tools/a.txt").write_text("2")
    os.utime(root / "tools/a.txt", (1, 1))
    assert workshop.run(workshop.build(), VALUE) == "2"
    assert runs(root) == 2


@pytest.mark.parametrize("what", ["tool", "command", "new input", "output gone", "output edited"])
def test_what_else_runs_it_again(what: str, workshop: Workshop) -> None:
    root = workshop(TABLES, FILES, extension="")
    workshop.build()
    if what == "tool":
        (root / "tools/make.py").write_text(MAKE + "# more\n")
    elif what == "command":
        path = root / "pyproject.toml"
        path.write_text(path.read_text().replace('"{output}"]', '"{output}", "more"]'))
    elif what == "new input":
        (root / "tools/b.txt").write_text("")
    elif what == "output gone":
        (root / "src/spam/tables.py").unlink()
    else:
        (root / "src/spam/tables.py").write_text("value = 99\n")
    assert workshop.run(workshop.build(), VALUE) == "1"
    assert runs(root) == 2


def test_an_output_that_comes_out_as_it_was_compiles_nothing_again(workshop: Workshop) -> None:
    step = TABLES.replace("src/spam/tables.py", "src/spam/answer.h")
    make = MAKE.replace('"value = "', '"#define ANSWER "')
    source = '#include "answer.h"\n' + workshop.SPEED
    files = {"tools/make.py": make, "tools/a.txt": "7", "src/spam/_speed.c": source}
    root = workshop(step, files)
    assert workshop.run(workshop.build()) == "7"
    (root / "tools/make.py").write_text(make + "# more\n")
    workshop.build()
    assert runs(root) == 2 and "no work to do" in workshop.log(root)
    (root / "tools/a.txt").write_text("8")
    assert workshop.run(workshop.build()) == "8"


def test_a_step_makes_a_source_of_a_module(workshop: Workshop) -> None:
    make = "import sys\nopen(sys.argv[1], 'w').write('int made(void) { return 12; }\\n')\n"
    step = '[[tool.accord.step]]\nname = "made"\ncommand = ["{python}", "tools/make.py", "{output}"]\noutputs = ["gen/made.c"]\n'
    extension = workshop.EXTENSION.replace('_speed.c"', '_speed.c", "gen/made.c"')
    source = "int made(void);\n#define ANSWER made()\n" + workshop.SPEED
    workshop(step, {"tools/make.py": make, "src/spam/_speed.c": source}, extension=extension)
    assert workshop.run(workshop.build()) == "12"


def test_steps_run_in_the_order_their_files_ask_for(workshop: Workshop) -> None:
    second = '[[tool.accord.step]]\nname = "second"\ncommand = ["cp", "{inputs}", "{output}"]\ninputs = ["gen/*.txt"]\noutputs = ["src/spam/last.txt"]\n'
    first = '[[tool.accord.step]]\nname = "first"\ncommand = ["cp", "a.txt", "{outputs}"]\noutputs = ["gen/b.txt"]\n'
    workshop(second + first, {**PURE, "a.txt": "hello"}, extension="")
    assert workshop.members(workshop.build())["spam/last.txt"] == b"hello"


def test_a_template_is_filled_from_the_project_and_its_values(workshop: Workshop) -> None:
    step = '[[tool.accord.step]]\nname = "about"\ntemplate = "about.in"\noutputs = ["src/spam/about.txt"]\nvalues = {who = "ann"}\n'
    root = workshop(step, {**PURE, "about.in": "@name@ @version@ by @who@ a@@b\n"}, extension="")
    assert workshop.members(workshop.build())["spam/about.txt"] == b"spam 1.0 by ann a@b\n"
    path = root / "pyproject.toml"
    path.write_text(path.read_text().replace('"1.0"', '"1.1"'))
    assert workshop.members(workshop.build())["spam/about.txt"] == b"spam 1.1 by ann a@b\n"
    (root / "about.in").write_text("@nobody@")
    fault = workshop.fault()
    assert fault.code == "step-template-unknown" and "@nobody@" in fault.message


def test_an_sdist_carries_the_outputs_and_needs_neither_tool_nor_requirement(
    workshop: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workshop(TABLES + 'requires = ["jinja2"]\n', FILES, extension="")
    assert accord_backend.get_requires_for_build_wheel() == ["jinja2"]
    assert accord_backend.get_requires_for_build_sdist() == ["jinja2"]
    wheel = workshop.build()
    with tarfile.open(workshop.build("build_sdist")) as archive:
        names = set(archive.getnames())
        archive.extractall(tmp_path, filter="data")
    assert {f"spam-1.0/{path}" for path in ("src/spam/tables.py", "tools/make.py", "tools/a.txt")} <= names
    assert not [name for name in names if "build" in name or "ran.log" in name]
    monkeypatch.chdir(tmp_path / "spam-1.0")
    assert accord_backend.get_requires_for_build_wheel() == []
    Path("tools/make.py").write_text("raise SystemExit(1)")
    assert workshop.build().read_bytes() == wheel.read_bytes()


def test_outputs_that_are_not_for_the_sdist_are_made_by_each_wheel(
    workshop: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = workshop(TABLES + 'in-sdist = false\nrequires = ["jinja2"]\n', FILES, extension="")
    assert accord_backend.get_requires_for_build_sdist() == []
    sdist = workshop.build("build_sdist")
    assert runs(root) == 0
    wheel = workshop.build()
    for archive_path in (sdist, workshop.build("build_sdist")):
        with tarfile.open(archive_path) as archive:
            assert "spam-1.0/src/spam/tables.py" not in archive.getnames()
            archive.extractall(tmp_path / "x", filter="data")
    monkeypatch.chdir(tmp_path / "x/spam-1.0")
    assert accord_backend.get_requires_for_build_wheel() == ["jinja2"]
    assert workshop.build().read_bytes() == wheel.read_bytes()


def test_a_failing_step_shows_what_it_said(workshop: Workshop) -> None:
    root = workshop(
        TABLES,
        {**FILES, "tools/make.py": "print('first')\nraise SystemExit('no tables today')\n"},
        extension="",
    )
    fault = workshop.fault()
    assert fault.code == "step-failed" and "no tables today" in fault.message and "first" in fault.message
    assert not (root / "build/accord-steps.json").exists()


def test_a_program_that_is_not_there(workshop: Workshop) -> None:
    workshop(TABLES.replace("{python}", "no-such-program"), FILES, extension="")
    assert workshop.fault().code == "step-failed"


def test_an_output_that_was_not_made(workshop: Workshop) -> None:
    workshop(TABLES, {**FILES, "tools/make.py": ""}, extension="")
    assert workshop.fault().code == "step-output-missing"


def test_inputs_that_match_nothing(workshop: Workshop) -> None:
    workshop(TABLES.replace("*.txt", "*.none"), FILES, extension="")
    assert workshop.fault().code == "step-inputs-none"


def test_a_link_leads_no_output_out_of_the_project(workshop: Workshop, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    root = workshop(TABLES.replace("src/spam/tables.py", "src/spam/gen/tables.py"), FILES, extension="")
    (root / "src/spam/gen").symlink_to(outside)
    assert workshop.fault().code == "step-output-outside"
    assert not list(outside.iterdir()) and runs(root) == 0


S = "tool.accord.step[0]"
STEP = '[[tool.accord.step]]\nname = "a"\ncommand = ["x"]\noutputs = ["y"]\n'


@pytest.mark.parametrize(
    ("code", "place", "text"),
    [
        ("key-missing", f"{S}.name", STEP.replace('name = "a"', "")),
        ("key-missing", f"{S}.outputs", STEP.replace('outputs = ["y"]', "")),
        ("key-unknown", f"{S}.input", STEP + "input = []"),
        ("step-work", f"{S}.command", STEP + 'template = "t"'),
        ("step-work", f"{S}.command", STEP.replace('command = ["x"]', "")),
        ("step-work", f"{S}.outputs", STEP.replace('command = ["x"]', 'template = "t"').replace('"y"', '"y", "z"')),
        ("step-placeholder", f"{S}.command", STEP.replace('"x"', '"{where}"')),
        ("step-placeholder", f"{S}.command", STEP.replace('"x"', '"--in={inputs}"')),
        ("path-outside", f"{S}.outputs", STEP.replace('"y"', '"../y"')),
        ("path-outside", f"{S}.outputs", STEP.replace('"y"', '"/y"')),
        ("path-outside", f"{S}.inputs", STEP + 'inputs = ["../*"]'),
        ("step-output-glob", f"{S}.outputs", STEP.replace('"y"', '"*.y"')),
        ("requirement-invalid", f"{S}.requires", STEP + 'requires = ["a b"]'),
        ("wrong-type", f"{S}.in-sdist", STEP + 'in-sdist = "no"'),
        ("wrong-type", f"{S}.command", STEP.replace('["x"]', '"x"').replace('outputs = ["y"]', 'outputs = ["y"]\ntemplate = "t"')),
        ("step-output-twice", "tool.accord.step[1].outputs", STEP + STEP.replace('"a"', '"b"')),
        ("step-twice", "tool.accord.step[1].name", STEP + STEP.replace('"y"', '"z"')),
        ("step-cycle", "tool.accord.step", STEP + 'inputs = ["z"]\n' + STEP.replace('"a"', '"b"').replace('"y"', '"z"') + 'inputs = ["?"]'),
        ("step-cycle", "tool.accord.step", STEP + 'inputs = ["y"]'),
    ],
)  # fmt: skip
def test_each_fault_of_a_step_has_a_code_and_a_place(
    code: str, place: str, text: str, workshop: Workshop
) -> None:
    workshop(text + "\n", PURE, extension="")
    fault = workshop.fault()
    assert [(one.code, one.place) for one in fault.faults] == [(code, place)]


def test_a_glob_of_inputs_that_matches_the_steps_own_output_is_no_circle(workshop: Workshop) -> None:
    text = TABLES.replace('inputs = ["tools/*.txt"]', 'inputs = ["tools/*.txt", "src/spam/*.py"]')
    root = workshop(text, FILES, extension="")
    assert workshop.run(workshop.build(), VALUE) == "1"
    workshop.build()
    assert runs(root) == 1


@pytest.mark.parametrize("said", ["5", "[]", "null", '{"a": 1}', "[1, 2, 3]"])
def test_a_record_that_says_something_else_is_none(said: str, workshop: Workshop) -> None:
    root = workshop(TABLES, FILES, extension="")
    (root / "build").mkdir()
    (root / "build" / "accord-steps.json").write_text(f'{{"format": 1, "steps": {{"tables": {said}}}}}')
    assert workshop.run(workshop.build(), VALUE) == "1"
