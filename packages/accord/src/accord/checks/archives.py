"""Checks of sdists and wheels as such: names, tags, records, and whether the two of one release agree."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable

from accord.checks.model import ADVICE, ERROR, WARNING, Finding, Register, listed
from accord.checks.subjects import File, Pair, SdistSubject, Subject, WheelSubject

__all__ = ["CHECKS"]

check = Register()
# What the public index takes; everything else it refuses by name.
_LINUX = "(?:x86_64|i686|aarch64|armv7l|ppc64le|s390x|riscv64"
_PLATFORMS = re.compile(
    r"any|win32|win_amd64|win_arm64|win_ia64|linux_armv6l|linux_armv7l"
    r"|macosx_(?:10_\d+|(?:1[1-9]|[2-9]\d)_0)_(?:x86_64|arm64|universal2?|i386|intel|ppc|ppc64|fat|fat3|fat64)"
    r"|manylinux(?:1|2010)_(?:x86_64|i686)|manylinux(?:2014|_\d+_\d+)_" + _LINUX + r"|ppc64)"
    r"|musllinux_\d+_\d+_" + _LINUX + r")"
    r"|ios_\d+_\d+_(?:arm64|x86_64)_(?:iphoneos|iphonesimulator)"
    r"|android_\d+_(?:armeabi_v7a|arm64_v8a|x86|x86_64)|(?:pyodide|pyemscripten)_\d+_\d+_wasm32"
)
_RATIO, _RATIO_FLOOR = (
    50,
    64 << 20,
)  # what the index takes for a bomb: unpacked to packed, above so many bytes


@check("archive-refused", "The archive is hostile, damaged or no package", ERROR, "sdist", "wheel")
def archive_refused(subject: Subject) -> Iterable[Finding]:
    """The reader that installs archives refuses it: paths that lead out, two files of one name, a RECORD that does not
    agree, no metadata. The word in brackets is the code of the fault, see the page of errors. Nothing else is checked.
    """
    if subject.fault is not None:
        yield Finding(
            f"{subject.fault.message} ({subject.fault.code})",
            subject.fault.where or subject.where(),
            subject.fault.hint,
        )


# -- sdists --------------------------------------------------------------------------------------------------


def _stem(subject: Subject) -> str | None:
    from accord_core.names import normalise
    from accord_core.project.versions import normal

    facts = subject.facts
    if facts is None or not facts.name or not facts.version:
        return None
    try:
        return f"{normalise(facts.name).replace('-', '_')}-{normal(facts.version)}"
    except ValueError:
        return None


@check("sdist-name", "The name of the sdist is not the standard's", ERROR, "sdist")
def sdist_name(subject: SdistSubject) -> Iterable[Finding]:
    """An sdist is called ``{name}-{version}.tar.gz`` with name and version in normal form (PEP 625).

    The public index refuses others today; files from before that are judged by the same rule.
    """
    stem = _stem(subject)
    if stem is not None and subject.filename != f"{stem}.tar.gz":
        yield Finding(
            f"{subject.filename} should be {stem}.tar.gz", subject.where(), "build it with a current backend"
        )


@check("sdist-folder", "The folder in the sdist is not the standard's", WARNING, "sdist")
def sdist_folder(subject: SdistSubject) -> Iterable[Finding]:
    """An sdist holds one folder ``{name}-{version}``, called as its own file is."""
    for suffix in (".tar.gz", ".tgz", ".zip"):
        stem = subject.filename.removesuffix(suffix)
        if stem not in (subject.filename, subject.top):
            yield Finding(
                f"the sdist holds the folder {subject.top}", subject.where(), f"it should be {stem}"
            )
            return


@check("sdist-metadata-missing", "The sdist has no PKG-INFO", ERROR, "sdist")
def sdist_metadata_missing(subject: SdistSubject) -> Iterable[Finding]:
    """Without ``PKG-INFO`` it is a tree of files and no sdist; the index refuses it."""
    if subject.metadata is None:
        yield Finding("there is no PKG-INFO in its folder", subject.where(), "build it with a build backend")


@check("sdist-metadata-old", "The metadata of the sdist promise nothing", WARNING, "sdist")
def sdist_metadata_old(subject: SdistSubject) -> Iterable[Finding]:
    """Before metadata 2.2 nobody can trust the dependencies an sdist names (PEP 643), so resolvers have to run its build."""
    found = re.match(rb"(?i)metadata-version:\s*(\d+)\.(\d+)", subject.metadata or b"")
    if found and (int(found[1]), int(found[2])) < (2, 2):
        version = f"{int(found[1])}.{int(found[2])}"
        yield Finding(
            f"its metadata are of version {version}",
            subject.where("PKG-INFO"),
            "build it with a current backend",
        )


@check("sdist-pyproject-missing", "The sdist has no pyproject.toml", WARNING, "sdist")
def sdist_pyproject_missing(subject: SdistSubject) -> Iterable[Finding]:
    """Nothing says what builds it (PEP 517), so builders fall back on setuptools as it once was."""
    if subject.files and "pyproject.toml" not in subject.files:
        yield Finding("there is no pyproject.toml in it", subject.where(), "accord migrate writes one")


@check("sdist-tests-missing", "The sdist has no tests", ADVICE, "sdist")
def sdist_tests_missing(subject: SdistSubject) -> Iterable[Finding]:
    """Distributions build from sdists and run their tests to see whether the build is good."""
    if not any(
        re.search(r"(^|/)(tests?|testing)/|(^|/)tests?\.py$|(^|/)test_[^/]*\.py$|_test\.py$", path)
        for path in subject.files
    ):
        yield Finding(
            "there are no tests in it", subject.where(), 'with accord-backend: sdist-include = ["tests/**"]'
        )


# -- wheels --------------------------------------------------------------------------------------------------


def _wheel_tags(subject: WheelSubject) -> tuple[str, ...]:
    return subject.wheel.wheel_file.tags if subject.wheel else ()


@check("wheel-tags", "The name of the wheel and its WHEEL file disagree", WARNING, "wheel")
def wheel_tags(subject: WheelSubject) -> Iterable[Finding]:
    """The tags in the name are those an installer chooses by, and WHEEL repeats them; whoever renames one must write both.

    ``accord wheel tags`` does. A name that is no wheel's at all is reported here, too.
    """
    if subject.tags is None:
        yield Finding(f"{subject.filename} is not a wheel's name", subject.where())
        return
    inside = {one for tag in _wheel_tags(subject) for one in _expanded(tag)}
    named = set(subject.tags.tags)
    if inside and inside != named:
        more = f"the name says {listed(sorted(named - inside))}" if named - inside else ""
        less = f"WHEEL says {listed(sorted(inside - named))}" if inside - named else ""
        yield Finding(
            " and ".join(one for one in (more, less) if one),
            subject.where(f"{subject.dist_info}/WHEEL"),
            "accord wheel tags writes both",
        )


def _expanded(tag: str) -> list[str]:
    parts = tag.lower().split("-")
    if len(parts) != 3:
        return [tag]
    python, abi, platform = (part.split(".") for part in parts)
    return [f"{one}-{two}-{three}" for one in python for two in abi for three in platform]


@check("wheel-record", "A file of the wheel is not what RECORD says", ERROR, "wheel")
def wheel_record(subject: WheelSubject) -> Iterable[Finding]:
    """Installers hold every file against its digest in RECORD and refuse a wheel where one differs; so does the index."""
    from accord_core.errors import ArchiveError

    wheel = subject.wheel
    for member in wheel.members if wheel else ():
        try:
            for _ in wheel.stream(member) if wheel else ():
                pass
        except ArchiveError as fault:
            yield Finding(
                f"{fault.message} ({fault.code})", subject.where(member.name), "build the wheel again"
            )


@check("wheel-name", "The name of the wheel is not in normal form", ERROR, "wheel")
def wheel_name(subject: WheelSubject) -> Iterable[Finding]:
    """A wheel's name begins with the project's in normal form, and its ``.dist-info`` folder with the same words (binary
    distribution format, "Escaping and Unicode").

    The public index refuses others today; files from before that are judged by the same rule.
    """
    stem = _stem(subject)
    if stem is None or subject.tags is None:
        return
    if subject.tags.name != stem.partition("-")[0]:
        message = f"{subject.filename} should begin with {stem}"
        yield Finding(message, subject.where(), "build it with a current backend")
    folder = f"{subject.tags.name}-{subject.tags.version}.dist-info"
    if subject.dist_info != folder:
        yield Finding(f"it holds {subject.dist_info} and should hold {folder}", subject.where())


@check("wheel-ratio", "The wheel unpacks to what the index takes for a bomb", ERROR, "wheel")
def wheel_ratio(subject: WheelSubject) -> Iterable[Finding]:
    """The index refuses archives that unpack to more than 50 times their size and more than 64 MiB."""
    unpacked = sum(file.size for file in subject.files.values())
    packed = os.path.getsize(subject.path)
    if unpacked > _RATIO_FLOOR and unpacked > packed * _RATIO:
        message = f"it unpacks to {unpacked / packed:.0f} times its size"
        yield Finding(message, subject.where(), "look for a file of zeros in it")


@check("wheel-platform", "The index does not take wheels of this platform", ERROR, "wheel")
def wheel_platform(subject: WheelSubject) -> Iterable[Finding]:
    """A ``linux_x86_64`` wheel says nothing of the systems it runs on, so the index refuses it: see ``accord wheel repair``."""
    for platform in sorted({tag.rpartition("-")[2] for tag in subject.tags.tags} if subject.tags else ()):
        if not _PLATFORMS.fullmatch(platform):
            yield Finding(
                f"the index takes no wheels for {platform!r}",
                subject.where(),
                "accord wheel repair makes a manylinux wheel of it",
            )


@check("wheel-pure-binary", "A pure wheel holds compiled code", WARNING, "wheel")
def wheel_pure_binary(subject: WheelSubject) -> Iterable[Finding]:
    """``Root-Is-Purelib: true``, or the platform ``any``, promises that nothing in it depends on the machine."""
    found = [path for path in subject.library if re.search(r"\.(so|pyd|dylib)(\.\d+)*$", path)]
    pure = subject.wheel is not None and subject.wheel.wheel_file.root_is_purelib
    anywhere = subject.tags is not None and subject.tags.platform == "any"
    if found and (pure or anywhere):
        claim = "its platform is 'any'" if anywhere else "WHEEL says Root-Is-Purelib: true"
        yield Finding(
            f"{claim}, and it holds {listed(found)}",
            subject.where(found[0]),
            "build it as a wheel of its platform",
        )


@check("wheel-platform-pure", "A wheel of one platform holds no compiled code", ADVICE, "wheel")
def wheel_platform_pure(subject: WheelSubject) -> Iterable[Finding]:
    """Without compiled code it would run anywhere; with ``py3-none-any`` one wheel would do for all."""
    compiled = re.compile(r"\.(so|pyd|dylib|dll|exe|a|lib|node)(\.\d+)*$")
    if subject.tags is None or subject.tags.platform == "any" or not subject.files:
        return
    if not any(
        compiled.search(path) or "/scripts/" in path or "/data/" in path or "/bin/" in path
        for path in subject.files
    ):
        yield Finding(f"it is for {subject.tags.platform}, and nothing in it is compiled", subject.where())


@check("sbom-invalid", "A bill of materials cannot be read", WARNING, "wheel")
def sbom_invalid(subject: WheelSubject) -> Iterable[Finding]:
    """Files in ``.dist-info/sboms`` (PEP 770) are read by machines; a ``.json`` among them must be JSON."""
    for path, file in subject.files.items():
        if path.startswith(f"{subject.dist_info}/sboms/") and path.endswith(".json"):
            if file.size > subject.limits.document_bytes:
                yield Finding(f"{path} is too large to be read", subject.where(path))
                continue
            try:
                json.loads(file.read())
            except (ValueError, RecursionError) as error:
                yield Finding(f"{path} is not JSON: {error}", subject.where(path))


@check("script-shebang", "A script of the wheel keeps the path of its builder's Python", WARNING, "wheel")
def script_shebang(subject: WheelSubject) -> Iterable[Finding]:
    """Installers replace a first line ``#!python`` by the environment's own interpreter, and leave every other as it is."""
    for path, file in subject.files.items():
        if (
            path.startswith(f"{subject.dist_info.removesuffix('.dist-info')}.data/scripts/")
            and file.size < 10_000_000
        ):
            first = file.read()[:200].split(b"\n", 1)[0]
            if first.startswith(b"#!/") and b"python" in first and b"/env " not in first:
                yield Finding(
                    f"{path} begins with {first.decode('utf-8', 'replace')}",
                    subject.where(path),
                    "begin it with #!python",
                )


