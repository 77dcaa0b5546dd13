"""A researcher's week: what her network puts out, refined by the command, in Python and by a data loader; measured."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image

from spnrefine import Refiner, refine
from tests.model.make_check import draw
from tests.pictures import open_picture

NAMES = "a", "b"


@pytest.fixture(scope="module")
def truths():
    """Photographs, and label maps (H, W) of two classes, which a network is to find."""
    drawn = {}
    for number, name in enumerate(NAMES):
        image, coarse = draw(40, 48, seed=number)
        left = np.arange(48) < 24
        drawn[name] = image, (coarse > 127) * np.where(left, 1, 2)
    return drawn


@pytest.fixture
def folder(tmp_path, monkeypatch, truths):
    """Her photographs, her network's planes as NPY and NPZ, its label maps of 64 bits, and the truth as PNG."""
    for kind in ("images", "planes", "labels", "truth"):
        (tmp_path / kind).mkdir()
    for name, (image, truth) in truths.items():
        found = np.roll(truth, 2, axis=1)
        Image.fromarray(image).save(tmp_path / f"images/{name}.jpg")
        np.save(tmp_path / f"labels/{name}.npy", found)
        Image.fromarray(truth.astype(np.uint8)).save(tmp_path / f"truth/{name}.png")
    np.save(tmp_path / "planes/a.npy", planes_of(np.load(tmp_path / "labels/a.npy")))
    np.savez(tmp_path / "planes/b.npz", probabilities=planes_of(np.load(tmp_path / "labels/b.npy")))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def planes_of(labels):
    """Return the probabilities, (K, H, W) float32, of a network that is not quite sure."""
    one = np.arange(3)[:, None, None] == labels
    return (0.85 * one + 0.05).astype(np.float32)


def planes_in(path):
    found = np.load(path)
    return found if path.suffix == ".npy" else found["probabilities"]


@pytest.mark.parametrize("soft", [True, False])
def test_planes_come_back_in_kind_and_python_agrees(run, folder, truths, soft):
    result = run("batch", "images", "--mask-dir", "planes", "-o", "out", *(["--soft"] if soft else []))
    assert result.exit_code == 0, result.stderr
    for name, suffix in zip(NAMES, (".npy", ".npz"), strict=True):
        came, went = (planes_in(folder / kind / (name + suffix)) for kind in ("planes", "out"))
        assert (went.shape, went.dtype) == (came.shape, came.dtype)
        np.testing.assert_allclose(went.sum(axis=0), 1, atol=1e-5)
        image = np.asarray(open_picture(folder / f"images/{name}.jpg"))
        np.testing.assert_allclose(refine(image, came, soft=soft, device="cpu"), went, atol=1e-5)


def test_her_label_maps_keep_their_type_and_ids_and_python_agrees(run, folder):
    result = run("batch", "images", "--mask-dir", "labels", "-o", "out")
    assert result.exit_code == 0, result.stderr
    for name in NAMES:
        image = np.asarray(open_picture(folder / f"images/{name}.jpg"))
        labels, refined = (np.load(folder / kind / f"{name}.npy") for kind in ("labels", "out"))
        assert (refined.dtype, set(np.unique(refined))) == (labels.dtype, {0, 1, 2})
        np.testing.assert_array_equal(refine(image, labels, device="cpu"), refined)


@pytest.mark.slow(reason="draws photographs a thousand times for each interval")
def test_her_masks_are_measured_before_and_after(run, folder):
    for kind in ("labels", "planes"):
        result = run("eval-labels", "--images", "images", "--coarse", kind, "--truth", "truth", "--json")
        assert result.exit_code == 0, result.stderr
        for scores in json.loads(result.stdout)["iou"].values():
            assert scores["mean"] > 0
    assert run("eval", "--images", "images", "--coarse", "labels", "--truth", "truth", "--labels").exit_code == 0


def test_a_tree_that_was_moved_is_gone_on_with(run, folder, monkeypatch):
    batch = "batch", "images", "--mask-dir", "planes", "-o", "out"
    assert run(*batch, "--max-items", 1).exit_code == 0
    shutil.copytree(folder, folder / "elsewhere")
    monkeypatch.chdir(folder / "elsewhere")
    result = run(*batch, "--resume", "--json")
    assert [json.loads(line)["status"] for line in result.stdout.splitlines()] == ["skipped", "refined"]


class Data:
    """Photographs, tensors of masks, and the refined masks, as a data set of torch's."""

    def __init__(self, drawn):
        self.drawn, self.refiner = list(drawn.values()), Refiner(device="cpu", threads=1)

    def __len__(self):
        return 8

    def __getitem__(self, number):
        import torch

        image, truth = self.drawn[number % len(self.drawn)]
        return torch.from_numpy(self.refiner(image, torch.from_numpy((truth > 0).astype(np.float32))))


@pytest.mark.slow(reason="imports torch, in four processes more")
@pytest.mark.filterwarnings("ignore:This DataLoader will create 4 worker processes")
@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_a_data_loader_of_four_workers(truths, start):
    loading = pytest.importorskip("torch.utils.data", reason="data loaders need the extra 'train'")
    data = Data(truths)
    loader = loading.DataLoader(data, batch_size=2, num_workers=4, multiprocessing_context=start)
    found = np.concatenate([batch.numpy() for batch in loader])
    np.testing.assert_array_equal(found, np.stack([data[number].numpy() for number in range(len(data))]))


@pytest.mark.slow(reason="imports torch")
def test_tensors_of_every_kind_are_taken(truths):
    torch = pytest.importorskip("torch", reason="tensors need the extra 'train'")
    image, truth = truths["a"]
    for given in (
        truth > 0,
        truth,
        planes_of(truth),
        planes_of(truth).astype(np.float16),
        (truth > 0).astype(np.uint8),
    ):
        wanted = refine(image, given, device="cpu")
        np.testing.assert_array_equal(refine(torch.from_numpy(image), torch.from_numpy(given), device="cpu"), wanted)
    learnt = torch.from_numpy(planes_of(truth)).requires_grad_()
    np.testing.assert_array_equal(refine(image, learnt, device="cpu"), refine(image, planes_of(truth), device="cpu"))
