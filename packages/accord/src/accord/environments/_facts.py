"""Run inside a strange interpreter: prints what an installer must know of it as one line of JSON.

Run as ``python -I -S _facts.py``: no site, no variables, nothing of the user's.  Understood by every Python from 3.8
on, CPython or PyPy; imports the standard library only and nothing of ours.

Whoever asks waits for this, and a bare Python takes 12 ms: ``json`` and ``platform`` would make it 26, for tables of
regular expressions that an ordinary CPython needs none of.  They are imported where they are needed.
"""

from __future__ import annotations

import os
import sys
import sysconfig

PREFIX = "@prefix@"


def implementation_version() -> str:
    # PEP 508 "Environment markers": the implementation's own version, with the release level as in a version.
    info = sys.implementation.version
    text = f"{info.major}.{info.minor}.{info.micro}"
    return text if info.releaselevel == "final" else text + info.releaselevel[0] + str(info.serial)


def markers() -> dict[str, str]:
    found = {
        "implementation_name": sys.implementation.name,
        "implementation_version": implementation_version(),
        "os_name": os.name,
        "python_version": f"{sys.version_info[0]}.{sys.version_info[1]}",
        "sys_platform": sys.platform,
    }
    if sys.platform.startswith("linux") and sys.implementation.name == "cpython":
        # What the functions of platform that PEP 508 names come to here.
        name = os.uname()
        found["platform_machine"] = name.machine
        found["platform_release"] = name.release
        found["platform_system"] = name.sysname
        found["platform_version"] = name.version
        found["python_full_version"] = sys.version.split()[0]
        found["platform_python_implementation"] = "CPython"
    else:
        import platform

        found["platform_machine"] = platform.machine()
        found["platform_release"] = platform.release()
        found["platform_system"] = platform.system()
        found["platform_version"] = platform.version()
        found["python_full_version"] = platform.python_version()
        found["platform_python_implementation"] = platform.python_implementation()
    return found


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


def magic() -> str:
    try:
        from _frozen_importlib_external import MAGIC_NUMBER
    except ImportError:
        from importlib.util import MAGIC_NUMBER
    return MAGIC_NUMBER.hex()


def mac_version() -> str:
    if not hasattr(os, "uname") or os.uname().sysname != "Darwin":
        return ""
    import platform

    return platform.mac_ver()[0]


def as_json(value: object) -> str:
    # RFC 8259, for the few types there are below.
    if isinstance(value, dict):
        return "{" + ",".join(quoted(str(key)) + ":" + as_json(each) for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(as_json, value)) + "]"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(value) if isinstance(value, int) else quoted(str(value))


def quoted(text: str) -> str:
    try:
        from _json import encode_basestring_ascii
    except ImportError:
        from json.encoder import encode_basestring_ascii
    return encode_basestring_ascii(text)


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
        "magic": magic(),
        "base_prefix": sys.base_prefix,
        "executable": getattr(sys, "_base_executable", None) or sys.executable,
        "stdlib": sysconfig.get_path("stdlib"),
        "mac": mac_version(),
        "pypy": list(pypy[:2]) if pypy else None,
    }
    sys.stdout.write(as_json(facts) + "\n")


main()
