"""Masks as JSON, for the ledger."""

import base64
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spnrefine.refiner.box import Box, bounding_box


def pack(mask: NDArray[np.bool_]) -> dict[str, Any]:
    """Turn a mask (H, W) into JSON that is small where most of the mask is empty."""
    box = bounding_box(mask) or Box(0, 0, 0, 0)
    bits = zlib.compress(np.packbits(mask[box.slices]).tobytes())
    return {"size": list(mask.shape), "box": list(box), "bits": base64.b64encode(bits).decode("ascii")}


def unpack(packed: dict[str, Any]) -> NDArray[np.bool_]:
    """Return the mask (H, W) that was packed."""
    mask = np.zeros(packed["size"], np.bool_)
    inside = mask[Box(*packed["box"]).slices]
    bits = np.frombuffer(zlib.decompress(base64.b64decode(packed["bits"])), np.uint8)
    inside[:] = np.unpackbits(bits, count=inside.size).reshape(inside.shape)
    return mask
