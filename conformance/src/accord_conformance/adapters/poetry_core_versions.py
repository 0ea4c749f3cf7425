"""poetry-core as a version library: specifiers as it reads them in dependency specifiers."""

from poetry.core.constraints.version import Version
from poetry.core.constraints.version.exceptions import ParseConstraintError
from poetry.core.version.exceptions import InvalidVersionError
from poetry.core.version.markers import InvalidMarkerError, UndefinedEnvironmentNameError
from poetry.core.version.parser import Parser
from poetry.core.version.requirements import InvalidRequirementError, parse_requirement
from speak import Unsupported, serve

try:
    from lark.exceptions import LarkError
except ImportError:
    from poetry.core._vendor.lark.exceptions import LarkError

assert Parser  # brings the vendored parser in


def check_version(version):
    Version.parse(version)


def compare(left, right):
    one, two = Version.parse(left), Version.parse(right)
    return "<" if one < two else ">" if one > two else "="


def constraint(specifier):
    return parse_requirement("demo " + specifier).constraint


def contains(specifier, version, prereleases=None):
    if prereleases is False:
        raise Unsupported("whoever matches leaves pre-releases out")
    return constraint(specifier).allows(Version.parse(version))


def parse_specifier(specifier):
    constraint(specifier)


def requirement(requirement):
    found = parse_requirement(requirement)
    clauses = found.pretty_constraint if found.constraint and not found.url else ""
    clauses = "" if clauses == "*" else clauses
    return {
        "name": found.name,
        "extras": sorted(found.extras or ()),
        "specifier": ",".join(sorted(each.replace(" ", "") for each in clauses.split(",") if each.strip())),
        "url": found.url or None,
        "marker": found.marker is not None and not found.marker.is_any(),
    }


def evaluate(marker, environment):
    if "extras" in environment or "dependency_groups" in environment:
        raise Unsupported("knows no such fields")
    # As a part of a dependency specifier: alone, an empty text is the marker of what has none.
    return parse_requirement("demo ; " + marker).marker.validate(environment)


serve(
    {
        "normalise-version": lambda version: Version.parse(version).to_string(),
        "check-version": check_version,
        "compare-versions": compare,
        "contains": contains,
        "parse-specifier": parse_specifier,
        "parse-requirement": requirement,
        "evaluate-marker": evaluate,
    },
    refusals=(
        InvalidMarkerError,
        InvalidRequirementError,
        InvalidVersionError,
        LarkError,
        ParseConstraintError,
        UndefinedEnvironmentNameError,
        ValueError,
    ),
)
