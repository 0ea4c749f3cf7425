"""Poetry and PDM as installers: each request becomes a project that depends on what is asked for, locked and installed.

``ASKED`` says which of the two.  They have no installation without dependencies: the cases that ask for it give none.
"""

import json
import os
import pathlib

from sources import SOURCES
from speak import Unsupported, call, serve

PYPROJECT = (
    """\
[project]
name = "the-project-that-depends-on-it"
version = "1.0"
requires-python = "==3.%s.*"
dependencies = %s
"""
    + SOURCES
)
FURTHER = """
[[tool.poetry.source]]
name = "further"
url = "%s"

[[tool.pdm.source]]
name = "further"
url = "%s"
"""

# Direct references need no index; both want one to be named.
NOWHERE = "https://nowhere.example/simple/"


def install_files(files, project, env, purelib, bin):
    named = ["%s @ %s" % (path.name.split("-")[0], path.as_uri()) for path in map(pathlib.Path, files)]
    install(named, NOWHERE, project, env, purelib, bin)


def install_requirements(requirements, project, env, purelib, bin):
    install(requirements, NOWHERE, project, env, purelib, bin)


def install(requirements, index, project, env, purelib, bin, further=""):
    if not pathlib.Path(env, "pyvenv.cfg").exists():
        raise Unsupported("it installs into environments of projects")
    folder = pathlib.Path(project)
    minor = pathlib.Path(purelib).parent.name.rpartition(".")[2]
    text = PYPROJECT % (minor, json.dumps(requirements), index, index)
    text += FURTHER % (further, further) if further else ""
    folder.joinpath("pyproject.toml").write_text(text)
    for name in ("poetry.lock", "pdm.lock"):
        folder.joinpath(name).unlink(missing_ok=True)
    more = {"VIRTUAL_ENV": env, "PDM_CHECK_UPDATE": "0", "PDM_IGNORE_SAVED_PYTHON": "1"}
    if os.environ["ASKED"] == "poetry":
        call([bin + "/poetry", "install", "--no-root", "--no-interaction"], more=more)
    else:
        # It takes git+file: for a host that is called file.
        call([bin + "/pdm", "install", "--no-self"], more=more, unsupported=("resolve hostname file",))


def install_from_two(requirements, index, site, project, env, purelib, bin):
    install(requirements, index, project, env, purelib, bin, site + "/second/")


serve(
    {
        "install": install_files,
        "install-from-index": install,
        "install-from-two-indexes": install_from_two,
        "install-requirements": install_requirements,
        "install-with-dependencies": install,
        "upgrade": install_files,
    }
)
