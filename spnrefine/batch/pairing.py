"""Which mask belongs to which photograph, and where the refined mask goes."""

import os
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from spnrefine.errors import FileError
from spnrefine.files.stems import MASKS, PHOTOGRAPHS, has_extension

REFINED_SUFFIX, MASK_SUFFIX = "_refined", "_mask"


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


def find_pairs(photographs: Path, masks: Path | None, output: Path, made: Collection[Path] = ()) -> list[Pair]:
    """Pair every photograph under a folder with its mask.

    Parameters
    ----------
    photographs : folder, searched with its sub-folders; masks and ``*_refined.*`` are not taken for photographs.
    masks : folder of the masks, a tree like that of the photographs with the same stems; None for
        ``photographs / "masks"`` where that is a folder, and else for masks named ``STEM_mask.*`` beside them.
    output : folder of the refined masks, where the same tree is laid.
    made : files and folders of earlier runs, which are not taken for photographs either; absolute paths.

    Returns
    -------
    Pairs in the order of their paths. One without a mask, with several, or whose result would have the name of
    another's says so in ``problem``.

    Raises
    ------
    FileError
        A folder is missing, or holds no photograph.
    """
    _check_folder(photographs)
    masks, suffix = _masks_of(photographs, masks)
    return _paired(_find(photographs, [masks, output], suffix, made), photographs, masks, suffix, output)


def find_photographs(photographs: Path, output: Path, made: Collection[Path] = ()) -> list[Pair]:
    """Return every photograph under a folder, without a mask: one is to be made; see :func:`find_pairs`."""
    _check_folder(photographs)
    return without_masks(_find(photographs, [output], "", made), photographs, output)


def without_masks(found: Sequence[Path], root: Path | None, output: Path) -> list[Pair]:
    """Return the photographs of a list, without masks: they are to be made; see :func:`pair_files`."""
    relative = _names(found, _checked(found, root))
    names = Counter(relative.values())
    return [
        Pair(path, None, output / name.parent, _collision(name, names[name]) or _missing(path))
        for path, name in relative.items()
    ]


def has_masks(photographs: Path) -> bool:
    """Tell whether masks lie where :func:`find_pairs` looks for them when no folder of masks is named."""
    return (photographs / "masks").is_dir() or any(path.stem.endswith(MASK_SUFFIX) for path in _walk(photographs, ()))


def pair_files(found: Sequence[Path], root: Path | None, masks: Path | None, output: Path) -> list[Pair]:
    """Pair the photographs of a list with their masks, as :func:`find_pairs` does.

    Parameters
    ----------
    found : the photographs, each named once.
    root : folder they lie in, from which the tree is counted; None for the lowest that holds all of them.

    Raises
    ------
    FileError
        The list is empty, or names a file twice or one outside ``root``.
    """
    root = _checked(found, root)
    masks, suffix = _masks_of(root, masks)
    return _paired(found, root, masks, suffix, output)


def _checked(found: Sequence[Path], root: Path | None) -> Path:
    if not found:
        raise FileError("The list of files is empty: expected the paths of photographs.")
    times = Counter(_full(path) for path in found)
    twice = [path for path in found if times[_full(path)] > 1]
    if twice:
        raise FileError(f"The list names {twice[0]} {times[_full(twice[0])]} times: expected each photograph once.")
    if root is None:
        root = Path(os.path.commonpath([_full(path).parent for path in found]))
    outside = [path for path in found if not _full(path).is_relative_to(_full(root))]
    if outside:
        raise FileError(f"The list names {outside[0]}, which is not in {root}: expected photographs of that folder.")
    return root


def _full(path: Path) -> Path:
    """Make a path absolute, with no ``..`` in it that would lead a result out of the folder of outputs."""
    return Path(os.path.normpath(path.absolute()))  # links in it stay what they are


def _names(found: Sequence[Path], root: Path) -> dict[Path, Path]:
    """Return where each photograph lies below ``root``, without its extension."""
    return {path: _full(path).relative_to(_full(root)).with_suffix("") for path in found}


def _missing(path: Path) -> str | None:
    return None if path.is_file() else "there is no such file: check the path."


def _collision(name: Path, count: int) -> str | None:
    if count == 1:
        return None
    return f"{count} photographs share the name {name}: their refined masks would overwrite each other."


def _find(photographs: Path, others: Sequence[Path], suffix: str, made: Collection[Path]) -> list[Path]:
    """Return the photographs under a folder, those in ``others``, folders of masks and outputs, left out."""
    left_out = {path.resolve() for path in (*others, *made)} - {photographs.resolve()}
    found = [path for path in _walk(photographs, left_out) if _is_photograph(path, suffix)]
    found = [path for path in found if path.resolve() not in left_out]
    if not found:
        raise FileError(
            f"{photographs} holds no photographs: expected files ending in {' '.join(sorted(PHOTOGRAPHS))}."
        )
    return found


def _masks_of(photographs: Path, masks: Path | None) -> tuple[Path, str]:
    """Find the folder of the masks and what their stems have more than the photographs'."""
    if masks is not None:
        _check_folder(masks)
        return masks, ""
    if (photographs / "masks").is_dir():
        return photographs / "masks", ""
    if not any(path.stem.endswith(MASK_SUFFIX) for path in _walk(photographs, ())):
        raise FileError(
            f"{photographs / 'masks'} is not a folder, and no file is named STEM{MASK_SUFFIX}.*: name the masks' "
            "folder with --mask-dir."
        )
    return photographs, MASK_SUFFIX


def _paired(found: Sequence[Path], photographs: Path, masks: Path, suffix: str, output: Path) -> list[Pair]:
    candidates: dict[Path, list[Path]] = {}
    for path in _walk(masks, {output.resolve()} - {masks.resolve()}):
        if has_extension(path, MASKS):
            candidates.setdefault(path.relative_to(masks).with_suffix(""), []).append(path)
    relative = _names(found, photographs)
    names = Counter(relative.values())
    pairs = []
    for path, name in relative.items():
        wanted = name.with_name(name.name + suffix)
        matching = [mask for mask in candidates.get(wanted, []) if not _same_file(mask, path)]
        problem = _collision(name, names[name]) or _missing(path) or _not_one(matching, f"{masks / wanted}.*")
        pairs.append(Pair(path, None if problem else matching[0], output / name.parent, problem))
    return pairs


def _not_one(matching: list[Path], wanted: str) -> str | None:
    if len(matching) > 1:
        return f"several masks fit: {', '.join(str(mask) for mask in matching)}."
    return None if matching else f"no mask {wanted}: --backbone object makes masks."


def _same_file(mask: Path, photograph: Path) -> bool:
    return mask.exists() and photograph.exists() and mask.samefile(photograph)


def _check_folder(folder: Path) -> None:
    if not folder.is_dir():
        raise FileError(f"{folder} is not a folder: expected a folder of files to work on.")


def _is_photograph(path: Path, suffix: str) -> bool:
    own = not path.stem.endswith(REFINED_SUFFIX) and not (suffix and path.stem.endswith(suffix))
    return own and has_extension(path, PHOTOGRAPHS)


def _walk(folder: Path, without: Collection[Path]) -> Iterator[Path]:
    """Yield the files under ``folder``, hidden ones and the folders in ``without`` left out, in a fixed order."""
    for parent, folders, files in os.walk(folder):
        here = Path(parent)
        folders[:] = sorted(f for f in folders if not f.startswith(".") and (here / f).resolve() not in without)
        yield from (here / file for file in sorted(files) if not file.startswith("."))
