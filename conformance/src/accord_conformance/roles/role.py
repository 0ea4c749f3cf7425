"""What a role is made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from accord_conformance.cases import Step
from accord_conformance.judging import COMMON_WITNESSES, Witness
from accord_conformance.scene import COMMON_MAKERS, Maker, Scene

__all__ = ["Role", "arguments_as_written", "nothing"]


def nothing(scene: Scene) -> None:
    """A scene that needs no more than what is given."""


def arguments_as_written(scene: Scene, step: Step) -> Mapping[str, Any]:
    """The arguments of a step, as they stand in the case."""
    return step.arguments


@dataclass(frozen=True, slots=True)
class Role:
    """How a case of a role is played: ``set_up``, the makers in their order, then for each step its verb and its witnesses."""

    name: str
    about: str  # one sentence for the report
    verbs: Mapping[str, tuple[str, ...]]  # verb: the arguments it may have
    makers: Mapping[str, Maker] = field(default_factory=lambda: COMMON_MAKERS)
    set_up: Callable[[Scene], None] = nothing
    values: Callable[[Scene, Step], Mapping[str, Any]] = (
        arguments_as_written  # what a step offers to adapters
    )
    witnesses: Mapping[str, Witness] = field(default_factory=lambda: COMMON_WITNESSES)
