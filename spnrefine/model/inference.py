"""Which of the two ways to run a network: on the CPU without torch, or in torch."""

import ctypes
import logging
import operator
import re
import sys
import warnings
from collections.abc import Callable
from importlib import import_module
from typing import Any, TypeVar

from spnrefine.errors import NO_TORCH, BackendError
from spnrefine.model import weights
from spnrefine.model.protocols import Network, Parses, SegmentsObjects
from spnrefine.model.sharing import shared
from spnrefine.simd import cores

Loaded = TypeVar("Loaded")

DRIVER = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"


def load(model: str, device: str = "auto", threads: int | None = None) -> Network:
    """Load a network for inference.

    On the CPU it runs without torch, unless its configuration was not exported, and all who ask for the same file on as
    many threads get the same network.

    Parameters
    ----------
    model : name of weights that ship, or path of a weights file.
    device : see :func:`resolve_device`.
    threads : of the CPU for one call; None takes one a core. In torch it is set for the whole process.

    Raises
    ------
    WeightsError
        The weights are missing, corrupt or of another network.
    BackendError
        There is no such device, or ``threads`` is no number of them.
    """
    info, threads = weights.describe(model), checked_threads(threads)
    weights.expect(info, weights.SPN)

    def on_cpu() -> Network | None:
        from spnrefine.model.on_cpu import NetworkOnCPU, is_exported

        return _shared(NetworkOnCPU, info, threads) if is_exported(info.config) else None

    return _loaded(device, on_cpu, lambda place: _on_torch("NetworkOnTorch")(model, place, threads))


def load_segmenter(backbone: str, device: str = "auto", threads: int | None = None) -> SegmentsObjects:
    """Load a network that makes the mask of an object; arguments and errors as for :func:`load`."""
    info, threads = weights.describe(backbone), checked_threads(threads)
    weights.expect(info, weights.SEGMENTER)

    def on_cpu() -> SegmentsObjects | None:
        from spnrefine.model.on_cpu import SegmenterOnCPU, is_exported_segmenter

        return _shared(SegmenterOnCPU, info, threads) if is_exported_segmenter(info.config) else None

    return _loaded(device, on_cpu, lambda place: _on_torch("SegmenterOnTorch")(backbone, place, threads))


def load_parser(model: str, device: str = "auto", threads: int | None = None) -> Parses:
    """Load a network that makes a label map and refines it; arguments and errors as for :func:`load`."""
    info, threads = weights.describe(model), checked_threads(threads)
    weights.expect(info, weights.PARSER)

    def on_cpu() -> Parses | None:
        from spnrefine.model.parser_on_cpu import ParserOnCPU, is_exported_parser

        return _shared(ParserOnCPU, info, threads) if is_exported_parser(info.config) else None

    return _loaded(device, on_cpu, lambda place: _on_torch("ParserOnTorch")(model, place, threads))


def checked_threads(threads: int | None) -> int | None:
    """Return how many threads were asked for; None: one a core.

    Raises
    ------
    BackendError
        It is no whole number from 1 on.
    """
    try:
        count = None if threads is None else operator.index(threads)
    except TypeError:
        count = 0
    if count is not None and count < 1:
        raise BackendError(f"Threads were {threads!r}: expected a whole number from 1 on, or None for one a core.")
    return count


def _shared(
    network: Callable[[weights.WeightsInfo, Any, int], Loaded], info: weights.WeightsInfo, threads: int | None
) -> Loaded:
    count = threads or cores.threads()
    return shared(lambda: network(*weights.read(info.path), count), info.path, network, count)


def _loaded(device: str, on_cpu: Callable[[], Loaded | None], in_torch: Callable[[str], Loaded]) -> Loaded:
    """Load a network where it can run: ``on_cpu`` without torch unless that is None, or ``in_torch`` on a device.

    Where a GPU that was not asked for by name turns out to be of no use (its memory is taken, the kernels cannot be
    compiled), the CPU takes its place, and a line is logged that says why.
    """
    device = str(device)  # which torch has objects of
    place = resolve_device(device)
    if place != "cpu":
        try:
            return in_torch(place)
        except BackendError as error:
            if device != "auto":
                raise
            logging.getLogger(__name__).warning("The GPU is not used: %s", error)
    found = on_cpu()
    return in_torch("cpu") if found is None else found


def resolve_device(device: str) -> str:
    """Turn ``auto`` (CUDA where there is a device, else the CPU) into ``cpu`` or ``cuda``; check ``cpu``, ``cuda:N``.

    Where there is a device of which no use can be made, ``auto`` logs why.

    Raises
    ------
    BackendError
        Another word, or no such device.
    """
    kind, _, index = device.partition(":")
    if kind not in ("auto", "cpu", "cuda") or (index and not (kind == "cuda" and index.isdecimal() and len(index) < 4)):
        raise BackendError(f"Device was {device!r}: expected auto, cpu, cuda or cuda:N.")
    if kind == "cpu":
        return "cpu"
    count, why_not = _cuda_devices()
    if kind == "auto":
        if why_not:
            logging.getLogger(__name__).warning("The GPU is not used: %s.", why_not)
        return "cpu" if why_not or not count else "cuda"
    if why_not:
        raise BackendError(f"Device was {device!r}, but {why_not}: mend that, or use cpu or auto.")
    if int(index or 0) >= count:
        raise BackendError(f"Device was {device!r}, but torch sees {count} CUDA devices: use cpu or auto.")
    return device


def _cuda_devices() -> tuple[int, str | None]:
    """Count the CUDA devices, and say why they are of no use if there is a driver and yet they are.

    Torch, slow to import, is only asked where there is a driver.
    """
    try:
        ctypes.CDLL(DRIVER)
    except OSError:
        return 0, None
    try:
        torch = _import("torch")
    except BackendError as error:
        missing = isinstance(error.__cause__, ModuleNotFoundError)
        return 0, "torch is not installed" if missing else f"torch cannot be imported ({error.__cause__})"
    with warnings.catch_warnings(record=True) as said:  # by torch, of a driver older than its toolkit
        warnings.simplefilter("always")
        available = torch.cuda.is_available()
    if not available:
        return 0, re.split(r"\. (?=[A-Z])", str(said[0].message))[0] if said else None
    from spnrefine.ops.cuda.tensors import why_not

    return torch.cuda.device_count(), why_not()


def _on_torch(name: str) -> Any:
    """Return a class of :mod:`spnrefine.model.on_torch`.

    Raises
    ------
    BackendError
        torch is missing, or cannot be imported.
    """
    return getattr(_import("spnrefine.model.on_torch"), name)


def _import(module: str) -> Any:
    try:
        return import_module(module)
    except Exception as error:  # broken installations raise whatever comes first
        if isinstance(error, ModuleNotFoundError) and error.name == "torch":
            raise BackendError(NO_TORCH) from error
        raise BackendError(f"torch is needed and cannot be imported ({error}): install it again.") from error
