"""Asking git for the tag and commit of a source tree, without running anything the repository names.

A repository's own configuration can name programs that git starts by itself (file system monitors, filters, hooks,
helpers).  A build must not start them: the environment holds only what git needs, every such key that is set is
emptied on top, nothing is fetched, nothing is locked or written, and time and output are bounded.
"""

from __future__ import annotations

import os
import subprocess

from . import rules, tags
from .errors import BackendError

__all__ = ["Limits", "describe"]


class Limits:
    """``seconds`` for each command, ``output`` bytes of it, ``keys`` of the configuration."""

    seconds = 60.0
    output = 4 * 1024 * 1024
    keys = 1000


_KEPT = ("PATH", "HOME", "USERPROFILE", "XDG_CONFIG_HOME", "SYSTEMROOT", "TMPDIR", "TEMP", "TMP", "PATHEXT")
_ALWAYS = {
    "LC_ALL": "C",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_PAGER": "cat",
}
# Keys whose value is started as a program by the commands below, or by what they could be brought to do.
_OFF = {"core.fsmonitor": "false", "core.hookspath": os.devnull, "core.pager": "cat"}
_PROGRAM_SECTIONS = (
    "filter.",
    "diff.",
    "core.sshcommand",
    "core.gitproxy",
    "core.alternaterefscommand",
    "credential.",
)
_PROGRAM_ENDS = (
    ".clean",
    ".smudge",
    ".process",
    ".command",
    ".textconv",
    ".external",
    ".helper",
    "command",
    "proxy",
)
_PLAIN = ("--no-ext-diff", "--no-textconv", "--ignore-submodules=all")


def describe(root: str, prefix: str | None) -> tuple[str, int, str, bool]:
    """``(version of the nearest tag, commits since, commit, whether files are changed)`` of the tree ``root``.

    Raises ``BackendError``: ``git-missing``, ``git-failed``, ``git-timeout``, ``git-output-too-large``,
    ``git-not-tracked``, ``git-shallow``, ``git-no-tag``, ``git-tag-invalid``.
    """
    environ = _environment(root)
    if not _run(root, environ, "ls-files", "--", "pyproject.toml"):
        raise BackendError(
            "git-not-tracked",
            f"{os.path.join(root, 'pyproject.toml')} is not tracked by git, so no tag is about it",
            hint="commit it; or give fallback = '…' beside git = true",
        )
    patterns = [f"{prefix}*"] if prefix else ["v[0-9]*", "[0-9]*"]
    command = ["describe", "--tags", "--long", "--abbrev=40", "--candidates=100"]
    text = _run(root, environ, *command, *(f"--match={pattern}" for pattern in patterns), failure=128)
    found = tags.DESCRIBED.fullmatch(text or "")
    if found is None:
        raise _no_tag(root, environ, patterns)
    named = (
        _run(root, environ, "tag", "--points-at", f"refs/tags/{found['tag']}^{{commit}}") or ""
    ).splitlines()
    known = {
        version for tag in {*named, found["tag"]} for version in [tags.tag_version(tag, prefix)] if version
    }
    if not known:
        raise BackendError(
            "git-tag-invalid",
            f"the nearest tag {found['tag']!r} is not a version (PEP 440)",
            hint="tag releases as 1.2 or v1.2, or say tag-prefix = '…' for another beginning",
        )
    nearest = max(known, key=rules.version_key)
    # Not describe's own --dirty, which would start git in every submodule, with that repository's configuration.
    clean = _run(root, environ, "diff", *_PLAIN, "--quiet", "HEAD", "--", failure=1) is not None
    return nearest, int(found["distance"]), found["commit"], not clean


def _no_tag(root: str, environ: dict[str, str], patterns: list[str]) -> BackendError:
    if _run(root, environ, "rev-parse", "--is-shallow-repository") == "true":
        return BackendError(
            "git-shallow",
            "the history is cut off (a shallow clone), and what is left of it has no version tag",
            hint="git fetch --unshallow --tags; in CI, check out with the whole history (fetch-depth: 0)",
        )
    return BackendError(
        "git-no-tag",
        f"no tag matches {' or '.join(patterns)} at this commit or before it",
        hint="git tag v0.1; or give fallback = '…' beside git = true",
    )


def _environment(root: str) -> dict[str, str]:
    environ = {name: os.environ[name] for name in _KEPT if name in os.environ}
    environ.update(_ALWAYS)
    plain = _configured(environ, dict(_OFF))
    listed = _run(root, plain, "config", "--includes", "--list", "--name-only", "-z") or ""
    off = dict(_OFF)
    for key in listed.split("\0"):
        if key.lower().startswith(_PROGRAM_SECTIONS):
            if key.lower().endswith(_PROGRAM_ENDS):
                off[key] = ""
            elif key.lower().startswith("filter.") and key.lower().endswith(".required"):
                off[key] = "false"
    if len(off) > Limits.keys:
        raise BackendError(
            "git-output-too-large", f"git's configuration has more than {Limits.keys} programs"
        )
    return _configured(environ, off)


def _configured(environ: dict[str, str], settings: dict[str, str]) -> dict[str, str]:
    found = {**environ, "GIT_CONFIG_COUNT": str(len(settings))}
    for number, (key, value) in enumerate(settings.items()):
        found[f"GIT_CONFIG_KEY_{number}"] = key
        found[f"GIT_CONFIG_VALUE_{number}"] = value
    return found


def _run(root: str, environ: dict[str, str], *command: str, failure: int | None = None) -> str | None:
    """What git says, without the last line break; ``None`` if it ends with the status ``failure``."""
    import threading

    try:
        process = subprocess.Popen(
            ["git", *command], cwd=root, env=environ,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
    except OSError as fault:
        raise BackendError(
            "git-missing",
            f"git cannot be started: {fault.strerror}",
            hint="install git, or give fallback = '…'",
        ) from None
    late = threading.Event()

    def end() -> None:
        late.set()
        process.kill()

    timer = threading.Timer(Limits.seconds, end)
    timer.start()
    with process:
        assert process.stdout is not None and process.stderr is not None
        data = process.stdout.read(Limits.output + 1)
        if len(data) > Limits.output:
            process.kill()
        complaint = process.stderr.read(4096).decode("utf-8", "replace").strip()
        process.wait()
        timer.cancel()
    if late.is_set():
        raise BackendError("git-timeout", f"git {command[0]} took more than {Limits.seconds:g} s")
    if len(data) > Limits.output:
        raise BackendError("git-output-too-large", f"git {command[0]} said more than {Limits.output:,} bytes")
    if process.returncode:
        if process.returncode == failure:
            return None
        raise BackendError(
            "git-failed",
            f"git {command[0]} failed: {complaint.splitlines()[0] if complaint else process.returncode}",
            hint="is this a git repository that you own? else give fallback = '…' beside git = true",
        )
    return data.decode("utf-8", "replace").rstrip("\n")
