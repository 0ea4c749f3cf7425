"""What holds for every test: signals arrive, no example of a property has a time limit, and what is left behind goes, but for the folders of those that failed."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from hypothesis import settings

from accord.environments.closures import FOLDER
from accord.io import files

# Before any property is read: one that says nothing of its own would have 200 ms for an example, on a busy machine too.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


def pytest_configure() -> None:
    """Under ``nohup``, or in the background of a shell, a process begins with signals ignored, and so does all it starts: tests of them would wait in vain."""
    for number, handler in ((signal.SIGHUP, signal.SIG_DFL), (signal.SIGINT, signal.default_int_handler)):
        if signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, handler)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """As root, sealed trees are immutable and pytest, which cannot remove them, would gather them in the machine's temporary folder run by run."""
    factory = getattr(session.config, "_tmp_path_factory", None)
    basetemp: Path | None = getattr(factory, "_basetemp", None)
    if basetemp is not None:  # some test asked for a folder
        for trees in list(basetemp.rglob(FOLDER)):
            files.remove_tree(str(trees))
