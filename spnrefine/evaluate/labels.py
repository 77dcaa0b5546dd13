"""How good label maps are: F1 and IoU of classes, and of groups of classes, over all pixels of all photographs."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from spnrefine.errors import FileError
from spnrefine.files.classes import VOID, Classes, read_classes
from spnrefine.files.formats import MASKS, PHOTOGRAPHS
from spnrefine.files.images import read_photograph
from spnrefine.files.stems import by_stem, pair_by_stem
from spnrefine.files.truth import read_labels

Given = TypeVar("Given")


class Confusion:
    """Pixels counted by their true class (rows) and the class found (columns); void pixels do not count.

    The last column, one more than there are classes, is for what was found to be none of them. ``each`` holds for every
    label map the pixels that are right, true and found, by class.
    """

    def __init__(self, classes: Classes):
        self.classes = classes
        self.counts = np.zeros((len(classes.names), len(classes.names) + 1), np.int64)
        self.each: list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]] = []

    def add(self, truth: NDArray[np.uint8], found: NDArray[np.integer]) -> None:
        """Count one label map; both are (H, W) and hold numbers of classes, ``truth`` also void."""
        rows, columns = self.counts.shape
        counted = truth != VOID
        pairs = truth[counted].astype(np.int64) * columns + np.minimum(found[counted], rows)
        here = np.bincount(pairs, minlength=self.counts.size).reshape(rows, columns)
        self.each.append((here.diagonal().copy(), here.sum(1), here.sum(0)[:rows]))
        self.counts += here

    def f1(self) -> dict[str, float]:
        """F1 of each class but the background, and of each group; classes that never occur are left out.

        A group named ``overall`` sums the hits and misses of its classes, as HELEN's overall F-measure does; in any
        other, a pixel of one of its classes that is found as another of them is a hit.
        """
        scores = {}
        for number, name in enumerate(self.classes.names):
            if number:
                scores[name] = _f1(self.counts[number, number], self.counts[number].sum(), self.counts[:, number].sum())
        for group, members in self.classes.groups:
            rows = [self.classes.names.index(member) for member in members]
            hits = self.counts[rows, rows].sum() if group == "overall" else self.counts[np.ix_(rows, rows)].sum()
            scores[group] = _f1(hits, self.counts[rows].sum(), self.counts[:, rows].sum())
        return {name: score for name, score in scores.items() if score is not None}

    def iou(self) -> dict[str, float | None]:
        """IoU of each class that occurs, background included, and their ``mean``; None where none occurs."""
        hits = self.counts.diagonal()
        either = self.counts.sum(0)[: len(hits)] + self.counts.sum(1) - hits
        each = {name: float(hits[n] / either[n]) for n, name in enumerate(self.classes.names) if either[n]}
        return each | {"mean": float(np.mean([*each.values()])) if each else None}


def find_labelled(
    images: Path, truth: Path, classes: Path | None, void: int | None, most: int | None
) -> tuple[Classes, "Labelled"]:
    """Pair photographs with true label maps of the same stems, and say which classes those hold.

    Raises
    ------
    FileError
        A folder is missing, two of its files share a stem, no photograph has a label map, one is none, or they hold no
        id but 0 beside void.
    """
    for folder in (images, truth):
        if not folder.is_dir():
            raise FileError(f"{folder} is no folder: --images and --truth each expect a folder of files.")
    pairs = list(pair_by_stem(images, truth))
    if not pairs:
        raise FileError(
            f"No photograph in {images} has a label map of the same stem in {truth}: give folders of equal stems."
        )
    if most is not None and most < len(pairs):
        pairs = [pairs[index] for index in np.linspace(0, len(pairs) - 1, most).astype(int)]
    known = read_classes(classes) if classes else Classes.numbered(1 + _largest(pairs, void, truth))
    found = {path.stem for path, _ in pairs}
    alone = sorted((by_stem(images, PHOTOGRAPHS).keys() | by_stem(truth, MASKS).keys()) - found) if most is None else []
    return known, Labelled(pairs, known, void, alone)


class Labelled:
    """Photographs (H, W, 3) and the numbers of their true classes (H, W), read one after another.

    ``alone`` are stems that only one of the folders has.
    """

    def __init__(self, pairs: list[tuple[Path, Path]], classes: Classes, void: int | None, alone: Sequence[str] = ()):
        self.pairs, self.classes, self.void, self.alone = pairs, classes, void, alone

    def __len__(self) -> int:
        return len(self.pairs)

    def __iter__(self) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.uint8]]]:
        for photograph, labels in self.pairs:
            seen = read_photograph(photograph)
            yield seen.pixels, self.classes.numbers(read_labels(labels, seen, void=self.void))


def _largest(pairs: Sequence[tuple[Path, Path]], void: int | None, folder: Path) -> int:
    """Return the largest id, 1 at least; where void is what is usual, it may not be all there is beside 0."""
    largest, objects, any_void, any_known = 1, False, False, False
    for _, path in pairs:
        labels = read_labels(path, void=void)
        objects |= labels.largest > 0
        largest = max(largest, labels.largest)
        any_void |= bool(labels.void.any())
        any_known |= not labels.void.all()
    if void is None and any_void and any_known and not objects:
        raise FileError(
            f"The label maps in {folder} hold 0 and 255 alone, and 255 is void among ids: measure masks of objects "
            "with 'spnrefine eval', or give --void 255 or --classes to have it so."
        )
    return largest


def lowered(labels: NDArray[np.uint8], classes: int, times: int) -> NDArray[np.uint8]:
    """Return a label map (H, W) as it comes from a network of ``times`` lower resolution.

    Each cell has the class that most of its pixels have (void is none), and is enlarged to a block.
    """
    height, width = labels.shape
    small = (max(1, round(width / times)), max(1, round(height / times)))
    shares = [
        cv2.resize((labels == number).astype(np.float32), small, interpolation=cv2.INTER_AREA)
        for number in range(classes)
    ]
    cells = np.argmax(shares, 0).astype(np.uint8)
    return np.asarray(cv2.resize(cells, (width, height), interpolation=cv2.INTER_NEAREST_EXACT), np.uint8)


def measure(
    photographs: Iterable[tuple[Given, NDArray[np.uint8]]],
    classes: Classes,
    methods: Callable[[Given, NDArray[np.uint8]], dict[str, NDArray[np.uint8]]],
) -> dict[str, Confusion]:
    """Return each method's confusion; ``methods`` takes a photograph, or what is known of it, and its truth to maps."""
    found: dict[str, Confusion] = {}
    for given, truth in photographs:
        for name, labels in methods(given, truth).items():
            found.setdefault(name, Confusion(classes)).add(truth, labels)
    return found


def _f1(hits: int, true: int, found: int) -> float | None:
    return float(2 * hits / (true + found)) if true + found else None
