"""Items of an annotation file that somebody asked for by their names, or by those of their photographs."""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Literal

from spnrefine.annotations.items import Item
from spnrefine.batch.choices import find_named
from spnrefine.batch.pairs import below, full
from spnrefine.errors import FileError

Choice = Literal["refine", "keep", "leave"]
"""That an item be refined again, that its coarse mask be kept, or that it stay as it was, as others were named."""


def choose_items(
    items: Sequence[Item], again: Iterable[str], keep: Iterable[str], root: Path | None
) -> dict[Item, Choice]:
    """Return what was asked for each of the items; nothing where no name is given.

    Parameters
    ----------
    again, keep : names as of `spnrefine.batch.choices.choose`, each of a photograph with all its items; or an item's
        own, as ``annotations.json#17``, by which records call it.
    root : the folder in which the photographs' tree begins, where one is known.

    Raises
    ------
    FileError
        A name fits nothing, or several photographs; or one is to be both refined and kept.
    """
    again, keep = list(again), list(keep)
    if not again and not keep:
        return {}
    names = _ItemNames(items, root)
    refined, kept = (names.items(numbers) for numbers in find_named(names, again, keep))
    both = next((item for item in items if item in refined and item in kept), None)
    if both is not None:
        raise FileError(f"{both.name} was given to --only and --keep-coarse: name it once.")
    return {item: "refine" if item in refined else "keep" if item in kept else "leave" for item in items}


class _ItemNames:
    """The names of items and of photographs, which are numbered together."""

    def __init__(self, items: Sequence[Item], root: Path | None):
        self._meant: list[list[Item]] = []
        self._exact: dict[str, list[int]] = {}
        self._short: dict[str, list[int]] = {}
        groups: dict[Path, list[Item]] = {}
        for item in items:
            groups.setdefault(item.photograph, []).append(item)
            self._exact.setdefault(item.name, []).append(len(self._meant))
            self._meant.append([item])
        for photograph, group in groups.items():
            paths = [full(photograph)]
            if root is not None and paths[0].is_relative_to(full(root)):
                paths.append(below(photograph, root))
            for path in paths:
                for name in {path.as_posix(), path.with_suffix("").as_posix()}:
                    self._exact.setdefault(name, []).append(len(self._meant))
            for name in {photograph.name, photograph.stem}:
                self._short.setdefault(name, []).append(len(self._meant))
            self._meant.append(group)

    def find(self, name: str) -> list[int]:
        """Return the numbers of what a name fits, exactly where anything does."""
        path = full(Path(name))
        forms = name, Path(name).as_posix(), path.as_posix()
        return next((found for form in forms if (found := self._exact.get(form))), self._short.get(name, []))

    def photographs(self, numbers: Iterable[int]) -> list[Path]:
        return [self._meant[number][0].photograph for number in numbers]

    def items(self, numbers: Iterable[int]) -> set[Item]:
        """Return all items that are meant."""
        return {item for number in numbers for item in self._meant[number]}

    def advice(self, name: str) -> str:
        """Say what a name may be a slip of."""
        close = get_close_matches(name, [*self._short, *self._exact], n=1)
        return f"perhaps {close[0]} is meant" if close else "give the names of photographs, or of items as records do"
