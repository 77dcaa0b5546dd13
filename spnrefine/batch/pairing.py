"""Which mask belongs to which photograph, and where the refined mask goes."""

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from spnrefine.errors import FileError

PHOTOGRAPHS = {".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp", ".ppm", ".pgm"}
MASKS = {".png", ".tif", ".tiff", ".bmp", ".webp", ".npy", ".gif", ".jpg", ".jpeg"}
REFINED_SUFFIX = "_refined"


@dataclass(frozen=True)
class Pair:
    """A photograph, its coarse mask and the folder of its refined mask; or why they cannot be worked on."""

    photograph: Path
    mask: Path | None
    folder: Path
    problem: str | None = None

    @property
    def stem(self) -> str:
        return self.photograph.stem

    @property
    def inputs(self) -> list[Path]:
        """The files that nothing may overwrite."""
        return [path for path in (self.photograph, self.mask) if path]


def find_pairs(photographs: Path, masks: Path | None, output: Path) -> list[Pair]:
    """Pair every photograph under a folder with the mask of the same relative path and stem.

    Parameters
    ----------
    photographs : folder, searched with its sub-folders; masks and ``*_refined.*`` are not taken for photographs.
    masks : folder of the masks, a tree like that of the photographs; None for ``photographs / "masks"``.
    output : folder of the refined masks, where the same tree is laid.

    Returns
    -------
    Pairs in the order of their paths. One without a mask, with several, or whose result would have the name of
    another's says so in ``problem``.

    Raises
    ------
    FileError: a folder is missing, or holds no photograph.
    """
    if masks is None:
        masks = photographs / "masks"
        if not masks.is_dir():
            raise FileError(f"No masks: {masks} is not a folder. Name the masks' folder with --mask-dir.")
    for folder in (photographs, masks):
        if not folder.is_dir():
            raise FileError(f"{folder} is not a folder: expected a folder of files to work on.")
    others = [folder.resolve() for folder in (masks, output) if folder.resolve() != photographs.resolve()]
    found = [path for path in _walk(photographs, others) if _is_photograph(path)]
    if not found:
        raise FileError(
            f"{photographs} holds no photographs: expected files ending in {' '.join(sorted(PHOTOGRAPHS))}."
        )
    candidates: dict[Path, list[Path]] = {}
    for path in _walk(masks, [output.resolve()] if output.resolve() != masks.resolve() else []):
        if path.suffix.lower() in MASKS:
            candidates.setdefault(path.relative_to(masks).with_suffix(""), []).append(path)
    names = Counter(path.relative_to(photographs).with_suffix("") for path in found)
    pairs = []
    for path in found:
        name = path.relative_to(photographs).with_suffix("")
        matching = [mask for mask in candidates.get(name, []) if not (mask.exists() and mask.samefile(path))]
        problem = None
        if names[name] > 1:
            problem = (
                f"{names[name]} photographs share the name {name}: their refined masks would overwrite each other."
            )
        elif not matching:
            problem = f"no mask named {name}.* in {masks}."
        elif len(matching) > 1:
            problem = f"several masks fit: {', '.join(str(mask) for mask in matching)}."
        pairs.append(Pair(path, None if problem else matching[0], output / name.parent, problem))
    return pairs


def _is_photograph(path: Path) -> bool:
    return path.suffix.lower() in PHOTOGRAPHS and not path.stem.endswith(REFINED_SUFFIX)


def _walk(folder: Path, without: list[Path]) -> Iterator[Path]:
    """Yield the files under ``folder``, hidden ones and the folders in ``without`` left out, in a fixed order."""
    for parent, folders, files in os.walk(folder):
        here = Path(parent)
        folders[:] = sorted(f for f in folders if not f.startswith(".") and (here / f).resolve() not in without)
        yield from (here / file for file in sorted(files) if not file.startswith("."))
