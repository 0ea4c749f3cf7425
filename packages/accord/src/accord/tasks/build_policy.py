"""How a run builds: the words of the command line, of variables and of ``[tool.accord]`` as the build room's options (hot)."""

from __future__ import annotations

import os

from accord.build.policy import BuildPolicy
from accord.build.shelter import MODES, SandboxPolicy
from accord.build.workshop import BuildOptions
from accord_core.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.tasks.session import Session

__all__ = ["build_options", "sandbox_policy"]


def sandbox_policy(session: Session, output: str | None = None) -> SandboxPolicy:
    """The sandbox as the command line, the variable, or ``[tool.accord] build-sandbox`` and ``build-network`` say.

    A project can ask for ``require``; that its build runs without a sandbox only the person can say, who may have
    fetched it a minute ago.  ``output`` is where what is built will lie, which the build itself never reaches.
    """
    table = session.project
    said = session.settings.build_sandbox or session.environ.get("ACCORD_BUILD_SANDBOX")
    if said is None:
        said = "require" if table.get("build-sandbox") == "require" else "warn"
    if said not in MODES:
        raise UsageError("usage", f"the sandbox is one of {', '.join(MODES)}, not {said!r}")
    network = table.get("build-network")
    if network is True:
        names: frozenset[str] = frozenset((":all:",))
    elif isinstance(network, list):
        from accord_core.names import normalise

        names = frozenset(normalise(str(name)) for name in network)
    else:
        names = frozenset()
    return SandboxPolicy(
        said,
        names,
        memo=os.path.join(session.cache_dir, "builds-v1", "sandbox"),
        closed=[session.cache_dir] if output is None else [session.cache_dir, output],
    )


def build_options(
    session: Session, *, output: str | None = None, time_limit: float | None = None
) -> BuildOptions:
    """How this run builds, for whoever builds."""
    settings = session.settings
    return BuildOptions(
        settings=settings.config_settings,
        isolated=not settings.no_build_isolation,
        time_limit=time_limit,
        policy=BuildPolicy(frozenset(settings.only_binary)),
        sandbox=sandbox_policy(session, output),
    )
