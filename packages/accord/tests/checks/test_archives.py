"""Checks of sdists and wheels: honest ones are left in peace, and each fault is found by the check that is for it."""

from __future__ import annotations

import io
import random
from zipfile import ZipFile

import pytest

from accord.checks.limits import Limits
from accord.checks.subjects import open_subject
from accord.testing.archives import Part, zip_bytes
from accord_core.errors import UsageError

from .conftest import INFO, LICENCE, METADATA, MODULES, PYPROJECT, README, Bench, codes

pytest.importorskip("trove_classifiers", reason="accord[check] is not installed")
pytest.importorskip("comrak", reason="accord[check] is not installed")

# Faults of the metadata, which both kinds carry.
METADATA_SWAPS = [
    ("metadata-invalid", "Requires-Python: >=3.10", "Requires-Python: >=3.ten"),
    ("metadata-invalid", "License-Expression: MIT", "License-Expression: MIT or so"),
    ("metadata-ahead", "Metadata-Version: 2.4", "Metadata-Version: 2.3"),
    ("version-normal", "Version: 1.0", "Version: v1.0"),
    ("description-missing", "Summary: A shop that sells spam", "Platform: any"),
    ("description-form", "Summary: A shop", "Summary: A shop" * 60),
    ("people-missing", "Author-Email: Ann <ann@spam.example>", "Platform: any"),
    ("email-invalid", "ann@spam.example", "ann.spam.example"),
    ("urls-missing", "Project-URL: Source, https://spam.example/source", "Platform: any"),
    ("url-invalid", "https://spam.example/source", "ftp://spam.example/source"),
    ("url-label", "Project-URL: Source", "Project-URL: Documentatoin"),
    ("requires-python-missing", "Requires-Python: >=3.10\n", ""),
    ("requires-python-cap", ">=3.10", ">=3.10,<4"),
    ("dependency-url", "eggs>=2", "eggs @ https://spam.example/eggs.whl"),
    ("dependency-duplicate", "Requires-Dist: eggs>=2", "Requires-Dist: eggs>=2\nRequires-Dist: eggs>=3"),
    ("dependency-lower-bound", "eggs>=2", "eggs"),
    ("dependency-cap", "eggs>=2", "eggs==2"),
    ("classifier-unknown", "Programming Language :: Python :: 3", "Programming Language :: Python :: 4"),
    ("classifier-deprecated", "Programming Language :: Python :: 3", "Natural Language :: Ukranian"),
    ("classifier-private", "Programming Language :: Python :: 3", "Private :: Do Not Upload"),
    ("classifier-duplicate", "Classifier: Typing", "Classifier: Typing :: Typed\nClassifier: Typing"),
    ("classifier-python", "Python :: 3\n", "Python :: 3.8\n"),
    ("readme-missing", "\n# Spam\n\nIt *sells* spam.\n", "\n"),
    ("readme-type", "text/markdown", "text/html"),
    ("readme-render", "Description-Content-Type: text/markdown\n\n# Spam\n", "\n.. nothing::\n"),
    ("license-missing", "License-Expression: MIT\nLicense-File: LICENSE\n", ""),
    ("license-file-absent", "License-File: LICENSE", "License-File: COPYING"),
    ("license-field-long", "Metadata-Version: 2.4", f"Metadata-Version: 2.3\nLicense: {'word ' * 100}"),
]  # fmt: skip
KEY = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"
DATA = "spam_shop-1.0.data"
LONG = "x = 1\n" * 200


@pytest.mark.parametrize("kind", ["sdist", "wheel"])
def test_nothing_is_said_about_an_honest_archive(bench: Bench, kind: str) -> None:
    report = bench.check(bench.sdist() if kind == "sdist" else bench.wheel())
    assert codes(report) == []
    assert report.skipped == ()
    assert report.ran > 35


