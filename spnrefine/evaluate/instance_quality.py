"""How good instances are: every method's, by average precision and panoptic quality, over all pictures."""

from collections.abc import Sequence
from typing import NamedTuple

from spnrefine.errors import FileError
from spnrefine.evaluate.average_precision import MOST_FOUND, Precision, average_precision
from spnrefine.evaluate.instances import ANY, COARSE, Picture
from spnrefine.evaluate.panoptic_quality import Counted, count

FIGURES = "ap", "ap50", "ap75", "boundary_ap", "pq"


class Quality(NamedTuple):
    """How good a method's instances are: by average precision, that with boundaries, and what was counted for PQ."""

    whole: Precision
    banded: Precision
    counted: Counted | None

    def value(self, figure: str) -> float | None:
        """Return one of `FIGURES`; None where it is not defined."""
        if figure == "pq":
            return None if self.counted is None else self.counted.mean().pq
        value: float | None = self.banded.ap if figure == "boundary_ap" else getattr(self.whole, figure)
        return value


class Qualities(NamedTuple):
    """The quality of each method's instances, of which at most so many count on a picture, the surest.

    Attributes
    ----------
    categories : those that are measured.
    has_scores : whether what was found says how sure it is.
    """

    categories: list[str]
    most: int
    has_scores: bool
    of: dict[str, Quality]


def measure(pictures: Sequence[Picture], boundary_share: float) -> Qualities:
    """Measure what each method found.

    Raises
    ------
    FileError
        What was found has no category of the truth.
    MissingExtraError
        Without pycocotools.
    """
    methods = list(pictures[0].found)
    categories = _categories(pictures)
    most = MOST_FOUND
    has_scores = all(one.score is not None for picture in pictures for one in picture.found[COARSE])
    if not has_scores:  # maps of cells hold more, and nothing says which to leave out
        most = max([most, *(len(found) for picture in pictures for found in picture.found.values())])
    qualities = {
        method: Quality(
            average_precision(pictures, method, categories, most=most),
            average_precision(pictures, method, categories, boundary_share=boundary_share, most=most),
            count(pictures, method, categories),
        )
        for method in methods
    }
    return Qualities(categories, most, has_scores, qualities)


def _categories(pictures: Sequence[Picture]) -> list[str]:
    """Return the categories of the truth; `ANY` where an instance of either side has none."""
    true = [one for picture in pictures for one in picture.true]
    found = [one for picture in pictures for each in picture.found.values() for one in each]
    named = {one.category for one in true}
    if not named or None in named | {one.category for one in found}:
        return [ANY]
    known = sorted(str(name) for name in named)
    if found and not named & {one.category for one in found}:
        raise FileError(
            f"The truth has the categories {', '.join(known[:3])}, what was found {found[0].category}, and none in "
            "common: name them alike."
        )
    return known
