"""distlib as an installer: ``Wheel.install`` with the paths that the environment's Python names."""

import json
import subprocess

from distlib import DistlibException
from distlib.scripts import ScriptMaker
from distlib.wheel import Wheel
from speak import Unsupported, serve

PATHS = (
    "import json, sys, sysconfig;"
    "print(json.dumps({'venv': sys.prefix != sys.base_prefix, **sysconfig.get_paths()}))"
)


def install(target, env, files):
    paths = json.loads(subprocess.check_output([target, "-c", PATHS]))
    if not paths["venv"]:
        raise Unsupported("a library that is told the paths: it knows of no Python")
    for file in files:
        wheel = Wheel(file)
        where = {
            "prefix": env,
            "purelib": paths["purelib"],
            "platlib": paths["platlib"],
            "scripts": paths["scripts"],
            "headers": env + "/include/site/" + wheel.name,
            "data": paths["data"],
        }
        maker = ScriptMaker(None, where["scripts"])
        maker.executable = target
        maker.variants = {""}
        maker.set_mode = True
        wheel.install(where, maker)


serve({"install": install}, refusals=(DistlibException,))
