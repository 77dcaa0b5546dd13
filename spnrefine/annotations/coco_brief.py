"""What is held of each of COCO's annotations until its turn comes, of which there may be a million.

The coordinates of an annotation take several times as many bytes in lists of numbers as they do in the file's text,
which is there anyway.
"""

from typing import Any

from spnrefine.annotations.coco_items import form_of
from spnrefine.annotations.json_spans import Spanned

SHORT = ("id", "image_id", "category_id", "score", "iscrowd")
"""Members that say what is to be done with an annotation."""


class Brief(dict[str, Any]):
    """An annotation that begins at ``start`` in the text: of its members those of `SHORT` that it has.

    ``segmentation`` is its form, as of `form_of`, or None where there is none; of a ``bbox`` it is only known that it
    is there.
    """

    __slots__ = ("start",)

    def __init__(self, found: Spanned, start: int):
        super().__init__({name: found[name] for name in SHORT if name in found})
        segmentation = found.get("segmentation")
        self["segmentation"] = form_of(segmentation) if segmentation else None
        self.start = start


def brief(found: Spanned, start: int) -> Spanned | Brief:
    """Hold an annotation of COCO or SA-1B in brief, and as it is what has segments: COCO panoptic's."""
    return found if "segments_info" in found else Brief(found, start)


def brief_result(found: Spanned, start: int) -> Spanned | Brief:
    """Hold a member of a list in brief where it can be nothing but one of COCO's results."""
    is_one = "image_id" in found and ("segmentation" in found or "bbox" in found)
    return Brief(found, start) if is_one and not found.keys() & {"type", "data", "annotations"} else found
