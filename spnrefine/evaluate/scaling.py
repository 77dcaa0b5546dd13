"""What whole commands cost as photographs grow, and as more objects lie on one: CPU seconds and memory."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from spnrefine.evaluate.scene import draw_scene

MEGAPIXELS = 1, 4, 12, 24, 100
OBJECTS = 10, 100, 1000, 5000
PHOTOGRAPH = 4000, 6000  # height and width of the one on which objects are drawn
STEP = 66  # pixels from one object to the next
RADII = 14, 24  # pixels, the second exclusive
OFF = 3  # pixels by which a coarse mask may be shifted, and larger or smaller
PROGRAM = (sys.executable, "-m", "spnrefine")
_WATCH = """
import json, os, subprocess, sys
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
_, status, used = os.wait4(process.pid, 0)
print(json.dumps([os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime, used.ru_maxrss]))
"""
"""Runs a command in a small process: the peak that is told of a process begins with what its parent held."""


class Cost(NamedTuple):
    """What a process took: seconds of all its threads, user and system, and the largest resident memory in bytes."""

    cpu_seconds: float
    peak: float


def scaling(model: str, device: str) -> Iterator[dict[str, Any]]:
    """Refine one object on photographs of growing size, then more and more objects on one photograph."""
    how = ("--model", model, "--device", device)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        yield _row("warm-up", 0.25, 1, _one_object(folder, 0.25, how))  # compiles, if need be
        for megapixels in MEGAPIXELS:
            yield _row("one object", megapixels, 1, _one_object(folder, megapixels, how))
        for count in OBJECTS:
            size = PHOTOGRAPH[0] * PHOTOGRAPH[1] / 1e6
            yield _row("many objects", size, count, _many_objects(folder, count, how))


def cost_of(*command: str) -> Cost:
    """Run a command and return what it took.

    Raises
    ------
    CalledProcessError
        It failed.
    """
    done = subprocess.run([sys.executable, "-c", _WATCH, *command], check=True, stdout=subprocess.PIPE)
    code, seconds, peak = json.loads(done.stdout)
    if code:
        raise subprocess.CalledProcessError(code, command)
    return Cost(seconds, peak * (1 if sys.platform == "darwin" else 1024))


def draw_objects(
    count: int, height: int, width: int, seed: int = 0
) -> tuple[NDArray[np.uint8], list[NDArray[np.int32]]]:
    """Draw discs on a grid, and the outline of a coarse mask of each, a few pixels off.

    Returns
    -------
    image : (H, W, 3) uint8, RGB.
    outlines : of each disc (N, 2) int32, x and y.

    Raises
    ------
    ValueError
        So many do not fit.
    """
    rng = np.random.default_rng(seed)
    image = np.full((height, width, 3), 90, np.uint8)
    rows, columns = (range(STEP // 2, length - STEP // 2, STEP) for length in (height, width))
    places = [(y, x) for y in rows for x in columns]
    if count > len(places):
        raise ValueError(f"{count} objects: {len(places)} fit")
    outlines = []
    for at in np.linspace(0, len(places) - 1, count).round().astype(int):  # as far apart as can be
        y, x = places[at]
        radius, colour = int(rng.integers(*RADII)), tuple(map(int, rng.integers(120, 240, 3)))
        cv2.circle(image, (x, y), radius, colour, -1, cv2.LINE_AA)
        down, right, more = (int(off) for off in rng.integers(-OFF, OFF + 1, 3))
        around = cv2.ellipse2Poly((x + right, y + down), (radius + more,) * 2, 0, 0, 360, 10)
        outlines.append(np.asarray(around, np.int32)[:-1])
    noise = rng.normal(0, 6, (512, 512, 3))
    for top in range(0, height, 512):
        for left in range(0, width, 512):
            piece = image[top : top + 512, left : left + 512]
            piece[:] = np.clip(piece + noise[: piece.shape[0], : piece.shape[1]], 0, 255)
    return image, outlines


def _row(what: str, megapixels: float, objects: int, cost: Cost) -> dict[str, Any]:
    return {
        "what": what,
        "megapixels": megapixels,
        "objects": objects,
        "cpu_seconds": cost.cpu_seconds,
        "peak_gb": cost.peak / 1e9,
    }


def _one_object(folder: Path, megapixels: float, how: tuple[str, ...]) -> Cost:
    height, width = round((megapixels * 1e6 / 1.5) ** 0.5), round((megapixels * 1e6 * 1.5) ** 0.5)
    image, mask = draw_scene(height, width)
    photograph, coarse = folder / "one.jpg", folder / "one.png"
    cv2.imwrite(str(photograph), cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    cv2.imwrite(str(coarse), mask)
    return cost_of(*PROGRAM, str(photograph), "--mask", str(coarse), "-o", str(folder / "o.png"), "--overwrite", *how)


def _many_objects(folder: Path, count: int, how: tuple[str, ...]) -> Cost:
    image, outlines = draw_objects(count, *PHOTOGRAPH)
    photograph, annotations = folder / f"{count}.jpg", folder / f"{count}.json"
    cv2.imwrite(str(photograph), cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    annotations.write_text(json.dumps(_coco(photograph.name, image.shape[:2], outlines)))
    refined = str(folder / f"{count}_refined.json")
    return cost_of(*PROGRAM, "batch", str(annotations), "--images", str(folder), "-o", refined, *how)


def _coco(name: str, size: tuple[int, ...], outlines: list[NDArray[np.int32]]) -> dict[str, Any]:
    return {
        "images": [{"id": 1, "file_name": name, "height": size[0], "width": size[1]}],
        "categories": [{"id": 1, "name": "disc"}],
        "annotations": [
            {
                "id": number,
                "image_id": 1,
                "category_id": 1,
                "iscrowd": 0,
                "area": float(cv2.contourArea(outline)),
                "bbox": [int(each) for each in cv2.boundingRect(outline)],
                "segmentation": [outline.reshape(-1).tolist()],
            }
            for number, outline in enumerate(outlines, 1)
        ],
    }
