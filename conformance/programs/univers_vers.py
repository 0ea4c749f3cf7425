"""univers, asked for version ranges."""

from speak import serve
from univers.version_range import RANGE_CLASS_BY_SCHEMES, VersionRange
from univers.versions import InvalidVersion, PypiVersion


def contains(vers, version):
    return PypiVersion(version) in VersionRange.from_string(vers)


serve(
    {
        "vers-contains": contains,
        "vers-normalise": lambda vers: str(VersionRange.from_string(vers)),
        "vers-from-native": lambda specifier: str(RANGE_CLASS_BY_SCHEMES["pypi"].from_native(specifier)),
    },
    refusals=(ValueError, InvalidVersion),
)
