"""Wrong installers, each with one seeded fault in what it leaves behind: the suite finds every one."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from accord_conformance.protocol import Answer, Request
from accord_conformance.testing import Damage, agreeing, cases_like, failures, tool_here

Rows = list[list[str]]


def after(change: Callable[[Path, Path], None], *verbs: str) -> Damage:
    """Changes the environment (its folder, its folder of modules) after an honest request of one of the verbs."""

    def damage(request: Request, answer: Answer) -> Answer:
        if request.do in verbs and answer.outcome == "done":
            change(Path(request.values["env"]), Path(request.values["purelib"]))
        return answer

    return damage


def installed(change: Callable[[Path, Path], None]) -> Damage:
    verbs = ("install", "install-from-index", "install-requirements", "install-editable", "install-directory")
    return after(change, *verbs)


def in_record(change: Callable[[Rows], Rows]) -> Damage:
    """Changes the rows of RECORD."""

    def rewrite(env: Path, purelib: Path) -> None:
        for path in purelib.glob("*.dist-info/RECORD"):
            rows = change(list(csv.reader(path.read_text("utf-8").splitlines())))
            text = io.StringIO()
            csv.writer(text, lineterminator="\n").writerows(rows)
            path.write_text(text.getvalue(), encoding="utf-8")

    return installed(rewrite)


def in_direct_url(change: Callable[[dict[str, Any]], object]) -> Damage:
    """Changes the document in direct_url.json."""

    def rewrite(env: Path, purelib: Path) -> None:
        for path in purelib.glob("*.dist-info/direct_url.json"):
            document = json.loads(path.read_text("utf-8"))
            change(document)
            path.write_text(json.dumps(document), encoding="utf-8")

    return installed(rewrite)


def in_script(name: str, old: str, new: str) -> Damage:
    """Changes the text of a program."""

    def rewrite(env: Path, purelib: Path) -> None:
        path = env / "bin" / name
        text = path.read_text("utf-8")
        assert old in text, text
        path.write_text(text.replace(old, new), encoding="utf-8")

    return installed(rewrite)


def left(where: str) -> Callable[[Path, Path], None]:
    """Something that should not be in the folder of modules."""

    def make(env: Path, purelib: Path) -> None:
        path = purelib / where
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("left\n", encoding="utf-8")

    return make


def lost(where: str) -> Callable[[Path, Path], None]:
    """Something that should be in the environment."""

    def take(env: Path, purelib: Path) -> None:
        for path in env.glob(where):
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    return take


def in_file(where: str, old: str, new: str) -> Damage:
    """Changes the text of a file in the folder of modules."""

    def rewrite(env: Path, purelib: Path) -> None:
        text = (purelib / where).read_text("utf-8")
        assert old in text, text
        (purelib / where).write_text(text.replace(old, new), encoding="utf-8")

    return installed(rewrite)


def compiled_untruly(request: Request, answer: Answer) -> Answer:
    """Compiles, and lists the file with the hash of nothing."""
    name = f"demo/__pycache__/one.{sys.implementation.cache_tag}.pyc"
    left(name)(Path(request.values["env"]), Path(request.values["purelib"]))
    nothing = "sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"
    return in_record(lambda rows: [*rows, [name, nothing, ""]])(request, answer)


def minds_the_installer(request: Request, answer: Answer) -> Answer:
    return replace(answer, outcome="refused")


def removed_anyway(request: Request, answer: Answer) -> Answer:
    """Takes a project away though there is no RECORD."""
    if request.do == "uninstall" and answer.outcome == "refused":
        for path in Path(request.values["purelib"]).glob("demo*"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    return agreeing(request, answer)


def touches_below(request: Request, answer: Answer) -> Answer:
    """Takes the release of the Python below away as well."""
    for path in (Path(request.values["folder"]) / "base").rglob("site-packages/demo*"):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    return answer


def remembers_the_password(request: Request, answer: Answer) -> Answer:
    for path in Path(request.values["purelib"]).glob("*.dist-info/direct_url.json"):
        document = json.loads(path.read_text("utf-8"))
        document["url"] = document["url"].replace("http://", "http://somebody:s3cret-word@")
        path.write_text(json.dumps(document), encoding="utf-8")
    return answer


def takes_the_newest_commit(request: Request, answer: Answer) -> Answer:
    """Whatever revision the URL names."""
    git = Path(request.values["repositories"]) / "demo" / ".git"
    newest = (git / "refs" / "heads" / "main").read_text("utf-8").strip()
    return in_direct_url(lambda document: document["vcs_info"].update(commit_id=newest))(request, answer)


def keeps_the_old_release(env: Path, purelib: Path) -> None:
    """Beside a newer one, which has a direct_url.json."""
    if (purelib / "demo-2.0.dist-info").exists():
        (purelib / "demo-1.0.dist-info").mkdir()
        _write(purelib / "demo-2.0.dist-info" / "direct_url.json", "{}")


def hash_without_hashes(document: dict[str, Any]) -> None:
    """The hash of hash is not in hashes."""
    document["archive_info"] = {
        "hash": f"sha256={document['archive_info']['hashes']['sha256']}",
        "hashes": {},
    }


def renamed(old: str, new: str) -> Callable[[Path, Path], None]:
    return lambda env, purelib: os.replace(env / old, env / new)


def without(name: str) -> Callable[[Rows], Rows]:
    return lambda rows: [row for row in rows if not row[0].endswith(name)]


def first_row(change: Callable[[list[str]], list[str]]) -> Callable[[Rows], Rows]:
    return lambda rows: [change(rows[0]), *rows[1:]]


CASES = "installer/"
# Name: (the case that must find it, damage).
FAULTS: dict[str, tuple[str, Damage]] = {
    "verifies no hashes": ("refuse/wrong-hash", agreeing),
    "takes files that RECORD does not mention": ("refuse/unmentioned", agreeing),
    "takes a file without a hash": ("refuse/no-hash", agreeing),
    "takes a wheel of the next major version": ("unpack/newer-major", agreeing),
    "takes a wheel without METADATA": ("refuse/no-metadata", agreeing),
    "does not list RECORD itself": ("record/own-folder", in_record(without(".dist-info/RECORD"))),
    "does not list the scripts it made": ("record/generated-scripts", in_record(without("bin/demo-cli"))),
    "lists a file that is not there": (
        "record/complete",
        in_record(lambda rows: [*rows, ["ghost.py", "", ""]]),
    ),
    "leaves a file unlisted": ("record/complete", installed(left("stray.txt"))),
    "pads its hashes": ("record/form", in_record(first_row(lambda row: [row[0], row[1] + "=", row[2]]))),
    "names hashes nobody knows": (
        "record/form",
        in_record(first_row(lambda row: [row[0], "sum=abc", row[2]])),
    ),
    "writes two fields": ("record/form", in_record(first_row(lambda row: row[:2]))),
    "lists a directory": (
        "record/directories",
        in_record(lambda rows: [*rows, ["demo-1.0.dist-info", "", ""]]),
    ),
    "writes hexadecimal digests": (
        "record/form",
        in_record(first_row(lambda row: [row[0], "sha256=" + hashlib.sha256().hexdigest(), row[2]])),
    ),
    "records sizes of before": (
        "record/rewritten-script",
        in_record(lambda rows: [[a, b, c and "1"] for a, b, c in rows]),
    ),
    "leaves hashes out": ("record/hashed", in_record(lambda rows: [[row[0], "", ""] for row in rows])),
    "lists a file twice": ("record/once", in_record(lambda rows: [*rows, rows[0]])),
    "lists a file in two spellings": (
        "record/once",
        in_record(lambda rows: [*rows, ["../site-packages/demo.py", "", ""]]),
    ),
    "lists compiled files untruly": ("record/compiled-optional", compiled_untruly),
    "writes METADATA of 2001": (
        "record/metadata-kept",
        in_file("demo_pkg-1.0.dist-info/METADATA", "Metadata-Version: 2.1", "Metadata-Version: 1.0"),
    ),
    "names the folder by METADATA": (
        "record/folder-normalised",
        installed(
            lambda env, purelib: os.replace(
                purelib / "demo_pkg_more-1.0.post1.dist-info", purelib / "demo_pkg_more-1.0_1.dist-info"
            )
        ),
    ),
    "says who it is in other letters": (
        "record/installer-printable",
        installed(
            lambda env, purelib: _write(purelib / "demo-1.0.dist-info" / "INSTALLER", "\u00e9t\u00e9\n")
        ),
    ),
    "writes two lines into INSTALLER": (
        "record/installer-line",
        installed(lambda env, purelib: _write(purelib / "demo-1.0.dist-info" / "INSTALLER", "one\ntwo\n")),
    ),
    "copies no licences": (
        "record/licences-unnamed",
        installed(lost("lib/*/site-packages/*.dist-info/licenses")),
    ),
    "copies no SBOMs": ("record/sboms", installed(lost("lib/*/site-packages/*.dist-info/sboms/deep"))),
    "changes SBOMs": (
        "metadata/bills-of-materials",
        installed(
            lambda env, purelib: _write(purelib / "demo-1.0.dist-info" / "sboms" / "one.cdx.json", "{}\n")
        ),
    ),
    "leaves .data behind": ("unpack/data-gone", installed(left("demo-1.0.data/data/share/demo.txt"))),
    "forgets data files": ("unpack/data-data", installed(lost("demo.cfg"))),
    "forgets headers": ("unpack/data-headers", installed(lost("include/**/demo_header.h"))),
    "leaves headers among the modules": (
        "unpack/data-headers",
        installed(lambda env, purelib: _move(env.glob("include/**/demo_header.h"), purelib)),
    ),
    "takes programs for text": (
        "unpack/binary-script",
        installed(lambda env, purelib: _write(env / "bin" / "demo-bin", "no text\n")),
    ),
    "lists what it installed beside it": (
        "unpack/two-wheels",
        in_record(lambda rows: [*rows, ["other.py", "", ""]]),
    ),
    "makes scripts nobody may run": (
        "entry-points/console",
        installed(lambda env, purelib: (env / "bin" / "demo-cli").chmod(0o644)),
    ),
    "rewrites any first line": (
        "unpack/other-script",
        in_script("demo-tool", "/usr/bin/env python3", "/bin/python"),
    ),
    "prefers the smaller build": (
        "names/greater-build",
        installed(lambda env, purelib: _write(purelib / "demo.py", "1")),
    ),
    "writes direct_url.json always": (
        "direct-url/by-name",
        installed(lambda env, purelib: _write(purelib / "demo-1.0.dist-info" / "direct_url.json", "{}")),
    ),
    "writes no hashes": (
        "direct-url/hashes",
        in_direct_url(lambda document: document["archive_info"].clear()),
    ),
    "writes an untrue hash beside the true one": (
        "direct-url/hashes-true",
        in_direct_url(lambda document: document["archive_info"]["hashes"].update(md5="0" * 32)),
    ),
    "writes hash, and hashes without it": ("direct-url/hashes-true", in_direct_url(hash_without_hashes)),
    "writes direct_url.json beside an older release": (
        "direct-url/by-name-after-url",
        installed(keeps_the_old_release),
    ),
    "writes false as text": (
        "direct-url/directory-not-editable",
        in_direct_url(lambda document: document["dir_info"].update(editable="false")),
    ),
    "encodes no letters": (
        "direct-url/directory-unicode",
        in_direct_url(lambda document: document.update(url=unquote(document["url"]))),
    ),
    "writes a commit without vcs_info": (
        "direct-url/checkout",
        in_direct_url(lambda document: document["dir_info"].update(commit_id="0" * 40)),
    ),
    "takes the newest commit for a tag": ("direct-url/git-tag", takes_the_newest_commit),
    "takes the newest commit for a branch": ("direct-url/git-branch", takes_the_newest_commit),
    "keeps the password": ("direct-url/password", remembers_the_password),
    "keeps git+ in the URL": (
        "direct-url/git-url",
        in_direct_url(lambda document: document.update(url="git+" + document["url"])),
    ),
    "invents a revision": (
        "direct-url/git",
        in_direct_url(lambda document: document["vcs_info"].update(requested_revision="HEAD")),
    ),
    "forgets that it is editable": (
        "direct-url/editable",
        in_direct_url(lambda document: document["dir_info"].clear()),
    ),
    "infers version control": (
        "direct-url/checkout",
        in_direct_url(lambda document: document.update(vcs_info={"vcs": "git", "commit_id": "0" * 40})),
    ),
    "lowers the case of commands": ("entry-points/case", installed(renamed("bin/DemoCLI", "bin/democli"))),
    "gives commands no standard error": (
        "entry-points/streams",
        in_script("demo-cli", "sys.exit(", "sys.stderr = open('/dev/null', 'w'); sys.exit("),
    ),
    "gives graphical commands no standard output": (
        "entry-points/gui-streams",
        in_script("demo-gui", "sys.exit(", "sys.stdout = open('/dev/null', 'w'); sys.exit("),
    ),
    "makes no graphical commands": ("entry-points/gui", installed(lost("bin/demo-gui"))),
    "makes commands of every group": (
        "entry-points/other-group",
        installed(lambda env, purelib: _write(env / "bin" / "demo-plugin", "x")),
    ),
    "loses the exit code": ("entry-points/exit-code", in_script("demo-cli", "sys.exit(", "print(")),
    "leaves compiled files": (
        "uninstall/compiled-optimised",
        after(left(f"__pycache__/demo.{sys.implementation.cache_tag}.opt-2.pyc"), "uninstall"),
    ),
    "leaves what was compiled later": (
        "uninstall/own-compiled",
        after(left(f"demo/__pycache__/two.{sys.implementation.cache_tag}.pyc"), "uninstall"),
    ),
    "leaves listed .pyc files without a source": (
        "uninstall/compiled-listed",
        after(left(f"__pycache__/bare.{sys.implementation.cache_tag}.pyc"), "uninstall"),
    ),
    "leaves RECORD": ("uninstall/own", after(left("demo-1.0.dist-info/RECORD"), "uninstall")),
    "minds who INSTALLER names": ("uninstall/of-another", minds_the_installer),
    "leaves empty folders": (
        "uninstall/emptied-folders",
        after(lambda env, purelib: (purelib / "only" / "demo").mkdir(parents=True), "uninstall"),
    ),
    "leaves emptied folders outside": (
        "uninstall/own-folders",
        after(lambda env, purelib: (env / "share" / "demo").mkdir(parents=True), "uninstall"),
    ),
    "removes what is not listed": (
        "uninstall/unlisted-stays",
        after(lost("lib/*/site-packages/demo"), "uninstall"),
    ),
    "removes the neighbour": (
        "uninstall/neighbour-stays",
        after(lost("lib/*/site-packages/demo_extra.py"), "uninstall"),
    ),
    "leaves scripts": (
        "uninstall/relative-outside",
        after(lambda env, purelib: _write(env / "bin" / "demo-tool", "x"), "uninstall"),
    ),
    "uninstalls without RECORD": ("uninstall/no-record", removed_anyway),
    "leaves the old release": ("uninstall/upgrade", after(left("old.py"), "upgrade")),
    "removes what lies below": ("managed/upgrade-outside", touches_below),
}


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def _move(paths: Iterable[Path], folder: Path) -> None:
    for path in list(paths):
        shutil.move(path, folder)


@pytest.mark.parametrize("name", FAULTS)
def test_the_fault_is_found(name: str) -> None:
    case, damage = FAULTS[name]
    cases = cases_like(CASES + case)
    tool = tool_here("accord")

    assert len(cases) == 1
    assert not failures(tool, cases), "the honest tool passes"
    assert failures(tool, cases, damage)
