"""Calls one hook of a build backend, in the backend's own Python: ``call_hook.py CALL.json``.

CALL.json names the ``backend``, the ``hook``, the ``tree``, the arguments (``positional``, ``named``), and the ``answer`` file to write
what it returned to.  Runs on every Python 3, knows no backend.
"""

import importlib
import json
import os
import sys


def main(path):
    with open(path) as stream:
        call = json.load(stream)
    sys.path.pop(0)  # this folder: a backend sees what its environment holds
    os.chdir(call["tree"])
    os.dup2(1, 2)  # what it prints is one text, warnings included
    if call["closed"]:
        os.close(0)
    module, _, attributes = call["backend"].partition(":")
    found = importlib.import_module(module)
    for name in attributes.split(".") if attributes else []:
        found = getattr(found, name)
    hook = getattr(found, call["hook"], None)
    if hook is None:
        sys.exit("no such hook: " + call["hook"])
    try:
        value = hook(*call["positional"], **call["named"])
    except Exception as error:
        sys.stderr.write("%s: %s\n" % (type(error).__name__, error))
        # A slip of the backend's own, not its judgement of the project.
        slip = isinstance(error, (AttributeError, TypeError, KeyError, IndexError, AssertionError, NameError))
        sys.exit("Traceback (most recent call last): " + type(error).__name__ if slip else 1)
    with open(call["answer"], "w") as stream:
        json.dump({"value": value, "type": type(value).__name__}, stream)


main(sys.argv[1])
