"""Patterns of file names: which mask belongs to a photograph, and what a refined mask is called."""

import fnmatch
import os
import re
from collections.abc import Collection
from pathlib import Path

from spnrefine.errors import FileError

FIELDS = ("stem", "name")
MASK = "mask"

_FIELD = re.compile(r"\{([^{}-]*)(?:-([^{}]*))?\}")


class Pattern:
    """A name with fields: ``{stem}``, ``{stem-ENDING}`` (the stem without that ending) and ``{name}`` of a photograph.

    Parameters
    ----------
    text : such as ``{stem}_mask.png`` or ``../labels/{name}.png``; ``*`` and ``?`` stand for any characters in a mask's
        name.
    fields : those that there are; ``{mask}`` is the path of the mask in its folder, without extension.
    option : names it in errors.

    Raises
    ------
    FileError
        No field, or another one.
    """

    def __init__(self, text: str, option: str, fields: Collection[str] = FIELDS):
        self.text = text
        self._listed: dict[Path, list[str]] = {}
        found = _FIELD.findall(text)
        wrong = [field for field, ending in found if field not in fields or (ending and field != "stem")]
        if wrong or not found:
            held = f"has the field {{{wrong[0]}}}" if wrong else "has no field"
            known = ", ".join(f"{{{field}}}" for field in fields)
            raise FileError(f"{option} {text!r} {held}: expected {known} or {{stem-ENDING}} in it.")

    def fill(self, photograph: Path, mask: Path | None = None) -> str | None:
        """Return the name for a photograph; None where its stem has not the ending that is to be taken off."""
        values = {"name": photograph.name, "mask": "" if mask is None else mask.as_posix()}
        filled = []
        end = 0
        for match in _FIELD.finditer(self.text):
            field, ending = match[1], match[2]
            value = photograph.stem if field == "stem" else values[field]
            if ending:
                if not value.endswith(ending):
                    return None
                value = value.removesuffix(ending)
            filled += [self.text[end : match.start()], value]
            end = match.end()
        return "".join([*filled, self.text[end:]])

    def find(self, photograph: Path, folder: Path) -> tuple[list[Path], str]:
        """Return the masks of a photograph that lie in or near ``folder``, and what was looked for."""
        wanted = self.fill(photograph)
        if wanted is None:
            return [], f"{folder}/{self.text}"
        path = Path(os.path.normpath(folder / wanted))
        if not any(sign in self.text for sign in "*?"):
            return [path] if path.is_file() else [], str(path)
        literal = self.fill(Path(_escaped(photograph.name)))
        fits = re.compile(fnmatch.translate(Path(literal or "").name))
        return [path.parent / name for name in self._names(path.parent) if fits.match(name)], str(path)

    def looks_like(self, path: Path) -> bool:
        """Whether a file beside the photographs has such a name, whatever photograph it may belong to."""
        if "/" in self.text:
            return False
        sign = _FIELD.sub(lambda match: "*.*" if match[1] == "name" else "?*", self.text)
        return fnmatch.fnmatchcase(path.name, sign)

    def _names(self, folder: Path) -> list[str]:
        if folder not in self._listed:
            listed = list(folder.iterdir()) if folder.is_dir() else []
            self._listed[folder] = sorted(path.name for path in listed if path.is_file())
        return self._listed[folder]


def _escaped(name: str) -> str:
    return re.sub(r"([*?\[])", r"[\1]", name)
