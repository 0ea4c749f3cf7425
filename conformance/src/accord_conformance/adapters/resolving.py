"""Resolvers: ``ASKED`` says which tool.  What it chooses is read from what it writes without installing anything; Poetry and PDM lock a project for this Python."""

import json
import os
import pathlib
import re
import subprocess
import sys

from sources import SOURCES
from speak import Unsupported, call, serve

ASKED = os.environ["ASKED"]
MORE = {"PDM_CHECK_UPDATE": "0", "PDM_IGNORE_SAVED_PYTHON": "1", "PDM_USE_VENV": "1"}
PROJECT = (
    """\
[project]
name = "asker"
version = "1.0"
requires-python = "==%d.%d.%d"
dependencies = %s
"""
    + SOURCES
    + """
[tool.pdm.resolution]
%s
"""
)


def pins(text):
    """Name and version of each line of a requirements file; a URL for a version where it has one."""
    found = {}
    for line in text.splitlines():
        line = line.strip().rstrip("\\").strip()
        if not line or line.startswith(("#", "-")):
            continue
        pin = re.match(r"([A-Za-z0-9._-]+)(?:\[[^]]*\])?\s*(?:===?\s*([^\s;]+)|@\s*(\S+))", line)
        if pin:
            url = pin[3] and re.search(r"-([0-9][^-]*?)(?:-[^/]*\.whl|\.tar\.gz)", pin[3])
            found[pin[1].lower()] = pin[2] or (url[1] if url else pin[3])
    return found


def pip(bin, target, index, more):
    """What pip would install: its report."""
    dry = ["install", "--dry-run", "--quiet", "--ignore-installed", "--report", "-", "--no-cache-dir"]
    said = call([bin + "/python", "-m", "pip", "--python", target, *dry, "--index-url", index, *more])
    report = json.loads(said)
    return {each["metadata"]["name"].lower(): each["metadata"]["version"] for each in report["install"]}


def resolve(requirements, project, bin, env, target, index, prereleases):
    folder = pathlib.Path(project)
    if ASKED == "pip":
        if prereleases == "forbid":
            raise Unsupported("pre-releases cannot be forbidden for all")
        return pip(bin, target, index, [*(["--pre"] if prereleases else []), *requirements])
    if ASKED in ("uv", "accord"):
        listed, written = folder / "asked.in", folder / "chosen.txt"
        listed.write_text("\n".join(requirements) + "\n")
        how = {"allow": ["--prerelease", "allow"], "forbid": ["--prerelease", "disallow"], "": []}[
            prereleases
        ]
        if ASKED == "uv":
            options = ["--default-index", index, "--no-cache", "--python", target, "-o", written, *how]
            call([bin + "/uv", "pip", "compile", "--quiet", listed, *options])
        else:
            options = ["--index-url", index, "--python", target, "-o", written, *how]
            call([bin + "/accord", "pip", "compile", listed, *options])
        return pins(written.read_text())
    if prereleases and not (ASKED == "pdm"):
        raise Unsupported("pre-releases are a matter of each dependency")
    allow = "allow-prereleases = %s\n" % str(prereleases == "allow").lower() if prereleases else ""
    text = PROJECT % (*sys.version_info[:3], json.dumps(requirements), index, index, allow)
    folder.joinpath("pyproject.toml").write_text(text)
    written = folder / "chosen.txt"
    more = {**MORE, "VIRTUAL_ENV": env}
    for name in ("poetry.lock", "pdm.lock"):
        folder.joinpath(name).unlink(missing_ok=True)
    if ASKED == "poetry":
        call([bin + "/poetry", "lock", "--no-interaction"], more=more)
        call([bin + "/poetry", "export", "--without-hashes", "-o", written], more=more)
        return here(written.read_text(), target)
    call([bin + "/pdm", "lock"], more=more)
    if re.search('file = "[^"]*[+]', folder.joinpath("pdm.lock").read_text()):
        raise Unsupported("its lock leaves local labels out")
    call([bin + "/pdm", "export", "--no-hashes", "-o", written], more=more)
    return here(written.read_text(), target)


def here(text, target):
    """The pins whose markers are true in the environment: its own Python cannot tell, so packaging of this tool does."""
    code = "import json, sys; from packaging.requirements import Requirement as R; "
    code += "print(json.dumps([l for l in json.load(sys.stdin) if not (r := R(l)).marker or r.marker.evaluate()]))"
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith(("#", "-"))]
    bin = os.path.join(os.environ["PATH"].split(os.pathsep)[0], "python")
    said = subprocess.run(
        [bin, "-c", code], input=json.dumps(lines), capture_output=True, text=True, check=True
    )
    return pins("\n".join(json.loads(said.stdout)))


def resolve_group(group, project, bin, target, index):
    if ASKED == "pip":
        return pip(bin, target, index, ["--group", group])
    written = pathlib.Path(project, "chosen.txt")
    if ASKED == "uv":
        options = ["--default-index", index, "--no-cache", "--python", target, "-o", written]
        call([bin + "/uv", "pip", "compile", "--quiet", "--group", group, *options])
    elif ASKED == "accord":
        options = ["--index-url", index, "--python", target, "-o", written]
        call([bin + "/accord", "pip", "compile", "--group", group, *options])
    else:
        raise Unsupported("groups are not resolved alone")
    return pins(written.read_text())


serve({"resolve": resolve, "resolve-group": resolve_group})
