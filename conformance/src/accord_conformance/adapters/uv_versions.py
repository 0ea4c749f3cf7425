"""uv as a version library, by its commands.

A version is asked of ``uv version``, a requirement of ``uv add``, a specifier of ``uv pip compile``, which chooses among wheels of a folder.  For markers and tags the
interpreter is a script that runs the real one and tells what the case says.
"""

import json
import os
import re
import shutil
import sys
import tempfile
import zipfile

from speak import Refused, Unsupported, call, serve

UV = os.path.join(os.path.dirname(sys.executable), "uv")
UNSATISFIABLE = re.compile(
    "No solution found|not compatible with|no compatible|has no wheels|no wheels with a matching"
)
FAKE = """#!%s
import json, subprocess, sys
done = subprocess.run([sys.executable, *sys.argv[1:]], stdout=subprocess.PIPE)
said = json.loads(done.stdout) if done.stdout.startswith(b"{") else None
if said is None:
    sys.stdout.buffer.write(done.stdout)
else:
    with open(%r) as stream:
        told = json.load(stream)
    said["markers"].update(told.pop("markers", {}))
    said.update(told)
    print(json.dumps(said))
sys.exit(done.returncode)
"""


class Work:
    """A folder for one question."""

    def __enter__(self):
        self.path = tempfile.mkdtemp(prefix="conformance-uv-")
        self.links = os.path.join(self.path, "links")
        os.mkdir(self.links)
        self.python = sys.executable
        return self

    def __exit__(self, *exception):
        shutil.rmtree(self.path)

    def run(self, *arguments):
        options = ["--no-cache", "--offline", "--no-config", "--color", "never"]
        return call([UV, *options, *arguments], folder=self.path)

    def project(self):
        with open(os.path.join(self.path, "pyproject.toml"), "w") as stream:
            stream.write('[project]\nname = "asker"\nversion = "0"\nrequires-python = ">=3.8"\n')

    def wheel(self, version, tag="py3-none-any"):
        path = os.path.join(self.links, "demo-%s-%s.whl" % (version, tag))
        info = "demo-%s.dist-info/" % version
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(info + "METADATA", "Metadata-Version: 2.1\nName: demo\nVersion: %s\n" % version)
            archive.writestr(info + "WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: %s\n" % tag)
            archive.writestr(info + "RECORD", "")

    def interpreter(self, told):
        """An interpreter that tells this of itself."""
        self.python = os.path.join(self.path, "python")
        answers = os.path.join(self.path, "told.json")
        with open(answers, "w") as stream:
            json.dump(told, stream)
        with open(self.python, "w") as stream:
            stream.write(FAKE % (sys.executable, answers))
        os.chmod(self.python, 0o755)

    def chosen(self, requirement, *options):
        """The version of demo that is chosen for the requirement; empty for none."""
        lines = os.path.join(self.path, "requirements.in")
        with open(lines, "w", encoding="utf-8") as stream:
            stream.write(requirement + "\n")
        links = ["--no-index", "--find-links", self.links, "--only-binary", ":all:"]
        try:
            said = self.run(
                "pip",
                "compile",
                "--quiet",
                "--no-header",
                "--no-annotate",
                "--python",
                self.python,
                *links,
                *options,
                lines,
            )
        except Refused as error:
            if UNSATISFIABLE.search(str(error)):
                return ""
            raise
        found = re.search("^demo==(\\S+)", said, re.MULTILINE)
        return found[1] if found else ""


def normalise_version(version):
    with Work() as work:
        work.project()
        return work.run("version", "--frozen", "--short", "--", version).strip()


def check_version(version):
    normalise_version(version)


def compare(left, right):
    one, two = normalise_version(left), normalise_version(right)
    if contains("==" + one, two, True) and contains("==" + two, one, True):
        return "="
    with Work() as work:
        work.wheel(one)
        work.wheel(two)
        return ">" if work.chosen("demo", "--prerelease", "allow") == one else "<"


