"""COCO's panoptic maps: a PNG of one photograph, whose colours are the ids of its segments."""

import io
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from spnrefine.annotations.items import Item
from spnrefine.boxes.box import Box
from spnrefine.boxes.boxed import Boxed
from spnrefine.boxes.ids import find_ids
from spnrefine.errors import FileError
from spnrefine.files.opening import decode, read_bytes

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
        self._changed: dict[int, Boxed] = {}

    def ids(self) -> Ids:
        """Return the ids as they came, (H, W), not to be written to; FileError where there are none to be read.

        They are held until `forget` is called.
        """
        return self._ids

    @cached_property
    def _ids(self) -> Ids:
        return _read(self.source)

    @cached_property
    def _boxes(self) -> dict[int, Box]:
        ids, boxes = find_ids(self._ids)
        return dict(zip(ids.tolist(), boxes, strict=True))

    def forget(self) -> None:
        """Let go of the ids, which are read again when they are asked for."""
        for held in ("_ids", "_boxes"):
            vars(self).pop(held, None)

    def mask(self, identity: int) -> Boxed | None:
        """Return the mask of a segment as it came; None where it has no pixel."""
        box = self._boxes.get(identity)
        height, width = self._ids.shape
        return None if box is None else Boxed((height, width), box, self._ids[box.slices] == identity)

    def among(self, ids: Ids, identity: int) -> Boxed:
        """Return the mask of a segment among refined ids (H, W): of its new one what it could take."""
        changed = self._changed[identity]
        return Boxed(changed.size, changed.box, ids[changed.box.slices] == identity)

    def put(self, identity: int, mask: Boxed | None) -> None:
        """Let a segment have another mask; None undoes that."""
        self._changed.pop(identity, None)
        if mask is not None:
            self._changed[identity] = mask

    def changes(self, identity: int) -> bool:
        """Tell if a segment has another mask."""
        return identity in self._changed

    def refined(self) -> Ids:
        """Return the ids with the changed masks, (H, W).

        What a segment leaves is void. It takes what is void or left by another, and nothing of one that stays.
        """
        ids = self.ids().copy()
        for identity in self._changed:
            inside = ids[self._boxes[identity].slices]
            inside[inside == identity] = VOID
        for identity, mask in self._changed.items():
            inside = ids[mask.box.slices]
            inside[mask.pixels & (inside == VOID)] = identity
        return ids

    def patched(self) -> bytes:
        """Return the PNG, as it came where no mask changed."""
        if not self._changed:
            return read_bytes(self.source)
        ids = self.refined()
        self.forget()
        buffer = io.BytesIO()
        colours = np.stack([ids >> shift & 255 for shift in (0, 8, 16)], axis=2).astype(np.uint8)
        Image.fromarray(colours).save(buffer, "PNG")
        return buffer.getvalue()


def _read(source: Path) -> Ids:
    image = decode(read_bytes(source), str(source)).image
    if image.mode not in ("RGB", "RGBA"):
        raise FileError(f"{source} is of mode {image.mode}, not RGB, of whose colours ids are made: export it again.")
    red, green, blue = np.moveaxis(np.asarray(image)[..., :3].astype(np.int32), 2, 0)
    ids: Ids = red + (green << 8) + (blue << 16)
    ids.setflags(write=False)
    return ids
