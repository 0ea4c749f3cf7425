"""Git: real repositories on this disk, and repositories that try to be more than data."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from accord.build.git import Git
from accord.build.limits import Limits
from accord.build.reference import Reference, parse_reference
from accord.io.reporting import Silent
from accord_core.errors import BuildError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")

# Nothing of the person who runs the tests: no configuration, no identity.
ENVIRON = {
    "PATH": os.environ["PATH"],
    "HOME": "/nonexistent",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
}


class Repository:
    """A repository to clone from."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir()
        self.run("init", "-q", "-b", "main")
        self.first = self.commit({"pyproject.toml": "one"}, "first")
        self.run("tag", "-a", "v1", "-m", "release one")

    def run(self, *command: str) -> str:
        who = ("-c", "user.name=t", "-c", "user.email=t@index.example", "-c", "protocol.file.allow=always")
        result = subprocess.run(
            ["git", *who, *command], cwd=self.path, env=ENVIRON, check=True, capture_output=True, text=True
        )
        return result.stdout.strip()

    def commit(self, files: dict[str, str], message: str) -> str:
        for name, text in files.items():
            target = self.path / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
        self.run("add", "-A", "-f")
        self.run("commit", "-q", "-m", message)
        return self.run("rev-parse", "HEAD")

    def reference(self, revision: str = "", fragment: str = "") -> Reference:
        at = f"@{revision}" if revision else ""
        return parse_reference(f"git+{self.path.as_uri()}{at}{fragment}", base="/")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "origin")


@pytest.fixture
def git(tmp_path: Path) -> Callable[..., Git]:
    def make(environ: dict[str, str] | None = None, **options: object) -> Git:
        return Git(str(tmp_path / "cache"), environ={**ENVIRON, **(environ or {})}, **options)  # type: ignore[arg-type]

    return make


def code_of(action: Callable[[], object]) -> BuildError:
    with pytest.raises(BuildError) as caught:
        action()
    return caught.value


def test_every_kind_of_revision(repository: Repository, git: Callable[..., Git]) -> None:
    second = repository.commit({"b": "2"}, "second")
    repository.run("checkout", "-q", "-b", "feature/x", "v1")
    third = repository.commit({"c": "3"}, "third")
    repository.run("update-ref", "refs/pull/7/head", third)
    repository.run("checkout", "-q", "main")
    client = git()
    asked = {
        "": second,
        "main": second,
        "feature/x": third,
        "v1": repository.first,
        "refs/tags/v1": repository.first,
        "refs/pull/7/head": third,
        third: third,
        second[:10]: second,
    }
    assert {revision: client.resolve(repository.reference(revision)) for revision in asked} == asked


def test_a_branch_comes_before_a_tag(repository: Repository, git: Callable[..., Git]) -> None:
    second = repository.commit({"b": "2"}, "second")
    repository.run("branch", "v1", second)
    assert git().resolve(repository.reference("v1")) == second


def test_a_branch_is_asked_again_and_a_commit_is_not(repository: Repository, git: Callable[..., Git]) -> None:
    client = git()
    assert client.resolve(repository.reference("main")) == repository.first
    second = repository.commit({"b": "2"}, "second")
    assert client.resolve(repository.reference("main")) == second
    repository.path.rename(repository.path.with_name("moved"))
    assert client.resolve(repository.reference(second)) == second
    assert code_of(lambda: client.resolve(repository.reference("main"))).code == "git-failed"


def test_offline_takes_what_is_there(repository: Repository, git: Callable[..., Git]) -> None:
    offline = git(offline=True)
    assert code_of(lambda: offline.resolve(repository.reference("main"))).code == "git-offline"
    git().resolve(repository.reference("main"))
    repository.commit({"b": "2"}, "second")
    assert offline.resolve(repository.reference("main")) == repository.first
    assert code_of(lambda: offline.resolve(repository.reference("gone"))).code == "git-offline"


@pytest.mark.parametrize("revision", ["gone", "0" * 40, "refs/heads/gone"])
def test_a_revision_that_is_not_there(repository: Repository, git: Callable[..., Git], revision: str) -> None:
    assert code_of(lambda: git().resolve(repository.reference(revision))).code == "git-revision-unknown"


def test_a_rewritten_branch_keeps_the_commit_of_a_lock(
    repository: Repository, git: Callable[..., Git], tmp_path: Path
) -> None:
    client = git()
    client.resolve(repository.reference("main"))
    repository.run("tag", "-d", "v1")
    repository.run("commit", "-q", "--amend", "-m", "rewritten")
    assert client.resolve(repository.reference("main")) != repository.first
    tree = client.checkout(repository.reference("main"), repository.first, str(tmp_path / "tree"))
    assert (tmp_path / "tree" / "pyproject.toml").read_text() == "one"
    assert os.path.isdir(tree)


