"""Lockers: ``ASKED`` says which tool.  What is to be locked becomes a project of its own (pip: its arguments); a given lock is installed with the tool's command for that."""

import json
import os
import pathlib
import shutil

from sources import SOURCES
from speak import Unsupported, call, serve

ASKED = os.environ["ASKED"]
MORE = {
    "PDM_CHECK_UPDATE": "0",
    "PDM_IGNORE_SAVED_PYTHON": "1",
    "PDM_USE_VENV": "0",
    "PDM_LOCK_FORMAT": "pylock",
    "POETRY_VIRTUALENVS_IN_PROJECT": "false",
}


def write_project(project, requirements, requires_python, extras, groups, index):
    lines = [
        "[project]",
        'name = "asker"',
        'version = "1.0"',
        "requires-python = " + json.dumps(requires_python),
        "dependencies = " + json.dumps(requirements),
    ]
    if extras:
        lines.append("[project.optional-dependencies]")
        lines += ["%s = %s" % (json.dumps(name), json.dumps(each)) for name, each in extras.items()]
    if groups:
        lines.append("[dependency-groups]")
        lines += ["%s = %s" % (json.dumps(name), as_toml(each)) for name, each in groups.items()]
    text = "\n".join(lines) + "\n" + SOURCES % (index, index)
    pathlib.Path(project, "pyproject.toml").write_text(text)


def as_toml(group):
    parts = [
        json.dumps(each) if isinstance(each, str) else '{include-group = "%s"}' % each["include-group"]
        for each in group
    ]
    return "[" + ", ".join(parts) + "]"


def lock(
    project, bin, env, target, index, requirements, requires_python=">=3.11", extras=(), groups=(), many=False
):
    folder = pathlib.Path(project)
    written = folder / "pylock.toml"
    write_project(project, requirements, requires_python, extras, groups, index)
    if ASKED == "pip":
        written.unlink(missing_ok=True)
        pip = [bin + "/python", "-m", "pip"]
        options = ["--no-cache-dir", "--index-url", index, "-o", str(written)]
        call([*pip, "lock", *options, *requirements], unsupported=["You must give at least one requirement"])
    elif ASKED == "uv":
        options = ["--python", target, "--default-index", index, "--no-cache"]
        call([bin + "/uv", "lock", *options])
        chosen = ["--no-emit-project", "--no-default-groups", "-o", str(written)]
        call([bin + "/uv", "export", "--format", "pylock.toml", *chosen, *options])
    elif ASKED == "accord":
        universal = ["--universal"] if many else []
        options = ["--index-url", index, "--python", target, *universal]
        call([bin + "/accord", "lock", *options], unsupported=["universal-unsupported"])
    elif ASKED == "poetry":
        call([bin + "/poetry", "lock", "--no-interaction"], more=MORE)
        call([bin + "/poetry", "export", "--format", "pylock.toml", "-o", str(written)], more=MORE)
    elif ASKED == "pdm":
        call([bin + "/pdm", "lock", "-G", ":all"], more={**MORE, "PDM_USE_VENV": "1", "VIRTUAL_ENV": env})
    return {"name": written.name, "text": written.read_text()}


def lock_in_place(project, bin, env, target, index, requirements):
    if ASKED == "pip":
        # What a project asks for it reads from groups alone, but for what it would build.
        write_project(project, [], ">=3.11", {}, {"asked": requirements}, index)
        pip = [bin + "/python", "-m", "pip"]
        call([*pip, "lock", "--no-cache-dir", "--index-url", index, "--group", "asked"])
    elif ASKED in ("accord", "pdm"):
        lock(project, bin, env, target, index, requirements)
    else:
        raise Unsupported("writes a pylock.toml only where it is told to")


def lock_universal(project, bin, env, target, index, requirements, requires_python=">=3.9"):
    if ASKED == "pip":
        raise Unsupported("locks for this Python and platform only")
    return lock(project, bin, env, target, index, requirements, requires_python, many=True)


def lock_project(project, bin, env, target, index, extras, groups, requirements=(), requires_python=">=3.11"):
    if ASKED not in ("accord", "pdm"):
        raise Unsupported("writes locks of a single use")
    return lock(project, bin, env, target, index, list(requirements), requires_python, extras, groups)


# How a tool is told to do without; what is built from a tree or an sdist goes with the option that forbids to build.
WITHOUT = {
    "pip": {"sdists": ["--only-binary", ":all:"]},
    "uv": {what: ["--no-build"] for what in ("sdists", "repositories", "directories")},
    "accord": {what: ["--no-build"] for what in ("sdists", "repositories", "directories")},
}


def install_without(lock, project, bin, target, env, extras, groups, what):
    if what not in WITHOUT.get(ASKED, {}):
        raise Unsupported("no way to do without " + what)
    install(lock, project, bin, target, env, extras, groups, WITHOUT[ASKED][what])


def install(lock, project, bin, target, env, extras, groups, options=()):
    if ASKED == "pip":
        named = lock + ("[%s]" % ",".join(extras) if extras else "")
        more = [word for group in groups for word in ("--group", lock + ":" + group)]
        pip = [bin + "/python", "-m", "pip", "--python", target, "install", "--no-cache-dir"]
        call([*pip, "-r", named, *more, *options])
    elif ASKED == "uv":
        more = [word for extra in extras for word in ("--extra", extra)]
        more += [word for group in groups for word in ("--group", group)]
        call([bin + "/uv", "pip", "install", "--no-cache", "--python", target, "-r", lock, *more, *options])
    elif ASKED == "accord":
        more = [word for extra in extras for word in ("--extra", extra)]
        more += [word for group in groups for word in ("--group", group)]
        call([bin + "/accord", "sync", "--lock", lock, "--env", env, *more, *options])
    elif ASKED == "pdm":
        install_with_pdm(lock, project, bin, env, extras, groups)
    else:
        raise Unsupported("installs from no pylock.toml")


def install_with_pdm(lock, project, bin, env, extras, groups):
    """PDM looks at the project for the names of extras and groups, and for nothing else."""
    named = {name: [] for name in extras}, {name: [] for name in groups}
    write_project(project, [], ">=3.11", *named, "http://127.0.0.1:9/simple/")
    folder = pathlib.Path(project)
    if pathlib.Path(lock).parent != folder:
        shutil.copy(lock, folder / "pylock.toml")
    more = [word for each in (*extras, *groups) for word in ("-G", each)]
    default = [] if "default" in pathlib.Path(lock).read_text() else ["--no-default"]
    options = ["--no-self", "-L", str(lock), *more, *(default if more else [])]
    # It reads a file URL of a repository as a host's name: it can be offered only what is served.
    no_file_urls = ["ssh: Could not resolve hostname file"]
    call(
        [bin + "/pdm", "sync", *options],
        more={**MORE, "PDM_USE_VENV": "1", "VIRTUAL_ENV": env},
        unsupported=no_file_urls,
    )


serve(
    {
        "lock": lock,
        "lock-in-place": lock_in_place,
        "lock-universal": lock_universal,
        "lock-project": lock_project,
        "install-lock": install,
        "install-lock-without": install_without,
    }
)
