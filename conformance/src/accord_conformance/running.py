"""Plays cases with tools.  Every case has a folder of its own, which is taken away afterwards unless it is to be kept.

Jobs are a file's cases with one tool; ``jobs`` of them run at a time, each in a thread that has the tool's player to itself.  A tool that did not
answer in time where it had to is asked again at the end, with nothing beside it and more time: that a machine is busy is no tool's fault.
"""

from __future__ import annotations

import fnmatch
import json
import shutil
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

from accord_conformance.adapters import player
from accord_conformance.cases import Case
from accord_conformance.errors import SuiteError
from accord_conformance.judging import Finding
from accord_conformance.leftovers import remove
from accord_conformance.processes import LIMITS, Limits, end_all, end_strays
from accord_conformance.protocol import OUTCOMES, Answer, Player, Request
from accord_conformance.reading import DATA
from accord_conformance.results import Played, StepPlayed
from accord_conformance.roles import role
from accord_conformance.roles.role import Role
from accord_conformance.scene import Scene
from accord_conformance.tools import Tool

__all__ = ["is_late", "make_sure_of_room", "play_all", "play_case", "settled"]


_LOOKING_SECONDS = 0.05

_PATIENCE = 3  # times the time there was, for who is asked again
_HUNG_RUNNING = 3  # cases of one file, one after the other, before the rest of it is not asked any more


def play_all(
    tools: Sequence[Tool],
    cases: Sequence[Case],
    jobs: int,
    told: Callable[[Played], None],
    keep: Path | None = None,
    limits: Limits = LIMITS,
) -> list[Played]:
    """Plays every case with every tool that has its role; ``told`` of each one as it ends, from any thread, and again of one that is asked again."""
    work = [
        (tool, list(batch))
        for tool in tools
        for (name, _), batch in groupby(cases, key=lambda case: (case.role, case.id.rpartition("/")[0]))
        if name in tool.adapter.parts
    ]
    stopped = threading.Event()
    by_name = {tool.adapter.name: tool for tool in tools}
    by_id = {case.id: case for case in cases}

    play = partial(_play_batch, keep=keep, stopped=stopped)
    patient = replace(limits, seconds=_PATIENCE * limits.seconds)
    with ThreadPoolExecutor(max_workers=max(1, jobs)) as pool:
        try:
            futures = [pool.submit(play, tool, batch, told, limits) for tool, batch in work]
            results = [played for future in futures for played in future.result()]
            for place, late in enumerate(results):
                if is_late(late):
                    again = pool.submit(
                        play, by_name[late.tool], [by_id[late.case]], told, patient, earlier=results
                    )
                    (results[place],) = again.result()
            return settled(results, cases)
        except BaseException:
            # Whoever plays stops at its next case, and what a tool is at is ended now.
            stopped.set()
            over = threading.Event()
            threading.Thread(target=_end_until, args=(over,)).start()
            try:
                pool.shutdown(
                    cancel_futures=True
                )  # of all that play, also of who was being sent when it came
            finally:
                over.set()
            raise


def _end_until(over: threading.Event) -> None:
    """Ends every process, again and again until the last who plays is back: one may be about to start another just now."""
    while not over.is_set():
        end_all()
        over.wait(_LOOKING_SECONDS)


def is_late(played: Played) -> bool:
    """Whether nothing but the clock speaks against the tool: it is asked again."""
    judged = played.verdict in ("fail", "void", "reading-none")
    return judged and bool(played.steps) and played.steps[-1].outcome == "hung"


def settled(results: Sequence[Played], cases: Iterable[Case]) -> list[Played]:
    """The results, with refusals taken back where the tool does not do the honest twin either.

    A refusal whose twin was not played says nothing yet and is left out: the run was interrupted between the two.
    """
    by_id = {case.id: case for case in cases}
    verdicts = {(played.case, played.tool): played.verdict for played in results}
    found = []
    for played in results:
        case = by_id[played.case]
        if played.verdict != "pass" or not (case.refused and case.twin):
            found.append(played)
        elif twin := verdicts.get((case.twin, played.tool)):
            found.append(played if twin == "pass" else replace(played, verdict="void"))
    return found


