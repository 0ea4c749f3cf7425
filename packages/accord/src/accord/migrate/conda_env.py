"""``environment.yml`` of conda: its pip section, and the few conda packages whose name on the index is certain.

Conda's names are not the index's: what is not certain is reported with the line to write, never guessed.  Only the
plain form of the file that ``conda env export`` and people write is read; it needs no YAML library.
"""

from __future__ import annotations

import re

from accord.migrate.model import Described, Item
from accord.migrate.requirement_text import requirement_item

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.migrate.tree import Tree

__all__ = ["add_environment"]

FILES = ("environment.yml", "environment.yaml")
# Names under which conda and the index have the same project (its own recipe says so).
_SAME = frozenset(
    """numpy scipy pandas requests flask django pytest pyyaml jinja2 click six attrs sympy networkx pillow ipython
    jupyterlab notebook scikit-learn scikit-image statsmodels seaborn dask xarray sqlalchemy cython lxml beautifulsoup4
    h5py tqdm pydantic fastapi uvicorn black flake8 mypy ruff sphinx pytest-cov nbconvert ipykernel""".split()  # noqa: SIM905
)


def add_environment(tree: Tree, into: Described) -> bool:
    """Read ``environment.yml``; whether there was one."""
    path = next((each for each in FILES if tree.is_file(each)), None)
    text = tree.read(path) if path else None
    if path is None or text is None:
        return False
    into.read.append(path)
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
                _dependency(
                    value, f"{path}:{number}", comment.strip() or None, tuple(above), into, pip=in_pip
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


def _dependency(
    text: str, where: str, comment: str | None, above: tuple[str, ...], into: Described, *, pip: bool
) -> None:
    if pip:
        item = requirement_item(text, comment, above)
        if item is not None:
            into.dependencies.append(item)
        elif text not in ("-e .", "-e."):
            into.leave(
                where,
                f"pip: {text}",
                "it is no requirement (PEP 508)",
                "write it in [tool.accord.sources], or as name @ URL",
            )
        return
    match = re.fullmatch(r"([A-Za-z0-9_.-]+)\s*(.*)", text.rpartition("::")[2])
    if match is None:
        into.leave(where, text, "it is written in a way only conda reads", "write it as a requirement")
        return
    name, version = match[1].lower(), _specifier(match[2])
    if name == "pip":
        return
    if version is None:
        into.leave(
            where,
            text,
            "its version is written in a way only conda reads",
            f"write {name} with a version as a requirement",
        )
        return
    if name == "python":
        into.requires_python = version or None
        return
    if name not in _SAME:
        into.leave(
            where,
            text,
            f"nobody says that the index has the same project as {name}",
            f'add "{name}{version}" to dependencies if it is Python\'s, or install it with your system',
        )
        return
    into.dependencies.append(Item(f"{name}{version}", comment, above))


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
        if all(re.fullmatch(r"(==|>=|<=|!=|>|<)[0-9][\w.]*(\.\*)?", part) for part in parts)
        else None
    )
