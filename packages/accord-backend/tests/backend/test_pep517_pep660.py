"""What PEP 517 and PEP 660 demand of a build backend, sentence by sentence.

Each test carries the id ``PEP<number>.<section>.<n>`` of one sentence, in the order of the text.  Hooks run as a
frontend runs them: in a fresh process, in the source tree, with nothing importable but the backend.
"""

from __future__ import annotations

import gzip
import inspect
import json
import os
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from packaging.metadata import Metadata
from packaging.requirements import Requirement
from packaging.tags import sys_tags
from packaging.utils import parse_wheel_filename

import accord_backend
from accord_core.archive.wheel import open_wheel

Project = Callable[..., Path]
BACKEND = os.path.dirname(os.path.dirname(accord_backend.__file__))
TREE = {
    "src/spam_eggs/__init__.py": "value = 1\n",
    "src/spam_eggs/data.txt": "x\n",
    "README.md": "# Spam\n",
    "bin/spam-tool": "#!/usr/bin/env python3\n",
}
TEXT = 'readme = "README.md"\ndependencies = ["ham>=1"]\n\n[project.scripts]\nspam = "spam_eggs:main"\n'
SETTINGS = '\n[tool.accord.build]\nscripts = ["bin/*"]\n'
CALL = """\
import json, sys
sys.path.insert(0, sys.argv[1])
import accord_backend
print("\\n" + json.dumps(getattr(accord_backend, sys.argv[2])(*json.loads(sys.argv[3]))))
"""


@pytest.fixture
def tree(project: Project) -> Path:
    return project(TEXT + SETTINGS, TREE)


def hook(name: str, *arguments: Any, **options: Any) -> Any:
    """Call a hook in a fresh, isolated interpreter whose working directory is the source tree."""
    done = subprocess.run(
        [sys.executable, "-I", "-c", CALL, BACKEND, name, json.dumps(arguments)],
        capture_output=True, text=True, check=True, encoding="utf-8", **options,
    )  # fmt: skip
    return json.loads(done.stdout.splitlines()[-1])


