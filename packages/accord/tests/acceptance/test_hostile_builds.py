"""Sdists that mean harm, through ``accord build FILE``: each is stopped and reported, and the honest one beside it builds.

The build is real code in a real sandbox; where there is none (some containers), what only a sandbox can stop is skipped.
"""

from __future__ import annotations

import os
import socket
import tarfile
import tempfile

import pytest

from accord.build.frontend import Builder, BuildOptions
from accord.build.limits import Limits
from accord.build.products import check_wheel, place
from accord.build.shelter import SandboxPolicy
from accord.io import sandbox
from accord.io.attempts import DECOYS
from accord.io.processes import ProcessLimits
from accord.testing.archives import TarPart, sdist_bytes
from accord.testing.builds import BareEnvironments, ThisPython, Tree, write_project
from accord.testing.worlds import World, sdist_file
from accord_core.errors import BuildError

shut_away = pytest.mark.skipif(sandbox.probe() is not None, reason=f"no sandbox here: {sandbox.probe()}")
HOOK = "\n_honest = build_wheel\ndef build_wheel(directory, config_settings=None, metadata_directory=None):\n"


def attack(world: World, code: str) -> str:
    """An sdist whose ``build_wheel`` does ``code`` (lines), and then what it should."""
    lines = "".join(f"    {line}\n" for line in code.strip().splitlines())
    return world.write(*sdist_file("demo", "1.0", extra=HOOK + lines + "    return _honest(directory)\n"))


def archive(world: World, *parts: TarPart) -> str:
    return world.write("demo-1.0.tar.gz", sdist_bytes([TarPart("demo-1.0", kind=tarfile.DIRTYPE), *parts]))


def nothing_built(world: World) -> bool:
    return not os.path.exists(world.path("dist"))


def test_the_honest_sdist_builds(world: World) -> None:
    built = world.accord("build", attack(world, "open('inside', 'w').close()"), "--json").fine().document()
    assert world.listed("dist") == ["demo-1.0-py3-none-any.whl"]
    assert built["sandbox"] is (sandbox.probe() is None)


@pytest.mark.parametrize(
    ("part", "code"),
    [
        (TarPart("/etc/accord", b"x"), "archive-name-absolute"),
        (TarPart("demo-1.0/../../out", b"x"), "archive-name-traversal"),
        (TarPart("demo-1.0/a", kind=tarfile.SYMTYPE, link="../../../etc/passwd"), "archive-link-out"),
        (TarPart("demo-1.0/a", kind=tarfile.LNKTYPE, link="/etc/passwd"), "archive-link-target-missing"),
        (TarPart("demo-1.0/a", kind=tarfile.CHRTYPE), "archive-special-file"),
        (TarPart("demo-1.0/a", kind=tarfile.FIFOTYPE), "archive-special-file"),
    ],
    ids=["absolute", "dots", "link", "hard-link", "device", "pipe"],
)
def test_paths_links_and_devices_are_refused_before_anything_runs(
    world: World, part: TarPart, code: str
) -> None:
    error = world.refused("build", archive(world, part), code="build-output-invalid")
    assert f"code: {code}" in error["context"]
    assert nothing_built(world)


def test_a_bomb_is_refused_by_its_ratio(world: World) -> None:
    bomb = archive(world, TarPart("demo-1.0/zeros", b"\0" * (200 << 20)))
    error = world.refused("build", bomb, code="build-output-invalid")
    assert "code: archive-ratio" in error["context"]


@shut_away
def test_a_build_has_no_network(world: World) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)
        port = server.getsockname()[1]
        code = f"import socket\nsocket.create_connection(('127.0.0.1', {port}), 2).close()"
        world.refused("build", attack(world, code), code="build-failed")
        with pytest.raises(TimeoutError):
            server.accept()
        world.accord("build", attack(world, code), "--sandbox", "off").fine()


@shut_away
def test_a_build_that_wants_a_host_is_told_how_to_get_the_network(world: World) -> None:
    code = "import urllib.request\nurllib.request.urlopen('http://files.example/data')"
    error = world.refused("build", attack(world, code), code="build-needs-network")
    assert "build-network = ['demo']" in error["hint"]


