"""A build backend that tells what a frontend does: each call of a hook is a line of JSON in a log, with what could be seen from inside.

Its text goes into a source tree with ``PLAN`` filled in, so that it needs nothing of its surroundings.  Any Python 3 runs it.  The plan: ``log``, ``lacks`` (hooks it does
not have), ``requires`` (hook: requirements), ``raises``, ``unsupported`` and ``exits`` (hooks), ``prints`` (text), ``noise`` (bytes that are no text), ``watch`` (modules), ``scripts``
(programs to look for), ``seek`` (names to look for in the folders above), ``spoils`` (global state is changed), ``name`` and ``version`` of what it builds.
"""

import base64
import hashlib
import importlib
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile

PLAN = json.loads(r"""@PLAN@""")
# Kept where a module that is imported anew in the same process finds it.
CALLS = vars(sys).setdefault("probe_calls", [])


class UnsupportedOperation(Exception):
    """This cannot be built here, for a reason that is understood."""


def _version(module):
    try:
        return str(getattr(importlib.import_module(module), "version", True))
    except ImportError:
        return None


def _child(module):
    code = "import %s as found; print(getattr(found, 'version', True))" % module
    done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return done.stdout.decode().strip() if done.returncode == 0 else None


def _tree():
    found = {}
    for folder, folders, files in os.walk("."):
        for name in folders + files:
            path = os.path.join(folder, name)
            there = os.lstat(path)
            kind = "link" if os.path.islink(path) else "folder" if os.path.isdir(path) else "file"
            if kind == "file" and not os.path.isfile(path):
                kind = "other"
            outside = not os.path.realpath(path).startswith(os.path.realpath(".") + os.sep)
            found[os.path.relpath(path, ".")] = {
                "kind": kind,
                "mode": there.st_mode & 0o7777,
                "outside": outside,
            }
    return found


def _above():
    found, folder, last = [], os.path.realpath("."), os.path.dirname(os.path.realpath(PLAN["log"]))
    for _ in range(4):
        if folder == last:
            break
        folder = os.path.dirname(folder)
        paths = [os.path.join(folder, name) for name in PLAN.get("seek", [])]
        found += [path for path in paths if os.path.lexists(path)]
    return found


def _stdin():
    try:
        return sys.stdin.read(1) == "" if sys.stdin else True
    except (OSError, ValueError):
        return True


def _note(hook, settings, **more):
    CALLS.append(hook)
    here = os.path.dirname(os.path.abspath(__file__))
    entry = {
        "hook": hook,
        "settings": settings,
        "cwd": os.path.realpath("."),
        "in_tree": os.path.exists("pyproject.toml"),
        "path": [os.path.realpath(each) if each else each for each in sys.path[:4]],
        "beside": os.path.realpath(here),
        "calls": list(CALLS),
        "sees": {name: _version(name) for name in PLAN.get("watch", [])},
        "child_sees": {name: _child(name) for name in PLAN.get("watch", [])},
        "programs": {name: shutil.which(name) is not None for name in PLAN.get("scripts", [])},
        "spoiled": os.environ.get("PROBE_SPOILED"),
        "empty_stdin": _stdin(),
        "tree": _tree() if PLAN.get("tree") else {},
        "above": _above(),
    }
    entry.update(more)
    with open(PLAN["log"], "a", encoding="utf-8") as stream:
        stream.write(json.dumps(entry) + "\n")
    if hook in PLAN.get("prints", {}):
        print(PLAN["prints"][hook])
        sys.stderr.write("and on the other stream\n")
    if hook in PLAN.get("noise", []):
        sys.stdout.flush()
        sys.stderr.flush()
        for stream in (1, 2):
            os.write(stream, b"\xff\xfe not text \x80\n")
    if hook in PLAN.get("raises", []):
        raise RuntimeError("the probe raises in " + hook)
    if hook in PLAN.get("unsupported", []):
        raise UnsupportedOperation("the probe cannot do " + hook)
    if hook in PLAN.get("exits", {}):
        sys.stdout.flush()
        os._exit(PLAN["exits"][hook])
    if PLAN.get("spoils"):
        os.environ["PROBE_SPOILED"] = hook
        sys.path.insert(0, "/nowhere")
        if hook.startswith("get_requires"):  # the others read and write in it
            os.chdir(os.sep)


