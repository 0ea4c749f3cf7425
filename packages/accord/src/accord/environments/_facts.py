"""Run inside a strange interpreter: prints what an installer must know of it as one line of JSON.

Run as ``python -I -S _facts.py``: no site, no variables, nothing of the user's.  Understood by every Python from 3.8
on, CPython or PyPy; imports the standard library only and nothing of ours.
"""

from __future__ import annotations

import importlib.util
import json
import os
import platform
import sys
import sysconfig

PREFIX = "@prefix@"


def implementation_version() -> str:
    # PEP 508 "Environment markers": the implementation's own version, with the release level as in a version.
    info = sys.implementation.version
    text = f"{info.major}.{info.minor}.{info.micro}"
    return text if info.releaselevel == "final" else text + info.releaselevel[0] + str(info.serial)


def markers() -> dict[str, str]:
    return {
        "implementation_name": sys.implementation.name,
        "implementation_version": implementation_version(),
        "os_name": os.name,
        "platform_machine": platform.machine(),
        "platform_release": platform.release(),
        "platform_system": platform.system(),
        "platform_version": platform.version(),
        "python_full_version": platform.python_version(),
        "platform_python_implementation": platform.python_implementation(),
        "python_version": ".".join(platform.python_version_tuple()[:2]),
        "sys_platform": sys.platform,
    }


def paths() -> dict[str, str]:
    names = sysconfig.get_scheme_names()
    default = "nt" if os.name == "nt" else "posix_prefix"
    scheme = "venv" if "venv" in names else default
    if sys.implementation.name == "pypy" and sys.version_info < (3, 9) and "pypy" in names:
        scheme = "pypy"
    bases = ("base", "platbase", "installed_base", "installed_platbase")
    found = sysconfig.get_paths(scheme, vars=dict.fromkeys(bases, PREFIX))
    kept = {}
    for name in ("purelib", "platlib", "scripts", "data"):
        kept[name] = os.path.relpath(found[name], PREFIX).replace(os.sep, "/")
    return kept


def manylinux(minor: int) -> dict[int, bool]:
    # The _manylinux module (manylinux PEPs 513, 571, 599, 600) may veto tags, answered here because it is code.
    sys.path.extend({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")})
    try:
        import _manylinux  # type: ignore[import-not-found]
    except ImportError:
        return {}
    arch = sysconfig.get_platform().partition("-")[2].replace("-", "_").replace(".", "_")
    legacy = {5: "manylinux1_compatible", 12: "manylinux2010_compatible", 17: "manylinux2014_compatible"}
    answers = {}
    for number in range(5, minor + 1):
        if hasattr(_manylinux, "manylinux_compatible"):
            answer = _manylinux.manylinux_compatible(2, number, arch)
            if answer is not None:
                answers[number] = bool(answer)
        elif number in legacy and hasattr(_manylinux, legacy[number]):
            answers[number] = bool(getattr(_manylinux, legacy[number]))
    return answers


def glibc() -> list[int] | None:
    try:
        text = os.confstr("CS_GNU_LIBC_VERSION") or ""
    except (AttributeError, ValueError, OSError):
        return None
    name, _, version = text.partition(" ")
    parts = version.split(".")
    if name != "glibc" or len(parts) < 2 or not (parts[0].isdigit() and parts[1].isdigit()):
        return None
    return [int(parts[0]), int(parts[1])]


def main() -> None:
    found = glibc()
    pypy = getattr(sys, "pypy_version_info", None)
    facts = {
        "version_info": list(sys.version_info[:3]),
        "markers": markers(),
        "platform": sysconfig.get_platform(),
        "paths": paths(),
        "glibc": found,
        "manylinux": manylinux(found[1]) if found and found[0] == 2 else {},
        "is_32bit": sys.maxsize <= 2**32,
        "debug": bool(sysconfig.get_config_var("Py_DEBUG") or hasattr(sys, "gettotalrefcount")),
        "free_threaded": bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
        "soabi": sysconfig.get_config_var("SOABI"),
        "ext_suffix": sysconfig.get_config_var("EXT_SUFFIX"),
        "cache_tag": sys.implementation.cache_tag,
        "magic": importlib.util.MAGIC_NUMBER.hex(),
        "base_prefix": sys.base_prefix,
        "executable": getattr(sys, "_base_executable", None) or sys.executable,
        "stdlib": sysconfig.get_path("stdlib"),
        "mac": platform.mac_ver()[0],
        "pypy": list(pypy[:2]) if pypy else None,
    }
    sys.stdout.write(json.dumps(facts) + "\n")


main()
