"""Which photographs and masks there are, and which of them are held aside for validation."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from spnrefine.errors import FileError
from spnrefine.files.formats import MASKS
from spnrefine.files.stems import by_path, name_below, only, pair_trees

ENOUGH = 16
"""Pairs held aside of a set, unless they are more than ``SMALL_SHARE`` of it."""
SMALL_SHARE = 0.1


@dataclass(frozen=True)
class Pair:
    """A photograph and what is known about it.

    ``labels`` says that the mask file holds class ids; otherwise it is that of an object, and ``coarse`` are masks of
    the same object that networks made. ``void`` is the value of pixels that do not count, None for the usual one: see
    :mod:`spnrefine.files.truth`. ``name`` is the photograph's path below its folder, without its extension.
    """

    image: Path
    mask: Path
    set_name: str
    labels: bool
    void: int | None = None
    coarse: tuple[Path, ...] = ()
    name: str = ""

    @property
    def stem(self) -> str:
        return self.image.stem


@dataclass(frozen=True)
class Split:
    train: list[Pair]
    val: list[Pair]


def find_tree(root: Path, *, held_aside: float, void: dict[str, int] | None = None) -> Split:
    """Find the sets below ``root``: folders with ``images`` and ``masks`` or ``labels``, perhaps in ``train``, ``val``.

    A set without ``val`` has the share ``held_aside`` of its pairs held aside, see :func:`is_held_aside`; a small one
    up to a tenth of them, so that its score rests on more than a handful. ``void`` maps names of sets to the id of
    their void pixels, and the empty name to that of all others.

    Raises
    ------
    FileError
        ``root`` is no folder or holds no pair, or two files of a set share a stem.
    """
    if not root.is_dir():
        raise FileError(f"{root} is no folder: give --data a folder of sets, each with images/ and masks/ or labels/.")
    void = void or {}
    train: list[Pair] = []
    val: list[Pair] = []
    for folder in [root, *sorted(path for path in root.iterdir() if path.is_dir())]:
        here = _pairs_of_set(folder, folder.resolve().name, void)
        learn = here + _pairs_of_set(folder / "train", folder.resolve().name, void)
        kept = _pairs_of_set(folder / "val", folder.resolve().name, void)
        if not kept:
            learn, kept = hold_aside(learn, _share(len(learn), held_aside))
        train += learn
        val += kept
    if not train:
        raise FileError(
            f"No pair of photograph and mask was found in {root}: expected sets, folders with images/ and masks/ (or "
            "labels/ of class ids) that hold files of the same stems."
        )
    return Split(train, val)


def find_folders(images: Path, masks: Path, *, labels: bool, held_aside: float, void: int | None = None) -> Split:
    """Pair the photographs in ``images`` with the masks of the same stems in ``masks``; raises :class:`FileError`."""
    for folder in (images, masks):
        if not folder.is_dir():
            raise FileError(f"{folder} is no folder: --images and --masks each expect a folder of files.")
    pairs = _match(images, masks, images.resolve().name, labels, void)
    if not pairs:
        raise FileError(
            f"No photograph in {images} has a mask of the same stem in {masks}: give folders of equal stems."
        )
    return Split(*hold_aside(pairs, held_aside))


def with_coarse(split: Split, folders: Sequence[Path], *, tree: bool) -> Split:
    """Add the masks that networks made: those of the same paths in ``folders``.

    With a ``tree`` of sets, they lie in sub-folders that have the names of the sets. Pairs of class ids are left
    as they are.

    Raises
    ------
    FileError
        One is no folder, or holds no mask of any pair, or two of one.
    """
    for folder in folders:
        if not folder.is_dir():
            raise FileError(f"{folder} is no folder: --coarse expects a folder of masks that a network made.")
        places = {pair.set_name: folder / pair.set_name if tree else folder for pair in split.train + split.val}
        masks = {name: by_path(place, MASKS) if place.is_dir() else {} for name, place in places.items()}

        def added(pair: Pair, masks: dict[str, dict[str, list[Path]]] = masks) -> Pair:
            found = None if pair.labels else masks[pair.set_name].get(pair.name)
            return replace(pair, coarse=(*pair.coarse, only(found, "masks"))) if found else pair

        more = Split([added(pair) for pair in split.train], [added(pair) for pair in split.val])
        if more == split:
            where = "a sub-folder named like its set" if tree else "it"
            raise FileError(
                f"{folder} holds no mask of any photograph: expected files of the same names and folders in {where}."
            )
        split = more
    return split


def hold_aside(pairs: Iterable[Pair], share: float) -> tuple[list[Pair], list[Pair]]:
    """Return what to train on and what to validate on."""
    pairs = list(pairs)
    aside = [is_held_aside(pair.stem, share) for pair in pairs]
    return (
        [pair for pair, out in zip(pairs, aside, strict=True) if not out],
        [pair for pair, out in zip(pairs, aside, strict=True) if out],
    )


def _share(count: int, usual: float) -> float:
    """Return more than the usual share of a small set, whose scores would rest on a handful of pairs."""
    return max(usual, min(SMALL_SHARE, ENOUGH / max(1, count))) if usual else 0.0


def is_held_aside(stem: str, share: float) -> bool:
    """Decide from the stem alone, so that the answer is the same on every machine and whatever else is in the set."""
    return int.from_bytes(hashlib.sha256(stem.encode()).digest()[:8], "big") < share * 2**64


def _pairs_of_set(folder: Path, name: str, void: dict[str, int]) -> list[Pair]:
    images = folder / "images"
    for masks, labels in ((folder / "masks", False), (folder / "labels", True)):
        if images.is_dir() and masks.is_dir():
            return _match(images, masks, name, labels, void.get(name, void.get("")))
    return []


def _match(images: Path, masks: Path, name: str, labels: bool, void: int | None) -> list[Pair]:
    return [
        Pair(photograph, mask, name, labels, void, name=name_below(photograph, images))
        for photograph, mask in pair_trees(images, masks)
    ]
