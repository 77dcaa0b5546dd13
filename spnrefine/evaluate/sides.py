"""What stands on one side of a comparison: a folder of masks, or annotations, by photograph."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from spnrefine.annotations.document import open_document
from spnrefine.annotations.items import Item
from spnrefine.errors import FileError
from spnrefine.evaluate.subjects import Source
from spnrefine.files.formats import MASKS, PHOTOGRAPHS
from spnrefine.files.stems import by_path, has_extension, masks_of, only

Objects = Mapping[str, Source]
"""The objects of a photograph by what they are called; a mask file's is called nothing."""

ANNOTATIONS = {".json", ".geojson", ".txt"}
RESULTS = "COCO results"


class Side:
    """Masks by photograph.

    Attributes
    ----------
    path : what was given.
    objects : by photograph, by what they are called.
    photographs : all that are spoken of, those without an object too.
    problems : what is wrong with items that cannot be read, most of whose photographs are not there.
    """

    problems: Sequence[str] = ()

    def __init__(self, path: Path, objects: Mapping[Path, Objects], photographs: Iterable[Path] = ()):
        self.path, self.objects, self.photographs = path, objects, {*objects, *photographs}

    def of(self, photograph: Path) -> Objects:
        """Return the objects of a photograph, none where it has none."""
        return self.objects.get(photograph, {})

    def all_of(self, photograph: Path) -> list[Source]:
        """Return all masks of a photograph, those of crowds too."""
        return [*self.of(photograph).values()]

    def partner(self, photograph: Path, called: str, truth: "Side") -> Source | None:
        """Return the mask of the object that the truth calls so; None where there is none.

        Raises
        ------
        FileError
            Nothing says for certain which it is.
        """
        mine, true = self.of(photograph), truth.of(photograph)
        if self._calls_alike(truth) and (called in mine or not mine):
            return mine.get(called)
        if len(mine) == len(true) == 1:
            return next(iter(mine.values()))
        if self._calls_alike(truth) or not mine:
            return None
        raise FileError(
            f"{self.path} has {len(mine)} objects on {photograph}, {truth.path} has {len(true)}, and nothing says "
            "which belong together: give one format and equal ids, or measure with 'spnrefine eval-instances'."
        )

    def _calls_alike(self, truth: "Side") -> bool:
        return False


class Annotated(Side):
    """Items of annotations.

    Attributes
    ----------
    items : those of each photograph that can be read.
    crowds : how many are no single objects.
    """

    def __init__(self, path: Path, images: Path, named_in: Path | None = None):
        is_file = named_in is not None and named_in.is_file()
        document = open_document(path, images, images_file=named_in if is_file else None)
        self.format = document.format
        self.items: dict[Path, list[Item]] = {}
        for item in document.items:
            if item.problem is None:
                self.items.setdefault(item.photograph.resolve(), []).append(item)
        self.problems = [item.problem for item in document.items if item.problem is not None]
        if self.problems and not self.items:
            raise FileError(self.problems[0])
        self.crowds = sum(item.crowd for item in document.items)
        super().__init__(
            path,
            {
                photograph: {item.identity: item for item in items if not item.crowd}
                for photograph, items in self.items.items()
            },
            {photograph.resolve() for photograph in document.photographs},
        )

    def all_of(self, photograph: Path) -> list[Source]:
        """Return all items of a photograph, those of crowds too."""
        return [*self.items.get(photograph, [])]

    def _calls_alike(self, truth: Side) -> bool:
        return isinstance(truth, Annotated) and truth.format == self.format != RESULTS


def is_annotations(path: Path) -> bool:
    """Tell an annotation file, or a folder of them, from a folder of masks."""
    if not path.is_dir():
        return path.is_file()
    below = [found for found in path.rglob("*") if not found.name.startswith(".")]
    masks = any(has_extension(found, MASKS) for found in below)
    return not masks and any(has_extension(found, ANNOTATIONS) for found in below)


def open_side(path: Path, images: Path, named_in: Path | None = None) -> Side:
    """Open annotations, or list a folder of masks; ``named_in`` names the photographs of COCO's results.

    Raises
    ------
    FileError
        It is neither, or no item of it can be read.
    """
    if is_annotations(path):
        return Annotated(path, images, named_in)
    photographs = by_path(images, PHOTOGRAPHS, [path])
    masks = masks_of(images, photographs, path)
    return Side(
        path,
        {
            only(photographs[stem], "photographs").resolve(): {"": only(files, "masks")}
            for stem, files in masks.items()
            if stem in photographs
        },
    )


def one_of(objects: Objects, path: Path, photograph: Path) -> Source:
    """Return the one object that a photograph has.

    Raises
    ------
    FileError
        It has none, or several.
    """
    if len(objects) != 1:
        raise FileError(
            f"{path} has {len(objects)} objects on {photograph}, beside a mask of one: give annotations on every side."
        )
    return next(iter(objects.values()))
