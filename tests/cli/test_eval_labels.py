import json

import numpy as np
import pytest
from PIL import Image

from tests.model.make_check import draw


@pytest.fixture
def folders(tmp_path):
    """Two drawn pictures with the classes 0 and 2 (3 is never seen), and maps that are 4 pixels off."""
    for folder in ("images", "truth", "ids", "planes"):
        (tmp_path / folder).mkdir()
    for seed in (1, 2):
        image, mask = draw(80, 100, seed)
        truth = np.where(np.roll(mask, (-3, 4), (0, 1)) > 127, 2, 0).astype(np.uint8)
        ids = np.roll(truth, 4, 1)
        truth[:2] = 255
        planes = np.stack([ids == number for number in range(3)]).astype(np.float32)
        Image.fromarray(image).save(tmp_path / f"images/{seed}.png")
        Image.fromarray(truth).save(tmp_path / f"truth/{seed}.png")
        Image.fromarray(ids).save(tmp_path / f"ids/{seed}.png")
        np.save(tmp_path / f"planes/{seed}.npy", planes)
    return tmp_path


def measured(run, folders, *arguments):
    result = run("eval-labels", "--images", folders / "images", "--truth", folders / "truth", "--json", *arguments)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_maps_and_planes_of_ones_own_before_and_after(run, folders):
    found = {name: measured(run, folders, "--coarse", folders / name) for name in ("ids", "planes")}
    assert found["ids"]["iou"]["coarse"] == found["planes"]["iou"]["coarse"]
    pictures = [
        [np.asarray(Image.open(folders / kind / f"{seed}.png").copy()) for kind in ("truth", "ids")] for seed in (1, 2)
    ]
    both = sum(((truth == 2) & (ids == 2)).sum() for truth, ids in pictures)
    either = sum((((truth == 2) | (ids == 2)) & (truth != 255)).sum() for truth, ids in pictures)
    assert found["ids"]["iou"]["coarse"]["class 2"] == pytest.approx(both / either)
    for one in found.values():
        assert one["iou"]["refined"]["mean"] > one["iou"]["coarse"]["mean"]
        above = one["iou_above"]["refined"]["coarse"]["mean"]
        assert above["difference"] == pytest.approx(one["iou"]["refined"]["mean"] - one["iou"]["coarse"]["mean"])
        low, high = above["interval"]
        assert 0 < low <= above["difference"] <= high
    still = measured(run, folders, "--coarse", folders / "ids", "--band", "0")
    assert still["iou"]["refined"] == still["iou"]["coarse"]


def test_others_maps_rows_and_a_page(run, folders):
    more = ["--csv", folders / "rows.csv", "--report", folders / "worst.html", "--min-iou", "0.999"]
    places = ["--images", folders / "images", "--truth", folders / "truth", "--coarse", folders / "ids"]
    result = run(
        "eval-labels", *places, "--against", folders / "planes", "--against", folders / "truth", *more, "--json"
    )
    found = json.loads(result.stdout)
    planes, truth = (f"against {folders / name}" for name in ("planes", "truth"))
    assert found["iou"][planes] == found["iou"]["coarse"]
    assert found["iou"][truth]["mean"] == found["f1"][truth]["class 2"] == 1
    for measure in ("iou", "f1"):
        assert found[f"{measure}_above"]["refined"][planes] == found[f"{measure}_above"]["refined"]["coarse"]
        for name, value in found[measure]["refined"].items():
            low, high = found[f"{measure}_intervals"]["refined"][name]
            assert low <= value <= high
    assert result.exit_code == 1
    assert "mean iou is 0." in result.stderr
    head, first, _ = (line.split(",") for line in (folders / "rows.csv").read_text().splitlines())
    row = dict(zip(head, first, strict=True))
    assert (row["stem"], row["void_pixels"], row[f"{truth} mean iou"]) == ("1", "200", "1.0")
    assert 0.5 < float(row["coarse iou class 2"]) < float(row["refined iou class 2"]) < 1
    assert "IoU of class 2" in (folders / "worst.html").read_text()
    shown = run("eval-labels", *places, "--against", folders / "truth")
    assert "95 % of draws of images" in shown.stdout
    assert f"mean IoU of refined, above {truth}: -" in shown.stdout


def test_an_input_is_never_replaced(run, folders):
    places = ["--images", folders / "images", "--truth", folders / "truth", "--coarse", folders / "ids"]
    mask = folders / "ids/1.png"
    before = mask.read_bytes()
    result = run("eval-labels", *places, "--csv", mask, "--overwrite")
    assert (result.exit_code, mask.read_bytes()) == (1, before)
    assert "1.png itself, which is never overwritten" in result.stderr


def test_a_photograph_of_void_alone_draws_no_warning(run, folders, recwarn):
    Image.fromarray(np.full((80, 100), 255, np.uint8)).save(folders / "truth/2.png")
    found = measured(run, folders, "--coarse", folders / "ids")
    assert found["iou_intervals"]["coarse"]["mean"] is None
    assert not recwarn.list


def test_sub_folders_are_seen(run, folders):
    for kind in ("images", "truth", "ids"):
        (folders / kind / "sub").mkdir()
        (folders / kind / "2.png").rename(folders / kind / "sub" / f"1{'_mask' if kind == 'ids' else ''}.png")
    assert measured(run, folders, "--coarse", folders / "ids")["photographs"] == 2


def test_a_class_that_no_truth_knows_is_a_miss(run, folders):
    for path in (folders / "ids").iterdir():
        Image.fromarray(np.full((80, 100), 7, np.uint8)).save(path)
    found = measured(run, folders, "--coarse", folders / "ids")
    assert found["iou"]["coarse"] == {"background": 0, "class 2": 0, "mean": 0}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "None of --coarse, --lower and --model was given"),
        (["--coarse", "ids", "--lower", "8"], "--coarse and --lower were both given"),
        (["--lower", "8", "--model", "general", "--model", "broad"], "2 models were given to refine with"),
        (["--model", "face", "--max-change", "1"], "--max-change was given without maps to refine"),
    ],
)
def test_what_is_measured_is_said(run, folders, arguments, said):
    result = run("eval-labels", "--images", folders / "images", "--truth", folders / "truth", *arguments)
    assert result.exit_code == 2
    assert said in result.stderr


def test_a_map_that_is_missing_is_named(run, folders):
    (folders / "ids" / "2.png").unlink()
    places = ["--images", folders / "images", "--truth", folders / "truth", "--coarse", folders / "ids"]
    result = run("eval-labels", *places)
    assert result.exit_code == 1
    assert "ids has no file named 2.*" in result.stderr
