"""Words for a failure: the tree of causes of an unsolvable problem, told so that a person can act on it.

May know the solver's records; must not know where they are shown.  The telling follows the derivation (as PubGrub's
reporter does): each learnt incompatibility is "because … and …, …", numbered where it is used twice.  Which of the
stable codes a failure gets depends on its leaves: a single missing project is not a conflict.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from accord_core.errors import ResolutionError
from accord_core.resolve.port import Dependency
from accord_core.resolve.solver import Cause, Solver, Unsolvable
from accord_core.resolve.universe import Universe

__all__ = ["Explanation", "Reason", "error", "explain"]

# (stable code, clause): why the versions in a mask of a universe are not eligible, e.g. "need Python >=3.13".
Reason = Callable[[Universe, int], tuple[str, str]]

_HINTS = {
    "unknown-project": "check the spelling, or name the index that has it with --index or [tool.accord.index]",
    "empty-project": "the index lists the project without any file that can be installed",
    "no-matching-version": "widen the specifier, or look at the versions the index has",
    "no-compatible-wheel": "choose another Python or platform, another version, or allow building from the sdist",
    "requires-python": "choose another Python with --python, or allow other versions",
    "only-prereleases": "ask for a pre-release by name (>=2.0a1) or allow them with --prerelease allow",
    "only-yanked": "pin the yanked version exactly with == if you must have it",
    "excluded-newer": "move --exclude-newer, or exempt the project from it",
    "url-dependency": "ask for it yourself, by the same URL, if you trust it",
    "project-quarantined": "its files are thought to be harmful; look for news of the project before going on",
    "unsatisfiable": "relax one of the requirements named, or set an override in [tool.accord.overrides]",
}
# A version with metadata that cannot be read, a build that failed: many codes, one thing to do.
_UNUSABLE_HINT = "allow another version of it, or report it to the people who publish it"


@dataclass(frozen=True, slots=True)
class Explanation:
    """``code``, one line of ``summary``, the ``story`` line by line, and the ``leaves`` (facts) it rests on."""

    code: str
    summary: str
    story: tuple[str, ...]
    leaves: tuple[str, ...]
    hint: str


def error(failure: Unsolvable, reason: Reason) -> ResolutionError:
    """The coded error for a failure; its context is the story."""
    told = explain(failure, reason)
    return ResolutionError(told.code, told.summary, context=told.story, hint=told.hint)


def explain(failure: Unsolvable, reason: Reason) -> Explanation:
    """Tell ``failure``.  ``reason`` says why a mask of versions was not eligible; it is called for few masks."""
    teller = _Teller(failure.solver, reason)
    story = teller.tell(failure.incompatibility)
    code, summary = teller.verdict()
    return Explanation(code, summary, tuple(story), tuple(teller.leaves), _HINTS.get(code, _UNUSABLE_HINT))


class _Teller:
    """Walks the tree of causes once; every fact and every conclusion is told once and may be referred to."""

    def __init__(self, solver: Solver, reason: Reason) -> None:
        self.solver = solver
        self.reason = reason
        self.leaves: list[str] = []
        self._lines: list[str] = []
        self._number_of: dict[int, int] = {}
        self._uses: dict[int, int] = {}
        self._codes: list[tuple[str, str]] = []

    def tell(self, root: int) -> list[str]:
        self._count_uses(root)
        cause = self.solver.causes[root]
        if cause.kind != "learned":
            self._lines.append(self._capital(self._fact(root, None)) + ".")
        else:
            self._tell_learned(root)
        return self._lines

    # ------------------------------------------------------------ the tree

    def _count_uses(self, root: int) -> None:
        waiting = [root]
        while waiting:
            number = waiting.pop()
            self._uses[number] = self._uses.get(number, 0) + 1
            cause = self.solver.causes[number]
            if self._uses[number] == 1 and cause.kind == "learned":
                waiting += (cause.left, cause.right)

    def _learned(self, number: int) -> bool:
        return self.solver.causes[number].kind == "learned"

    def _tell_learned(self, root: int) -> None:
        """Post-order over learnt incompatibilities, without recursion: a derivation may be thousands deep."""
        stack: list[tuple[int, bool]] = [(root, False)]
        told: set[int] = set()
        previous = -1
        while stack:
            number, ready = stack.pop()
            if number in told:
                continue
            cause = self.solver.causes[number]
            parents = [
                parent for parent in (cause.left, cause.right) if self._learned(parent) and parent not in told
            ]
            if parents and not ready:
                stack.append((number, True))
                stack.extend((parent, False) for parent in parents)
                continue
            self._conclude(number, cause, previous)
            told.add(number)
            previous = number

    def _conclude(self, number: int, cause: Cause, previous: int) -> None:
        left, right = cause.left, cause.right
        if right == previous:
            left, right = right, left
        if left == previous:
            lead = f"And because {self._reference(right, left)}"
        else:
            lead = f"Because {self._reference(left, right)} and {self._reference(right, left)}"
        line = f"{lead}, {self._words(number)}."
        if self._uses[number] > 1:
            self._number_of[number] = len(self._number_of) + 1
            line += f" ({self._number_of[number]})"
        self._lines.append(line)

    def _reference(self, number: int, other: int) -> str:
        if not self._learned(number):
            return self._fact(number, other)
        label = self._number_of.get(number)
        return self._words(number) + (f" ({label})" if label is not None else "")

    # ------------------------------------------------------------ facts

    def _fact(self, number: int, other: int | None) -> str:
        cause = self.solver.causes[number]
        text = getattr(self, f"_fact_{cause.kind}")(number, cause, other)
        assert isinstance(text, str)
        if text not in self.leaves:
            self.leaves.append(text)
        return text

    def _fact_requirement(self, number: int, cause: Cause, other: int | None) -> str:
        assert cause.dependency is not None
        origin = f" ({cause.origin})" if cause.origin else ""
        return f"{_written(cause.dependency)} is required{origin}" + self._unmatched(cause.dependency)

    def _fact_constraint(self, number: int, cause: Cause, other: int | None) -> str:
        assert cause.dependency is not None
        origin = f" ({cause.origin})" if cause.origin else ""
        return f"{_written(cause.dependency)} is a constraint{origin}" + self._unmatched(cause.dependency)

    def _fact_dependency(self, number: int, cause: Cause, other: int | None) -> str:
        assert cause.dependency is not None
        mask = self.solver.terms[number][0][1]
        holder = self._named(cause.node, mask)
        if cause.extra:
            holder = holder.replace(
                self.solver.names[cause.node], f"{self.solver.names[cause.node]}[{cause.extra}]", 1
            )
        return f"{holder} needs {_written(cause.dependency)}" + self._unmatched(cause.dependency)

    def _fact_ineligible(self, number: int, cause: Cause, other: int | None) -> str:
        mask = self.solver.terms[number][0][1]
        if other is not None:
            for node, bad in self.solver.terms[other]:
                if node == cause.node and mask & ~bad:
                    mask &= ~bad
        code, clause = self.reason(self.solver.universes[cause.node], mask)
        self._codes.append((code, f"{self._named(cause.node, mask)} {clause}"))
        return f"{self._named(cause.node, mask)} {clause}"

    def _fact_unusable(self, number: int, cause: Cause, other: int | None) -> str:
        assert cause.unusable is not None
        text = f"{self._named(cause.node, self.solver.terms[number][0][1])} {cause.unusable.reason}"
        self._codes.append((cause.unusable.code, text))
        return text

    def _unmatched(self, dependency: Dependency) -> str:
        """A clause for a requirement that nothing can meet, whatever else is chosen."""
        project, _, specifier = dependency
        universe = self.solver.universes[self.solver.node(project)]
        if specifier.startswith("@") and not universe.mask(specifier):
            text = f"only what you ask for yourself may name {project} by a URL"
            self._codes.append(("url-dependency", text))
            return f", but {text}"
        if universe.missing == "unknown":
            self._codes.append(("unknown-project", f"no index has a project named {project}"))
            return f", but no index has a project named {project}"
        if not universe.versions:
            self._codes.append(("empty-project", f"{project} has no files to install"))
            return f", but {project} has no files to install"
        if universe.direct is not None and not universe.mask(specifier):
            text = f"{project} is to be {universe.versions[-1]}, from {universe.direct}, which is not {specifier}"
            self._codes.append(("no-matching-version", text))
            return f", but {text}"
        if not universe.mask(specifier):
            newest = universe.versions[-1]
            text = f"no version of {project} matches {specifier} (newest: {newest})"
            self._codes.append(("no-matching-version", text))
            return f", but {text}"
        return ""

    # ------------------------------------------------------------ words

    def _named(self, node: int, mask: int) -> str:
        name = self.solver.names[node]
        if self.solver.extras[node]:
            return f"{name}[{self.solver.extras[node]}]"
        words = self.solver.universes[node].words(mask)
        return f"every version of {name}" if words == "all versions" else f"{name} {words}"

    def _words(self, number: int) -> str:
        solver = self.solver
        having, lacking = [], []
        for node, mask in solver.terms[number]:
            if mask & solver.absent[node]:
                lacking.append(self._named(node, solver.full[node] & ~mask))
            else:
                having.append(self._named(node, mask))
        if not having and not lacking:
            return "what was asked cannot be satisfied"
        if not lacking:
            return f"{_joined(having, 'and')} cannot be used" + (" together" if len(having) > 1 else "")
        if not having:
            return f"{_joined(lacking, 'or')} is required"
        return f"{_joined(having, 'with')} needs {_joined(lacking, 'or')}"

    @staticmethod
    def _capital(text: str) -> str:
        """A sentence begins with a capital, unless it begins with a project's name: names are not words."""
        return text[:1].upper() + text[1:] if text.startswith(("no ", "every ", "only ", "what ")) else text

    def verdict(self) -> tuple[str, str]:
        """The stable code and one line: specific when a single fact decides, ``unsatisfiable`` otherwise."""
        codes = {code for code, _ in self._codes}
        if len(codes) == 1:
            code, text = self._codes[0]
            if code in ("unknown-project", "empty-project", "no-matching-version") or len(self.leaves) <= 3:
                return code, self._capital(text)
        return "unsatisfiable", "No set of versions satisfies everything that was asked"


def _written(dependency: Dependency) -> str:
    project, extras, specifier = dependency
    gap = " " if specifier.startswith("@") else ""
    return project + (f"[{','.join(extras)}]" if extras else "") + gap + specifier


def _joined(parts: list[str], word: str) -> str:
    if len(parts) < 3:
        return f" {word} ".join(parts)
    return ", ".join(parts[:-1]) + f" {word} {parts[-1]}"
