"""Extension modules from a description: they work, the wheel and the sdist hold the right files under the right tag."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from packaging.tags import sys_tags

import accord_backend

if TYPE_CHECKING:
    from tests.backend.native.conftest import Workshop

SUFFIX = sysconfig.get_config_var("EXT_SUFFIX")
FREE = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
OWN = next(sys_tags())
TAG = f"{OWN.interpreter}-{OWN.abi}-linux_x86_64"
limited = pytest.mark.skipif(
    FREE or sys.implementation.name != "cpython", reason="this Python has no such limited API"
)


def test_a_c_module_works_and_its_source_stays_out_of_the_wheel(workshop: Workshop) -> None:
    workshop()
    wheel = workshop.build()
    assert wheel.name == f"spam-1.0-{TAG}.whl"
    found = workshop.members(wheel)
    assert [path for path in found if ".dist-info/" not in path] == [
        "spam/__init__.py",
        f"spam/_speed{SUFFIX}",
    ]
    assert b"Root-Is-Purelib: false\n" in found["spam-1.0.dist-info/WHEEL"]
    assert f"Tag: {TAG}\n".encode() in found["spam-1.0.dist-info/WHEEL"]
    assert workshop.run(wheel) == "42"


def test_the_metadata_hook_tells_what_the_wheel_will_hold(workshop: Workshop, tmp_path: Path) -> None:
    workshop()
    info = accord_backend.prepare_metadata_for_build_wheel(os.fspath(tmp_path))
    found = workshop.members(workshop.build())
    for file in (tmp_path / info).iterdir():
        assert file.read_bytes() == found[f"{info}/{file.name}"]


def test_defines_include_folders_and_headers(workshop: Workshop) -> None:
    workshop(
        'include-dirs = ["include"]\ndefines = ["HALF=21"]\n',
        {
            "include/a.h": "#define ANSWER (2 * HALF + 1)\n",
            "src/spam/_speed.c": '#include "a.h"\n' + workshop.SPEED,
        },
    )
    wheel = workshop.build()
    assert workshop.run(wheel) == "43"
    with tarfile.open(workshop.build("build_sdist")) as archive:
        assert "spam-1.0/include/a.h" in archive.getnames()


def test_a_define_with_blanks_quotes_and_dollars_arrives_whole(workshop: Workshop) -> None:
    source = workshop.SPEED.replace("PyLong_FromLong(ANSWER)", "PyUnicode_FromString(WORDS)")
    workshop('defines = [\'WORDS="a  $b `c` \\"d"\']\n', {"src/spam/_speed.c": source})
    wheel = workshop.build()
    assert workshop.run(wheel) == 'a  $b `c` "d'


def test_undefines_and_compile_args(workshop: Workshop) -> None:
    source = "#ifdef NDEBUG\n#error NDEBUG is set\n#endif\n" + workshop.SPEED
    workshop('undefines = ["NDEBUG"]\ncompile-args = ["-DANSWER=7"]\n', {"src/spam/_speed.c": source})
    assert workshop.run(workshop.build()) == "7"


def test_several_sources_by_glob_and_a_source_in_a_folder_with_a_blank(workshop: Workshop) -> None:
    extension = (
        '[[tool.accord.extension]]\nname = "spam._speed"\nsources = ["src/spam/_speed.c", "c code/*.c"]\n'
    )
    source = "int other(void);\n#define ANSWER other()\n" + workshop.SPEED
    workshop(
        files={"src/spam/_speed.c": source, "c code/a b.c": "int other(void) { return 9; }\n"},
        extension=extension,
    )
    assert workshop.run(workshop.build()) == "9"


def test_a_cplusplus_module(workshop: Workshop) -> None:
    source = "#include <string>\n" + workshop.SPEED.replace(
        "PyLong_FromLong(ANSWER)", "PyLong_FromLong(std::string(7, 'x').size())"
    )
    workshop(
        files={"src/spam/_speed.cpp": source}, extension=workshop.EXTENSION.replace("_speed.c", "_speed.cpp")
    )
    assert workshop.run(workshop.build()) == "7"


@pytest.mark.slow
@pytest.mark.parametrize("language", ["cython", "c++"])
def test_a_cython_module(language: str, workshop: Workshop) -> None:
    pytest.importorskip("Cython")
    extension = (
        workshop.EXTENSION.replace("_speed.c", "_speed.pyx")
        + f'language = "{language}"\ncython-directives = {{binding = false}}\n'
    )
    source = 'from spam._types cimport number\ncdef extern from "local.h":\n    int LOCAL\ndef answer():\n    cdef number x = LOCAL\n    return x + 1\n'
    files = {
        "src/spam/_speed.pyx": source, "src/spam/_types.pxd": "ctypedef int number\n", "src/spam/__init__.pxd": "",
        "src/spam/local.h": "#define LOCAL 4\n",
    }  # fmt: skip
    root = workshop(files=files, extension=extension)
    (root / "src/spam/_speed.c").unlink()
    assert accord_backend.get_requires_for_build_wheel() == ["cython>=3"]
    wheel = workshop.build()
    assert workshop.run(wheel) == "5"
    names = {name for name in workshop.members(wheel) if name.startswith("spam/")}
    assert "spam/_types.pxd" in names and "spam/_speed.pyx" not in names
    assert ("_speed.cpp" if language == "c++" else "_speed.c") in {
        path.name for path in root.glob("build/accord-*/objects/spam._speed/src/spam/*")
    }
    # The .pxd is an input of ninja's, by Cython's own depfile.
    (root / "src/spam/_types.pxd").write_text("ctypedef long number\n")
    workshop.build()
    assert "cython" in workshop.log(root)
    workshop.build()
    assert "no work to do" in workshop.log(root)


@pytest.mark.slow
def test_a_cython_file_of_another_name_is_the_module(workshop: Workshop) -> None:
    pytest.importorskip("Cython")
    workshop(
        files={"cython/fast.pyx": "def answer():\n    return 6\n"},
        extension=workshop.EXTENSION.replace("src/spam/_speed.c", "cython/fast.pyx"),
    )
    assert workshop.run(workshop.build()) == "6"


@limited
def test_a_limited_api_module_is_one_for_all_later_pythons(workshop: Workshop) -> None:
    workshop('limited-api = "3.9"\n')
    wheel = workshop.build()
    assert wheel.name == "spam-1.0-cp39-abi3-linux_x86_64.whl"
    assert "spam/_speed.abi3.so" in workshop.members(wheel)
    assert workshop.run(wheel) == "42"


@limited
def test_a_module_beyond_the_limited_api_does_not_compile_with_it(workshop: Workshop) -> None:
    source = workshop.SPEED.replace("PyLong_FromLong(ANSWER)", "PyLong_FromLong(PyTuple_GET_SIZE(self))")
    workshop(
        'limited-api = "3.9"\ncompile-args = ["-Werror=implicit-function-declaration"]\n',
        {"src/spam/_speed.c": source},
    )
    fault = workshop.fault()
    assert fault.code == "compile-failed" and "PyTuple_GET_SIZE" in str(fault)
    assert "limited-api" in fault.hint


@limited
def test_a_full_module_beside_a_limited_one_makes_the_wheel_narrow(workshop: Workshop) -> None:
    workshop(
        'limited-api = "3.9"\n' + workshop.EXTENSION.replace("_speed", "_other"),
        {"src/spam/_other.c": workshop.SPEED},
    )
    wheel = workshop.build()
    assert wheel.name == f"spam-1.0-{TAG}.whl"
    assert "spam/_speed.abi3.so" in workshop.members(wheel)


def test_limited_api_can_be_left_for_one_build(workshop: Workshop) -> None:
    workshop('limited-api = "3.9"\n')
    assert workshop.build(settings={"limited-api": "false"}).name == f"spam-1.0-{TAG}.whl"


def test_additions_for_a_platform_count_there_and_nowhere_else(workshop: Workshop) -> None:
    when = '[[tool.accord.extension.when]]\nmarker = "sys_platform {} \'linux\'"\ndefines = ["ANSWER={}"]\n'
    workshop(when.format("==", 1) + when.format("!=", 2))
    assert workshop.run(workshop.build()) == "1"


def test_a_module_not_built_for_this_platform_leaves_a_pure_wheel(workshop: Workshop) -> None:
    workshop(
        "[[tool.accord.extension.when]]\nmarker = \"os_name == 'posix'\"\nbuild = false\n",
        {"src/spam/__init__.py": ""},
    )
    assert workshop.build().name == "spam-1.0-py3-none-any.whl"


def test_the_sdist_holds_the_sources_of_every_platform_and_builds_the_same_wheel(
    workshop: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    when = '[[tool.accord.extension.when]]\nmarker = "sys_platform == \'win32\'"\nsources = ["c/windows.c"]\n'
    workshop(
        'depends = ["src/spam/*.h"]\n' + when,
        {
            "c/windows.c": "#error no\n",
            "src/spam/a.h": "#define ANSWER 5\n",
            "src/spam/_speed.c": '#include "a.h"\n' + workshop.SPEED,
        },
    )
    wheel = workshop.build()
    assert "spam/a.h" not in workshop.members(wheel)
    sdist = workshop.build("build_sdist")
    with tarfile.open(sdist) as archive:
        names = archive.getnames()
        archive.extractall(tmp_path / "unpacked", filter="data")
    assert {f"spam-1.0/{path}" for path in ("c/windows.c", "src/spam/a.h", "src/spam/_speed.c")} <= set(names)
    assert not [name for name in names if "/build/" in name or name.endswith(".so")]
    monkeypatch.chdir(tmp_path / "unpacked/spam-1.0")
    assert workshop.build().read_bytes() == wheel.read_bytes()


def test_an_unpacked_sdist_brings_no_finished_objects(workshop: Workshop, tmp_path: Path) -> None:
    """Whoever makes an sdist could put a build folder in it; nothing of it is believed."""
    root = workshop()
    workshop.build()
    module = next(root.glob("build/accord-*/modules/spam/*.so"))
    module.write_bytes(b"harm")
    os.utime(module, (2**31, 2**31))
    assert workshop.members(workshop.build())[f"spam/{module.name}"] == b"harm"
    (root / "PKG-INFO").write_text("")
    assert workshop.members(workshop.build())[f"spam/{module.name}"] != b"harm"


def test_an_editable_build_puts_the_module_beside_its_source(workshop: Workshop) -> None:
    root = workshop()
    editable = workshop.build("build_editable")
    assert editable.name == f"spam-1.0-{TAG}.whl"
    found = workshop.members(editable)
    assert [path for path in found if ".dist-info/" not in path] == ["_editable_spam.pth"]
    assert [path.name for path in root.glob("src/spam/_speed*.so")]
    site = os.fspath(editable.parent)
    code = f"import site; site.addsitedir({site!r}); import spam; print(spam.answer(), spam._speed.__file__)"
    with zipfile.ZipFile(editable) as archive:
        archive.extractall(site)
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd="/"
    ).stdout
    assert answer.startswith("42 ") and os.fspath(root / "src") in answer
    # Neither archive takes what an editable build left in the tree.
    wheel = workshop.members(workshop.build())
    assert len([path for path in wheel if path.endswith(".so")]) == 1
    (root / "src/spam/_speed.cpython-399-x86_64-linux-gnu.so").write_bytes(b"another Python's")
    wheel = workshop.members(workshop.build())
    assert len([path for path in wheel if path.endswith(".so")]) == 1
    with tarfile.open(workshop.build("build_sdist")) as archive:
        assert not [path for path in archive.getnames() if path.endswith(".so")]


def test_libraries_by_pkg_config(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    root = workshop('pkg-config = ["ham>=1.2"]\n')
    folder = root / "pc"
    folder.mkdir()
    text = "Name: ham\nDescription: ham\nVersion: {}\nCflags: -DANSWER={}\nLibs: -lm\n"
    (folder / "ham.pc").write_text(text.format("1.3", 8))
    monkeypatch.setenv("PKG_CONFIG_PATH", os.fspath(folder))
    assert workshop.run(workshop.build()) == "8"
    # The answer is recorded with the file it came from: another file is another build.
    (folder / "ham.pc").write_text(text.format("1.3", 11))
    assert workshop.run(workshop.build()) == "11"
    (folder / "ham.pc").write_text(text.format("1.1", 8))
    assert workshop.fault().code == "library-version"


def test_packages_that_installed_distributions_declare_to_pkg_config(
    workshop: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workshop('pkg-config = ["ham"]\n')
    for number in (4, 5):
        site = tmp_path / f"site{number}"
        (site / "ham/share").mkdir(parents=True)
        (site / "ham/share/ham.pc").write_text(
            f"Name: ham\nDescription: ham\nVersion: 1\nCflags: -DANSWER={number}\n"
        )
        info = site / "ham-1.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: ham\nVersion: 1\n")
        (info / "entry_points.txt").write_text("[pkg_config]\nham = ham.share\n")
        with monkeypatch.context() as patch:
            patch.syspath_prepend(os.fspath(site))
            assert workshop.run(workshop.build()) == str(number)


def test_headers_of_an_installed_distribution(
    workshop: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path / "site"
    (site / "num_pie/_core/include").mkdir(parents=True)
    (site / "num_pie/_core/include/pie.h").write_text("#define ANSWER 3\n")
    info = site / "num_pie-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: num-pie\nVersion: 1.0\n")
    monkeypatch.syspath_prepend(os.fspath(site))
    root = workshop(
        'include-from = ["num-pie"]\n', {"src/spam/_speed.c": "#include <pie.h>\n" + workshop.SPEED}
    )
    assert workshop.run(workshop.build()) == "3"
    # Another isolated environment has another path and the same headers: nothing is compiled again.
    monkeypatch.undo()
    site.rename(tmp_path / "site2")
    monkeypatch.chdir(root)
    monkeypatch.syspath_prepend(os.fspath(tmp_path / "site2"))
    workshop.build()
    assert "no work to do" in workshop.log(root)


def test_the_configuration_is_a_readable_record(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    root = workshop('libraries = ["m"]\n')
    monkeypatch.setenv("CFLAGS", "-DEXTRA=1")
    workshop.build()
    path = next(root.glob("build/accord-*/configured.json"))
    record = json.loads(path.read_text())
    extension = record["extensions"][0]
    assert record["variables"] == {"CFLAGS": "-DEXTRA=1"}
    assert record["compilers"]["c"]["version"] and record["python"]["include"]
    assert extension["name"] == "spam._speed" and extension["libraries"] == ["-lm"]
    assert "-DEXTRA=1" in extension["compile"]["c"] and "-fPIC" in extension["compile"]["c"]
    assert extension["units"][0]["source"] == "src/spam/_speed.c"
    assert os.fspath(root) not in path.read_text(), "the folder may move"


def test_the_configuration_is_made_again_when_its_inputs_change_and_only_then(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = workshop()
    workshop.build()
    path = next(root.glob("build/accord-*/configured.json"))
    first = path.stat().st_mtime_ns
    (root / "src/spam/_speed.c").write_text(workshop.SPEED + "\n")
    workshop.build()
    assert path.stat().st_mtime_ns == first
    monkeypatch.setenv("LDFLAGS", "-Wl,-O1")
    workshop.build()
    assert path.stat().st_mtime_ns != first and "-Wl,-O1" in path.read_text()


def test_a_project_that_is_one_module_and_nothing_else(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    extension = '[[tool.accord.extension]]\nname = "spam"\nsources = ["spam.c"]\n'
    source = workshop.SPEED.replace("_speed", "spam")
    root = workshop(files={"spam.c": source}, extension=extension)
    for path in ("src/spam/__init__.py", "src/spam/_speed.c"):
        (root / path).unlink()
    for folder in ("src/spam", "src"):
        (root / folder).rmdir()
    found = workshop.members(workshop.build())
    assert [path for path in found if ".dist-info/" not in path] == [f"spam{SUFFIX}"]
    assert workshop.run(workshop.build()) == "42"
    assert "_editable_spam.pth" in workshop.members(workshop.build("build_editable"))
    assert (root / f"spam{SUFFIX}").is_file()
    with tarfile.open(workshop.build("build_sdist")) as archive:
        assert archive.getnames() == ["spam-1.0/PKG-INFO", "spam-1.0/pyproject.toml", "spam-1.0/spam.c"]


def test_an_sdist_without_a_source_is_refused(workshop: Workshop) -> None:
    workshop('[tool.accord.build]\nsdist-exclude = ["src/spam/_speed.c"]\n')
    assert workshop.fault("build_sdist").code == "sdist-incomplete"


def test_settings_nobody_knows_are_named_and_known_ones_are_not(
    workshop: Workshop, capfd: pytest.CaptureFixture[str]
) -> None:
    workshop()
    workshop.build(settings={"jobs": "1", "colour": "red"})
    said = capfd.readouterr().err
    assert "'colour' is not known" in said and "'jobs'" not in said


@pytest.mark.usefixtures("compiler")
@limited
def test_the_metadata_that_were_prepared_fit_the_wheel(workshop: Workshop, tmp_path: Path) -> None:
    workshop('limited-api = "3.9"\n')
    info = accord_backend.prepare_metadata_for_build_wheel(os.fspath(tmp_path))
    assert accord_backend.build_wheel(os.fspath(tmp_path), None, os.fspath(tmp_path / info))
    with pytest.raises(accord_backend.errors.BackendError, match="metadata-changed"):
        accord_backend.build_wheel(os.fspath(tmp_path), {"limited-api": "false"}, os.fspath(tmp_path / info))


def test_verbose_shows_the_commands(workshop: Workshop, capfd: pytest.CaptureFixture[str]) -> None:
    workshop()
    workshop.build(settings={"verbose": "true"})
    assert " -c src/spam/_speed.c " in capfd.readouterr().err


@pytest.mark.skipif(not FREE, reason="this Python has the GIL")
def test_a_free_threaded_python_refuses_the_limited_api_and_says_the_way_round(workshop: Workshop) -> None:
    workshop('limited-api = "3.9"\n')
    fault = workshop.fault()
    assert fault.code == "limited-api-free-threaded" and "-C limited-api=false" in fault.hint


@pytest.mark.parametrize(
    ("minor", "free"), [(8, ""), (9, ""), (10, ""), (12, ""), (13, ""), (13, "t"), (14, ""), (14, "t")]
)
@pytest.mark.slow
def test_on_every_python_here(minor: int, free: str, workshop: Workshop, tmp_path: Path) -> None:
    siblings = Path(sys.base_prefix).parent.glob(f"3.{minor}.*/bin/python")
    pythons = [str(path) for path in siblings if path.parts[-3].endswith("t") is bool(free)]
    python = min(pythons, default=None)
    if python is None:
        pytest.skip(f"no CPython 3.{minor}{free} here")
    root = workshop()
    prelude = tmp_path / "prelude"
    prelude.mkdir()
    if minor < 11:
        (prelude / "sitecustomize.py").write_text(
            "import sys; from pip._vendor import tomli; sys.modules['tomli'] = tomli\n"
        )
    environ = {"PYTHONPATH": f"{prelude}{os.pathsep}{workshop.SOURCE}"}
    wheel = workshop.hook(root, python=python, environ=environ)
    assert isinstance(wheel, Path)
    assert wheel.name == f"spam-1.0-cp3{minor}-cp3{minor}{free}-linux_x86_64.whl"
    assert workshop.run(wheel, python=python) == "42"
