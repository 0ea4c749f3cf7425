"""packaging as a version library."""

from packaging.markers import InvalidMarker, Marker, UndefinedComparison, UndefinedEnvironmentName
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import (
    InvalidName,
    InvalidSdistFilename,
    InvalidWheelFilename,
    canonicalize_name,
    parse_sdist_filename,
    parse_wheel_filename,
)
from packaging.version import InvalidVersion, Version
from speak import serve


def compare(left, right):
    one, two = Version(left), Version(right)
    return "<" if one < two else ">" if one > two else "="


def contains(specifier, version, prereleases=None):
    return SpecifierSet(specifier).contains(version, prereleases=prereleases)


def select(specifier, versions, prereleases=None):
    return list(SpecifierSet(specifier).filter(versions, prereleases=prereleases))


def parse_specifier(specifier):
    SpecifierSet(specifier)


def parse_requirement(requirement):
    found = Requirement(requirement)
    return {
        "name": found.name,
        "extras": sorted(found.extras),
        "specifier": ",".join(sorted(map(str, found.specifier))),
        "url": found.url,
        "marker": found.marker is not None,
    }


def evaluate(marker, environment):
    return Marker(marker).evaluate(environment)


def check_name(name):
    canonicalize_name(name, validate=True)


def wheel(filename):
    name, version, build, tags = parse_wheel_filename(filename)
    return {
        "name": name,
        "version": str(version),
        "build": "".join(map(str, build)),
        "tags": sorted(map(str, tags)),
    }


def sdist(filename):
    name, version = parse_sdist_filename(filename)
    return {"name": name, "version": str(version)}


serve(
    {
        "normalise-version": lambda version: str(Version(version)),
        "compare-versions": compare,
        "contains": contains,
        "filter": select,
        "parse-specifier": parse_specifier,
        "parse-requirement": parse_requirement,
        "evaluate-marker": evaluate,
        "normalise-name": canonicalize_name,
        "check-name": check_name,
        "parse-wheel-filename": wheel,
        "parse-sdist-filename": sdist,
    },
    refusals=(
        InvalidMarker,
        InvalidName,
        InvalidRequirement,
        InvalidSdistFilename,
        InvalidSpecifier,
        InvalidVersion,
        InvalidWheelFilename,
        UndefinedComparison,
        UndefinedEnvironmentName,
    ),
)
