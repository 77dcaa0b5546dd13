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


def unpack(packed: dict[str, Any], shape: tuple[int, int]) -> NDArray[np.bool_] | None:
    """Return the mask (H, W) of a ``shape`` that was packed; None where ``packed`` is no such mask.

    No more memory is taken than a mask of this shape needs, whatever ``packed`` says.
    """
    numbers, bits = packed.get("box"), packed.get("bits")
    if packed.get("size") != list(shape) or not isinstance(bits, str) or not isinstance(numbers, list):
        return None
    if len(numbers) != 4 or any(type(number) is not int for number in numbers):
        return None
    box = Box(*numbers)
    if not (0 <= box.top <= box.bottom <= shape[0] and 0 <= box.left <= box.right <= shape[1]):
        return None
    mask = np.zeros(shape, np.bool_)
    inside = mask[box.slices]
    data = _unzip(bits, -(-inside.size // 8))
    if data is None:
        return None
    inside[:] = np.unpackbits(np.frombuffer(data, np.uint8), count=inside.size).reshape(inside.shape)
    return mask


def _unzip(text: str, length: int) -> bytes | None:
    """Return just ``length`` bytes; None where there are fewer or more, or the text is damaged."""
    unzipped = zlib.decompressobj()
    try:
        data = unzipped.decompress(base64.b64decode(text, validate=True), length + 1)
    except (ValueError, zlib.error):
        return None
    return data if len(data) == length and unzipped.eof and not unzipped.unused_data else None
