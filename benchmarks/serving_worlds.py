"""What the benchmarks of serving serve: a project of many files, a large wheel, an index of a million files.

Rows are written straight into the tables, as the server would have left them: uploading a million files is another
benchmark.  Everything is the same at each run.
"""

from __future__ import annotations

import base64
import hashlib
import io
import os
import random
import zipfile
from collections.abc import Iterator
from typing import Any

from sqlalchemy import insert

from accord.server.catalogue.names import look_alike
from accord.server.database import Database, tables
from accord.server.parts import first_start, open_parts
from accord.server.settings import Settings

__all__ = ["BIG_WHEEL", "MANY", "make_index", "project_names", "questions", "small_wheel", "wheel"]

MANY = "many"
BIG_WHEEL = "big-1.0-py3-none-any.whl"
_AT = 1_790_000_000_000_000
_BATCH = 20_000
_NEEDED = 300  # projects that others need
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "data", "words.txt")) as _stream:
    _SPOKEN = _stream.read().split()  # that names and summaries are made of


def project_names(count: int) -> list[str]:
    """Different names of one to four words, the short ones first."""
    made: dict[str, None] = dict.fromkeys(_SPOKEN)
    rng = random.Random(7)
    endings = ("", "", "", "-py", "lib", "2", "-plus", "-ng")
    while len(made) < count:
        words = rng.choices(_SPOKEN, k=2 if rng.random() < 0.7 else 3)
        made[rng.choice(("-", "-", "")).join(words) + rng.choice(endings)] = None
    return list(made)[:count]


def questions(count: int) -> list[str]:
    """What people search for: a name, its beginning, a slip in it, one or two words, a part of a name, a letter, nothing
    there is."""
    rng = random.Random(11)
    names = project_names(100_000)
    found = []
    for number in range(count):
        name = rng.choice(names)
        at = rng.randrange(1, max(2, len(name) - 1))
        found.append(
            (
                name,
                name[: max(3, at)],
                name[: at - 1] + name[at : at + 1] + name[at - 1 : at] + name[at + 1 :],
                name[:at] + name[at + 1 :],
                rng.choice(_SPOKEN),
                " ".join(rng.choices(_SPOKEN, k=2)),
                " ".join(rng.choices(_SPOKEN, k=3)),
                name[1:-1],
                rng.choice("abcdefghijklmnopqrstuvwxyz"),
                rng.choice(_SPOKEN)[:2],
                "".join(rng.choices("bcdfghjklmnpqrstvwxz", k=8)),
                "the",
            )[number % 12]
        )
    return found


def wheel(name: str, version: str, payload: bytes = b"") -> bytes:
    """A small honest wheel; ``payload`` is stored in it as it is."""
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}/__init__.py": b"",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nRequires-Python: >=3.8\n".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: bench\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    if payload:
        files[f"{name}/payload.bin"] = payload
    lines = []
    for path, data in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")
        lines.append(f"{path},sha256={digest},{len(data)}\n")
    files[f"{info}/RECORD"] = "".join([*lines, f"{info}/RECORD,,\n"]).encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path, data in files.items():
            archive.writestr(zipfile.ZipInfo(path), data)
    return buffer.getvalue()


def small_wheel(number: int) -> tuple[str, bytes]:
    """The file name and bytes of one of the many: a hundred builds of each version, because devpi takes a second for each
    upload once a project has a thousand versions."""
    version, build = f"1.{number // 100}", number % 100 + 1
    return f"{MANY}-{version}-{build}-py3-none-any.whl", wheel(MANY, version, payload=b"%d" % number)


def make_index(folder: str, *, projects: int = 0, files_each: int = 10, many: int = 0, big: int = 0) -> str:
    """An index in ``folder``; returns its administrator's token.

    ``projects`` of ``files_each`` files without bytes, which can be searched for; the project :data:`MANY` with ``many``
    files without bytes; and the wheel :data:`BIG_WHEEL` of ``big`` bytes, with them.
    """
    parts = open_parts(Settings(folder))
    token = first_start(parts) or ""
    if big:
        _big(parts.database, parts.storage, os.path.join(folder, "incoming", "big"), big)
    if many:
        _fill(parts.database, [MANY], many)
    if projects:
        _fill(parts.database, project_names(projects), files_each)
    parts.search.fill()
    parts.close()
    return token


