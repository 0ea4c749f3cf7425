"""Named steps of everything that must survive being killed.

Code that changes a store or an environment says ``step("name")`` between any two moments at which a crash would
leave something different behind.  Nothing listens in ordinary life; a crash test sets :data:`hook` in a process
of its own and dies there.  Hot: imports nothing.
"""

from __future__ import annotations

__all__ = ["hook", "step"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

hook: Callable[[str], None] | None = None


def step(name: str) -> None:
    """Tell the hook, if there is one, that ``name`` is about to happen."""
    if hook is not None:
        hook(name)