def test_a_checkout_has_history_tags_and_the_real_origin(
    repository: Repository, git: Callable[..., Git], tmp_path: Path
) -> None:
    client = git()
    reference = repository.reference("main")
    tree = client.checkout(reference, client.resolve(reference), str(tmp_path / "tree"))
    described = subprocess.run(
        ["git", "describe"], cwd=tree, env=ENVIRON, check=True, capture_output=True, text=True
    ).stdout
    origin = subprocess.run(
        ["git", "remote", "get-url", "origin"],
        cwd=tree,
        env=ENVIRON,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert (described.strip(), origin.strip()) == ("v1", reference.url)


def test_a_checkout_from_a_lock_fetches_what_is_missing(
    repository: Repository, git: Callable[..., Git], tmp_path: Path
) -> None:
    git().checkout(repository.reference(), repository.first, str(tmp_path / "tree"))
    assert (tmp_path / "tree" / "pyproject.toml").exists()


def test_submodules_are_checked_out(repository: Repository, git: Callable[..., Git], tmp_path: Path) -> None:
    inner = Repository(tmp_path / "inner")
    repository.run("submodule", "--quiet", "add", inner.path.as_uri(), "sub")
    commit = repository.commit({}, "with a submodule")
    client = git()
    client.resolve(repository.reference("main"))
    client.checkout(repository.reference("main"), commit, str(tmp_path / "tree"))
    assert (tmp_path / "tree" / "sub" / "pyproject.toml").read_text() == "one"
    offline = git(offline=True)
    error = code_of(lambda: offline.checkout(repository.reference("main"), commit, str(tmp_path / "tree2")))
    assert error.code == "git-offline"


def test_a_submodule_by_a_command_is_not_run(
    repository: Repository, git: Callable[..., Git], tmp_path: Path
) -> None:
    marker = tmp_path / "ran"
    repository.run("submodule", "--quiet", "add", Repository(tmp_path / "inner").path.as_uri(), "sub")
    modules = f'[submodule "sub"]\n\tpath = sub\n\turl = "ext::touch {marker}"\n'
    commit = repository.commit({".gitmodules": modules}, "evil")
    client = git()
    error = code_of(lambda: client.checkout(repository.reference("main"), commit, str(tmp_path / "tree")))
    assert error.code == "git-failed"
    assert error.hint == "the repository leads to a protocol that is not allowed"
    assert not marker.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a cache of somebody else")
def test_a_cache_of_another_user_is_named(
    repository: Repository, git: Callable[..., Git], tmp_path: Path
) -> None:
    git().resolve(repository.reference("main"))
    for folder, _, names in os.walk(tmp_path / "cache" / "git-v1"):
        for path in (folder, *(os.path.join(folder, name) for name in names)):
            os.chown(path, 65534, 65534)
    error = code_of(lambda: git().resolve(repository.reference("main")))
    assert error.code == "git-cache-foreign"
    error = code_of(
        lambda: git().checkout(repository.reference("main"), repository.first, str(tmp_path / "tree"))
    )
    assert error.code == "git-cache-foreign"


def test_a_submodule_may_not_be_less_safe_than_its_parent(
    repository: Repository, git: Callable[..., Git], tmp_path: Path
) -> None:
    repository.run("submodule", "--quiet", "add", Repository(tmp_path / "inner").path.as_uri(), "sub")
    modules = '[submodule "sub"]\n\tpath = sub\n\turl = http://127.0.0.1:1/r\n'
    commit = repository.commit({".gitmodules": modules}, "downgrade")
    client = git()
    error = code_of(lambda: client.checkout(repository.reference("main"), commit, str(tmp_path / "tree")))
    assert error.hint == "the repository leads to a protocol that is not allowed"


def test_hooks_and_filters_of_a_repository_do_not_run(
    repository: Repository, git: Callable[..., Git], tmp_path: Path
) -> None:
    marker = tmp_path / "ran"
    hook = repository.path / ".git" / "hooks" / "post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {marker}\n")
    hook.chmod(0o755)
    config = f'[core]\n\tfsmonitor = "touch {marker}"\n[filter "x"]\n\tsmudge = "touch {marker}"\n'
    commit = repository.commit(
        {".gitattributes": "* filter=x\n", ".gitconfig": config, "config": config}, "evil"
    )
    client = git()
    client.checkout(repository.reference("main"), commit, str(tmp_path / "tree"))
    assert (tmp_path / "tree" / "config").exists()
    assert not marker.exists()