def _play_batch(
    tool: Tool,
    cases: Iterable[Case],
    told: Callable[[Played], None],
    limits: Limits,
    *,
    keep: Path | None,
    stopped: threading.Event,
    earlier: Sequence[Played] = (),
) -> list[Played]:
    results: list[Played] = []
    current: Player | None = None
    hung = 0
    try:
        for case in cases:
            if stopped.is_set():
                break
            try:
                if hung >= _HUNG_RUNNING:
                    raise SuiteError("not asked", f"the tool hung {_HUNG_RUNNING} times running")
                current = current or player(tool.adapter, case.role, tool.bin, limits)
                played = _once(play_case(tool, case, current, keep), case, [*earlier, *results])
            except (SuiteError, OSError) as error:
                # One wrong adapter, or a disk that is full, does not lose what the others said.
                played = Played(case.id, tool.adapter.name, "error", (), 0.0, str(error))
            except Exception:
                # Nor does what a tool left behind, and nobody here can read: a run is long.
                played = Played(case.id, tool.adapter.name, "error", (), 0.0, traceback.format_exc()[-2000:])
            if stopped.is_set():
                break  # its tool was ended for it: what came of that is nobody's failure
            told(played)
            results.append(played)
            hung = hung + 1 if is_late(played) or hung >= _HUNG_RUNNING else 0
    finally:
        if current is not None:
            current.close()
    return results


def _once(played: Played, case: Case, earlier: Sequence[Played]) -> Played:
    """The result, a failure taken back where the case that it comes after did not end as expected: one cause is counted once."""
    first = next((each for each in earlier if each.case == case.after), None)
    # A survey expects nothing, but may say what it hopes for.
    as_expected = (
        first is not None
        and first.verdict in ("pass", "seen")
        and all(finding.ok for step in first.steps for finding in step.findings)
    )
    taken_back = played.verdict == "fail" and case.after and not as_expected
    return replace(played, verdict="void") if taken_back else played


def play_case(tool: Tool, case: Case, asked: Player, keep: Path | None = None) -> Played:
    """Plays one case; SuiteError, with the case named, for a fault of the suite's own."""
    if keep is not None:
        # Tools are run in folders of their own: a relative path would lead them elsewhere.
        folder = keep.absolute() / tool.adapter.name / case.id.replace("/", "--")
        remove(folder)
        folder.mkdir(parents=True)
    else:
        folder = Path(tempfile.mkdtemp(prefix="conformance-"))
    # Tools run in folders below it, and tell paths as the system has them: macOS reaches its temporary folder through a link.
    folder = folder.resolve()
    begun = time.monotonic()
    scene = Scene.at(folder, tool.bin)
    try:
        make_sure_of_room(folder, LIMITS.free_bytes)
        steps, verdict = _play(role(case.role), case, scene, asked, tool)
        if verdict == "fail":
            make_sure_of_room(folder, LIMITS.free_bytes)
    except SuiteError as error:
        raise SuiteError(f"{tool.adapter.name}, {case.id}: {error.where}", error.what) from error
    finally:
        scene.close()
        end_strays(folder / "home")
        if keep is None:
            remove(folder)
    return Played(case.id, tool.adapter.name, verdict, tuple(steps), round(time.monotonic() - begun, 3))


def make_sure_of_room(folder: Path, least: int) -> None:
    """SuiteError when the disk is all but full: a tool that has no room to write in breaks no standard."""
    free = shutil.disk_usage(folder).free
    if free < least:
        raise SuiteError(
            str(folder.parent),
            f"only {free} bytes are free there, {least} are needed; TMPDIR or --keep names another disk",
        )


