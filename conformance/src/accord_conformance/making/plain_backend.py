"""The build backend inside the suite's sdists: writes the wheel that PKG-INFO describes.  No requirements, any Python 3."""

import base64
import hashlib
import os
import zipfile


def _fields():
    with open("PKG-INFO", encoding="utf-8") as stream:
        text = stream.read()
    fields = {}
    for line in text.split("\n\n")[0].splitlines():
        key, _, value = line.partition(": ")
        fields.setdefault(key, value)
    return fields, text


def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    return _write(wheel_directory, {"__editable__plain.pth": os.getcwd().encode() + b"\n"})


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    members = {}
    for name in sorted(os.listdir(".")):
        if name.endswith(".py") and name not in ("backend.py", "setup.py"):
            with open(name, "rb") as stream:
                members[name] = stream.read()
    return _write(wheel_directory, members)


def _write(wheel_directory, members):
    fields, metadata = _fields()
    stem = fields["Name"].replace("-", "_").replace(".", "_").lower()
    folder = stem + "-" + fields["Version"] + ".dist-info"
    wheel = "Wheel-Version: 1.0\nGenerator: plain\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    members = {**members, folder + "/METADATA": metadata.encode(), folder + "/WHEEL": wheel.encode()}
    record = ""
    for name, data in members.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        record += "%s,sha256=%s,%d\n" % (name, digest, len(data))
    members[folder + "/RECORD"] = (record + folder + "/RECORD,,\n").encode()
    filename = stem + "-" + fields["Version"] + "-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(wheel_directory, filename), "w") as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0)), data)
    return filename


def build_sdist(sdist_directory, config_settings=None):
    raise NotImplementedError("this backend is already in an sdist")
