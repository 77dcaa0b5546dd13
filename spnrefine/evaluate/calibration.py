"""Whether a soft mask means what it says: of the pixels given 0.8, eight in ten should be the object's."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

BINS = 10  # of equal width over 0..1; a probability of 1 belongs to the last


def _zeros() -> NDArray[np.float64]:
    return np.zeros(BINS)


@dataclass(frozen=True)
class Reliability:
    """A reliability diagram: for each bin of predicted probability, how many pixels, and how many it was right about.

    What is predicted is said by what made it: `tally` or `tally_winner`. Counts of several masks add up with ``+``.
    Niculescu-Mizil and Caruana, ICML 2005.
    """

    pixels: NDArray[np.float64] = field(default_factory=_zeros)
    predicted: NDArray[np.float64] = field(default_factory=_zeros)
    observed: NDArray[np.float64] = field(default_factory=_zeros)
    """(BINS,) each: pixels, the sum of their probabilities, and of how many it came true."""

    def __add__(self, other: "Reliability") -> "Reliability":
        return Reliability(self.pixels + other.pixels, self.predicted + other.predicted, self.observed + other.observed)

    @property
    def expected_calibration_error(self) -> float | None:
        """Mean over pixels of |observed share - mean predicted probability| of their bin, 0..1; None without pixels.

        Naeini et al., AAAI 2015.
        """
        total = self.pixels.sum()
        return float(np.abs(self.observed - self.predicted).sum() / total) if total else None

    def rows(self) -> list[dict[str, float | int]]:
        """Return the bins that hold pixels: their edges, mean predicted probability, observed share, pixels."""
        return [
            {
                "from": i / BINS,
                "to": (i + 1) / BINS,
                "predicted": float(self.predicted[i] / self.pixels[i]),
                "observed": float(self.observed[i] / self.pixels[i]),
                "pixels": int(self.pixels[i]),
            }
            for i in np.flatnonzero(self.pixels).tolist()
        ]


def tally(probability: NDArray[np.float32], truth: NDArray[np.bool_], chosen: NDArray[np.bool_]) -> Reliability:
    """Sort the ``chosen`` pixels of one mask into bins, of the object's probability; all are (H, W), that in 0..1."""
    p, came_true = probability[chosen].astype(np.float64), truth[chosen]
    bins = np.minimum((p * BINS).astype(np.intp), BINS - 1)
    return Reliability(
        *(np.bincount(bins, weights, BINS).astype(np.float64) for weights in (None, p, came_true)),
    )


def tally_winner(probability: NDArray[np.float32], truth: NDArray[np.bool_], chosen: NDArray[np.bool_]) -> Reliability:
    """Do the same with the probability of what is more probable, object or background, and whether that is true.

    Guo et al., ICML 2017: this is what "expected calibration error" of a classifier means.
    """
    object_wins = probability > 0.5
    return tally(np.where(object_wins, probability, 1 - probability), object_wins == truth, chosen)
