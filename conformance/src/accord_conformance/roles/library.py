"""Version library: a library (or a command) that reads versions, specifiers, requirements, markers, names, file names.

Asked by values alone: nothing is made, nothing is installed.
"""

from __future__ import annotations

from accord_conformance.roles.role import Role

__all__ = ["ROLE"]

ROLE = Role(
    name="version-library",
    about="Reads versions, specifiers, requirements, markers, names and file names.",
    verbs={
        # "1.0.0RC1" -> its normal form
        "normalise-version": ("version",),
        # -> "<", "=", ">"
        "compare-versions": ("left", "right"),
        # does the specifier admit the version? -> true, false
        "contains": ("specifier", "version", "prereleases"),
        # -> those of the versions that it admits, in order
        "filter": ("specifier", "versions", "prereleases"),
        # -> nothing: taken or refused
        "parse-specifier": ("specifier",),
        # -> {name, extras (sorted), specifier (sorted, joined by a comma), url, marker (whether there is one)}
        "parse-requirement": ("requirement",),
        # -> true, false
        "evaluate-marker": ("marker", "environment"),
        "normalise-name": ("name",),
        # -> nothing: taken or refused
        "check-name": ("name",),
        # -> {name, version, build, tags (sorted)}
        "parse-wheel-filename": ("filename",),
        # -> {name, version}
        "parse-sdist-filename": ("filename",),
        # -> its normal form
        "normalise-licence": ("expression",),
    },
)
