"""Versions (PEP 440): order, normal form, and specifiers turned into bit masks.

The solver asks one question a hundred thousand times: which of these versions satisfies that specifier?  Here the
answer is an integer, bit *i* for version *i*, found by bisection over sorted keys and never by asking version after
version.  It works because every specifier but ``===`` is an interval of the order, or the complement of one.

A **key** is ``bytes``, so that comparing is one ``memcmp``, a page of two thousand loads from ``marshal`` in a
fraction of a millisecond, and the points *between* versions that PEP 440 needs can be written down as keys too:

    number(epoch) number(n)… 00 | pre | post | dev | local
    pre    01 dev-only release < 02 n alpha < 03 n beta < 04 n candidate < 05 none
    post   01 none < 02 n
    dev    01 n < FF none
    local  nothing < (01 text 00 | 02 n)…

``number`` keeps the order of integers and delimits itself, and trailing zeros of the release are dropped, so no key
is the beginning of another one except that ``V`` begins every ``V+local``.  Hence ``key(V) + FF`` is the point after
all locals of ``V``, and everything up to ``pre`` followed by ``03`` is the point after all its post-releases.

This room is **hot**: no ``re``, no ``packaging`` but for specifiers it does not know with certainty.
"""

from __future__ import annotations

from bisect import bisect_left

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "Parts",
    "clause",
    "clause_bounds",
    "compile_specifier",
    "is_prerelease",
    "keyed",
    "local_part",
    "names_prerelease",
    "normal",
    "normal_specifier",
    "parts",
    "satisfies",
    "sort_key",
    "specifier_mask",
]

# (epoch, release, pre, post, dev, local); pre is ("a" | "b" | "rc", n), local segments are ints or lower-case words.
Parts = tuple[
    int, tuple[int, ...], "tuple[str, int] | None", "int | None", "int | None", "tuple[int | str, ...] | None"
]
# One clause of a specifier: inside (True) or outside (False) of the keys from low up to, not including, high.
Bounds = tuple[bool, bytes, bytes]

_AFTER_ALL = b"\xff"  # above every key: keys begin with an epoch, and 0xFF begins no epoch a person can write
_SMALL = tuple(bytes((n + 1,)) for n in range(239))
_PRE = {"a": b"\x02", "b": b"\x03", "rc": b"\x04"}
_FINAL = b"\x00\x05\x01\xff"
_SEPARATORS = ".-_"
# Longer spellings first: "alpha" is not "a" followed by rubbish.
_PRE_WORDS = (
    ("alpha", "a"),
    ("a", "a"),
    ("beta", "b"),
    ("b", "b"),
    ("preview", "rc"),
    ("pre", "rc"),
    ("c", "rc"),
    ("rc", "rc"),
)
_POST_WORDS = (("post", "post"), ("rev", "post"), ("r", "post"))
_DEV_WORDS = (("dev", "dev"),)
_OPERATORS = ("===", "==", "~=", "!=", "<=", ">=", "<", ">")
_LENGTH_LIMIT = (
    1_000  # characters of a version; the longest ever published has under 100, and int() stops at 4,300
)
_CACHE_LIMIT = 20_000  # distinct clauses remembered in one process; the largest known set meets about 9,000


def parts(version: str) -> Parts:
    """The parts of a version in any spelling PEP 440 accepts ("Normalization").  Raises ``ValueError``."""
    text = version.strip().lower()
    if len(text) > _LENGTH_LIMIT:
        raise ValueError(f"a version longer than {_LENGTH_LIMIT} characters: {text[:40]!r}…")
    if not version.isascii():  # before lower() makes an ASCII letter of a sign that looks like one
        raise ValueError(f"not a version: {version!r}")
    public, plus, label = text.partition("+")
    local = _local(label, version) if plus else None
    at = 1 if public[:1] == "v" else 0
    epoch, at, found = _digits(public, at)
    if found and public[at : at + 1] == "!":
        first, at, found = _digits(public, at + 1)
    else:
        epoch, first = 0, epoch
    if not found:
        raise ValueError(f"not a version: {version!r}")
    release = [first]
    while public[at : at + 1] == ".":
        number, after, found = _digits(public, at + 1)
        if not found:
            break
        release.append(number)
        at = after
    pre, at = _labelled(public, at, _PRE_WORDS)
    post, at = _post(public, at)
    dev, at = _labelled(public, at, _DEV_WORDS)
    if at != len(public):
        raise ValueError(f"not a version: {version!r}")
    return epoch, tuple(release), pre, post, None if dev is None else dev[1], local


