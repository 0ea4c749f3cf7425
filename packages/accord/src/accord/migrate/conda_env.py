"""``environment.yml`` of conda: its pip section, and the few conda packages whose name on the index is certain.

Conda's names are not the index's: what is not certain is reported with the line to write, never guessed.  Only the
plain form of the file that ``conda env export`` and people write is read; it needs no YAML library.
"""

from __future__ import annotations

import re

from accord.migrate.model import Described, Item
from accord.migrate.requirement_text import requirement_item
from accord_core.names import normalise

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.migrate.tree import Tree

__all__ = ["add_environment"]

FILES = ("environment.yml", "environment.yaml")
# Names under which conda and the index have the same project (its own recipe says so).
_SAME = frozenset(
    """numpy scipy pandas requests flask django pytest pyyaml jinja2 click six attrs sympy networkx pillow ipython
    jupyterlab notebook scikit-learn scikit-image statsmodels seaborn dask xarray sqlalchemy cython lxml beautifulsoup4
    h5py tqdm pydantic fastapi uvicorn black flake8 mypy ruff sphinx pytest-cov nbconvert ipykernel setuptools wheel
    packaging setuptools-scm pybind11 meson-python ninja python-dateutil pyparsing cycler contourpy fonttools kiwisolver
    matplotlib ipywidgets jupyter nbformat nbsphinx numpydoc sphinx-design sphinx-gallery sphinx-copybutton
    pydata-sphinx-theme sphinx-rtd-theme myst-parser myst-nb pytest-xdist pytest-timeout pytest-mock pytest-asyncio
    hypothesis coverage tox nox virtualenv pre-commit twine joblib numba llvmlite platformdirs appdirs pooch imageio
    tifffile fsspec s3fs zarr numcodecs netcdf4 cftime h5netcdf bottleneck toolz cloudpickle distributed shapely geopandas
    pyproj fiona rasterio rioxarray rtree cartopy cffi psutil typing-extensions importlib-metadata
    importlib-resources codecov isort pyflakes pycodestyle pylint docutils babel pygments""".split()  # noqa: SIM905
)


def add_environment(
    tree: Tree, into: Described, *, is_package: bool = False, known: frozenset[str] = frozenset()
) -> bool:
    """Read ``environment.yml``; whether there was one.

    ``known`` are names of projects that the project itself asks an index for: of them it is certain too.
    """
    path = next((each for each in FILES if tree.is_file(each)), None)
    text = tree.read(path) if path else None
    if path is None or text is None:
        return False
    into.read.append(path)
    reader = _Reader(into, known, is_package)
    section, in_pip, pip_indent, above = "", False, 0, list[str]()
    for number, line in enumerate(text.splitlines(), 1):
        bare = line.strip()
        if bare.startswith("#"):
            above.append(bare.lstrip("# "))
            continue
        body, _, comment = bare.partition(" #")
        head = re.match(r"([a-z_]+)\s*:\s*(.*)", line)
        if head and not line[:1].isspace():
            section, in_pip = head[1], False
            if section == "name" and into.name is None:
                into.name = head[2].strip("\"' ") or None
        elif body.startswith("- "):
            value = body[2:].strip().strip("\"'")
            indent = len(line) - len(line.lstrip())
            in_pip = in_pip and indent > pip_indent if section == "dependencies" and in_pip else in_pip
            if section == "dependencies" and value.rstrip() == "pip:":
                in_pip, pip_indent = True, indent
            elif section == "dependencies":
                reader.dependency(
                    value, f"{path}:{number}", comment.strip() or None, tuple(above), pip=in_pip
                )
            elif section == "channels" and value not in ("defaults", "conda-forge", "nodefaults"):
                into.leave(
                    f"{path}:{number}",
                    f"channel {value}",
                    "it is a channel of conda, no index",
                    "nothing, unless packages of it are needed",
                )
        elif bare and section in ("variables", "prefix"):
            into.leave(f"{path}:{number}", section, "an environment's own state is no dependency", "nothing")
        above = []
    return True


class _Reader:
    """Takes one line after the other; ``target`` is where their requirements go."""

    def __init__(self, into: Described, known: frozenset[str], is_package: bool) -> None:
        self.into = into
        self.known = known
        self.is_package = is_package

    def add(self, item: Item) -> None:
        self.into.wishes("conda", is_package=self.is_package).append(item)

    def dependency(
        self, text: str, where: str, comment: str | None, above: tuple[str, ...], *, pip: bool
    ) -> None:
        if pip:
            item = requirement_item(text, comment, above)
            if item is not None:
                self.add(item)
            elif text not in ("-e .", "-e.", ".", "--editable .", "--no-deps -e ."):
                self.into.leave(
                    where,
                    f"pip: {text}",
                    "it is no requirement (PEP 508)",
                    "write it in [tool.accord.sources], or as name @ URL",
                )
            return
        match = re.fullmatch(r"([A-Za-z0-9_.-]+)\s*(.*)", text.rpartition("::")[2])
        if match is None:
            self.into.leave(
                where, text, "it is written in a way only conda reads", "write it as a requirement"
            )
            return
        name, version = match[1].lower(), _specifier(match[2])
        if name == "pip":
            return
        if version is None:
            self.into.leave(
                where,
                text,
                "its version is written in a way only conda reads",
                f"write {name} with a version as a requirement",
            )
        elif name == "python":
            self.python(text, version, where)
        elif normalise(name) in _SAME or normalise(name) in self.known:
            self.add(Item(f"{name}{version}", comment, above))
        else:
            self.into.leave(
                where,
                text,
                f"nobody says that the index has the same project as {name}",
                f'add "{name}{version}" to the requirements if it is Python\'s, or install it with your system',
            )

    def python(self, text: str, version: str, where: str) -> None:
        if not self.is_package:
            self.into.requires_python = version or None
        elif version:
            self.into.leave(
                where,
                text,
                "which Pythons a package is for is in its own description",
                "nothing; accord -p chooses one",
            )


def _specifier(text: str) -> str | None:
    """conda's ``=1.2`` (any 1.2), ``1.2.*``, ``==1.2``, ``>=1,<2``, with a build behind it; None for the rest."""
    text = text.strip()
    if not text:
        return ""
    exact = re.fullmatch(r"=([0-9][\w.]*)=\w+", text)
    if exact:
        return f"=={exact[1]}"
    fuzzy = re.fullmatch(r"=?\s*([0-9][\w.]*?)(\.\*)?", text)
    if fuzzy and not text.startswith("=="):
        return f"=={fuzzy[1]}.*"
    parts = [part.replace(" ", "") for part in text.split(",")]
    return (
        ",".join(parts)
        if all(re.fullmatch(r"(==|>=|<=|!=|~=|>|<)[0-9][\w.]*(\.\*)?", part) for part in parts)
        else None
    )
