"""However many processors there are, a resolve without a cache gives one answer, and leaves nothing running."""

from __future__ import annotations

import gzip
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from accord.testing.loopback import Asked, Loopback, reply
from accord.testing.worlds import World

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="sets the processors of a process")

NUMBER = 24
# As the `accord` command, on as many processors as the first word says; afterwards, how many pages were studied where.
PROGRAM = """
import os, sys
os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: int(sys.argv[1])])
from accord.io import forks
from accord.cli.main import main
answered = []
call = forks.Forks.call
forks.Forks.call = lambda self, *job: (answered.append(call(self, *job)), answered[-1])[1]
status = main(sys.argv[2:])
print("studied elsewhere:", sum(answer is not None for answer in answered), file=sys.stderr)
sys.exit(status)
"""


@pytest.fixture
def serve(world: World) -> Iterator[Callable[[Callable[[Asked], bytes | None]], Loopback]]:
    """Two dozen projects that need one another, several versions of each, over HTTP."""
    for number in range(NUMBER):
        for version in ("1.0", "1.1rc1", "1.1", "2.0"):
            needs = [f"p{other}<2" for other in range(number + 1, min(number + 4, NUMBER))]
            world.publish(f"p{number}", version, requires=needs)
    world.write("all.in", "p0\n")
    made: list[Loopback] = []

    def begin(answer: Callable[[Asked], bytes | None]) -> Loopback:
        server = Loopback(answer).__enter__()
        made.append(server)
        world.use(f"{server.url}/simple")
        return server

    yield begin
    for server in made:
        server.__exit__()


def compiled(world: World, processors: int, output: str) -> tuple[str, int]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(processors), "pip", "compile", "all.in", "-o", output],
        cwd=world.here,
        env={**world.environ, "ACCORD_CACHE_DIR": os.path.join(world.here, f"cache-{output}")},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    elsewhere = int(done.stderr.rpartition("studied elsewhere:")[2])
    return world.read(output).replace(output, "OUTPUT"), elsewhere


def in_gzip(answer: bytes | None) -> bytes | None:
    """A 200 with its body compressed."""
    if answer is None or not answer.startswith(b"HTTP/1.1 200"):
        return answer
    head, _, body = answer.partition(b"\r\n\r\n")
    fields = dict(line.split(": ", 1) for line in head.decode("latin-1").split("\r\n")[1:])
    fields.pop("Content-Length", None)
    return reply(gzip.compress(body), headers={**fields, "Content-Encoding": "gzip"})


def test_one_processor_and_several_give_one_answer(
    world: World, serve: Callable[[Callable[[Asked], bytes | None]], Loopback]
) -> None:
    if len(os.sched_getaffinity(0)) < 2:
        pytest.skip("there is one processor")
    serve(lambda asked: in_gzip(world.index.answer(asked)))
    alone, none = compiled(world, 1, "alone.txt")
    together, several = compiled(world, 2, "together.txt")
    assert none == 0
    assert several == NUMBER, "every page was studied in a copy"
    assert together == alone
    assert "p23==1.1" in together and "p0==2.0" in together


def test_an_index_that_sends_rubbish_is_one_error_and_not_a_hang(
    world: World, serve: Callable[[Callable[[Asked], bytes | None]], Loopback]
) -> None:
    """What a copy cannot read, the process itself reads again, and says what is wrong with it."""

    def answer(asked: Asked) -> bytes | None:
        if asked.target.endswith("/p7/"):
            kind = {"Content-Type": "application/vnd.pypi.simple.v1+json", "Content-Encoding": "gzip"}
            return reply(gzip.compress(b'{"files": [}'), headers=kind)
        return in_gzip(world.index.answer(asked))

    serve(answer)
    ran = world.process("pip", "compile", "all.in", "-o", "all.txt")
    assert ran.status == 1
    assert "error[index-page-invalid]" in ran.err
    assert "p7" in ran.err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_whatever_ends_a_resolve_ends_its_copies(
    world: World, serve: Callable[[Callable[[Asked], bytes | None]], Loopback], number: int
) -> None:
    ended = threading.Event()

    def answer(asked: Asked) -> bytes | None:
        if asked.target.endswith("/p9/"):
            ended.wait(60)  # so that it is ended in the middle
        return in_gzip(world.index.answer(asked))

    server = serve(answer)
    process = subprocess.Popen(
        [sys.executable, "-m", "accord", "pip", "compile", "all.in", "-o", "all.txt"],
        cwd=world.here,
        env=world.environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    deadline = time.monotonic() + 60
    while not any(asked.target.endswith("/p9/") for asked in server.asked):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.kill(process.pid, number)
    # Copies hold standard error open too, so that its end is the end of all of them.
    _, said = process.communicate(timeout=30)
    ended.set()
    assert process.returncode in (130, -signal.SIGKILL)
    assert b"Traceback" not in said
    assert not os.path.exists(os.path.join(world.here, "all.txt"))
