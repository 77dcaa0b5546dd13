"""What is measured: photographs with their coarse masks and their truths, in folders of masks or annotation files."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from spnrefine.errors import FileError
from spnrefine.evaluate.file_cases import FileCase, IdsCase
from spnrefine.evaluate.item_cases import Chosen, ItemsCase
from spnrefine.evaluate.sides import Annotated, Side, is_annotations, one_of, open_side
from spnrefine.evaluate.subjects import Case, Source
from spnrefine.files.formats import PHOTOGRAPHS
from spnrefine.files.stems import by_path, masks_of, name_below, only


class Cases(NamedTuple):
    """The cases, and what is none.

    Attributes
    ----------
    alone : names that are in some of what was given and not in all.
    crowds : how many true objects are no single ones.
    problems : what is wrong with items of annotations that cannot be read.
    """

    cases: list[Case]
    alone: list[str]
    crowds: int = 0
    problems: Sequence[str] = ()


def find_cases(
    images: Path,
    coarse: Path,
    truth: Path,
    against: Mapping[str, Path] | None = None,
    *,
    strict: bool = True,
    each: bool = False,
    which: int | None = None,
) -> Cases:
    """Match what belongs together.

    Files of folders are matched by their paths below them without extensions, where a mask may be called ``STEM_mask``
    too, items of annotation files of one format by their photographs and what
    they are called; where a photograph has one object alone on either side, these two belong together.

    Parameters
    ----------
    images : folder of the photographs.
    coarse, truth : folders of masks, or annotation files, or folders of these.
    against : the same of masks that other methods made, by the methods' names; each needs one for every case.
    strict : whether each truth must have its partners.
    each : true masks are maps, of which each id is an object.
    which : the id that is the object in true masks, which are maps.

    Returns
    -------
    The cases; nothing is alone where ``strict``.

    Raises
    ------
    FileError
        What was given is missing or empty, a stem stands for several files of one folder, or nothing is in all; or,
        where ``strict``, a truth has no partner; or a method has no mask for a case; or nothing says for certain which
        masks are of one object.
    """
    others = dict(against or {})
    annotated = [path for path in (coarse, truth, *others.values()) if is_annotations(path)]
    if annotated and (each or which is not None):
        option = "--each-object" if each else "--object"
        raise FileError(f"{option} was given with {annotated[0]}, whose objects are apart: leave it out.")
    if is_annotations(coarse):
        return _of_items(images, coarse, truth, others, strict=strict)
    if annotated:
        return _of_files(images, coarse, truth, others, strict=strict)
    return _of_folders(images, coarse, truth, others, strict=strict, maps=each or which is not None, which=which)


def _of_folders(
    images: Path,
    coarse: Path,
    truth: Path,
    against: Mapping[str, Path],
    *,
    strict: bool,
    maps: bool,
    which: int | None,
) -> Cases:
    """Match the files of folders by their paths below them; each truth needs its photograph and its coarse mask."""
    photographs = by_path(images, PHOTOGRAPHS, (coarse, truth, *against.values()))
    names = {images: photographs} | {folder: masks_of(images, photographs, folder) for folder in (coarse, truth)}
    for folder, found in names.items():
        if not found:
            raise FileError(
                f"{folder} holds no pictures: expected photographs, coarse masks and truths of equal stems."
            )
    others = {name: masks_of(images, photographs, folder) for name, folder in against.items()}
    cases: list[Case] = []
    alone = []
    for name in names[truth] if strict else sorted(set().union(*names.values())):
        partners = [names[folder].get(name, []) for folder in (images, coarse, truth)]
        if not strict and not all(partners):
            alone.append(name)
            continue
        for folder, files in zip((images, coarse, truth), partners, strict=True):
            if len(files) != 1:
                raise FileError(f"{folder} holds {len(files)} files named {name}.*: expected one for each truth.")
        for method, masks in others.items():
            if name not in masks:
                raise FileError(f"{method} has no mask named {name}.*: expected one for each truth.")
        made = tuple((method, only(masks[name], "masks")) for method, masks in others.items())
        image, mask, true = (files[0] for files in partners)
        cases.append(IdsCase(name, image, mask, true, which, made) if maps else FileCase(name, image, mask, true, made))
    if not cases:
        raise FileError(f"{images}, {coarse} and {truth} have no stem in common: give the three files of one name.")
    return Cases(cases, alone)


def _of_files(images: Path, coarse: Path, truth: Path, against: Mapping[str, Path], *, strict: bool) -> Cases:
    """Match mask files, each of one object, with what on either side may be annotations."""
    mine, true = open_side(coarse, images), open_side(truth, images)
    others = {name: open_side(path, images) for name, path in against.items()}
    cases: list[Case] = []
    alone = []
    for photograph, objects in true.objects.items():
        path = mine.objects.get(photograph, {}).get("")
        if not isinstance(path, Path):
            _missing(photograph, coarse, strict=strict)
            alone.append(name_below(photograph, images))
            continue
        truly = one_of(objects, truth, photograph)
        made = [(name, one_of(side.of(photograph), against[name], photograph)) for name, side in others.items()]
        category = None if isinstance(truly, Path) else truly.category
        cases.append(FileCase(name_below(photograph, images), photograph, path, truly, tuple(made), category))
    problems = _problems([true, mine, *others.values()], strict=strict)
    return _some(Cases(cases, alone, _crowds(true), problems), images, coarse, truth)


def _of_items(images: Path, coarse: Path, truth: Path, against: Mapping[str, Path], *, strict: bool) -> Cases:
    """Match coarse items with their truths, and those of other methods."""
    true = open_side(truth, images)
    mine = open_side(coarse, images, named_in=truth)
    others = {name: open_side(path, images, named_in=truth) for name, path in against.items()}
    assert isinstance(mine, Annotated)
    cases: list[Case] = []
    alone = []
    for photograph, objects in true.objects.items():
        items = mine.items.get(photograph, [])
        chosen = []
        for called, truly in objects.items():
            own = mine.partner(photograph, called, true)
            if own is None:
                _missing(photograph, coarse, strict=strict, called=called)
                name = name_below(photograph, images)
                alone.append(f"{name}#{called}" if called else name)
                continue
            made: list[tuple[str, Source]] = []
            for name, side in others.items():
                theirs = side.partner(photograph, called, true)
                if theirs is None:
                    raise FileError(f"{name} has no object {called} of {photograph}: expected one for each truth.")
                made.append((name, theirs))
            category = None if isinstance(truly, Path) else truly.category
            category = category or (None if isinstance(own, Path) else own.category)
            chosen.append(Chosen(items.index(own), truly, tuple(made), category))  # type: ignore[arg-type]
        if chosen:
            cases.append(ItemsCase(name_below(photograph, images), items, chosen))
    problems = _problems([true, mine, *others.values()], strict=strict)
    return _some(Cases(cases, alone, _crowds(true), problems), images, coarse, truth)


def _missing(photograph: Path, coarse: Path, *, strict: bool, called: str = "") -> None:
    if strict:
        what = f"object {called} of {photograph}" if called else photograph
        raise FileError(f"{coarse} has no mask of {what}: expected one for each truth.")


def _problems(sides: Iterable[Side], *, strict: bool) -> list[str]:
    problems = [problem for side in sides for problem in side.problems]
    if problems and strict:
        raise FileError(problems[0])
    return problems


def _crowds(side: Side) -> int:
    return side.crowds if isinstance(side, Annotated) else 0


def _some(cases: Cases, images: Path, coarse: Path, truth: Path) -> Cases:
    if not cases.cases:
        raise FileError(f"{coarse} and {truth} have no object of {images} in common: give masks of the same objects.")
    return cases