@check("zip-times", "The times in the wheel are those of its build", ADVICE, "wheel")
def zip_times(subject: WheelSubject) -> Iterable[Finding]:
    """Two builds of one tree give different bytes, so nobody can check that a wheel is of its source.

    Builders that honour ``SOURCE_DATE_EPOCH``, or write fixed times as accord-backend does, avoid it.
    """
    from zipfile import ZipFile

    with ZipFile(subject.path) as archive:  # the archive was read and found honest before
        times = {member.date_time for member in archive.infolist()}
    if len(times) > 1:
        yield Finding(
            f"its files carry {len(times)} different times",
            subject.where(),
            "set SOURCE_DATE_EPOCH for the build",
        )


# -- the two of one release ----------------------------------------------------------------------------------


@check("pair-version", "Sdist and wheel are of different versions", ERROR, "pair")
def pair_version(pair: Pair) -> Iterable[Finding]:
    """What is uploaded as one release must be one version."""
    if not _same_version(pair):
        one, other = (
            subject.facts.version if subject.facts else None for subject in (pair.sdist, pair.wheel)
        )
        yield Finding(f"the sdist is of {one}, the wheel of {other}", pair.wheel.where())


@check("pair-metadata", "Sdist and wheel describe different releases", ERROR, "pair")
def pair_metadata(pair: Pair) -> Iterable[Finding]:
    """Fields an sdist does not declare dynamic are those of every wheel built from it (PEP 643); resolvers rely on it."""
    from packaging.metadata import parse_email

    if pair.sdist.metadata is None or pair.wheel.metadata is None or not _promises(pair.sdist.metadata):
        return
    if not _same_version(pair):
        return
    one, other = (dict(parse_email(data)[0]) for data in (pair.sdist.metadata, pair.wheel.metadata))
    dynamic = (
        {field.lower().replace("-", "_") for field in pair.sdist.facts.dynamic} if pair.sdist.facts else set()
    )
    for field in ("summary", "requires_python", "license_expression", "requires_dist", "provides_extra"):
        mine, theirs = (_comparable(field, raw.get(field)) for raw in (one, other))
        if field not in dynamic and mine != theirs:
            what = field.replace("_", "-").title()
            sides = (("sdist", mine - theirs), ("wheel", theirs - mine))
            said = " and ".join(f"only the {kind} has {listed(sorted(some))}" for kind, some in sides if some)
            yield Finding(f"{what} differs: {said}", pair.wheel.where())


