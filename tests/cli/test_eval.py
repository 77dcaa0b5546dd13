import csv
import json
import re

import numpy as np
import pytest
from PIL import Image

from spnrefine.cli.batch import batch as batch_command
from spnrefine.cli.evaluate import evaluate as eval_command
from spnrefine.cli.evaluate_instances import evaluate_instances as instances_command
from spnrefine.cli.options import MAY_CHANGE, NETWORK
from spnrefine.cli.refine import refine as refine_command
from spnrefine.evaluate import peers
from spnrefine.evaluate.facts import as_table
from spnrefine.evaluate.intervals import FIGURES
from tests.model.make_check import draw
from tests.pictures import open_picture


@pytest.fixture
def folders(tmp_path):
    """Three drawn cases; the truth is known from how they are drawn: the coarse mask moved back."""
    for seed in (1, 2, 3):
        image, coarse = draw(80, 100, seed)
        truth = np.roll(coarse, (-3, 4), (0, 1))
        truth = np.where(truth > 127, 255, 0).astype(np.uint8)
        truth[:2] = 128
        coarse = np.roll(truth, 4, 1)
        for folder, array in (("images", image), ("coarse", coarse), ("truth", truth)):
            (tmp_path / folder).mkdir(exist_ok=True)
            Image.fromarray(array).save(tmp_path / folder / f"{seed}.png")
    return tmp_path


def evaluate(run, folders, *arguments):
    places = [part for name in ("images", "coarse", "truth") for part in (f"--{name}", folders / name)]
    return run("eval", *places, *arguments)


def test_it_prints_before_and_after(run, folders):
    result = evaluate(run, folders, "--json", "--details")
    assert result.exit_code == 0
    printed = json.loads(result.stdout)
    rows = printed["results"]
    assert rows["coarse"]["error_removed"] == rows["coarse"]["made_worse"] == 0
    assert rows["spnrefine general"]["iou"] > rows["coarse"]["iou"]
    assert rows["spnrefine general"]["masks"] == 3
    assert [row["stem"] for row in printed["images"]] == ["1", "2", "3"]
    for measure in ("iou", "biou", "mba"):
        mean = np.mean([row["scores"]["spnrefine general"][measure] for row in printed["images"]])
        assert rows["spnrefine general"][measure] == pytest.approx(mean, abs=1e-4)
    assert {"torch", "numpy"} <= set(printed["versions"])


def test_sub_folders_are_seen_as_batch_sees_them(run, folders):
    (folders / "images/other.txt").write_text("a note beside the photographs")
    plain = json.loads(evaluate(run, folders, "--json").stdout)
    for name in ("images", "coarse", "truth"):
        (folders / name / "sub").mkdir()
        suffix = "_mask" if name == "coarse" else ""
        (folders / name / "2.png").rename(folders / name / "sub" / f"1{suffix}.png")
    (folders / "coarse").rename(folders / "images/coarse")
    places = "--images", folders / "images", "--coarse", folders / "images/coarse", "--truth", folders / "truth"
    result = run("eval", *places, "--json", "--details")
    assert "Left out" not in result.stderr
    printed = json.loads(result.stdout)
    assert [row["stem"] for row in printed["images"]] == ["1", "3", "sub/1"]
    assert printed["results"]["coarse"]["iou"] == pytest.approx(plain["results"]["coarse"]["iou"], abs=1e-6)


def test_a_floor_that_is_missed_fails(run, folders):
    assert evaluate(run, folders, "--min-iou", "0.1").exit_code == 0
    floors = [f"--min-{name}" for name in ("iou", "biou", "mba", "error-removed")]
    result = evaluate(run, folders, *(part for floor in floors for part in (floor, "1.0")))
    assert result.exit_code == 1
    for name in ("iou", "biou", "mba", "error_removed"):
        assert re.search(rf"^{name} is 0\.\d+, below the floor of 1\.0\.$", result.stderr, re.MULTILINE)