def _digits(text: str, at: int) -> tuple[int, int, bool]:
    end = at
    while end < len(text) and "0" <= text[end] <= "9":
        end += 1
    return (int(text[at:end]), end, True) if end > at else (0, at, False)


def _labelled(text: str, at: int, words: tuple[tuple[str, str], ...]) -> tuple[tuple[str, int] | None, int]:
    start = at + 1 if text[at : at + 1] in _SEPARATORS and at < len(text) else at
    for word, meaning in words:
        if text.startswith(word, start):
            end = start + len(word)
            if end < len(text) and text[end] in _SEPARATORS:
                end += 1
            number, end, _ = _digits(text, end)
            return (meaning, number), end
    return None, at


def _post(text: str, at: int) -> tuple[int | None, int]:
    if text[at : at + 1] == "-":
        number, end, found = _digits(text, at + 1)
        if found:
            return number, end
    post, at = _labelled(text, at, _POST_WORDS)
    return (None if post is None else post[1]), at


def _local(label: str, version: str) -> tuple[int | str, ...]:
    segments = label.replace("-", ".").replace("_", ".").split(".")
    if not all(segment.isalnum() for segment in segments):
        raise ValueError(f"not a version: {version!r}")
    return tuple(int(segment) if segment.isdigit() else segment for segment in segments)


def _number(n: int) -> bytes:
    if n < 239:
        return _SMALL[n]
    size = (n.bit_length() + 7) // 8
    if size <= 14:
        return bytes((239 + size,)) + n.to_bytes(size, "big")
    return b"\xfe" + size.to_bytes(4, "big") + n.to_bytes(size, "big")


def _release_key(epoch: int, release: Sequence[int]) -> bytes:
    end = len(release)
    while end and not release[end - 1]:
        end -= 1
    return b"".join([_number(epoch), *[_number(n) for n in release[:end]]])


def sort_key(version: str) -> bytes:
    """The key that orders ``version`` exactly as PEP 440 does; equal versions (``1``, ``1.0``) have equal keys.

    Raises ``ValueError`` for what is not a version.
    """
    return keyed(version)[0]


def keyed(version: str) -> tuple[bytes, str]:
    """The :func:`sort_key` and the :func:`normal` form of a version in any spelling.  Raises ``ValueError``."""
    # Nine of ten versions of an index are plain releases of small numbers, and of those half were met before in
    # another project.
    known = _KEYED.get(version)
    if known is None:
        known = _plainly_keyed(version)
        if known is None:
            found = parts(version)
            known = _key(found), _normal(found)
        if len(_KEYED) < _CACHE_LIMIT:
            _KEYED[version] = known
    return known


_KEYED: dict[str, tuple[bytes, str]] = {}


def _plainly_keyed(version: str) -> tuple[bytes, str] | None:
    """As :func:`keyed` for numbers and dots alone; None for every other spelling, and for numbers of two bytes."""
    if not (version.isascii() and version.replace(".", "").isdigit()) or len(version) > _LENGTH_LIMIT:
        return None
    numbers = version.split(".")
    try:
        key = bytes([int(number) + 1 for number in numbers])  # as _number writes those below 239
    except ValueError:
        return None
    if max(key) >= 240:
        return None
    if any(number[0] == "0" and number != "0" for number in numbers):
        version = ".".join([str(byte - 1) for byte in key])
    return b"\x01" + key.rstrip(b"\x01") + _FINAL, version


def _key(version: Parts) -> bytes:
    epoch, release, pre, post, dev, local = version
    pieces = [_before_post(epoch, release, pre, dev_only=pre is None and post is None and dev is not None)]
    pieces.append(b"\x01" if post is None else b"\x02" + _number(post))
    pieces.append(b"\xff" if dev is None else b"\x01" + _number(dev))
    pieces += [
        b"\x02" + _number(segment) if isinstance(segment, int) else b"\x01" + segment.encode() + b"\x00"
        for segment in local or ()
    ]
    return b"".join(pieces)


def _before_post(epoch: int, release: Sequence[int], pre: tuple[str, int] | None, *, dev_only: bool) -> bytes:
    if pre is None:
        rank = b"\x00\x01" if dev_only else b"\x00\x05"
    else:
        rank = b"\x00" + _PRE[pre[0]] + _number(pre[1])
    return _release_key(epoch, release) + rank


def normal(version: str) -> str:
    """The normal form (PEP 440 "Normalization"): ``v1.0-ALPHA.1`` → ``1.0a1``.  Raises ``ValueError``."""
    return keyed(version)[1]


