"""Where what was built comes from: an in-toto Statement v1 with the SLSA provenance v1 predicate, unsigned.

It says which files, of which source, by which build requirements (with hashes), how, and whether in a sandbox.  It
holds no time unless SOURCE_DATE_EPOCH gives one, and no path of this machine.  Asks ``git`` what the source is.
"""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING, Any

from accord.build.reference import public_url

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from accord.build.products import Product

__all__ = ["Revision", "revision", "statement"]

BUILD_TYPE = "urn:accord:build:v1"
BUILDER = "urn:accord:builder:local"
_PATIENCE = 30  # seconds for one question to git

Revision = tuple[str, str | None, str]  # commit, the URL of its repository, the folder in it


def revision(folder: str, output: str) -> Revision | None:
    """What of a git repository ``folder`` is, None where it is nothing that was committed, or was changed since.  What
    lies in ``output`` is the build's own."""
    try:
        below = os.path.relpath(output, folder)
        own = [] if below.startswith("..") else [f":(exclude){below}"]
        if _git(folder, "status", "--porcelain", "--", ".", *own):
            return None
        commit = _git(folder, "rev-parse", "HEAD")
        below = _git(folder, "rev-parse", "--show-prefix").rstrip("/")
    except (OSError, subprocess.SubprocessError):
        return None
    try:
        url: str | None = public_url(_git(folder, "remote", "get-url", "origin"))
    except (OSError, subprocess.SubprocessError, ValueError):
        url = None
    if url is not None and (os.path.isabs(url) or url.startswith(("file:", "."))):
        url = None  # a place of this machine tells nobody anything
    return commit, url, below


def _git(folder: str, *words: str) -> str:
    done = subprocess.run(
        # What a repository's own settings would have git run is not run.
        ["git", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", *words],
        cwd=folder,
        env={**os.environ, "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"},
        capture_output=True,
        text=True,
        check=True,
        timeout=_PATIENCE,
    )
    return done.stdout.strip()


def statement(
    products: Sequence[Product],
    parts: Sequence[tuple[str, str, str, str]],
    *,
    source: Revision | tuple[str, str] | None,
    settings: Mapping[str, object],
    python: Mapping[str, str],
    version: str,
    epoch: str | None = None,
) -> bytes:
    """The statement about ``products``; ``source`` is a git revision, or the file name and sha256 of an sdist."""
    dependencies: list[dict[str, Any]] = []
    external: dict[str, Any] = {"configSettings": dict(settings)}
    if source is None:
        external["source"] = {"kind": "folder", "committed": False}
    elif len(source) == 3:
        commit, url, below = source
        external["source"] = {"kind": "git", "path": below or "."}
        dependencies.append(
            {"uri": f"git+{url}@{commit}" if url else f"git:{commit}", "digest": {"gitCommit": commit}}
        )
    else:
        external["source"] = {"kind": "sdist", "name": source[0]}
        dependencies.append({"name": source[0], "uri": f"file:{source[0]}", "digest": {"sha256": source[1]}})
    dependencies += [
        {"name": filename, "uri": f"pkg:pypi/{name}@{number}", "digest": {"sha256": digest}}
        for name, number, filename, digest in sorted(parts)
    ]
    metadata: dict[str, Any] = {}
    if epoch is not None and epoch.isdigit():
        import time

        metadata["finishedOn"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(int(epoch)))
    document = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": one.filename, "digest": {"sha256": one.sha256}} for one in products],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": external,
                "internalParameters": {
                    "python": dict(python),
                    "sandbox": all(one.sandbox for one in products),
                },
                "resolvedDependencies": dependencies,
            },
            "runDetails": {
                "builder": {"id": BUILDER, "version": {"accord": version}},
                "metadata": metadata,
            },
        },
    }
    return (json.dumps(document, indent=2, sort_keys=True) + "\n").encode()