@pytest.mark.parametrize("kind", ["sdist", "wheel"])
@pytest.mark.parametrize(("code", "old", "new"), METADATA_SWAPS)
def test_each_fault_of_the_metadata_is_found(bench: Bench, kind: str, code: str, old: str, new: str) -> None:
    report = bench.check(bench.sdist((old, new)) if kind == "sdist" else bench.wheel((old, new)))
    assert code in codes(report)


@pytest.mark.parametrize(
    ("code", "add", "drop"),
    [
        ("sdist-metadata-missing", {}, ("PKG-INFO",)),
        ("sdist-pyproject-missing", {}, ("pyproject.toml",)),
        ("sdist-tests-missing", {}, ("tests/test_main.py",)),
        ("license-file-missing", {}, ("LICENSE", "PKG-INFO")),
        ("ships-secret", {".pypirc": "[x]\npassword = y\n"}, ()),
        ("ships-secret", {"deploy/id_ed25519": KEY}, ()),
        ("ships-test-key", {"tests/id_ed25519": KEY}, ()),
        ("ships-test-key", {"src/greentest/server.pem": KEY}, ()),
        ("ships-secret", {"deploy/latest/server.pem": KEY}, ()),
        ("ships-junk", {"src/.DS_Store": "x"}, ()),
        ("ships-junk", {".git/config": "x"}, ()),
        ("ships-compiled", {"src/spam_shop/__pycache__/main.cpython-312.pyc": "x"}, ()),
    ],
)
def test_each_fault_of_an_sdists_content_is_found(
    bench: Bench, code: str, add: dict[str, str], drop: tuple[str, ...]
) -> None:
    assert code in codes(bench.check(bench.sdist(add=add, drop=drop)))


def test_an_sdist_of_an_older_name_is_found(bench: Bench) -> None:
    report = bench.check(bench.sdist(name="spam-shop-1.0.tar.gz", top="spam-shop-1.0"))
    assert codes(report) == ["sdist-name"]
    assert "PEP 625" in report.found[0].check.why


def test_a_folder_that_is_not_called_as_its_sdist_is_found(bench: Bench) -> None:
    assert codes(bench.check(bench.sdist(top="spam-main"))) == ["sdist-folder"]


def test_metadata_that_promise_nothing_are_found(bench: Bench) -> None:
    swaps = (
        ("Metadata-Version: 2.4", "Metadata-Version: 2.1"),
        ("License-Expression: MIT\nLicense-File: LICENSE", "License: MIT"),
    )
    assert codes(bench.check(bench.sdist(*swaps))) == ["sdist-metadata-old"]


@pytest.mark.parametrize("fold", ["        ", "       |"])
def test_a_description_in_a_header_is_unfolded_before_it_is_rendered(bench: Bench, fold: str) -> None:
    """Metadata before 2.1 had it there, each further line behind eight signs."""
    body = "\nDescription-Content-Type: text/markdown\n\n# Spam\n\nIt *sells* spam.\n"
    lines = f"Spam\n{fold}====\n{fold}\n{fold}It *sells* spam.\n"
    old = (("Metadata-Version: 2.4", "Metadata-Version: 1.2"), (body, f"\nDescription: {lines}"))
    assert "readme-render" not in codes(bench.check(bench.sdist(*old)))
    bad = (*old, (f"{fold}====", f"{fold}.. nothing::"))
    assert "readme-render" in codes(bench.check(bench.sdist(*bad)))


def test_what_ordinary_sdists_hold_is_not_reported(bench: Bench) -> None:
    add = {".gitignore": "x", ".github/workflows/ci.yml": "x", "docs/conf.py": "", "tests/ca.pem": "x"}
    assert codes(bench.check(bench.sdist(add=add))) == []


