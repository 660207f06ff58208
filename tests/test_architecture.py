"""The direction of imports, as the design draws it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import broadsheet

PACKAGE = Path(broadsheet.__file__).parent
CONTENT = ("sources", "articles", "stories", "readers", "feed")
FREE = {"model", "errors", "wording", "__version__"}

# What each outer part may import besides the nouns and itself. Nothing imports cli.
OUTER = {
    "store": set(),
    "memory": set(),
    "engine": {"memory"},
    "evaluation": {*CONTENT, "stages"},
    "stages": {*CONTENT},
    "following": {"sources", "store"},
    "intake": {*CONTENT},
    "jobs": {*CONTENT, "store", "following", "intake", "engine", "memory", "config"},
    "telling": {*CONTENT},
    "reading": {*CONTENT, "store", "following", "telling", "config"},
    "web": {*CONTENT, "store", "reading", "telling", "jobs", "config"},
}


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def part_of(path: Path) -> str:
    first = path.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py")


def imported_parts(path: Path) -> Iterator[str]:
    """The top-level parts of Broadsheet that a module imports, wherever in the file it does so."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names = [
                f"{node.module}.{alias.name}" if node.module == "broadsheet" else str(node.module)
                for alias in node.names
            ]
        else:
            assert not (isinstance(node, ast.ImportFrom) and node.level), f"{path} imports relatively"
            continue
        for name in names:
            if name.startswith("broadsheet."):
                yield name.split(".")[1]


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_imports_only_what_lies_upstream_of_it(path: Path):
    part = part_of(path)
    found = set(imported_parts(path)) - FREE - {part}
    if part in FREE or part == "config":
        assert not found - FREE
    elif part in CONTENT:
        assert not found, f"{path} imports {found}: content folders know only the nouns"
    elif part in OUTER:
        assert found <= OUTER[part], f"{path} imports {found - OUTER[part]}"
    if part != "cli" and path.name != "__main__.py":
        assert "cli" not in found


def test_sql_is_spoken_only_in_the_store():
    for path in modules():
        if part_of(path) != "store":
            source = path.read_text("utf-8")
            assert "sqlalchemy.text(" not in source
            assert not [
                node
                for node in ast.walk(ast.parse(source))
                if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("sqlalchemy")
                for alias in node.names
                if alias.name not in {"Engine", "Connection"}
            ], f"{path} takes more of SQLAlchemy than a connection to hand on"
