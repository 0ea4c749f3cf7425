"""The hooks of maturin, which needs a Rust toolchain of the machine: the one of the person who asks, of which the backend sees the programs alone."""

import os
import pwd
import shutil
import subprocess

from build_hooks import VERBS, hook
from speak import Unsupported, serve


def toolchain():
    """The folder with cargo and rustc themselves: what a person has on the path may be a switch between toolchains, which needs their home."""
    home = pwd.getpwuid(os.getuid()).pw_dir  # HOME is a folder of the suite's own
    places = os.pathsep.join((os.path.join(home, ".cargo", "bin"), os.defpath))
    compiler = shutil.which("rustc", path=places)
    if compiler is None:
        raise Unsupported("there is no Rust toolchain on this machine")
    asked = [compiler, "--print", "sysroot"]
    root = subprocess.run(asked, env={**os.environ, "HOME": home}, stdout=subprocess.PIPE, check=True).stdout
    return os.path.join(root.decode().strip(), "bin")


def with_rust(call, python, bin):
    path = os.pathsep.join((bin, toolchain(), os.defpath))
    # A project whose crate is a program has no other scripts.
    return hook(call, python, {"PATH": path, "CARGO_NET_OFFLINE": "true"}, ["Defining scripts and working"])


serve(dict.fromkeys(VERBS, with_rust))