@pytest.mark.parametrize(
    ("code", "add", "drop"),
    [
        ("license-file-absent", {}, (f"{INFO}/licenses/LICENSE",)),
        ("ships-secret", {"spam_shop/.netrc": "machine a login b password c"}, ()),
        ("ships-junk", {"spam_shop/main.py.orig": "x"}, ()),
        ("ships-junk", {"spam_shop/node_modules/x.js": "x"}, ()),
        ("ships-compiled", {"spam_shop/__pycache__/main.cpython-312.pyc": "x"}, ()),
        ("ships-egg-info", {"spam_shop.egg-info/PKG-INFO": "x"}, ()),
        ("top-level-foreign", {"tests/__init__.py": ""}, ()),
        ("top-level-foreign", {"setup.py": ""}, ()),
        ("file-duplicate", {"spam_shop/a.py": LONG, "spam_shop/b.py": LONG}, ()),
        ("path-long", {f"spam_shop/{'long' * 20}/{'long' * 25}.txt": ""}, ()),
        ("source-syntax", {"spam_shop/bad.py": "print 'spam'\n"}, ()),
        ("init-missing", {"spam_shop/sub/a.py": ""}, ()),
        ("typed-marker-missing", {}, ("spam_shop/py.typed",)),
        ("stubs-with-code", {"ham-stubs/a.py": ""}, ()),
        ("wheel-pure-binary", {"spam_shop/_speed.so": "x"}, ()),
        ("sbom-invalid", {f"{INFO}/sboms/a.cdx.json": "{"}, ()),
        ("script-shebang", {f"{DATA}/scripts/spam-tool": "#!/opt/build/bin/python3\n"}, ()),
        ("entry-point-missing", {}, ("spam_shop/main.py",)),
    ],
)
def test_each_fault_of_a_wheels_content_is_found(
    bench: Bench, code: str, add: dict[str, str], drop: tuple[str, ...]
) -> None:
    assert code in codes(bench.check(bench.wheel(add=add, drop=drop)))


@pytest.mark.parametrize(
    "add",
    [
        {f"{DATA}/scripts/spam-tool": "#!python\n", f"{DATA}/scripts/other": "#!/bin/sh\n"},
        {f"{INFO}/sboms/a.cdx.json": "{}", "spam_shop-nspkg.pth": "import os\n"},
        {f"{DATA}/purelib/spam_extra/__init__.py": "", "spam_single.py": "x = 1\n"},
        {"spam_shop/tests/__init__.py": "", "spam_shop/a.txt": "x", "spam_shop/b.txt": "x"},
    ],
)
def test_what_is_fine_in_a_wheel_is_not_reported(bench: Bench, add: dict[str, str]) -> None:
    assert codes(bench.check(bench.wheel(add=add))) == []


def test_a_typed_wheel_that_does_not_say_so_is_found(bench: Bench) -> None:
    assert codes(bench.check(bench.wheel(("Classifier: Typing :: Typed\n", "")))) == [
        "typed-classifier-missing"
    ]


def test_tags_that_disagree_are_found(bench: Bench) -> None:
    report = bench.check(bench.wheel(tag="py3-none-any", inside="py2-none-any"))
    assert codes(report) == ["wheel-tags"]
    assert "py3-none-any" in report.found[0].finding.message


@pytest.mark.parametrize(
    "platform",
    [
        "linux_x86_64",
        "linux_aarch64",
        "freebsd_14_amd64",
        "macosx_14_ppc",
        "macosx_14_2_arm64",
        "manylinux2010_aarch64",
        "manylinux_2_17_sparc",
        "musllinux_1_2_ppc64",
        "ios_13_0_arm64",
    ],
)
def test_platforms_the_index_refuses_are_found(bench: Bench, platform: str) -> None:
    assert "wheel-platform" in codes(bench.check(bench.wheel(tag=f"py3-none-{platform}", pure="false")))


@pytest.mark.parametrize(
    "platform",
    [
        "manylinux_2_17_x86_64.manylinux2014_x86_64",
        "musllinux_1_2_aarch64",
        "macosx_11_0_arm64",
        "win_amd64",
        "linux_armv7l",
        "ios_13_0_arm64_iphoneos",
        "android_21_x86_64",
    ],
)
def test_platforms_the_index_takes_are_not(bench: Bench, platform: str) -> None:
    report = bench.check(bench.wheel(tag=f"py3-none-{platform}", pure="false"))
    assert codes(report) == ["wheel-platform-pure"]  # and nothing in it is compiled: that is all


