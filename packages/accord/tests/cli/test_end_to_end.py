"""The commands one after the other, as a person types them, over a file: index of generated wheels and no network."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import subprocess
import sys
import tomllib
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Accord = Callable[..., Any]


def wheel(folder: Path, name: str, version: str, *requires: str, script: str | None = None) -> None:
    """A pure wheel of one module that knows its version, with a command if ``script`` names one."""
    info = f"{name}-{version}.dist-info"
    metadata = [f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}"]
    metadata += [f"Requires-Dist: {one}" for one in requires]
    files = {
        f"{name}.py": f"version = {version!r}\ndef main():\n    print('{name}', version)\n",
        f"{info}/METADATA": "\n".join(metadata) + "\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    if script:
        files[f"{info}/entry_points.txt"] = f"[console_scripts]\n{script} = {name}:main\n"
    rows = []
    for path, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        rows.append(f"{path},sha256={digest},{len(text.encode())}")
    files[f"{info}/RECORD"] = "\n".join([*rows, f"{info}/RECORD,,"]) + "\n"
    page = folder / name
    page.mkdir(parents=True, exist_ok=True)
    file = page / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(file, "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    with (page / "index.html").open("a") as index:
        index.write(f'<a href="{file.name}#sha256={digest}">{file.name}</a>\n')


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of an index that every command asks, and no other."""
    folder = tmp_path / "simple"
    wheel(folder, "alpha", "1.0", "beta>=1")
    wheel(folder, "alpha", "1.1", "beta>=1")
    wheel(folder, "beta", "1.0")
    wheel(folder, "beta", "2.0")
    wheel(folder, "gamma", "3.0", script="gamma")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", folder.as_uri())
    return folder


