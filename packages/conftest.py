"""What holds for every test: signals arrive, properties are asked the same each time, and what is left behind goes, but for the folders of those that failed."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from hypothesis import settings

from accord.environments.closures import FOLDER
from accord.io import files

# Before any property is read.  The same examples each time, so that what a run says is said of the change; who looks for more
# names a number of examples, which are drawn anew.
settings.register_profile(
    "house",
    deadline=None,
    derandomize="ACCORD_TEST_EXAMPLES" not in os.environ,
    max_examples=int(os.environ.get("ACCORD_TEST_EXAMPLES", "150")),
)
settings.load_profile("house")


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
