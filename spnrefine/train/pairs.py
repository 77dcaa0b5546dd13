"""Which photographs and masks there are, and which of them are held aside for validation."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from spnrefine.errors import FileError

EXTENSIONS = frozenset((".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"))
DEFAULT_VOID = 255


@dataclass(frozen=True)
class Pair:
    """A photograph and what is known about it.

    ``labels`` says that the mask file holds class ids (``void`` among them, to be left out); otherwise it is binary.
    """

    image: Path
    mask: Path
    set_name: str
    labels: bool
    void: int = DEFAULT_VOID

    @property
    def stem(self) -> str:
        return self.image.stem


@dataclass(frozen=True)
class Split:
    train: list[Pair]
    val: list[Pair]


def find_tree(root: Path, *, held_aside: float, void: dict[str, int] | None = None) -> Split:
    """Find the sets below ``root``: folders with ``images`` and ``masks`` or ``labels``, perhaps in ``train``, ``val``.

    A set without ``val`` has the share ``held_aside`` of its pairs held aside, see :func:`is_held_aside`. ``void`` maps
    names of sets to the id of their void pixels.

    Raises
    ------
    FileError   where ``root`` is no folder or holds no pair.
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
            learn, kept = hold_aside(learn, held_aside)
        train += learn
        val += kept
    if not train:
        raise FileError(
            f"No pair of photograph and mask was found in {root}: expected sets, folders with images/ and masks/ (or "
            "labels/ of class ids) that hold files of the same stems."
        )
    return Split(train, val)


def find_folders(images: Path, masks: Path, *, labels: bool, held_aside: float, void: int = DEFAULT_VOID) -> Split:
    """Pair the photographs in ``images`` with the masks of the same stems in ``masks``; raises :class:`FileError`."""
    for folder in (images, masks):
        if not folder.is_dir():
            raise FileError(f"{folder} is no folder: --images and --masks each expect a folder of files.")
    pairs = _match(images, masks, images.resolve().name, labels, void)
    if not pairs:
        raise FileError(f"No photograph in {images} has a mask of the same stem in {masks}.")
    return Split(*hold_aside(pairs, held_aside))


def hold_aside(pairs: Iterable[Pair], share: float) -> tuple[list[Pair], list[Pair]]:
    """Return what to train on and what to validate on."""
    pairs = list(pairs)
    aside = [is_held_aside(pair.stem, share) for pair in pairs]
    return (
        [pair for pair, out in zip(pairs, aside, strict=True) if not out],
        [pair for pair, out in zip(pairs, aside, strict=True) if out],
    )


def is_held_aside(stem: str, share: float) -> bool:
    """Decide from the stem alone, so that the answer is the same on every machine and whatever else is in the set."""
    return int.from_bytes(hashlib.sha256(stem.encode()).digest()[:8], "big") < share * 2**64


def _pairs_of_set(folder: Path, name: str, void: dict[str, int]) -> list[Pair]:
    images = folder / "images"
    for masks, labels in ((folder / "masks", False), (folder / "labels", True)):
        if images.is_dir() and masks.is_dir():
            return _match(images, masks, name, labels, void.get(name, DEFAULT_VOID))
    return []


def _match(images: Path, masks: Path, name: str, labels: bool, void: int) -> list[Pair]:
    by_stem = {path.stem: path for path in sorted(masks.iterdir()) if path.suffix.lower() in EXTENSIONS}
    return [
        Pair(path, by_stem[path.stem], name, labels, void)
        for path in sorted(images.iterdir())
        if path.suffix.lower() in EXTENSIONS and path.stem in by_stem
    ]
