"""Accord as people have it: installed from its wheels into an environment of its own, with nothing but what it needs.

The checkout's ``.venv`` holds two dozen distributions for tests and lint, some of which every Python that starts there
reads, and Accord itself is a set of paths into the checkout: its figures would be those of a developer.
"""

from __future__ import annotations

import os
import subprocess
import sys

__all__ = ["install"]

_OURS = (("accord-backend",), ("accord-core", "accord"))  # the first builds the other two


def install(accord: str, root: str, folder: str) -> str:
    """Have the Accord of the checkout ``root`` installed in ``folder`` by ``accord`` (a path), from the committed lock
    and the index this machine is configured for; the path of what was installed.  Raises ``RuntimeError``."""
    short = f"{sys.version_info[0]}.{sys.version_info[1]}"
    lock = os.path.join(root, "requirements", f"base-{short}.txt")
    _run(accord, "venv", folder, "--python", sys.executable)
    _run(accord, "pip", "install", "--env", folder, "--require-hashes", "--no-build", "-r", lock)
    for together in _OURS:
        sources = [os.path.join(root, "packages", name) for name in together]
        _run(accord, "pip", "install", "--env", folder, "--no-deps", "--no-build-isolation", *sources)
    return os.path.join(folder, "bin", "accord")


def _run(*command: str) -> None:
    done = subprocess.run([*command, "--quiet"], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command[:3])}: {done.stderr.strip()}")
