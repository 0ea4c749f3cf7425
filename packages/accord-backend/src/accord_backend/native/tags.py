"""The tag of a wheel with extension modules, and the file names of those (PEP 425, 384, 703, 803; platform tags).

Facts of an interpreter in, text out: what this machine does not have (free-threaded, PyPy) is tested by its facts.
"""

from __future__ import annotations

from ..errors import BackendError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Mapping, Sequence

    from .description import Extension

__all__ = ["limited", "platform_tag", "suffix", "wheel_tag"]

_ABI3T = 15  # the first minor version with a limited API that free-threaded builds share (PEP 803)


def limited(extension: Extension, facts: Mapping[str, Any]) -> str | None:
    """``"abi3"``, ``"abi3t"`` or ``None``: which stable ABI the extension is built for on this interpreter.

    PyPy has no stable ABI, so the module is built for that PyPy alone.  Raises ``BackendError``
    ``limited-api-newer`` and ``limited-api-free-threaded``.
    """
    least = extension.limited_api
    if least is None or facts["implementation"] != "cpython":
        return None
    if least > facts["minor"]:
        raise BackendError(
            "limited-api-newer",
            f"{extension.name} asks for the limited API of 3.{least}, this is Python {facts['version']}",
            hint=f"build with Python 3.{least} or newer, or lower limited-api",
        )
    if facts["gil"]:
        return "abi3"
    if least >= _ABI3T:
        return "abi3t"
    raise BackendError(
        "limited-api-free-threaded",
        f"{extension.name} asks for the limited API of 3.{least}, which free-threaded interpreters do not have",
        hint="-C limited-api=false builds for this interpreter alone; from limited-api = '3.15' on there is abi3t",
    )


def suffix(extension: Extension, facts: Mapping[str, Any]) -> str:
    """What follows the module's name: ``.abi3.so`` or the interpreter's own suffix."""
    stable = limited(extension, facts)
    if stable is None:
        return str(facts["suffix"])
    return ".pyd" if facts["platform"].startswith("win") else f".{stable}.so"


def wheel_tag(extensions: Sequence[Extension], facts: Mapping[str, Any]) -> str:
    """``{python}-{abi}-{platform}`` of a wheel that holds these modules; the narrowest of them decides."""
    stable = [limited(extension, facts) for extension in extensions]
    if stable and all(stable):
        least = max(extension.limited_api or 0 for extension in extensions)
        return f"cp3{least}-{'abi3t' if 'abi3t' in stable else 'abi3'}-{platform_tag(facts)}"
    if facts["implementation"] == "cpython":
        python = f"cp3{facts['minor']}"
        abi = python + ("" if facts["gil"] else "t") + ("d" if facts["debug"] else "")
    elif facts["implementation"] == "pypy":
        python = f"pp3{facts['minor']}"
        abi = "_".join(facts["soabi"].split("-")[:2])
    else:
        python = f"{facts['implementation']}3{facts['minor']}"
        abi = "_".join(facts["soabi"].replace(".", "_").split("-")) or "none"
    return f"{python}-{abi}-{platform_tag(facts)}"


def platform_tag(facts: Mapping[str, Any]) -> str:
    """``linux_x86_64``: ``sysconfig.get_platform()`` in the letters of a tag; 32-bit Pythons name their own word."""
    name = str(facts["platform"])
    if facts["bits"] == 32:
        name = {"linux-x86_64": "linux-i686", "linux-aarch64": "linux-armv8l"}.get(name, name)
    return name.replace("-", "_").replace(".", "_")
