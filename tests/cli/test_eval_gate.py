"""A gate that fails when it should: masks made worse in many ways, each caught by a floor of ``spnrefine eval``."""

import json

import cv2
import numpy as np
import pytest
from PIL import Image

import spnrefine
from tests.evaluate.test_metrics import blob

SHAPE = 90, 120
FLOORS = {"iou": 0.9, "biou": 0.75, "mba": 0.75, "error-removed": 0.5, "nsd": 0.9}
FARTHEST = 1.5  # pixels, of HD95


def eroded(truth):
    return cv2.erode(truth.astype(np.uint8), np.ones((7, 7))) > 0


def grown(truth):
    return cv2.dilate(truth.astype(np.uint8), np.ones((7, 7))) > 0


def shifted(truth):
    return np.roll(truth, 3, 1)


def frayed(truth):
    """All pixels near the contour are drawn by lot: the area is hardly another."""
    near = cv2.morphologyEx(truth.astype(np.uint8), cv2.MORPH_GRADIENT, np.ones((3, 3))) > 0
    return np.where(near, np.random.default_rng(0).random(SHAPE) < 0.5, truth)


def blocky(truth):
    small = cv2.resize(truth.astype(np.float32), (SHAPE[1] // 10, SHAPE[0] // 10), interpolation=cv2.INTER_AREA)
    return cv2.resize(small, SHAPE[::-1], interpolation=cv2.INTER_NEAREST) > 0.5


def with_hole(truth):
    distance = cv2.distanceTransform(truth.astype(np.uint8), cv2.DIST_L2, 5)
    return truth & (distance < 0.6 * distance.max())


def with_another_object(truth):
    distance = cv2.distanceTransform((~truth).astype(np.uint8), cv2.DIST_L2, 5)
    return truth | (distance > 0.4 * distance.max())


def cut_off(truth):
    rows = np.flatnonzero(truth.any(1))
    cut = truth.copy()
    cut[rows[len(rows) // 2] :] = False
    return cut


def inverted(truth):
    return ~truth


def of_another_picture(truth):
    return truth[::-1, ::-1]


WORSE = {  # and the floor that tells
    eroded: "iou",
    grown: "iou",
    shifted: "biou",
    frayed: "mba",
    blocky: "mba",
    with_hole: "iou",
    with_another_object: "iou",
    cut_off: "iou",
    inverted: "made_worse",
    of_another_picture: "made_worse",
}


SEEN = {frayed: (False, False)}  # by NSD and by HD95: what lies within a pixel of the contour is none of theirs


@pytest.fixture
def gate(run, tmp_path, monkeypatch):
    truths = [blob(SHAPE, seed)[0] for seed in (0, 3)]
    for number, truth in enumerate(truths):
        for folder, pixels in (
            ("images", np.dstack([np.where(truth, 255 * (number + 1) // 2, 0)] * 3)),  # tells which one it is
            ("coarse", np.where(cv2.dilate(truth.astype(np.uint8), np.ones((9, 9))), 255, 0)),
            ("truth", np.where(truth, 255, 0)),
        ):
            (tmp_path / folder).mkdir(exist_ok=True)
            Image.fromarray(pixels.astype(np.uint8)).save(tmp_path / folder / f"{number}.png")

    def evaluate(make, *arguments, command="eval"):
        def refine(image, coarse):
            return make(truths[int(image.max() == 255)]).astype(np.float32)

        monkeypatch.setattr(spnrefine, "Refiner", lambda *_, **__: refine)
        places = [part for name in ("images", "coarse", "truth") for part in (f"--{name}", tmp_path / name)]
        if command == "eval-instances":
            return run(command, *places, "--truth-void", 7, "--json", *arguments)
        floors = [part for name, floor in FLOORS.items() for part in (f"--min-{name}", floor)]
        ceilings = ["--max-made-worse", 0, "--max-hd95", FARTHEST]
        return run("eval", *places, "--nsd-radii", 1, *floors, *ceilings, "--json", *arguments)

    return evaluate


def test_right_masks_pass(gate):
    result = gate(lambda truth: truth)
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["results"]["spnrefine general"]["iou"] == 1


@pytest.mark.parametrize("make", WORSE, ids=lambda make: make.__name__)
def test_masks_that_are_worse_do_not(gate, make):
    result = gate(make)
    assert result.exit_code == 1
    assert f"{WORSE[make]} is " in result.stderr
    assert ("nsd_1 is " in result.stderr, "hd95 is " in result.stderr) == SEEN.get(make, (True, True))


def test_what_only_the_contour_shows_is_caught_by_its_measures_alone(gate):
    frayed_masks = gate(frayed).stderr
    assert "biou is" in frayed_masks
    assert "iou is" not in frayed_masks.replace("biou is", "")


INSTANCE_FLOORS = "--min-ap", 0.9, "--min-boundary-ap", 0.8, "--min-pq", 0.95


def test_right_instances_pass(gate):
    result = gate(lambda truth: truth, *INSTANCE_FLOORS, command="eval-instances")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["results"]["refined"]["pq"] == 1


@pytest.mark.parametrize("make", WORSE, ids=lambda make: make.__name__)
def test_instances_that_are_worse_do_not(gate, make):
    result = gate(make, *INSTANCE_FLOORS, command="eval-instances")
    assert result.exit_code == 1
    assert "boundary_ap is " in result.stderr
    assert "pq is " in result.stderr
