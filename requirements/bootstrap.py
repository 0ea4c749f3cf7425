"""Makes ``.venv`` from the committed locks, with nothing but a Python and a pip: ``make`` calls it.

    python requirements/bootstrap.py base     what Accord needs, and Accord itself (editable)
    python requirements/bootstrap.py dev      what tests, lint and benchmarks need besides

Standard library only, and readable by any Python 3, so that one that is too old gets a sentence instead of a syntax
error (hence the annotations in quotes).  Wheels only, every file by its hash; Accord is then put on top without asking any index.
"""

import os
import subprocess
import sys

OLDEST = (3, 11)
HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
VENV = os.path.join(ROOT, ".venv")
PYTHON = os.path.join(VENV, "bin", "python")
# The backend first: the other two are built with it.
OURS = (("packages/accord-backend",), ("packages/accord-core", "packages/accord"))


def main() -> int:
    asked = sys.argv[1] if len(sys.argv) > 1 else "dev"
    if asked not in ("base", "dev"):
        return fail("there is no lock " + repr(asked), "say base or dev")
    if sys.version_info < OLDEST:
        found = ".".join(map(str, sys.version_info[:3]))
        return fail(
            "Accord runs on Python 3.11 or newer; this is " + found, "name a newer one: make PYTHON=..."
        )
    if not os.path.exists(PYTHON) and not make_environment():
        return fail(
            sys.executable + " could not make .venv", "the lines above say why; name another: make PYTHON=..."
        )
    version = output([PYTHON, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"])
    if version is None:
        return fail(".venv holds a Python that does not start", "rm -r .venv, and try again")
    lock = os.path.join(HERE, asked + "-" + version + ".txt")
    if not os.path.exists(lock):
        there = sorted(name[5:-4] for name in os.listdir(HERE) if name.startswith("base-"))
        return fail(
            "there is no lock for Python " + version + ", only for " + ", ".join(there),
            "rm -r .venv, and name one of these: make PYTHON=python" + there[0],
        )
    pip = find_pip()
    if pip is None:
        return fail(
            "neither .venv nor " + sys.executable + " has pip", "install pip (on Debian: python3-pip)"
        )
    return install(pip, asked, lock)


def make_environment() -> bool:
    say("making .venv with " + sys.executable)
    if subprocess.run([sys.executable, "-m", "venv", VENV], check=False).returncode == 0:
        return True
    # A distribution's Python may come without ensurepip; its pip can fill an environment from outside.
    say("once more without a pip inside")
    again = [sys.executable, "-m", "venv", "--clear", "--without-pip", VENV]
    return subprocess.run(again, check=False).returncode == 0


def find_pip() -> "list[str] | None":
    """The command line of a pip that installs into ``.venv``."""
    for command in ([PYTHON, "-m", "pip"], [sys.executable, "-m", "pip", "--python", PYTHON]):
        if output([*command, "--version"]) is not None:
            return [*command, "--disable-pip-version-check", "--no-input"]
    return None


def install(pip: "list[str]", asked: str, lock: str) -> int:
    say("installing " + os.path.relpath(lock, ROOT))
    locked = ["install", "-qq", "--require-hashes", "--only-binary", ":all:", "-r", lock]
    if subprocess.run([*pip, *locked], cwd=ROOT, check=False).returncode:
        return fail("pip could not install " + os.path.relpath(lock, ROOT), "its lines above say why")
    say("installing Accord, editable")
    for together in OURS:
        command = ["install", "-qq", "--no-deps", "--no-build-isolation"]
        for folder in together:
            command += ["--editable", folder]
        if subprocess.run([*pip, *command], cwd=ROOT, check=False).returncode:
            return fail("pip could not install " + " ".join(together), "its lines above say why")
    with open(os.path.join(VENV, ".accord-" + asked), "w", encoding="utf-8") as stamp:
        stamp.write("the time of this file tells make when .venv was filled\n")
    return 0


def output(command: "list[str]") -> "str | None":
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    return done.stdout.decode().strip() if done.returncode == 0 else None


def say(words: str) -> None:
    sys.stderr.write("setup: " + words + "\n")
    sys.stderr.flush()


def fail(words: str, hint: str) -> int:
    sys.stderr.write("setup: error: " + words + "\n  hint: " + hint + "\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