def _same_version(pair: Pair) -> bool:
    from accord_core.archive.wheel import same_version

    one, other = (
        subject.facts.version or "" if subject.facts else "" for subject in (pair.sdist, pair.wheel)
    )
    return same_version(one, other)


def _promises(metadata: bytes) -> bool:
    found = re.match(rb"(?i)metadata-version:\s*(\d+)\.(\d+)", metadata)
    return found is not None and (int(found[1]), int(found[2])) >= (2, 2)


def _comparable(field: str, value: object) -> set[str]:
    """What a field says, each part in a form that spelling does not matter to."""
    from packaging.requirements import InvalidRequirement

    from accord_core.names import normalise

    if field == "requires_python":
        return {part.replace(" ", "") for part in str(value or "").split(",") if part}
    if not isinstance(value, list):
        return {str(value)} if value else set()
    lines = set()
    for line in value:
        try:
            lines.add(_requirement(line) if field == "requires_dist" else normalise(str(line)))
        except InvalidRequirement:
            lines.add(str(line))
    return lines


def _requirement(line: str) -> str:
    from packaging.requirements import Requirement

    from accord_core.names import normalise

    requirement = Requirement(line)
    requirement.name = normalise(requirement.name)
    return str(requirement)


@check("pair-modules", "The wheel holds modules that are not in the sdist", WARNING, "pair")
def pair_modules(pair: Pair) -> Iterable[Finding]:
    """Whoever reads or rebuilds the sdist does not see this code. Modules that the build generates are the honest reason."""
    if not _same_version(pair):
        return
    there = {_digest(file) for file in pair.sdist.files.values() if _is_module(file, pair)}
    lost = [
        file.path
        for file in pair.wheel.library.values()
        if _is_module(file, pair) and _digest(file) not in there
    ]
    if lost:
        yield Finding(
            f"not in the sdist: {listed(lost)}",
            pair.wheel.where(lost[0]),
            "build the wheel from the sdist, as accord build does",
        )


def _is_module(file: File, pair: Pair) -> bool:
    return file.path.endswith((".py", ".pyi")) and file.size <= pair.limits.source_bytes


def _digest(file: File) -> bytes:
    return hashlib.sha256(file.read()).digest()


CHECKS = tuple(check.checks)
