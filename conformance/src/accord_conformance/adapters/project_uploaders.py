"""Flit, Poetry and PDM as uploaders: they send the files of a project, so a project is made that has the given ones.

``ASKED`` says which.  Flit builds what it sends: its project states the metadata of the given file, as far as a project can.
"""

import email
import json
import os
import pathlib
import tarfile
import zipfile

from speak import Unsupported, call, serve

STATED = {
    "Metadata-Version",
    "Name",
    "Version",
    "Requires-Python",
    "Requires-Dist",
    "Summary",
    "Keywords",
    "Classifier",
}


def metadata_of(path):
    if path.endswith(".whl"):
        with zipfile.ZipFile(path) as archive:
            name = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
            return email.message_from_bytes(archive.read(name))
    with tarfile.open(path) as archive:
        name = next(name for name in archive.getnames() if name.count("/") == 1 and name.endswith("PKG-INFO"))
        return email.message_from_bytes(archive.extractfile(name).read())


def modules_of(path):
    with zipfile.ZipFile(path) as archive:
        return {name for name in archive.namelist() if ".dist-info/" not in name}


def project_of(files, folder):
    """A project for Flit with the metadata of the first file."""
    said = metadata_of(files[0])
    described = said.get_payload().strip()
    if described or set(said) - STATED or any(os.path.basename(path).count("-") > 4 for path in files):
        raise Unsupported("Flit builds what it sends, and cannot be given that file")
    module = said["Name"].lower().replace("-", "_").replace(".", "_")
    if files[0].endswith(".whl") and modules_of(files[0]) - {module + ".py"}:
        raise Unsupported("Flit builds what it sends, and cannot be given those bytes")
    stated = {
        "name": said["Name"],
        "version": said["Version"],
        "description": said["Summary"] or "A demonstration",
    }
    for key, name in (("requires-python", "Requires-Python"), ("keywords", "Keywords")):
        if said[name]:
            stated[key] = said[name].split(",") if key == "keywords" else said[name]
    for key, name in (("dependencies", "Requires-Dist"), ("classifiers", "Classifier")):
        stated[key] = said.get_all(name, [])
    # Without it Flit's wheel is one for Python 2 as well.
    stated.setdefault("requires-python", ">=3.8")
    folder.joinpath(module + ".py").write_text("")
    lines = [
        "[build-system]",
        'requires = ["flit_core"]',
        'build-backend = "flit_core.buildapi"',
        "[project]",
    ]
    lines += ["%s = %s" % (key, json.dumps(value)) for key, value in stated.items()]
    lines += ["[tool.flit.module]", "name = %s" % json.dumps(module)]
    folder.joinpath("pyproject.toml").write_text("\n".join(lines) + "\n")


def plain_project(folder, name, version):
    text = '[project]\nname = "%s"\nversion = "%s"\n[tool.poetry]\npackage-mode = true\n' % (name, version)
    folder.joinpath("pyproject.toml").write_text(text)


def upload(files, legacy, username, password, project, project_name, project_version, bin):
    folder, asked = pathlib.Path(project), os.environ["ASKED"]
    if asked == "flit":
        more = {"FLIT_INDEX_URL": legacy, "FLIT_USERNAME": username, "FLIT_PASSWORD": password}
        flit(files, folder, bin, [], more)
        return
    plain_project(folder, project_name, project_version)
    if asked == "poetry":
        call(
            [bin + "/poetry", "publish", "--no-interaction", "-r", "suite", "-u", username, "-p", password],
            more={"POETRY_REPOSITORIES_SUITE_URL": legacy},
        )
    else:
        options = ["--no-build", "--repository", legacy, "--username", username, "--password", password]
        call([bin + "/pdm", "publish", *options], more={"PDM_CHECK_UPDATE": "0"})


def upload_named(files, project, repository, bin):
    if os.environ["ASKED"] != "flit":
        raise Unsupported("it does not read .pypirc")
    flit(files, pathlib.Path(project), bin, ["--repository", repository], {})


def upload_named_as(files, project, repository, username, password, bin):
    if os.environ["ASKED"] != "flit":
        raise Unsupported("it does not read .pypirc")
    more = {"FLIT_USERNAME": username, "FLIT_PASSWORD": password}
    flit(files, pathlib.Path(project), bin, ["--repository", repository], more)


def flit(files, folder, bin, options, more):
    project_of(files, folder)
    kinds = {"wheel" if path.endswith(".whl") else "sdist" for path in files}
    chosen = ["--format", kinds.pop()] if len(kinds) == 1 else []
    call([bin + "/flit", "publish", *chosen, *options], more=more)


serve({"upload": upload, "upload-named": upload_named, "upload-named-as": upload_named_as})