def _play(stage: Role, case: Case, scene: Scene, asked: Player, tool: Tool) -> tuple[list[StepPlayed], str]:
    scene.values["case"] = case.id
    scene.values["settings"] = dict(tool.adapter.parts[case.role].settings)
    stage.set_up(scene)
    for word, make in stage.makers.items():
        if word in case.given:
            make(scene, case.given[word])
    steps: list[StepPlayed] = []
    if any(fnmatch.fnmatchcase(case.id, pattern) for pattern in scene.values["settings"].get("without", ())):
        answer = Answer("unsupported", message="this is not the tool's part: the adapter says so")
        return [_shown(case.steps[0].do, answer, (), scene, tool)], "unsupported"
    for number, step in enumerate(case.steps):
        values = {**scene.values, **stage.values(scene, step)}
        answer = asked.ask(Request(step.do, values, scene.folder / "project", scene.environment))
        # A folder that is kept has the name of the case, which is none of the tool's words.
        answer = replace(answer, message=answer.message.replace(str(scene.folder), "{folder}"))
        last = number == len(case.steps) - 1
        if answer.outcome == "unsupported":
            steps.append(_shown(step.do, answer, (), scene, tool))
            return steps, "unsupported"
        if last and case.kind == "disputed":
            verdict, findings = _follows(stage, case, scene, answer)
            steps.append(_shown(step.do, answer, findings, scene, tool))
            return steps, verdict
        expect = dict(step.expect)
        unmet = _unmet(stage, scene, answer, expect.pop("where", {}))
        if unmet:
            steps.append(_shown(step.do, answer, unmet, scene, tool))
            return steps, "unsupported"
        # A survey asks how it ends, and expects nothing of it.
        silent = last and case.kind == "survey"
        expect = {"outcome": list(OUTCOMES), **expect} if silent else expect
        findings = _find(stage, scene, answer, expect)
        steps.append(_shown(step.do, answer, findings, scene, tool))
        if not silent and not all(finding.ok for finding in findings):
            # What is disputed or surveyed comes last; without what leads to it nothing is said.
            return steps, "fail" if case.kind == "verdict" else "void"
    return steps, "seen" if case.kind == "survey" else "pass"


def _unmet(stage: Role, scene: Scene, answer: Answer, condition: Any) -> list[Finding]:
    """What does not hold of the condition under which a case asks on."""
    findings = [
        each
        for word, expected in condition.items()
        for each in stage.witnesses[word](scene, answer, expected)
    ]
    return [finding for finding in findings if not finding.ok]


def _find(stage: Role, scene: Scene, answer: Answer, expect: Any) -> list[Finding]:
    """The findings; that the tool did it goes without saying."""
    findings: list[Finding] = []
    for word, expected in {"outcome": "done", **expect}.items():
        if word != "outcome" and answer.outcome != "done" and "outcome" not in expect:
            break  # nothing was done that could be looked at
        findings += stage.witnesses[word](scene, answer, expected)
    return findings


def _follows(stage: Role, case: Case, scene: Scene, answer: Answer) -> tuple[str, list[Finding]]:
    """Which reading of a disputed sentence a tool follows."""
    findings: list[Finding] = []
    for number, reading in enumerate(case.readings, 1):
        findings = _find(stage, scene, answer, reading.expect)
        if all(finding.ok for finding in findings):
            return f"reading-{number}", findings
    return "reading-none", findings


def _shown(do: str, answer: Answer, findings: Iterable[Finding], scene: Scene, tool: Tool) -> StepPlayed:
    """A step as a reader sees it: without this run's folders and ports."""
    places = [(str(scene.folder), "{folder}"), (str(tool.bin), "{bin}"), (sys.executable, "{suite}")]
    places += [(str(DATA), "{accord_conformance}"), (str(tool.bin.parent), "{bin}/..")]
    places += [(sys.prefix, "{suite}/../.."), (sys.base_prefix, "{python}"), (str(Path.home()), "{home}")]
    if scene.site is not None:
        places.insert(0, (scene.site.url, "{site}"))

    def plain(text: str) -> str:
        for found, name in places:
            text = text.replace(found, name)
        # A report is UTF-8, which names of files and answers of programs need not be.
        return text.encode("utf-8", "replace").decode()

    return StepPlayed(
        do,
        answer.outcome,
        json.loads(plain(json.dumps(answer.value, ensure_ascii=False))),
        plain(answer.message),
        answer.untidy,
        tuple(tuple(map(plain, command)) for command in answer.commands),
        tuple(Finding(f.what, plain(f.expected), plain(f.found), f.ok) for f in findings),
    )
