"""From what a page says, field by field, to :class:`~accord_core.index.model.File` values.

Both document forms, and any faster JSON decoder an embedding tool brings, end here, so that an entry means the same
however it was spelled.  Pages of five thousand files are common, so whole columns are checked at C speed first; a
page that fails goes through entry by entry, and what is unusable is counted and left out.
"""

from __future__ import annotations

import re
from operator import itemgetter
from typing import TYPE_CHECKING

from accord_core.index.filenames import safe
from accord_core.index.model import File

if TYPE_CHECKING:
    from collections.abc import Sequence

    from accord_core.index.limits import Limits

__all__ = ["Entry", "files"]

# filename, url, hashes, requires-python, yanked (True, False or the reason), size, upload-time, core-metadata,
# gpg-sig, provenance: typed, but not yet trusted.
Entry = tuple[
    str,
    str,
    dict[str, str],
    str | None,
    bool | str,
    int | None,
    str | None,
    dict[str, str] | bool | None,
    bool | None,
    str | None,
]

_PLAIN = bytes(sorted(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._+!-~"))
_URL = _PLAIN + b"/:?=&%@$',;()*"
_first = itemgetter(0)
_LEAD = re.compile(r"(?:\.\./)+|/(?!/)")
_HEX = re.compile(r"[0-9a-fA-F]+\Z")
_ALGORITHM = re.compile(r"[a-z0-9_]{1,32}\Z")


def files(entries: Sequence[Entry], base: str, limits: Limits) -> tuple[tuple[File, ...], int]:
    """The files of a page whose relative URLs are resolved against ``base``, and how many entries were unusable."""
    urls = _plain(entries, base, limits) if entries else None
    if urls is not None:
        return tuple(
            [
                File(
                    filename,
                    url,
                    hashes,
                    requires,
                    bool(yanked),
                    yanked if yanked and yanked is not True else None,
                    size,
                    uploaded,
                    core_metadata or False,
                    gpg_sig,
                    provenance,
                )
                for (
                    filename,
                    _,
                    hashes,
                    requires,
                    yanked,
                    size,
                    uploaded,
                    core_metadata,
                    gpg_sig,
                    provenance,
                ), url in zip(entries, urls, strict=True)
            ]
        ), 0
    made = [_file(entry, base, limits) for entry in entries]
    kept = tuple([file for file in made if file is not None])
    return kept, len(made) - len(kept)


def _plain(entries: Sequence[Entry], base: str, limits: Limits) -> Sequence[str] | None:
    """The absolute URLs, if every entry is of the commonest form: a plain name, a URL spelled like its neighbours',
    one lower-case sha256, and no surprises; else None."""
    names, urls, hashes, requires, yanked, sizes, uploaded, metadata, _, provenance = zip(
        *entries, strict=True
    )
    count = len(entries)
    name_text = "\n" + "\n".join(names)
    if not name_text.isascii() or "\n." in name_text or max(map(len, names)) > limits.filename:
        return None
    if name_text.encode().translate(None, _PLAIN) != b"\n" * count or not all(names):
        return None
    digests = [each.get("sha256", "") for each in hashes if len(each) == 1]
    if len(digests) != count or set(map(len, digests)) != {64} or not _lower_hex("".join(digests)):
        return None
    announced = [each for each in metadata if each and each is not True]
    if announced and not all(map(_is_sha256_only, announced)):
        return None
    if (
        max(map(len, filter(None, requires)), default=0) > limits.requires_python
        or max((len(each) for each in set(yanked) if isinstance(each, str)), default=0) > limits.reason
        or max(map(len, filter(None, uploaded)), default=0) > limits.upload_time
        or min(filter(None, sizes), default=0) < 0
    ):
        return None
    evidence = [each for each in provenance if each]
    if evidence and _absolutes(evidence, base, limits) is not evidence:
        return None
    return _absolutes(urls, base, limits)


def _absolutes(urls: Sequence[str], base: str, limits: Limits) -> Sequence[str] | None:
    """The same URLs where all are absolute; resolved where all climb or descend alike; None where it takes care."""
    text = "\n" + "\n".join(urls)
    if not text.isascii() or max(map(len, urls)) > limits.url:
        return None
    if text.encode().translate(None, _URL) != b"\n" * len(urls):
        return None
    if urls[0].startswith(("https://", "http://")):
        return urls if text.count("\nhttps://") + text.count("\nhttp://") == len(urls) else None
    found = _LEAD.match(urls[0])
    lead = found[0] if found else ""
    rest = text.replace("\n" + lead, "\n")
    if len(text) - len(rest) != len(lead) * len(urls):
        return None
    if "/." in rest or ":" in rest or "?" in rest:
        return None
    from urllib.parse import urljoin  # loads ipaddress and more; most indexes write absolute URLs

    prefix = urljoin(base, lead or ".")
    if not prefix.startswith(("https://", "http://", "file://")) or not prefix.endswith("/"):
        return None
    tails = rest[1:].split("\n")
    if not all(tails) or not {"/", "."}.isdisjoint(map(_first, tails)):
        return None
    return rest.replace("\n", "\n" + prefix)[1:].split("\n")


def _is_sha256_only(hashes: dict[str, str] | bool | None) -> bool:
    if not isinstance(hashes, dict) or len(hashes) != 1:
        return False
    digest = hashes.get("sha256", "")
    return len(digest) == 64 and _lower_hex(digest)


def _lower_hex(text: str) -> bool:
    try:
        return bytes.fromhex(text).hex() == text
    except ValueError:
        return False


def _file(entry: Entry, base: str, limits: Limits) -> File | None:
    filename, url, hashes, requires, yanked, size, uploaded, metadata, gpg_sig, provenance = entry
    if len(filename) > limits.filename or not safe(filename):
        return None
    where, fragment_hashes = _absolute(base, url, limits)
    if where is None or (requires and len(requires) > limits.requires_python):
        return None
    return File(
        filename,
        where,
        _digests({**fragment_hashes, **hashes}, limits),
        requires or None,
        bool(yanked),
        yanked[: limits.reason] if isinstance(yanked, str) and yanked else None,
        size if size is None or size >= 0 else None,
        uploaded if uploaded and len(uploaded) <= limits.upload_time else None,
        _digests(metadata, limits) or bool(metadata) if isinstance(metadata, dict) else bool(metadata),
        gpg_sig,
        _absolute(base, provenance, limits)[0] if provenance else None,
    )


def _absolute(base: str, url: str, limits: Limits) -> tuple[str | None, dict[str, str]]:
    """The URL without its fragment, made absolute, and the hash the fragment names (PEP 503); None if not usable.

    A page that came over the network may not point into this machine's files.
    """
    where, _, fragment = url.strip().partition("#")
    if not where or len(where) > limits.url or not where.isprintable():
        return None, {}
    from urllib.parse import urljoin

    try:
        joined = urljoin(base, where)
    except ValueError:
        return None, {}
    scheme = joined.partition(":")[0].lower()
    if scheme not in {"http", "https"} and not (scheme == "file" and base[:5].lower() == "file:"):
        return None, {}
    found = {}
    for part in fragment.split("&"):
        algorithm, equals, digest = part.partition("=")
        if equals and algorithm.lower() not in {"egg", "subdirectory"}:
            found[algorithm] = digest
    return joined, found


def _digests(hashes: dict[str, str], limits: Limits) -> dict[str, str]:
    """Lower-case algorithm and digest; what is no hexadecimal digest of a plausible algorithm is left out."""
    kept: dict[str, str] = {}
    for algorithm, digest in hashes.items():
        name = algorithm.lower()
        if len(kept) < limits.hashes and _ALGORITHM.match(name) and len(digest) <= 256 and _HEX.match(digest):
            kept[name] = digest.lower()
    return kept
