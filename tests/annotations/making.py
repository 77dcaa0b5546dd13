"""Masks, photographs and the promises every annotation format keeps."""

import pickle
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from spnrefine.annotations.document import Document, open_document
from spnrefine.boxes.boxed import Boxed

SIZE = (80, 100)
"""Height and width of the photographs here."""


def blob(seed: int = 0) -> np.ndarray:
    """A smooth shape of one part without holes."""
    rng = np.random.default_rng(seed)
    mask = np.zeros(SIZE, np.uint8)
    centre = (int(rng.integers(45, 55)), int(rng.integers(36, 44)))
    cv2.ellipse(mask, centre, (35, 25), float(rng.uniform(0, 180)), 0, 360, 1, cv2.FILLED)
    return mask.astype(bool)


def holed(seed: int = 0) -> np.ndarray:
    """A smooth shape with a hole."""
    mask = blob(seed).astype(np.uint8)
    cv2.circle(mask, (50, 40), 9, 0, cv2.FILLED)
    return mask.astype(bool)


def parted(seed: int = 0) -> np.ndarray:
    """A smooth shape with a hole, and a second part."""
    mask = holed(seed).astype(np.uint8)
    mask[:, :4] = 0
    cv2.rectangle(mask, (1, 66), (14, 78), 1, cv2.FILLED)
    return mask.astype(bool)


def speckled(seed: int = 0) -> np.ndarray:
    """A shape at its worst: noise."""
    return np.random.default_rng(seed).random(SIZE) < 0.4


def iou(one: np.ndarray, other: np.ndarray) -> float:
    return float((one & other).sum() / (one | other).sum())


def save_photograph(path: Path, size: tuple[int, int] = SIZE) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.zeros((*size, 3), np.uint8)).save(path)
    return path


def inputs(path: Path) -> dict[Path, bytes]:
    """What `Document.outputs` gives for annotations that nothing changed."""
    if path.is_file():
        return {Path(path.name): path.read_bytes()}
    return {found.relative_to(path): found.read_bytes() for found in sorted(path.rglob("*")) if found.is_file()}


def check_untouched(document: Document) -> None:
    """Not written, or written back as read, or changed and changed back: byte for byte as it came.

    A copy that is sent to another process reads as the item does, and does not carry the file.
    """
    before = inputs(document.path)
    assert document.items
    assert document.outputs() == before
    for item in document.items:
        mask = item.read(SIZE)
        sent = pickle.loads(pickle.dumps(item.to_read()))
        np.testing.assert_array_equal(sent.read(SIZE), mask)
        assert getattr(sent, "text", "") == ""
        item.write(mask)
        assert document.outputs() == before
        item.write(Boxed.of(np.roll(mask, 1, axis=1) | blob(9)))
        item.write(mask)
    assert document.outputs() == before


def rewrite(document: Document, index: int, mask: np.ndarray, images: Path, to: Path) -> Document:
    """Write one item, lay the refined files in ``to`` and open them again; all other items must read as before."""
    others = [item.read(SIZE) for item in document.items]
    document.items[index].write(Boxed.of(mask))
    for name, data in document.outputs().items():
        (to / name).parent.mkdir(parents=True, exist_ok=True)
        (to / name).write_bytes(data)
    again = open_document(to if document.path.is_dir() else to / document.path.name, images)
    assert [item.name for item in again.items] == [item.name for item in document.items]
    for number, (item, other) in enumerate(zip(again.items, others, strict=True)):
        if number != index:
            np.testing.assert_array_equal(item.read(SIZE), other)
    return again
