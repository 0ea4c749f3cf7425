"""What runs beside a build backend: imports it and calls its hooks, one process for all that one build needs.

A program of its own, not a module: started with the interpreter of the build (3.8 and later) inside the sandbox, it may
use nothing but the standard library, and as little of that as can be, because every build pays for it.

    argv[1]        the folder of control files
    input.marshal  what to do, written by accord.build.hooks: folder, backend, backend_path, limits, calls
    output.json    what came of it: {"results": [...]}, or {"missing": hook}, {"no_backend": reason, "traceback": text}

Hooks that only ask (``get_requires_for_build_*``) run in a fork of their own: whatever a backend changes in its process
there does not reach the hook that builds (PEP 517, "Build backend interface").
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def main(control: str) -> None:
    import marshal

    with open(os.path.join(control, "input.marshal"), "rb") as file:
        work = marshal.loads(file.read())  # noqa: S302 - written by Accord
    own = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [path for path in sys.path if os.path.abspath(path) != own]
    os.chdir(work["folder"])
    os.umask(work["umask"])
    _limit(work["limits"])
    try:
        backend = _backend(work["backend"], work["backend_path"])
    except ImportError:
        import traceback

        reason = "".join(traceback.format_exception_only(*sys.exc_info()[:2])).strip()
        _answer(control, {"no_backend": reason, "traceback": traceback.format_exc()})
        return
    results: list[Any] = []
    for call in work["calls"]:
        result = _call(backend, call, work["ask_seconds"])
        if result == {"late": True}:
            _answer(control, {"late": call["hook"]})
            return
        if result == {"missing": True}:
            _answer(control, {"missing": call["hook"], "results": results})
            return
        results.append(result)
        if call["ask"] and isinstance(result, list) and set(map(str, result)) - set(work["there"]):
            break  # it asks for more than is here: the next environment will have it
    _answer(control, {"results": results, "left": _left() if work["alone"] else 0})


def _backend(name: str, backend_path: list[str]) -> Any:
    sys.path[:0] = backend_path
    module, _, attributes = name.partition(":")
    __import__(module)
    found: Any = sys.modules[module]
    place = os.path.realpath(getattr(found, "__file__", None) or "")
    roots = [os.path.realpath(path) + os.sep for path in backend_path]
    if roots and not place.startswith(tuple(roots)):
        raise ImportError(f"{module} was found in {place}, and not in backend-path")
    for attribute in filter(None, attributes.split(".")):
        try:
            found = getattr(found, attribute)
        except AttributeError:
            raise ImportError(f"{module} has no {attributes}") from None
    return found


def _call(backend: Any, call: dict[str, Any], seconds: float) -> Any:
    needed = call["needs"]
    if needed and not hasattr(backend, needed):
        return {"missing": True}
    hook = getattr(backend, call["hook"], None)
    if hook is None:
        return [] if call["ask"] else {"missing": True}
    if call["ask"] and hasattr(os, "fork"):
        return _aside(hook, call["arguments"], seconds)
    return hook(*call["arguments"])


def _aside(hook: Any, arguments: list[Any], seconds: float) -> Any:
    """What ``hook`` returns in a copy of this process, if within ``seconds``."""
    sys.stdout.flush()
    sys.stderr.flush()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.close(reading)
            answer = hook(*arguments)
            with open(writing, "w", encoding="utf-8") as file:
                file.write(_json(answer))
            status = 0
        except SystemExit as error:
            status = error.code if isinstance(error.code, int) and error.code else 1
            said = f"\n{error.code}" if isinstance(error.code, str) else f"({error.code!r})"
            sys.stderr.write(f"the hook called sys.exit{said}\n")
        except BaseException:
            import traceback

            traceback.print_exc()
        finally:
            try:
                sys.stdout.flush()
                sys.stderr.flush()
            finally:
                os._exit(status)
    os.close(writing)
    import select

    if not select.select([reading], [], [], seconds)[0]:
        os.kill(child, 9)
        os.waitpid(child, 0)
        return {"late": True}
    with open(reading, encoding="utf-8") as file:
        text = file.read(_LONGEST + 1)
    status = os.waitpid(child, 0)[1]
    if status:
        os._exit(1 if status & 127 == 0 else 128 + (status & 127))
    if len(text) > _LONGEST:
        return {"too-long": True}
    if text in ("[]", "null"):
        return [] if text == "[]" else None
    import json

    return json.loads(text)


_LONGEST = 1 << 20


def _limit(limits: dict[str, int]) -> None:
    """Bounds of each process: they are inherited, and nobody here may lift them again."""
    try:
        import resource
    except ImportError:
        return
    for name, value in limits.items():
        kind = getattr(resource, name, None)
        if kind is None:
            continue
        hard = resource.getrlimit(kind)[1]
        if hard != resource.RLIM_INFINITY:
            value = min(value, hard)
        try:
            resource.setrlimit(kind, (value, value))
        except (ValueError, OSError):
            pass


def _left() -> int:
    """How many processes are here beside this one and the first of the namespace."""
    own = {"1", str(os.getpid())}
    try:
        return sum(name.isdigit() and name not in own and not _dead(name) for name in os.listdir("/proc"))
    except OSError:
        return 0


def _dead(name: str) -> bool:
    try:
        with open(f"/proc/{name}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split()[0] == b"Z"
    except OSError:
        return True


def _answer(control: str, answer: dict[str, object]) -> None:
    path = os.path.join(control, "output.json")
    with open(path + ".part", "w", encoding="utf-8") as file:
        file.write(_json(answer))
    os.replace(path + ".part", path)


def _json(value: Any) -> str:
    """JSON of what hooks may answer; ``json`` itself only for what else one answers (6 ms)."""
    try:
        from _json import encode_basestring_ascii as quoted
    except ImportError:  # PyPy
        pass
    else:
        if value is None:
            return "null"
        if type(value) is bool or type(value) is int:
            return str(value).lower()
        if type(value) is str:
            return quoted(value)
        if type(value) is list or type(value) is tuple:
            return f"[{','.join(map(_json, value))}]"
        if type(value) is dict:
            return "{" + ",".join(f"{quoted(str(key))}:{_json(value[key])}" for key in value) + "}"
    import json

    return json.dumps(value, default=repr)


if __name__ == "__main__":
    main(sys.argv[1])
    import atexit

    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # what is left of the backend's world is not taken down piece by piece
