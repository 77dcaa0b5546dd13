"""Masks as JSON, for the ledger."""

import base64
import zlib
from typing import Any

import numpy as np

from spnrefine.boxes.box import Box
from spnrefine.boxes.boxed import Boxed


def pack(mask: Boxed) -> dict[str, Any]:
    """Turn a mask of bools into JSON that is small where most of the picture is empty."""
    mask = mask.tight()
    bits = zlib.compress(np.packbits(mask.pixels).tobytes())
    return {"size": list(mask.size), "box": list(mask.box), "bits": base64.b64encode(bits).decode("ascii")}


def unpack(packed: dict[str, Any], shape: tuple[int, int]) -> Boxed | None:
    """Return the mask of a picture of a ``shape`` that was packed; None where ``packed`` is no such mask.

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
    pixels = box.height * box.width
    data = _unzip(bits, -(-pixels // 8))
    if data is None:
        return None
    unpacked = np.unpackbits(np.frombuffer(data, np.uint8), count=pixels).reshape(box.height, box.width)
    return Boxed(shape, box, unpacked.astype(np.bool_))


def _unzip(text: str, length: int) -> bytes | None:
    """Return just ``length`` bytes; None where there are fewer or more, or the text is damaged."""
    unzipped = zlib.decompressobj()
    try:
        data = unzipped.decompress(base64.b64decode(text, validate=True), length + 1)
    except (ValueError, zlib.error):
        return None
    return data if len(data) == length and unzipped.eof and not unzipped.unused_data else None
