"""Pairs to train on, and pairs that are held aside to tell whether that made the weights better."""

import hashlib
from pathlib import Path

from spnrefine.errors import FileError
from spnrefine.files.stems import name_below, pair_trees

FEWEST_TO_TRAIN = 20
EVERY = 4
"""One pair of so many is held aside."""


def split_pairs(images: Path, good: Path, folder: Path) -> tuple[Path, Path]:
    """Link pairs into two folders below ``folder``, each with ``images`` and ``masks``: to train on, and held aside.

    By a hash of the name, so that the same are held aside each time; the folders keep their sub-folders.

    Raises
    ------
    FileError
        There are too few pairs, or a folder cannot be read.
    """
    named = {name_below(photograph, images): (photograph, mask) for photograph, mask in pair_trees(images, good)}
    pairs = [named[name] for name in sorted(named, key=_digest)]
    if len(pairs) < FEWEST_TO_TRAIN:
        raise FileError(
            f"{len(pairs)} pairs were found: expected at least {FEWEST_TO_TRAIN} to train on, or --minutes 0."
        )
    halves = folder / "train", folder / "held"
    for half in halves:
        for name in ("images", "masks"):
            (half / name).mkdir(parents=True)
    for place, pair in enumerate(pairs):
        half = halves[place % EVERY == 0]
        for path, folder, name in zip(pair, (images, good), ("images", "masks"), strict=True):
            link = half / name / path.relative_to(folder)
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(path.absolute())
    return halves


def _digest(name: str) -> bytes:
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).digest()  # names of files need be no text