SWALLOWED = {
    "tcp": "socket.create_connection(('203.0.113.7', 443), 2)",
    "tcp6": "socket.create_connection(('2001:db8::7', 443), 2)",
    "udp": "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('203.0.113.7', 53))",
    "udp6": "socket.socket(socket.AF_INET6, socket.SOCK_DGRAM).sendto(b'x', ('2001:db8::7', 53))",
    "name": "socket.getaddrinfo('files.example', 443)",
    "old-name": "socket.gethostbyname('files.example')",
    "url": "__import__('urllib.request').request.urlopen('https://files.example/')",
    "private": "socket.create_connection(('10.1.2.3', 80), 2)",
    "broadcast": "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('203.0.113.255', 1))",
    "at-once": "sock = socket.socket(); sock.setblocking(False); sock.connect(('203.0.113.7', 443))",
    "left-behind": "__import__('subprocess').Popen([sys.executable, '-c', 'import socket, time;"
    'time.sleep(0.2); socket.create_connection(("203.0.113.7", 443), 2)\'], start_new_session=True).wait()',
}


@shut_away
@pytest.mark.parametrize("what", SWALLOWED.values(), ids=SWALLOWED)
def test_a_build_that_keeps_its_try_at_the_network_to_itself_is_reported(world: World, what: str) -> None:
    code = f"import socket, sys\ntry:\n    {what}\nexcept OSError:\n    pass"
    ran = world.accord("build", attack(world, code), "--json").fine()
    [warning] = ran.document()["warnings"]
    assert warning["code"] == "build-tried-network"
    assert warning["source"] == "demo-1.0.tar.gz"
    assert warning["count"] >= 1
    assert "tried the network" in ran.err
    assert f"accord: demo-1.0.tar.gz: {warning['message']} [build-tried-network]" in logs(world)


def logs(world: World) -> list[str]:
    """The lines of the logs that builds left."""
    folder = os.path.join(world.cache, "builds-v1", "logs")
    lines = []
    for name in os.listdir(folder):
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            lines += file.read().splitlines()
    return lines


@shut_away
def test_a_try_at_the_network_in_a_hook_that_only_asks_is_reported(world: World) -> None:
    asks = "\ndef get_requires_for_build_wheel(settings=None):\n    import socket\n    try:\n"
    asks += (
        "        socket.create_connection(('203.0.113.7', 443), 2)\n    except OSError:\n        return []\n"
    )
    ran = world.accord("build", world.write(*sdist_file("demo", "1.0", extra=asks))).fine()
    assert "its build tried the network once and was stopped [build-tried-network]" in ran.err


@shut_away
def test_a_try_at_the_network_is_reported_also_when_the_build_fails(world: World) -> None:
    code = (
        "import socket\ntry:\n    socket.create_connection(('203.0.113.7', 443), 2)\n"
        "except OSError:\n    raise SystemExit('it cannot go on') from None"
    )
    ran = world.accord("build", attack(world, code))
    assert ran.status == 1
    assert "tried the network once" in ran.err
    assert any("[build-tried-network]" in line for line in logs(world))


@shut_away
def test_a_build_that_installs_is_reported_as_one_that_is_published(world: World) -> None:
    code = "import socket\ntry:\n    socket.getaddrinfo('files.example', 1)\nexcept OSError:\n    pass"
    world.accord("venv").fine()
    ran = world.accord("pip", "install", attack(world, code)).fine()
    assert "[build-tried-network]" in ran.err


@shut_away
def test_what_a_build_tells_itself_is_no_network(world: World) -> None:
    """Servers of tests, managers of processes and the names of this host are honest."""
    code = (
        "import socket, threading, uuid, urllib.request, http.server\n"
        "from multiprocessing.connection import Listener, Client\n"
        "for host in ('127.0.0.1', '::1', 'localhost', socket.gethostname()):\n"
        "    family = socket.getaddrinfo(host, 0)[0][0]\n"
        "    server = socket.create_server((host, 0), family=family)\n"
        "    port = server.getsockname()[1]\n"
        "    socket.create_connection((host, port), 2).close()\n"
        "    server.close()\n"
        "    try:\n        socket.create_connection((host, port), 2)\n    except ConnectionRefusedError:\n        pass\n"
        "socket.getfqdn(); socket.getaddrinfo(None, 0); uuid.uuid1()\n"
        "web = http.server.HTTPServer(('', 0), http.server.SimpleHTTPRequestHandler)\n"
        "threading.Thread(target=web.handle_request).start()\n"
        "urllib.request.urlopen(f'http://localhost:{web.server_port}/').read()\n"
        "with Listener(('localhost', 0), authkey=b'x') as listener:\n"
        "    threading.Thread(target=lambda: Client(listener.address, authkey=b'x')).start()\n"
        "    listener.accept()\n"
    )
    ran = world.accord("build", attack(world, code), "--json").fine()
    assert ran.document()["warnings"] == []
    assert "warning" not in ran.err
    assert logs(world) == []


