"""Overlays of photographs on which several masks were refined, one picture a photograph."""

import os
import threading
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spnrefine.boxes.box import Box
from spnrefine.boxes.boxed import Boxed
from spnrefine.files.images import read_image
from spnrefine.files.opening import Source
from spnrefine.review import pictures


@dataclass(frozen=True, eq=False)
class _Piece:
    """A mask's own box and the bits in it: all masks of a data set are held until they are drawn."""

    order: int
    box: Box
    bits: NDArray[np.uint8]

    @classmethod
    def of(cls, order: int, mask: Boxed) -> "_Piece":
        mask = mask.tight()
        return cls(order, mask.box, np.packbits(mask.pixels))

    def paint(self, ids: NDArray[np.int32], number: int) -> None:
        inside = ids[self.box.slices]
        inside[np.unpackbits(self.bits, count=inside.size).reshape(inside.shape) == 1] = number


class Overlays:
    """Collects refined masks by photograph, and draws them; `add` may be called by several threads at once."""

    def __init__(self, style: str = pictures.TINTED) -> None:
        self._style = style
        self._pieces: dict[Path, list[_Piece]] = {}
        self._sources: dict[Path, Source] = {}
        self._lock = threading.Lock()

    def add(self, photograph: Path, order: int, mask: Boxed, source: Source | None = None) -> None:
        """Add a mask of bools, which is drawn over those of a lower ``order``.

        ``source`` is what is read for the photograph, where that is no file of its own.
        """
        piece = _Piece.of(order, mask)
        with self._lock:
            self._pieces.setdefault(photograph, []).append(piece)
            self._sources.setdefault(photograph, photograph if source is None else source)

    @property
    def photographs(self) -> list[Path]:
        """The photographs of which there is any mask."""
        return sorted(self._pieces)

    def draw(self, photograph: Path) -> bytes:
        """Draw all masks of a photograph over it, each in a colour of its own, as JPEG."""
        image = read_image(self._sources[photograph])
        ids = np.zeros(image.shape[:2], np.int32)
        for number, piece in enumerate(sorted(self._pieces[photograph], key=lambda piece: piece.order), 1):
            piece.paint(ids, number)
        return pictures.encode(pictures.overlay(image, ids, style=self._style), ".jpg")


def overlay_paths(photographs: Iterable[Path], root: Path | None, folder: Path) -> dict[Path, Path]:
    """Say where the overlay of each photograph goes: ``folder / STEM.jpg``, in a tree like that of the photographs.

    The tree is counted from ``root`` where all lie below it, else from the lowest folder that holds all. Photographs
    that would share a name keep their extension in it.
    """
    resolved = {photograph: photograph.resolve() for photograph in photographs}
    if root is None or not all(path.is_relative_to(root.resolve()) for path in resolved.values()):
        root = Path(os.path.commonpath([path.parent for path in resolved.values()])) if resolved else Path()
    relative = {photograph: path.relative_to(root.resolve()) for photograph, path in resolved.items()}
    taken = Counter(path.with_suffix("") for path in set(relative.values()))
    return {
        photograph: folder / (path.with_suffix(".jpg") if taken[path.with_suffix("")] == 1 else f"{path}.jpg")
        for photograph, path in relative.items()
    }
