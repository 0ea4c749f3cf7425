"""What an installer leaves: RECORD row by row, direct_url.json, what is new, changed or gone in an environment.

Witnesses for roles that install.  ``remember`` keeps how an environment looks before a request; files that a tool keeps for itself at the top of the
environment (a lock, a history: names with a full stop in front) are nobody's business.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from accord_conformance.judging import Finding, agree, shown
from accord_conformance.names import hex_digest
from accord_conformance.scene import Scene

__all__ = ["changes", "direct_url", "emptied", "filled", "record_findings", "remember"]

_BEFORE, _FIRST = "before.json", "first.json"
_SIZE = re.compile(r"[0-9]*")
_HASH = re.compile(r"(?P<name>[a-z0-9_-]+)=(?P<digest>[A-Za-z0-9_-]+)")


def filled(scene: Scene, value: Any) -> Any:
    """A value of a case with ``{env}``, ``{site}`` and what else the scene offers filled in."""
    if isinstance(value, str):
        for name, text in scene.values.items():
            if isinstance(text, str):
                value = value.replace(f"{{{name}}}", text)
        return value
    if isinstance(value, list):
        return [filled(scene, each) for each in value]
    if isinstance(value, Mapping):
        return {key: filled(scene, each) for key, each in value.items()}
    return value


def remember(scene: Scene, root: Path) -> None:
    """Keeps what is below ``root`` now, for ``changes``."""
    text = json.dumps(_look(root))
    (scene.folder / _BEFORE).write_text(text, encoding="utf-8")
    if not (scene.folder / _FIRST).exists():
        (scene.folder / _FIRST).write_text(text, encoding="utf-8")


def changes(scene: Scene, root: Path, *, since_first: bool = False) -> list[str]:
    """What is new, changed or gone below ``root`` since the last request (or the first): empty when nothing is."""
    text = (scene.folder / (_FIRST if since_first else _BEFORE)).read_text(encoding="utf-8")
    before, now = json.loads(text), _look(root)
    return sorted(
        [f"{name} is new" for name in now if name not in before]
        + [f"{name} is gone" for name in before if name not in now]
        + [f"{name} is changed" for name in now if name in before and now[name] != before[name]]
    )


def emptied(scene: Scene, root: Path) -> list[str]:
    """Folders that held files before the last request, and are there without any; those of the environment itself aside."""
    first = json.loads((scene.folder / _FIRST).read_text(encoding="utf-8"))
    before = json.loads((scene.folder / _BEFORE).read_text(encoding="utf-8"))
    now = _look(root)
    return [
        name
        for name in now
        if name.endswith("/")
        and name not in first
        and any(each.startswith(name) and not each.endswith("/") for each in before)
        and not any(each.startswith(name) and not each.endswith("/") for each in now)
    ]


def _look(root: Path) -> dict[str, str]:
    found = {}
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if name.startswith("."):
            continue
        if path.is_symlink():
            found[name] = f"link {path.readlink()}"
        elif path.is_dir():
            found[f"{name}/"] = ""
        else:
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def record_findings(scene: Scene, path: Path, base: Path, wanted: Mapping[str, Any]) -> Iterable[Finding]:
    """``complete`` (every row is true and every new file has one), ``true``, ``all_listed``, ``form``, ``hashed``, ``once``, ``no_folders``, ``has``, ``lacks`` (paths).

    A path may be absolute or relative, so that ``has``, ``lacks`` and ``once`` ask for the place, in any spelling.
    """
    data = path.read_bytes() if path.is_file() else b""
    rows = [row for row in csv.reader(data.decode("utf-8", "replace").splitlines()) if row]
    listed = {row[0]: row for row in rows}
    spots = [_spot(base, name) for name in listed]
    for name in filled(scene, wanted.get("has", [])):
        there = _spot(base, name) in spots
        yield Finding("record", f"{name} is listed", ", ".join(sorted(listed)), there)
    for name in filled(scene, wanted.get("lacks", [])):
        there = _spot(base, name) in spots
        yield Finding("record", f"{name} is not listed", ", ".join(sorted(listed)), not there)
    if wanted.get("complete") or wanted.get("true"):
        yield _clean("every row is true", _untrue(rows, base))
    if wanted.get("complete") or wanted.get("all_listed"):
        yield _clean("every installed file is listed", _unlisted(scene, listed, base))
    if wanted.get("form"):
        yield _clean("every row is in form", _malformed(data, rows))
    if wanted.get("no_folders"):
        yield _clean("no directory is listed", [name for name in listed if (base / name).is_dir()])
    if wanted.get("hashed"):
        yield _clean("every file but RECORD and .pyc has hash and size", _bare(rows))
    if wanted.get("once"):
        rowed = [_spot(base, row[0]) for row in rows]
        yield _clean(
            "no file is listed twice", [name for name in listed if rowed.count(_spot(base, name)) > 1]
        )


def _spot(base: Path, name: str) -> Path:
    """The file that a path of RECORD means, however it is written; a link is itself, not what it leads to."""
    path = base / name
    return path.parent.resolve() / path.name


def _clean(expected: str, wrong: list[str]) -> Finding:
    return Finding("record", expected, "; ".join(wrong) or expected, not wrong)


def _untrue(rows: Iterable[list[str]], base: Path) -> list[str]:
    """What is untrue of rows: no such file, another size, another hash."""
    wrong = [] if rows else ["there is no row"]
    for row in rows:
        path = base / row[0]
        if row[0] and path.is_dir():
            continue  # whether directories are listed is a question of its own
        if not path.is_file():
            wrong.append(f"{row[0]} is not there")
            continue
        data = path.read_bytes()
        if len(row) > 2 and row[2] and row[2] != str(len(data)):
            wrong.append(f"{row[0]} has {len(data)} bytes, not {row[2]}")
        name, _, digest = row[1].partition("=") if len(row) > 1 else ("", "", "")
        if digest and name in hashlib.algorithms_available:
            coded = base64.urlsafe_b64encode(hashlib.new(name, data).digest()).rstrip(b"=").decode()
            if coded != digest.rstrip("="):
                wrong.append(f"{row[0]} has another hash")
    return wrong


def _unlisted(scene: Scene, listed: Mapping[str, object], base: Path) -> list[str]:
    """New files without a row; of a tool that makes the environment itself, nobody can tell what is whose."""
    if scene.values["settings"].get("makes_environment"):
        return []
    root = Path(scene.values["env"])
    known = {(base / name).resolve() for name in listed}
    wrong = []
    for change in changes(scene, root):
        name, _, what = change.rpartition(" is ")
        path = (root / name).resolve()
        if what != "new" or name.endswith("/") or path in known or _compiled_of(path) in known:
            continue
        wrong.append(f"{name} is not listed")
    return wrong


def _compiled_of(path: Path) -> Path:
    """The source of a compiled file in ``__pycache__``; any other path itself."""
    if path.suffix != ".pyc" or path.parent.name != "__pycache__":
        return path
    return path.parent.parent / (path.name.split(".")[0] + ".py")


def _malformed(data: bytes, rows: Iterable[list[str]]) -> list[str]:
    wrong = []
    text = data.decode("utf-8", "replace").replace("\r\n", "\n")
    if "\r" in text:
        wrong.append("a line ends with CR alone")
    for row in rows:
        if len(row) != 3:
            wrong.append(f"{row[0]} has {len(row)} fields")
            continue
        found = _HASH.fullmatch(row[1]) if row[1] else None
        if row[1] and (found is None or found["name"] not in hashlib.algorithms_guaranteed):
            wrong.append(f"{row[0]} has the hash {row[1]}")
        if not _SIZE.fullmatch(row[2]):
            wrong.append(f"{row[0]} has the size {row[2]}")
    return wrong


def _bare(rows: Iterable[list[str]]) -> list[str]:
    return [
        f"{row[0]} has no {'hash' if not row[1] else 'size'}"
        for row in rows
        if len(row) == 3 and not (row[1] and row[2]) and not row[0].endswith((".pyc", ".dist-info/RECORD"))
    ]


def direct_url(scene: Scene, path: Path, wanted: Mapping[str, Any]) -> Iterable[Finding]:
    """``has`` (dotted key: value), ``if_there`` (the same, where the key is there), ``matches`` (dotted key: pattern), ``kinds`` (dotted key: text, table, boolean),
    ``lacks`` (dotted keys), ``without`` (words nowhere in the file), ``hashes_of`` (key of a wheel or sdist: every hash in archive_info is its own).
    """
    raw = path.read_bytes() if path.is_file() else b""
    try:
        document = json.loads(raw.decode("utf-8"))
    except ValueError as error:
        yield Finding("direct_url", "a JSON document in UTF-8", f"{error}: {raw[:200]!r}", False)
        return
    for key, value in filled(scene, wanted.get("has", {})).items():
        yield agree(f"direct_url {key}", value, _dig(document, key))
    for key, value in filled(scene, wanted.get("if_there", {})).items():
        above, _, name = key.rpartition(".")
        table = _dig(document, above) if above else document
        if isinstance(table, dict) and name in table:
            yield agree(f"direct_url {key}", value, table[name])
    for key, pattern in filled(scene, wanted.get("matches", {})).items():
        found = shown(_dig(document, key))
        yield Finding(f"direct_url {key}", pattern, found, re.fullmatch(pattern, found) is not None)
    kinds: dict[str, type] = {"text": str, "table": dict, "boolean": bool}
    for key, kind in wanted.get("kinds", {}).items():
        found = _dig(document, key)
        yield Finding(f"direct_url {key}", kind, shown(found), isinstance(found, kinds[kind]))
    for key in wanted.get("lacks", []):
        found = _dig(document, key)
        yield Finding(f"direct_url {key}", "nothing", shown(found), found is None)
    for word in filled(scene, wanted.get("without", [])):
        yield Finding("direct_url", f"{word!r} nowhere", raw.decode(), word.encode() not in raw)
    if "hashes_of" in wanted:
        wrong = _wrong_hashes(_dig(document, "archive_info"), scene.made[wanted["hashes_of"]].data)
        right = "every hash is that of the file"
        yield Finding("direct_url archive_info", right, "; ".join(wrong) or right, not wrong)


def _wrong_hashes(info: Any, data: bytes) -> list[str]:
    """What is wrong with the hashes of an ``archive_info``; those that hashlib does not know are left alone."""
    info = info if isinstance(info, dict) else {}
    hashes, old, wrong = info.get("hashes", {}), info.get("hash"), []
    if not isinstance(hashes, dict):
        return ["hashes is no table"]
    named = [(str(name).lower(), str(digest).lower()) for name, digest in hashes.items()]
    if old is not None:
        name, _, digest = str(old).lower().partition("=")
        if not (name and digest):
            wrong.append(f"hash is {old}")
        if "hashes" in info and (name, digest) not in named:
            wrong.append("hashes lacks the hash of hash")
        named.append((name, digest))
    for name, digest in named:
        wrong += [f"{name} is {digest}"] if hex_digest(name, data) not in ("", digest) else []
    return wrong


def _dig(document: Any, key: str) -> Any:
    for part in key.split("."):
        document = document.get(part) if isinstance(document, dict) else None
    return document