@shut_away
def test_with_the_network_nothing_is_tried_in_vain(world: World) -> None:
    code = "import os\nassert not os.path.exists(os.path.expanduser('~/.ssh'))\n" + "import socket\n"
    code += "try:\n    socket.create_connection(('127.0.0.1', 1), 2)\nexcept OSError:\n    pass"
    tree = own_tree(world, code)
    with open(os.path.join(tree, "pyproject.toml"), "a", encoding="utf-8") as file:
        file.write("\n[tool.accord]\nbuild-network = true\n")
    ran = world.accord("build", "own", "--wheel", "--json").fine()
    assert ran.document()["warnings"] == []


def _keeps_times() -> bool:
    with tempfile.TemporaryDirectory() as folder:
        return not os.statvfs(folder).f_flag & os.ST_NOATIME


times_are_kept = pytest.mark.skipif(not _keeps_times(), reason="this file system keeps no times of reading")
READS = {
    "read": "open(key).read()",
    "copy": "shutil.copyfile(key, 'stolen')",
    "map": "mmap.mmap(os.open(key, os.O_RDONLY), 0, access=mmap.ACCESS_READ)[:]",
    "send": "os.sendfile(os.open('stolen', os.O_CREAT | os.O_RDWR), os.open(key, os.O_RDONLY), 0, 10)",
    "moved": "os.rename(key, key + '2'); open(key + '2').read()",
    "linked": "os.link(key, key + '2'); os.unlink(key); open(key + '2').read()",
    "set-back": "now = os.stat(key); open(key).read(); os.utime(key, ns=(now.st_atime_ns, now.st_mtime_ns))",
    "other-name": "open(next(path for path in glob.glob('/build/home-*/' + NAME))).read()",
    "program": "subprocess.run(['cat', key], check=True, stdout=subprocess.DEVNULL)",
    "archive": "tarfile.open('all.tar', 'w').add(os.path.expanduser('~'))",
}


@shut_away
@times_are_kept
@pytest.mark.parametrize("what", READS.values(), ids=READS)
def test_a_build_that_reads_keys_is_reported(world: World, what: str) -> None:
    code = "import glob, mmap, os, shutil, subprocess, tarfile\nNAME = '.ssh/id_rsa'\n"
    code += "key = os.path.expanduser('~/' + NAME)\n" + what
    ran = world.accord("build", attack(world, code), "--json").fine()
    [warning] = ran.document()["warnings"]
    assert warning["code"] == "build-tried-home"
    assert "~/.ssh/id_rsa" in warning["message"]
    assert "a decoy lay there" in ran.err or "decoys lay there" in ran.err


@shut_away
@times_are_kept
@pytest.mark.parametrize("name", DECOYS)
def test_each_decoy_tells(world: World, name: str) -> None:
    code = f"import os\nassert b'Nothing' in open(os.path.expanduser('~/{name}'), 'rb').read()"
    ran = world.accord("build", attack(world, code)).fine()
    assert f"its build read or changed ~/{name}; a decoy lay there [build-tried-home]" in ran.err


@shut_away
def test_looking_at_the_home_without_reading_keys_is_honest(world: World) -> None:
    """What git, ssh, compilers and installers look for on their way."""
    code = (
        "import os, subprocess\n"
        "home = os.path.expanduser('~')\n"
        "for folder, _, names in os.walk(home):\n"
        "    for name in names:\n"
        "        os.stat(os.path.join(folder, name))\n"
        "for name in ('.gitconfig', '.netrc', '.pydistutils.cfg', '.config/pip/pip.conf', '.ssh/config'):\n"
        "    assert not os.path.exists(os.path.join(home, name))\n"
        "os.makedirs(home + '/.cache/tool')\n"
        "open(home + '/.cache/tool/made', 'w').close()\n"
        "subprocess.run(['git', 'init', '-q'], check=False)\n"
        "subprocess.run(['git', 'describe', '--tags'], check=False, stderr=subprocess.DEVNULL)\n"
        "for program in (['ssh', '-V'], ['gcc', '--version'], ['python3', '-m', 'pip', 'config', 'list']):\n"
        "    try:\n        subprocess.run(program, check=False, stderr=subprocess.DEVNULL)\n"
        "    except FileNotFoundError:\n        pass\n"
    )
    assert world.accord("build", attack(world, code), "--json").fine().document()["warnings"] == []


@shut_away
def test_a_build_cannot_read_the_home(world: World) -> None:
    os.makedirs(os.path.join(world.home, ".ssh"))
    secret = os.path.join(world.home, ".ssh", "id")
    with open(secret, "w", encoding="utf-8") as file:
        file.write("key")
    error = world.refused("build", attack(world, f"print(open({secret!r}).read())"), code="build-reads-home")
    assert "key" not in error["context"]
    expanded = "import os\nassert not os.path.exists(os.path.expanduser('~/.ssh/id'))"
    world.accord("build", attack(world, expanded)).fine()


