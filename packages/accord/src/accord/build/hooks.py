"""The hooks of a build backend, called (PEP 517 "Build backend interface"), in a process that is none of ours.

One process per build: ``_runner.py`` imports the backend once and calls what is wanted of it.  This module decides how
that process runs: in a scrubbed environment, in the sandbox where there is one, with its control files inside the
scratch folder, bounded in time, output, memory and disk, and with what it answers checked before it is believed.
Whatever goes wrong becomes a BuildError with the end of the log in its context.  Hot.
"""

from __future__ import annotations

import marshal
import os
from _frozen_importlib_external import MAGIC_NUMBER, SourceFileLoader

from accord.build.backend import check_requirement, read_small_file
from accord.io import jsons
from accord_core.errors import BuildError, Where

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from accord.build.backend import BuildSystem
    from accord.build.limits import Limits
    from accord.build.notices import Tally
    from accord.build.shelter import Shelter
    from accord.io import processes

__all__ = ["HookNotThere", "Hooks", "Place"]

_RUNNER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "_runner.py")


def _runner(magic: str) -> tuple[str, bytes]:
    """File name and bytes of the runner, compiled where the interpreter reads what this one writes: to compile it takes
    each build more than a millisecond."""
    if magic == MAGIC_NUMBER.hex():
        name = "accord.build._runner"
        code = SourceFileLoader(name, _RUNNER).get_code(name)
        return "run.pyc", MAGIC_NUMBER + bytes(12) + marshal.dumps(code)
    with open(_RUNNER, "rb") as file:
        return "run.py", file.read()


class HookNotThere(Exception):
    """The backend does not have this optional hook."""


class Place:
    """Where a build happens: the tree, a private scratch folder, the log, and how people call the source."""

    __slots__ = ("label", "log", "name", "scratch", "tree")

    def __init__(self, label: str, tree: str, scratch: str, log: str, name: str = "") -> None:
        self.label = label
        self.tree = tree
        self.scratch = scratch
        self.log = log
        self.name = name


