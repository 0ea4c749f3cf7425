"""What a build made, looked at before anybody else gets it, and put in place whole (hot).

An sdist must unpack by our own reader and say the name and version of its file name; a wheel must be sound, every
file as RECORD says; and where both were made they must tell one story (PEP 643).  Reads archives, writes one folder.
"""

from __future__ import annotations

import os

from accord.io.digests import sha256
from accord_core.errors import ArchiveError, BuildError

__all__ = [
    "RECORDS",
    "RECORD_ENDINGS",
    "Product",
    "check_agree",
    "check_promise",
    "check_sdist",
    "check_wheel",
    "place",
    "same_folder",
]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from accord_core.archive.metadata import Metadata

RECORDS = (
    ".accord"  # the folder in the output folder that documents about it lie in: no upload's dist/* finds them
)
RECORD_ENDINGS = (".cdx.json", ".provenance.json")  # of a document, behind the name of its file
_STATIC = ("name", "version", "requires_dist", "requires_python", "provides_extra")


class Product:
    """One file that was built: ``kind`` is ``sdist`` or ``wheel``; ``name`` (normal) and ``version`` as its metadata
    say; ``requirements`` what was there to build it, ``sandbox`` whether it was made in one, ``origin`` file name and
    sha256 of the sdist it was made of."""

    __slots__ = (
        "kind", "metadata", "name", "origin", "path", "requirements", "sandbox", "seconds", "sha256", "size", "version",
    )  # fmt: skip

    def __init__(self, kind: str, path: str, metadata: bytes, name: str, version: str) -> None:
        self.kind = kind
        self.path = path
        self.metadata = metadata
        self.name = name
        self.version = version
        self.origin: tuple[str, str] | None = None
        self.requirements: tuple[str, ...] = ()
        self.sandbox = False
        self.seconds = 0.0
        self.describe()

    def describe(self) -> None:
        """Take size and digest of the file as it is now."""
        digest = sha256()
        with open(self.path, "rb") as file:
            while data := file.read(1 << 20):
                digest.update(data)
        self.sha256 = digest.hexdigest()
        self.size = os.path.getsize(self.path)

    @property
    def filename(self) -> str:
        return os.path.basename(self.path)


def check_sdist(path: str, label: str, folder: str) -> tuple[Product, str]:
    """The sdist at ``path``, unpacked into the existing ``folder``: what it is, and the top folder."""
    from accord_core.archive.sdist import extract, pkg_info
    from accord_core.index.filenames import split_sdist

    filename = os.path.basename(path)
    try:
        top = extract(path, folder)
        data = pkg_info(path)
        name, version = _identity(data, label, filename)
    except ArchiveError as error:
        raise _unsound(label, filename, error) from error
    if not _same(split_sdist(filename, name), name, version):
        raise BuildError(
            "build-output-invalid",
            f"{label}: its backend called the sdist {filename}, and its PKG-INFO says {name} {version}",
            hint="an sdist is called name-version.tar.gz (PEP 625)",
        )
    return Product("sdist", path, data, name, version), top


def _same(split: tuple[str, str] | None, name: str, version: str) -> bool:
    from accord_core.names import normalise
    from accord_core.project.versions import sort_key

    try:
        return split is not None and normalise(split[0]) == name and sort_key(split[1]) == sort_key(version)
    except ValueError:
        return False


def check_wheel(path: str, label: str) -> Product:
    """The wheel at ``path``, every file of it read and held against RECORD."""
    from accord_core.archive.wheel import open_wheel
    from accord_core.index.filenames import split_wheel

    filename = os.path.basename(path)
    try:
        if split_wheel(filename) is None:
            raise ArchiveError("wheel-name-invalid", f"{filename!r} is not the name of a wheel")
        with open_wheel(path) as wheel:
            for member in wheel.members:
                for _ in wheel.stream(member):
                    pass
            data = wheel.metadata_bytes()
            name, version = _identity(data, label, filename)
    except ArchiveError as error:
        raise _unsound(label, filename, error) from error
    return Product("wheel", path, data, name, version)


def _identity(data: bytes, label: str, filename: str) -> tuple[str, str]:
    """Name and version in normal form."""
    from accord_core.archive.metadata import parse_metadata
    from accord_core.names import normalise, valid
    from accord_core.project.versions import normal

    metadata = parse_metadata(data)
    try:
        if not valid(metadata.name):
            raise ValueError(metadata.name)
        return normalise(metadata.name), normal(metadata.version)
    except ValueError as error:
        raise BuildError(
            "build-metadata-invalid",
            f"{label}: the metadata of {filename} have no valid name and version",
        ) from error


def _unsound(label: str, filename: str, error: ArchiveError) -> BuildError:
    return BuildError(
        "build-output-invalid",
        f"{label}: what its backend built is not sound: {error.message}",
        context=(f"code: {error.code}", f"file: {filename}"),
        hint="this is a fault of the project's build backend; nothing was put in place",
    )


def check_promise(product: Product, name: str | None, version: str | None, label: str) -> None:
    """Raise BuildError ``build-metadata-mismatch`` unless ``product`` is of the project and version that were promised."""
    promised = (name or product.name, version or product.version)
    if not _same(promised, product.name, product.version):
        raise BuildError(
            "build-metadata-mismatch",
            f"{label} built {product.name} {product.version}",
            context=(f"promised: {promised[0]} {promised[1]}", f"found in: {product.filename}"),
            hint="the file is not what its name says; do not use it before you know why",
        )


