"""The names of wheels and sdists, taken apart (hot).

Wheel names follow the binary distribution format ("File name convention", PEP 427 and 491), sdist names PEP 625;
older sdists follow no rule and are read with the project's name in hand.  A name that does not fit is ``None``,
never an error: a page with one odd file is still a page.  Versions are returned as written; whether they are
versions is asked of ``accord_core.project.versions``.
"""

from __future__ import annotations

from accord_core.names import normalise

__all__ = [
    "SDIST",
    "WHEEL",
    "WheelName",
    "few_tags",
    "kind",
    "safe",
    "sdist_suffix",
    "split_sdist",
    "split_wheel",
]

WHEEL = "wheel"
SDIST = "sdist"

# PEP 625 allows .tar.gz; .zip is what older uploads used.  Everything else is no longer accepted by any index.
_SDIST_SUFFIXES = (".tar.gz", ".zip")
_DIGITS = frozenset("0123456789")
_MAX_TAGS = 1_000  # a compressed tag set expands to a product: py.py × abi.abi × plat.plat
_ALWAYS_FEW = 27  # dots of three parts: with no more, the product cannot exceed 10 × 10 × 10


class WheelName:
    """A wheel's file name taken apart; every field is as written.

    ``build`` is empty where the name has none.  ``python``, ``abi`` and ``platform`` are compressed tag sets
    (PEP 425), e.g. ``manylinux_2_17_x86_64.manylinux2014_x86_64``.
    """

    __slots__ = ("abi", "build", "name", "platform", "python", "version")

    # Positional, here and in File: keywords cost a tenth of a page of five thousand.
    def __init__(self, name: str, version: str, build: str, python: str, abi: str, platform: str) -> None:
        self.name = name
        self.version = version
        self.build = build
        self.python = python
        self.abi = abi
        self.platform = platform

    @property
    def tags(self) -> tuple[str, ...]:
        """The tags the set stands for, lower-case, e.g. ``("py2-none-any", "py3-none-any")``."""
        python, abi, platform = self.python.lower(), self.abi.lower(), self.platform.lower()
        if "." not in python and "." not in abi and "." not in platform:
            return (f"{python}-{abi}-{platform}",)
        return tuple(
            f"{one}-{two}-{three}"
            for one in python.split(".")
            for two in abi.split(".")
            for three in platform.split(".")
        )

    @property
    def build_key(self) -> tuple[int, str]:
        """The order of builds of one version: digits as a number, then the rest; no build sorts first."""
        end = 0
        while end < len(self.build) and self.build[end] in _DIGITS:
            end += 1
        return (int(self.build[:end]), self.build[end:]) if end else (-1, "")

    def __repr__(self) -> str:
        return f"WheelName({'-'.join(part for part in self._parts() if part)!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, WheelName) and self._parts() == other._parts()

    def __hash__(self) -> int:
        return hash(self._parts())

    def _parts(self) -> tuple[str, ...]:
        return (self.name, self.version, self.build, self.python, self.abi, self.platform)


def kind(filename: str) -> str | None:
    """:data:`WHEEL`, :data:`SDIST`, or ``None`` for what cannot be installed (eggs, installers, signatures)."""
    lowered = filename[-7:].lower()
    if lowered.endswith(".whl"):
        return WHEEL
    return SDIST if lowered.endswith(_SDIST_SUFFIXES) else None


def safe(filename: str) -> bool:
    """Whether the text is a bare file name that means the same on every file system we write to."""
    return (
        filename.isprintable()
        and not filename.startswith(".")
        and not any(character in filename for character in '/\\:*?"<>|')
        and filename == filename.strip()
        and bool(filename)
    )


def split_wheel(filename: str) -> WheelName | None:
    """The parts of ``{name}-{version}(-{build})?-{python}-{abi}-{platform}.whl``, or ``None``."""
    if filename[-4:].lower() != ".whl":
        return None
    parts = filename[:-4].split("-")
    if len(parts) == 5:
        name, version, python, abi, platform = parts
        build = ""
    elif len(parts) == 6:
        name, version, build, python, abi, platform = parts
        if build[:1] not in _DIGITS:
            return None
    else:
        return None
    if "__" in name or not (name and version and python and abi and platform) or version[0] == ".":
        return None
    if not few_tags(f"{python}-{abi}-{platform}"):
        return None
    return WheelName(name, version, build, python, abi, platform)


def few_tags(tags: str) -> bool:
    """Whether a compressed set ``python-abi-platform`` stands for no more tags than anybody could mean."""
    if tags.count(".") <= _ALWAYS_FEW:
        return True
    product = 1
    for part in tags.split("-"):
        product *= part.count(".") + 1
    return product <= _MAX_TAGS


def sdist_suffix(filename: str) -> str | None:
    """``.tar.gz`` or ``.zip`` as written at the end of the name, else ``None``."""
    lowered = filename.lower()
    for suffix in _SDIST_SUFFIXES:
        if lowered.endswith(suffix):
            return filename[-len(suffix) :]
    return None


def split_sdist(filename: str, project: str) -> tuple[str, str] | None:
    """The name and version, as written, in an sdist of ``project`` (a normalised name), or ``None``.

    A legacy name such as ``foo-bar-1.0-2.tar.gz`` can be read in several ways; only the one whose name normalises
    to ``project`` is meant.
    """
    suffix = sdist_suffix(filename)
    if suffix is None:
        return None
    stem = filename[: -len(suffix)]
    if len(stem) > len(project):
        head, dash, version = stem[: len(project)], stem[len(project)], stem[len(project) + 1 :]
        # Nearly every name is the project's spelling of equal length; runs such as "foo__bar" are the rest.
        if dash == "-" and version and (head == project or normalise(head) == project):
            return head, version
    at = stem.find("-")
    while at > 0:
        if normalise(stem[:at]) == project and at + 1 < len(stem):
            return stem[:at], stem[at + 1 :]
        at = stem.find("-", at + 1)
    return None
