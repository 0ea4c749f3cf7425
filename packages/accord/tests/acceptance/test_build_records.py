"""What every build writes down about its files: a bill of materials, and where they come from."""

from __future__ import annotations

import glob
import hashlib
import json
import os
import subprocess
import zipfile
from typing import Any

import pytest

from accord.testing.builds import GOOD_BACKEND
from accord.testing.worlds import World

WHEEL, SDIST = "demo-1.0-py3-none-any.whl", "demo-1.0.tar.gz"
BACKEND = (
    GOOD_BACKEND
    + """
NAME, VERSION = "demo", "1.0"
def metadata():
    return "Metadata-Version: 2.2\\nName: demo\\nVersion: 1.0\\n"
def build_sdist(directory, config_settings=None):
    import io, os, tarfile
    with tarfile.open(os.path.join(directory, "demo-1.0.tar.gz"), "w:gz", format=tarfile.PAX_FORMAT) as archive:
        for path in ("backend.py", "pyproject.toml", "PKG-INFO"):
            data = metadata().encode() if path == "PKG-INFO" else open(path, "rb").read()
            info = tarfile.TarInfo(f"demo-1.0/{path}")
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return "demo-1.0.tar.gz"
"""
)
PYPROJECT = '[project]\nname = "demo"\nversion = "1.0"\n[build-system]\nrequires = ["helper"]\nbuild-backend = "backend"\nbackend-path = ["."]\n'


@pytest.fixture
def here(world: World) -> World:
    """A world whose working folder is a project that needs ``helper`` to build."""
    world.publish("helper", "1.0")
    world.write("backend.py", BACKEND)
    world.write("pyproject.toml", PYPROJECT)
    return world


def record(world: World, name: str, folder: str = "dist") -> Any:
    return json.loads(world.read(f"{folder}/.accord/{name}"))


def definition(world: World, name: str = WHEEL) -> Any:
    return record(world, f"{name}.provenance.json")["predicate"]["buildDefinition"]


def digest(world: World, name: str) -> str:
    with open(world.path("dist", name), "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def git(folder: str, *words: str) -> str:
    environ = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull}
    name = ("-c", "user.name=somebody", "-c", "user.email=somebody@people.example")
    command = ["git", *name, *words]
    return subprocess.run(
        command, cwd=folder, env=environ, check=True, capture_output=True, text=True
    ).stdout.strip()


def committed(world: World) -> str:
    """The project as a repository's one commit."""
    folder = world.path()
    git(folder, "init", "-q")
    git(folder, "remote", "add", "origin", "https://me:secret@code.example/demo")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "first")
    return git(folder, "rev-parse", "HEAD")


def test_each_file_has_its_two_documents_where_no_upload_finds_them(here: World) -> None:
    document = here.accord("build", "--json").fine().document()
    expected = {f"{name}.{kind}" for name in (WHEEL, SDIST) for kind in ("cdx.json", "provenance.json")}
    assert set(os.listdir(here.path("dist", ".accord"))) == expected
    assert {os.path.basename(path) for path in document["records"]} == expected
    assert {os.path.basename(path) for path in glob.glob(here.path("dist", "*"))} == {WHEEL, SDIST}
    for name in (WHEEL, SDIST):
        (subject,) = record(here, f"{name}.provenance.json")["subject"]
        assert subject == {"name": name, "digest": {"sha256": digest(here, name)}}
    assert here.path() not in "".join(here.read(f"dist/.accord/{name}") for name in expected)


def test_the_wheel_is_the_same_with_and_without_them(here: World) -> None:
    epoch = {"SOURCE_DATE_EPOCH": "1700000000"}
    digests = set()
    for words in ((), ("--no-records",), ("-o", "elsewhere")):
        document = here.accord("build", "--wheel", "--json", *words, **epoch).fine().document()
        digests.add(document["built"][0]["files"][0]["sha256"])
    assert len(digests) == 1
    with zipfile.ZipFile(here.path("dist", WHEEL)) as wheel:
        assert not any("sboms" in name for name in wheel.namelist())
    assert set(os.listdir(here.path("elsewhere", ".accord"))) == {
        f"{WHEEL}.cdx.json",
        f"{WHEEL}.provenance.json",
    }