def _big(database: Database, storage: Any, path: str, size: int) -> None:
    data = wheel("big", "1.0", random.Random(1).randbytes(size))
    with open(path, "wb") as file:
        file.write(data)
    digest = hashlib.sha256(data).hexdigest()
    storage.put(digest, path)
    _fill(database, ["big"], 1, name=BIG_WHEEL, digest=digest, size=len(data))


def _fill(
    database: Database, names: list[str], files: int, *, name: str = "", digest: str = "", size: int = 1000
) -> None:
    for start in range(0, len(names), max(1, _BATCH // files)):
        batch = names[start : start + max(1, _BATCH // files)]
        with database.write("bench") as writing:
            connection = writing.connection
            before = connection.exec_driver_sql(
                "SELECT coalesce(max(p.id), 0), coalesce((SELECT max(id) FROM release), 0) FROM project p"
            ).one()
            first_project, first_release = before[0] + 1, before[1] + 1
            connection.execute(insert(tables.project), list(_projects(batch, first_project)))
            rows = list(_releases(batch, files, first_project, first_release))
            connection.execute(insert(tables.release), rows)
            connection.execute(
                insert(tables.file), [_file(row, batch, first_project, name, digest, size) for row in rows]
            )
            if len(names) > _NEEDED:
                connection.execute(insert(tables.dependency), list(_needs(rows, files, names)))
            for row in rows[
                files - 1 :: files
            ]:  # one entry of the journal for each project, not for each file
                project = batch[row["project_id"] - first_project]
                writing.changed(1, "add-file", project=project, version=row["version"])


def _projects(names: list[str], first: int) -> Iterator[dict[str, Any]]:
    for number, name in enumerate(names):
        yield {
            "id": first + number,
            "index_id": 1,
            "name": name,
            "display": name,
            "look_alike": look_alike(name),
            "created": _AT,
            "serial": 0,
        }


def _releases(names: list[str], files: int, project: int, first: int) -> Iterator[dict[str, Any]]:
    rng = random.Random(first)
    summary = ""
    for number in range(len(names) * files):
        if number % files == 0:
            summary = f"{' '.join(rng.choices(_SPOKEN, k=6))} for the rest of us"
        yield {
            "id": first + number,
            "project_id": project + number // files,
            "version": f"1.{number % files}",
            "created": _AT,
            "published": _AT,
            "summary": summary,
            "about": {"Requires-Python": [">=3.8"]},
        }


def _needs(releases: list[dict[str, Any]], files: int, names: list[str]) -> Iterator[dict[str, Any]]:
    """What the newest release of each project needs."""
    rng = random.Random(releases[0]["id"])
    for release in releases[files - 1 :: files]:
        for position, need in enumerate(rng.sample(names[:_NEEDED], 3)):
            yield {"release_id": release["id"], "position": position, "name": need, "requirement": need}


def _file(
    release: dict[str, Any], names: list[str], first_project: int, name: str, digest: str, size: int
) -> dict[str, Any]:
    project = names[release["project_id"] - first_project]
    filename = name or f"{project.replace('-', '_')}-{release['version']}-py3-none-any.whl"
    sha256 = digest or hashlib.sha256(filename.encode()).hexdigest()
    return {
        "index_id": 1,
        "project_id": release["project_id"],
        "release_id": release["id"],
        "filename": filename,
        "kind": "wheel",
        "size": size,
        "sha256": sha256,
        "blake2b_256": sha256,
        "md5": sha256[:32],
        "requires_python": ">=3.8",
        "metadata_sha256": hashlib.sha256(sha256.encode()).hexdigest(),
        "tags": "py3-none-any",
        "uploaded": _AT,
        "uploader": "bench",
        "state": "live",
        "added_serial": 1,  # one for all is as good as one for each
    }
