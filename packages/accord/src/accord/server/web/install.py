"""How to install a project from here, in the words of each tool."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Way", "install_lines", "publish_lines", "set_up_lines"]


@dataclass(frozen=True, slots=True)
class Way:
    tool: str
    lines: tuple[str, ...]


def install_lines(url: str, index: str, name: str, version: str | None) -> tuple[Way, ...]:
    """``url`` is of the Simple API, with its slash; ``version`` where not the newest is meant."""
    exact = f"{name}=={version}" if version else name
    quoted = f"'{exact}'" if version else name
    return (
        Way("pip", (f"python -m pip install --index-url {url} {quoted}",)),
        Way("uv", (f"uv add --index {url} {quoted}",)),
        Way("accord", (f"accord add --index-url {url} {quoted}",)),
        Way(
            "poetry",
            (f"poetry source add --priority=primary {index} {url}", f"poetry add --source {index} {quoted}"),
        ),
        Way("pdm", (f"pdm config --local pypi.url {url}", f"pdm add {quoted}")),
    )


def set_up_lines(url: str, index: str) -> tuple[Way, ...]:
    """How each tool is told of the index once."""
    return (
        Way("pip", (f"python -m pip config set global.index-url {url}",)),
        Way("uv", (f"export UV_DEFAULT_INDEX={url}",)),
        Way("accord", (f"accord sync --index-url {url}",)),
        Way("poetry", (f"poetry source add --priority=primary {index} {url}",)),
        Way("pdm", (f"pdm config pypi.url {url}",)),
    )


def publish_lines(legacy: str) -> tuple[Way, ...]:
    """How each tool that uploads is told where to; ``legacy`` is the address of the upload API."""
    return (
        Way("twine", (f"twine upload --repository-url {legacy} dist/*",)),
        Way("uv", (f"uv publish --publish-url {legacy}",)),
        Way("poetry", (f"poetry config repositories.here {legacy}", "poetry publish -r here")),
        Way("pdm", (f"pdm publish --repository {legacy}",)),
    )