def test_share_and_radii_can_be_chosen_and_stand_beside_the_figures(run, folders):
    plain = json.loads(evaluate(run, folders, "--json").stdout)
    other = json.loads(evaluate(run, folders, "--json", "--boundary-share", "0.05", "--mba-radii", "2,5").stdout)
    assert plain["measures"]["biou"]["band"] == "0.02 of the diagonal"
    assert other["measures"]["biou"]["band"] == "0.05 of the diagonal"
    assert other["measures"]["mba"]["radii"] == "2, 5 pixels"
    for measure in ("biou", "mba"):
        assert plain["results"]["coarse"][measure] != other["results"]["coarse"][measure]
    shown = evaluate(run, folders, "--mba-radii", "2,5").stdout
    assert "biou: band 0.02 of the diagonal, source Cheng et al., CVPR 2021" in shown
    assert "mba: radii 2, 5 pixels" in shown
    assert "give whole numbers from 1 on" in evaluate(run, folders, "--mba-radii", "0,5").stderr


def test_exact_masks_made_worse_are_no_error_removed(run, folders):
    rng = np.random.default_rng(0)
    for path in (folders / "truth").iterdir():  # of which the refiner, over noise, keeps less
        exact = np.zeros((80, 100), np.uint8)
        for y, x in rng.integers(5, 70, (12, 2)):
            exact[y : y + 5, x : x + 9] = 255
        for folder in ("truth", "coarse"):
            Image.fromarray(exact).save(folders / folder / path.name)
        Image.fromarray(rng.integers(0, 256, (80, 100, 3), np.uint8)).save(folders / "images" / path.name)
    result = evaluate(run, folders, "--json", "--min-error-removed", "-1000")
    assert result.exit_code == 1
    assert "error_removed is not defined, so that the floor of -1000.0 is missed." in result.stderr
    rows = json.loads(result.stdout)["results"]
    assert rows["spnrefine general"]["error_removed"] is None
    assert rows["coarse"]["error_removed"] == 0


def test_truths_without_a_contour_have_no_boundary_accuracy(run, folders):
    for path in (folders / "truth").iterdir():
        Image.fromarray(np.zeros((80, 100), np.uint8)).save(path)
    Image.fromarray(np.zeros((80, 100), np.uint8)).save(folders / "coarse" / "2.png")
    result = evaluate(run, folders, "--min-mba", "0", "--json")
    assert result.exit_code == 1
    assert "mba is not defined, so that the floor of 0.0 is missed." in result.stderr
    row = json.loads(result.stdout)["results"]["spnrefine general"]
    assert (row["mba"], row["undefined"], row["both_empty"]) == (None, {"iou": 0, "biou": 0, "mba": 3}, 1)
    shown = evaluate(run, folders).stdout
    assert "spnrefine general: mba is not defined for 3 of 3 masks, which its mean leaves out." in shown
    assert "spnrefine general: 1 of 3 masks are empty and ought to be; their iou is 1." in shown


def test_a_ceiling_that_is_passed_fails(run, folders):
    assert evaluate(run, folders, "--max-made-worse", "0").exit_code == 0
    for path in (folders / "truth").iterdir():  # a mask that is said to be true, and lies beside what is in the picture
        pixels = np.roll(np.asarray(open_picture(path)), 6, 1)
        for name in ("coarse", "truth"):
            Image.fromarray(np.where(pixels == 128, 0, pixels).astype(np.uint8)).save(folders / name / path.name)
    result = evaluate(run, folders, "--max-made-worse", "0")
    assert result.exit_code == 1
    assert "above the ceiling of 0" in result.stderr


def test_peers_stand_beside_the_tool_with_their_settings(run, folders):
    printed = json.loads(evaluate(run, folders, "--peers", "domain-transform,guided-filter", "--json").stdout)
    assert list(printed["results"]) == ["coarse", "spnrefine general", "domain-transform", "guided-filter"]
    assert "sigma_s 60, sigma_r 0.4" in printed["peers"]["domain-transform"]["settings"]
    shown = evaluate(run, folders, "--peers", "domain-transform").stdout
    assert "error_removed" in shown
    assert "sigma_s 60, sigma_r 0.4" in shown


def test_all_peers_names_those_that_are_not_installed(run, folders, monkeypatch):
    missing = peers.Peer("telepathy", "none", "nowhere", None, "no_such_module", "no-such-package")
    monkeypatch.setattr(peers, "PEERS", {"domain-transform": peers.PEERS["domain-transform"], "telepathy": missing})
    result = evaluate(run, folders, "--peers", "all", "--json")
    assert result.exit_code == 0
    assert "telepathy is left out: no-such-package is not installed" in result.stderr
    assert list(json.loads(result.stdout)["results"])[2:] == ["domain-transform"]
    for named, said in (("telepathy", "no-such-package"), ("", "--peers names '', which is no peer: ")):
        result = evaluate(run, folders, "--peers", named)
        assert result.exit_code == 1
        assert said in result.stderr


