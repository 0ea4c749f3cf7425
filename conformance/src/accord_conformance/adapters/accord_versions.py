"""Accord's core as a version library, and the tags that its environments give."""

from speak import Refused, Unsupported, serve

from accord.environments.tags import interpreter_tags
from accord_core.index.filenames import split_sdist, split_wheel
from accord_core.names import normalise, valid
from accord_core.project import versions
from accord_core.project.markers import evaluate_marker
from accord_core.project.requirement import parse_requirement

SYSTEMS = {"linux": "Linux", "macos": "Darwin", "windows": "Windows"}


def check_version(version):
    versions.normal(version)


def ordered(one, two):
    return "<" if one < two else ">" if one > two else "="


def contains(specifier, version, prereleases=None):
    if prereleases is False:
        raise Unsupported("whoever chooses leaves pre-releases out")
    return versions.satisfies(version, specifier)


def parse_specifier(specifier):
    versions.normal_specifier(specifier)


def requirement(requirement):
    found = parse_requirement(requirement)
    return {
        "name": found.name,
        "extras": sorted(found.extras),
        "specifier": found.specifier,
        "url": found.url,
        "marker": found.marker is not None,
    }


def evaluate(marker, environment):
    plain = {name: each for name, each in environment.items() if isinstance(each, str) and name != "extra"}
    extra = environment.get("extra", environment.get("extras", ()))
    extras = [extra] if isinstance(extra, str) else extra
    groups = environment.get("dependency_groups", ())
    return evaluate_marker(marker, plain, frozenset(map(normalise, extras)), frozenset(groups))


def check_name(name):
    if not valid(name):
        raise Refused("no name")


def split(filename):
    found = split_wheel(filename)
    if found is None:
        raise Refused("no wheel's name")
    return found


def wheel(filename):
    found = split(filename)
    return {
        "name": normalise(found.name),
        "version": versions.normal(found.version),
        "build": found.build,
        "tags": sorted(found.tags),
    }


def compare_wheels(left, right):
    return ordered(split(left).build_key, split(right).build_key)


def sdist(filename):
    project = normalise(filename.partition("-")[0])  # where it is asked, a page has said the project
    found = split_sdist(filename, project) if valid(project) else None
    if found is None:
        raise Refused("no sdist's name")
    return {"name": normalise(found[0]), "version": versions.normal(found[1])}


def supported(system):
    """What an interpreter on that system would tell of itself, as tags."""
    if system["os"] not in SYSTEMS or system.get("libc") == "musl":
        raise Unsupported("the executable is read, or it is asked in the interpreter itself")
    numbers = [int(each) for each in system.get("version", "0").split(".")]
    arch = system["arch"]
    known = {"linux": "linux-" + arch, "windows": arch.replace("_", "-"), "macos": "macosx-11-" + arch}
    facts = {
        "version_info": [int(each) for each in system["python"].split(".")],
        "markers": {
            "implementation_name": "cpython",
            "platform_system": SYSTEMS[system["os"]],
            "platform_machine": arch,
        },
        "free_threaded": False,
        "debug": False,
        "ext_suffix": None,
        "mac": system.get("version", ""),
        "platform": known[system["os"]],
        "is_32bit": False,
        "glibc": numbers,
        "manylinux": {},
    }
    return interpreter_tags(facts, "")


def fits(tag, system):
    return not set(split("demo-1.0-%s.whl" % tag).tags).isdisjoint(supported(system))


def best(tags, system):
    found = supported(system)
    fitting = [tag for tag in tags if tag in found]
    return min(fitting, key=found.index) if fitting else None


serve(
    {
        "normalise-version": versions.normal,
        "check-version": check_version,
        "compare-versions": lambda left, right: ordered(versions.sort_key(left), versions.sort_key(right)),
        "contains": contains,
        "parse-specifier": parse_specifier,
        "parse-requirement": requirement,
        "evaluate-marker": evaluate,
        "normalise-name": normalise,
        "check-name": check_name,
        "parse-wheel-filename": wheel,
        "compare-wheels": compare_wheels,
        "parse-sdist-filename": sdist,
        "tag-fits": fits,
        "best-tag": best,
    },
    refusals=(ValueError, KeyError),
)
