"""The project's own files, as the tests of its shape read them."""

import ast
import functools
from collections.abc import Iterator
from pathlib import Path

from retaildelivery.environment import BASE_DIR

OURS = ("retaildelivery", "stores", "drivers", "deliveries", "offers")

# Where a thing lives in the graph; a higher number may use a lower one. Siblings share a number.
RANKS = {
    "lib": 0,
    "accounts": 1,
    "outbox": 2,
    "web": 2,
    "stores": 3,
    "drivers": 3,
    "deliveries": 4,
    "offers": 5,
    "demo": 6,
}


def modules() -> Iterator[Path]:
    """Every Python file of ours that runs in production."""
    for path in everything("*.py"):
        if not {"migrations", "tests", "testing"} & set(path.relative_to(BASE_DIR).parts):
            yield path


def everything(pattern: str) -> Iterator[Path]:
    for root in OURS:
        yield from sorted((BASE_DIR / root).rglob(pattern))


def templates() -> dict[str, Path]:
    """Template name to file, of all directories Django looks into, ours only."""
    roots = [BASE_DIR / "templates", *(path for path in everything("templates") if path.is_dir())]
    return {path.relative_to(root).as_posix(): path for root in roots for path in sorted(root.rglob("*.*"))}


@functools.cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), filename=str(path))


def place(path: Path, node: ast.AST | None = None) -> str:
    line = f":{node.lineno}" if node is not None and hasattr(node, "lineno") else ""
    return f"{path.relative_to(BASE_DIR)}{line}"
