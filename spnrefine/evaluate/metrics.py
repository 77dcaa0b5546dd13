"""How well a mask matches the truth, over all of it and along its boundary: each measure as its published code has it.

Masks are (H, W) booleans. ``valid`` is (H, W) booleans too: pixels outside it are void. Nobody knows what they are, so
that they are not scored, and what is near the contour is found before they are left out: void makes no contour.

A measure is None where it is not defined.
"""

from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from spnrefine.evaluate.surfaces import Surfaces

Bits = NDArray[np.bool_]

PLAIN = "iou", "biou", "mba"
MBA_STEPS = 5
MBA_DIVISOR = 300  # of height and width together: their radii stay below


class Scores(NamedTuple):
    """The three measures of one mask, each in 0..1, or None where it is not defined.

    ``both_empty`` says that neither mask nor truth holds a pixel that is not void: then IoU and Boundary IoU are 1.
    ``surface`` are the distances of contours that were asked for: ``nsd_R`` within R pixels, in 0..1, and ``hd95`` in
    pixels.
    """

    iou: float | None
    biou: float | None
    mba: float | None
    both_empty: bool = False
    surface: tuple[tuple[str, float | None], ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all measures there are."""
        return (*PLAIN, *(name for name, _ in self.surface))

    def value(self, name: str) -> float | None:
        """Return a measure by its name."""
        found: float | None = getattr(self, name) if name in PLAIN else dict(self.surface)[name]
        return found


@dataclass(frozen=True)
class Measures:
    """What is free in the measures along the boundary, by default as published.

    Attributes
    ----------
    boundary_share : width of Boundary IoU's bands, as a share of the diagonal: Cheng et al., CVPR 2021.
    mba_radii : radii of mean boundary accuracy in pixels; empty for those of Cheng et al., CVPR 2020: five, from 1 to a
        300th of height and width together.
    nsd_radii : radii in pixels of normalised surface dice; empty for none.
    hd95 : whether to measure the Hausdorff distance; see :mod:`spnrefine.evaluate.surfaces` for both.
    """

    boundary_share: float = 0.02
    mba_radii: tuple[int, ...] = ()
    nsd_radii: tuple[float, ...] = ()
    hd95: bool = False

    def width(self, height: int, width: int) -> int:
        """Return the width of Boundary IoU's bands in pixels, one at least."""
        return max(1, round(self.boundary_share * float(np.sqrt(height**2 + width**2))))

    def radii(self, height: int, width: int) -> tuple[int, ...]:
        """Return the radii of mean boundary accuracy in pixels; one may come several times, and counts as often."""
        most = (height + width) / MBA_DIVISOR
        return self.mba_radii or tuple(1 + int((most - 1) / MBA_STEPS * step) for step in range(MBA_STEPS))

    def facts(self) -> dict[str, dict[str, str]]:
        """Say in words what each measure is, by its name."""
        radii = (
            ", ".join(map(str, self.mba_radii)) + " pixels"
            if self.mba_radii
            else "1 + int(((h + w) / 300 - 1) i / 5) pixels, i of 0 to 4"
        )
        facts = {
            "biou": {"band": f"{self.boundary_share:g} of the diagonal", "source": "Cheng et al., CVPR 2021"},
            "mba": {"radii": radii, "source": "Cheng et al., CVPR 2020"},
        }
        source = "Nikolov et al., J Med Internet Res 2021"
        facts |= {nsd_name(radius): {"radius": f"{radius:g} pixels", "source": source} for radius in self.nsd_radii}
        return facts | ({"hd95": {"unit": "pixels", "source": source}} if self.hd95 else {})


PUBLISHED = Measures()


def nsd_name(radius: float) -> str:
    """Return what normalised surface dice of a radius is called."""
    return f"nsd_{radius:g}"


def score(mask: Bits, truth: Bits, valid: Bits | None = None, measures: Measures = PUBLISHED) -> Scores:
    """Measure a mask by IoU, Boundary IoU and mean boundary accuracy; what ``truth`` says of void is not heeded."""
    valid = np.ones_like(truth) if valid is None else valid
    return Scores(
        iou(mask, truth, valid) if valid.any() else None,
        boundary_iou(mask, truth, valid, measures.width(*truth.shape)),
        mean_boundary_accuracy(mask, truth, valid, measures.radii(*truth.shape)),
        both_empty=bool(valid.any()) and not ((mask | truth) & valid).any(),
        surface=_surface(mask, truth, valid, measures),
    )


def _surface(mask: Bits, truth: Bits, valid: Bits, measures: Measures) -> tuple[tuple[str, float | None], ...]:
    if not measures.nsd_radii and not measures.hd95:
        return ()
    surfaces = Surfaces(mask, truth, valid)
    found = tuple((nsd_name(radius), surfaces.nsd(radius)) for radius in measures.nsd_radii)
    return (*found, ("hd95", surfaces.hd95())) if measures.hd95 else found


def iou(mask: Bits, truth: Bits, valid: Bits | None = None) -> float:
    """Intersection over union; 1 where both are empty."""
    both, either = mask & truth, mask | truth
    if valid is not None:
        both, either = both & valid, either & valid
    union = np.count_nonzero(either)
    return np.count_nonzero(both) / union if union else 1.0


def boundary_iou(mask: Bits, truth: Bits, valid: Bits, width: int) -> float | None:
    """Intersection over union of the bands along both contours; 1 where both masks are empty.

    None where both bands lie in void. An object that ends at void has no contour there.
    """
    if not valid.any():
        return None
    bands = [inner_band(part, width) & valid for part in (mask, truth | ~valid)]
    if not any(band.any() for band in bands):
        return None if ((mask | truth) & valid).any() else 1.0
    return iou(*bands)


def inner_band(mask: Bits, width: int) -> Bits:
    """Keep the pixels of ``mask`` that ``width`` erosions by 3 x 3 pixels take away.

    The image's border counts as contour. Cheng et al., "Boundary IoU", CVPR 2021.
    """
    padded = np.pad(mask.astype(np.uint8), 1)
    inner = cv2.erode(padded, np.ones((3, 3), np.uint8), iterations=width)[1:-1, 1:-1]
    return mask & (inner == 0)


def mean_boundary_accuracy(mask: Bits, truth: Bits, valid: Bits, radii: tuple[int, ...]) -> float | None:
    """Average over radii the share of right pixels near the truth's contour; None where that has none.

    Near is what has object as well as background within the radius, as OpenCV draws a disc of it. Cheng et al.,
    "CascadePSP", CVPR 2020.
    """
    inside, outside = ((part & valid).astype(np.uint8) for part in (truth, ~truth))
    right = mask == truth
    near = {}
    for radius in set(radii):
        disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
        near[radius] = (cv2.dilate(inside, disc) > 0) & (cv2.dilate(outside, disc) > 0) & valid
    accuracies = [right[near[radius]].mean() for radius in radii if near[radius].any()]
    return float(np.mean(accuracies)) if accuracies else None
