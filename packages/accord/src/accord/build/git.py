"""Git repositories: from a reference to a commit, and from a commit to a tree.

Runs the ``git`` command and nothing else.  Each repository is kept once as a bare clone below ``<cache>/git-v1``;
the network is asked only for a revision that may have moved or a commit that is not there yet.  A repository is a
stranger's: its hooks never run, it never prompts, only named protocols are used (also by its submodules), and no
text of it becomes an option.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from accord.build.limits import DEFAULT, Limits
from accord.io import processes
from accord.io.locks import FileLock
from accord.io.reporting import SILENT
from accord.io.scratch import scratch_folder
from accord.io.urls import without_credentials
from accord_core.errors import BuildError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from accord.build.reference import Reference
    from accord.io.reporting import Reporter

__all__ = ["Git"]

_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_SHORT = re.compile(r"[0-9a-f]{4,40}")
# Of GIT_*, what says how to reach servers; the rest (GIT_DIR, GIT_INDEX_FILE inside a hook …) would mislead.
_KEPT = frozenset(
    """GIT_ASKPASS GIT_SSH GIT_SSH_COMMAND GIT_SSH_VARIANT GIT_PROXY_COMMAND GIT_CONFIG_GLOBAL
    GIT_CONFIG_SYSTEM GIT_CONFIG_NOSYSTEM GIT_SSL_CAINFO GIT_SSL_CAPATH GIT_SSL_NO_VERIFY GIT_SSL_CERT
    GIT_SSL_KEY GIT_HTTP_USER_AGENT GIT_TRACE GIT_CURL_VERBOSE GIT_EXEC_PATH""".split()  # noqa: SIM905 - read as words
)
_SAFE = (
    *("-c", "core.hooksPath=/dev/null"),
    *("-c", "core.fsmonitor=false"),
    *("-c", "gc.auto=0"),
    *("-c", "maintenance.auto=false"),
    *("-c", "advice.detachedHead=false"),
    *("-c", "submodule.recurse=false"),
    *("-c", "fetch.recurseSubmodules=false"),
)
_REFSPECS = ("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*", "+HEAD:refs/accord/HEAD")


class Git:
    """Repositories kept in ``<cache>/git-v1``.  Safe to use from several threads and processes.

    ``environ`` is the person's environment: their git configuration, credential helpers and ssh agent are used.
    """

    def __init__(
        self,
        cache_dir: str,
        *,
        environ: Mapping[str, str],
        offline: bool = False,
        limits: Limits = DEFAULT,
        reporter: Reporter = SILENT,
    ) -> None:
        self._folder = os.path.join(cache_dir, "git-v1")
        self._environ = environ
        self._offline = offline
        self._limits = limits
        self._reporter = reporter

    def resolve(self, reference: Reference) -> str:
        """The commit (full hex) ``reference`` means now; afterwards the cache holds it.

        A full commit that is in the cache costs no network.  A name is a branch before it is a tag, as pip and uv
        have it.  Raises BuildError: ``git-missing``, ``git-failed``, ``git-timeout``, ``git-offline``,
        ``git-revision-unknown``, ``git-cache-foreign``.
        """
        database = self._database(reference)
        os.makedirs(self._folder, exist_ok=True)
        lock = FileLock(
            f"{database}.lock",
            f"the cached repository {reference}",
            on_wait=self._reporter.note,
            family=BuildError,
        )
        with lock:
            wanted = reference.revision
            here = self._exists(database)
            if here and wanted and _COMMIT.fullmatch(wanted) and self._has(database, wanted):
                return wanted
            if self._offline:
                return self._from_cache(database, reference)
            self._fetch(database, reference)
            commit = self._look_up(database, reference) or self._fetch_exactly(database, reference)
            if commit is None:
                raise BuildError(
                    "git-revision-unknown",
                    f"{reference}: the repository has no {reference.revision or 'HEAD'}",
                    hint="name a branch, a tag or a commit that was pushed",
                )
            self._git(reference, "update-ref", f"refs/accord/pins/{commit}", commit, database=database)
            return commit

    def checkout(self, reference: Reference, commit: str, into: str) -> str:
        """A working tree of ``commit`` in the new folder ``into``, with submodules, LFS files and the tags.

        The commit must have been resolved.  Raises BuildError as :meth:`resolve` does.
        """
        database = self._database(reference)
        if not self._has(database, commit):
            self.resolve(_at(reference, commit))
        options = ("--quiet", "--no-checkout", "--shared", "--no-hardlinks")
        self._git(reference, "clone", *options, "--", database, into, protocols="file")
        self._git(reference, "remote", "set-url", "origin", _asked_url(reference), tree=into)
        self._git(reference, "checkout", "--quiet", "--force", "--detach", commit, "--", tree=into)
        self._large_files(reference, into)
        if os.path.lexists(os.path.join(into, ".gitmodules")):
            self._submodules(reference, into)
        return into

    def _database(self, reference: Reference) -> str:
        url = without_credentials(reference.url).rstrip("/").removesuffix(".git")
        return os.path.join(self._folder, hashlib.sha256(url.encode()).hexdigest()[:32])

    def _has(self, database: str, commit: str) -> bool:
        if not self._exists(database):
            return False
        return self._asked(database, "rev-parse", "--verify", "--quiet", f"{commit}^{{commit}}") == commit

    def _exists(self, database: str) -> bool:
        """Whether the clone is there and ours: git obeys the configuration in it, which may name commands."""
        try:
            owner = os.stat(database).st_uid
        except FileNotFoundError:
            return False
        if owner != os.geteuid():
            raise BuildError(
                "git-cache-foreign",
                f"the cached repository {database} belongs to another user",
                hint="give each user a cache of its own (ACCORD_CACHE_DIR), or remove this folder",
            )
        return True

    def _from_cache(self, database: str, reference: Reference) -> str:
        commit = self._look_up(database, reference) if os.path.isdir(database) else None
        if commit is None:
            raise BuildError(
                "git-offline",
                f"{reference} is not in the cache, and Accord is offline",
                hint="run once without --offline",
            )
        self._reporter.note(f"offline: {reference} is taken from the cache as {commit}")
        return commit

    def _fetch(self, database: str, reference: Reference) -> None:
        if not os.path.isdir(database):
            with scratch_folder(".new-", self._folder) as aside:
                self._git(reference, "init", "--quiet", "--bare", "--template=", "--", aside)
                os.rename(aside, database)
        task = self._reporter.start(f"Fetching {reference}", None, "steps")
        try:
            self._fetch_refs(database, reference, *_REFSPECS)
        finally:
            self._reporter.finish(task)

    def _fetch_refs(self, database: str, reference: Reference, *specs: str) -> None:
        options = (
            "--quiet",
            "--force",
            "--prune",
            "--no-tags",
            "--no-write-fetch-head",
            "--no-recurse-submodules",
        )
        self._git(reference, "fetch", *options, "--", _asked_url(reference), *specs, database=database)

    def _fetch_exactly(self, database: str, reference: Reference) -> str | None:
        """A revision no branch or tag leads to: ``refs/pull/1/head``, or a commit the server gives by its number."""
        wanted = reference.revision
        if wanted is None or not (wanted.startswith("refs/") or _COMMIT.fullmatch(wanted)):
            return None
        kept = f"refs/accord/asked/{hashlib.sha256(wanted.encode()).hexdigest()[:20]}"
        options = ("--quiet", "--force", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules")
        source = _asked_url(reference)
        try:
            self._git(reference, "fetch", *options, "--", source, f"+{wanted}:{kept}", database=database)
        except BuildError as error:
            if error.code != "git-failed":
                raise
            return None
        return self._commit(database, kept)

    def _look_up(self, database: str, reference: Reference) -> str | None:
        wanted = reference.revision
        if wanted is None:
            return self._commit(database, "refs/accord/HEAD")
        names = [wanted] if wanted.startswith("refs/") else [f"refs/heads/{wanted}", f"refs/tags/{wanted}"]
        if _SHORT.fullmatch(wanted) or _COMMIT.fullmatch(wanted):
            names.append(wanted)
        for name in names:
            commit = self._commit(database, name)
            if commit is not None:
                return commit
        return None

    def _commit(self, database: str, name: str) -> str | None:
        answer = self._asked(
            database, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}"
        )
        return answer if _COMMIT.fullmatch(answer) else None

    def _submodules(self, reference: Reference, tree: str) -> None:
        if self._offline:
            raise BuildError(
                "git-offline",
                f"{reference} has submodules, which are not cached, and Accord is offline",
                hint="run once without --offline; what was built from it is cached",
            )
        self._git(reference, "submodule", "--quiet", "update", "--init", "--recursive", tree=tree)

    def _large_files(self, reference: Reference, tree: str) -> None:
        """Replace Git LFS pointers by their files, where there are any and ``git-lfs`` is installed."""
        try:
            with open(os.path.join(tree, ".gitattributes"), encoding="utf-8", errors="replace") as file:
                if "filter=lfs" not in file.read(1 << 20):
                    return
        except OSError:
            return
        if shutil.which("git-lfs", path=self._environ.get("PATH")) is None:
            self._reporter.warn(f"{reference} keeps files with Git LFS, and git-lfs is not installed")
            return
        if self._offline:
            raise BuildError(
                "git-offline",
                f"{reference} keeps files with Git LFS, which are not cached, and Accord is offline",
                hint="run once without --offline; what was built from it is cached",
            )
        self._git(reference, "lfs", "install", "--local", "--skip-repo", tree=tree)
        self._git(reference, "lfs", "pull", tree=tree)

    def _asked(self, database: str, *command: str) -> str:
        """The last line git answers, empty where it fails."""
        with self._log() as log:
            done = self._run(("--git-dir", database, *command), log, None, "file")
            return (done.tail(1) or ("",))[0] if done.status == 0 else ""

    def _git(
        self,
        reference: Reference,
        *command: str,
        database: str | None = None,
        tree: str | None = None,
        protocols: str | None = None,
    ) -> None:
        place = ("--git-dir", database) if database else ("-C", tree) if tree else ()
        with self._log() as log:
            # A submodule, or a redirect, may not be less safe than what was asked for.
            allowed = protocols or ":".join(sorted({"https", "ssh", reference.url.partition(":")[0]}))
            done = self._run((*place, *command), log, reference, allowed)
            if done.status == 0 and not done.timed_out and not done.stopped:
                return
            verb = next(word for word in command if not word.startswith("-"))
            if done.stopped:
                raise BuildError("build-stopped", f"{reference}: git {verb} was stopped before it ended")
            context = tuple(_without_secret(line, reference) for line in done.tail(self._limits.error_lines))
            if done.timed_out:
                raise BuildError(
                    "git-timeout",
                    f"{reference}: git {verb} did not end within {self._limits.git_seconds:g} seconds",
                    context=context,
                    hint="look at the network, and run again: what was fetched is kept",
                )
            raise BuildError(
                "git-failed",
                f"{reference}: git {verb} failed (exit status {done.status})",
                context=context,
                hint=_hint(context),
            )

    def _run(
        self, arguments: Sequence[str], log: str, reference: Reference | None, protocols: str
    ) -> processes.Finished:
        try:
            return processes.run(
                ["git", *_SAFE, *arguments],
                cwd=self._folder,
                env=self._environment(reference, protocols),
                log=log,
                timeout=self._limits.git_seconds,
                limits=self._limits.output,
            )
        except FileNotFoundError as error:
            raise BuildError(
                "git-missing",
                "the git command is not installed",
                hint="install git, or use an archive's URL instead",
            ) from error

    def _environment(self, reference: Reference | None, protocols: str) -> dict[str, str]:
        kept = {
            name: value
            for name, value in self._environ.items()
            if not name.startswith("GIT_") or name in _KEPT or name.startswith("GIT_CONFIG_")
        }
        kept.pop("GIT_CONFIG_PARAMETERS", None)
        kept.update(
            GIT_TERMINAL_PROMPT="0", GIT_ALLOW_PROTOCOL=protocols, GIT_LFS_SKIP_SMUDGE="1", LC_ALL="C"
        )
        kept.setdefault("GIT_SSH_COMMAND", "ssh -o BatchMode=yes")
        kept.setdefault("GIT_ASKPASS", "true")
        secret = _credentials(reference)
        if secret is not None:
            # In the environment, not on the command line: other users of the machine can read that.
            number = int(kept.get("GIT_CONFIG_COUNT", "0"))
            kept["GIT_CONFIG_COUNT"] = str(number + 1)
            kept[f"GIT_CONFIG_KEY_{number}"] = f"url.{secret[0]}.insteadOf"
            kept[f"GIT_CONFIG_VALUE_{number}"] = secret[1]
        return kept

    @contextmanager
    def _log(self) -> Iterator[str]:
        descriptor, path = tempfile.mkstemp(prefix=".log-", dir=self._folder)
        os.close(descriptor)
        try:
            yield path
        finally:
            os.unlink(path)


def _asked_url(reference: Reference) -> str:
    """The URL git is given: without a password, but with the user ssh needs."""
    return reference.url if _credentials(reference) is None else without_credentials(reference.url)


def _credentials(reference: Reference | None) -> tuple[str, str] | None:
    """``(origin with credentials, origin without)`` of an http reference that has some."""
    if reference is None or not reference.url.startswith(("https://", "http://")):
        return None
    parts = urlsplit(reference.url)
    user, at, host = parts.netloc.rpartition("@")
    return (f"{parts.scheme}://{user}@{host}/", f"{parts.scheme}://{host}/") if at else None


def _without_secret(line: str, reference: Reference) -> str:
    secret = _credentials(reference)
    if secret is None:
        return line
    user = secret[0].partition("://")[2].rpartition("@")[0]
    for part in sorted((user, *user.split(":")), key=len, reverse=True):
        if part:
            line = line.replace(part, "****")
    return line


def _hint(lines: Sequence[str]) -> str:
    text = "\n".join(lines)
    if re.search(r"could not read (Username|Password)|Authentication failed|terminal prompts disabled", text):
        return "the server asks who you are: set up a git credential helper, or use git+ssh://"
    if re.search(r"Permission denied \(publickey|Host key verification failed", text):
        return "ssh refused: check that `ssh -T` to this host works without a question"
    if re.search(r"transport '\w*' not allowed", text):
        return "the repository leads to a protocol that is not allowed"
    return "check the URL, and that `git ls-remote` answers for it"


def _at(reference: Reference, commit: str) -> Reference:
    from dataclasses import replace

    return replace(reference, revision=commit)
