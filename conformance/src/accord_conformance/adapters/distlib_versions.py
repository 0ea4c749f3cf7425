"""distlib as a version library: ``version``, ``markers``, ``util`` and the file names of ``wheel``."""

import io

from distlib import DistlibException
from distlib.markers import interpret
from distlib.metadata import LegacyMetadata
from distlib.util import normalize_name, parse_requirement
from distlib.version import NormalizedMatcher, NormalizedVersion, UnsupportedVersionError
from distlib.wheel import Wheel
from speak import Refused, Unsupported, serve


def check_version(version):
    NormalizedVersion(version)


def compare(left, right):
    one, two = NormalizedVersion(left), NormalizedVersion(right)
    return "<" if one < two else ">" if one > two else "="


def matcher(specifier):
    return NormalizedMatcher("demo " + specifier)


def contains(specifier, version, prereleases=None):
    if prereleases is False:
        raise Unsupported("whoever matches leaves pre-releases out")
    return matcher(specifier).match(version)


def parse_specifier(specifier):
    matcher(specifier)


def requirement(requirement):
    found = parse_requirement(requirement)
    if found is None:
        raise Refused("nothing is read")
    clauses = ["".join(each) for each in found.constraints or ()]
    return {
        "name": found.name,
        "extras": sorted(found.extras or ()),
        "specifier": ",".join(sorted(clauses)),
        "url": found.url,
        "marker": found.marker is not None,
    }


def evaluate(marker, environment):
    if any(isinstance(each, list) for each in environment.values()):
        raise Unsupported("knows no sets")
    return interpret(marker, environment)


def wheel(filename):
    found = Wheel(filename)
    if found.filename != filename:
        raise Unsupported("Wheel takes a name and a version, too, and read these words as such")
    tags = ["-".join((p, a, s)) for p in found.pyver for a in found.abi for s in found.arch]
    return {
        "name": normalize_name(found.name),
        "version": found.version,
        "build": found.buildver,
        "tags": sorted(tags),
    }


def read_metadata(text):
    found = LegacyMetadata(fileobj=io.StringIO(text))
    values = {key: found[key.title()] for key in ("name", "version", "description", "license")}
    return {key: "" if value in (None, "UNKNOWN") else value for key, value in values.items()}


def measure_description(text):
    return len(read_metadata(text)["description"])


serve(
    {
        "check-version": check_version,
        "compare-versions": compare,
        "contains": contains,
        "parse-specifier": parse_specifier,
        "parse-requirement": requirement,
        "evaluate-marker": evaluate,
        "normalise-name": normalize_name,
        "parse-wheel-filename": wheel,
        "read-metadata": read_metadata,
        "measure-description": measure_description,
    },
    refusals=(DistlibException, UnsupportedVersionError, SyntaxError, ValueError, NotImplementedError),
)