def test_calibration_of_the_band_and_everywhere(run, folders):
    printed = json.loads(evaluate(run, folders, "--calibration", "--json").stdout)["calibration"]
    for name in ("coarse", "spnrefine general"):
        band, everywhere = (printed[name][place] for place in ("band", "everywhere"))
        scored = 3 * 78 * 100  # three images whose first two lines are void
        assert sum(row["pixels"] for row in everywhere["bins"]) == scored
        assert 0 < sum(row["pixels"] for row in band["bins"]) < scored / 2
        total = sum(row["pixels"] * abs(row["observed"] - row["predicted"]) for row in band["bins"])
        pixels = sum(row["pixels"] for row in band["bins"])
        assert band["expected_calibration_error"] == pytest.approx(total / pixels, abs=2e-4)
    # the coarse masks are hard: all they get wrong is error
    assert len(printed["coarse"]["everywhere"]["bins"]) == 2
    assert "expected calibration error" in evaluate(run, folders, "--calibration").stdout


def test_the_scores_of_every_image_are_shown(run, folders):
    shown = evaluate(run, folders, "--details").stdout
    assert len(re.findall(r"^ \d +spnrefine general ", shown, re.MULTILINE)) == 3


@pytest.mark.parametrize("folder", ["images", "coarse"])
def test_a_missing_partner_is_named(run, folders, folder):
    (folders / folder / "2.png").unlink()
    result = evaluate(run, folders, "--strict")
    assert result.exit_code == 1
    assert f"{folder} holds 0 files named 2.*" in result.stderr
    result = evaluate(run, folders, "--details")
    assert result.exit_code == 0
    assert "Left out: 1 names that are not in all that was given (2); measured: 2 photographs." in result.stderr
    assert len(re.findall(r"^ \d +spnrefine general ", result.stdout, re.MULTILINE)) == 2


def test_a_void_rim_of_255_and_a_turned_photograph_change_nothing(run, folders):
    before = json.loads(evaluate(run, folders, "--json").stdout)["results"]["coarse"]
    for path in (folders / "truth").iterdir():
        pixels = np.asarray(open_picture(path))
        Image.fromarray(np.select([pixels == 255, pixels == 128], [1, 255]).astype(np.uint8)).save(path)
    exif = Image.Exif()
    exif[0x0112] = 6
    for folder in ("images", "coarse", "truth"):  # all of the second as a camera on its side stores them
        turned = open_picture(folders / folder / "2.png").transpose(Image.Transpose.ROTATE_90)
        turned.save(folders / folder / "2.png", exif=exif if folder == "images" else Image.Exif())
    after = json.loads(evaluate(run, folders, "--json").stdout)["results"]["coarse"]
    assert {**after, "seconds": 0} == {**before, "seconds": 0}


def test_a_truth_whose_meaning_is_open_is_refused(run, folders):
    pixels = np.asarray(open_picture(folders / "truth" / "2.png"))
    Image.fromarray(np.where(pixels == 255, 1, 2).astype(np.uint8)).save(folders / "truth" / "2.png")
    result = evaluate(run, folders)
    assert result.exit_code == 1
    assert "2.png holds 1, 2 but no 0, the background" in result.stderr


def test_sizes_that_differ_are_named(run, folders):
    Image.new("L", (10, 20)).save(folders / "truth" / "2.png")
    result = evaluate(run, folders)
    assert result.exit_code == 1
    assert "10x20 pixels, its photograph 100x80" in result.stderr
    Image.new("L", (100, 80)).save(folders / "truth" / "2.png")
    Image.new("L", (10, 20)).save(folders / "coarse" / "2.png")
    result = evaluate(run, folders)
    assert result.exit_code == 1
    assert "coarse/2.png is 10 x 20 pixels" in result.stderr


def test_a_table_names_in_printable_text_what_is_none():
    name = b"\xff\n.png".decode("utf-8", "surrogateescape")
    assert as_table(["stem", "iou"], [[name, 1 / 3], ["b", None]]) == b"stem,iou\n\\xff\\n.png,0.333333\nb,\n"


