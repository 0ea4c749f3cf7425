"""The form of an upload is held against the file: what means the same passes, what differs is refused with both values."""

from __future__ import annotations

import pytest

from accord.server.archives.examine import examine
from accord.server.errors import Refused
from accord.server.upload.comparing import compare
from accord.server.upload.receive import Form
from accord.testing.archives import wheel_parts, zip_bytes
from accord.testing.serving import InProcess

NAME = "my_spam-1.0.post1-py3-none-any.whl"
INFO = """Metadata-Version: 2.1
Name: My-Spam
Version: 1.0.post1
Summary: A can  of spam
Home-page: https://spam.example/
Author-email: Ada <ada@spam.example>
License: MIT
  with a second line
Keywords: spam,eggs
Classifier: Programming Language :: Python :: 3
Classifier: Topic :: Utilities
Requires-Dist: Eggs[Fried,boiled]>=1.0,<2; python_version >= "3.8"
Requires-Dist: bacon
Requires-Python: >=3.8,<4
Project-URL: Source, https://spam.example/source
Provides-Extra: fast_path
Description-Content-Type: text/markdown; charset=UTF-8

# Spam

Lovely.
"""


@pytest.fixture
def wheel() -> bytes:
    return zip_bytes(wheel_parts(name="my_spam", version="1.0.post1", metadata=INFO))


HONEST: dict[str, list[str]] = {
    "name": ["my.spam"],
    "version": ["1.0-1"],
    "metadata_version": ["2.3"],
    "provides": ["my_spam"],
    "filetype": ["bdist_wheel"],
    "pyversion": ["py3"],
    "summary": ["A can of spam"],
    "home_page": ["https://spam.example/"],
    "author": ["UNKNOWN"],
    "author_email": ["Ada <ada@spam.example>"],
    "license": ["MIT\nwith a second line"],
    "keywords": ["eggs spam"],
    "classifiers": ["Topic :: Utilities", "Programming Language :: Python :: 3"],
    "requires_dist": ["bacon", "eggs[boiled,fried] <2,>=1.0 ; python_version >= '3.8'"],
    "requires_python": ["<4, >=3.8"],
    "project_urls": ["Source,https://spam.example/source"],
    "provides_extra": ["Fast-Path"],
    "description_content_type": ["text/markdown;charset=utf-8"],
    "description": ["# Spam\r\n\r\nLovely.\r\n"],
    "download_url": [""],
    "comment": ["whatever"],
}


def faults(
    form: dict[str, list[str]], wheel: bytes, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, ...]:
    path = tmp_path_factory.mktemp("form") / "received"
    path.write_bytes(wheel)
    examined = examine(str(path), NAME)
    try:
        compare(Form(form), examined)
    except Refused as refused:
        assert (refused.status, refused.code) == (400, "upload-form-disagrees")
        return refused.context
    return ()


def test_what_means_the_same_is_the_same_however_it_is_spelled(
    wheel: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    assert faults(HONEST, wheel, tmp_path_factory) == ()
    assert faults({}, wheel, tmp_path_factory) == ()


@pytest.mark.parametrize(
    ("key", "values", "shown"),
    [
        ("name", ["other"], "My-Spam"),
        ("version", ["1.1"], "1.0.post1"),
        ("filetype", ["sdist"], "wheel"),
        ("summary", ["A can of ham"], "A can  of spam"),
        ("home_page", ["https://ham.example/"], "https://spam.example/"),
        ("author", ["Somebody"], "nothing"),
        ("license", ["GPL"], "MIT"),
        ("keywords", ["spam"], "spam,eggs"),
        ("classifiers", ["Topic :: Utilities"], "Programming Language :: Python :: 3"),
        ("requires_dist", ["bacon"], "Eggs[Fried,boiled]"),
        ("requires_dist", ["bacon", "eggs[fried,boiled]>=1.0,<3; python_version>='3.8'"], "<2"),
        ("requires_python", [">=3.9"], ">=3.8,<4"),
        ("project_urls", ["Source, https://ham.example"], "https://spam.example/source"),
        ("provides_extra", ["slow"], "fast_path"),
        ("description", ["# Ham"], "# Spam"),
        ("description_content_type", ["text/x-rst"], "text/markdown"),
        ("sha256_digest", ["0" * 64], ""),
        ("md5_digest", ["0" * 32], ""),
        ("blake2_256_digest", ["0" * 64], ""),
    ],
)
def test_what_differs_is_refused_with_both_values(
    key: str, values: list[str], shown: str, wheel: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    [fault] = faults({**HONEST, key: values}, wheel, tmp_path_factory)
    assert f"the form says {key}" in fault
    assert values[0][:40] in fault
    assert shown in fault


def test_every_difference_is_told_at_once(wheel: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    form = {**HONEST, "summary": ["ham"], "license": ["GPL"], "author": ["Eve"]}
    assert len(faults(form, wheel, tmp_path_factory)) == 3


def test_pages_show_what_the_file_says_and_nothing_of_a_form_that_lies(
    index: InProcess, wheel: bytes
) -> None:
    lie = index.upload(NAME, wheel, name="my-spam", version="1.0.post1", requires_python=">=3.9")
    assert lie.status == 400
    assert "'>=3.9'" in lie.json()["detail"]
    assert "'>=3.8,<4'" in lie.json()["detail"]
    assert index.get("/simple/my-spam/").status == 404
    assert list(index.parts.storage.digests()) == []
    assert index.upload(NAME, wheel, name="my-spam", version="1.0.post1").status == 200
