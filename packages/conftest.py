"""What every test leaves behind goes: a run of all of them keeps only the folders of those that failed."""

from __future__ import annotations

from pathlib import Path

import pytest

from accord.environments.closures import FOLDER
from accord.io import files


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """As root, sealed trees are immutable and pytest, which cannot remove them, would gather them in the machine's temporary folder run by run."""
    factory = getattr(session.config, "_tmp_path_factory", None)
    basetemp: Path | None = getattr(factory, "_basetemp", None)
    if basetemp is not None:  # some test asked for a folder
        for trees in list(basetemp.rglob(FOLDER)):
            files.remove_tree(str(trees))
