"""Which variables reach a build: what tools need, never a person's tokens."""

from __future__ import annotations

from accord.build.environ import build_environment

PERSON = {
    "PATH": "/usr/bin",
    "HOME": "/home/person",
    "TOKEN": "secret",
    "CFLAGS": "-O1",
    "HTTPS_PROXY": "http://person:secret@proxy.example",
}


def of(environ: dict[str, str], *, network: bool) -> dict[str, str]:
    return build_environment(environ, python="/env/bin/python", home="/h", temporary="/t", network=network)


def test_what_tools_need_passes_and_nothing_else() -> None:
    passed = of(PERSON, network=True)
    assert (passed["PATH"], passed["CFLAGS"]) == ("/env/bin:/usr/bin", "-O1")
    assert passed["HOME"] == "/h" and "TOKEN" not in passed
    assert passed["HTTPS_PROXY"] and "HTTPS_PROXY" not in of(PERSON, network=False)


def test_the_tools_of_rust_are_told_that_there_is_no_network() -> None:
    """Otherwise cargo tries for ten seconds, and maturin fetches a toolchain where there is none."""
    closed, opened = of(PERSON, network=False), of(PERSON, network=True)
    assert (closed["CARGO_NET_OFFLINE"], closed["MATURIN_NO_INSTALL_RUST"]) == ("true", "1")
    assert not {"CARGO_NET_OFFLINE", "MATURIN_NO_INSTALL_RUST"} & set(opened)
    assert of({**PERSON, "MATURIN_NO_INSTALL_RUST": "1"}, network=True)["MATURIN_NO_INSTALL_RUST"] == "1"
