"""Where a file that was built comes from: an in-toto Statement v1 with the SLSA provenance v1 predicate, unsigned (hot).

It says of which source, by which build requirements (with hashes), how, when, and whether in a sandbox.  It holds no path
of this machine.  It lies beside the file: its times make no bytes of that differ.
"""

from __future__ import annotations

import time

from accord.build.bill import package_url
from accord.io import jsons

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from accord.build.products import Product
    from accord.build.revision import Revision

__all__ = ["statement"]

BUILD_TYPE = "urn:accord:build:v1"
BUILDER = "urn:accord:builder:local"


def statement(
    product: Product,
    parts: Sequence[tuple[str, str, str, str]],
    *,
    source: Revision | tuple[str, str] | None,
    sdist: tuple[str, str] | None,
    settings: Mapping[str, object],
    python: Mapping[str, str],
    version: str,
    when: tuple[float, float] | None,
) -> bytes:
    """The statement about ``product``; ``source`` is a git revision, or file name and sha256 of an sdist, None for a
    folder of which nothing is known; ``sdist`` the same of the one made on the way; ``when`` the build began and ended."""
    dependencies: list[dict[str, Any]] = []
    external: dict[str, Any] = {"configSettings": dict(settings)}
    if source is None:
        external["source"] = {"kind": "folder", "committed": False}
    elif isinstance(source, tuple):
        external["source"] = {"kind": "sdist", "name": source[0]}
        dependencies.append(_file(*source))
    else:
        external["source"] = {"kind": "git", "path": source.below}
        uri = f"git+{source.url}@{source.commit}" if source.url else f"git:{source.commit}"
        dependencies.append({"uri": uri, "digest": {"gitCommit": source.commit}})
    if sdist is not None:
        dependencies.append(_file(*sdist))
    dependencies += [
        {"name": filename, "uri": package_url(name, number), "digest": {"sha256": digest}}
        for name, number, filename, digest in sorted(parts)
    ]
    metadata = {} if when is None else {"startedOn": _stamp(when[0]), "finishedOn": _stamp(when[1])}
    return jsons.dumps(
        {
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{"name": product.filename, "digest": {"sha256": product.sha256}}],
            "predicateType": "https://slsa.dev/provenance/v1",
            "predicate": {
                "buildDefinition": {
                    "buildType": BUILD_TYPE,
                    "externalParameters": external,
                    "internalParameters": {"python": dict(python), "sandbox": product.sandbox},
                    "resolvedDependencies": dependencies,
                },
                "runDetails": {
                    "builder": {"id": BUILDER, "version": {"accord": version}},
                    "metadata": metadata,
                },
            },
        }
    )


def _file(name: str, digest: str) -> dict[str, Any]:
    return {"name": name, "uri": f"file:{name}", "digest": {"sha256": digest}}


def _stamp(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