NAME, VERSION = PLAN.get("name", "demo"), PLAN.get("version", "1.0")
DIST_INFO = "%s-%s.dist-info" % (NAME, VERSION)
METADATA = "Metadata-Version: 2.2\nName: %s\nVersion: %s\n" % (NAME, VERSION)
WHEEL = "Wheel-Version: 1.0\nGenerator: probe\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
PREPARED = {"METADATA": METADATA, "WHEEL": WHEEL, "probe-decided.txt": "a decision\n"}


def _write_wheel(directory, members):
    points = "[console_scripts]\ndemo = demo:main\n"
    members.update({DIST_INFO + "/METADATA": METADATA, DIST_INFO + "/WHEEL": WHEEL})
    members[DIST_INFO + "/entry_points.txt"] = points
    record = ""
    for name, text in members.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        record += "%s,sha256=%s,%d\n" % (name, digest, len(text.encode()))
    members[DIST_INFO + "/RECORD"] = record + DIST_INFO + "/RECORD,,\n"
    filename = "%s-%s-py3-none-any.whl" % (NAME, VERSION)
    with zipfile.ZipFile(os.path.join(directory, filename), "w") as archive:
        for name, text in members.items():
            archive.writestr(zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0)), text)
    return filename


def _listing(directory):
    if directory is None:
        return None
    found = {}
    for name in sorted(os.listdir(directory)):
        with open(os.path.join(directory, name), encoding="utf-8") as stream:
            found[name] = stream.read()
    return found


def _prepare(metadata_directory):
    folder = os.path.join(metadata_directory, DIST_INFO)
    os.mkdir(folder)
    for name, text in PREPARED.items():
        with open(os.path.join(folder, name), "w", encoding="utf-8") as stream:
            stream.write(text)
    return DIST_INFO


def get_requires_for_build_wheel(config_settings=None):
    _note("get_requires_for_build_wheel", config_settings)
    return PLAN.get("requires", {}).get("wheel", [])


def get_requires_for_build_sdist(config_settings=None):
    _note("get_requires_for_build_sdist", config_settings)
    return PLAN.get("requires", {}).get("sdist", [])


def get_requires_for_build_editable(config_settings=None):
    _note("get_requires_for_build_editable", config_settings)
    return PLAN.get("requires", {}).get("editable", [])


def prepare_metadata_for_build_wheel(metadata_directory, config_settings=None):
    _note("prepare_metadata_for_build_wheel", config_settings)
    return _prepare(metadata_directory)


def prepare_metadata_for_build_editable(metadata_directory, config_settings=None):
    _note("prepare_metadata_for_build_editable", config_settings)
    return _prepare(metadata_directory)


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    _note("build_wheel", config_settings, metadata=_listing(metadata_directory), prepared=PREPARED)
    return _write_wheel(wheel_directory, {"demo.py": "def main():\n    print('demo runs')\n"})


def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    _note("build_editable", config_settings, metadata=_listing(metadata_directory), prepared=PREPARED)
    return _write_wheel(wheel_directory, {"_demo.pth": os.path.join(os.getcwd(), "src") + "\n"})


def build_sdist(sdist_directory, config_settings=None):
    _note("build_sdist", config_settings)
    filename = "%s-%s.tar.gz" % (NAME, VERSION)
    root = filename[: -len(".tar.gz")]
    with tarfile.open(os.path.join(sdist_directory, filename), "w:gz", format=tarfile.PAX_FORMAT) as archive:
        for name in sorted(os.listdir(".")):
            if not name.startswith(".") and name not in ("dist", "build"):
                archive.add(name, root + "/" + name)
        info = tarfile.TarInfo(root + "/PKG-INFO")
        info.size = len(METADATA.encode())
        archive.addfile(info, io.BytesIO(METADATA.encode()))
    return filename


class Other:
    """The same backend under a name with dots."""

    class inner:
        get_requires_for_build_wheel = staticmethod(get_requires_for_build_wheel)
        build_wheel = staticmethod(build_wheel)
        build_sdist = staticmethod(build_sdist)


for _hook in PLAN.get("lacks", []):
    del globals()[_hook]
