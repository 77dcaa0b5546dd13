"""Training what needs no coarse mask: backbones and models of label maps."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from spnrefine.errors import WeightsError
from spnrefine.files.classes import VOID, Classes
from spnrefine.model import storage, weights
from spnrefine.model.config import Config, SegmenterConfig
from spnrefine.model.parsing import ParsingNetwork
from spnrefine.model.segmenter import Segmenter
from spnrefine.model.spn import SPN
from spnrefine.train.data.looks import Looks, Photographs
from spnrefine.train.data.pairs import Pair
from spnrefine.train.lessons.segmenting import class_loss, segmenter_loss
from spnrefine.train.steps.start import begin

TINY = (
    *("--set", "looks=2", "--set", "look_sides=(64, 64, 96, 96)", "--set", "label_looks=2", "--set", "label_side=128"),
    *("--set", "label_patches=2", "--set", "label_patch=64", "--set", "held_aside=0.3"),
)
CLASSES = Classes(("background", "left eye", "right eye"), ((0,), (1,), (2,)))


@pytest.fixture
def faces(tmp_path: Path) -> Path:
    """Six pictures of two coloured discs, left and right, with their label maps and masks."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:90, :120]
    for folder in ("images", "labels", "masks"):
        (tmp_path / folder).mkdir()
    for number in range(6):
        ids = np.zeros((90, 120), np.uint8)
        for identity, centre in ((1, 35), (2, 85)):
            ids[(x - centre - rng.integers(-5, 5)) ** 2 + (y - 45) ** 2 < 18**2] = identity
        picture = np.array([[60, 60, 60], [220, 40, 40], [40, 40, 220]], np.uint8)[ids]
        Image.fromarray(picture).save(tmp_path / f"images/{number}.png")
        Image.fromarray(ids).save(tmp_path / f"labels/{number}.png")
        Image.fromarray((ids > 0).astype(np.uint8) * 255).save(tmp_path / f"masks/{number}.png")
    return tmp_path


def photographs(folder: Path, looks: Looks, **how) -> Photographs:
    pairs = [Pair(path, folder / "labels" / path.name, "x", True) for path in sorted((folder / "images").iterdir())]
    return Photographs(pairs, CLASSES, looks, **{"seed": 1, "batch": 2, "sides": (64,)} | how)


def test_a_look_at_the_whole_picture_is_the_picture(faces):
    plain = photographs(faces, Looks((1, 1), aspect=0, degrees=0, flip_chance=0), sides=(120,))
    shown = {ids.numpy().tobytes() for _, ids in (plain[i] for i in range(6))}
    stretched = set()
    for number in range(6):
        with Image.open(faces / f"labels/{number}.png") as file:
            stretched.add(np.asarray(file.resize((120, 120), Image.Resampling.NEAREST)).tobytes())
    assert len(shown) == 6
    same = [np.frombuffer(a, np.uint8) for a in sorted(shown)], [np.frombuffer(b, np.uint8) for b in sorted(stretched)]
    assert max(min((a != b).mean() for b in same[1]) for a in same[0]) < 0.02  # rounding of rows alone


def test_image_and_ids_move_together_and_left_and_right_swap_in_a_mirror(faces):
    flipped = photographs(faces, Looks((0.8, 1.0), flip_chance=1.0))
    image, ids = flipped[0]
    red, blue = (image[0] > 180) & (image[2] < 90), (image[2] > 180) & (image[0] < 90)
    for number, colour in ((2, red), (1, blue)):  # the red disc was the left eye, and is the right one in a mirror
        found = ids == number
        assert (found & colour).sum() / (found | colour).sum() > 0.9
    assert torch.equal(flipped[0][0], image)
    assert not torch.equal(flipped[1][0], image)


def test_what_lies_outside_the_photograph_is_void(faces):
    wide = photographs(faces, Looks((2.0, 2.0), aspect=0, degrees=0, flip_chance=0))
    assert (wide[0][1] == VOID).float().mean() > 0.5


def test_each_photograph_comes_once_before_any_comes_again(faces):
    plain = photographs(faces, Looks((1, 1), aspect=0, degrees=0, flip_chance=0))
    first, second = ([plain[i][0].numpy().tobytes() for i in range(s, s + 6)] for s in (0, 6))
    assert len(set(first)) == 6
    assert set(first) == set(second)
    assert first != second


def test_the_loss_of_classes_by_hand():
    truth = torch.tensor([[[[1.0]], [[0.0]]]])
    loss = class_loss(torch.zeros(1, 2, 1, 1), truth, torch.ones(1, 1, 1, 1))
    dice = ((2 * 0.5 + 1) / (0.5 + 1 + 1) + 1 / (0.5 + 1)) / 2
    assert loss.item() == pytest.approx(np.log(2) + 1 - dice)


def test_void_does_not_count():
    logits = torch.zeros(1, 3, 2, 2)
    ids = torch.full((1, 8, 8), VOID)
    ids[:, :4, :4] = 1
    wrong = logits.clone()
    wrong[:, 0, 1:, :] = 9.0
    assert segmenter_loss(logits, ids) == segmenter_loss(wrong, ids)
    wrong[:, 0, 0, 0] = 9.0
    assert segmenter_loss(wrong, ids) > segmenter_loss(logits, ids)


