"""``Python.h`` read once for many sources: which of them share it, and whether that pays.

GCC takes ``Python.h.gch`` from a folder of the include path in place of the ``Python.h`` further on, after comparing itself,
its flags and every macro with those it was made with; where they differ it reads the header, silently.  That decides
about correctness.  Here it is decided about time: sources are grouped by what they define before they include
``Python.h`` first of all, a group that is large enough gets its own file, and whoever would not fit is not offered one.  Objects
are the same bytes either way; flags for which they are not have no part in it.  The plan stands in the record.
"""

from __future__ import annotations

import os
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Mapping, Sequence

    from .options import Options

    Record = dict[str, Any]

__all__ = ["defines_before", "fits", "plan", "target_of"]

# Making one takes as long as five sources save by it, in C as in C++ (docs/decisions/0029).  While it is made there may be
# nothing else to do, and so every processor has to get that back.
_PAYS = 5
_LEAST_GCC = 12  # since then it loads wherever the system maps it; before, a compiler could end over that
_MOST_READ = 65536  # bytes of a source that are searched for its first include
_GCC = re.compile(r"(?:.*-)?(?:gcc|g\+\+|cc|c\+\+)(?:-[\d.]+)?")
_GCC_VERSION = re.compile(r"\) (\d+)\.\d")
# Debug data and the streams of link time optimisation differ by it, coverage and switches name it, a header put in front by an
# option is then the first, and what a file of options says is not known here.
_NOT_WITH = (
    "-g", "-flto", "-fprofile", "--coverage", "-ftest-coverage", "-frecord-gcc-switches", "-save-temps", "-include", "-imacros", "-x",
    "-fplugin", "-specs", "--specs", "@",
)  # fmt: skip
_SPACE = re.compile(r"(?:\s|//[^\n]*(?<!\\)\n|/\*.*?\*/)+", re.DOTALL)
_DEFINE = re.compile(r"#[ \t]*define[ \t]+([A-Za-z_]\w*)(?:[ \t]+(\w+))?[ \t]*(?=\r?\n|//|/\*)")
_INCLUDE = re.compile(r'#[ \t]*include[ \t]*(?:<Python\.h>|"Python\.h")')


def fits(command: Sequence[str], path: str, told: str) -> bool:
    """Whether this compiler is a GCC that shares headers; ``path`` is its program, ``told`` its ``--version``.

    clang does not look for them, and a compiler behind ccache or distcc would be kept from what those do.
    """
    if not _GCC.fullmatch(os.path.basename(os.path.realpath(path))) or "Free Software Foundation" not in told:
        return False
    version = _GCC_VERSION.search(told.partition("\n")[0])
    return version is not None and int(version.group(1)) >= _LEAST_GCC and _exact(command[1:])


def defines_before(source: str) -> list[str] | None:
    """The macros, as arguments of ``-D``, that a source defines before it includes ``Python.h`` first of all.

    ``None`` where anything else comes before.  Of text that is understood wrongly comes a lost chance, not a fault.
    """
    place = 0
    found: list[str] = []
    while True:
        space = _SPACE.match(source, place)
        place = space.end() if space else place
        if _INCLUDE.match(source, place):
            return found
        define = _DEFINE.match(source, place)
        if define is None:
            return None
        found.append(f"{define.group(1)}={define.group(2) or ''}")
        place = define.end()


def plan(root: str, record: Record, capable: Mapping[str, bool], options: Options) -> list[Record]:
    """The headers to precompile; the units that wait for one get its number as ``precompiled``."""
    if not options.precompile:
        return []
    header = next(
        path
        for path in (os.path.join(folder, "Python.h") for folder in record["python"]["include"])
        if os.path.isfile(path)
    )
    processors = _processors()
    # These begin at once, beside the one that makes the header, so that nobody waits.
    beginners = min(options.jobs or processors, processors) - 1
    made: list[Record] = []
    for (language, flags, defines), units in _groups(root, record, capable).items():
        if len(units) < beginners + _PAYS * processors:
            continue
        units.sort(key=lambda unit: -int(unit["size"]))
        for unit in units[beginners:]:
            unit["precompiled"] = len(made)
        folder = f"{record['folder']}/precompiled/{len(made)}"
        made.append(
            {"language": language, "header": header, "defines": list(defines), "folder": folder,
             "compile": _with_folder(flags, header, folder)}
        )  # fmt: skip
    return made


def target_of(one: Mapping[str, Any]) -> str:
    """Where a header of the plan lies, relative to the root: the name GCC looks for."""
    return f"{one['folder']}/Python.h.gch"


def _processors() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS
        return os.cpu_count() or 1


def _groups(
    root: str, record: Record, capable: Mapping[str, bool]
) -> dict[tuple[str, tuple[str, ...], tuple[str, ...]], list[Record]]:
    groups: dict[tuple[str, tuple[str, ...], tuple[str, ...]], list[Record]] = {}
    for extension in record["extensions"]:
        for unit in extension["units"]:
            language = unit["language"]
            flags = tuple(extension["compile"].get(language, ()))
            # Of what Cython writes, which takes seconds to compile, Python.h is the hundredth part.
            if "generated" in unit or not capable.get(language) or not _exact(flags):
                continue
            try:
                with open(os.path.join(root, unit["source"]), encoding="utf-8", errors="replace") as file:
                    defines = defines_before(file.read(_MOST_READ))
            except OSError:
                continue
            if defines is not None:
                groups.setdefault((language, flags, tuple(defines)), []).append(unit)
    return groups


def _exact(flags: Sequence[str]) -> bool:
    return not any(flag.startswith(_NOT_WITH) and flag != "-g0" for flag in flags)


def _with_folder(flags: Sequence[str], header: str, folder: str) -> list[str]:
    """The flags with ``folder`` right before Python's, so that a ``Python.h`` of the project's own comes first as ever."""
    place = flags.index(f"-I{os.path.dirname(header)}")
    return [*flags[:place], f"-I{folder}", *flags[place:]]
