"""installer as an installer: ``python -m installer`` with the environment's Python, its own modules lent by PYTHONPATH."""

import os

import installer
from speak import call, serve

LENT = {"PYTHONPATH": os.path.dirname(os.path.dirname(installer.__file__))}


def install(target, files):
    call([target, "-m", "installer", *files], more=LENT)


serve({"install": install})