def test_none_are_written_where_that_is_said_and_none_of_another_build_stay(here: World) -> None:
    here.accord("build").fine()
    here.accord("build", "--wheel", "--no-records").fine()
    assert set(os.listdir(here.path("dist", ".accord"))) == {
        f"{SDIST}.cdx.json",
        f"{SDIST}.provenance.json",
    }
    here.accord("build", "--wheel", "--no-records", "-o", "other").fine()
    assert os.listdir(here.path("other")) == [WHEEL]


def test_a_rebuild_replaces_them_and_clear_takes_those_of_what_it_removes(here: World) -> None:
    here.accord("build").fine()
    here.write("backend.py", BACKEND + "\n# more\n")
    here.accord("build", "--wheel").fine()
    (subject,) = record(here, f"{WHEEL}.provenance.json")["subject"]
    assert subject["digest"]["sha256"] == digest(here, WHEEL)
    here.accord("build", "--wheel", "--clear").fine()
    assert set(os.listdir(here.path("dist", ".accord"))) == {
        f"{WHEEL}.cdx.json",
        f"{WHEEL}.provenance.json",
    }


def test_the_bill_says_the_same_each_time_and_only_the_provenance_knows_when(here: World) -> None:
    said = []
    for _ in range(2):
        here.accord("build", "--wheel").fine()
        said.append(here.read(f"dist/.accord/{WHEEL}.cdx.json"))
    assert said[0] == said[1]
    when = record(here, f"{WHEEL}.provenance.json")["predicate"]["runDetails"]["metadata"]
    assert sorted(when) == ["finishedOn", "startedOn"]
    here.accord("build", "--wheel", SOURCE_DATE_EPOCH="1700000000").fine()
    assert record(here, f"{WHEEL}.provenance.json")["predicate"]["runDetails"]["metadata"] == {}
    assert record(here, f"{WHEEL}.cdx.json")["metadata"]["timestamp"] == "2023-11-14T22:13:20Z"


def test_bills_pass_the_strict_validator_of_their_schema(here: World) -> None:
    outputs = pytest.importorskip("cyclonedx.validation.json")
    schema = pytest.importorskip("cyclonedx.schema")
    validator = outputs.JsonStrictValidator(schema.SchemaVersion.V1_6)
    here.accord("build", "--sbom").fine()
    for name in (WHEEL, SDIST):
        fault = validator.validate_str(here.read(f"dist/.accord/{name}.cdx.json"))
        assert fault is None, fault
    assert validator.validate_str('{"bomFormat": "CycloneDX"}') is not None
    bill = record(here, f"{WHEEL}.cdx.json")
    assert bill["formulation"][0]["components"][0]["name"] == "helper"


def test_with_sbom_the_bill_is_inside_the_wheel_too_and_the_wheel_is_still_sound(here: World) -> None:
    here.accord("build", "--sbom", "--no-records").fine()
    with zipfile.ZipFile(here.path("dist", WHEEL)) as wheel:
        inside = json.loads(wheel.read("demo-1.0.dist-info/sboms/accord.cdx.json"))
        assert wheel.namelist()[-1] == "demo-1.0.dist-info/RECORD"
        assert wheel.testzip() is None
    here.accord("venv", "env").fine()
    here.accord("pip", "install", "--env", "env", "--no-deps", f"./dist/{WHEEL}").fine()
    assert sorted(os.listdir(here.path("dist"))) == [WHEEL, SDIST]
    here.accord("build", "--sbom").fine()
    assert record(here, f"{WHEEL}.cdx.json") == inside
    (subject,) = record(here, f"{WHEEL}.provenance.json")["subject"]
    assert subject["digest"]["sha256"] == digest(here, WHEEL), "of the wheel with the bill in it"


def test_the_same_wheel_with_a_bill_each_time(here: World) -> None:
    epoch = {"SOURCE_DATE_EPOCH": "1700000000"}
    runs = [here.accord("build", "--wheel", "--sbom", "--json", **epoch).fine().document() for _ in range(2)]
    assert len({run["built"][0]["files"][0]["sha256"] for run in runs}) == 1