@shut_away
@pytest.mark.parametrize("place", ["/usr/lib/accord-was-here", "/etc/accord-was-here", "/accord-was-here"])
def test_a_build_cannot_write_outside(world: World, place: str) -> None:
    world.refused("build", attack(world, f"open({place!r}, 'w')"), code="build-writes-outside")
    assert not os.path.exists(place)


@shut_away
def test_a_build_cannot_write_beside_its_folder(world: World) -> None:
    place = world.path("beside")
    world.refused("build", attack(world, f"open({place!r}, 'w')"), code="build-failed")
    assert not os.path.exists(place)


@shut_away
def test_a_build_cannot_change_what_others_build_with(world: World) -> None:
    world.publish("helper", "1.0")
    hook = "import helper\nopen(helper.__file__, 'a').write('stolen = True')"
    extra = "\ndef get_requires_for_build_wheel(settings=None):\n    return ['helper']\n" + HOOK
    extra += "".join(f"    {line}\n" for line in hook.splitlines()) + "    return _honest(directory)\n"
    world.refused("build", world.write(*sdist_file("demo", "1.0", extra=extra)), code="build-writes-outside")


def test_without_a_sandbox_what_a_build_changed_is_not_used_again(world: World) -> None:
    world.publish("helper", "1.0")
    asks = "\ndef get_requires_for_build_wheel(settings=None):\n    return ['helper']\n" + HOOK
    changes = "    import helper\n    open(helper.__file__, 'a').write('\\nstolen = True\\n')\n"
    looks = "    import helper\n    assert not hasattr(helper, 'stolen'), 'it was changed'\n"
    end = "    return _honest(directory)\n"
    evil = world.write(*sdist_file("demo", "1.0", extra=asks + changes + end))
    world.accord("build", evil, "--sandbox", "off").fine()
    honest = world.write(*sdist_file("other", "1.0", extra=asks + looks + end))
    world.accord("build", honest, "--sandbox", "off").fine()


@shut_away
def test_what_a_build_leaves_running_ends_with_it_and_is_reported(world: World) -> None:
    code = "import subprocess\nsubprocess.Popen(['sleep', '4321'], start_new_session=True)"
    ran = world.accord("build", attack(world, code)).fine()
    assert "left 1 process running; it was ended [build-left-running]" in ran.err
    assert "4321" not in "".join(commands())


def commands() -> list[str]:
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/cmdline", encoding="utf-8", errors="replace") as file:
                found.append(file.read().replace("\0", " "))
        except OSError:
            continue
    return [line for line in found if line.startswith("sleep")]


@shut_away
def test_a_build_cannot_reach_who_started_it(world: World) -> None:
    parent = os.getpid()
    code = f"import os\nos.kill({parent}, 0)"
    error = world.refused("build", attack(world, code), code="build-failed")
    assert any("ProcessLookupError" in line for line in error["context"])
    names = "import os\nassert len([n for n in os.listdir('/proc') if n.isdigit()]) < 5"
    world.accord("build", attack(world, names)).fine()


@shut_away
def test_a_build_has_no_powers_and_does_not_know_who_builds(world: World) -> None:
    code = (
        "import os, socket, getpass\n"
        "status = open('/proc/self/status').read()\n"
        "assert 'CapEff:\\t0000000000000000' in status, status\n"
        "assert 'NoNewPrivs:\\t1' in status\n"
        "assert os.getuid() == 1000 and getpass.getuser() == 'builder', os.getuid()\n"
        "assert socket.gethostname() == 'build'\n"
        "assert not os.path.exists('/run/dbus') and not os.path.exists('/tmp/.X11-unix')\n"
    )
    world.accord("build", attack(world, code)).fine()


def test_a_build_that_never_ends_is_ended(world: World) -> None:
    code = "import time\nwhile True:\n    time.sleep(1)"
    world.refused("build", attack(world, code), "--time-limit", "1", code="build-timeout")
    assert nothing_built(world)


def test_a_build_that_hides_files_in_the_output_is_refused(world: World) -> None:
    code = "import os\nopen(os.path.join(directory, 'setup.exe'), 'w').close()"
    error = world.refused("build", attack(world, code), code="build-output-invalid")
    assert "setup.exe" in "".join(error["context"])
    assert nothing_built(world)