def test_a_name_that_is_not_normal_is_found(bench: Bench) -> None:
    wheel = bench.wheel()
    other = wheel.with_name("Spam_Shop-1.0-py3-none-any.whl")
    wheel.rename(other)
    report = bench.check(other)
    assert codes(report) == ["wheel-name"]
    assert len(report.found) == 2  # the folder within is called otherwise, too


def test_files_of_different_times_are_found(bench: Bench) -> None:
    wheel = bench.wheel()
    with ZipFile(io.BytesIO(wheel.read_bytes())) as archive:
        times = [{"time": number} for number, _ in enumerate(archive.namelist())]
        parts = [
            Part(name, archive.read(name), both=when)
            for name, when in zip(archive.namelist(), times, strict=True)
        ]
    wheel.write_bytes(zip_bytes(parts))
    assert codes(bench.check(wheel)) == ["zip-times"]


@pytest.mark.parametrize(
    ("text", "found"), [(b"x = 1\n", ["file-executable"]), (b"#!/usr/bin/env python\n", [])]
)
def test_a_file_that_is_executable_and_no_program_is_found(
    bench: Bench, text: bytes, found: list[str]
) -> None:
    wheel = bench.wheel(add={"spam_shop/tool.py": text})
    with ZipFile(io.BytesIO(wheel.read_bytes())) as archive:
        parts = [
            Part(name, archive.read(name), mode=0o100755 if name.endswith("tool.py") else 0o100644)
            for name in archive.namelist()
        ]
    wheel.write_bytes(zip_bytes(parts))
    assert codes(bench.check(wheel)) == found


def test_a_wheel_that_the_index_takes_for_a_bomb_is_found(bench: Bench) -> None:
    noise = random.Random(1).randbytes(1 << 20)
    zeros: dict[str, str | bytes] = {
        f"spam_shop/{number}.bin": bytes(10_000_000 - number) for number in range(6)
    }
    honest = bench.wheel(add={"spam_shop/noise.bin": noise, **zeros})
    assert codes(bench.check(honest)) == []  # under 64 MiB
    report = bench.check(
        bench.wheel(add={"spam_shop/noise.bin": noise, **zeros, "spam_shop/7.bin": bytes(8_000_000)})
    )
    assert codes(report) == ["wheel-ratio"]


