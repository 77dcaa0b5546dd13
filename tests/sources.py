"""The package's own sources, as tests read them: parsed once a process, for all that look at them."""

import ast
import functools
from pathlib import Path


@functools.cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def dotted(node: ast.AST) -> str:
    """Return what a chain of names is written as, nothing where it hangs on anything but a name."""
    if isinstance(node, ast.Attribute):
        holder = dotted(node.value)
        return holder and f"{holder}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""
