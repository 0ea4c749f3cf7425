"""The suite imports nothing of anybody's: the standard library and itself."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import accord_conformance

HOME = Path(accord_conformance.__file__).parent


def modules() -> list[Path]:
    # Adapters' programs run in their tools' environments: they import those.
    return [path for path in HOME.rglob("*.py") if "adapters" not in path.relative_to(HOME).parts]


def test_the_suite_imports_the_standard_library_and_itself() -> None:
    for path in modules():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            for name in names:
                top = name.partition(".")[0]
                assert top == "accord_conformance" or top in sys.stdlib_module_names, f"{path.name}: {name}"