def bounded(tmp_path: object, hook: str, **limits: object) -> BuildError:
    """What becomes of a build with ``hook`` under ``limits``."""
    tree = write_project(f"{tmp_path}/tree", HOOK + hook)
    options = BuildOptions(limits=Limits(**limits), sandbox=SandboxPolicy("warn"))  # type: ignore[arg-type]
    builder = Builder(
        f"{tmp_path}/cache", BareEnvironments(), ThisPython(), environ=dict(os.environ), options=options
    )
    with pytest.raises(BuildError) as caught:
        builder.wheel(Tree(tree), f"{tmp_path}/out")
    return caught.value


def test_a_build_that_fills_the_disk_is_ended(tmp_path: object) -> None:
    hook = (
        "    import tempfile, time\n"
        "    with tempfile.NamedTemporaryFile() as file:\n"
        "        while True:\n"
        "            file.write(b'x' * 1000000); file.flush(); time.sleep(0.01)\n"
    )
    assert bounded(tmp_path, hook, scratch_bytes=20_000_000).code == "build-disk-limit"


def test_a_build_that_eats_memory_gets_no_more(tmp_path: object) -> None:
    error = bounded(tmp_path, "    x = bytearray(1 << 30)\n", memory_bytes=300_000_000)
    assert error.code == "build-failed"
    assert "MemoryError" in error.context


def test_a_build_that_prints_without_end_is_ended(tmp_path: object) -> None:
    hook = "    while True:\n        print('x' * 1000)\n"
    error = bounded(tmp_path, hook, output=ProcessLimits(output_bytes=5_000_000))
    assert error.code == "build-output-limit"


def test_sandbox_require_refuses_where_there_is_none(world: World, tmp_path: object) -> None:
    policy = SandboxPolicy("require", bwrap=f"{tmp_path}/no-such-bwrap")
    tree = write_project(f"{tmp_path}/tree")
    builder = Builder(
        f"{tmp_path}/cache2",
        BareEnvironments(),
        ThisPython(),
        environ=dict(os.environ),
        options=BuildOptions(sandbox=policy),
    )
    with pytest.raises(BuildError) as caught:
        builder.wheel(Tree(tree), f"{tmp_path}/out")
    assert caught.value.code == "sandbox-unavailable"


def test_a_missing_sandbox_is_said_once_and_the_build_goes_on(tmp_path: object) -> None:
    from accord.io.reporting import Silent

    class Notes(Silent):
        def __init__(self) -> None:
            self.lines: list[str] = []

        def warn(self, text: str) -> None:
            self.lines.append(text)

    notes = Notes()
    builder = Builder(
        f"{tmp_path}/cache",
        BareEnvironments(),
        ThisPython(),
        environ=dict(os.environ),
        options=BuildOptions(sandbox=SandboxPolicy("warn", bwrap=f"{tmp_path}/no-such-bwrap")),
        reporter=notes,
    )
    for name in ("one", "two"):
        builder.wheel(Tree(write_project(f"{tmp_path}/{name}")), f"{tmp_path}/out")
    assert [line.startswith("builds run without a sandbox") for line in notes.lines] == [True]


def test_a_failing_build_leaves_the_output_as_it_was(world: World) -> None:
    world.accord("build", attack(world, "pass")).fine()
    kept = world.path("dist", "demo-1.0-py3-none-any.whl")
    before = os.stat(kept).st_mtime_ns
    world.refused("build", attack(world, "raise SystemExit(3)"), code="build-failed")
    assert world.listed("dist") == ["demo-1.0-py3-none-any.whl"]
    assert os.stat(kept).st_mtime_ns == before


@shut_away
def test_an_sdist_of_an_index_is_built_in_the_sandbox_too(world: World) -> None:
    looks = "    import os\n    assert os.getuid() == 1000 and os.path.expanduser('~') == '/home/builder'\n"
    world.publish_sdist("demo", "1.0", extra=HOOK + looks + "    return _honest(directory)\n")
    world.accord("venv", "env").fine()
    world.accord("pip", "install", "--env", "env", "demo", "--sandbox", "require").fine()
    assert world.installed("env") == {"demo": "1.0"}


@shut_away
def test_the_tree_of_ones_own_keeps_its_repository_closed(world: World) -> None:
    tree = world.tree("own", "demo", "1.0", extra="\nopen('.git/hooks/post-checkout', 'w')\n")
    os.makedirs(os.path.join(tree, ".git", "hooks"))
    world.refused("build", "own", "--wheel", code="build-writes-outside")
    assert os.listdir(os.path.join(tree, ".git", "hooks")) == []


ASKS_TWICE = """
import os
def get_requires_for_build_wheel(settings=None):
    if os.path.exists('/build/again'):
        return []
    open('/build/again', 'w').close()
    plant()
    return ['helper']
"""


