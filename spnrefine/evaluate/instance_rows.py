"""What was found on each picture, beside the truth of it: counts, matches, and the quality of the picture alone."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spnrefine.evaluate.facts import as_table
from spnrefine.evaluate.instance_quality import Qualities, Quality
from spnrefine.evaluate.instances import COARSE, REFINED, Instance, Picture
from spnrefine.evaluate.ranked import Ranked, drawn_precision
from spnrefine.evaluate.worst import MOST
from spnrefine.evaluate.worst_maps import MapsOfPicture, WorstMaps
from spnrefine.files.images import read_photograph
from spnrefine.files.tiff_photographs import Bands


class Row(NamedTuple):
    """What a method found on a picture; None where it is not defined.

    ``matched_iou`` is the sum of the IoU of what is matched, as panoptic quality matches, in all categories;
    `ap`, `boundary_ap` and `pq` are means over the categories of the picture.
    """

    instances: int
    ap: float | None
    boundary_ap: float | None
    pq: float | None
    matched: int | None = None
    false: int | None = None
    missed: int | None = None
    matched_iou: float | None = None


def rows(pictures: Sequence[Picture], measured: Qualities) -> list[dict[str, Row]]:
    """Return for each picture what each method found."""
    by_method = {name: _rows(pictures, name, quality) for name, quality in measured.of.items()}
    return [dict(zip(by_method, each, strict=True)) for each in zip(*by_method.values(), strict=True)]


def as_csv(pictures: Sequence[Picture], of_pictures: Sequence[dict[str, Row]]) -> bytes:
    """Return a line for each picture; what is not defined is empty."""
    head = ["photograph", "true_instances", "void_pixels"]
    head += [f"{name} {column}" for name in of_pictures[0] for column in Row._fields]
    lines = [
        [
            picture.name,
            sum(not one.crowd for one in picture.true),
            int(np.count_nonzero(picture.void)),
            *(cell for row in found.values() for cell in row),
        ]
        for picture, found in zip(pictures, of_pictures, strict=True)
    ]
    return as_table(head, lines)


def worst(pictures: Sequence[Picture], of_pictures: Sequence[dict[str, Row]], bands: Bands | None = None) -> WorstMaps:
    """Return the pictures on which refined instances have the lowest panoptic quality; AP, where that is undefined.

    Their photographs are read again, of which ``bands`` are seen.
    """
    kept = WorstMaps()
    scored = [(score, at) for at, found in enumerate(of_pictures) if (score := _score(found[REFINED])) is not None]
    for score, at in sorted(scored)[:MOST]:
        picture, found = pictures[at], of_pictures[at]
        before, after = found[COARSE], found[REFINED]
        notes = [
            f"{name}: {_figure(getattr(before, name))} before, {_figure(getattr(after, name))} after"
            for name in Row._fields
        ]
        sides = picture.found[COARSE], picture.found[REFINED], picture.true
        coarse, refined, true = (_ids(side, picture.void.shape) for side in sides)
        image = read_photograph(picture.path, bands).pixels
        kept.add(MapsOfPicture(picture.path, image, coarse, refined, true, _score(before), score, notes))
    return kept


def _score(row: Row) -> float | None:
    return row.ap if row.pq is None else row.pq


def _figure(value: float | None) -> str:
    return "not defined" if value is None else f"{value:.4f}" if isinstance(value, float) else str(value)


def _ids(instances: Sequence[Instance], shape: tuple[int, ...]) -> NDArray[np.int32]:
    ids = np.zeros(shape, np.int32)
    for number, one in enumerate(instances, 1):
        ids[one.mask.box.slices][one.mask.pixels] = number
    return ids


def _rows(pictures: Sequence[Picture], method: str, quality: Quality) -> Iterator[Row]:
    precisions = _each(quality.whole.ranked), _each(quality.banded.ranked)
    counted = quality.counted
    own = [None] * len(pictures) if counted is None else counted.each()
    for at, (picture, ap, banded, pq) in enumerate(zip(pictures, *precisions, own, strict=True)):
        here = len(picture.found[method]), ap, banded
        if counted is None or pq is None:
            yield Row(*here, None)
        else:
            iou, *parts = counted.sums[at].sum(0)
            matched, false, missed = (int(part) for part in parts)
            yield Row(*here, pq.pq, matched, false, missed, float(iou))


def _each(ranked: Sequence[Ranked]) -> Iterator[float | None]:
    """Yield the average precision of each picture alone."""
    for categories in zip(*(one.each() for one in ranked), strict=True):
        value = float(drawn_precision(np.ones((1, 1)), categories)["ap"][0])
        yield None if np.isnan(value) else value
