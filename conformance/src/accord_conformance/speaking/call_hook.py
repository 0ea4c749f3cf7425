"""Calls one hook of a build backend, in the backend's own Python: ``call_hook.py CALL.json``.

CALL.json names the ``backend``, the ``hook``, the ``tree``, the arguments (``positional``, ``named``), and the ``answer`` file to write
what it returned to (and what is ``left`` of the ``text`` in standard input).  Runs on every Python 3, knows no backend.
"""

import importlib
import json
import os
import re
import subprocess
import sys

EXTRA = re.compile(r";.*\bextra\b")  # what is needed for an extra alone


class Hidden:
    """Finds no module of these names: what lies in the environment without anybody having declared it, or anything that needs it."""

    def __init__(self, names):
        self.names = names

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in self.names:
            raise ModuleNotFoundError("No module named " + repr(name), name=name)


def normal(text):
    """The name that a requirement begins with, in its normal form."""
    name = re.match(r"\s*[A-Za-z0-9._-]*", text).group().strip()
    return re.sub(r"[-_.]+", "-", name).lower()


def modules_of(distribution):
    """The modules and packages at the top of what a distribution installs."""
    names = set((distribution.read_text("top_level.txt") or "").split())
    return names.union(path.parts[0].split(".")[0] for path in distribution.files or [])


def brought(module, requirements):
    """The modules that come with the backend's own distribution and with these requirements, and with all that those need (whatever their markers say)."""
    try:
        from importlib.metadata import distributions
    except ImportError:
        return set()
    found = {}
    for each in distributions():
        if each.metadata["Name"]:
            found.setdefault(normal(each.metadata["Name"]), each)
    names, seen = set(), set()
    todo = [normal(module)] + [normal(each) for each in requirements]
    todo += [name for name, each in found.items() if module in modules_of(each)]
    while todo:
        name = todo.pop()
        if name in found and name not in seen:
            seen.add(name)
            names |= modules_of(found[name])
            todo += [normal(each) for each in found[name].requires or [] if not EXTRA.search(each)]
    return names


def asked_for(call, path):
    """What the hook's own get_requires hook asks for, called in a process of its own; nothing where there is none."""
    answer = call["answer"] + ".requires"
    first = dict(
        call, hook="get_requires_for_" + call["hook"], hidden=[], positional=[], named={}, answer=answer
    )
    with open(path + ".requires", "w") as stream:
        json.dump(first, stream)
    with open(os.devnull, "w") as silent:
        code = subprocess.call([sys.executable, __file__, path + ".requires"], stdout=silent, stderr=silent)
    if code:
        return []
    with open(answer) as stream:
        value = json.load(stream)["value"]
    return [each for each in value or [] if isinstance(each, str)]


def main(path):
    with open(path) as stream:
        call = json.load(stream)
    declared = call["declared"] + asked_for(call, path) if call["hidden"] else []
    sys.path.pop(0)  # this folder: a backend sees what its environment holds
    os.chdir(call["tree"])
    os.dup2(1, 2)  # what it prints is one text, warnings included
    if call["closed"]:
        os.close(0)
    if call.get("text"):
        theirs, ours = os.pipe()
        os.write(ours, call["text"].encode())
        os.close(ours)
        os.dup2(theirs, 0)
        os.close(theirs)
    module, _, attributes = call["backend"].partition(":")
    if call["hidden"]:
        own = module.partition(".")[0]
        sys.meta_path.insert(0, Hidden({*call["hidden"]} - brought(own, declared) - {own}))
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
    answer = {"value": value, "type": type(value).__name__}
    if call.get("text"):
        answer["left"] = os.read(0, 1000).decode()
    with open(call["answer"], "w") as stream:
        json.dump(answer, stream)


main(sys.argv[1])
