"""One call of one hook of a build backend (PEP 517 "Build backend interface"), in a process of its own.

``pyproject_hooks`` knows how a hook is called; this module decides how the process runs: in a scrubbed environment,
with its control files inside the scratch folder, bounded in time and output, and with what it answers checked
before it is believed.  Whatever goes wrong becomes a BuildError with the end of the log in its context.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from accord.build.backend import check_requirement, read_small_file
from accord.io import processes
from accord_core.errors import BuildError, Where

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from accord.build.backend import BuildSystem
    from accord.build.limits import Limits

__all__ = ["HookNotThere", "Hooks", "Place"]

# What a failing build usually means, by a line of its output, and what a person can do about it.
_CAUSES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), hint)
    for pattern, hint in (
        (
            r"No module named '?(?P<what>[\w.]+)'?",
            (
                "the project needs {what!r} to build and does not say so; choose a release with wheels, or install it and "
                "build with --no-build-isolation"
            ),
        ),
        (
            r"fatal error: (?P<what>Python\.h): No such file",
            "install the development headers of this Python (python3-dev on Debian)",
        ),
        (
            r"fatal error: (?P<what>[\w./+-]+): No such file",
            "install the system library that provides {what}, with its development files",
        ),
        (
            (
                r"(?P<what>gcc|g\+\+|cc|clang|cl\.exe|cmake|ninja|rustc|cargo|gfortran|pkg-config)'?:? "
                r"(?:(?:command )?not found|failed: No such file or directory)|"
                r"error: command '(?P<what2>[\w+-]+)' failed: No such file"
            ),
            "install {what}, which the build calls",
        ),
        (r"Microsoft Visual C\+\+ .* is required", "install the C++ build tools"),
        (
            r"use_2to3 is invalid|error in .* setup command: use_2to3",
            "this release is too old for this Python; choose a newer one",
        ),
        (r"MemoryError|Killed signal terminated program", "there was too little memory; try MAX_JOBS=1"),
        (r"No space left on device", "make room on the disk that holds the cache"),
    )
)


class HookNotThere(Exception):
    """The backend does not have this optional hook."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a build happens: the tree, a private scratch folder, the log, and how people call the source."""

    label: str
    tree: str
    scratch: str
    log: str


