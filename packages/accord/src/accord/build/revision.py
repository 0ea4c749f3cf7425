"""What of a git repository a folder is: asked of ``git`` before anything is built (hot).

Every build asks, also one of a tree that came with a repository of a stranger's making.  So nothing is asked that would
have git run what the repository says: no hooks, no monitor, no fetching of missing objects, and where it brings filters of
its own, no answer.  Submodules are looked into one by one under the same rule, not by git, which would follow theirs.
"""

from __future__ import annotations

import os

from accord.io import processes, scratch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Revision", "revision"]

_LIMITS = processes.ProcessLimits(head_bytes=1 << 20, tail_bytes=1 << 10, output_bytes=8 << 20)
_PATIENCE = 20.0  # seconds for one question
_SUBMODULES = 200  # that are looked into
_SAFE = ("--no-pager", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null")
# Where the question leads elsewhere than into the folder, or git does more than it is asked.
_DROPPED = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_TRACE", "GIT_EXTERNAL_DIFF")


class Revision:
    """``commit``, the ``url`` of its repository where that is no place of this machine, the folder ``below`` its top."""

    __slots__ = ("below", "commit", "url")

    def __init__(self, commit: str, url: str | None, below: str) -> None:
        self.commit = commit
        self.url = url
        self.below = below


def revision(folder: str, output: str, environ: Mapping[str, str], *, above: str) -> Revision | None:
    """What ``folder`` is; None where it is nothing that was committed, was changed since, or git cannot be asked safely.
    What lies in ``output`` is the build's own; scratch folders are made in ``above``."""
    folder = os.path.realpath(folder)
    top = _top(folder)
    if top is None:
        return None
    with scratch.scratch_folder(".scratch-", above) as place:
        asked = _Git(place, environ)
        try:
            settings = asked.settings(top)
            if settings is None or not _clean_submodules(asked, top):
                return None
            commit = asked.clean_commit(folder, os.path.realpath(output))
        except OSError:  # no git
            return None
    if commit is None:
        return None
    return Revision(commit, _public(settings.get("remote.origin.url")), os.path.relpath(folder, top))


def _top(folder: str) -> str | None:
    """The folder in or above ``folder`` that is a working tree: found without starting git, for most that are built here
    and there are in none."""
    while not os.path.lexists(f"{folder}/.git"):
        above = os.path.dirname(folder)
        if above == folder:
            return None
        folder = above
    return folder


def _public(url: str | None) -> str | None:
    if url is None or os.path.isabs(url) or url.startswith(("file:", ".", "~")):
        return None  # a place of this machine tells nobody anything
    if "@" not in url:
        return url
    from accord.build.reference import public_url

    try:
        return public_url(url)
    except ValueError:
        return None


def _clean_submodules(asked: _Git, top: str) -> bool:
    """Whether no file of a submodule was changed; that each is at its commit is said by the tree above."""
    left, waiting = _SUBMODULES, [top]
    while waiting:
        above = waiting.pop()
        if not os.path.isfile(f"{above}/.gitmodules"):
            continue
        for path in asked.submodules(above):
            below = os.path.realpath(os.path.join(above, path))
            if not os.path.lexists(f"{below}/.git"):
                continue  # was never fetched
            left -= 1
            inside = below.startswith(f"{top}{os.sep}")
            if left < 0 or not inside or asked.settings(below) is None or not asked.clean_commit(below, ""):
                return False
            waiting.append(below)
    return True


class _Git:
    """Questions to git, with logs in ``place``."""

    def __init__(self, place: str, environ: Mapping[str, str]) -> None:
        self._log = f"{place}/log"
        kept = {name: value for name, value in environ.items() if name not in _DROPPED}
        for name in [name for name in kept if name.startswith("GIT_CONFIG_")]:
            if name not in ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM"):
                del kept[name]
        self._environ = {
            **kept,
            "GIT_OPTIONAL_LOCKS": "0",
            "GIT_NO_LAZY_FETCH": "1",
            "GIT_ALLOW_PROTOCOL": "none",
            "GIT_TERMINAL_PROMPT": "0",
            "LC_ALL": "C",
        }

    def settings(self, top: str) -> dict[str, str] | None:
        """What the repository's own settings say; None where they name programs that git would run."""
        text = self._ask(top, "config", "--list", "--includes", "--show-scope", "-z")
        if text is None:
            return None
        said = text.split("\0")
        own: dict[str, str] = {}
        for scope, entry in zip(said[::2], said[1::2], strict=False):
            key, _, value = entry.partition("\n")
            if scope not in ("local", "worktree"):
                continue
            if key.startswith("filter.") or key == "extensions.partialclone":
                return None
            own.setdefault(key, value)
        return own

    def clean_commit(self, folder: str, output: str) -> str | None:
        """The commit ``folder`` is at, None where something below it is otherwise; ``output`` aside."""
        below = os.path.relpath(output, folder) if output else ".."
        aside = [] if below.startswith("..") else [f":(exclude){below}"]
        words = ("status", "--porcelain=v2", "--branch", "--ignore-submodules=dirty", "--", ".", *aside)
        commit = None
        for line in (self._ask(folder, *words) or "").splitlines():
            if line.startswith("# branch.oid "):
                commit = line[13:]
            elif line[:2] in ("1 ", "2 ", "u ", "? "):
                return None
        return commit if commit != "(initial)" else None

    def submodules(self, top: str) -> list[str]:
        text = self._ask(
            top, "config", "--file", ".gitmodules", "--get-regexp", "-z", r"^submodule\..*\.path$"
        )
        return [entry.partition("\n")[2] for entry in (text or "").split("\0") if entry]

    def _ask(self, folder: str, *words: str) -> str | None:
        command = ["git", "-C", folder, *_SAFE, *words]
        # It starts nobody: none need be looked for.
        done = processes.run(
            command, cwd=None, env=self._environ, log=self._log, timeout=_PATIENCE, limits=_LIMITS, alone=True
        )
        if done.status or done.dropped or done.halted or done.timed_out:
            return None
        with open(done.log, encoding="utf-8", errors="surrogateescape") as file:
            return file.read()
