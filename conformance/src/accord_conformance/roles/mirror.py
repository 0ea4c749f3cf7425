"""Mirror: has what another index has, fetched beforehand or when it is asked for.

The suite is on both sides: its server is upstream (``given.index``), and it asks the mirror as an installer would.  Each case has a mirror of its own.  In
expectations ``{sha256_KEY}`` and the like of given files are filled in; ``{simple}`` is the mirror's address.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from accord_conformance.cases import Step
from accord_conformance.judging import COMMON_WITNESSES, Finding, Witness
from accord_conformance.protocol import Answer
from accord_conformance.roles.client import CLIENT_WITNESSES
from accord_conformance.roles.index import INDEX_VERBS
from accord_conformance.roles.index import values as index_values
from accord_conformance.roles.index_checks import INDEX_WITNESSES
from accord_conformance.roles.pages import page_of
from accord_conformance.roles.role import Role
from accord_conformance.scene import COMMON_MAKERS, Maker, Scene

__all__ = ["ROLE"]


def _values(scene: Scene, step: Step) -> Mapping[str, Any]:
    """``index`` replaces what upstream has from this step on."""
    arguments = dict(step.arguments)
    if "index" in arguments:
        COMMON_MAKERS["index"](scene, arguments.pop("index"))
    plain = Step(step.do, arguments, step.expect)
    return {"project": "", **index_values(scene, plain)}


def _yanked(scene: Scene, answer: Answer, expected: Mapping[str, str | bool]) -> Iterable[Finding]:
    """Whether a given file is yanked, in either form of page: the reason, true, or false; a file that is left out is neither."""
    page = page_of(answer)
    for key, wanted in expected.items():
        entry = page.entry(scene.made[key].filename)
        found = entry.get("yanked", entry.get("data-yanked", False))
        told = found or ("data-yanked" in entry)
        ok = not entry or (bool(told) == wanted if isinstance(wanted, bool) else found == wanted)
        yield Finding(f"yanked {key}", str(wanted), str(told) if entry else "left out", ok)


def _safe(scene: Scene, answer: Answer, expected: Iterable[str]) -> Iterable[Finding]:
    """Given files are behind their links byte for byte, or not to be had: other bytes are never given."""
    page = page_of(answer)
    for key in expected:
        made = scene.made[key]
        url = str(page.entry(made.filename).get("url", ""))
        body = page.fetched(url) if url else None
        found = "nothing" if body is None else "its bytes" if body == made.data else "other bytes"
        yield Finding(f"safe {key}", "its bytes or nothing", found, found != "other bytes")


MAKERS: dict[str, Maker] = {name: COMMON_MAKERS[name] for name in ("wheels", "sdists", "index")}
WITNESSES: dict[str, Witness] = {
    **COMMON_WITNESSES,
    **CLIENT_WITNESSES,
    **INDEX_WITNESSES,
    "yanked": _yanked,
    "safe": _safe,
}

ROLE = Role(
    name="mirror",
    about="Has what another index has.",
    verbs={
        **{name: (*arguments, "index") for name, arguments in INDEX_VERBS.items()},
        # upstream is looked at again
        "refresh": ("project", "index"),
    },
    makers=MAKERS,
    values=_values,
    witnesses=WITNESSES,
)