@pytest.fixture
def project(accord: Accord, index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    ran = accord("init", "shop", "--python", "3.11")
    assert ran.status == 0, ran.err
    monkeypatch.chdir(tmp_path / "shop")
    return tmp_path / "shop"


def good(ran: Any) -> Any:
    assert ran.status == 0, ran.err or ran.out
    return ran


def installed(accord: Accord) -> dict[str, str]:
    return {one["name"]: one["version"] for one in json.loads(good(accord("pip", "list", "--json")).out)}


def dependencies(project: Path) -> list[str]:
    found: list[str] = tomllib.loads((project / "pyproject.toml").read_text())["project"]["dependencies"]
    return found


def test_a_project_from_init_to_undo(accord: Accord, project: Path) -> None:
    record = json.loads(good(accord("add", "alpha", "--json")).out)
    assert record["added"] == ["alpha>=1.1"]
    assert dependencies(project) == ["alpha>=1.1"]
    assert installed(accord) == {"alpha": "1.1", "beta": "2.0"}
    assert "shop" in good(accord("tree")).out
    assert "shop -> alpha [>=1.1] -> beta" in good(accord("why", "beta")).out
    again = json.loads(good(accord("sync", "--json")).out)
    assert (again["added"], again["removed"], again["kept"]) == ([], [], 2)
    good(accord("add", "gamma", "--group", "dev"))
    assert installed(accord) == {"alpha": "1.1", "beta": "2.0", "gamma": "3.0"}
    good(accord("undo"))
    assert installed(accord) == {"alpha": "1.1", "beta": "2.0"}
    good(accord("undo", "--redo"))
    assert "gamma" in installed(accord)
    assert len(json.loads(good(accord("history", "--json")).out)) >= 3
    good(accord("remove", "alpha"))
    assert dependencies(project) == []
    assert installed(accord) == {"gamma": "3.0"}
    assert good(accord("pip", "check")).out == ""
    assert good(accord("verify")).out == ""


def test_what_cannot_be_resolved_leaves_the_project_as_it_was(accord: Accord, project: Path) -> None:
    good(accord("add", "alpha"))
    before = {name: (project / name).read_bytes() for name in ("pyproject.toml", "pylock.toml")}
    for words, code in (
        (("add", "no-such-project"), "unknown-project"),
        (("add", "beta<0.5"), "no-matching-version"),
        (("add", "alpha==1.0", "beta>=9"), None),
    ):
        ran = accord(*words)
        assert ran.status == 1
        if code is not None:
            assert f"error[{code}]" in ran.err
        assert {name: (project / name).read_bytes() for name in before} == before
    assert installed(accord) == {"alpha": "1.1", "beta": "2.0"}


def test_upgrade_says_what_changed(accord: Accord, project: Path, index: Path) -> None:
    good(accord("add", "beta>=1"))
    wheel(index, "beta", "2.5")
    assert installed(accord) == {"beta": "2.0"}
    outdated = json.loads(good(accord("outdated", "--json")).out)
    assert [(one["name"], one["locked"], one["newest"]) for one in outdated] == [("beta", "2.0", "2.5")]
    would = json.loads(good(accord("upgrade", "--dry-run", "--json")).out)
    assert would["replaced"] == [{"name": "beta", "from": "2.0", "to": "2.5"}]
    assert would["written"] is False
    done = json.loads(good(accord("upgrade", "beta", "--json")).out)
    assert done["sync"]["replaced"] == [{"name": "beta", "from": "2.0", "to": "2.5"}]
    assert installed(accord) == {"beta": "2.5"}


def test_a_lock_that_is_not_right_is_found_in_ci(accord: Accord, project: Path) -> None:
    good(accord("add", "beta", "--no-sync"))
    good(accord("lock", "--check"))
    text = (project / "pyproject.toml").read_text()
    (project / "pyproject.toml").write_text(text.replace("beta>=2.0", "beta<2"))
    for words in (("lock", "--check"), ("sync", "--locked")):
        ran = accord(*words)
        assert ran.status == 1
        assert "error[lock-outdated]" in ran.err


def test_export_and_install_elsewhere(accord: Accord, project: Path, tmp_path: Path) -> None:
    good(accord("add", "alpha", "--no-sync"))
    good(accord("export", "-o", "requirements.txt"))
    text = (project / "requirements.txt").read_text()
    assert "alpha==1.1 \\\n    --hash=sha256:" in text
    elsewhere = str(tmp_path / "elsewhere")
    good(accord("venv", elsewhere, "--python", sys.executable))
    good(accord("pip", "sync", "requirements.txt", "--env", elsewhere, "--require-hashes"))
    assert "alpha==1.1" in good(accord("pip", "freeze", "--env", elsewhere)).out
    good(accord("pip", "uninstall", "alpha", "--env", elsewhere))
    assert good(accord("pip", "freeze", "--env", elsewhere)).out == "beta==2.0\n"


def test_pip_compile_writes_what_pip_compile_writes(accord: Accord, index: Path, tmp_path: Path) -> None:
    (tmp_path / "requirements.in").write_text("alpha\n")
    (tmp_path / "limits.txt").write_text("beta<2\n")
    ran = good(accord("pip", "compile", "requirements.in", "-c", "limits.txt", "--no-header"))
    pinned = [line for line in ran.out.splitlines() if not line.lstrip().startswith("#")]
    assert pinned == ["alpha==1.1", "beta==1.0"]
    good(accord("pip", "compile", "requirements.in", "-o", "requirements.txt", "--quiet", "--upgrade"))
    header = (tmp_path / "requirements.txt").read_text().splitlines()[1]
    assert header == "#    accord pip compile requirements.in -o requirements.txt"


def test_a_private_environment_is_installed_into_as_with_pip(
    accord: Accord, index: Path, tmp_path: Path
) -> None:
    env = str(tmp_path / "env")
    good(accord("venv", env, "--python", sys.executable))
    report = tmp_path / "report.json"
    good(accord("pip", "install", "alpha<1.1", "gamma", "--env", env, "--report", str(report)))
    assert {one["name"] for one in json.loads(report.read_text())["added"]} == {"alpha", "beta", "gamma"}
    done = subprocess.run([f"{env}/bin/gamma"], capture_output=True, text=True, check=True)
    assert done.stdout == "gamma 3.0\n"
    ran = accord("pip", "show", "beta", "nothing", "--env", env)
    assert ran.status == 1
    assert "Required-by: alpha" in ran.out
    tree = good(accord("pip", "tree", "--invert", "beta", "--env", env)).out.splitlines()
    assert tree == ["beta 2.0", "└── alpha 1.0"]
    good(accord("pip", "install", "-U", "alpha", "--env", env))
    assert "alpha==1.1" in good(accord("pip", "freeze", "--env", env)).out


def test_a_damaged_file_is_found_and_put_back(accord: Accord, index: Path, tmp_path: Path) -> None:
    env = tmp_path / "env"
    good(accord("venv", str(env), "--python", sys.executable))
    good(accord("pip", "install", "gamma", "--env", str(env), "--link-mode", "copy"))
    (module,) = env.glob("lib/*/site-packages/gamma.py")
    before = module.read_text()
    module.unlink()
    module.write_text("changed\n")
    ran = accord("verify", "--env", str(env))
    assert ran.status == 1
    assert "gamma.py of gamma 3.0" in ran.out
    good(accord("verify", "--env", str(env), "--repair"))
    assert module.read_text() == before
    good(accord("verify", "--env", str(env)))


def test_the_cache_knows_what_it_holds(accord: Accord, index: Path, tmp_path: Path) -> None:
    env = str(tmp_path / "env")
    good(accord("venv", env, "--python", sys.executable))
    good(accord("pip", "install", "gamma", "--env", env))
    parts = {part["name"] for part in json.loads(good(accord("cache", "size", "--json")).out)["parts"]}
    assert "store-v1" in parts
    good(accord("cache", "verify"))
    assert json.loads(good(accord("cache", "clean", "gamma", "--json")).out) == {
        "removed": [{"name": "gamma", "version": "3.0"}]
    }
    good(accord("cache", "clean"))
    assert subprocess.run([f"{env}/bin/gamma"], check=True, capture_output=True).stdout == b"gamma 3.0\n"


RUN = "import sys; from accord.cli.main import main; sys.exit(main(sys.argv[1:]))"


def run(*words: str) -> subprocess.CompletedProcess[str]:
    """``accord run`` replaces its process, so it needs one of its own."""
    return subprocess.run(
        [sys.executable, "-c", RUN, "run", *words], capture_output=True, text=True, check=False
    )


def test_run_in_a_project_brings_it_up_to_date_first(accord: Accord, project: Path) -> None:
    good(accord("add", "gamma", "--no-sync"))
    done = run("gamma")
    assert (done.returncode, done.stdout) == (0, "gamma 3.0\n"), done.stderr
    assert run("python", "-c", "raise SystemExit(5)").returncode == 5
    missing = run("no-such-program-anywhere")
    assert missing.returncode == 2
    assert "error[command-not-found]" in missing.stderr


def test_run_with_a_package_the_project_does_not_ask_for(accord: Accord, project: Path) -> None:
    good(accord("add", "gamma"))
    program = "import alpha, gamma; print(alpha.version, gamma.version)"
    for _ in range(2):
        done = run("--with", "alpha==1.0", "python", "-c", program)
        assert (done.returncode, done.stdout) == (0, "1.0 3.0\n"), done.stderr
    assert installed(accord) == {"gamma": "3.0"}
    above = run("--with", "alpha", "gamma")
    assert (above.returncode, above.stdout) == (0, "gamma 3.0\n"), above.stderr


def test_a_wheel_that_was_built_anew_is_another_one(accord: Accord, index: Path, tmp_path: Path) -> None:
    path = tmp_path / "zeta" / "zeta-1.0-py3-none-any.whl"
    program = (
        "--no-project",
        "--with",
        str(path),
        "python",
        "-c",
        "import importlib.metadata as m; print(m.requires('zeta'))",
    )
    wheel(tmp_path, "zeta", "1.0")
    first = run(*program)
    assert first.stdout == "None\n", first.stderr
    wheel(tmp_path, "zeta", "1.0", "beta")
    assert run(*program).stdout == "['beta']\n"


def test_a_script_runs_with_what_it_asks_for_until_it_is_upgraded(
    accord: Accord, index: Path, tmp_path: Path
) -> None:
    script = tmp_path / "hello.py"
    block = '# /// script\n# requires-python = ">=3.11"\n# dependencies = ["beta"]\n# ///\n'
    script.write_text(block + "import beta, sys\nprint(beta.version, *sys.argv[1:])\n")
    done = run(str(script), "--flag", "x")
    assert (done.returncode, done.stdout) == (0, "2.0 --flag x\n"), done.stderr
    wheel(index, "beta", "3.0")
    assert run(str(script)).stdout == "2.0\n"
    assert run("--upgrade", str(script)).stdout == "3.0\n"
    assert run(str(script)).stdout == "3.0\n"