def test_a_template_folder_with_hooks_does_not_run(
    repository: Repository, git: Callable[..., Git], tmp_path: Path
) -> None:
    marker = tmp_path / "ran"
    hooks = tmp_path / "template" / "hooks"
    hooks.mkdir(parents=True)
    (hooks / "post-checkout").write_text(f"#!/bin/sh\ntouch {marker}\n")
    (hooks / "post-checkout").chmod(0o755)
    client = git({"GIT_TEMPLATE_DIR": str(tmp_path / "template")})
    client.checkout(repository.reference("main"), repository.first, str(tmp_path / "tree"))
    assert not marker.exists()


def test_the_variables_of_a_surrounding_git_hook_do_not_mislead(
    repository: Repository, git: Callable[..., Git], tmp_path: Path
) -> None:
    elsewhere = Repository(tmp_path / "elsewhere")
    client = git(
        {"GIT_DIR": str(elsewhere.path / ".git"), "GIT_INDEX_FILE": "/nonexistent", "GIT_WORK_TREE": "/"}
    )
    client.checkout(
        repository.reference("main"), client.resolve(repository.reference("main")), str(tmp_path / "t")
    )
    assert (tmp_path / "t" / "pyproject.toml").exists()
    assert elsewhere.run("status", "--porcelain") == ""


def test_no_question_is_asked(git: Callable[..., Git]) -> None:
    reference = parse_reference("git+https://user:s3cret@127.0.0.1:1/o/r", base="/")
    error = code_of(lambda: git().resolve(reference))
    assert error.code == "git-failed"
    assert "s3cret" not in str(error.as_dict())


def test_credentials_are_not_on_the_command_line(git: Callable[..., Git], tmp_path: Path) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    seen = tmp_path / "seen"
    (tools / "git").write_text(
        f'#!/bin/sh\necho "$@" >> {seen}\nenv | grep GIT_CONFIG_KEY_1 | tee {seen}.env\nexit 1\n'
    )
    (tools / "git").chmod(0o755)
    environ = {
        "PATH": f"{tools}:{os.environ['PATH']}",
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "a.b",
        "GIT_CONFIG_VALUE_0": "c",
    }
    reference = parse_reference("git+https://user:s3cret@index.example/o/r", base="/")
    os.makedirs(tmp_path / "cache" / "git-v1")
    error = code_of(lambda: git(environ).resolve(reference))
    assert error.context[-1].endswith("url.https://****@index.example/.insteadOf")
    assert "s3cret" not in str(error.as_dict())
    assert "s3cret" not in seen.read_text()
    assert "url.https://user:s3cret@index.example/.insteadOf" in (tmp_path / "seen.env").read_text()


def test_git_that_is_not_installed(repository: Repository, git: Callable[..., Git], tmp_path: Path) -> None:
    error = code_of(lambda: git({"PATH": str(tmp_path)}).resolve(repository.reference()))
    assert error.code == "git-missing"


def test_git_that_hangs(git: Callable[..., Git], tmp_path: Path) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "git").write_text("#!/bin/sh\nexec sleep 60\n")
    (tools / "git").chmod(0o755)
    client = git({"PATH": f"{tools}:{os.environ['PATH']}"}, limits=Limits(git_seconds=0.3))
    error = code_of(lambda: client.resolve(parse_reference("git+https://index.example/o/r", base="/")))
    assert error.code == "git-timeout"


class Warnings(Silent):
    def __init__(self) -> None:
        self.texts: list[str] = []

    def warn(self, text: str) -> None:
        self.texts.append(text)


def test_large_files_without_git_lfs_are_told(
    repository: Repository, git: Callable[..., Git], tmp_path: Path
) -> None:
    commit = repository.commit({".gitattributes": "*.bin filter=lfs\n", "a.bin": "pointer"}, "lfs")
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("git", "sh"):
        (tools / name).symlink_to(shutil.which(name) or name)
    told = Warnings()
    client = git({"PATH": str(tools)}, reporter=told)
    client.checkout(repository.reference(), commit, str(tmp_path / "tree"))
    assert "git-lfs is not installed" in told.texts[0]


@pytest.mark.skipif(shutil.which("git-lfs") is None, reason="git-lfs is not installed")
def test_large_files_are_fetched(repository: Repository, git: Callable[..., Git], tmp_path: Path) -> None:
    repository.run("lfs", "install", "--local")
    commit = repository.commit(
        {".gitattributes": "*.bin filter=lfs diff=lfs merge=lfs -text\n", "a.bin": "x" * 999}, "l"
    )
    assert "oid sha256" in repository.run("show", f"{commit}:a.bin")
    client = git()
    client.checkout(repository.reference(), commit, str(tmp_path / "tree"))
    assert (tmp_path / "tree" / "a.bin").read_text() == "x" * 999


def test_nothing_is_left_beside_the_clones(
    repository: Repository, git: Callable[..., Git], tmp_path: Path
) -> None:
    git().resolve(repository.reference())
    kept = sorted(name[32:] for name in os.listdir(tmp_path / "cache" / "git-v1"))
    assert kept == ["", ".lock"]
