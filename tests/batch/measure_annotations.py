"""What an annotation file of very many masks costs a batch besides their refinement, for docs/scale.md: no test.

``python -m tests.batch.measure_annotations 100000`` has COCO's annotations of so many objects, ten a photograph, read,
parted by photograph, worked on by two threads and put back; where nothing moves, it must be the file's own bytes.
``python -m tests.batch.measure_annotations 100000 moved`` has every mask moved, and each annotation written anew. What
lies between a mask read and one put back is left out: the photograph is not read, and the record not measured. A number
at the end has only every so many photographs worked on.
"""

import json
import os
import resource
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from spnrefine.annotations.document import open_document
from spnrefine.batch.digests import Origin
from spnrefine.batch.document_files import check_document, sources, write_document
from spnrefine.batch.engine import Threads
from spnrefine.batch.items_portion import ItemsPortion
from spnrefine.batch.ledger import Ledger
from spnrefine.batch.outputs import Outputs
from spnrefine.batch.portion import Work
from spnrefine.batch.run import run
from spnrefine.boxes.box import Box
from spnrefine.files.inputs import Inputs
from spnrefine.files.orientation import UPRIGHT
from spnrefine.job.record import Record
from spnrefine.job.types import Settings
from tests.batch.measure_million import resident

EACH, SIZE = 10, (120, 160)
MOST_LINKS = 30_000  # names of one photograph, each of which is a file's link


class NoRefinement(ItemsPortion):
    """Masks that are read and put back, moved or not, and kept in the ledger."""

    moves = False

    def run(self):
        records = []
        for item in self._items:
            mask = item.read(SIZE)
            if self.moves:
                mask = replace(mask, box=Box(mask.box.top, mask.box.bottom, mask.box.left + 2, mask.box.right + 2))
            record = Record(str(item.photograph), item.name, str(self._output), "refined", 0.01, 1.5, 1, 1, 0, 0)
            key = f"{hash(item.name):040x}"[-40:]
            self._put_back(item, mask, UPRIGHT, Origin(key, key, key), record)
            records.append(record)
        self._let_go()
        return records


def make(folder, count):
    """Write the photographs and an annotation file, piece by piece; return the file's path."""
    random = np.random.default_rng(0)
    (folder / "photos").mkdir()
    height, width = SIZE
    images = []
    for number in range(-(-count // EACH)):
        name = folder / f"photos/{number:012}.jpg"
        if number % MOST_LINKS == 0:
            first = name
            Image.new("RGB", (width, height), (90, 90, 90)).save(name)
        else:
            os.link(first, name)
        images.append({"id": number, "file_name": name.name, "height": height, "width": width})
    path = folder / "annotations.json"
    with path.open("w") as file:
        file.write('{"images": ' + json.dumps(images) + ', "categories": [{"id": 1, "name": "thing"}]')
        file.write(', "annotations": [')
        for number in range(count):
            x, y = 10 + 28 * (number % EACH % 5), 20 + 50 * (number % EACH // 5)
            turns = np.linspace(0, 2 * np.pi, 18, endpoint=False)
            ring = np.stack([x + 8 + 7 * np.cos(turns), y + 8 + 7 * np.sin(turns)], 1) + random.random((18, 2))
            found = {
                "id": number,
                "image_id": number // EACH,
                "category_id": 1,
                "iscrowd": 0,
                "area": 154.25,
                "bbox": [x, y, 16, 16],
                "segmentation": [ring.round(2).ravel().tolist()],
            }
            file.write((", " if number else "") + json.dumps(found))
        file.write("]}")
    return path


def peak():
    """Return the most memory that this process had, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(count, folder, every=1):
    """Print what reading, working on and writing a file of so many annotations take."""
    path, before = make(folder, count), resident()
    size, output = path.stat().st_size / 2**20, folder / "refined.json"
    print(f"{count} annotations, {size:.0f} MiB; the process without them: {before:.0f} MiB")

    def tell(what, began):
        each = 1000 * (time.process_time() - began) / count
        print(f"{what}: {each:.3f} ms of CPU each, {resident():.0f} MiB now, {peak():.0f} at most", flush=True)

    began = time.process_time()
    document = open_document(path, folder / "photos")
    tell("opened", began)
    began, items = time.process_time(), document.items
    inputs = Inputs([*sources(document), *(item.photograph for item in items)])
    outputs = Outputs(Ledger(output, "run", is_folder=False), inputs)
    check_document(document, output, outputs)
    work, groups = Work(None, Settings(), outputs), {}
    for item in items:
        groups.setdefault(item.photograph, []).append(item)
    portions = (NoRefinement(group, work, output) for group in list(groups.values())[::every])
    for number, _ in enumerate(run(portions, engine=Threads(2)), 1):
        if number % max(1, count // every // 4) == 0:
            tell(f"{number} put back", began)
    began = time.process_time()
    write_document(document, output, outputs)
    tell("written", began)
    outputs.close()
    same = output.read_bytes() == path.read_bytes()
    print(f"the same bytes: {same}; {(peak() - before) / size:.1f} bytes of memory a byte of the file")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        NoRefinement.moves = "moved" in sys.argv
        measure(int(sys.argv[1]), Path(made), int(sys.argv[-1]) if len(sys.argv) > 2 and sys.argv[-1].isdigit() else 1)
