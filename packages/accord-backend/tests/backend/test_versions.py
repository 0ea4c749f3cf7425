"""The version is read from one place, and nothing of the project is run to read it."""

from __future__ import annotations

import os
import stat
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from packaging.version import Version

import accord_backend
from accord_backend import git, rules, tags, versions
from accord_backend.errors import BackendError

Project = Callable[..., Path]

HEAD = '[project]\nname = "spam"\ndynamic = ["version"]\n\n[tool.accord.build]\n'
CODE = {"spam/__init__.py": ""}


def version_of(out: str) -> str:
    return accord_backend.build_wheel(out).split("-")[1]


def fault_of(out: str) -> BackendError:
    with pytest.raises(BackendError) as caught:
        accord_backend.build_wheel(out)
    return caught.value


# --- from a module


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('__version__ = "1.2"\n', "1.2"),
        ("__version__: str = '1.2'\n", "1.2"),
        ('"""Doc."""\nimport nothing_that_exists\n__version__ = "1.2-RC1"\n', "1.2rc1"),
        ('other = __version__ = "1.2"\n', "1.2"),
        ("# coding: latin-1\nname = 'caf\xe9'\n__version__ = '1.2'\n", "1.2"),
        ('__version__ = "1.2"\nraise SystemExit("never run")\n', "1.2"),
        ('__version__: str\n__version__ = "1.2"\n', "1.2"),
        ('__version__ = "1.2"\npath = "\\d"\n', "1.2"),
    ],
)
def test_a_literal_in_a_module(source: str, expected: str, project: Project, out: str) -> None:
    root = project(whole=HEAD + 'version = {module = "spam"}\n', files=CODE)
    (root / "spam/__init__.py").write_bytes(source.encode("latin-1"))
    assert version_of(out) == expected


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("", "version-not-found"),
        ('if True:\n    __version__ = "1.2"\n', "version-not-found"),
        ('__version__ += "1"\n', "version-not-found"),
        ('__version__ = ".".join(("1", "2"))\n', "version-not-literal"),
        ("__version__ = 1.2\n", "version-not-literal"),
        ("__version__ = None\n", "version-not-literal"),
        ("__version__ = f'{1}.2'\n", "version-not-literal"),
        ('__version__ = "1.2"\n__version__ = "1.3"\n', "version-not-literal"),
        ('__version__ = "1.2"\n__version__ = read()\n', "version-not-literal"),
        ('__version__ = "one"\n', "version-invalid"),
        ("__version__ = \n", "version-module-syntax"),
        ("__version__ = " + "(" * 5000 + ")" * 5000 + "\n", "version-module-syntax"),
        ("\0", "version-module-syntax"),
    ],
)
def test_what_is_no_literal(source: str, code: str, project: Project, out: str) -> None:
    project(whole=HEAD + 'version = {module = "spam"}\n', files={"spam/__init__.py": source})
    assert fault_of(out).code == code


def test_another_attribute_of_another_module(project: Project, out: str) -> None:
    settings = 'version = {module = "spam._meta", attribute = "VERSION"}\n'
    project(whole=HEAD + settings, files={"src/spam/__init__.py": "", "src/spam/_meta.py": "VERSION = '3'\n"})
    assert version_of(out) == "3"


def test_the_limits_of_what_is_read(project: Project, out: str, monkeypatch: pytest.MonkeyPatch) -> None:
    source = '__version__ = "1"\n'
    project(whole=HEAD + 'version = {module = "spam"}\n', files={"spam/__init__.py": source})
    monkeypatch.setattr(versions.Limits, "module", len(source))
    assert version_of(out) == "1"
    monkeypatch.setattr(versions.Limits, "module", len(source) - 1)
    assert fault_of(out).code == "version-source-too-large"


# --- from a file