def check_agree(sdist: Product, wheel: Product, label: str) -> None:
    """Raise BuildError ``build-metadata-mismatch`` where the wheel says otherwise than the sdist, which promised it
    (PEP 643 "Dynamic")."""
    from accord_core.archive.metadata import parse_metadata

    before, after = parse_metadata(sdist.metadata), parse_metadata(wheel.metadata)
    differing = [
        field
        for field in _STATIC
        if (field in ("name", "version") or before.is_static(field.replace("_", "-")))
        and _said(before, field) != _said(after, field)
    ]
    if differing:
        raise BuildError(
            "build-metadata-mismatch",
            f"{label}: sdist and wheel do not agree about {', '.join(differing)}",
            context=tuple(
                f"{field}: {_said(before, field)!r:.200} in the sdist, {_said(after, field)!r:.200} in the wheel"
                for field in differing
            ),
            hint="what may differ must be named Dynamic in the sdist (PEP 643); the backend has to do it",
        )


def _said(metadata: Metadata, field: str) -> object:
    """A field in a form in which the same compares alike; an entry that stands there twice says nothing more."""
    from accord_core.names import normalise
    from accord_core.project.requirement import parse_requirement
    from accord_core.project.versions import normal, normal_specifier

    value = getattr(metadata, field)
    try:
        if field == "name":
            return normalise(value)
        if field == "version":
            return normal(value)
        if field == "requires_python":
            return normal_specifier(value) if value else None
        if field == "provides_extra":
            return sorted(set(map(normalise, value)))
        return sorted({str(parse_requirement(text)).lower() for text in value})
    except ValueError:
        return value


def same_folder(folder: str) -> tuple[int, int] | None:
    """Which folder that is, to know it again; None where there is none."""
    try:
        facts = os.stat(folder)
    except OSError:
        return None
    return facts.st_dev, facts.st_ino


def place(
    products: Sequence[Product],
    folder: str,
    *,
    clear: bool = False,
    meant: tuple[int, int] | None = None,
    records: Mapping[str, bytes] | None = None,
) -> list[str]:
    """Have ``products`` lie in ``folder``, each whole, and all of them or none; ``clear`` removes the sdists and wheels
    that lay there before.  ``records`` are documents about them by file name; their paths are returned, and those of files
    that are not there any more are gone.

    BuildError ``build-output-invalid`` where it is not the folder that was ``meant``: a build that may write beside it
    put something else in its place.
    """
    from accord.io.files import remove_tree, write_new

    os.makedirs(folder, exist_ok=True)
    if meant is not None and same_folder(folder) != meant:
        raise BuildError(
            "build-output-invalid",
            f"{folder} is not the folder it was when the build began",
            hint="nothing was put in place; look at what it is now, and who made it so",
        )
    beside = os.path.join(folder, RECORDS)
    if records:
        _make_records_folder(beside)
    aside = os.path.join(folder, f".accord-{os.getpid()}-{os.urandom(4).hex()}")
    os.mkdir(aside, 0o755)
    try:
        for product in products:
            _bring(product, os.path.join(aside, product.filename))
        for name, data in (records or {}).items():
            write_new(os.path.join(aside, name), data)
        keep = {product.filename for product in products}
        old = os.listdir(folder) if clear else ()
        gone = [name for name in old if name.endswith((".whl", ".tar.gz")) and name not in keep]
        # Before the files: none is ever seen beside what was said of another.
        for name in (*gone, *keep):
            _forget_records(beside, name)
        for name in gone:
            os.unlink(os.path.join(folder, name))
        for product in products:
            target = os.path.join(folder, product.filename)
            os.replace(os.path.join(aside, product.filename), target)
            product.path = target
        for name in records or ():
            os.replace(os.path.join(aside, name), os.path.join(beside, name))
    finally:
        remove_tree(aside)
    return [os.path.join(beside, name) for name in records or ()]


def _make_records_folder(path: str) -> None:
    try:
        os.mkdir(path)
    except FileExistsError:
        if os.path.islink(path) or not os.path.isdir(path):
            raise BuildError(
                "build-output-invalid",
                f"{path} is no folder, and documents about what is built are to lie in it",
                hint="remove it, or build with --no-records; nothing was put in place",
            ) from None


def _forget_records(folder: str, filename: str) -> None:
    for ending in RECORD_ENDINGS:
        try:
            os.unlink(os.path.join(folder, filename + ending))
        except (FileNotFoundError, NotADirectoryError):
            pass


def _bring(product: Product, target: str) -> None:
    """A file of our own at ``target``, with what ``product`` was when it was looked at: on another disk too, and neither
    a stranger's link nor what somebody the build left behind put there since."""
    digest = sha256()
    with open(product.path, "rb") as source, open(target, "xb") as file:
        while data := source.read(1 << 20):
            digest.update(data)
            file.write(data)
        os.fchmod(file.fileno(), 0o644)
    if digest.hexdigest() != product.sha256:
        raise BuildError(
            "build-output-invalid",
            f"{product.filename} changed after it was checked",
            hint="something the build left running did it; nothing was put in place",
        )
