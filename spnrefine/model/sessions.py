"""What ONNX Runtime runs: exported networks, whose structure it puts in order once for a processor.

That takes longer than a small photograph does. So what comes of it is kept with the compiled kernels, under a name that
tells all that it depends on.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnxruntime import RunOptions

from spnrefine import cache
from spnrefine.errors import WeightsError, in_words
from spnrefine.model.weights import WeightsInfo
from spnrefine.simd import memory

EXPORTED = Path(__file__).parent / "exported"
KIND = "graph"
MOST_KEPT = 8
"""Graphs that are kept, of some 13 MB each: those that were made last."""
SPINNING = "20"
"""Microseconds: by itself ONNX Runtime lets a thread spin through steps that have work for one alone."""

_ERRORS_ONLY = 3  # ONNX Runtime's log level
_ALREADY = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL


def session(
    path: Path, state: dict[str, NDArray[np.float32]], threads: int, sha256: str
) -> onnxruntime.InferenceSession:
    """Have ONNX Runtime load an exported network with the tensors that it goes by names for.

    ``sha256`` is that of the weights file's tensors, of which ``state`` are some.
    """
    name = _file_name(path, sha256)
    graph = cache.load(name)
    if graph is not None:
        options = _options(threads)
        options.graph_optimization_level = _ALREADY
        with suppress(Exception):  # whichever of its own types: a new graph can be had
            return _started(graph, options)
    try:
        with tempfile.TemporaryDirectory() as folder:
            made = Path(folder) / path.name
            found = _started(path, _options(threads, state, made))
            cache.keep(name, made.read_bytes(), needed=False)
    except Exception:  # no place for temporary files; or what is wrong with the network, and is said now
        return _started(path, _options(threads, state))
    cache.forget(KIND, most=MOST_KEPT)
    return found


def _started(model: bytes | Path, options: onnxruntime.SessionOptions) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def _options(
    threads: int, state: dict[str, NDArray[np.float32]] | None = None, made: Path | None = None
) -> onnxruntime.SessionOptions:
    """Return how a network runs: with the tensors of ``state``, and written to ``made`` as it will run."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = _ERRORS_ONLY
    options.intra_op_num_threads = threads
    # its threads may wait busily for each other, but a moment only, and not on while the propagation runs
    options.add_session_config_entry("session.intra_op.spin_duration_us", SPINNING)
    options.add_session_config_entry("session.force_spinning_stop", "1")
    if state is not None:
        values = [onnxruntime.OrtValue.ortvalue_from_numpy(value) for value in state.values()]
        options.add_external_initializers([*state], values)
    if made is not None:
        options.optimized_model_filepath = str(made)
    return options


def _file_name(path: Path, sha256: str) -> str:
    from llvmlite import binding  # type: ignore[import-untyped]  # which knows the processor

    processor = binding.get_default_triple(), binding.get_host_cpu_name(), binding.get_host_cpu_features().flatten()
    return cache.file_name(path.stem, KIND, path.read_bytes(), sha256, onnxruntime.__version__, *processor)


def run(
    session: onnxruntime.InferenceSession,
    inputs: dict[str, NDArray],
    outputs: dict[str, tuple[int, ...]],
    options: RunOptions | None = None,
) -> list[NDArray[np.float32]]:
    """Run a network whose float32 outputs have shapes that are known, and return them.

    They have memory of their own: within ONNX Runtime's they would hold on to what lies around them.
    """
    arrays = {name: memory.empty(shape, np.float32) for name, shape in outputs.items()}
    binding = session.io_binding()
    for name, value in inputs.items():
        binding.bind_cpu_input(name, value)
    for name, array in arrays.items():
        binding.bind_output(name, "cpu", 0, np.float32, array.shape, array.ctypes.data)
    session.run_with_iobinding(binding, options)
    return [*arrays.values()]


def release_memory() -> RunOptions:
    """Return how a network runs after which the memory kept for its next run is given back."""
    options = RunOptions()
    options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
    return options


@contextmanager
def fitting(info: WeightsInfo) -> Iterator[None]:
    """Say of whatever ONNX Runtime raises inside, of whichever of its own types, that the tensors do not fit.

    Raises
    ------
    WeightsError
        The tensors are not those of the network.
    """
    try:
        yield
    except Exception as error:
        if in_words(error):
            raise
        raise WeightsError(f"{info.path} does not fit its network ({error}): name other weights.") from None
