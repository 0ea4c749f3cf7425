"""Calls one hook of a build backend, in the backend's own Python: ``call_hook.py CALL.json``.

CALL.json names the ``backend``, the ``hook``, the ``tree``, the arguments (``positional``, ``named``), and the ``answer`` file to write
what it returned to.  Runs on every Python 3, knows no backend.
"""

import importlib
import json
import os
import sys


class Hidden:
    """Finds no module of these names: what lies in the environment without anybody having declared it."""

    def __init__(self, names):
        self.names = names

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in self.names:
            raise ModuleNotFoundError("No module named " + repr(name), name=name)


def main(path):
    with open(path) as stream:
        call = json.load(stream)
    sys.path.pop(0)  # this folder: a backend sees what its environment holds
    os.chdir(call["tree"])
    os.dup2(1, 2)  # what it prints is one text, warnings included
    if call["closed"]:
        os.close(0)
    module, _, attributes = call["backend"].partition(":")
    sys.meta_path.insert(0, Hidden([name for name in call["hidden"] if name != module.partition(".")[0]]))
    found = importlib.import_module(module)
    for name in attributes.split(".") if attributes else []:
        found = getattr(found, name)
    hook = getattr(found, call["hook"], None)
    if hook is None:
        sys.exit("no such hook: " + call["hook"])
    try:
        value = hook(*call["positional"], **call["named"])
    except Exception as error:
        own = isinstance(error, getattr(found, "UnsupportedOperation", ()))
        name = "UnsupportedOperation of the backend" if own else type(error).__name__
        sys.stderr.write("%s: %s\n" % (name, error))
        # A slip of the backend's own, not its judgement of the project.
        slip = isinstance(error, (AttributeError, TypeError, KeyError, IndexError, AssertionError, NameError))
        sys.exit("Traceback (most recent call last): " + type(error).__name__ if slip else 1)
    with open(call["answer"], "w") as stream:
        json.dump({"value": value, "type": type(value).__name__}, stream)


main(sys.argv[1])
