"""The owner's pairs: photographs with good masks, and coarse ones of the owner's or made here."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spnrefine.adapt.coarse import MAKERS
from spnrefine.errors import FileError, ShapeError
from spnrefine.files.images import Photograph, read_photograph
from spnrefine.files.masks import read_mask
from spnrefine.files.sizes import align
from spnrefine.files.stems import masks_of, name_below, only, pair_trees
from spnrefine.files.truth import read_labels, read_object
from spnrefine.refiner.box import object_box

LEAST_PIXELS = 40
"""Of an object: of less there is nothing to be learnt."""
MOST_EXAMPLES = 64
"""Masks that are refined in all: as many as two cores do in half a minute."""

Bits = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Example:
    """A coarse mask whose truth is known.

    Attributes
    ----------
    picture : path of the photograph below its folder, without its extension.
    image : (H, W, 3) uint8, RGB, of the photograph or of the part of it around one of several objects.
    coarse : (H, W) float32 in 0..1.
    truth, valid : (H, W) bool; pixels that are not ``valid`` do not count.
    """

    picture: str
    image: NDArray[np.uint8]
    coarse: NDArray[np.float32]
    truth: Bits
    valid: Bits


@dataclass(frozen=True, eq=False)
class _Object:
    """One object of a photograph, with the owner's coarse mask of it where there is one."""

    picture: str
    image: NDArray[np.uint8]
    truth: Bits
    valid: Bits
    coarse: NDArray[np.float32] | None = None


def read_examples(images: Path, good: Path, coarse: Path | None, seed: int = 0) -> list[Example]:
    """Read pairs, of each object of a map of ids one example, and make coarse masks where there are none.

    Files are paired by their paths below the folders, as by :func:`spnrefine.files.stems.pair_trees`.

    Where there are too many, as many of each photograph are taken, at random; and where photographs are too many for
    that, some of them alone are read, so that memory does not grow with the folder.

    Raises
    ------
    FileError
        A file cannot be read, or nothing belongs together.
    ShapeError
        The files of a stem differ in size.
    """
    rng = np.random.default_rng(seed)
    pairs = {name_below(photograph, images): (photograph, mask) for photograph, mask in pair_trees(images, good)}
    there = None if coarse is None else masks_of(images, pairs, coarse)
    kinds = 1 if coarse is not None else len(MAKERS)
    names = [name for name in pairs if there is None or name in there]
    if len(names) > MOST_EXAMPLES:
        names = [names[place] for place in sorted(rng.permutation(len(names))[:MOST_EXAMPLES])]
    objects: dict[str, list[_Object]] = {}
    for name in names:
        own = None if there is None else only(there[name], "coarse masks")
        objects[name] = list(_objects(name, *pairs[name], own))
    if not objects:
        folders = " and ".join(map(str, (images, good, *([coarse] if coarse else []))))
        raise FileError(f"{folders} have no files of equal stems: expected photographs and masks that belong together.")
    most = max(1, MOST_EXAMPLES // (len(objects) * kinds))
    count = kinds * sum(min(len(each), most) for each in objects.values())
    wanted = set(range(count) if count <= MOST_EXAMPLES else rng.permutation(count)[:MOST_EXAMPLES].tolist())
    found: list[Example] = []
    numbers = itertools.count()
    for each in objects.values():
        for place in sorted(rng.permutation(len(each))[:most]):
            found += _examples(each[place], rng, [next(numbers) in wanted for _ in range(kinds)])
    return found


def _objects(name: str, photograph: Path, good: Path, coarse: Path | None) -> Iterator[_Object]:
    """Yield the object of a mask, or each of a map of ids in the part of the photograph around it."""
    picture = read_photograph(photograph)
    if not holds_ids(good):
        truth = read_object(good, picture)
        own = None if coarse is None else _coarse(coarse, picture)[0]
        if truth.inside.sum() >= LEAST_PIXELS and (own is None or (own > 0.5).any()):
            yield _Object(name, picture.pixels, truth.inside, ~truth.void, own)
        return
    known = read_labels(good, picture)
    others = None if coarse is None else _coarse(coarse, picture)[1]
    if coarse is not None and others is None:
        raise FileError(f"{coarse} is no map of ids, {good} is one: give coarse masks of the same kind.")
    for number in np.unique(known.ids[(known.ids != 0) & ~known.void]):
        truth_here = (known.ids == number) & ~known.void
        own = None if others is None else (others == number).astype(np.float32)
        seen = truth_here if own is None else truth_here | (own > 0)
        if truth_here.sum() < LEAST_PIXELS or (own is not None and not own.any()):
            continue
        box = object_box((seen if own is None else own).astype(np.float32))
        assert box is not None
        here = box.slices
        yield _Object(
            name,
            np.ascontiguousarray(picture.pixels[here]),
            truth_here[here],
            ~known.void[here],
            None if own is None else np.ascontiguousarray(own[here]),
        )


def holds_ids(good: Path) -> bool:
    """Tell whether a mask is a map of ids, each an object of its own."""
    try:
        return read_mask(good).labels is not None
    except FileError:  # read as a truth it may have a meaning, as 0, 128 and 255 have; if not, that says what is wrong
        return False


def _coarse(path: Path, photograph: Photograph) -> tuple[NDArray[np.float32], NDArray | None]:
    mask = align(read_mask(path), photograph)
    if mask.probability.shape != photograph.pixels.shape[:2]:
        raise ShapeError(
            f"{path} is of shape {mask.probability.shape}, its photograph {photograph.pixels.shape[:2]}: give one size."
        )
    return mask.probability, mask.labels


def _examples(one: _Object, rng: np.random.Generator, wanted: Sequence[bool]) -> Iterator[Example]:
    """Yield those of an object's coarse masks that are ``wanted``: the owner's, or one by each of `MAKERS`."""
    if one.coarse is not None:
        if wanted[0]:
            yield Example(one.picture, one.image, one.coarse, one.truth, one.valid)
        return
    for make, is_wanted in zip(MAKERS.values(), wanted, strict=True):
        if is_wanted:
            coarse = make(one.truth, rng)
            if (coarse > 0.5).any() and not (coarse > 0.5).all():
                yield Example(one.picture, one.image, coarse, one.truth, one.valid)
