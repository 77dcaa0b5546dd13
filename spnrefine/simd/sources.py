"""The sources that a kernel is compiled of, read without importing them: what its machine code depends on."""

import functools
import re
from pathlib import Path

_PACKAGE = __name__.partition(".")[0]
_FOLDER = Path(__file__).parents[1]
_IMPORTS = re.compile(rf"^from ({_PACKAGE}[\w.]*) import (\([^)]*\)|.*)|^import ({_PACKAGE}[\w.]*)", re.MULTILINE)


@functools.cache
def sources(module: str) -> bytes:
    """Return the sources of all modules of this package that can be compiled into a kernel of ``module``.

    They are those that it imports, and those import, when they are imported themselves.
    """
    return b"".join(_source(name) or b"" for name in sorted(imported(module)))


def imported(module: str) -> set[str]:
    """Name ``module`` and all modules of this package that it imports at once, and those in turn."""
    found: set[str] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        source = None if name in found else _source(name)
        if source is None:  # seen, or a function, and no module
            continue
        found.add(name)
        for parent, names, plain in _IMPORTS.findall(source.decode()):
            waiting += [plain or parent, *(f"{parent}.{each}" for each in re.findall(r"\w+", names))]
    return found


@functools.cache
def _source(module: str) -> bytes | None:
    base = _FOLDER.joinpath(*module.split(".")[1:])
    for path in (base.with_name(f"{base.name}.py"), base / "__init__.py"):
        try:
            data: bytes = __spec__.loader.get_data(str(path))  # type: ignore[union-attr]  # files, and archives
            return data
        except OSError:
            continue
    return None