def contains(specifier, version, prereleases=None):
    with Work() as work:
        work.wheel(version)
        return bool(work.chosen("demo" + specifier, *choice(prereleases)))


def choice(prereleases):
    if prereleases is None:
        return []
    return ["--prerelease", "allow" if prereleases else "disallow"]


def parse_specifier(specifier):
    with Work() as work:
        work.wheel("1.0")
        work.chosen("demo" + specifier)


def added(requirement):
    """The requirement as uv writes it into a project."""
    with Work() as work:
        work.project()
        try:
            work.run("add", "--frozen", "--raw-sources", "--", requirement)
        except Refused as error:
            if "supported file extension" in str(error):
                raise Unsupported("wants to know what kind of file the URL names") from error
            raise
        with open(os.path.join(work.path, "pyproject.toml"), encoding="utf-8") as stream:
            text = stream.read()
    found = re.search("dependencies = \\[\\s*(\".*\"|'.*'),?\\s*\\]", text)
    if not found:
        raise Refused("it was taken, and nothing was written: " + text)
    return json.loads(found[1]) if found[1].startswith('"') else found[1][1:-1]


def requirement(requirement):
    text = added(requirement)
    url = re.match("([^\\s\\[@]+)(?:\\[(.*?)\\])? @ (\\S+)(?: ;(.*))?$", text)
    plain = re.match("([A-Za-z0-9._-]+)(?:\\[(.*?)\\])?([^;]*?)\\s*(?:;(.*))?$", text)
    found = url or plain
    extras = [each.strip() for each in (found[2] or "").split(",") if each.strip()]
    clauses = [] if url else [each.replace(" ", "") for each in found[3].split(",") if each.strip()]
    return {
        "name": found[1],
        "extras": sorted(extras),
        "specifier": ",".join(sorted(clauses)),
        "url": url[3] if url else None,
        "marker": found[4] is not None,
    }


def evaluate(marker, environment):
    if {"extra", "extras", "dependency_groups"} & set(environment):
        raise Unsupported("which extras are asked for is no part of this command")
    with Work() as work:
        work.wheel("1.0")
        work.interpreter({"markers": environment})
        return bool(work.chosen("demo ; " + marker))


def normalise_name(name):
    with Work() as work:
        work.project()
        return re.match("[A-Za-z0-9._-]+", added(name))[0]


def check_name(name):
    if name != name.strip():
        raise Unsupported("a requirement is asked, which may have white space around")
    added(name)


def fits(tag, system):
    version = [int(each) for each in system.get("version", "0.0").split(".")]
    major, minor = [*version, 0][:2]
    arch = system["arch"]
    kinds = {
        "macos": {"name": "macos", "major": major, "minor": minor},
        "windows": {"name": "windows"},
        "android": {"name": "android", "api_level": major},
        "ios": {"name": "ios", "major": major, "minor": minor, "simulator": arch.endswith("simulator")},
        "linux": {
            "name": "musllinux" if system.get("libc") == "musl" else "manylinux",
            "major": major,
            "minor": minor,
        },
    }
    if system["os"] == "android":
        raise Unsupported("the interpreter's answer on Android is not known here")
    full = system["python"] + ".1"
    told = {
        "os": kinds[system["os"]],
        "arch": arch.split("_iphone")[0].replace("win_", "").replace("amd64", "x86_64"),
        "markers": {
            "python_version": system["python"],
            "python_full_version": full,
            "implementation_version": full,
        },
    }
    with Work() as work:
        work.wheel("1.0", tag)
        work.interpreter(told)
        return bool(work.chosen("demo"))


serve(
    {
        "normalise-version": normalise_version,
        "check-version": check_version,
        "compare-versions": compare,
        "contains": contains,
        "parse-specifier": parse_specifier,
        "parse-requirement": requirement,
        "evaluate-marker": evaluate,
        "normalise-name": normalise_name,
        "check-name": check_name,
        "tag-fits": fits,
    }
)