def test_best_is_measured_too(run, folders):
    once, best = (json.loads(evaluate(run, folders, "--json", *more).stdout)["results"] for more in ((), ("--best",)))
    assert once["coarse"] == best["coarse"]
    assert once["spnrefine general"]["iou"] != best["spnrefine general"]["iou"]


def test_it_measures_what_a_batch_with_the_same_options_writes(run, folders):
    how = ["--threshold", "0.8", "--band", "3", "--max-change", "0.2", "--quick", "--keep-topology"]
    batch = run("batch", folders / "images", "--mask-dir", folders / "coarse", "-o", folders / "out", "--quiet", *how)
    assert batch.exit_code == 0
    table = folders / "scores.csv"
    result = evaluate(run, folders, "--against", folders / "out", "--json", "--csv", table, *how)
    printed = json.loads(result.stdout)
    theirs = f"against {folders / 'out'}"
    ours, same = (dict(printed["results"][name]) for name in ("spnrefine general", theirs))
    assert {**ours, "seconds": 0} == {**same, "seconds": 0}
    nothing = {"difference": 0, "interval": [0, 0]}
    assert printed["above"]["spnrefine general"][theirs] == dict.fromkeys(FIGURES, nothing)
    plain = json.loads(evaluate(run, folders, "--json").stdout)["results"]
    assert plain["coarse"] == {**printed["results"]["coarse"], "seconds": plain["coarse"]["seconds"]}
    assert plain["spnrefine general"]["iou"] != ours["iou"]
    rows = list(csv.DictReader(table.read_text().splitlines()))
    assert [row["stem"] for row in rows] == ["1", "2", "3"]
    assert np.mean([float(row["spnrefine general iou"]) for row in rows]) == pytest.approx(ours["iou"], abs=1e-5)
    truth = np.asarray(open_picture(folders / "truth" / "1.png"))
    assert (int(rows[0]["object_pixels"]), int(rows[0]["void_pixels"])) == ((truth == 255).sum(), (truth == 128).sum())
    again = evaluate(run, folders, "--csv", table)
    assert again.exit_code == 1
    assert "scores.csv exists" in again.stderr


def test_every_option_that_changes_a_refined_mask_is_there():
    """Save for those that say how it is written, and who makes one where there is none."""
    refine, batch, *measure = (
        {option.name for option in command.params} - {"debug"}  # which a command has once it has run
        for command in (refine_command, batch_command, eval_command, instances_command)
    )
    others = {
        "image",
        "mask",
        "output",
        "overlay",
        "overlay_style",
        "compare",
        "doubt",
        "cutout",
        "soft",
        "alpha",
        "matting",
        "backbone",
        "only",
    }
    assert [refine - each for each in measure] == [others, others]
    of_a_batch = {option.name for option in section_of(batch_command, MAY_CHANGE, NETWORK)}
    assert of_a_batch <= refine, "what changes a mask changes it in a batch and alone"
    assert {"threshold", "band", "max_change", "keep_topology", "strength", "off", "careful"} <= measure[0] & measure[1]
    assert {"quick", "wrap", "best", "labels", "void", "resize_mask", "bands"} <= measure[0] & measure[1] & batch


def section_of(command, *names):
    return [option for option in command.params if getattr(option, "section", None) in names]


def test_small_and_large_objects_are_told_apart(run, folders):
    small = np.zeros((80, 100), np.uint8)
    small[30:50, 40:60] = 255
    Image.fromarray(small).save(folders / "truth" / "2.png")
    printed = json.loads(evaluate(run, folders, "--json", "--details").stdout)
    assert {size: rows["coarse"]["masks"] for size, rows in printed["by_size"].items()} == {"small": 1, "medium": 2}
    small_iou = printed["images"][1]["scores"]["coarse"]["iou"]
    assert printed["by_size"]["small"]["coarse"]["iou"] == small_iou
    assert printed["images"][1]["object_pixels"] == 400


def test_a_method_without_a_mask_is_named(run, folders):
    (folders / "theirs").mkdir()
    Image.new("L", (100, 80)).save(folders / "theirs" / "1.png")
    result = evaluate(run, folders, "--against", folders / "theirs")
    assert result.exit_code == 1
    assert "theirs has no mask named 2.*" in result.stderr
