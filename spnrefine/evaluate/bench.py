"""The speed of the propagation, of a whole refinement, and of the peers, in one run."""

import math
import multiprocessing
import resource
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from spnrefine.evaluate import peers
from spnrefine.evaluate.scene import astronaut, draw_scene
from spnrefine.evaluate.timing import copy_bandwidth, median_seconds
from spnrefine.ops import propagate
from spnrefine.refiner import Refiner, to_probability
from spnrefine.simd import cores

PROPAGATION_SHAPES = ((64, 64, 32), (256, 256, 32), (512, 512, 16))
"""Height, width, channels; one image, three-way, gates per channel, float32."""

SCENES = ((256, 256), (512, 512), (1024, 1024), (2048, 2048), (4000, 6000))
TAPS = 4 * 3  # directions times three-way


def kernels(device: str) -> Iterator[dict[str, Any]]:
    """Time how the kernels of a GPU come into being, apart from all that is timed of them later.

    ``first_seconds``: compiling from nothing, forward alone and then all that training takes, at the same time;
    ``again_seconds``: taking the same from disk.
    """
    from spnrefine.ops.cuda import compiling

    capability = torch.cuda.get_device_capability(device)
    for training in (False, True):
        units = compiling.units_for(torch.float32, torch.float32, training=training)
        with ThreadPoolExecutor(len(units)) as pool:
            start = time.perf_counter()
            codes = list(pool.map(lambda unit: compiling.machine_code(unit, capability, anew=True), units))
            first = time.perf_counter() - start
        again = median_seconds(lambda: compiling.precompile(units, capability), seconds=0)  # noqa: B023  # called here
        yield {
            "ways": " and ".join(unit.way for unit in units),
            "first_seconds": first,
            "again_seconds": again,
            "bytes": sum(map(len, codes)),
        }


def propagation(device: str, *, reference: bool = True) -> Iterator[dict[str, Any]]:
    """Time a round of propagation, forward and backward, in both memory layouts.

    ``gb_s`` counts the floor only: one read of gates and input, one write of the result. ``share`` is that against
    the copy bandwidth of the same device, measured just before. Kernels are compiled before anything is timed.
    """
    timed = partial(median_seconds, device=device, seconds=0.2 if device.startswith("cuda") else 1.0)
    for height, width, channels in PROPAGATION_SHAPES:
        for layout in ("channels_last", "contiguous"):
            x, guidance = _operands(height, width, channels, layout, device)
            bandwidth = copy_bandwidth(device, cores.available())
            forward = timed(partial(propagate, x, guidance))
            backward = timed(_backward(x, guidance))
            moved = (TAPS + 2) * x.numel() * x.element_size()
            row = {
                "shape": f"{height}x{width}x{channels}",
                "layout": layout,
                "forward_ms": 1e3 * forward,
                "backward_ms": 1e3 * backward,
                "gb_s": moved / forward / 1e9,
                "copy_gb_s": bandwidth / 1e9,
                "share": moved / forward / bandwidth,
            }
            if reference:
                slow = median_seconds(
                    partial(propagate, x, guidance, backend="reference"), device, seconds=0.5, least=3
                )
                row |= {"reference_ms": 1e3 * slow, "times_reference": slow / forward}
            yield row


def end_to_end(model: str, device: str) -> Iterator[dict[str, Any]]:
    """Time the refinement of arrays, warm, at several sizes, each in a fresh process for its peak of memory.

    ``growth_exponent`` is the slope of log seconds over log pixels since the first size of a quarter megapixel or more.
    """
    context = multiprocessing.get_context("spawn")
    first: tuple[float, float] | None = None
    for height, width in SCENES:
        with context.Pool(1) as pool:
            seconds, peak = pool.apply(_refine_scene, (height, width, model, device))
        megapixels = height * width / 1e6
        row = {"size": f"{width}x{height}", "megapixels": megapixels, "seconds": seconds, "peak_gb": peak / 1e9}
        if first:
            row["growth_exponent"] = math.log(seconds / first[1]) / math.log(megapixels / first[0])
        elif megapixels >= 0.25:
            first = megapixels, seconds
        yield row


def against_peers(model: str, device: str, times: int = 5) -> Iterator[dict[str, Any]]:
    """Time each peer and this refiner on one photograph, in turn; ``ratio`` is of medians, ours over theirs."""
    image, mask = astronaut()
    coarse = to_probability(mask)
    refiner = Refiner(model, device)
    for name, peer in peers.available().items():
        calls = partial(peer, image, coarse), partial(refiner, image, coarse)
        seconds = np.median([[median_seconds(call, seconds=0, least=1) for call in calls] for _ in range(times)], 0)
        theirs, ours = seconds.tolist()
        yield {"peer": name, "seconds": theirs, "spnrefine_seconds": ours, "ratio": ours / theirs}


def _operands(height: int, width: int, channels: int, layout: str, device: str) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(1, channels, height, width, generator=generator)
    guidance = torch.randn(1, TAPS * channels, height, width, generator=generator)
    if layout == "channels_last":
        x, guidance = (t.to(memory_format=torch.channels_last) for t in (x, guidance))
    return x.to(device), guidance.to(device).unflatten(1, (4, 3, channels))


def _backward(x: torch.Tensor, guidance: torch.Tensor) -> Callable[[], object]:
    """Return a call of the backward alone, for the gradients of both."""
    both = x.detach().requires_grad_(), guidance.detach().requires_grad_()
    out = propagate(*both)
    return partial(torch.autograd.grad, out, both, torch.ones_like(out), retain_graph=True)


def _refine_scene(height: int, width: int, model: str, device: str) -> tuple[float, float]:
    image, mask = draw_scene(height, width)
    coarse = to_probability(mask)
    refiner = Refiner(model, device)
    refiner(image, coarse)  # warm
    times: list[float] = []
    while len(times) < 5:
        start = time.perf_counter()
        refiner(image, coarse)
        times.append(time.perf_counter() - start)
    return float(np.median(times)), peak_memory()


def peak_memory() -> float:
    """Return this process's peak of resident memory in bytes."""
    status = Path("/proc/self/status")
    if status.is_file():  # getrusage would tell the parent's peak where that was higher
        fields = dict(line.split(":", 1) for line in status.read_text().splitlines())
        return 1024 * float(fields["VmHWM"].split()[0])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
