"""The speed of whole commands, start-up included, each in a process of its own."""

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from spnrefine.evaluate.scene import draw_scene
from spnrefine.evaluate.timing import median_seconds
from spnrefine.refiner import Refiner, to_probability

SIDE = 512
PROGRAM = (sys.executable, "-m", "spnrefine")
IMPORT_TORCH = (sys.executable, "-c", "import torch")
CUDA_CONTEXT = (sys.executable, "-c", "import sys, torch; torch.zeros(1, device=sys.argv[1])")


def cold(model: str, device: str, times: int = 7) -> Iterator[dict[str, Any]]:
    """Time ``spnrefine IMAGE --mask MASK`` from start to end, and in turn what only importing torch takes.

    On a GPU, where both take seconds and vary little, three times, and what imports torch makes a context there too.
    """
    on_gpu = device.startswith("cuda")
    beside, times = ((*CUDA_CONTEXT, device), min(times, 3)) if on_gpu else (IMPORT_TORCH, times)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        photograph, mask = _write_pair(folder, folder, "scene", *draw_scene(SIDE, SIDE))
        settings = ("--model", model, "--device", device)
        command = (*PROGRAM, str(photograph), "--mask", str(mask), "-o", str(folder / "out.png"), "--overwrite")
        _run(*command, *settings)  # compiles, if need be
        ours, theirs = [], []
        for _ in range(times):
            ours.append(_seconds(*command, *settings))
            theirs.append(_seconds(*beside))
        seconds, torch_seconds = statistics.median(ours), statistics.median(theirs)
        yield {
            "size": f"{SIDE}x{SIDE}",
            "seconds": seconds,
            "import_torch_seconds": torch_seconds,
            "ratio": seconds / torch_seconds,
        }


def batch(model: str, device: str, images: int = 500) -> Iterator[dict[str, Any]]:
    """Time ``spnrefine batch`` on drawn images; ``share`` is its throughput against that of refining arrays.

    Arrays are refined one by one on all cores, warm, before and after, in this process.
    """
    scenes = [draw_scene(SIDE, SIDE, seed) for seed in range(min(images, 10))]
    refiner = Refiner(model, device)
    with tempfile.TemporaryDirectory() as name:
        photographs, masks = (Path(name, part) for part in ("photographs", "masks"))
        for folder in (photographs, masks):
            folder.mkdir()
        for i in range(images):
            _write_pair(photographs, masks, f"{i:05}", *scenes[i % len(scenes)])
        before = _mean_seconds(refiner, scenes, device)
        command = (*PROGRAM, "batch", str(photographs), "--mask-dir", str(masks), "-o", str(Path(name, "out")))
        seconds = _seconds(*command, "--model", model, "--device", device)
        in_process = (before + _mean_seconds(refiner, scenes, device)) / 2
    yield {
        "images": images,
        "size": f"{SIDE}x{SIDE}",
        "seconds": seconds,
        "images_per_second": images / seconds,
        "in_process_seconds_an_image": in_process,
        "share": in_process * images / seconds,
    }


def _mean_seconds(refiner: Refiner, scenes: list[tuple[NDArray, NDArray]], device: str) -> float:
    return statistics.mean(
        median_seconds(partial(refiner, image, to_probability(mask)), device, seconds=0, least=3)
        for image, mask in scenes
    )


def _write_pair(photographs: Path, masks: Path, stem: str, image: NDArray[np.uint8], mask: NDArray[np.uint8]):
    photograph, coarse = photographs / f"{stem}.jpg", masks / f"{stem}.png"
    cv2.imwrite(str(photograph), cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    cv2.imwrite(str(coarse), mask)
    return photograph, coarse


def _seconds(*command: str) -> float:
    start = time.perf_counter()
    _run(*command)
    return time.perf_counter() - start


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)
