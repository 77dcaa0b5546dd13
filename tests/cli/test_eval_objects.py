"""Truths as people have them: annotation files, and maps of instances."""

import json
import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as coco

import spnrefine
from spnrefine.evaluate import plots
from spnrefine.evaluate.calibration import Reliability
from spnrefine.evaluate.evaluation import Measured, Outcome
from spnrefine.evaluate.metrics import Scores
from spnrefine.evaluate.subjects import Subject, certain
from spnrefine.evaluate.thresholds import THRESHOLDS, errors_by_threshold, mean_errors
from spnrefine.evaluate.worst import Worst
from spnrefine.files.masks import of_array
from spnrefine.files.truth import ObjectTruth
from spnrefine.job.types import Loaded

SHAPE = 60, 80
BOXES = {3: (5, 25, 10, 30), 7: (5, 25, 30, 60), 9: (35, 55, 20, 50)}  # 3 and 7 touch


def square(box, grown=0):
    mask = np.zeros(SHAPE, bool)
    mask[box[0] - grown : box[1] + grown, box[2] - grown : box[3] + grown] = True
    return mask


def rle(mask):
    found = coco.encode(np.asfortranarray(mask.astype(np.uint8)))
    return {"size": list(SHAPE), "counts": found["counts"].decode()}


def annotations(masks, *, crowd=None, first="a.png"):
    found = [
        {"id": n, "image_id": 1, "category_id": 1 + n % 2, "segmentation": rle(mask), "iscrowd": int(n == crowd)}
        for n, mask in masks.items()
    ]
    images = [{"id": 1, "file_name": first, "height": SHAPE[0], "width": SHAPE[1]}]
    return {"images": images, "annotations": found, "categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}]}


def iou(one, other):
    return (one & other).sum() / (one | other).sum()


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A photograph, and a refiner that takes a pixel off all around."""

    class Shrinks:
        def __init__(self, *_, **__):
            pass

        def __call__(self, image, coarse):
            return cv2.erode(coarse, np.ones((3, 3), np.uint8))

    monkeypatch.setattr(spnrefine, "Refiner", Shrinks)
    (tmp_path / "images").mkdir()
    Image.new("RGB", SHAPE[::-1], (90, 120, 60)).save(tmp_path / "images" / "a.png")
    return tmp_path


def write(place, name, value):
    path = place / name
    if isinstance(value, np.ndarray):
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(value).save(path)
        return path.parent
    path.write_text(json.dumps(value))
    return path


def measure(run, place, coarse, truth, *more):
    result = run(
        "eval", "--images", place / "images", "--coarse", coarse, "--truth", truth, "--json", "--details", *more
    )
    return result, json.loads(result.stdout) if result.exit_code == 0 else None


def as_map(masks):
    ids = np.zeros(SHAPE, np.uint16)
    for number, mask in masks.items():
        ids[mask] = number
    return ids


TRUE = {number: square(box) for number, box in BOXES.items()}
MISSED = {3: square(BOXES[3]), 7: np.roll(TRUE[7], 4, 1), 9: square(BOXES[9], 1)}


def test_annotations_are_truths_object_by_object(run, place):
    truth = write(place, "truth.json", annotations(TRUE))
    coarse = write(place, "coarse.json", annotations(MISSED))
    table = place / "scores.csv"
    result, printed = measure(run, place, coarse, truth, "--against", truth, "--csv", table)
    assert result.exit_code == 0, result.output
    scores = {row["stem"]: row["scores"] for row in printed["images"]}
    assert scores.keys() == {"a#3", "a#7", "a#9"}
    for number, mask in MISSED.items():
        found = scores[f"a#{number}"]
        assert found["coarse"]["iou"] == pytest.approx(iou(mask, TRUE[number]), abs=1e-6)
        assert found[f"against {truth}"]["iou"] == 1
    assert scores["a#9"]["spnrefine general"]["iou"] == 1  # grown by a pixel, and taken back
    assert set(printed["by_category"]) == {"dog"}
    assert printed["by_category"]["dog"]["coarse"]["masks"] == 3
    assert table.read_text().splitlines()[1].startswith("a#3,dog,400,0,")


def test_what_is_measured_is_what_a_batch_writes(run, place):
    """Objects that touch are refined jointly, by either."""
    truth, coarse = (write(place, f"{n}.json", annotations(m)) for n, m in (("truth", TRUE), ("coarse", MISSED)))
    out = place / "out.json"
    batch = run("batch", coarse, "--images", place / "images", "-o", out, "--quiet")
    assert batch.exit_code == 0, batch.output
    _, printed = measure(run, place, coarse, truth, "--against", out)
    for row in printed["images"]:
        assert row["scores"]["spnrefine general"] == row["scores"][f"against {out}"]


def test_crowds_are_left_out_and_said(run, place):
    truth = write(place, "truth.json", annotations(TRUE, crowd=7))
    coarse = write(place, "coarse.json", annotations(MISSED))
    result, printed = measure(run, place, coarse, truth)
    assert [row["stem"] for row in printed["images"]] == ["a#3", "a#9"]
    assert "Left out: 1 crowds of the truth" in result.stderr


def test_objects_without_a_partner_are_said_or_refused(run, place):
    truth = write(place, "truth.json", annotations(TRUE))
    coarse = write(place, "coarse.json", annotations({3: TRUE[3], 9: TRUE[9]}))
    result, printed = measure(run, place, coarse, truth)
    assert len(printed["images"]) == 2
    assert "Left out: 1 names that are not in all that was given (a#7)" in result.stderr
    assert "has no mask of object 7 of" in measure(run, place, coarse, truth, "--strict")[0].stderr


def test_objects_without_a_photograph_are_said_or_refused(run, place):
    truth = annotations(TRUE)
    truth["images"].append({"id": 2, "file_name": "gone.png"})
    truth["annotations"][0]["image_id"] = 2
    path, coarse = write(place, "truth.json", truth), write(place, "coarse.json", annotations(MISSED))
    result, printed = measure(run, place, coarse, path)
    assert [row["stem"] for row in printed["images"]] == ["a#7", "a#9"]
    assert "Left out: 1 objects that cannot be read (truth.json#3 belongs to" in result.stderr
    assert "gone.png, which does not exist" in measure(run, place, coarse, path, "--strict")[0].stderr
    nothing = write(place, "nothing.json", annotations(TRUE, first="gone.png"))
    assert "gone.png, which does not exist" in measure(run, place, coarse, nothing)[0].stderr


def test_objects_that_nothing_brings_together_are_refused(run, place):
    truth = write(place, "truth.json", annotations(TRUE))
    results = [{"image_id": 1, "category_id": 1, "segmentation": rle(mask), "score": 0.5} for mask in MISSED.values()]
    result, _ = measure(run, place, write(place, "results.json", results), truth)
    assert result.exit_code == 1
    assert "nothing says which belong together" in result.stderr
    other = write(place, "coarse.json", annotations({3: TRUE[9], 9: TRUE[3]}))
    assert "lies beside the true object of this name" in measure(run, place, other, truth)[0].stderr


def test_one_object_on_either_side_is_the_same_one(run, place):
    single = write(place, "truth.json", annotations({9: TRUE[9]}))
    masks = write(place, "masks/a.png", np.where(MISSED[9], 255, 0).astype(np.uint8))
    several = write(place, "several.json", annotations(TRUE))
    for coarse, truth in ((masks, single), (write(place, "coarse.json", annotations({4: MISSED[9]})), single)):
        _, printed = measure(run, place, coarse, truth)
        assert printed["results"]["coarse"]["iou"] == pytest.approx(iou(MISSED[9], TRUE[9]), abs=1e-6)
    _, printed = measure(run, place, single, masks, "--against", masks)
    assert printed["results"][f"against {masks}"]["iou"] == 1
    assert "3 objects on" in measure(run, place, masks, several)[0].stderr
    assert "leave it out" in measure(run, place, masks, single, "--object", 3)[0].stderr


def test_each_id_of_a_map_is_an_object(run, place):
    truth = as_map(TRUE)
    truth[30:34] = 65535
    folder = write(place, "truth/a.png", truth)
    coarse = write(place, "coarse/a.png", as_map(MISSED))
    void = ("--truth-void", 65535)
    _, printed = measure(run, place, coarse, folder, "--each-object", "--against", coarse, *void)
    assert [row["stem"] for row in printed["images"]] == ["a#3", "a#7", "a#9"]
    known = truth != 65535
    shown = as_map(MISSED)
    for row, number in zip(printed["images"], TRUE, strict=True):
        expected = iou((shown == number) & known, TRUE[number] & known)
        assert row["scores"]["coarse"]["iou"] == pytest.approx(expected, abs=1e-6)
        assert row["scores"][f"against {coarse}"] == row["scores"]["coarse"]
        assert row["void_pixels"] == 4 * SHAPE[1]
    _, printed = measure(run, place, coarse, folder, "--object", 9, *void)
    assert [row["stem"] for row in printed["images"]] == ["a#9"]


def test_one_id_against_masks_of_that_object(run, place):
    truth = write(place, "truth/a.png", as_map(TRUE).astype(np.uint8))
    coarse = write(place, "coarse/a.png", np.where(MISSED[9], 255, 0).astype(np.uint8))
    _, printed = measure(run, place, coarse, truth, "--object", 9)
    assert printed["results"]["coarse"]["iou"] == pytest.approx(iou(MISSED[9], TRUE[9]), abs=1e-6)
    assert printed["results"]["spnrefine general"]["iou"] == 1
    result, _ = measure(run, place, coarse, truth, "--each-object")
    assert "is a mask of one object, its truth has 3: give a map of the same ids" in result.stderr


def test_maps_of_other_ids_are_refused(run, place):
    truth = write(place, "truth/a.png", as_map(TRUE))
    coarse = write(place, "coarse/a.png", as_map({1: TRUE[3], 2: TRUE[7], 3: TRUE[9]}))
    result, _ = measure(run, place, coarse, truth, "--each-object")
    assert result.exit_code == 1
    assert "has other ids than its truth, in whose object 3 it has 1" in result.stderr
    both = run("eval", "--images", "i", "--coarse", "c", "--truth", "t", "--object", 1, "--each-object")
    assert "--object and --each-object were both given" in both.stderr


def instances(run, place, coarse, truth, *more):
    places = ["--images", place / "images", "--coarse", coarse, "--truth", truth]
    result = run("eval-instances", *places, "--json", *more)
    return result, json.loads(result.stdout) if result.stdout else None


def results(masks, category=2):
    return [
        {"image_id": 1, "category_id": category, "segmentation": rle(mask), "score": 0.9 - n / 100}
        for n, mask in enumerate(masks.values())
    ]


def test_results_of_a_network_are_measured_as_instances(run, place):
    truth = write(place, "truth.json", annotations(TRUE))
    coarse = write(place, "results.json", results(MISSED))
    result, printed = instances(run, place, coarse, truth, "--against", truth, "--min-pq", 0.5)
    assert result.exit_code == 0, result.output
    assert (printed["photographs"], printed["true_instances"], printed["categories"]) == (1, 3, ["dog"])
    rows = printed["results"]
    assert rows[f"against {truth}"]["ap"] == rows[f"against {truth}"]["pq"] == 1
    overlaps = [iou(mask, TRUE[number]) for number, mask in MISSED.items()]
    assert overlaps[1] > 0.5
    assert rows["coarse"]["pq"] == pytest.approx(np.mean(overlaps), abs=1e-6)
    assert rows["coarse"]["boundary_ap"] < rows["coarse"]["ap"] < 1
    assert rows["coarse"]["by_category"]["dog"]["ap"] == rows["coarse"]["ap"]
    assert printed["notes"] == []
    csv, page = place / "rows.csv", place / "worst.html"
    more = ["--csv", csv, "--report", page]
    shown = run("eval-instances", "--images", place / "images", "--coarse", coarse, "--truth", truth, *more)
    assert "95 % of 2,000 draws of images" in shown.stdout
    head, row = (line.split(",") for line in csv.read_text().splitlines())
    written = dict(zip(head, row, strict=True))
    assert (written["photograph"], written["true_instances"], written["coarse matched"]) == ("a", "3", "3")
    assert float(written["coarse ap"]) == rows["coarse"]["ap"]
    assert "beside the truth" in page.read_text()
    again = run("eval-instances", "--images", place / "images", "--coarse", coarse, "--truth", truth, *more)
    assert (again.exit_code, "rows.csv exists" in again.stderr) == (1, True)


def test_maps_of_instances_need_no_equal_ids(run, place):
    truth = write(place, "truth/a.png", as_map(TRUE))
    coarse = write(place, "coarse/a.png", as_map({5: MISSED[3], 2: MISSED[7], 300: MISSED[9]}))
    result, printed = instances(run, place, coarse, truth)
    assert result.exit_code == 0, result.output
    shown = [as_map(MISSED) == number for number in MISSED]
    expected = np.mean([iou(mask, TRUE[number]) for mask, number in zip(shown, TRUE, strict=True)])
    assert printed["results"]["coarse"]["pq"] == pytest.approx(expected, abs=1e-6)
    assert "What was found has no scores" in printed["notes"][0]


def test_masks_of_objects_are_no_true_maps_in_which_255_is_void(run, place):
    truth = write(place, "truth/a.png", np.where(as_map(TRUE) > 0, 255, 0).astype(np.uint8))
    result, _ = instances(run, place, truth, truth)
    assert result.exit_code == 1
    assert "hold 0 and 255 alone, and 255 is void among ids: measure masks of objects with" in result.stderr
    assert instances(run, place, truth, truth, "--truth-void", 255)[0].exit_code == 0


def test_photographs_without_a_partner_are_said(run, place):
    truth = write(place, "truth/a.png", as_map(TRUE))
    write(place, "images/b.png", np.zeros((*SHAPE, 3), np.uint8))
    coarse = write(place, "coarse/b.png", as_map(TRUE))
    result, printed = instances(run, place, coarse, truth)
    assert f"{coarse} has no map of {place / 'images/a.png'}: nothing is found there." in result.stderr
    assert f"Left out: what {coarse} has of {place / 'images/b.png'}, which the truth" in result.stderr
    assert (printed["results"]["coarse"]["instances"], printed["results"]["coarse"]["pq"]) == (0, 0)


def test_a_network_that_found_nothing_has_no_precision(run, place):
    truth = write(place, "truth.json", annotations(TRUE))
    result, printed = instances(run, place, write(place, "results.json", []), truth, "--min-ap", 0.1)
    assert (result.exit_code, printed["results"]["refined"]["ap"]) == (1, 0)
    lost = [results(MISSED)[0] | {"image_id": 7}]
    result, _ = instances(run, place, write(place, "lost.json", lost), truth)
    assert "no image with a file name in the file that names the images" in result.stderr


def test_a_photograph_without_an_object_is_none_of_those_measured(run, place):
    truth = write(place, "truth/a.png", as_map(TRUE))
    coarse = write(place, "coarse/a.png", as_map(MISSED))
    for folder in ("images", "truth", "coarse"):
        write(
            place,
            f"{folder}/b.png",
            np.zeros((*SHAPE, 3), np.uint8) if folder == "images" else np.zeros(SHAPE, np.uint16),
        )
    result, printed = measure(run, place, coarse, truth, "--each-object")
    assert result.exit_code == 0, result.output
    assert printed["results"]["coarse"]["masks"] == 3


def test_instances_that_cannot_be_read_are_said(run, place):
    truth = annotations(TRUE)
    truth["annotations"][0]["image_id"] = 2
    result, printed = instances(run, place, write(place, "r.json", results(MISSED)), write(place, "truth.json", truth))
    assert "Left out: 1 objects that cannot be read (truth.json#3" in result.stderr
    assert printed["true_instances"] == 2


@pytest.mark.parametrize("floor", ["ap", "boundary-ap", "pq"])
def test_instances_below_a_floor_fail(run, place, floor):
    truth = write(place, "truth.json", annotations(TRUE))
    coarse = write(place, "results.json", results({n: square(box, 1) for n, box in BOXES.items()}))
    assert instances(run, place, coarse, truth, f"--min-{floor}", 0.9)[0].exit_code == 0, "refined, they are exact"
    worse = write(place, "worse.json", results({n: np.roll(mask, 12, 0) for n, mask in TRUE.items()}))
    result, _ = instances(run, place, worse, truth, f"--min-{floor}", 0.4)
    assert result.exit_code == 1
    assert f"{floor.replace('-', '_')} is 0" in result.stderr


def test_categories_that_have_nothing_in_common_are_refused(run, place):
    truth = write(place, "truth.json", annotations(TRUE))
    result, _ = instances(run, place, write(place, "results.json", results(MISSED, category=1)), truth)
    assert "The truth has the categories dog, what was found cat, and none in common" in result.stderr


def test_distances_of_contours_where_they_are_asked_for(run, place):
    truth = write(place, "truth.json", annotations(TRUE))
    coarse = write(place, "coarse.json", annotations(MISSED))
    result, printed = measure(run, place, coarse, truth, "--nsd-radii", "1,2.5", "--hd95", "--max-hd95", 9)
    assert result.exit_code == 0, result.output
    assert printed["measures"]["nsd_2.5"]["radius"] == "2.5 pixels"
    by_name = {row["stem"]: row["scores"]["coarse"] for row in printed["images"]}
    assert (by_name["a#9"]["nsd_2.5"], by_name["a#3"]["hd95"], by_name["a#7"]["hd95"]) == (1, 0, 4)
    row, mean = printed["results"]["coarse"], np.mean([scores["nsd_1"] for scores in by_name.values()])
    assert row["nsd_1"] == pytest.approx(mean, abs=1e-6)
    assert printed["intervals"]["coarse"]["hd95"] is not None
    assert row["undefined"]["hd95"] == 0
    shown = run("eval", "--images", place / "images", "--coarse", coarse, "--truth", truth, "--nsd-radii", "1")
    assert "nsd_1: radius 1 pixels" in shown.stdout
    floors = measure(run, place, coarse, truth, "--nsd-radii", "1,2.5", "--min-nsd", 0.99, "--max-hd95", 1)[0].stderr
    assert "nsd_1 is 0." in floors
    assert "above the ceiling of 1.0" in floors
    assert "--min-nsd was given without --nsd-radii" in measure(run, place, coarse, truth, "--min-nsd", 1)[0].stderr
    assert "no list of pixels" in measure(run, place, coarse, truth, "--nsd-radii", "1,x")[0].stderr


def test_the_worst_are_shown_beside_their_truth(run, place):
    truth = write(place, "truth.json", annotations(TRUE))
    coarse = write(place, "coarse.json", annotations(MISSED))
    page = place / "page.html"
    assert measure(run, place, coarse, truth, "--report", page)[0].exit_code == 0
    text = page.read_text()
    data = json.loads(re.search(r'id="report">(.*?)</script>', text, re.DOTALL)[1])
    names = [item["mask"].rpartition("#")[2] for item in data["items"]]
    assert names == ["7", "3", "9"], "the worst first"
    assert [item["status"] for item in data["items"]][-1] == "better"
    assert data["items"][0]["notes"][0].startswith("iou: 0.")
    assert text.count("beside the truth") == 3
    assert "exists" in measure(run, place, coarse, truth, "--report", page)[0].stderr


def test_a_page_holds_the_worst_alone():
    kept = Worst("ours", most=2)
    image, mask = np.zeros((*SHAPE, 3), np.uint8), TRUE[9]
    for number, value in enumerate((0.9, 0.2, 0.5, 0.7)):
        loaded = Loaded(image, of_array(mask))
        truth = ObjectTruth(mask, ~mask)
        subject = Subject(str(number), loaded, truth, lambda: certain(mask), image=f"{number}.png")
        found = {"coarse": certain(mask), "ours": certain(mask)}
        outcome = Outcome(Scores(value, None, None), 0.0, Reliability(), Reliability(), Reliability())
        kept(subject, found, Measured(str(number), {"coarse": outcome, "ours": outcome}, 1, 0))
    page = kept.report({}).html(Path())
    assert [f'"image":"{number}.png"' in page for number in range(4)] == [False, True, True, False]


def test_a_plot_needs_its_package_and_a_format(run, place, monkeypatch):
    truth = write(place, "truth.json", annotations(TRUE))
    assert "use .png, .svg or .pdf" in measure(run, place, truth, truth, "--plot", place / "p.jpeg")[0].stderr
    monkeypatch.setattr(plots, "find_spec", lambda name: None)
    assert "pip install 'spnrefine[plot]'" in measure(run, place, truth, truth, "--plot", place / "p.png")[0].stderr


def test_the_error_by_threshold_is_that_of_each_threshold():
    rng = np.random.default_rng(0)
    probability, truth, valid = rng.random(SHAPE).astype(np.float32), rng.random(SHAPE) < 0.4, rng.random(SHAPE) < 0.9
    expected = [1 - iou((probability > each) & valid, truth & valid) for each in THRESHOLDS]
    assert errors_by_threshold(probability, truth, valid) == pytest.approx(expected, abs=1e-12)
    nothing = np.zeros(SHAPE)
    assert not errors_by_threshold(nothing.astype(np.float32), nothing > 0, valid).any()
    void = errors_by_threshold(probability, truth, nothing > 0)
    assert mean_errors([void, errors_by_threshold(probability, truth, valid)]) == pytest.approx(expected, abs=1e-12)
    assert mean_errors([void]) is None