@shut_away
def test_links_that_one_hook_leaves_are_not_followed_for_the_next(world: World) -> None:
    """Between two processes of a build Accord makes folders for the second: as root, a link there would lead anywhere."""
    world.publish("helper", "1.0")
    secret, victim = world.path("secret"), world.write("victim", "untouched")
    os.makedirs(secret)
    plant = (
        "\ndef plant():\n"
        "    for name in {'home', 'tmp', 'etc', *os.listdir('/build')} - {'again', 'demo-1.0'}:\n"
        "        if os.path.lexists('/build/' + name):\n"
        "            os.rename('/build/' + name, '/build/old-' + name)\n"
        f"        os.symlink({secret!r}, '/build/' + name)\n"
        "    os.unlink('/build/etc')\n"
        "    os.mkdir('/build/etc')\n"
        f"    os.symlink({victim!r}, '/build/etc/passwd')\n"
        "    for name in os.listdir('/build'):\n"
        "        if name.startswith('old-call'):\n"
        "            os.unlink('/build/' + name[4:])\n"
        "            os.rename('/build/' + name, '/build/' + name[4:])\n"
    )
    writes = HOOK + "    open(os.path.expanduser('~/planted'), 'w').close()\n    return _honest('/tmp')\n"
    evil = world.write(*sdist_file("demo", "1.0", extra=ASKS_TWICE + plant + writes))
    world.accord("build", evil)
    assert os.listdir(secret) == []
    with open(victim, encoding="utf-8") as file:
        assert file.read() == "untouched"
    honest = ASKS_TWICE + "\ndef plant():\n    assert os.path.isdir(os.path.expanduser('~'))\n"
    world.accord("build", world.write(*sdist_file("demo", "1.0", extra=honest))).fine()


@shut_away
def test_the_folder_for_what_was_built_cannot_be_led_elsewhere(world: World) -> None:
    """A wheel of somebody else's, outside, would be published as what was built here."""
    honest = attack(world, "pass")
    world.accord("build", honest, "-o", "others").fine()
    others = world.path("others")
    code = (
        "import os\n_honest(directory)\nos.rename(directory, directory + '-old')\n"
        f"os.symlink({others!r}, directory)\nreturn 'demo-1.0-py3-none-any.whl'"
    )
    error = world.refused("build", attack(world, code), code="build-output-invalid")
    assert "left a link" in error["message"]
    assert nothing_built(world)


def own_tree(world: World, code: str) -> str:
    """A project of one's own, built with something that does ``code`` (lines) before it does what it should."""
    lines = "".join(f"    {line}\n" for line in code.strip().splitlines())
    return world.tree("own", "demo", "1.0", extra=HOOK + lines + "    return _honest(directory)\n")


@shut_away
@pytest.mark.parametrize("name", [".git", ".venv", ".github", ".pre-commit-config.yaml"])
def test_a_build_cannot_leave_what_other_programs_run(world: World, name: str) -> None:
    """The next ``git status`` in a folder asks its ``.git/config`` what to run."""
    tree = own_tree(world, f"import os\nos.makedirs({name!r} + '/below')\nopen('generated.py', 'w').close()")
    error = world.refused("build", "own", "--wheel", code="build-writes-outside")
    assert name in error["message"]
    assert not os.path.exists(os.path.join(tree, name))
    own_tree(world, "open('generated.py', 'w').close()")
    world.accord("build", "own", "--wheel").fine()


@shut_away
def test_a_linked_environment_in_the_tree_is_no_hindrance_and_stays_what_it_is(world: World) -> None:
    tree = own_tree(world, "import os\nassert os.path.islink('.venv')")
    os.makedirs(world.path("elsewhere"))
    os.symlink("../elsewhere", os.path.join(tree, ".venv"))
    world.accord("build", "own", "--wheel").fine()
    own_tree(world, "import os\nos.unlink('.venv')\nos.symlink('/tmp', '.venv')")
    world.refused("build", "own", "--wheel", code="build-writes-outside")
    assert os.readlink(os.path.join(tree, ".venv")) == "../elsewhere"


@shut_away
@pytest.mark.parametrize(
    "code",
    [
        "open('dist/older-1.0.tar.gz', 'w')",
        "import os\nos.rename('dist', 'moved')",
        "open('dist/new.whl', 'w')",
    ],
)
def test_a_build_cannot_reach_what_was_built_before(world: World, code: str) -> None:
    tree = own_tree(world, code)
    os.mkdir(os.path.join(tree, "dist"))
    with open(os.path.join(tree, "dist", "older-1.0.tar.gz"), "w", encoding="utf-8") as file:
        file.write("as it was")
    world.accord("build", "own", "--wheel", "--clear")
    with open(os.path.join(tree, "dist", "older-1.0.tar.gz"), encoding="utf-8") as file:
        assert file.read() == "as it was"
    assert world.listed(os.path.join(tree, "dist")) == ["older-1.0.tar.gz"]