def contents(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def below(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


# --- PEP 517, "Build requirements"


def test_it_hosts_itself_without_a_cycle() -> None:
    """PEP517.requirements.1: the graph of build requirements MUST NOT contain cycles."""
    import tomllib

    own = Path(BACKEND).parent / "pyproject.toml"
    table = tomllib.loads(own.read_text())["build-system"]
    assert [Requirement(text).name for text in table["requires"]] == ["tomli"]


def test_its_in_tree_path_is_inside_and_is_where_it_comes_from() -> None:
    """PEP517.in-tree.1, .2: backend-path lies within the source tree, and the backend MUST be loaded from there."""
    import tomllib

    root = Path(BACKEND).parent
    table = tomllib.loads((root / "pyproject.toml").read_text())["build-system"]
    places = [(root / path).resolve() for path in table["backend-path"]]
    assert all(place.is_relative_to(root) for place in places)
    assert Path(accord_backend.__file__).resolve().parent.parent in places


# --- PEP 517, "Mandatory hooks", build_wheel


def test_build_wheel_places_a_wheel_in_the_directory(tree: Path, out: str) -> None:
    """PEP517.build_wheel.1: must build a .whl file and place it in wheel_directory."""
    hook("build_wheel", out)
    assert [path.suffix for path in Path(out).iterdir()] == [".whl"]


def test_build_wheel_returns_the_basename(tree: Path, out: str) -> None:
    """PEP517.build_wheel.2: must return the basename, not the full path, as a unicode string."""
    name = hook("build_wheel", out)
    assert isinstance(name, str) and os.listdir(out) == [name] and os.sep not in name


def test_build_wheel_into_a_directory_that_is_not_empty(tree: Path, out: str) -> None:
    """PEP517.build_wheel.1: nothing says that the directory is empty; what is there stays, an old wheel is replaced."""
    Path(out, "other.txt").write_text("kept")
    name = hook("build_wheel", out)
    whole = Path(out, name).read_bytes()
    Path(out, name).write_text("an older build")
    assert hook("build_wheel", out) == name
    assert Path(out, name).read_bytes() == whole and Path(out, "other.txt").read_text() == "kept"


def test_a_relative_directory(tree: Path) -> None:
    """PEP517.build_wheel.1: a path is relative to the working directory, which is the source tree."""
    (tree / "built").mkdir()
    assert hook("build_wheel", "built") in os.listdir(tree / "built")


def test_the_wheel_has_the_prepared_metadata(tree: Path, out: str, tmp_path: Path) -> None:
    """PEP517.build_wheel.3: with metadata_directory, it MUST produce a wheel with identical metadata."""
    folder = Path(out, hook("prepare_metadata_for_build_wheel", out))
    (tmp_path / "w").mkdir()
    name = hook("build_wheel", str(tmp_path / "w"), None, str(folder))
    prefix = f"{folder.name}/"
    built = {
        key[len(prefix) :]: data
        for key, data in contents(tmp_path / "w" / name).items()
        if key.startswith(prefix)
    }
    del built["RECORD"]
    assert built == below(folder)


def test_files_the_frontend_does_not_know_stay(tree: Path, out: str, tmp_path: Path) -> None:
    """PEP517.build_wheel.4: the directory is passed as it was made; files in it that nobody knows do no harm."""
    folder = Path(out, hook("prepare_metadata_for_build_wheel", out))
    (folder / "unknown.json").write_text("{}")
    (tmp_path / "w").mkdir()
    assert hook("build_wheel", str(tmp_path / "w"), None, str(folder))
    assert (folder / "unknown.json").exists()


def test_the_wheel_of_the_sdist_is_that_of_the_tree(tree: Path, out: str, tmp_path: Path) -> None:
    """PEP517.build_wheel.5: a frontend may call build_sdist first, then build_wheel in the unpacked sdist."""
    with tarfile.open(Path(out, hook("build_sdist", out))) as archive:
        archive.extractall(tmp_path / "unpacked", filter="data")
    direct = Path(out, hook("build_wheel", out)).read_bytes()
    (tmp_path / "w").mkdir()
    root = next((tmp_path / "unpacked").iterdir())
    assert (tmp_path / "w" / hook("build_wheel", str(tmp_path / "w"), cwd=root)).read_bytes() == direct


@pytest.mark.parametrize(
    "name", ["build_wheel", "build_sdist", "build_editable", "prepare_metadata_for_build_wheel"]
)
def test_a_source_directory_that_is_not_written_to(name: str, tree: Path, out: str) -> None:
    """PEP517.build_wheel.6: the source directory may be read-only; we neither create nor change a file in it."""

    def state() -> dict[str, tuple[int, int]]:
        return {
            str(path): (path.lstat().st_mtime_ns, path.lstat().st_mode) for path in [tree, *tree.rglob("*")]
        }

    before = state()
    hook(name, out)
    assert state() == before


def test_no_cache_makes_a_difference(tree: Path, out: str) -> None:
    """PEP517.build_wheel.7: the presence or absence of caches makes no difference to the result; there are none."""
    home = Path(out, "home")
    home.mkdir()
    environ = {**os.environ, "HOME": str(home), "XDG_CACHE_HOME": str(home), "TMPDIR": str(home)}
    first = Path(out, hook("build_wheel", out, env=environ)).read_bytes()
    assert not list(home.iterdir())
    assert Path(out, hook("build_wheel", out, env=environ)).read_bytes() == first


# --- build_sdist


def test_build_sdist_places_an_archive_in_the_directory(tree: Path, out: str) -> None:
    """PEP517.build_sdist.1, .2: must build a .tar.gz in sdist_directory and return its basename."""
    name = hook("build_sdist", out)
    assert os.listdir(out) == [name] and name == "spam_eggs-1.0.tar.gz"


def test_an_sdist_has_one_folder_named_like_it(tree: Path, out: str) -> None:
    """PEP517.build_sdist.3: a single top-level directory called {name}-{version}."""
    name = hook("build_sdist", out)
    with tarfile.open(Path(out, name)) as archive:
        assert {member.partition("/")[0] for member in archive.getnames()} == {name[: -len(".tar.gz")]}


def test_an_sdist_holds_the_sources_and_pyproject_toml(tree: Path, out: str) -> None:
    """PEP517.build_sdist.3, .4: it contains the source files and the pyproject.toml from the build directory."""
    with tarfile.open(Path(out, hook("build_sdist", out))) as archive:
        for path in ("pyproject.toml", *TREE):
            member = archive.extractfile(f"spam_eggs-1.0/{path}")
            assert member is not None and member.read() == (tree / path).read_bytes()


def test_an_sdist_holds_pkg_info(tree: Path, out: str) -> None:
    """PEP517.build_sdist.5: a PKG-INFO file containing metadata; PEP643: it agrees with the wheel's."""
    with tarfile.open(Path(out, hook("build_sdist", out))) as archive:
        member = archive.extractfile("spam_eggs-1.0/PKG-INFO")
        assert member is not None
        info = member.read()
    found = Metadata.from_email(info, validate=True)
    assert found.name == "Spam.Eggs" and not found.dynamic
    wheel = contents(Path(out, hook("build_wheel", out)))
    assert wheel["spam_eggs-1.0.dist-info/METADATA"] == info


def test_an_sdist_is_a_gzipped_pax_archive(project: Project, out: str) -> None:
    """PEP517.build_sdist.6, PEP517.sdists.1, .2: gzipped; POSIX.1-2001 pax, with UTF-8 file names."""
    long = "d" * 90 + "/" + "e" * 90
    project("", {"spam_eggs/__init__.py": "", "spam_eggs/é.txt": "x", f"spam_eggs/{long}/f.txt": "y"})
    data = gzip.decompress(Path(out, hook("build_sdist", out)).read_bytes())
    assert data[257:263] == b"ustar\0"
    assert "spam_eggs-1.0/spam_eggs/é.txt".encode() in data
    with tarfile.open(Path(out, "spam_eggs-1.0.tar.gz")) as archive:
        named = archive.getmember("spam_eggs-1.0/spam_eggs/é.txt")
        assert named.pax_headers == {"path": named.name}
        assert archive.getmember(f"spam_eggs-1.0/spam_eggs/{long}/f.txt").size == 1


def test_only_a_delegate_makes_an_sdist_unsupported(project: Project, out: str) -> None:
    """PEP517.build_sdist.7: a backend defines UnsupportedOperation if it may raise it; a delegate of ours may."""
    assert issubclass(accord_backend.UnsupportedOperation, Exception)
    project()
    assert accord_backend.build_sdist(out)


# --- PEP 517, "Optional hooks"


@pytest.mark.parametrize(
    "name",
    ["get_requires_for_build_wheel", "get_requires_for_build_sdist", "get_requires_for_build_editable"],
)
def test_requirements_are_a_list_of_strings(name: str, tree: Path) -> None:
    """PEP517.get_requires.1, PEP660.get_requires.1: MUST return a list of strings with PEP 508 specifications."""
    found = hook(name)
    assert isinstance(found, list) and all(Requirement(text) for text in found)


@pytest.mark.parametrize("kind", ["wheel", "editable"])
def test_prepared_metadata_are_a_dist_info_folder(kind: str, tree: Path, out: str) -> None:
    """PEP517.prepare.1, PEP660.prepare.1: must create {metadata_directory}/{package}-{version}.dist-info/."""
    name = hook(f"prepare_metadata_for_build_{kind}", out)
    assert os.listdir(out) == [name] and name == "spam_eggs-1.0.dist-info" and Path(out, name).is_dir()


@pytest.mark.parametrize("kind", ["wheel", "editable"])
def test_prepared_metadata_are_valid(kind: str, tree: Path, out: str) -> None:
    """PEP517.prepare.2, PEP660.prepare.2: a valid .dist-info as the wheel specification defines it, but for RECORD."""
    folder = Path(out, hook(f"prepare_metadata_for_build_{kind}", out))
    assert sorted(path.name for path in folder.iterdir()) == ["METADATA", "WHEEL", "entry_points.txt"]
    assert Metadata.from_email((folder / "METADATA").read_bytes(), validate=True).name == "Spam.Eggs"
    assert "Wheel-Version: 1.0\n" in (folder / "WHEEL").read_text()


@pytest.mark.parametrize("kind", ["wheel", "editable"])
def test_preparing_returns_the_basename(kind: str, tree: Path, out: str) -> None:
    """PEP517.prepare.4, PEP660.prepare.4: must return the basename as a unicode string."""
    name = hook(f"prepare_metadata_for_build_{kind}", out)
    assert isinstance(name, str) and os.sep not in name


def test_the_wheel_is_named_like_its_prepared_folder(tree: Path, out: str) -> None:
    """PEP517.prepare.1: the folder's {package}-{version} is that of the wheel's file name."""
    folder = hook("prepare_metadata_for_build_wheel", out)
    assert hook("build_wheel", out).startswith(folder[: -len(".dist-info")] + "-")


# --- PEP 517, "Config settings"


@pytest.mark.parametrize("name", ["build_wheel", "build_sdist", "build_editable"])
@pytest.mark.parametrize("settings", [{}, {"CC": "gcc"}, {"--build-option": ["a", "b"]}])
def test_any_settings_are_accepted(name: str, settings: dict[str, Any], tree: Path, out: str) -> None:
    """PEP517.config.1, .4: an arbitrary dictionary, its values strings or lists of strings."""
    assert hook(name, out, settings)


def test_settings_that_change_nothing_are_named(
    tree: Path, out: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """PEP517.config.2: a backend MAY assign any semantics; ours to unknown ones is a line on stderr."""
    accord_backend.build_wheel(out, {"no-such": "x"})
    accord_backend.build_wheel(out, {})
    assert capfd.readouterr().err.count("\n") == 1


SIGNATURES = {
    "build_wheel": ["wheel_directory", "config_settings", "metadata_directory"],
    "build_sdist": ["sdist_directory", "config_settings"],
    "build_editable": ["wheel_directory", "config_settings", "metadata_directory"],
    "get_requires_for_build_wheel": ["config_settings"],
    "get_requires_for_build_sdist": ["config_settings"],
    "get_requires_for_build_editable": ["config_settings"],
    "prepare_metadata_for_build_wheel": ["metadata_directory", "config_settings"],
    "prepare_metadata_for_build_editable": ["metadata_directory", "config_settings"],
}


@pytest.mark.parametrize("name", SIGNATURES)
def test_signatures_match_in_order_and_names(name: str) -> None:
    """PEP517.config.6: hooks may be called with positional or keyword arguments."""
    parameters = inspect.signature(getattr(accord_backend, name)).parameters.values()
    assert [parameter.name for parameter in parameters] == SIGNATURES[name]
    assert {parameter.kind for parameter in parameters} == {inspect.Parameter.POSITIONAL_OR_KEYWORD}
    optional = {"config_settings", "metadata_directory"} if name.startswith("build_") else {"config_settings"}
    assert {parameter.name for parameter in parameters if parameter.default is None} == optional & set(
        SIGNATURES[name]
    )


def test_hooks_work_from_the_root_of_the_source_tree(tree: Path, out: str) -> None:
    """PEP517.hooks.1: all hooks are run with the root of the source tree as working directory, however it is found."""
    link = Path(out, "link")
    link.symlink_to(tree)
    assert hook("build_wheel", out, cwd=link) == "spam_eggs-1.0-py3-none-any.whl"


def test_stdin_may_be_closed(tree: Path, out: str) -> None:
    """PEP517.hooks.3: hooks MUST NOT read from stdin, and the frontend MAY close it."""
    script = (
        "import os, sys; os.close(0); sys.path.insert(0, sys.argv[1]); import accord_backend as b; "
        "b.build_wheel(sys.argv[2]); b.build_sdist(sys.argv[2]); b.build_editable(sys.argv[2])"
    )
    subprocess.run([sys.executable, "-I", "-c", script, BACKEND, out], check=True)


def test_output_is_utf_8_in_a_pipe(tree: Path, out: str) -> None:
    """PEP517.hooks.4: what is written to a stream that is no terminal SHOULD be UTF-8 encoded."""
    script = "import sys; sys.path.insert(0, sys.argv[1]); import accord_backend as b; b.build_wheel(sys.argv[2], {'é': '1'})"
    environ = {**os.environ, "PYTHONIOENCODING": "latin-1"}
    done = subprocess.run(
        [sys.executable, "-c", script, BACKEND, out], env=environ, capture_output=True, check=True
    )
    assert "\\xe9" in done.stderr.decode("utf-8") and not done.stdout


def test_a_failure_is_an_exception(project: Project, out: str) -> None:
    """PEP517.hooks.6: a hook that raises, or ends the process, indicates an error; nothing half-made is left."""
    project(whole="[project]\n")
    with pytest.raises(subprocess.CalledProcessError) as caught:
        hook("build_wheel", out)
    assert "key-missing" in caught.value.stderr and not os.listdir(out)


# --- PEP 517, "Build environment"


def test_it_needs_the_standard_library_only(tree: Path, out: str) -> None:
    """PEP517.environment.4: it MUST NOT assume access to packages that are not declared as build requirements."""
    script = (
        "import sys; sys.path.insert(0, sys.argv[1]); import accord_backend as b; b.build_wheel(sys.argv[2]); "
        "b.build_sdist(sys.argv[2]); print(*{n.partition('.')[0] for n in sys.modules} - set(sys.stdlib_module_names))"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", script, BACKEND, out], capture_output=True, text=True, check=True
    )
    assert set(done.stdout.split()) <= {"accord_backend", "__main__"}


# --- PEP 517, "Source distributions"


def test_an_sdist_builds_a_wheel_of_the_same_name_and_version(tree: Path, out: str) -> None:
    """PEP517.sdists.3: an sdist {NAME}-{VERSION}.{EXT} generates a wheel {NAME}-{VERSION}-{COMPAT-INFO}.whl."""
    stem = hook("build_sdist", out)[: -len(".tar.gz")]
    assert hook("build_wheel", out).startswith(f"{stem}-")


# --- PEP 660


def test_build_editable_places_a_wheel_and_returns_its_basename(tree: Path, out: str) -> None:
    """PEP660.build_editable.1, .2"""
    name = hook("build_editable", out)
    assert os.listdir(out) == [name]


def test_an_editable_is_a_wheel_in_every_respect(tree: Path, out: str) -> None:
    """PEP660.build_editable.4: it must comply with the wheel specification and contain a compliant .dist-info."""
    with open_wheel(os.path.join(out, hook("build_editable", out))) as wheel:
        for member in wheel.members:
            wheel.read(member)
        assert wheel.metadata().name == "Spam.Eggs"


def test_an_editable_has_the_metadata_of_the_wheel(tree: Path, out: str, tmp_path: Path) -> None:
    """PEP660.build_editable.5, .6: metadata identical to build_wheel's, Requires-Dist included."""
    one = contents(Path(out, hook("build_wheel", out)))
    two = contents(Path(out, hook("build_editable", out)))
    names = {name for name in one if ".dist-info/" in name and not name.endswith("RECORD")}
    assert {name: two[name] for name in names} == {name: one[name] for name in names}


def test_an_editable_is_tagged_compatible(tree: Path, out: str) -> None:
    """PEP660.build_editable.7: the file name is PEP 427 compliant, its tags compatible with the system."""
    assert parse_wheel_filename(hook("build_editable", out))[3] & set(sys_tags())


def test_an_editable_has_the_prepared_metadata(tree: Path, out: str, tmp_path: Path) -> None:
    """PEP660.build_editable.8: with metadata_directory it MUST produce a wheel with identical metadata."""
    folder = Path(out, hook("prepare_metadata_for_build_editable", out))
    (tmp_path / "w").mkdir()
    built = contents(tmp_path / "w" / hook("build_editable", str(tmp_path / "w"), None, str(folder)))
    assert below(folder) == {
        name.partition("/")[2]: data
        for name, data in built.items()
        if name.startswith(f"{folder.name}/") and not name.endswith("RECORD")
    }


def test_an_editable_makes_the_project_importable_from_its_source(tree: Path, out: str) -> None:
    """PEP660.terminology.2, .4: changes of Python code need no new installation; the code is importable by others."""
    site = Path(out, "site")
    with zipfile.ZipFile(Path(out, hook("build_editable", out))) as archive:
        archive.extractall(site)
    script = (
        "import site, sys; site.addsitedir(sys.argv[1]); import spam_eggs; print(spam_eggs.value); "
        "import importlib.metadata as m; print(m.version('spam.eggs'))"
    )
    for value in (1, 2):
        (tree / "src/spam_eggs/__init__.py").write_text(f"value = {value}\n")
        done = subprocess.run(
            [sys.executable, "-I", "-B", "-c", script, str(site)],
            capture_output=True,
            text=True,
            check=True,
            cwd=out,
        )
        assert done.stdout.split() == [str(value), "1.0"]
        os.utime(tree / "src/spam_eggs/__init__.py", (value, value))


def test_an_editable_carries_what_is_installed_elsewhere(tree: Path, out: str) -> None:
    """PEP660.limitations.1: no special provision for scripts, headers and data: they are copies, as in the wheel."""
    assert "spam_eggs-1.0.data/scripts/spam-tool" in contents(Path(out, hook("build_editable", out)))