def test_an_archive_larger_than_the_index_takes_is_found(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = bench.wheel()
    size = wheel.stat().st_size
    monkeypatch.setattr("accord.checks.contents._INDEX_LIMIT", size)
    assert codes(bench.check(wheel)) == []
    monkeypatch.setattr("accord.checks.contents._INDEX_LIMIT", size - 1)
    assert codes(bench.check(wheel)) == ["archive-large"]


def test_a_wheel_that_installs_nothing_is_found(bench: Bench) -> None:
    report = bench.check(
        bench.wheel(("Classifier: Typing :: Typed\n", ""), drop=tuple(MODULES), entry_points="")
    )
    assert codes(report) == ["wheel-empty"]


def test_a_hostile_archive_is_refused_with_the_code_of_its_fault(bench: Bench) -> None:
    wheel = bench.wheel(add={"../outside.py": ""})
    sdist = bench.sdist(add={"../../outside.py": ""})
    for path in (wheel, sdist):
        report = bench.check(path)
        assert codes(report) == ["archive-refused"]
        assert "archive-" in report.found[0].finding.message
        assert report.errors == 1
    assert not (bench.folder / "outside.py").exists()


def test_a_wheel_whose_record_lies_is_found(bench: Bench) -> None:
    """One byte of a module is other than RECORD says; the zip's own checksum is right."""
    parts = {"spam_shop/__init__.py": b'"""Evil."""\n'}
    honest = bench.wheel().read_bytes()
    with ZipFile(io.BytesIO(honest)) as archive:
        changed = [Part(one, parts.get(one, archive.read(one))) for one in archive.namelist()]
    wheel = bench.wheel()
    wheel.write_bytes(zip_bytes(changed))
    assert codes(bench.check(wheel)) == ["wheel-record"]


def test_a_wheel_without_its_licence_file_is_found(bench: Bench) -> None:
    wheel = bench.wheel(("License-File: LICENSE\n", ""), drop=(f"{INFO}/licenses/LICENSE",))
    assert codes(bench.check(wheel)) == ["license-file-missing"]


def test_pkg_info_beyond_the_limit_is_refused(bench: Bench) -> None:
    sdist = bench.sdist()
    size = len(METADATA)
    assert codes(bench.check(sdist, limits=Limits(document_bytes=size))) == []
    assert codes(bench.check(sdist, limits=Limits(document_bytes=size - 1))) == ["archive-refused"]


def test_a_readme_beyond_the_limit_is_named_as_not_examined(bench: Bench) -> None:
    size = len(README)
    assert codes(bench.check(bench.wheel(), limits=Limits(rendered_characters=size))) == []
    assert codes(bench.check(bench.wheel(), limits=Limits(rendered_characters=size - 1))) == ["not-examined"]


def test_what_is_no_package_is_a_usage_error(bench: Bench) -> None:
    for name in ("nothing.whl", "notes.txt"):
        (bench.folder / "notes.txt").write_text(LICENCE)
        with pytest.raises(UsageError) as refused:
            open_subject(str(bench.folder / name), "")
        assert refused.value.code == "check-no-subject"


# -- the two of one release ----------------------------------------------------------------------------------


def test_nothing_is_said_about_an_sdist_and_its_wheel(bench: Bench) -> None:
    report = bench.compare(bench.sdist(), bench.wheel())
    assert codes(report) == []
    assert report.ran >= 3


def test_a_wheel_with_code_the_sdist_has_not_is_found(bench: Bench) -> None:
    report = bench.compare(bench.sdist(), bench.wheel(add={"spam_shop/evil.py": "import os\n"}))
    assert codes(report) == ["pair-modules"]
    assert "evil.py" in report.found[0].finding.message


@pytest.mark.parametrize(
    ("old", "new"),
    [("eggs>=2", "eggs>=3"), (">=3.10", ">=3.11"), ("MIT", "ISC"), ("A shop", "A stall")],
)
def test_metadata_that_differ_are_found(bench: Bench, old: str, new: str) -> None:
    report = bench.compare(bench.sdist(), bench.wheel((old, new)))
    assert codes(report) == ["pair-metadata"]


def test_metadata_that_are_dynamic_may_differ(bench: Bench) -> None:
    sdist = bench.sdist(("Provides-Extra: ham-cut", "Dynamic: Requires-Dist\nProvides-Extra: ham-cut"))
    assert codes(bench.compare(sdist, bench.wheel(("eggs>=2", "eggs>=3")))) == []


def test_spelling_alone_is_no_difference(bench: Bench) -> None:
    report = bench.compare(bench.sdist(), bench.wheel(("eggs>=2", "Eggs >= 2"), ('"ham-cut"', "'ham-cut'")))
    assert codes(report) == []


def test_versions_that_differ_are_found(bench: Bench) -> None:
    sdist = bench.sdist(("Version: 1.0", "Version: 1.1"), name="spam_shop-1.1.tar.gz", top="spam_shop-1.1")
    assert codes(bench.compare(sdist, bench.wheel(("eggs>=2", "eggs>=3")))) == ["pair-version"]


def test_the_honest_pyproject_is_the_projects(bench: Bench) -> None:
    """The three honest subjects are one release, so that a change of one of them is seen in the others."""
    project, wheel = (open_subject(str(path), "") for path in (bench.project(), bench.wheel()))
    assert project.facts is not None
    assert wheel.facts is not None
    assert PYPROJECT
    for field in (
        "name",
        "version",
        "description",
        "requires_python",
        "license",
        "classifiers",
        "urls",
        "extras",
    ):
        assert getattr(project.facts, field) == getattr(wheel.facts, field)
