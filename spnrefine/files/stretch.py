"""Photographs of more than 8 bits as 8 bits, so that what is in them is seen."""

import numpy as np
from numpy.typing import NDArray

DARKEST, BRIGHTEST = 0.1, 99.9
"""Percentiles that become black and white; a few hot or dead pixels do not count."""
MOST = 4_000_000
"""Numbers that percentiles are taken of; of larger pictures, every n-th."""


def to_eight_bits(
    values: NDArray, top: float | None, nodata: float | None = None, *, together: bool = True
) -> tuple[NDArray[np.uint8], str | None]:
    """Turn the numbers of a photograph into 8 bits.

    Numbers that use half of the range they could have, or more, keep their place in it. Others are spread: between
    the percentiles `DARKEST` and `BRIGHTEST` of the picture's own.

    Parameters
    ----------
    values : (H, W, C) bools, integers or floats.
    top : what white is, 0 being black; None where there is no such number.
    nodata : a number that stands for none, which becomes black, as do infinite ones and those that are none.
    together : spread all channels alike, which keeps colours; else each by its own numbers.

    Returns
    -------
    (H, W, C) uint8, and what was done in words, or None where numbers keep their place.
    """
    groups = [slice(None)] if together else [slice(n, n + 1) for n in range(values.shape[2])]
    result = np.empty(values.shape, np.uint8)
    ranges = []
    for group in groups:
        part = values[..., group]
        known = _sample(part, nodata)
        low, high = (float(np.percentile(known, share)) if known.size else 0.0 for share in (DARKEST, BRIGHTEST))
        if top is not None and known.size and known.min() >= 0 and known.max() <= top and high - low >= top / 2:
            result[..., group] = _scaled(part, top)
            continue
        ranges.append(f"{low:.4g} to {high:.4g}")
        result[..., group] = _spread(part, low, high, nodata)
    if not ranges:
        return result, None
    return result, f"the photograph's numbers from {' and '.join(ranges)} were spread over 8 bits"


def _sample(values: NDArray, nodata: float | None) -> NDArray:
    flat = values.reshape(-1)
    flat = flat[:: max(flat.size // MOST, 1)]
    known = flat[np.isfinite(flat)] if flat.dtype.kind == "f" else flat
    return known if nodata is None else known[known != nodata]


def _scaled(values: NDArray, top: float) -> NDArray[np.uint8]:
    if values.dtype.kind == "f":
        return np.round(np.nan_to_num(values, nan=0, posinf=0, neginf=0).clip(0, top) * (255 / top)).astype(np.uint8)
    whole = int(top)
    return ((values.astype(np.uint64 if whole >= 2**24 else np.uint32) * 255 + whole // 2) // whole).astype(np.uint8)


def _spread(values: NDArray, low: float, high: float, nodata: float | None) -> NDArray[np.uint8]:
    if not high > low:
        return np.zeros(values.shape, np.uint8)
    numbers = values.astype(np.float32) if values.dtype.itemsize <= 2 else values.astype(np.float64)
    places = (numbers - low) * (255 / (high - low))
    known = np.isfinite(places) if nodata is None else np.isfinite(places) & (values != nodata)
    return np.round(np.where(known, places, 0).clip(0, 255)).astype(np.uint8)