def test_a_link_in_the_place_of_dist_is_not_cleared_or_written_to(world: World) -> None:
    """Without a sandbox, or with an output folder deeper in the tree, the build can exchange folders."""
    others = world.path("others")
    os.makedirs(others)
    world.write("others/backup.tar.gz", "all I have")
    tree = own_tree(
        world, f"import os\nos.rename('out', 'old')\nos.mkdir('out')\nos.symlink({others!r}, 'out/dist')"
    )
    output = os.path.join(tree, "out", "dist")
    error = world.refused("build", "own", "--wheel", "--clear", "-o", output, code="build-output-invalid")
    assert "not the folder it was" in error["message"]
    assert os.listdir(others) == ["backup.tar.gz"]
    tree = own_tree(world, "pass")  # a link of one's own is meant
    os.remove(os.path.join(tree, "out", "dist"))
    os.symlink(others, os.path.join(tree, "out", "dist"))
    world.accord("build", "own", "--wheel", "-o", output).fine()
    assert "demo-1.0-py3-none-any.whl" in os.listdir(others)


@shut_away
def test_a_cache_inside_the_tree_is_closed_to_the_build(world: World) -> None:
    """Runners of continuous integration keep only what lies in the project's folder."""
    world.publish("helper", "1.0")
    tree = own_tree(world, "import os\nopen(os.path.join('cache', 'builds-v1', 'here'), 'w')")
    cache = os.path.join(tree, "cache")
    world.refused("build", "own", "--wheel", "--cache-dir", cache, code="build-writes-outside")
    own_tree(world, "pass")
    world.accord("build", "own", "--wheel", "--cache-dir", cache).fine()


@shut_away
def test_a_build_cannot_set_what_the_whole_machine_runs_by(world: World) -> None:
    """The files of ``/proc/sys`` are root's, and the kernel takes the builder for whoever runs Accord: a program named in
    ``core_pattern`` would be started outside."""
    code = (
        "import os\n"
        "open('/proc/self/fd/1', 'w').close()\n"
        "for folder, folders, names in os.walk('/proc'):\n"
        "    folders[:] = [name for name in folders if not name.isdigit()]\n"
        "    for name in names:\n"
        "        try:\n"
        "            os.close(os.open(f'{folder}/{name}', os.O_WRONLY | os.O_NONBLOCK))\n"
        "        except OSError:\n"
        "            continue\n"
        "        raise SystemExit(f'{folder}/{name} can be written')\n"
    )
    world.accord("build", attack(world, code)).fine()


@shut_away
def test_a_build_inherits_no_open_files(world: World) -> None:
    """A shell, or a runner of jobs, may have left a folder open: through it everything outside can be reached."""
    code = "import os\nassert len(os.listdir('/proc/self/fd')) == 4, os.listdir('/proc/self/fd')"
    folder = os.open(world.root, os.O_RDONLY)
    os.set_inheritable(folder, True)
    try:
        world.accord("build", attack(world, code)).fine()
    finally:
        os.close(folder)


@shut_away
def test_the_password_of_a_proxy_is_shown_only_to_a_build_with_the_network(world: World) -> None:
    url = "http://me:secret@proxy.example:3128"
    code = "import os\nassert not [name for name in os.environ if name.lower().endswith('_proxy')]"
    world.accord("build", attack(world, code), http_proxy=url, HTTPS_PROXY=url, no_proxy="*").fine()
    seen = f"import os\nassert os.environ['http_proxy'] == {url!r}"
    world.accord("build", attack(world, seen), "--sandbox", "off", http_proxy=url, no_proxy="*").fine()


def test_folders_nested_without_end_are_removed_with_the_build(world: World) -> None:
    code = "import os\nfor _ in range(3000):\n    os.mkdir('d')\n    os.chdir('d')"
    ran = world.accord("build", attack(world, code))
    assert "internal-error" not in ran.err, ran.err  # a slow machine may see how deep it is, and end it
    builds = os.path.join(world.cache, "builds-v1")
    assert not [name for name in os.listdir(builds) if name.startswith(".scratch-")]


