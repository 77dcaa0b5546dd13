"""What an object costs does not grow with the photograph it lies in: memory and pixels counted, not seconds."""

import json
import tracemalloc

import numpy as np
import pytest
from PIL import Image

from spnrefine.annotations.document import open_document
from spnrefine.batch.items_portion import ItemsPortion
from spnrefine.batch.ledger import Ledger
from spnrefine.batch.outputs import Outputs
from spnrefine.batch.portion import Work
from spnrefine.job.types import Settings
from spnrefine.refiner.joint import refine_labels
from tests.batch.refiners import Shifting

SIDE, MANY = 12, 40


class Counting(Shifting):
    """A refiner that counts the pixels it is shown."""

    pixels = 0

    def __call__(self, image, coarse):
        self.pixels += coarse.size
        return super().__call__(image, coarse)


def places(side):
    return [(40 + 50 * (number % 10), 40 + 50 * (number // 10)) for number in range(MANY)]


def refine_coco(folder, side):
    """Refine squares on a photograph of that side; return the pixels shown and the peak of memory."""
    Image.new("RGB", (side, side)).save(folder / "p.png")
    rings = [[x, y, x + SIDE, y, x + SIDE, y + SIDE, x, y + SIDE] for x, y in places(side)]
    annotations = [
        {"id": number, "image_id": 1, "segmentation": [ring], "area": 1, "bbox": [0, 0, 1, 1]}
        for number, ring in enumerate(rings)
    ]
    images = [{"id": 1, "file_name": "p.png", "width": side, "height": side}]
    (folder / "c.json").write_text(json.dumps({"images": images, "annotations": annotations}))
    document, refiner = open_document(folder / "c.json", folder), Counting()
    outputs = Outputs(Ledger(folder / "new.json", "run"))
    tracemalloc.start()
    try:
        records = ItemsPortion(document.items, Work(refiner, Settings(), outputs), folder / "new.json").run()
        peak = tracemalloc.get_traced_memory()[1]
        left = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
        outputs.close()
    assert {record.status for record in records} == {"refined"}
    return refiner.pixels, peak, left


def test_items_cost_what_their_boxes_cost(tmp_path):
    small, large = (refine_coco(tmp_path, side) for side in (700, 1400))
    assert small[0] == large[0]
    frame = 1400 * 1400
    # the photograph, its file's bytes and two maps of who is where; a whole mask of each item would be 40 frames
    assert large[1] < 16 * frame
    assert large[2] < frame  # and nothing of it is left


@pytest.mark.parametrize("side", [700, 1400])
def test_ids_cost_what_their_boxes_cost(side):
    labels = np.zeros((side, side), np.uint16)
    for number, (x, y) in enumerate(places(side), 1):
        labels[y : y + SIDE, x : x + SIDE] = number
    refiner = Counting()
    refine_labels(refiner, np.zeros((side, side, 3), np.uint8), labels)
    assert refiner.pixels == MANY * (SIDE + 2 * (SIDE // 4 + 8)) ** 2
