"""``setup.py`` by running it, for what reading cannot tell: a recorder stands in for ``setup()``, no command runs.

Running a stranger's code is a decision: the caller has it taken, and gives the runner (a sandbox is a runner), the
interpreter and a copy of the tree.  Time and size of what comes back are bounded.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Protocol

from accord.build.backend import read_small_file
from accord.migrate.limits import DEFAULT, Limits
from accord.migrate.values import ExtensionCall, Text, Unknown, unknown_in
from accord_core.errors import BuildError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from accord.io.processes import Finished
    from accord.migrate.tree import Tree

__all__ = ["Runner", "merged", "record_setup"]

RECORDER = os.path.join(os.path.dirname(__file__), "_record_setup.py")


class Runner(Protocol):
    """Runs one command to its end: in ``cwd``, with variables of its own, its output into the file ``log``.

    Called once per recording.  A sandbox lets it read ``cwd``, the interpreter and
    the recorder, and write below ``cwd`` alone.
    """

    def __call__(self, command: Sequence[str], *, cwd: str, log: str, timeout: float | None) -> Finished: ...


def record_setup(
    copy: str, logs: str, *, python: str, runner: Runner, limits: Limits = DEFAULT
) -> dict[str, Any]:
    """The keywords that ``setup.py`` in the folder ``copy`` passes to ``setup()``, as values.

    ``copy`` is a copy of the project, which the run may change; ``logs`` a folder for the log, which it may not.  Raises BuildError
    ``migrate-setup-failed``.
    """
    import shutil

    # Names that the project cannot have: a link of such a name would be followed.
    word = os.urandom(6).hex()
    recorder = os.path.join(copy, f".accord-record-{word}.py")
    output = os.path.join(copy, f".accord-recorded-{word}.json")
    shutil.copyfile(RECORDER, recorder)
    log = os.path.join(logs, "setup.log")
    finished = runner(
        [python, recorder, "setup.py", output], cwd=copy, log=log, timeout=limits.recording_seconds
    )
    try:
        data = read_small_file(output, limits.recording_bytes)
        if data is None:
            raise ValueError("it did not call setup()")
        words = _value(json.loads(data))
    except (BuildError, ValueError, RecursionError) as error:
        reason = str(error)
        if finished.timed_out:
            reason = f"it did not end within {limits.recording_seconds:g} seconds"
        raise BuildError(
            "migrate-setup-failed",
            f"running setup.py told nothing: {reason}",
            context=finished.tail(15),
            hint="migrate with --no-run-setup and write what is missing by hand, or with an older -p PYTHON",
        ) from error
    return words if isinstance(words, dict) else {}


def _value(data: Any) -> Any:
    """A recorded value as reading would have given it."""
    if isinstance(data, str):
        return Text(data)
    if isinstance(data, list):
        return [_value(each) for each in data]
    if isinstance(data, dict):
        if "$dict" in data:
            return {_key(key): _value(each) for key, each in data["$dict"]}
        if "$extension" in data:
            options = {key: _value(each) for key, each in data["$extension"].items()}
            name, sources = options.pop("name", None), options.pop("sources", [])
            return ExtensionCall(name, sources, options, plain=data.get("$class") == "Extension")
        if "$class" in data:
            return Unknown(f"it is the class {data['$class']}")
        return Unknown(str(data.get("$unknown", "it is no text, number, list or table")))
    return data


def _key(data: Any) -> Any:
    found = _value(data)
    return found if isinstance(found, (str, int, float, bool)) or found is None else str(found)


def merged(tree: Tree, read: dict[str, Any], recorded: dict[str, Any]) -> dict[str, Any]:
    """What was read, and what only the run could tell.

    Values that were read know their file and their comments, so they are preferred where they are whole; a recorded
    version and a recorded readme are led back to the file that holds them.
    """
    found: dict[str, Any] = {}
    for key, value in recorded.items():
        own = read.get(key)
        if key in read and (unknown_in(own) is None or (key == "cmdclass" and isinstance(own, dict))):
            found[key] = own
        elif value is not None:
            found[key] = value
    version = found.get("version")
    if isinstance(version, Text) and not version.origins:
        found["version"] = Text(version, _home_of_version(tree, str(version), found))
    return found


def _home_of_version(tree: Tree, version: str, words: dict[str, Any]) -> tuple[str, ...]:
    """The module of the project that holds ``version`` as its ``__version__``, where there is one only."""
    from accord.migrate.constants import constants_of

    packages = words.get("packages")
    names = [str(each) for each in packages] if isinstance(packages, list) else []
    modules = words.get("py_modules")
    names += [str(each) for each in modules] if isinstance(modules, list) else []
    homes: list[str] = []
    for name in names:
        for module in (
            name,
            f"{name}.__version__",
            f"{name}._version",
            f"{name}.version",
            f"{name}.__about__",
        ):
            for base in ("", "src"):
                path = tree.module_file(module, base)
                if path and path not in homes and constants_of(tree, path).get("__version__") == version:
                    homes.append(path)
    return tuple(homes[:1])
