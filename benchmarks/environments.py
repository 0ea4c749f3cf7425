"""Looking at what a tool made, and clearing it away: lock files, environments, caches.

Used untimed, between runs.  Knows the standards' files (requirements, ``.dist-info``, ``RECORD``) and no tool.
"""

from __future__ import annotations

import csv
import glob
import os
import re
import shutil
import subprocess

from benchmarks.measure import Fault

__all__ = ["installed", "pins", "remove", "whole"]

_PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;\\]+)")


def pins(path: str) -> dict[str, str]:
    """``{name: version}`` of the ``name==version`` lines of a requirements file."""
    with open(path) as stream:
        found = (_PIN.match(line) for line in stream)
        return {match[1].lower().replace("_", "-"): match[2] for match in found if match}


def installed(folder: str) -> list[str]:
    """The ``.dist-info`` folders of the environment; pip's own, seeded by some tools, is left out."""
    places = glob.glob(os.path.join(glob.escape(folder), "lib", "python3*", "site-packages", "*.dist-info"))
    return [place for place in places if not os.path.basename(place).startswith("pip-")]


def whole(folder: str) -> int:
    """How many distributions the environment has, each with every file of its ``RECORD`` in its full length.

    Raises :class:`Fault` naming the first file that is not so.  Bytecode, which may come later, is passed over.
    """
    found = installed(folder)
    for place in found:
        root = os.path.dirname(place)
        with open(os.path.join(place, "RECORD"), newline="") as stream:
            for path, _digest, size in csv.reader(stream):
                # By words, not by links: what lies outside site-packages belongs to this environment, also where
                # site-packages, or the folder above it, is a link to a shared place.
                file = os.path.normpath(os.path.join(root, path))
                if path.endswith(".pyc"):
                    continue
                if not os.path.isfile(file) or (size and os.path.getsize(file) != int(size)):
                    raise Fault(f"{file} is not as {os.path.basename(place)} records it")
    return len(found)


def remove(path: str) -> None:
    """Remove a file, a link or a tree, also one that guards its folders by modes or, made by root, by the immutable flag."""
    if os.path.islink(path) or os.path.isfile(path):
        os.unlink(path)
    elif os.path.exists(path):
        try:
            shutil.rmtree(path)
        except PermissionError:
            subprocess.run(["chattr", "-R", "-f", "-i", path], stderr=subprocess.DEVNULL, check=False)
            for folder, _folders, _files in os.walk(path):
                os.chmod(folder, 0o700)
            shutil.rmtree(path)