class Hooks:
    """The hooks of the backend of one source tree, run with ``python`` and exactly ``environment`` in ``shelter``.

    ``tally`` is told what came to light beside; ``there`` are the requirements that the environment has; ``echo`` is told the output as it comes, ``meanwhile`` is
    called once while a hook runs, and ``home`` is the person's, which a build in the sandbox does not see.
    """

    def __init__(
        self,
        place: Place,
        system: BuildSystem,
        *,
        python: str,
        magic: str,
        environment: Mapping[str, str],
        settings: Mapping[str, str | list[str]],
        time_limit: float | None,
        limits: Limits,
        shelter: Shelter,
        tally: Tally,
        there: Sequence[str] = (),
        echo: Callable[[bytes], None] | None = None,
        meanwhile: Callable[[], object] | None = None,
    ) -> None:
        self._place = place
        self._system = system
        self._python = python
        self._magic = magic
        self._environment = environment
        self._settings = dict(settings) or None
        self._time_limit = time_limit
        self._limits = limits
        self._shelter = shelter
        self._tally = tally
        self._there = tuple(there)
        self._echo = echo
        self._meanwhile = meanwhile

    def ask_and(self, step: str, kind: str, into: str) -> tuple[tuple[str, ...], bytes | str | None]:
        """What the backend asks for beside what is there, and, where that is nothing, what :meth:`prepare` or
        :meth:`build` (``step``) returns: both by one process."""
        asking = {
            "hook": f"get_requires_for_build_{kind}",
            "arguments": [self._settings],
            "needs": f"build_{kind}",
            "ask": True,
        }
        results = self._call(asking, self._doing(step, kind, into))
        more = tuple(text for text in self._asked(str(asking["hook"]), results[0]) if text not in self._there)
        if more or len(results) == 1:
            return more, None
        return (), self._taken(step, kind, into, results[1])

    def prepare(self, kind: str, into: str) -> bytes:
        """METADATA as ``prepare_metadata_for_build_*`` writes it below ``into``; HookNotThere without that hook."""
        return self._metadata(kind, into, self._call(self._doing("prepare", kind, into))[0])

    def build(self, kind: str, into: str) -> str:
        """The file that ``build_sdist``, ``build_wheel`` or ``build_editable`` writes into the folder ``into``."""
        return self._file(kind, into, self._call(self._doing("build", kind, into))[0])

    def _doing(self, step: str, kind: str, into: str) -> dict[str, object]:
        folder = self._shelter.inside(into)
        if step == "prepare":
            hook, arguments = f"prepare_metadata_for_build_{kind}", [folder, self._settings]
        else:
            hook, arguments = f"build_{kind}", [folder, self._settings]
            if kind != "sdist":
                arguments.append(None)  # metadata_directory: nothing was prepared
        return {"hook": hook, "arguments": arguments, "needs": None, "ask": False}

    def _taken(self, step: str, kind: str, into: str, answer: object) -> bytes | str:
        return self._metadata(kind, into, answer) if step == "prepare" else self._file(kind, into, answer)

    def _asked(self, hook: str, answer: object) -> tuple[str, ...]:
        if not isinstance(answer, list) or not all(isinstance(item, str) for item in answer):
            raise self._wrong(hook, "it did not return a list of strings")
        if len(answer) > self._limits.build_requirements:
            raise self._wrong(hook, f"it asked for more than {self._limits.build_requirements} requirements")
        for text in answer:
            check_requirement(text, Where(self._place.tree, key=hook), self._limits)
        return tuple(answer)

    def _metadata(self, kind: str, into: str, answer: object) -> bytes:
        hook = f"prepare_metadata_for_build_{kind}"
        name = self._file_name(hook, answer, ".dist-info")
        self._check_real(hook, into, os.path.join(into, name))
        data = read_small_file(os.path.join(into, name, "METADATA"), self._limits.metadata_bytes)
        if data is None:
            raise self._wrong(hook, f"{name} holds no METADATA")
        return data

    def _file(self, kind: str, into: str, answer: object) -> str:
        hook = f"build_{kind}"
        name = self._file_name(hook, answer, (".tar.gz", ".zip") if kind == "sdist" else ".whl")
        path = os.path.join(into, name)
        self._check_real(hook, into)
        if os.path.islink(path) or not os.path.isfile(path):
            raise self._wrong(hook, f"it named {name!r}, which is not a file in the folder it was given")
        if os.path.getsize(path) > self._limits.wheel_bytes:
            raise self._wrong(hook, f"{name} is larger than {self._limits.wheel_bytes} bytes")
        others = sorted(set(os.listdir(into)) - {name})
        if others:
            raise self._wrong(
                hook, f"it left more than {name} in the folder it was given", (f"also there: {others[0]!r}",)
            )
        return path

    def _check_real(self, hook: str, *folders: str) -> None:
        """A link in the place of a folder would have us read, or write to, what the build itself cannot reach."""
        for folder in folders:
            if os.path.islink(folder):
                raise self._wrong(
                    hook, f"it left a link in the place of the folder {os.path.basename(folder)}"
                )

    def _call(self, *calls: dict[str, object]) -> list[Any]:
        """Have the runner make ``calls``; what they returned, which nobody has looked at yet."""
        control = os.path.join(self._place.scratch, f"call-{os.urandom(6).hex()}")
        os.mkdir(control, 0o700)
        inside = self._shelter.inside
        tree = inside(self._place.tree)
        work = {
            "folder": tree,
            "backend": self._system.backend,
            "backend_path": [
                os.path.normpath(os.path.join(tree, part)) for part in self._system.backend_path
            ],
            "limits": self._limits.for_processes(),
            "umask": self._limits.umask,
            "calls": list(calls),
            "ask_seconds": self._limits.hook_seconds if self._time_limit is None else self._time_limit,
            "there": list(self._there),
            "alone": self._shelter.closed,
        }
        with open(os.path.join(control, "input.marshal"), "wb") as file:
            file.write(marshal.dumps(work, 2))
        name, program = _runner(self._magic)
        with open(os.path.join(control, name), "wb") as file:
            file.write(program)
        hook = str(calls[-1]["hook"])
        done = self._run(hook, control, name)
        answer = self._answer(hook, os.path.join(control, "output.json"), done)
        return self._results(hook, answer)

    def _results(self, hook: str, answer: dict[str, Any]) -> list[Any]:
        if "no_backend" in answer:
            raise self._missing(str(answer["no_backend"]).splitlines()[0], str(answer.get("traceback") or ""))
        if "missing" in answer:
            raise HookNotThere(str(answer["missing"]))
        if "late" in answer:
            seconds = self._limits.hook_seconds if self._time_limit is None else self._time_limit
            raise BuildError(
                "build-timeout",
                f"{self._place.label}: {answer['late']} did not end within {seconds:g} seconds",
                hint="a hook that only asks has no honest need of it; choose another release",
            )
        results = answer.get("results")
        if not isinstance(results, list) or not results:
            raise self._wrong(hook, "it ended well but left no answer")
        left = answer.get("left")
        if isinstance(left, int) and left > 0:
            self._tally.left += left
        return results

    def _run(self, hook: str, control: str, name: str) -> processes.Finished:
        limit = self._time_limit
        if limit is None and not hook.startswith("build_"):
            limit = self._limits.hook_seconds
        inside = self._shelter.inside(control)
        program = [self._python, os.path.join(inside, name), inside]
        try:
            done = self._shelter.run(
                program,
                env=self._environment,
                log=self._place.log,
                timeout=limit,
                limits=self._limits.output,
                watch=self._disk,
                echo=self._echo,
                meanwhile=self._meanwhile,
            )
        except OSError as error:
            raise self._unusable(error.strerror or str(error)) from error
        self._meanwhile = None
        self._tally.add(self._shelter)
        self._check_planted(hook)
        self._check_end(hook, done, limit)
        return done

    def _check_planted(self, hook: str) -> None:
        names = [os.path.relpath(path, self._place.tree) for path in self._shelter.planted()]
        if names:
            raise BuildError(
                "build-writes-outside",
                f"{self._place.label}: {hook} made {', '.join(names)} in the project's folder, where it may not",
                context=("it was removed: other programs would run what lies there",),
                hint="a build has no business there; if you trust it: --sandbox off",
            )

    def _disk(self) -> str | None:
        """``disk`` when the build has filled its folder; looked at no oftener than the look itself is cheap."""
        return self._shelter.full(self._place.scratch, self._limits.scratch_bytes)

    def _unusable(self, reason: str) -> BuildError:
        return BuildError(
            "build-python-unusable",
            f"{self._place.label}: cannot start {self._python}: {reason}",
            hint="make the environment again, or choose another Python with --python",
        )

    def _check_end(self, hook: str, done: processes.Finished, limit: float | None) -> None:
        if done.status == 0 and not done.stopped and not done.timed_out and not done.halted:
            return
        from accord.build.endings import ending

        raise ending(self._place, hook, done, limit, self._limits, self._shelter)

    def _answer(self, hook: str, path: str, done: processes.Finished) -> dict[str, Any]:
        data = read_small_file(path, self._limits.hook_result_bytes)
        try:
            answer = jsons.loads(data) if data is not None else None
        except (ValueError, RecursionError):
            answer = None
        if not isinstance(answer, dict):
            raise self._wrong(hook, "it ended well but left no answer", self._tail(done))
        return answer

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

    def _file_name(self, hook: str, answer: object, ending: str | tuple[str, ...]) -> str:
        if not isinstance(answer, str) or not answer.endswith(ending) or answer.startswith("."):
            kind = ending if isinstance(ending, str) else " or ".join(ending)
            raise self._wrong(hook, f"it returned {answer!r:.120}, not the name of a {kind} file")
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
