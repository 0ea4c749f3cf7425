"""What a program adapter needs: ``serve({"verb": function}, refusals=(Error,))`` answers requests until standard input ends.

A function gets the arguments by name and returns the value.  An error out of ``refusals`` (or Refused) is a refusal; ``Unsupported`` says that the tool has no such
thing; any other error is a refusal with a traceback.  Runs on every Python 3 a tool may need, and knows only the protocol.
"""

import inspect
import json
import os
import subprocess
import sys
import traceback

__all__ = ["Refused", "Unsupported", "call", "serve"]


class Refused(Exception):
    """The tool would not."""


class Unsupported(Exception):
    """The tool has no such function."""


_COMMANDS = []  # those run for the request at hand, for the reader of the report
_SAID = []  # what they said: a warning is seen there
_REQUEST = {}


def call(arguments, **options):
    """Runs a command as the request wants it; its standard output. Refused with its words when it fails."""
    arguments = [str(each) for each in arguments]
    _COMMANDS.append(arguments)
    unsupported = options.pop("unsupported", ())
    environment = dict(_REQUEST["environment"], **options.pop("more", {}))
    done = subprocess.run(
        arguments,
        cwd=options.pop("folder", _REQUEST["folder"]),
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        check=False,
    )
    words = (done.stderr + done.stdout).decode("utf-8", "replace").strip()
    _SAID.append(words)
    if done.returncode:
        if any(each in words for each in unsupported):
            raise Unsupported(words)
        raise Refused(words[-4000:])
    return done.stdout.decode("utf-8", "replace")


def serve(verbs, refusals=()):
    """Answers requests until there are no more."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what the tool prints is no answer
    for line in sys.stdin:
        request = json.loads(line)
        _COMMANDS.clear()
        _SAID.clear()
        _REQUEST.clear()
        _REQUEST.update(request)
        answer = _answer(verbs, request, refusals)
        if _COMMANDS:
            answer["commands"] = list(_COMMANDS)
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def _answer(verbs, request, refusals):
    function = verbs.get(request["do"])
    if function is None:
        return {"outcome": "unsupported", "message": "the adapter has no " + request["do"]}
    try:
        wanted = inspect.signature(function).parameters
        given = {name: value for name, value in request["with"].items() if name in wanted}
        value = function(**given)
        return {"outcome": "done", "value": value, "message": "\n".join(_SAID)[-4000:]}
    except Unsupported as error:
        return {"outcome": "unsupported", "message": str(error)}
    except Refused as error:
        return {"outcome": "refused", "message": str(error), "untidy": "Traceback (most recent" in str(error)}
    except refusals as error:
        return {"outcome": "refused", "message": "%s: %s" % (type(error).__name__, error)}
    except Exception:
        return {"outcome": "refused", "message": traceback.format_exc()[-4000:], "untidy": True}
