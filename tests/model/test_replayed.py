"""The network on a GPU, as far as a CPU can show it, where a captured call simply repeats."""

import logging
import warnings
from collections.abc import Callable

import numpy as np
import pytest
import torch

from spnrefine.errors import BackendError
from spnrefine.model import inference, on_torch, replayed
from spnrefine.model.on_torch import NetworkOnTorch
from spnrefine.model.replayed import Replayed
from tests.model.make_check import draw

CPU = torch.device("cpu")


class Recorded:
    """Stands for the capture of CUDA graphs: keeps the result's memory, as a graph does."""

    def __init__(self) -> None:
        self.captures = self.replays = 0

    def __call__(self, call: Callable[[], torch.Tensor], device: torch.device):
        self.captures += 1
        result = call().clone()

        def replay() -> None:
            self.replays += 1
            result.copy_(call())

        return replay, result


def doubled(x: torch.Tensor) -> torch.Tensor:
    return 2 * x


def test_a_size_that_comes_again_is_captured_and_replayed():
    record = Recorded()
    twice = Replayed(doubled, CPU, record)
    kept = []
    for number in range(4):
        for side in (2, 3):
            result = twice(np.full(side, number, np.float32))
            assert result.shape == (side,)
            kept.append((result, 2 * number))
    assert (record.captures, record.replays) == (2, 2 * 3)
    assert all((result == value).all() for result, value in kept)  # none is the memory of the next


def test_there_are_so_many_graphs_at_most(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(replayed, "MOST", 2)
    record = Recorded()
    twice = Replayed(doubled, CPU, record)
    for side in (1, 2, 3):
        for _ in range(2):
            twice(np.ones(side, np.float32))
    assert record.captures == 3
    twice(np.ones(1, np.float32))  # which was given up: it has to come twice again
    assert record.captures == 3
    twice(np.ones(1, np.float32))
    assert (record.captures, len(twice._graphs)) == (4, 2)


def test_what_cannot_be_captured_runs_all_the_same(caplog: pytest.LogCaptureFixture):
    def record(call, device):
        raise RuntimeError("operation not permitted when stream is capturing\nCUDA kernel errors might be")

    twice = Replayed(doubled, CPU, record)
    assert [twice(np.ones(1, np.float32)).item() for _ in range(4)] == [2, 2, 2, 2]
    said = "The network runs without CUDA graphs, and slower: operation not permitted when stream is capturing"
    assert caplog.messages == [said]


def test_padded_and_replayed_it_is_the_same_network():
    network = NetworkOnTorch("general", "cpu")
    draws = [draw(40, 50, seed=seed) for seed in range(3)]
    pairs = [(image, coarse / np.float32(255)) for image, coarse in draws]
    expected = [network(*pair) for pair in pairs]
    record = Recorded()
    network._replayed = Replayed(network._refined, CPU, record)
    for pair, wanted in zip(pairs, expected, strict=True):
        refined = network(*pair)
        assert refined.flags.owndata
        np.testing.assert_allclose(refined, wanted, rtol=0, atol=1e-6)
    cropped = network(*(array[:33, :36] for array in pairs[0]))
    assert (cropped.shape, record.captures) == ((33, 36), 1)  # 40 x 50 and 33 x 36 are both padded to 64 x 64
    network._replayed = None
    np.testing.assert_allclose(cropped, network(*(array[:33, :36] for array in pairs[0])), rtol=0, atol=1e-6)


FORKED = "Cannot re-initialize CUDA in forked subprocess. To use CUDA with multiprocessing, you must 'spawn'"
TAKEN = (
    "CUDA out of memory. Tried to allocate 20.00 MiB. GPU 0 has a total capacity of 79.11 GiB of which 3 MiB is free. "
    "Process 7 has 78 GiB memory in use. See documentation for Memory Management (https://pytorch.org/docs)"
)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            RuntimeError(f"{FORKED}\nmore"),
            "cuda cannot be used (Cannot re-initialize CUDA in forked subprocess; To use CUDA with multiprocessing, "
            "you must 'spawn'): end what else uses it, or use cpu.",
        ),
        (
            torch.OutOfMemoryError(TAKEN),
            "cuda has too little memory left (CUDA out of memory; Tried to allocate 20.00 MiB; GPU 0 has a total "
            "capacity of 79.11 GiB of which 3 MiB is free): end what else uses it, or use cpu.",
        ),
        (
            RuntimeError("CUDA error: no kernel image is available for execution on the device\nCUDA kernel errors"),
            "cuda cannot be used (CUDA error: no kernel image is available for execution on the device): end what else "
            "uses it, or use cpu.",
        ),
        (BackendError("The CUDA kernels could not be compiled: install."),) * 2,
    ],
    ids=["forked", "taken", "too old", "no compiler"],
)
def test_a_gpu_of_no_use(error, said, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture):
    """The errors are those of torch, raised where a network is moved to the device: there is none here."""

    def refuse(self, *arguments, **named):
        if arguments == (torch.device("cuda"),):
            raise error
        return self

    monkeypatch.setattr(inference, "_cuda_devices", lambda: (1, None))
    monkeypatch.setattr(torch.nn.Module, "to", refuse)
    with pytest.raises(BackendError) as raised:
        inference.load("general", "cuda")
    assert str(raised.value) == str(said)
    with caplog.at_level(logging.WARNING):
        assert not isinstance(inference.load("general", "auto"), NetworkOnTorch)
    assert caplog.messages == [f"The GPU is not used: {said}"]


OLD = "CUDA initialization: The NVIDIA driver on your system is too old (found version 11040)"
WRONG = (
    "CUDA initialization: CUDA unknown error - this may be due to an incorrectly set up environment, e.g. changing it"
)


@pytest.mark.parametrize("why", [OLD, WRONG], ids=["old driver", "environment"])
def test_a_driver_of_no_use(why: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture):
    """What torch 2.13 for CUDA 13 says with a made-up driver that tells such a version, or fails."""

    def is_available() -> bool:
        warnings.warn(
            f"{why}. Please update your GPU driver. (Triggered internally at CUDAFunctions.cpp:119.)", stacklevel=1
        )
        return False

    monkeypatch.setattr(inference.ctypes, "CDLL", lambda name: None)
    monkeypatch.setattr(torch.cuda, "is_available", is_available)
    assert inference.resolve_device("auto") == "cpu"
    assert caplog.messages == [f"The GPU is not used: {why}."]
    with pytest.raises(BackendError) as raised:
        inference.resolve_device("cuda")
    assert str(raised.value) == f"Device was 'cuda', but {why}: mend that, or use cpu or auto."


def test_errors_of_the_cpu_are_left_alone():
    with pytest.raises(RuntimeError, match=r"^mine$"), on_torch._told_in_words(CPU):
        raise RuntimeError("mine")