def test_a_start_fills_what_fits(tmp_path):
    torch.manual_seed(0)
    refiner = SPN(Config(channels=4))
    storage.save(refiner, tmp_path / "refiner.safetensors")
    saved = storage.load(tmp_path / "refiner.safetensors")
    parser = ParsingNetwork(Config(channels=8, classes=3))
    assert not begin(parser, str(tmp_path / "refiner.safetensors"), None).continued
    assert torch.equal(parser.spn.guidance.decoder2[0].weight, saved.guidance.decoder2[0].weight)
    assert torch.equal(parser.base.encoder.stages[1][0].project[0].weight, saved.encoder.stages[1][0].project[0].weight)
    assert torch.equal(parser.spn.encoder.stem[0].weight[:, :3], saved.encoder.stem[0].weight[:, :3])
    assert not parser.spn.encoder.stem[0].weight[:, 3:].any()
    segmenter = Segmenter(SegmenterConfig())
    begin(segmenter, str(tmp_path / "refiner.safetensors"), None)
    assert torch.equal(segmenter.encoder.stem[0].weight, saved.encoder.stem[0].weight[:, :3])


@pytest.mark.parametrize(("task", "folder"), [("labels", "labels"), ("object", "masks")])
def test_a_run_writes_weights_that_work(run, faces, task, folder):
    out = faces / "mine.safetensors"
    where = ("--images", str(faces / "images"), "--masks", str(faces / folder))
    command = ["train", "--task", task, *where, "--out", str(out), "--steps", "2", "--device", "cpu", *TINY]
    result = run(*command)
    assert result.exit_code == 0, result.stderr
    assert "mean IoU" in result.stderr
    info = weights.describe(out)
    assert info.task == task
    assert info.provenance["steps"] == 2
    use = ("--backbone", str(out)) if task == "object" else ("--model", str(out))
    made = run("refine", str(faces / "images/0.png"), *use, "-o", str(faces / "made.png"))
    assert made.exit_code == 0, made.stderr
    with Image.open(faces / "made.png") as file:
        assert file.size == (120, 90)
        assert file.mode == ("P" if task == "labels" else "L")
    if task == "labels":
        lines = (faces / "labelmap.txt").read_text().splitlines()
        assert [line.split(":")[0] for line in lines[1:]] == ["background", "class 1", "class 2"]


def test_a_file_that_cannot_be_read_is_left_out_before_the_first_step(run, faces):
    cut = faces / "masks/3.png"
    cut.write_bytes(cut.read_bytes()[:60])
    trimap = np.full((90, 120), 2, np.uint8)
    trimap[20:60, 20:60] = 1
    Image.fromarray(trimap).save(faces / "masks/4.png")
    out = faces / "mine.safetensors"
    where = ("--images", str(faces / "images"), "--masks", str(faces / "masks"), "--out", str(out))
    result = run("train", "--task", "object", *where, "--steps", "1", "--device", "cpu", *TINY)
    assert result.exit_code == 0, result.stderr
    assert re.search(r"left out .*3\.png: .*3\.png is (damaged or )?cut short", result.stderr)
    assert re.search(r"left out .*4\.png: .*4\.png holds 1, 2 but no 0", result.stderr)
    assert "Traceback" not in result.stderr


def test_a_network_of_another_shape_can_be_asked_for(run, faces):
    out = faces / "mine.safetensors"
    where = ("--images", str(faces / "images"), "--masks", str(faces / "labels"), "--out", str(out))
    command = ["train", "--task", "labels", *where, "--steps", "1", *TINY, "--device", "cpu"]
    assert run(*command, "--network", "taps=1", "--network", "channels=8").exit_code == 0
    config = weights.describe(out).config
    assert (config.taps, config.channels, config.classes) == (1, 8, 3)
    wrong = run(*command, "--overwrite", "--network", "classes=3")
    assert wrong.exit_code == 1
    assert "'classes'" in wrong.stderr
    unbuildable = run(*command, "--overwrite", "--network", "taps=2")
    assert unbuildable.exit_code == 1
    assert "taps was 2: expected one of 0, 1, 3" in unbuildable.stderr


def test_a_photograph_much_wider_than_high_is_seen_too(tmp_path: Path):
    for folder, picture in (("images", Image.new("RGB", (300, 12))), ("masks", Image.new("L", (300, 12)))):
        (tmp_path / folder).mkdir()
        picture.save(tmp_path / folder / "strip.png")
    pair = Pair(tmp_path / "images/strip.png", tmp_path / "masks/strip.png", "strips", labels=False)
    binary = Classes(("background", "object"), ((0,), (1,)))
    image, ids = Photographs([pair], binary, Looks(), 0, 1, (64,))[0]
    assert image.shape == (3, 64, 64)
    assert ids.shape == (64, 64)


def test_the_base_parser_of_another_model_is_taken(tmp_path: Path):
    torch.manual_seed(3)
    theirs = ParsingNetwork(Config(channels=32, classes=3))
    storage.save(theirs, tmp_path / "theirs.safetensors", classes=CLASSES.names)
    storage.save(SPN(), tmp_path / "refiner.safetensors")
    ours = ParsingNetwork(Config(channels=32, classes=3, taps=1))
    before = ours.spn.embed.weight.clone()
    start = begin(ours, str(tmp_path / "refiner.safetensors"), None, str(tmp_path / "theirs.safetensors"))
    assert "base of theirs" in start.words
    assert not start.continued
    expected = theirs.base.state_dict()
    assert all(torch.allclose(value, expected[key], atol=1e-3) for key, value in ours.base.state_dict().items())
    assert torch.equal(ours.spn.embed.weight, before)
    for wrong in (ParsingNetwork(Config(channels=32, classes=4)), SPN()):
        with pytest.raises(WeightsError, match="no base parser"):
            begin(wrong, None, None, str(tmp_path / "theirs.safetensors"))
