"""The package URLs that Accord writes into a wheel's bill of materials: those of a release, with no qualifiers. It reads none."""

from speak import Unsupported, serve

from accord.build.bill import package_url
from accord_core.names import normalise
from accord_core.project import versions


def build(parts):
    if (parts["type"] or "").lower() != "pypi" or parts.get("qualifiers") or parts.get("subpath"):
        raise Unsupported("writes none of this form")
    if parts.get("namespace") or not parts["name"] or not parts["version"]:
        raise Unsupported("a release has a name and a version, and no more")
    return package_url(normalise(parts["name"]), versions.normal(parts["version"]))


serve({"purl-build": build}, refusals=(ValueError,))