def test_a_file(project: Project, out: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project(whole=HEAD + 'version = {file = "etc/VERSION"}\n', files={**CODE, "etc/VERSION": "\n1.0.dev1\n"})
    assert version_of(out) == "1.0.dev1"
    unpack(out, tmp_path, monkeypatch)
    assert version_of(out) == "1.0.dev1", "the sdist carries the file"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "version-invalid"),
        (b"\xff", "version-file-invalid"),
        (b"1" * 4097, "version-source-too-large"),
        (b"1.0 and more", "version-invalid"),
        (None, "version-source-missing"),
    ],
)
def test_a_file_that_says_no_version(content: bytes | None, code: str, project: Project, out: str) -> None:
    root = project(whole=HEAD + 'version = {file = "VERSION"}\n', files=CODE)
    if content is not None:
        (root / "VERSION").write_bytes(content)
    assert fault_of(out).code == code


def test_a_file_that_is_a_link_out_or_a_device(project: Project, out: str, tmp_path: Path) -> None:
    root = project(whole=HEAD + 'version = {file = "VERSION"}\n', files=CODE)
    (tmp_path / "secret").write_text("1.0")
    (root / "VERSION").symlink_to(tmp_path / "secret")
    assert fault_of(out).code == "version-source-missing"
    (root / "VERSION").unlink()
    os.mkfifo(root / "VERSION")
    assert fault_of(out).code == "version-source-missing"


@pytest.mark.parametrize(
    ("place", "code", "table"),
    [
        ("version", "version-source-missing", ""),
        ("version", "version-source-invalid", "version = {}"),
        ("version", "version-source-invalid", 'version = {module = "a", file = "b"}'),
        ("version", "wrong-type", 'version = "1.0"'),
        ("version.modules", "key-unknown", 'version = {git = true, modules = "a"}'),
        ("version.git", "wrong-type", "version = {git = false}"),
        ("version.module", "module-invalid", 'version = {module = "a-b"}'),
        ("version.file", "path-outside", 'version = {file = "../VERSION"}'),
        ("version.file", "glob-invalid", 'version = {file = "V*"}'),
        ("version.attribute", "version-source-invalid", 'version = {git = true, attribute = "x"}'),
        ("version.attribute", "version-source-invalid", 'version = {module = "a", attribute = "x y"}'),
        ("version.tag-prefix", "version-source-invalid", 'version = {git = true, tag-prefix = "*"}'),
        ("version.tag-prefix", "version-source-invalid", 'version = {git = true, tag-prefix = "--x"}'),
        ("version.fallback", "version-invalid", 'version = {git = true, fallback = "x"}'),
    ],
)
def test_faults_of_the_table(place: str, code: str, table: str, project: Project, out: str) -> None:
    project(whole=HEAD + table + "\n", files=CODE)
    faults = [(fault.code, fault.place) for fault in fault_of(out).faults]
    assert (code, f"tool.accord.build.{place}") in faults


def test_a_version_in_two_places(project: Project, out: str) -> None:
    project('\n[tool.accord.build]\nversion = {file = "x"}\n')
    assert [fault.code for fault in fault_of(out).faults] == ["version-twice"]


# --- from git


def run(root: Path, *command: str) -> str:
    environ = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    for role in ("AUTHOR", "COMMITTER"):
        environ.update({f"GIT_{role}_NAME": "Ann", f"GIT_{role}_EMAIL": "ann@mail.example"})
    return subprocess.run(
        ["git", *command], cwd=root, env=environ, check=True, capture_output=True, text=True
    ).stdout.strip()


@pytest.fixture
def repository(project: Project) -> Path:
    """A tree with one commit and no tag, whose version is its tag."""
    root = project(whole=HEAD + "version = {git = true}\n", files=CODE)
    run(root, "init", "-q")
    commit(root)
    return root


def commit(root: Path) -> str:
    run(root, "add", "-A")
    run(root, "commit", "-q", "--allow-empty", "-m", "one more")
    return run(root, "rev-parse", "--short=7", "HEAD")


