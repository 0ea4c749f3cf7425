"""An index of 100,000 projects and a million files: how soon it answers after its start, how much memory it takes, and how
long people wait for what they search.
"""

from __future__ import annotations

import http.client
import json
import os
import statistics
import time
from contextlib import ExitStack
from urllib.parse import quote, urlsplit

from benchmarks.serving_loads import Measured, Options
from benchmarks.serving_worlds import make_index, project_names, questions

from benchmarks import serving_peers as peers

__all__ = ["large_index", "search_part", "start_part"]

_QUESTIONS = 600
_EACH_HAS = 10


def large_index(options: Options, folder: str) -> str:
    """The folder of the index, made where it is not there yet."""
    data = os.path.join(folder, "large")
    if not os.path.exists(data):
        options.say(f"an index of {options.projects:,} projects with {_EACH_HAS} files each is made")
        make_index(data, projects=options.projects, files_each=_EACH_HAS)
    return data


def start_part(options: Options, data: str) -> Measured:
    """The first page after the start; the list of all projects for comparison."""
    found = Measured()
    names = project_names(options.projects)
    for number in range(options.rounds):
        first = f"/simple/{names[number * 7919 % len(names)]}/"
        with peers.accord(data, workers=options.workers, first=first) as (url, took, pid):
            found.add("first", took)
            found.add("memory", peers.private_memory(pid))
            begun = time.monotonic()
            _, _, body = peers.fetch(f"{url}/simple/", {"Accept": peers.JSON})
            found.add("root", time.monotonic() - begun)
            assert len(json.loads(body)["projects"]) == options.projects
            found.add("memory_with_root", peers.private_memory(pid))
        options.say(f"round {number + 1}: " + _last(found))
    return found


def search_part(options: Options, data: str) -> Measured:
    """Questions people ask, one after the other, each once in a round: the page with the results, over HTTP."""
    found = Measured()
    with ExitStack() as stack:
        url, _, _ = stack.enter_context(
            peers.accord(data, workers=options.workers, options=("--limit", "searches_per_address=1000000"))
        )
        line = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
        stack.callback(line.close)
        for number in range(options.rounds + 1):
            took = [_ask(line, text) for text in questions(_QUESTIONS)]
            if number:  # the first round warms up
                found.add("p95", statistics.quantiles(took, n=20)[-1] * 1000)
                found.add("p50", statistics.median(took) * 1000)
                found.add("longest", max(took) * 1000)
                options.say(f"round {number}: " + _last(found))
    return found


def _ask(line: http.client.HTTPConnection, text: str) -> float:
    begun = time.perf_counter()
    line.request("GET", f"/search?q={quote(text)}")
    answer = line.getresponse()
    answer.read()
    assert answer.status == 200, (text, answer.status)
    return time.perf_counter() - begun


def _last(found: Measured) -> str:
    return ", ".join(f"{name} {samples[-1]:.2f}" for name, samples in found.samples.items())