def _normal(version: Parts) -> str:
    epoch, release, pre, post, dev, local = version
    text = ".".join(map(str, release))
    if epoch:
        text = f"{epoch}!{text}"
    if pre is not None:
        text += f"{pre[0]}{pre[1]}"
    if post is not None:
        text += f".post{post}"
    if dev is not None:
        text += f".dev{dev}"
    if local is not None:
        text += "+" + ".".join(map(str, local))
    return text


def is_prerelease(version: str) -> bool:
    """Whether ``version`` is a pre-release or a developmental release (PEP 440 "Handling of pre-releases")."""
    if version.replace(".", "").isdigit():
        return False
    _, _, pre, _, dev, _ = parts(version)
    return pre is not None or dev is not None


def local_part(version: str) -> str | None:
    """The local version label in normal form (``1.0+CPU.01`` → ``cpu.1``), or None."""
    local = parts(version)[5] if "+" in version else None
    return None if local is None else ".".join(map(str, local))


def clause_bounds(operator: str, version: str) -> Bounds:
    """One clause as an interval of keys: ``(inside, low, high)``, low included, high not (PEP 440 "Version specifiers").

    ``===`` has no interval: it compares spellings.  Raises ``ValueError`` for it and for what is not a clause.
    """
    plain = _plainly_keyed(version)
    if plain is not None and operator != "~=":
        return _plain_bounds(operator, plain[0])
    wildcard = version.endswith(".*") and operator in ("==", "!=")
    found = parts(version[:-2] if wildcard else version)
    epoch, release, pre, post, dev, local = found
    if local is not None and operator not in ("==", "!="):
        raise ValueError(f"a local version cannot be ordered: {operator}{version}")
    if wildcard:
        if pre is not None or post is not None or dev is not None or local is not None:
            raise ValueError(f"a prefix is a release only: {operator}{version}")
        return operator == "==", _first(epoch, release), _next(epoch, release)
    key = _key(found)
    if operator == ">=":
        return True, key, _AFTER_ALL
    if operator in ("==", "!="):
        return operator == "==", key, key + (b"\xff" if local is None else b"\x00")
    if operator == "<=":
        return True, b"", key + b"\xff"
    if operator == "<":
        # "MUST NOT allow a pre-release of the specified version unless the specified version is itself a pre-release"
        itself = pre is not None or dev is not None
        return True, b"", key if itself else _key((epoch, release, None, post, 0, None))
    if operator == ">":
        if (
            post is None and dev is None
        ):  # "MUST NOT allow a post-release of the given version" nor its locals
            return True, _before_post(epoch, release, pre, dev_only=False) + b"\x03", _AFTER_ALL
        return True, key + b"\xff", _AFTER_ALL
    if operator == "~=" and len(release) > 1:
        return True, key, _next(epoch, release[:-1])
    raise ValueError(f"not a version clause: {operator}{version}")


def _plain_bounds(operator: str, key: bytes) -> Bounds:
    """What :func:`clause_bounds` says of a final release without post-release or local: nine of ten clauses."""
    if operator == ">=":
        return True, key, _AFTER_ALL
    if operator in ("==", "!="):
        return operator == "==", key, key + b"\xff"
    if operator == "<=":
        return True, b"", key + b"\xff"
    release = key[: -len(_FINAL)]
    if operator == "<":
        return True, b"", release + b"\x00\x01\x01\x01\x01"  # its .dev0
    if operator == ">":
        return True, release + b"\x00\x05\x03", _AFTER_ALL  # after all of its post-releases
    raise ValueError(f"not a version clause: {operator}…")


def _first(epoch: int, release: tuple[int, ...]) -> bytes:
    return _key((epoch, release, None, None, 0, None))


def _next(epoch: int, release: tuple[int, ...]) -> bytes:
    return _first(epoch, (*release[:-1], release[-1] + 1))


_clauses: dict[str, tuple[str, str, Bounds | None]] = {}


def clause(text: str) -> tuple[str, str, Bounds | None]:
    """Operator, version as written, and bounds of one clause, remembered; ``===`` has no bounds.

    Raises ``ValueError`` for what is not a clause.
    """
    found = _clauses.get(text)
    if found is not None:
        return found
    for operator in _OPERATORS:
        if text.startswith(operator):
            version = text[len(operator) :].strip()
            break
    else:
        raise ValueError(f"not a version clause: {text!r}")
    if operator == "===":
        if any(character.isspace() or character in ";)" for character in version):
            raise ValueError(f"not a version clause: {text!r}")
        found = operator, version, None
    elif text.isascii():
        found = operator, version, clause_bounds(operator, version)
    else:
        raise ValueError(f"not a version clause: {text!r}")
    if len(_clauses) >= _CACHE_LIMIT:
        _clauses.clear()
    _clauses[text] = found
    return found


