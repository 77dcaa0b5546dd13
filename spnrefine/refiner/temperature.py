"""Probabilities at a temperature: made surer below 1, less sure above, each on its own side of one half.

Guo et al., "On Calibration of Modern Neural Networks", ICML 2017.
"""

import numpy as np
from numpy.typing import NDArray

LEAST, MOST = 0.25, 8.0
"""Temperatures that are believed."""


def at_temperature(probability: NDArray[np.float32], temperature: float) -> NDArray[np.float32]:
    """Return sigmoid(logit(p) / temperature) for p (H, W) in 0..1; 0, one half and 1 stay."""
    with np.errstate(divide="ignore"):
        logits = (np.log(probability) - np.log1p(-probability)) / np.float32(temperature)
    with np.errstate(over="ignore"):
        return (1 / (1 + np.exp(-logits))).astype(np.float32)
