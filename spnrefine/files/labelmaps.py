"""Masks whose classes are colours, named in a ``labelmap.txt``, as CVAT ("Segmentation mask") writes them.

Pascal VOC's instances, in a folder ``SegmentationObject``, have the colours of its palette whatever the classes have.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from spnrefine.errors import FileError
from spnrefine.files.limits import Content
from spnrefine.files.opening import read_bytes

NAME = "labelmap.txt"
INSTANCES = "SegmentationObject"
VOC_VOID = 255
MOST_SHOWN = 80  # characters of a line that is wrong
BACKGROUNDS = {"background"}
VOIDS = {
    *("void", "ignore", "ignored", "border", "boundary", "unlabeled", "unlabelled", "unknown", "undefined"),
    *("unclassified", "uncertain", "dontcare", "don't care"),
}
"""Names of classes that are left untouched, without what :func:`_plain` takes off."""


@dataclass(frozen=True, eq=False)
class LabelMap:
    """The colours of classes.

    ``colours`` is (N, 3) uint8, RGB by id; id 0 is the class named background, or black where none is. ``voids`` are
    the ids of classes named void, ignore, border, unlabeled or the like.
    """

    colours: np.ndarray
    voids: tuple[int, ...]

    def ids(self, pixels: np.ndarray, name: str) -> np.ndarray:
        """Turn colours (H, W, 3) into ids (H, W), uint8 or uint16.

        Raises
        ------
        FileError
            A colour that no class has.
        """
        keys = _keys(self.colours)
        order = np.argsort(keys, kind="stable")
        given = _keys(pixels)
        place = order[np.clip(np.searchsorted(keys, given, sorter=order), 0, len(keys) - 1)]
        unknown = given[keys[place] != given]
        if len(unknown):
            colour = tuple(int(unknown[0]) >> shift & 255 for shift in (16, 8, 0))
            raise FileError(f"{name} holds the colour {colour}, which its {NAME} does not list: add it there.")
        return place.astype(np.uint8 if len(keys) <= 256 else np.uint16)


def find_labelmap(mask: Path) -> Path | None:
    """Find the ``labelmap.txt`` in the folder of a mask or in one of the two above it; None if there is none."""
    return next((folder / NAME for folder in list(mask.absolute().parents)[:3] if (folder / NAME).is_file()), None)


def labelmap_of(mask: Path) -> LabelMap | None:
    """Return what the colours of a mask mean, or None where nothing says so; errors as of `read_labelmap`."""
    if mask.absolute().parent.name == INSTANCES:
        return LabelMap(palette(), (VOC_VOID,))
    listed = find_labelmap(mask)
    return None if listed is None else read_labelmap(listed)


def read_labelmap(path: Path) -> LabelMap:
    """Read lines of ``name:red,green,blue:parts:actions``; ``#`` begins a comment.

    A line without a colour has that of its place among the lines in Pascal VOC's palette, as datumaro means it.

    Raises
    ------
    FileError
        A line is none of these, or two classes have one colour.
    """
    classes: list[tuple[str, tuple[int, ...]]] = []
    for number, line in enumerate(read_bytes(path, Content.TEXT).decode("utf-8-sig", "replace").splitlines(), 1):
        text = line.partition("#")[0].strip()
        if not text:
            continue
        parts = text.split(":")
        if len(parts) > 1 and not parts[1].strip() and len(classes) < len(palette()):
            classes.append((_plain(parts[0]), tuple(palette()[len(classes)].tolist())))
            continue
        numbers = parts[1].split(",") if len(parts) > 1 else []
        if len(numbers) != 3 or not all(map(is_byte, numbers)):
            shown = line.strip()[:MOST_SHOWN]
            raise FileError(f"{path}, line {number}, is {shown!r}: expected name:red,green,blue, each 0 to 255.")
        classes.append((_plain(parts[0]), tuple(int(n) for n in numbers)))
    background = next((c for c in classes if c[0] in BACKGROUNDS), ("background", (0, 0, 0)))
    classes = [background, *(c for c in classes if c[0] != background[0] and c[1] != background[1])]
    colours = [colour for _, colour in classes]
    if len(set(colours)) < len(colours):
        raise FileError(f"{path} gives two classes one colour: give each its own.")
    return LabelMap(np.array(colours, np.uint8), tuple(i for i, (name, _) in enumerate(classes) if name in VOIDS))


def is_byte(text: str) -> bool:
    """Tell whether a word is a whole number from 0 to 255."""
    digits = text.strip().lstrip("0")
    return text.strip().isdecimal() and len(digits) <= 3 and int(digits or 0) < 256


def _plain(name: str) -> str:
    """Spell a class as :data:`VOIDS` does: ``__ignore__`` and ``Don't-care`` alike."""
    return " ".join(name.lower().replace("_", " ").replace("-", " ").split()).replace("dont care", "dontcare")


def palette() -> np.ndarray:
    """Return the colours (256, 3), uint8, that Pascal VOC gives to ids: black for 0, neighbours far apart."""
    ids, colours = np.arange(256), np.zeros((256, 3), np.uint8)
    for bit in range(8):
        for channel in range(3):
            colours[:, channel] |= ((ids >> (3 * bit + channel) & 1) << (7 - bit)).astype(np.uint8)
    return colours


def labelmap_text(names: Sequence[str]) -> str:
    """Return a ``labelmap.txt`` that gives the classes, in the order of their ids, the colours of :func:`palette`."""
    lines = [f"{name}:{','.join(map(str, colour))}::" for name, colour in zip(names, palette(), strict=False)]
    return "\n".join(["# label:color_rgb:parts:actions", *lines, ""])


def _keys(colours: np.ndarray) -> np.ndarray:
    red, green, blue = (colours[..., channel].astype(np.int32) for channel in range(3))
    return red << 16 | green << 8 | blue