def test_provenance_names_commit_sdist_requirements_and_file(here: World) -> None:
    commit = committed(here)
    for _ in range(2):  # what the first build left in dist/ is no change of the project
        here.accord("build").fine()
        source, sdist, helper = definition(here)["resolvedDependencies"]
        assert source == {"uri": f"git+https://code.example/demo@{commit}", "digest": {"gitCommit": commit}}
        assert sdist["digest"]["sha256"] == digest(here, SDIST)
        assert (helper["uri"], len(helper["digest"]["sha256"])) == ("pkg:pypi/helper@1.0", 64)
        assert len(definition(here, SDIST)["resolvedDependencies"]) == 2
        assert "secret" not in here.read(f"dist/.accord/{WHEEL}.provenance.json")
    here.write("backend.py", BACKEND + "\n")
    here.accord("build").fine()
    assert definition(here)["externalParameters"]["source"] == {"kind": "folder", "committed": False}


def test_of_somebodys_sdist_its_digest_is_the_source(here: World) -> None:
    here.accord("build", "--sdist", "-o", ".").fine()
    here.accord("build", SDIST).fine()
    source, _ = definition(here)["resolvedDependencies"]
    with open(here.path(SDIST), "rb") as file:
        assert source["digest"]["sha256"] == hashlib.sha256(file.read()).hexdigest()
    assert definition(here)["externalParameters"]["source"] == {"kind": "sdist", "name": SDIST}


@pytest.mark.parametrize("change", ["a file", "a new file", "in a submodule"])
def test_what_was_changed_since_the_commit_is_no_commit(here: World, change: str) -> None:
    other = here.path("..", "other")
    os.mkdir(other)
    git(other, "init", "-q")
    git(other, "commit", "-qm", "x", "--allow-empty")
    committed(here)
    git(
        here.path(),
        "-c",
        "protocol.file.allow=always",
        "submodule",
        "add",
        "-q",
        os.path.abspath(other),
        "sub",
    )
    git(here.path(), "commit", "-qm", "second")
    here.accord("build", "--wheel").fine()
    assert definition(here)["externalParameters"]["source"] == {"kind": "git", "path": "."}
    path = {"a file": "backend.py", "a new file": "more.py", "in a submodule": "sub/more.py"}[change]
    here.write(path, BACKEND + "\n")
    here.accord("build", "--wheel").fine()
    assert definition(here)["externalParameters"]["source"]["kind"] == "folder"


@pytest.mark.parametrize(
    ("attributes", "setting"),
    [
        ("*.py filter=own\n", ("filter.own.clean", "touch {ran}; cat")),
        ("", ("core.fsmonitor", "touch {ran}; false")),
        ("*.py filter=own\n", ("include.path", "more")),
    ],
)
def test_building_a_strangers_folder_runs_nothing_its_repository_says(
    here: World, attributes: str, setting: tuple[str, str]
) -> None:
    ran = here.path("..", "ran")
    here.write(".gitattributes", attributes)
    commit = committed(here)
    here.write(".git/more", f'[filter "own"]\n\tclean = "touch {ran}; cat"\n')
    git(here.path(), "config", setting[0], setting[1].format(ran=ran))
    os.utime(here.path("backend.py"), (1, 1))
    here.accord("build", "--wheel").fine()
    assert not os.path.exists(ran)
    known = setting[0] == "core.fsmonitor"
    assert (commit in here.read(f"dist/.accord/{WHEEL}.provenance.json")) is known
    git(here.path(), "status")
    assert os.path.exists(ran), "the attack does nothing"


def test_what_is_in_the_way_of_them_is_said_before_anything_is_put_in_place(here: World) -> None:
    os.mkdir(here.path("dist"))
    os.symlink(here.path(), here.path("dist", ".accord"))
    error = here.refused("build", code="build-output-invalid")
    assert "--no-records" in error["hint"]
    assert here.listed("dist") == []
    here.accord("build", "--no-records", "-o", "one").fine()


def test_a_build_that_fails_leaves_those_of_the_last_one(here: World) -> None:
    here.accord("build").fine()
    before = {name: here.read(f"dist/.accord/{name}") for name in os.listdir(here.path("dist", ".accord"))}
    here.write("backend.py", "raise SystemExit(1)\n")
    here.refused("build", code="build-failed")
    assert before == {
        name: here.read(f"dist/.accord/{name}") for name in os.listdir(here.path("dist", ".accord"))
    }