def compile_specifier(specifier: str) -> tuple[tuple[Bounds, ...], tuple[str, ...]]:
    """A specifier set as intervals of keys, and the lower-case spellings its ``===`` clauses ask for.

    Everything returned can be marshalled.  Raises ``ValueError`` for what is not a specifier set.
    """
    bounds: list[Bounds] = []
    spellings: list[str] = []
    for text in specifier.split(","):
        text = text.strip()
        if text:
            _, version, found = clause(text)
            if found is None:
                spellings.append(version.lower())
            else:
                bounds.append(found)
    return tuple(bounds), tuple(spellings)


def normal_specifier(specifier: str) -> str:
    """Clauses stripped, sorted and without repetition, versions as written: ``>=1, <2`` → ``<2,>=1``.

    Two clauses repeat each other when they mean the same, as in ``>=1,>=1.0``; the first in order stays.
    Raises ``ValueError`` for what is not a specifier set.
    """
    if "," not in specifier:
        text = specifier.strip()
        if not text:
            return ""
        operator, version, _ = clause(text)
        return operator + version
    found: dict[object, str] = {}
    clauses = [clause(text) for text in map(str.strip, specifier.split(",")) if text]
    for operator, version, bounds in sorted(clauses, key=lambda clause: clause[0] + clause[1]):
        if bounds is None or version.endswith(".*"):
            same: object = version
        else:  # the release of "~=" says how much may change, so its zeros count
            same = normal(version) if operator == "~=" else sort_key(version)
        found.setdefault((operator, same), operator + version)
    return ",".join(found.values())


def names_prerelease(specifier: str) -> bool:
    """Whether a clause names a pre-release, which asks for them (PEP 440 "Handling of pre-releases").

    ``!=`` and prefixes ask for nothing.
    """
    for text in specifier.split(","):
        if not text.strip():
            continue
        operator, version, _ = clause(text.strip())
        if operator == "!=" or version.endswith(".*"):
            continue
        try:
            if is_prerelease(version):
                return True
        except ValueError:  # "===" may name what is no version
            continue
    return False


def specifier_mask(
    versions: Sequence[str],
    keys: Sequence[bytes],
    raws: Mapping[int, tuple[str, ...]],
    specifier: str,
) -> int:
    """Bit *i* is set iff ``versions[i]`` satisfies ``specifier``, pre-releases allowed.

    ``versions`` are normal forms in ascending order, ``keys`` their :func:`sort_key`; ``raws`` gives, for the
    indices where it matters, every spelling the index used (``===`` compares spellings, not versions; an index
    not mentioned was spelt in normal form).  Raises ``ValueError`` for what is not a specifier set.
    """
    bounds, spellings = compile_specifier(specifier)
    low, high = 0, len(keys)
    outside = 0
    for inside, low_key, high_key in bounds:
        first = bisect_left(keys, low_key) if low_key else 0
        last = len(keys) if high_key is _AFTER_ALL else bisect_left(keys, high_key)
        if inside:
            low = max(low, first)
            high = min(high, last)
        elif first < last:
            outside |= ((1 << (last - first)) - 1) << first
    if low >= high:
        return 0
    mask = (((1 << (high - low)) - 1) << low) & ~outside
    if spellings:
        mask &= _spelt(versions, raws, spellings)
    return mask


def _spelt(versions: Sequence[str], raws: Mapping[int, tuple[str, ...]], spellings: tuple[str, ...]) -> int:
    mask = 0
    for i, version in enumerate(versions):
        # One spelling must answer every "===": a file has one name.
        if any(all(raw.lower() == wanted for wanted in spellings) for raw in raws.get(i, (version,))):
            mask |= 1 << i
    return mask


def satisfies(version: str, specifier: str) -> bool:
    """Whether one version satisfies ``specifier``, pre-releases allowed; ``===`` compares the spelling given, whether that is a
    version or not ("Arbitrary equality").

    Raises ``ValueError`` for what is not a specifier set, or not a version where one is compared.
    """
    bounds, spellings = compile_specifier(specifier)
    if any(version.lower() != wanted for wanted in spellings):
        return False
    if spellings and not bounds:
        return True
    key = sort_key(version)
    return all((low <= key < high) is inside for inside, low, high in bounds)
