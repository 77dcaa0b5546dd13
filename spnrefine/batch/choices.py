"""Photographs that somebody asked for by their names: to refine them again, or to keep their coarse masks."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import Protocol

from spnrefine.batch.folders import named
from spnrefine.batch.pairs import Pair, below, full
from spnrefine.errors import FileError


def choose(pairs: Sequence[Pair], again: Iterable[str], keep: Iterable[str], output: Path) -> list[Pair]:
    """Return the pairs that are named, each with what was asked for it; all of them where none is.

    Parameters
    ----------
    again, keep : names to refine again, and whose coarse masks to keep: a photograph's path, its path in its tree, or
        its name, with or without the extension; or those of its coarse mask. Several may stand in one text, with commas
        between them.
    output : folder of the refined masks.

    Raises
    ------
    FileError
        A name fits no photograph, or several; or one is to be both refined and kept.
    """
    again, keep = list(again), list(keep)
    if not again and not keep:
        return list(pairs)
    names = _Names(pairs, output)
    refined, kept = find_named(names, again, keep)
    return [
        replace(pair, choice="keep" if number in kept else "refine")
        for number, pair in enumerate(pairs)
        if number in refined | kept
    ]


class Names(Protocol):
    """The names by which things, which are numbered, may be called."""

    def find(self, name: str) -> list[int]:
        """Return the numbers of those that a name fits."""

    def photographs(self, numbers: Iterable[int]) -> list[Path]:
        """Return their photographs."""

    def advice(self, name: str) -> str:
        """Say what a name may be a slip of."""


def find_named(names: Names, again: Iterable[str], keep: Iterable[str]) -> tuple[set[int], set[int]]:
    """Return what is to be refined again, and what kept; parameters and errors as of `choose`."""
    refined, kept = (_chosen(names, texts, option) for texts, option in ((again, "--only"), (keep, "--keep-coarse")))
    both = names.photographs(sorted(refined & kept))
    if both:
        raise FileError(f"{both[0]} was given to --only and --keep-coarse: name it once.")
    return refined, kept


def _chosen(names: Names, texts: Iterable[str], option: str) -> set[int]:
    found = set()
    for text in texts:
        parts = [text] if names.find(text) else [part.strip() for part in text.split(",") if part.strip()]
        if not parts:
            raise FileError(f"{option} was given {text!r}, which names nothing: name a photograph, or leave it out.")
        for name in parts:
            fitting = names.find(name)
            if len(fitting) > 1:
                several = named(names.photographs(fitting))
                raise FileError(f"{option} {name} fits {len(fitting)} photographs, {several}: give its folder too.")
            if not fitting:
                raise FileError(f"{option} {name} is none of the photographs: {names.advice(name)}.")
            found.add(fitting[0])
    return found


class _Names:
    """The names by which photographs may be called: their paths first, and what is short where that is none."""

    def __init__(self, pairs: Sequence[Pair], output: Path):
        self._pairs = pairs
        self._paths: dict[str, list[int]] = {}
        self._short: dict[str, list[int]] = {}
        self._masks: dict[str, list[int]] = {}
        for number, pair in enumerate(pairs):
            place = full(pair.folder)
            tree = below(place, output) if place.is_relative_to(full(output)) else Path()
            own = pair.photograph.name
            paths = [
                full(pair.photograph),
                full(place / pair.stem),
                tree / own,
                tree / pair.stem,
                tree / Path(own).stem,
            ]
            for name in {path.as_posix() for path in (*paths, paths[0].with_suffix(""))}:
                self._paths.setdefault(name, []).append(number)
            for name in {own, pair.photograph.stem, pair.stem}:
                self._short.setdefault(name, []).append(number)
            if pair.mask is not None:
                for name in {full(pair.mask).as_posix(), pair.mask.name, pair.mask.stem}:
                    self._masks.setdefault(name, []).append(number)

    def find(self, name: str) -> list[int]:
        """Return the places of the pairs that a name fits."""
        path = full(Path(name))
        forms = [Path(name).as_posix(), path.as_posix(), path.with_suffix("").as_posix() if path.name else ""]
        exact = next((found for form in forms if (found := self._paths.get(form))), None)
        masks = (found for form in (path.as_posix(), name) if (found := self._masks.get(form)))
        return exact or self._short.get(name) or next(masks, [])

    def photographs(self, numbers: Iterable[int]) -> list[Path]:
        return [self._pairs[number].photograph for number in numbers]

    def advice(self, name: str) -> str:
        """Say what a name may be a slip of."""
        close = get_close_matches(name, [*self._short, *self._paths], n=1)
        return f"perhaps {close[0]} is meant" if close else "give the names of photographs, with commas between them"
