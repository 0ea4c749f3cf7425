"""The upload every index takes: one form for each file, with its core metadata as fields.

The names of the fields are those the public index documents and twine sends; a test holds what is written here against
what twine writes.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from accord.io.http.sending import Body
from accord.publish.desk import refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from accord.publish.desk import Answer, Desk
    from accord.publish.parcels import Parcel

__all__ = ["accepted", "form_fields", "is_there_already", "upload_form"]

# Of core metadata, each by the name its field has in the form.  Those of old that come once, then those that repeat.
_ONCE = {
    "Metadata-Version": "metadata_version", "Name": "name", "Version": "version", "Summary": "summary",
    "Description": "description", "Description-Content-Type": "description_content_type", "Keywords": "keywords",
    "Home-page": "home_page", "Download-URL": "download_url", "Author": "author", "Author-email": "author_email",
    "Maintainer": "maintainer", "Maintainer-email": "maintainer_email", "License": "license",
    "License-Expression": "license_expression", "Requires-Python": "requires_python",
}  # fmt: skip
_SEVERAL = {
    "Dynamic": "dynamic", "Platform": "platform", "Supported-Platform": "supported_platform",
    "Classifier": "classifiers", "Requires-Dist": "requires_dist", "Requires-External": "requires_external",
    "Project-URL": "project_urls", "Provides-Extra": "provides_extra", "Provides-Dist": "provides_dist",
    "Obsoletes-Dist": "obsoletes_dist", "License-File": "license_file", "Requires": "requires",
    "Provides": "provides", "Obsoletes": "obsoletes", "Import-Name": "import_name",
    "Import-Namespace": "import_namespace",
}  # fmt: skip


def form_fields(parcel: Parcel) -> list[tuple[str, str]]:
    """The fields but for the file, in order; those that repeat stand once for each value."""
    found = [
        (":action", "file_upload"),
        ("protocol_version", "1"),
        ("filetype", "bdist_wheel" if parcel.kind == "wheel" else "sdist"),
        ("pyversion", parcel.pyversion),
        ("sha256_digest", parcel.sha256),
        ("blake2_256_digest", parcel.blake2b_256),
    ]
    for key, name in _ONCE.items():
        value = parcel.fields.first(key)
        if value:
            found.append((name, value))
    for key, name in _SEVERAL.items():
        found += [(name, value) for value in parcel.fields.all(key)]
    return found


def upload_form(desk: Desk, url: str, parcel: Parcel, progress: Callable[[int], None]) -> Answer:
    """Send it.  The answer may be a refusal, which the caller understands; see :func:`is_there_already`."""
    told = 0

    def count(size: int) -> None:
        nonlocal told
        told += size
        progress(size)

    def rewind() -> None:
        nonlocal told
        progress(-told)
        told = 0

    boundary = secrets.token_hex(16)
    head = b"".join(
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in form_fields(parcel)
    )
    head += (
        f'--{boundary}\r\nContent-Disposition: form-data; name="content"; filename="{parcel.filename}"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    ).encode()
    tail = f"\r\n--{boundary}--\r\n".encode()
    file = parcel.body(count)

    def pieces() -> Iterator[bytes]:
        yield head
        yield from file.pieces()
        yield tail

    headers = [
        ("Content-Type", f"multipart/form-data; boundary={boundary}"),
        ("Accept", "application/json, */*;q=0.5"),
    ]
    # Not again after a lost answer: many indexes would call the file they have just taken somebody else's.
    return desk.send(
        "POST", url, headers, Body(len(head) + file.size + len(tail), pieces), later=True, rewind=rewind
    )


def accepted(answer: Answer, parcel: Parcel, url: str) -> None:
    """Raises RepositoryError where the index did not take the file."""
    if not 200 <= answer.status < 300:
        raise refusal(answer, f"take {parcel.filename}", url)


def is_there_already(answer: Answer) -> bool:
    """Whether a refusal says that a file of this name is there.  Indexes say so in their own ways, which twine knows, too:
    409; or 400 or 403 with words to that effect."""
    if answer.status == 409:
        return answer.code in ("", "file-exists", "file-there-already")
    if answer.status not in (400, 403):
        return False
    words = " ".join(answer.words).lower()
    return any(
        said in words for said in ("already exist", "already been taken", "overwrite", "already exists")
    )
