"""packaging as a version library."""

import os
import platform
import sysconfig

from packaging import (
    _manylinux,
    dependency_groups,
    licenses,
    markers,
    metadata,
    requirements,
    specifiers,
    tags,
    utils,
    version,
)
from packaging.specifiers import SpecifierSet
from packaging.version import Version
from speak import Refused, Unsupported, serve


def ordered(one, two):
    return "<" if one < two else ">" if one > two else "="


def compare(left, right):
    return ordered(Version(left), Version(right))


def contains(specifier, version, prereleases=None):
    return SpecifierSet(specifier).contains(version, prereleases=prereleases)


def select(specifier, versions, prereleases=None):
    return list(SpecifierSet(specifier).filter(versions, prereleases=prereleases))


def check_version(version):
    Version(version)


def parse_specifier(specifier):
    SpecifierSet(specifier)


def parse_requirement(requirement):
    found = requirements.Requirement(requirement)
    return {
        "name": found.name,
        "extras": sorted(found.extras),
        "specifier": ",".join(sorted(map(str, found.specifier))),
        "url": found.url,
        "marker": found.marker is not None,
    }


def evaluate(marker, environment):
    context = "requirement"
    if "extras" in environment or "dependency_groups" in environment:
        context = "lock_file"
    elif "extra" in environment:
        context = "metadata"
        if isinstance(environment["extra"], list):
            raise Unsupported("evaluates for one extra at a time")
    values = {name: set(each) if isinstance(each, list) else each for name, each in environment.items()}
    return markers.Marker(marker).evaluate(values, context=context)


def check_name(name):
    utils.canonicalize_name(name, validate=True)


def wheel(filename):
    name, number, build, found = utils.parse_wheel_filename(filename)
    return {
        "name": name,
        "version": str(number),
        "build": "".join(map(str, build)),
        "tags": sorted(map(str, found)),
    }


def compare_wheels(left, right):
    return ordered(utils.parse_wheel_filename(left)[2], utils.parse_wheel_filename(right)[2])


def sdist(filename):
    name, number = utils.parse_sdist_filename(filename)
    return {"name": name, "version": str(number)}


def platforms(system):
    """The platform tags; for Linux and Windows the module asks the machine, which is shown another one."""
    numbers = tuple(int(each) for each in system.get("version", "0").split("."))
    if system["os"] == "macos":
        return list(tags.mac_platforms(numbers, system["arch"]))
    if system["os"] == "android":
        return list(tags.android_platforms(numbers[0], system["arch"]))
    if system["os"] == "ios":
        return list(tags.ios_platforms(numbers, system["arch"]))
    if system.get("libc") == "musl" or system["arch"] not in ("x86_64", "aarch64", "win_amd64"):
        raise Unsupported("the machine's own libc and executable are read")
    names = (platform.system, sysconfig.get_platform, os.confstr)
    known = system["os"].replace("linux", "linux-" + system["arch"]).replace("windows", "win-amd64")
    platform.system = lambda: system["os"].title()
    sysconfig.get_platform = lambda: known
    os.confstr = lambda name: "glibc " + system["version"]
    _manylinux._get_glibc_version.cache_clear()
    try:
        return list(tags.platform_tags())
    finally:
        platform.system, sysconfig.get_platform, os.confstr = names


def supported(system):
    python = tuple(int(each) for each in system["python"].split("."))
    interpreter = "cp" + system["python"].replace(".", "")
    where = platforms(system)
    found = list(tags.cpython_tags(python, abis=[interpreter], platforms=where))
    found += tags.compatible_tags(python, interpreter=interpreter, platforms=where)
    return found


def fits(tag, system):
    return bool(tags.parse_tag(tag) & set(supported(system)))


def best(tags_, system):
    places = {str(tag): place for place, tag in reversed(list(enumerate(supported(system))))}
    fitting = [tag for tag in tags_ if tag in places]
    return min(fitting, key=places.__getitem__) if fitting else None


def licence(expression):
    return licenses.canonicalize_license_expression(expression)


def check_licence(expression):
    licence(expression)


def read_metadata(text):
    raw, unread = metadata.parse_email(text.encode())
    if unread:
        raise Refused(str(unread))
    return {key: raw.get(key, "") for key in ("name", "version", "description", "license")}


def measure_description(text):
    return len(read_metadata(text)["description"])


def expand(groups, name):
    try:
        return list(dependency_groups.resolve_dependency_groups(groups, name))
    except (ValueError, TypeError, LookupError, ExceptionGroup) as error:
        raise Refused(str(error))


serve(
    {
        "normalise-version": lambda version: str(Version(version)),
        "check-version": check_version,
        "compare-versions": compare,
        "contains": contains,
        "filter": select,
        "parse-specifier": parse_specifier,
        "parse-requirement": parse_requirement,
        "evaluate-marker": evaluate,
        "normalise-name": lambda name: utils.canonicalize_name(name),
        "check-name": check_name,
        "parse-wheel-filename": wheel,
        "compare-wheels": compare_wheels,
        "parse-sdist-filename": sdist,
        "tag-fits": fits,
        "best-tag": lambda tags, system: best(tags, system),
        "normalise-licence": licence,
        "check-licence": check_licence,
        "expand-group": expand,
        "read-metadata": read_metadata,
        "measure-description": measure_description,
    },
    refusals=(
        markers.InvalidMarker,
        markers.UndefinedComparison,
        markers.UndefinedEnvironmentName,
        requirements.InvalidRequirement,
        specifiers.InvalidSpecifier,
        utils.InvalidName,
        utils.InvalidSdistFilename,
        utils.InvalidWheelFilename,
        version.InvalidVersion,
        licenses.InvalidLicenseExpression,
        tags.InvalidTag,
    ),
)
