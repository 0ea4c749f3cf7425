"""From a source tree to a hook of its backend that may be called: build system, environment, shelter, process (hot).

Knows how one build is set up, for whoever wants something built: the frontend that resolves and installs
(:mod:`accord.build.frontend`), and the one that makes what a project publishes (:mod:`accord.build.products`).
It asks its port for environments and writes below the scratch folder it is handed.
"""

from __future__ import annotations

import os

from accord.build.backend import read_build_system
from accord.build.hooks import Hooks, Place
from accord.build.limits import DEFAULT
from accord.build.notices import Tally
from accord.build.policy import BuildPolicy
from accord.build.shelter import SandboxPolicy, Shelters
from accord.io.files import remove_tree
from accord.io.reporting import SILENT
from accord_core.errors import AccordError, BuildError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from accord.build.backend import BuildSystem
    from accord.build.limits import Limits
    from accord.build.notices import Notice
    from accord.build.ports import BuildEnvironments, Python
    from accord.io.reporting import Reporter

__all__ = ["BuildOptions", "Job", "Workshop"]

_REMOTE = ("https://", "http://", "git+https://", "git+http://", "git+ssh://")
_LOCAL = "it is a place on this machine, and the project is not your own"
_ANYTHING = BuildPolicy()
_USUAL = SandboxPolicy()


class BuildOptions:
    """How to build.

    ``settings`` are PEP 517 config settings as ``(project or None, key, value)``; a key given twice becomes a list.
    ``isolated`` false runs backends in the target interpreter itself, which must hold what they need.
    ``time_limit`` bounds each hook, in seconds.  ``keep`` names variables to pass to builds beside the usual.
    ``sandbox`` says whether builds are shut away.
    """

    __slots__ = ("isolated", "keep", "limits", "policy", "sandbox", "settings", "time_limit")

    def __init__(
        self,
        *,
        settings: Sequence[tuple[str | None, str, str]] = (),
        isolated: bool = True,
        time_limit: float | None = None,
        keep: frozenset[str] = frozenset(),
        policy: BuildPolicy = _ANYTHING,
        limits: Limits = DEFAULT,
        sandbox: SandboxPolicy = _USUAL,
    ) -> None:
        self.settings = tuple(settings)
        self.isolated = isolated
        self.time_limit = time_limit
        self.keep = keep
        self.policy = policy
        self.limits = limits
        self.sandbox = sandbox

    def replace(self, **changes: object) -> BuildOptions:
        """The same options with some changed."""
        return BuildOptions(**{**{name: getattr(self, name) for name in self.__slots__}, **changes})

    def settings_for(self, project: str | None) -> dict[str, str | list[str]]:
        """The config settings that count for ``project``, as PEP 517 hands them to hooks."""
        collected: dict[str, list[str]] = {}
        for name, key, value in self.settings:
            if name is None or name == project:
                collected.setdefault(key, []).append(value)
        return {key: values[0] if len(values) == 1 else values for key, values in collected.items()}