def test_folders_nested_too_deep_to_be_counted_are_a_full_disk(tmp_path: object) -> None:
    hook = (
        "    import os, tempfile, time\n"
        "    os.chdir(tempfile.gettempdir())\n"
        "    for _ in range(50):\n"
        "        os.mkdir('d' * 200)\n        os.chdir('d' * 200)\n"
        "    while True:\n        time.sleep(0.1)\n"
    )
    assert bounded(tmp_path, hook).code == "build-disk-limit"


def asking(requirement: str) -> str:
    return f"\ndef get_requires_for_build_wheel(settings=None):\n    return [{requirement!r}]\n"


@pytest.mark.parametrize("place", ["file://{0}", "{0}", "git+file://{0}", "FILE://{0}"])
def test_a_strangers_build_is_not_shown_your_folders_as_requirements(world: World, place: str) -> None:
    """Accord would build the folder outside, or unpack the archive, and lay it before the build."""
    private = world.tree("private", "helper", "1.0")
    evil = world.write(*sdist_file("demo", "1.0", extra=asking("helper @ " + place.format(private))))
    error = world.refused("build", evil, "--sandbox", "off", code="build-requirement-refused")
    assert "a place on this machine" in "".join(error["context"])
    world.publish("helper", "1.0")
    world.accord("build", world.write(*sdist_file("demo", "1.0", extra=asking("helper")))).fine()


def test_ones_own_project_may_name_a_folder_beside_it(world: World) -> None:
    helper = world.tree("helper", "helper", "1.0")
    tree = world.tree("own", "demo", "1.0")
    path = os.path.join(tree, "pyproject.toml")
    with open(path, encoding="utf-8") as file:
        text = file.read()
    with open(path, "w", encoding="utf-8") as file:
        file.write(text.replace("requires = []", f'requires = ["helper @ file://{helper}"]'))
    assert "helper @" in world.read("own/pyproject.toml")
    world.accord("build", "own", "--wheel").fine()


@shut_away
def test_a_build_cannot_send_what_it_reads_as_a_url_to_fetch(world: World) -> None:
    """It has no network; Accord has, and would ask the host of the URL."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)
        url = f"http://127.0.0.1:{server.getsockname()[1]}/secret-1.0.tar.gz"
        evil = world.write(*sdist_file("demo", "1.0", extra=asking(f"secret @ {url}")))
        error = world.refused("build", evil, code="build-requirement-refused")
        assert "no network" in "".join(error["context"])
        with pytest.raises(TimeoutError):
            server.accept()


@shut_away
def test_a_project_that_is_the_whole_home_is_no_sandbox(world: World) -> None:
    tree = own_tree(world, "pass")
    world.refused("build", "own", "--wheel", "--sandbox", "require", code="sandbox-unavailable", HOME=tree)
    assert "sees all of it" in world.accord("build", "own", "--wheel", HOME=tree).fine().err
    assert "sees all" not in world.accord("build", "own", "--wheel", "--sandbox", "require").fine().err


def test_provenance_asks_git_before_a_build_could_say_what_git_runs(world: World) -> None:
    """``git status`` looks into submodules, each with settings of its own."""
    ran = world.path("ran")
    code = (
        "with open('sub/.git/config', 'a') as file:\n"
        f"    file.write('[core]\\n\\tfsmonitor = touch {ran}; false\\n')\n"
        "open('sub/more', 'w').close()"
    )
    tree = own_tree(world, code)
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@mail.example"]
    sub = os.path.join(tree, "sub")
    os.mkdir(sub)
    for folder, words in (
        (sub, ["init", "-q"]),
        (sub, ["commit", "-q", "--allow-empty", "-m", "x"]),
        (tree, ["init", "-q"]),
        (tree, ["add", "."]),
        (tree, ["commit", "-q", "-m", "x"]),
    ):
        world.run(*git, "-C", folder, *words).fine()
    world.accord("build", "own", "--wheel").fine()
    assert "gitCommit" in world.read("own/dist/.accord/demo-1.0-py3-none-any.whl.provenance.json")
    assert not os.path.exists(ran)
    world.run("git", "-C", tree, "status")
    assert os.path.exists(ran), "the attack does nothing"


def test_a_file_that_changes_after_it_was_checked_is_not_put_in_place(world: World) -> None:
    world.accord("build", attack(world, "pass"), "-o", "made").fine()
    path = world.path("made", "demo-1.0-py3-none-any.whl")
    product = check_wheel(path, "demo")
    place([product], world.path("good"))
    assert os.listdir(world.path("good")) == ["demo-1.0-py3-none-any.whl"]
    with open(path, "ab") as file:
        file.write(b"more")
    product.path = path
    with pytest.raises(BuildError) as caught:
        place([product], world.path("dist"))
    assert caught.value.code == "build-output-invalid"
    assert world.listed("dist") == []
