"""Any build backend: each hook is called in a process of its own, as a frontend would."""

import json
import os

import speak
from speak import serve

VERBS = (
    "build-wheel",
    "build-sdist",
    "build-editable",
    "prepare-wheel-metadata",
    "prepare-editable-metadata",
    "requires-for-wheel",
    "requires-for-sdist",
    "requires-for-editable",
)


def hook(call, python, more=None, unsupported=()):
    caller = os.path.join(os.path.dirname(speak.__file__), "call_hook.py")
    path = call["answer"] + ".call"
    with open(path, "w") as stream:
        json.dump(call, stream)
    said = speak.call([python, caller, path], unsupported=("no such hook", *unsupported), more=more or {})
    with open(call["answer"]) as stream:
        return dict(json.load(stream), said=said.strip()[-2000:])


if __name__ == "__main__":
    serve(dict.fromkeys(VERBS, lambda call, python: hook(call, python)))