class Hooks:
    """The hooks of the backend of one source tree, run with ``python`` and exactly ``environment``."""

    def __init__(
        self,
        place: Place,
        system: BuildSystem,
        *,
        python: str,
        environment: Mapping[str, str],
        settings: Mapping[str, str | list[str]],
        time_limit: float | None,
        limits: Limits,
    ) -> None:
        self._place = place
        self._system = system
        self._python = python
        self._environment = environment
        self._settings = dict(settings) or None
        self._time_limit = time_limit
        self._limits = limits

    def requires(self, kind: str) -> tuple[str, ...]:
        """What the backend asks for beside the static requirements; ``kind`` is ``wheel`` or ``editable``."""
        hook = f"get_requires_for_build_{kind}"
        answer = self._call(hook)
        if not isinstance(answer, list) or not all(isinstance(item, str) for item in answer):
            raise self._wrong(hook, "it did not return a list of strings")
        if len(answer) > self._limits.build_requirements:
            raise self._wrong(hook, f"it asked for more than {self._limits.build_requirements} requirements")
        for text in answer:
            check_requirement(text, Where(self._place.tree, key=hook), self._limits)
        return tuple(answer)

    def prepare(self, kind: str, into: str) -> bytes:
        """METADATA as ``prepare_metadata_for_build_*`` writes it below ``into``; HookNotThere without that hook."""
        hook = f"prepare_metadata_for_build_{kind}"
        name = self._file_name(hook, self._call(hook, into, _allow_fallback=False), ".dist-info")
        data = read_small_file(os.path.join(into, name, "METADATA"), self._limits.metadata_bytes)
        if data is None:
            raise self._wrong(hook, f"{name} holds no METADATA")
        return data

    def build(self, kind: str, into: str) -> str:
        """The wheel ``build_wheel`` or ``build_editable`` writes into the folder ``into``: its path."""
        hook = f"build_{kind}"
        name = self._file_name(hook, self._call(hook, into), ".whl")
        path = os.path.join(into, name)
        if os.path.islink(path) or not os.path.isfile(path):
            raise self._wrong(hook, f"it named {name!r}, which is not a file in the folder it was given")
        if os.path.getsize(path) > self._limits.wheel_bytes:
            raise self._wrong(hook, f"the wheel is larger than {self._limits.wheel_bytes} bytes")
        return path

    def forget_log(self) -> None:
        """Remove the log of a build that went well."""
        if os.path.exists(self._place.log):
            os.unlink(self._place.log)

    def _call(self, hook: str, *folder: str, **options: object) -> Any:
        """Run ``hook``; returns what it returned, which nobody has looked at yet."""
        from pyproject_hooks import BackendUnavailable, BuildBackendHookCaller, HookMissing

        caller = BuildBackendHookCaller(
            self._place.tree,
            self._system.backend,
            self._system.backend_path or None,
            runner=self._run,
            python_executable=self._python,
        )
        try:
            return getattr(caller, hook)(*folder, config_settings=self._settings, **options)
        except HookMissing as error:
            raise HookNotThere(hook) from error
        except BackendUnavailable as error:
            raise self._missing(str(error.args[0]).splitlines()[0], error.traceback) from error

    def _run(
        self, cmd: Sequence[str], cwd: str | None = None, extra_environ: Mapping[str, str] | None = None
    ) -> None:
        """The runner ``pyproject_hooks`` calls: ``[python, its script, hook, its folder of control files]``.

        Script and control files are copied into the scratch folder, so that a backend need see nothing of ours, and
        its answer comes back through a check.
        """
        _, script, hook, outside = cmd
        control = tempfile.mkdtemp(prefix="call-", dir=self._place.scratch)
        inside = shutil.copyfile(script, os.path.join(control, "hook.py"))
        shutil.copyfile(os.path.join(outside, "input.json"), os.path.join(control, "input.json"))
        limit = self._time_limit
        if limit is None and not hook.startswith("build_"):
            limit = self._limits.hook_seconds
        try:
            done = processes.run(
                [self._python, inside, hook, control],
                cwd=cwd or self._place.tree,
                env={**self._environment, **(extra_environ or {})},
                log=self._place.log,
                timeout=limit,
                limits=self._limits.output,
            )
        except OSError as error:
            raise BuildError(
                "build-python-unusable",
                f"{self._place.label}: cannot start {self._python}: {error.strerror}",
                hint="make the environment again, or choose another Python with --python",
            ) from error
        self._check_end(hook, done, limit)
        answer = self._answer(hook, os.path.join(control, "output.json"), done)
        with open(os.path.join(outside, "output.json"), "w", encoding="utf-8") as file:
            json.dump(answer, file)

    def _check_end(self, hook: str, done: processes.Finished, limit: float | None) -> None:
        label = self._place.label
        if done.stopped:
            raise BuildError("build-stopped", f"{label}: {hook} was stopped before it ended")
        if done.timed_out:
            raise BuildError(
                "build-timeout",
                f"{label}: {hook} did not end within {limit:g} seconds",
                context=self._tail(done),
                hint=f"allow more time, or look at the whole output in {done.log}",
            )
        if done.status != 0:
            tail = self._tail(done)
            ended = f"signal {-done.status}" if done.status < 0 else f"exit status {done.status}"
            raise BuildError(
                "build-failed",
                f"{label}: {hook} failed ({ended})",
                context=tail,
                hint=_hint(tail) or f"the whole output is in {done.log}",
            )

    def _answer(self, hook: str, path: str, done: processes.Finished) -> dict[str, object]:
        data = read_small_file(path, self._limits.hook_result_bytes)
        try:
            answer = json.loads(data) if data is not None else None
        except (ValueError, RecursionError):
            answer = None
        if not isinstance(answer, dict):
            raise self._wrong(hook, "it ended well but left no answer", self._tail(done))
        return {
            "return_val": answer.get("return_val"),
            "no_backend": answer.get("no_backend") is True,
            "backend_error": str(answer.get("backend_error") or "it cannot be imported"),
            "traceback": str(answer.get("traceback") or ""),
            "hook_missing": answer.get("hook_missing") is True,
        }

    def _missing(self, error: str, traceback: str) -> BuildError:
        declared = ", ".join(self._system.requires) or "nothing"
        lines = [line.strip() for line in traceback.splitlines() if line.strip()]
        return BuildError(
            "build-backend-missing",
            f"{self._place.label}: the build backend {self._system.backend!r} cannot be imported",
            context=tuple(
                line for line in (error, *lines[-3:], f"build-system.requires names: {declared}") if line
            ),
            hint="the project's build-system.requires does not bring its own backend; choose another release, or "
            "install what it needs and build with --no-build-isolation",
        )

    def _file_name(self, hook: str, answer: object, ending: str) -> str:
        if not isinstance(answer, str) or not answer.endswith(ending) or answer in {ending, f".{ending}"}:
            raise self._wrong(hook, f"it returned {answer!r:.120}, not the name of a {ending} file")
        if os.path.basename(answer) != answer or "\0" in answer or "\\" in answer:
            raise self._wrong(hook, f"it returned {answer!r:.120}, which is a path and not a name")
        return answer

    def _wrong(self, hook: str, reason: str, context: Sequence[str] = ()) -> BuildError:
        return BuildError(
            "build-output-invalid",
            f"{self._place.label}: {hook} broke the build backend interface: {reason}",
            context=tuple(context),
            hint=f"this is a fault of the backend {self._system.backend!r}; its output is in {self._place.log}",
        )

    def _tail(self, done: processes.Finished) -> tuple[str, ...]:
        return done.tail(self._limits.error_lines)


def _hint(lines: Sequence[str]) -> str | None:
    """What the output means, from its last telling line."""
    for line in reversed(lines):
        for pattern, hint in _CAUSES:
            found = pattern.search(line)
            if found:
                groups = found.groupdict()
                return hint.format(what=groups.get("what") or groups.get("what2") or "")
    return None
