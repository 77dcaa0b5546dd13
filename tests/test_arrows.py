"""The package's rooms: which may import which, how long a file may be, and what the command line loads at once."""

import ast
import functools
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

import spnrefine
from tests import sources

PACKAGE = Path(spnrefine.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))
MOST_LINES = 260
HEAVY = {"torch", "numba", "cv2", "numpy"}

ARROWS: dict[str, set[str]] = {
    "errors": set(),
    "boxes": set(),
    "version": set(),
    "cache": {"errors"},
    "simd": {"cache", "errors"},
    "ops": {"cache", "errors", "simd"},
    "model": {"cache", "errors", "simd", "ops"},
    "refiner": {"boxes", "errors", "simd", "ops", "model"},
    "files": {"boxes", "errors"},
    "annotations": {"boxes", "errors", "files"},
    "job": {"boxes", "errors", "files", "model", "refiner"},
    "batch": {"boxes", "errors", "files", "annotations", "simd", "model", "refiner", "job"},
    "stores": {"batch", "errors", "files", "job"},
    "review": {"boxes", "errors", "files"},
    "evaluate": {
        "annotations",
        "batch",
        "boxes",
        "errors",
        "files",
        "job",
        "model",
        "ops",
        "refiner",
        "review",
        "simd",
    },
    "adapt": {"boxes", "errors", "evaluate", "files", "model", "refiner"},
    "train": {"errors", "files", "ops", "model", "evaluate"},
}
ANYTHING = {"", "cli", "__main__"}  # "" is spnrefine/__init__.py, which resolves its names lazily


class Import(NamedTuple):
    module: str
    at_once: bool  # when the importing file is imported, not in a function or for type checking alone


def module_name(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room(module: str) -> str:
    return [*module.split("."), ""][1]


MODULES = {module_name(path): path for path in FILES}


@functools.cache
def imports_of(path: Path) -> list[Import]:
    package = module_name(path) if path.name == "__init__.py" else module_name(path).rpartition(".")[0]
    return list(_imports(sources.tree(path), package, at_once=True))


def _imports(node: ast.AST, package: str, *, at_once: bool) -> Iterator[Import]:
    if isinstance(node, ast.Import):
        yield from (Import(alias.name, at_once) for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
        source = ".".join([*above, *([node.module] if node.module else [])])
        for alias in node.names:
            name = f"{source}.{alias.name}"
            yield Import(name if name in MODULES else source, at_once)
    later = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) or (
        isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")
    )
    for child in ast.iter_child_nodes(node):
        yield from _imports(child, package, at_once=at_once and not later)


def loaded_at_once(module: str) -> set[str]:
    """Everything that importing ``module`` imports, through the package's own modules."""
    seen: set[str] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        waiting += [name.rpartition(".")[0]] if "." in name else []  # a package is imported before its modules
        if name in MODULES:
            waiting += [found.module for found in imports_of(MODULES[name]) if found.at_once]
    return seen


@pytest.mark.parametrize("path", FILES, ids=module_name)
def test_arrows_go_one_way(path: Path) -> None:
    own = room(module_name(path))
    if own in ANYTHING:
        return
    assert own in ARROWS, f"{own} is a room without arrows: say here what it may import"
    for found in imports_of(path):
        if found.module.split(".")[0] == "spnrefine" and room(found.module) != own:
            # "" is the package itself, whose lazy names would lead anywhere
            assert room(found.module) in ARROWS[own] | {"version"}, f"{module_name(path)} imports {found.module}"


def test_fsspec_is_imported_for_urls_alone() -> None:
    files = [path for path in FILES if "import fsspec" in path.read_text()]
    places = [(module_name(path), f.at_once) for path in files for f in imports_of(path) if f.module == "fsspec"]
    assert places == [("spnrefine.stores.store", False)]


def test_only_the_train_command_imports_train_and_only_when_it_runs() -> None:
    for path in FILES:
        for found in imports_of(path):
            if room(found.module) == "train" and room(module_name(path)) != "train":
                assert module_name(path) == "spnrefine.cli.train"
                assert not found.at_once


@pytest.mark.parametrize("path", FILES, ids=module_name)
def test_files_are_short(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= MOST_LINES


@pytest.mark.parametrize("module", [name for name in MODULES if room(name) in ANYTHING])
def test_the_command_line_starts_light(module: str) -> None:
    roots = {name.split(".")[0] for name in loaded_at_once(module)}
    assert not roots & HEAVY


def test_the_walk_sees_what_it_should() -> None:
    source = ast.parse(
        "import torch.nn\n"
        "from spnrefine.files import masks\n"
        "from . import files\n"
        "if TYPE_CHECKING:\n    import cv2\n"
        "def command():\n    import numba\n"
    )
    found = set(_imports(source, "spnrefine", at_once=True))
    assert found == {
        Import("torch.nn", True),
        Import("spnrefine.files.masks", True),
        Import("spnrefine.files", True),
        Import("cv2", False),
        Import("numba", False),
    }
    assert {"spnrefine", "spnrefine.errors", "numpy", "PIL"} <= {
        name for name in loaded_at_once("spnrefine.files.masks") if name.count(".") < 2
    }
