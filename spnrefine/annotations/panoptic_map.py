"""COCO's panoptic maps: a PNG of one photograph, whose colours are the ids of its segments."""

import io
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from spnrefine.annotations.items import Item, Mask
from spnrefine.errors import FileError
from spnrefine.files.opening import decode, read_bytes
from spnrefine.files.regular import is_file

VOID = 0

Ids = NDArray[np.int32]


class PanopticMap:
    """A PNG, with the masks of its segments that changed; a colour's id is R + 256 G + 65536 B.

    Parameters
    ----------
    path : where it goes, relative to the document.
    source : the PNG itself.
    """

    def __init__(self, path: Path, source: Path):
        self.path, self.source = path, source
        self.items: list[Item] = []  # they belong to the JSON file
        self.objects = 0
        self._changed: dict[int, tuple[slice, slice, NDArray[np.uint8]]] = {}

    def ids(self) -> Ids:
        """Return the ids as they came, (H, W), not to be written to; FileError where there are none to be read."""
        return _read(self.source, self.source.stat().st_mtime_ns if is_file(self.source) else 0)

    def put(self, identity: int, mask: Mask | None) -> None:
        """Let a segment have another mask, (H, W); None undoes that."""
        self._changed.pop(identity, None)
        if mask is not None:
            left, top, width, height = cv2.boundingRect(mask.astype(np.uint8))
            rows, columns = slice(top, top + height), slice(left, left + width)
            self._changed[identity] = rows, columns, np.packbits(mask[rows, columns])

    def changes(self, identity: int) -> bool:
        """Tell if a segment has another mask."""
        return identity in self._changed

    def refined(self) -> Ids:
        """Return the ids with the changed masks, (H, W).

        What a segment leaves is void. It takes what is void or left by another, and nothing of one that stays.
        """
        ids = self.ids().copy()
        ids[np.isin(ids, list(self._changed))] = VOID
        for identity, (rows, columns, bits) in self._changed.items():
            inside = ids[rows, columns]
            mask = np.unpackbits(bits, count=inside.size).reshape(inside.shape).astype(np.bool_)
            inside[mask & (inside == VOID)] = identity
        return ids

    def patched(self) -> bytes:
        """Return the PNG, as it came where no mask changed."""
        if not self._changed:
            return read_bytes(self.source)
        ids = self.refined()
        buffer = io.BytesIO()
        colours = np.stack([ids >> shift & 255 for shift in (0, 8, 16)], axis=2).astype(np.uint8)
        Image.fromarray(colours).save(buffer, "PNG")
        return buffer.getvalue()


@lru_cache(maxsize=16)  # one for each thread, and some; a photograph's segments follow each other
def _read(source: Path, changed_at: int) -> Ids:
    image = decode(read_bytes(source), str(source)).image
    if image.mode not in ("RGB", "RGBA"):
        raise FileError(f"{source} is of mode {image.mode}, not RGB, of whose colours ids are made: export it again.")
    red, green, blue = np.moveaxis(np.asarray(image)[..., :3].astype(np.int32), 2, 0)
    ids: Ids = red + (green << 8) + (blue << 16)
    ids.setflags(write=False)
    return ids