class Job:
    """One thing to build: ``tree`` of the project ``name`` (None: not known), called ``label``, ``own`` if it is the
    person's; in ``scratch``, its output in ``log``.  ``kind`` is ``sdist``, ``wheel`` or ``editable``.  ``system`` is
    its build system where somebody has read it, ``environ`` changes variables, ``root`` is where the tree is mounted."""

    __slots__ = ("environ", "kind", "label", "log", "name", "own", "scratch", "system", "tree")

    def __init__(
        self,
        kind: str,
        tree: str,
        scratch: str,
        log: str,
        *,
        label: str,
        name: str | None,
        own: bool,
        system: BuildSystem | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self.kind = kind
        self.tree = tree
        self.scratch = scratch
        self.log = log
        self.label = label
        self.name = name
        self.own = own
        self.system = system
        self.environ = environ or {}


class Workshop:
    """Sets builds up for one interpreter.  Safe to use from several threads.

    ``environ`` is the person's environment, of which builds see a part; ``echo`` is told what builds print, and
    ``meanwhile`` is called while the first hook runs.  ``notices`` is what people were warned of.
    """

    def __init__(
        self,
        environments: BuildEnvironments,
        python: Python,
        *,
        environ: Mapping[str, str],
        options: BuildOptions,
        reporter: Reporter = SILENT,
        echo: Callable[[bytes], None] | None = None,
        meanwhile: Callable[[], object] | None = None,
    ) -> None:
        self._environments = environments
        self._python = python
        self._environ = environ
        self._reporter = reporter
        self._echo = echo
        self._meanwhile = meanwhile
        self.options = options
        self.shelters = Shelters(options.sandbox, reporter)
        self.notices: list[Notice] = []
        self._trusted: set[str] = set()  # requirements as projects of the person's own write them

    def perform(self, job: Job, step: str, into: str) -> tuple[bytes | str, tuple[str, ...]]:
        """Have the hook for ``step`` (``prepare``, ``build``) of ``job`` write into the existing folder ``into``, in an
        environment that has all the backend asks for; returns what it made, and the requirements of that environment.

        Raises BuildError; :class:`~accord.build.hooks.HookNotThere` where the backend has no such hook.
        """
        tally = Tally()
        sound = False
        try:
            made = self._perform(job, step, into, tally)
            sound = True
            return made
        finally:
            told = tally.tell(job.label, self._reporter)
            if told:
                self.notices += told
                with open(job.log, "a", encoding="utf-8") as file:
                    file.writelines(f"accord: {notice}\n" for notice in told)
            elif sound:
                remove_tree(job.log)  # another build of the same may have removed it

    def _perform(self, job: Job, step: str, into: str, tally: Tally) -> tuple[bytes | str, tuple[str, ...]]:
        system = job.system or read_build_system(job.tree, job.label, self.options.limits)
        if not system.declared:
            self._reporter.note(f"{job.label} has no [build-system]: building with setuptools")
        requirements = system.requires
        if job.own:
            self._trusted.update(requirements)
        self._check_references(job, requirements, asked=False)
        asked, made = self._hooks(job, system, requirements, tally).ask_and(step, job.kind, into)
        if made is None:
            self._check_references(job, asked, asked=True)
            requirements = (*requirements, *asked)
            hooks = self._hooks(job, system, requirements, tally)
            made = hooks.prepare(job.kind, into) if step == "prepare" else hooks.build(job.kind, into)
        return made, requirements

    def _check_references(self, job: Job, requirements: Sequence[str], *, asked: bool) -> None:
        """Accord fetches what is required, with a person's eyes and network: what a build has not, it does not get that way.

        Raises BuildError ``build-requirement-refused`` for a place of this machine that a stranger names, and for any
        URL that the hooks of a build without the network ask for: it may hold what was read here.
        """
        shut = asked and self.shelters.closed and not self.options.sandbox.may_connect(job.name)
        for text in requirements:
            if "@" not in text or text in self._trusted:
                continue
            from accord_core.project.requirement import parse_requirement

            url = parse_requirement(text).url
            if url is None or not (shut or not url.lower().startswith(_REMOTE)):
                continue
            raise BuildError(
                "build-requirement-refused",
                f"{job.label}: its build requires {text[:200]!r}, which it has no business to ask for",
                context=("its hooks ask for a URL, and it has no network",) if shut else (_LOCAL,),
                hint="if you trust it, name the requirement's project and version in [build-system] requires, or give "
                "the build the network: [tool.accord] build-network",
            )

    def _hooks(self, job: Job, system: BuildSystem, requirements: tuple[str, ...], tally: Tally) -> Hooks:
        python = self._environment(job, requirements)
        options = self.options
        shelter = self.shelters.shelter(
            job.name,
            job.tree,
            job.scratch,
            own=job.own,
            python=self._python,
            executable=python,
            environ=self._environ,
            keep=options.keep,
            more=() if options.isolated else _on_its_path(python),
        )
        meanwhile, self._meanwhile = self._meanwhile, None
        return Hooks(
            Place(job.label, job.tree, job.scratch, job.log, job.name or ""),
            system,
            python=python,
            magic=self._python.magic,
            environment={**shelter.environment, **job.environ},
            settings=options.settings_for(job.name),
            time_limit=options.time_limit,
            limits=options.limits,
            shelter=shelter,
            tally=tally,
            there=requirements,
            echo=self._echo,
            meanwhile=meanwhile,
        )

    def _environment(self, job: Job, requirements: tuple[str, ...]) -> str:
        if not self.options.isolated:
            return self._python.executable
        try:
            return self._environments.make(requirements, self._python)
        except AccordError as error:
            if error.code == "build-lock-outdated":
                raise  # it says by itself what to do
            raise BuildError(
                "build-requirement-unavailable",
                f"{job.label}: what its build needs cannot be had: {error.message}",
                context=(f"build requirements: {', '.join(requirements) or 'none'}", *error.context),
                hint=error.hint,
            ) from error


def _on_its_path(python: str) -> list[str]:
    """Folders that the ``.pth`` files of an environment put on its path: a backend that is installed as editable."""
    from glob import glob

    found = []
    for path in glob(f"{os.path.dirname(os.path.dirname(python))}/lib/python*/site-packages/*.pth"):
        with open(path, encoding="utf-8", errors="replace") as file:
            found += [
                line for line in file.read(_PTH).splitlines() if line.startswith("/") and os.path.isdir(line)
            ]
    return found


_PTH = 1 << 16
