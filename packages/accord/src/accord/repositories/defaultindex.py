"""The index nobody wrote down: the default of the pip beside the interpreter (hot).

No index is favoured by this program, so it names none.  An interpreter's pip has a default; it is asked once, by
running that interpreter, and the answer is kept as long as the interpreter and its pip are the same files.  Where
there is no pip, the one beside the interpreter that runs Accord is asked.
"""

from __future__ import annotations

import marshal
import os
import sys

from accord_core.errors import RepositoryError

__all__ = ["ask", "default_index"]

_SECONDS = 60
# -I: neither the folder we are in nor PYTHON* variables have a say.  The first line is the default, or empty; then
# the files and folders whose change means that the answer may have changed.
_QUESTION = """\
import sys
try:
    import pip
    from pip._internal.models.index import PyPI
    print(PyPI.simple_url)
    print(pip.__file__)
except Exception:
    print()
    for folder in sys.path:
        print(folder)
"""

_Stamp = tuple[str, int, int]


def default_index(python: str | None, cache_dir: str | None) -> str:
    """The default index of ``python`` (a path; None: the one running this), else of the one running this.

    Raises RepositoryError ``no-default-index``.
    """
    asked: list[str] = []
    for executable in (python, sys.executable):
        if executable and executable not in asked:
            asked.append(executable)
            found = ask(executable, cache_dir)
            if found:
                return found
    raise RepositoryError(
        "no-default-index",
        "no index was named, and there is no pip whose default could be used",
        context=tuple(f"asked {executable}" for executable in asked),
        hint="name one with --index-url, ACCORD_INDEX_URL or [tool.accord.index], or install pip beside the interpreter",
    )


def ask(executable: str, cache_dir: str | None) -> str | None:
    """The default of the pip beside ``executable``, from the cache where it still holds; None: it has no pip."""
    path = None if cache_dir is None else os.path.join(cache_dir, "interpreters-v1", "default-indexes")
    place = os.path.abspath(executable)
    kept = {} if path is None else _read(path)
    known = kept.get(place)
    if known is not None and all(_stamp(stamp[0]) == stamp for stamp in known[1]):
        return known[0] or None
    answer, watched = _run(executable)
    if path is not None and watched:
        stamps = [_stamp(each) for each in (os.path.realpath(executable), *watched)]
        _write(path, {**kept, place: (answer, stamps)})
    return answer or None


def _run(executable: str) -> tuple[str, list[str]]:
    import subprocess

    try:
        done = subprocess.run(
            [executable, "-I", "-c", _QUESTION],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return "", []
    lines = done.stdout.decode("utf-8", "replace").splitlines()
    if done.returncode != 0 or not lines:
        return "", []
    url = lines[0].strip()
    return (url if url.startswith(("https://", "http://", "file:")) else ""), [
        line for line in lines[1:] if line
    ]


def _stamp(path: str) -> _Stamp:
    try:
        state = os.stat(path)
    except OSError:
        return (path, 0, 0)
    return (path, state.st_mtime_ns, state.st_size)


def _read(path: str) -> dict[str, tuple[str, list[_Stamp]]]:
    """What is kept, by interpreter; nothing where the file is not there or is damaged."""
    try:
        with open(path, "rb") as stream:
            found = marshal.load(stream)  # noqa: S302 - our own cache, not input
        return {
            str(place): (str(url), [tuple(each) for each in stamps]) for place, (url, stamps) in found.items()
        }
    except (OSError, EOFError, ValueError, TypeError, AttributeError):
        return {}


def _write(path: str, kept: dict[str, tuple[str, list[_Stamp]]]) -> None:
    """Of two that write at once one answer is lost, and asked for again."""
    temporary = f"{path}.{os.getpid()}"
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(temporary, "wb") as stream:
            stream.write(marshal.dumps(kept))
        os.replace(temporary, path)
    except OSError:
        pass  # a cache that cannot be written only costs the question again
