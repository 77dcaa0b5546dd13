"""Which mask belongs to which photograph, and where the refined mask goes."""

import os
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

from spnrefine.batch.finding import ByPattern, ByStem, check_any, check_apart, check_folder, finder, masks_of
from spnrefine.batch.folders import NoPhotographsError, endings, named, real, walk
from spnrefine.batch.ledger import made_below
from spnrefine.batch.pairs import Found, Listed, Pair, Rules, below, full
from spnrefine.batch.patterns import Pattern
from spnrefine.batch.proposals import advice
from spnrefine.errors import FileError
from spnrefine.files.formats import MASKS, PHOTOGRAPHS
from spnrefine.files.regular import is_file, why_no_file
from spnrefine.files.stems import has_extension

REFINED_SUFFIX = "_refined"


def find_pairs(photographs: Path, rules: Rules, output: Path, made: Collection[Path] = ()) -> Found:
    """Pair every photograph under a folder with its mask.

    Parameters
    ----------
    photographs : folder, searched with its sub-folders; masks, ``*_refined.*`` and what other runs wrote there are
        not taken for photographs.
    output : folder of the refined masks, where the same tree is laid.
    made : files and folders of earlier runs, which are not taken for photographs either; absolute paths.

    Raises
    ------
    FileError
        A folder is missing, or holds no photograph, or none of them has a mask; or ``output`` is where the masks are.
    """
    check_folder(photographs)
    masks, pattern = masks_of(photographs, rules)
    check_apart(output, masks, photographs)
    files, found = _photographs(photographs, [masks, output, *made])
    if masks == photographs and pattern is not None:
        found = [path for path in found if not pattern.looks_like(path)]
    check_any(found, photographs)
    masks_there = finder(masks, pattern, output)
    if masks == photographs:
        found = _without_their_masks(found, photographs, masks_there)
    pairs = _paired([(path, None) for path in found], photographs, masks, masks_there, rules, output)
    return Found(pairs, [*_others(files, photographs), *masks_there.unmatched()])


def find_photographs(photographs: Path, output: Path, made: Collection[Path] = ()) -> Found:
    """Return every photograph under a folder, without a mask: one is to be made; see :func:`find_pairs`."""
    check_folder(photographs)
    files, found = _photographs(photographs, [output, *made])
    check_any(found, photographs)
    pairs = without_masks([(path, None) for path in found], photographs, output).pairs
    return Found(pairs, _others(files, photographs))


def without_masks(listed: Listed, root: Path | None, output: Path) -> Found:
    """Return the photographs of a list, without masks: they are to be made; see :func:`pair_files`."""
    listed, twice = _once(listed)
    root = _root([path for path, _ in listed], root)
    pairs = [Pair(path, None, output / below(path, root).parent, why_no_file(path)) for path, _ in listed]
    return Found(_apart(pairs, output), twice)


def pair_files(listed: Listed, root: Path | None, rules: Rules, output: Path) -> Found:
    """Pair the photographs of a list with their masks, as :func:`find_pairs` does.

    Parameters
    ----------
    root : folder they lie in, from which the tree is counted; None for the lowest that holds all of them.

    Raises
    ------
    FileError
        The list is empty, or names a file outside ``root``; and as :func:`find_pairs`.
    """
    listed, twice = _once(listed)
    root = _root([path for path, _ in listed], root)
    if all(mask is not None for _, mask in listed):
        masks, pattern = rules.masks or Path(os.path.commonpath([full(m).parent for _, m in listed if m])), None
    else:
        masks, pattern = masks_of(root, rules)
    check_apart(output, masks, root)
    pairs = _paired(listed, root, masks, finder(masks, pattern, output), rules, output)
    return Found(pairs, twice)


def _paired(
    listed: Listed, root: Path, masks: Path, there: ByPattern | ByStem, rules: Rules, output: Path
) -> list[Pair]:
    pairs = []
    for path, mask in listed:
        name = below(path, root)
        matching, wanted = ([mask], "") if mask is not None else there.find(path, name)
        matching = [one for one in matching if not _same_file(one, path)]
        pair = Pair(path, matching[0] if len(matching) == 1 else None, output / name.parent, why_no_file(path))
        if len(matching) > 1:
            pair = replace(pair, problem=pair.problem or f"several masks fit: {', '.join(map(str, matching))}.")
        elif not matching:
            pair = replace(pair, without=None if rules.strict or pair.problem else f"no mask {wanted}")
            pair = replace(pair, problem=pair.problem or (f"no mask {wanted}: name another." if rules.strict else None))
        elif reason := why_no_file(matching[0]):
            pair = replace(pair, mask=None, problem=pair.problem or f"{matching[0]}: {reason}")
        pairs.append(_called(pair, masks, rules.name, output))
    if not any(pair.mask for pair in pairs) and not any(pair.problem for pair in pairs if not rules.strict):
        found = [below(path, root) for path, _ in listed]
        lies, help = advice(found, root, masks)
        raise FileError(f"None of {len(pairs)} photographs has a mask{lies}: {help}.")
    _check_targets(pairs)
    return _apart(pairs, output)