def unpack(out: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    with tarfile.open(Path(out, accord_backend.build_sdist(out))) as archive:
        archive.extractall(tmp_path / "unpacked", filter="data")
    root = next((tmp_path / "unpacked").iterdir())
    monkeypatch.chdir(root)
    return root


@pytest.mark.parametrize("tag", ["v1.2", "1.2", "v1.2.0-rc.1"])
def test_a_tagged_commit(tag: str, repository: Path, out: str) -> None:
    run(repository, "tag", tag)
    assert version_of(out) == rules.normal_version(tag)


def test_commits_after_a_tag_and_changes(repository: Path, out: str) -> None:
    run(repository, "tag", "-a", "v1.2", "-m", "x")
    (repository / "spam/__init__.py").write_text("value = 1\n")
    base = run(repository, "rev-parse", "--short=7", "HEAD")
    assert version_of(out) == f"1.3.dev0+g{base}.dirty"
    first = commit(repository)
    assert version_of(out) == f"1.3.dev1+g{first}"
    second = commit(repository)
    (repository / "untracked").touch()
    assert version_of(out) == f"1.3.dev2+g{second}"


def test_the_highest_of_several_tags_on_one_commit(repository: Path, out: str) -> None:
    for tag in ("v1.2rc1", "v1.2", "v1.2b3", "nightly", "version-9"):
        run(repository, "tag", tag)
    assert version_of(out) == "1.2"


def test_a_prefix(repository: Path, out: str) -> None:
    run(repository, "tag", "v9")
    run(repository, "tag", "spam-1.5")
    (repository / "pyproject.toml").write_text(HEAD + 'version = {git = true, tag-prefix = "spam-"}\n')
    assert version_of(out).startswith("1.6.dev0+g")
    commit(repository)
    run(repository, "tag", "spam-1.7")
    assert version_of(out) == "1.7"


def test_an_sdist_needs_no_git(
    repository: Path, out: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(repository, "tag", "v1.2")
    commit(repository)
    wheel = accord_backend.build_wheel(out)
    direct = Path(out, wheel).read_bytes()
    unpack(out, tmp_path, monkeypatch)
    monkeypatch.setenv("PATH", "")
    assert accord_backend.build_wheel(out) == wheel and Path(out, wheel).read_bytes() == direct


def test_an_sdist_inside_a_repository_keeps_its_own_version(
    repository: Path, out: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a distribution's packaging repository holds it."""
    run(repository, "tag", "v1.2")
    root = unpack(out, tmp_path, monkeypatch)
    run(root, "init", "-q")
    commit(root)
    run(root, "tag", "v7")
    assert version_of(out) == "1.2"


@pytest.mark.parametrize(
    ("text", "expected"),
    [("Name: other\nVersion: 9\n", "1.2"), ("Name: Spam\nVersion: 9\n\nVersion: 3\n", "9")],
)
def test_pkg_info_is_believed_about_its_own_project_only(
    text: str, expected: str, repository: Path, out: str
) -> None:
    (repository / "PKG-INFO").write_text(text)
    run(repository, "tag", "v1.2")
    assert version_of(out) == expected


ARCHIVAL = (
    "node: $Format:%H$\ndescribe-name: $Format:%(describe:tags=true,match=v[0-9]*)$\nref-names: $Format:%D$\n"
)


@pytest.mark.parametrize("later", [0, 2])
def test_an_archive_of_git(
    later: int, repository: Path, out: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``git archive``, as forges offer it for download: no repository, but what export-subst wrote."""
    (repository / ".git_archival.txt").write_text(ARCHIVAL)
    (repository / ".gitattributes").write_text(".git_archival.txt export-subst\n")
    commit(repository)
    run(repository, "tag", "v1.2")
    for _ in range(later):
        short = commit(repository)
    direct = version_of(out)
    run(repository, "archive", "--prefix=x/", "-o", str(tmp_path / "x.tar"), "HEAD")
    with tarfile.open(tmp_path / "x.tar") as archive:
        archive.extractall(tmp_path / "y", filter="data")
    monkeypatch.chdir(tmp_path / "y" / "x")
    monkeypatch.setenv("PATH", "")
    assert version_of(out) == direct == (f"1.3.dev2+g{short}" if later else "1.2")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("describe-name: v1.2\n", "1.2"),
        ("ref-names: HEAD -> main, tag: v1.2rc1, tag: v1.2, tag: nightly\n", "1.2"),
        ("describe-name: v1.2-3-g0123abcdef\n", "1.3.dev3+g0123abc"),
        (ARCHIVAL, None),
        ("", None),
        ("describe-name: nightly\nref-names: HEAD\n", None),
    ],
)
def test_an_archive_file(text: str, expected: str | None, repository: Path, out: str) -> None:
    (repository / ".git_archival.txt").write_text(text)
    if expected is None:
        assert fault_of(out).code == "git-no-tag"
    else:
        assert version_of(out) == expected


def test_an_archive_file_that_is_too_large(repository: Path, out: str) -> None:
    (repository / ".git_archival.txt").write_text("x" * 4097)
    assert fault_of(out).code == "version-source-too-large"


def test_no_tag_no_history_no_git(
    repository: Path, out: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert fault_of(out).code == "git-no-tag"
    run(repository, "tag", "v1.2")
    commit(repository)
    run(tmp_path, "clone", "-q", "--depth=1", f"file://{repository}", "shallow")
    monkeypatch.chdir(tmp_path / "shallow")
    fault = fault_of(out)
    assert fault.code == "git-shallow" and "fetch-depth: 0" in fault.hint
    monkeypatch.setenv("PATH", "")
    assert fault_of(out).code == "git-missing"


def test_a_tree_that_is_not_its_repositorys(project: Project, out: str, tmp_path: Path) -> None:
    """A folder that happens to lie below somebody's repository does not take that one's version."""
    project(whole=HEAD + "version = {git = true}\n", files=CODE)
    run(tmp_path, "init", "-q")
    run(tmp_path, "commit", "-q", "--allow-empty", "-m", "x")
    run(tmp_path, "tag", "v9")
    assert fault_of(out).code == "git-not-tracked"


def test_no_repository_at_all(project: Project, out: str, monkeypatch: pytest.MonkeyPatch) -> None:
    root = project(whole=HEAD + "version = {git = true}\n", files=CODE)
    assert fault_of(out).code == "git-failed"
    (root / "pyproject.toml").write_text(HEAD + 'version = {git = true, fallback = "0.0"}\n')
    assert version_of(out) == "0.0"


def test_a_tag_that_is_no_version(repository: Path, out: str) -> None:
    run(repository, "tag", "v1.x")
    assert fault_of(out).code == "git-tag-invalid"


def test_the_fallback_says_that_it_is_one(
    repository: Path, out: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (repository / "pyproject.toml").write_text(HEAD + 'version = {git = true, fallback = "0.0"}\n')
    assert version_of(out) == "0.0"
    assert "0.0 (fallback)" in capsys.readouterr().err
    run(repository, "tag", "v1")
    assert version_of(out).startswith("2.dev0")


def test_git_variables_of_a_hook_do_not_lead_astray(
    repository: Path, out: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(repository, "tag", "v1.2")
    monkeypatch.setenv("GIT_DIR", str(tmp_path))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "index"))
    assert version_of(out) == "1.2"


# What a repository's own configuration can have git start.  Each must work as an attack on plain git.
ATTACKS = {
    "monitor": ([("core.fsmonitor", "{program}")], "status"),
    "filter": ([("filter.x.clean", "{program}"), ("filter.x.required", "true")], "status"),
    "process": ([("filter.x.process", "{program}")], "status"),
    "external": ([("diff.external", "{program}")], "diff"),
    "driver": ([("diff.x.command", "{program}")], "diff"),
    "text": ([("diff.x.textconv", "{program}")], "diff"),
    "included": ([("include.path", "more")], "status"),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_nothing_that_a_repository_names_is_started(
    name: str, repository: Path, out: str, tmp_path: Path
) -> None:
    settings, command = ATTACKS[name]
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch '{tmp_path}/started'\ncat\n")
    program.chmod(stat.S_IRWXU)
    (repository / ".gitattributes").write_text("* filter=x diff=x\n")
    commit(repository)
    run(repository, "tag", "v1.2")
    (repository / ".git/more").write_text(f"[core]\n\tfsmonitor = {program}\n")
    for key, value in settings:
        run(repository, "config", key, value.format(program=program))
    (repository / "spam/__init__.py").write_text("value = 2\n")
    found = version_of(out)
    assert found.startswith("1.3.dev0+g") and found.endswith(".dirty")
    assert not (tmp_path / "started").exists()
    subprocess.run(["git", "--no-pager", command], cwd=repository, capture_output=True, check=False)
    assert (tmp_path / "started").exists(), "or the attack is none"


def test_git_in_a_submodule_is_not_started(repository: Path, out: str, tmp_path: Path) -> None:
    """Its configuration is another one, whose programs nobody has looked up."""
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch '{tmp_path}/started'\ncat\n")
    program.chmod(stat.S_IRWXU)
    inner = repository / "inner"
    inner.mkdir()
    run(inner, "init", "-q")
    (inner / ".gitattributes").write_text("* filter=inner\n")
    (inner / "file").write_text("one")
    commit(inner)
    commit(repository)
    run(repository, "tag", "v1.2")
    run(inner, "config", "filter.inner.clean", str(program))
    (inner / "file").write_text("two")
    assert version_of(out) == "1.2"
    assert not (tmp_path / "started").exists()
    run(repository, "describe", "--tags", "--dirty")
    assert (tmp_path / "started").exists(), "or the attack is none"


def test_the_limits_of_git(
    repository: Path, out: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    run(repository, "tag", "v1.2")
    monkeypatch.setattr(git.Limits, "output", 10)
    assert fault_of(out).code == "git-output-too-large"
    monkeypatch.undo()
    monkeypatch.chdir(repository)
    (tmp_path / "bin").mkdir()
    slow = tmp_path / "bin/git"
    slow.write_text("#!/bin/sh\nexec sleep 60\n")
    slow.chmod(stat.S_IRWXU)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    monkeypatch.setattr(git.Limits, "seconds", 0.2)
    assert fault_of(out).code == "git-timeout"


def works(out: str) -> bool:
    try:
        return version_of(out) == "1.2"
    except BackendError:
        return False


def test_programs_without_number(repository: Path, out: str, monkeypatch: pytest.MonkeyPatch) -> None:
    run(repository, "tag", "v1.2")
    # As many as this machine's own configuration needs, and one more.
    monkeypatch.setattr(git.Limits, "keys", 1)
    while not works(out):
        monkeypatch.setattr(git.Limits, "keys", git.Limits.keys + 1)
    run(repository, "config", "filter.a.clean", "x")
    assert fault_of(out).code == "git-output-too-large"
    monkeypatch.setattr(git.Limits, "keys", git.Limits.keys + 1)
    assert works(out)


@pytest.mark.parametrize(
    "tag", ["1", "1.2", "1.2.3", "1!2.0", "1.0rc1", "1.0a1", "1.0.post1", "1.0.dev3", "2.0b2.post1"]
)
def test_commits_sort_between_their_tag_and_the_next(tag: str) -> None:
    versions_in_order = [
        Version(tag),
        Version(tags.after_tag(tag, 1, "0123abc", dirty=False)),
        Version(tags.after_tag(tag, 2, "0123abc", dirty=False)),
        Version(tags.after_tag(tag, 10, "0123abc", dirty=False)),
    ]
    assert versions_in_order == sorted(versions_in_order)
    assert tags.after_tag(tag, 0, "0123abc", dirty=False) == tag
    for version in versions_in_order[1:]:
        assert str(version) == rules.normal_version(str(version)) and version.is_prerelease


def test_metadata_do_not_change_between_two_hooks(repository: Path, out: str) -> None:
    """PEP 517: with metadata_directory, the wheel has those metadata, or there is none."""
    run(repository, "tag", "v1.2")
    folder = accord_backend.prepare_metadata_for_build_wheel(out)
    assert accord_backend.build_wheel(out, None, os.path.join(out, folder))
    run(repository, "tag", "v1.3")
    with pytest.raises(BackendError) as caught:
        accord_backend.build_wheel(out, None, os.path.join(out, folder))
    assert caught.value.code == "metadata-changed"
