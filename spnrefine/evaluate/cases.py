"""The files that are measured: a photograph, its coarse mask and its truth, of one stem."""

from dataclasses import dataclass
from pathlib import Path

from spnrefine.errors import FileError
from spnrefine.files.formats import MASKS
from spnrefine.files.stems import by_stem, only


@dataclass(frozen=True)
class Case:
    """The files of one photograph: all of one stem. ``others`` are masks that other methods made, by their names."""

    stem: str
    image: Path
    coarse: Path
    truth: Path
    others: tuple[tuple[str, Path], ...] = ()


def find_cases(
    images: Path, coarse: Path, truth: Path, against: dict[str, Path] | None = None, *, strict: bool = True
) -> tuple[list[Case], list[str]]:
    """Match the files of folders by stem; each truth needs its photograph and its coarse mask.

    Parameters
    ----------
    images, coarse, truth : folders.
    against : folders of masks that other methods made, by the methods' names; each needs one for every case.
    strict : whether each truth must have its partners.

    Returns
    -------
    The cases, and the stems that are in some of the folders and not in all: none where ``strict``.

    Raises
    ------
    FileError
        A folder is missing or empty, a stem stands for several files of one, or none is in all three; or, where
        ``strict``, a truth has no partner; or a method has no mask for a case.
    """
    stems = {folder: by_stem(folder) for folder in (images, coarse, truth)}
    for folder, found in stems.items():
        if not found:
            raise FileError(f"{folder} holds no files: expected photographs, coarse masks and truths of equal stems.")
    others = {name: by_stem(folder, MASKS) for name, folder in (against or {}).items()}
    cases, alone = [], []
    for stem in stems[truth] if strict else sorted(set().union(*stems.values())):
        partners = [stems[folder].get(stem, []) for folder in (images, coarse, truth)]
        if not strict and not all(partners):
            alone.append(stem)
            continue
        for folder, files in zip((images, coarse, truth), partners, strict=True):
            if len(files) != 1:
                raise FileError(f"{folder} holds {len(files)} files named {stem}.*: expected one for each truth.")
        for name, masks in others.items():
            if stem not in masks:
                raise FileError(f"{name} has no mask named {stem}.*: expected one for each truth.")
        made = tuple((name, only(masks[stem], "masks")) for name, masks in others.items())
        image, mask, true = (files[0] for files in partners)
        cases.append(Case(stem, image, mask, true, made))
    if not cases:
        raise FileError(f"{images}, {coarse} and {truth} have no stem in common: give the three files of one name.")
    return cases, alone