def _without_their_masks(found: Sequence[Path], root: Path, there: ByPattern | ByStem) -> list[Path]:
    """Leave out, of pictures of one tree, those that are the masks of others."""
    masks = {mask for path in found for mask in there.find(path, below(path, root))[0] if mask != path}
    return [path for path in found if path not in masks]


def _check_targets(pairs: Sequence[Pair]) -> None:
    """Refuse to write beside a coarse mask under its name: one of another format would be its double ever after."""
    masks = {full(pair.mask).with_suffix("") for pair in pairs if pair.mask is not None}
    here = next((pair for pair in pairs if full(pair.folder / pair.stem) in masks), None)
    if here is not None:
        raise FileError(f"-o would put {here.folder / here.stem}.* among the coarse masks: give another folder.")


def _called(pair: Pair, masks: Path, pattern: Pattern | None, output: Path) -> Pair:
    """Name the refined mask of a pair by a pattern."""
    if pattern is None or pair.mask is None:
        return pair
    inside = full(pair.mask).is_relative_to(full(masks))
    own = below(pair.mask, masks) if inside else Path(pair.mask.name)
    name = pattern.fill(pair.photograph, own.with_suffix(""))
    if name is None:
        return replace(pair, problem=f"{pattern.text!r} does not fit its name: give another --name.")
    path = Path(name)
    if path.is_absolute() or ".." in path.parts or not path.name:
        return replace(pair, problem=f"--name makes {name!r} of it: expected a name in the folder of outputs.")
    folder = output if "{mask}" in pattern.text else pair.folder
    return replace(pair, folder=folder / path.parent, called=path.name)


def _apart(pairs: list[Pair], output: Path) -> list[Pair]:
    """Say of pairs whose results would have one name that they cannot be worked on."""
    names = Counter((pair.folder, pair.stem) for pair in pairs if not pair.without)
    shared = "photographs share the name {}: their refined masks would overwrite each other."
    return [
        replace(pair, problem=f"{count} {shared.format((pair.folder / pair.stem).relative_to(output))}")
        if not pair.without and (count := names[pair.folder, pair.stem]) > 1
        else pair
        for pair in pairs
    ]


def _once(listed: Listed) -> tuple[Listed, list[str]]:
    """Leave out what a list names again; also say so."""
    if not listed:
        raise NoPhotographsError("The list of files is empty: expected the paths of photographs.")
    times = Counter((full(path), mask and full(mask)) for path, mask in listed)
    first = {(full(path), mask and full(mask)): (path, mask) for path, mask in reversed(listed)}
    said = [f"{first[key][0]} is named {count} times: it is refined once." for key, count in times.items() if count > 1]
    return [first[key] for key in times], said


def _root(found: Sequence[Path], root: Path | None) -> Path:
    if root is None:
        root = Path(os.path.commonpath([full(path).parent for path in found]))
    outside = [path for path in found if not full(path).is_relative_to(full(root))]
    if outside:
        raise FileError(f"The list names {outside[0]}, which is not in {root}: expected photographs of that folder.")
    return root


def _same_file(mask: Path, photograph: Path) -> bool:
    return is_file(mask) and is_file(photograph) and mask.samefile(photograph)


def _photographs(folder: Path, without: Collection[Path]) -> tuple[list[Path], list[Path]]:
    """Return the files under a folder, those in ``without`` left out, and the photographs among them."""
    left_out = {real(path) for path in [*without, *made_below(folder)]} - {real(folder)}
    files = list(walk(folder, left_out))
    found = [path for path in files if has_extension(path, PHOTOGRAPHS) and not path.stem.endswith(REFINED_SUFFIX)]
    return files, [path for path in found if real(path) not in left_out]


def _others(files: Collection[Path], photographs: Path) -> list[str]:
    """Say which files of a folder are no photographs."""
    rest = [path for path in files if not has_extension(path, {*PHOTOGRAPHS, *MASKS})]
    refined = [path for path in files if path.stem.endswith(REFINED_SUFFIX) and path not in rest]
    said = [f"Left out: {len(rest)} files in {photographs} that are no photographs ({endings(rest)})."] if rest else []
    return said + ([f"Left out: {len(refined)} refined masks ({named(refined)})."] if refined else [])
