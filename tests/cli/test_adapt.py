import json
import shutil

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from spnrefine.cli import main
from spnrefine.files.reserved import locked
from spnrefine.model import weights


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Three photographs of a bright square whose coarse masks are four pixels off; the fourth has no coarse mask."""
    top = tmp_path_factory.mktemp("own")
    for name in ("images", "masks", "coarse"):
        (top / name).mkdir()
    for number in range(4):
        image = np.full((60, 80, 3), 40, np.uint8)
        good, coarse = np.zeros((2, 60, 80), np.uint8)
        image[10:50, 20 + number : 60] = 200
        good[10:50, 20 + number : 60] = 255
        coarse[14:54, 24 + number : 64] = 255
        Image.fromarray(image).save(top / "images" / f"{number}.png")
        Image.fromarray(good).save(top / "masks" / f"{number}.png")
        if number < 3:
            Image.fromarray(coarse).save(top / "coarse" / f"{number}.png")
    return top


def run(*arguments):
    return CliRunner().invoke(main, [str(each) for each in arguments])


def test_two_runs_into_one_output_refuse_each_other_and_no_input_is_replaced(folders, tmp_path):
    pairs = ["--images", folders / "images", "--masks", folders / "masks", "--coarse", folders / "coarse"]
    out = tmp_path / "mine.safetensors"
    with locked(out):
        done = run("adapt", *pairs, "--out", out)
    assert (done.exit_code, "is being written by another run" in done.stderr) == (1, True)
    shutil.copy(weights.find("general"), out)
    done = run("adapt", *pairs, "--model", out, "--out", out, "--overwrite")
    assert (done.exit_code, "itself, which is never overwritten" in done.stderr) == (1, True)


def test_a_choice_is_made_and_used(folders, tmp_path):
    out = tmp_path / "mine.safetensors"
    pairs = ["--images", folders / "images", "--masks", folders / "masks", "--coarse", folders / "coarse"]
    done = run("adapt", *pairs, "--out", out, "--json")
    assert done.exit_code == 0, done.stderr
    facts = json.loads(done.stdout)
    assert (facts["pictures"], facts["masks"]) == (3, 3)
    assert facts["as_usual"]["error_removed"] > 0.8
    assert facts["chosen"]["after"] <= facts["as_usual"]["after"]
    assert list(facts["choices"]) == ["any"]
    assert facts["choices"]["any"]["strength"] > 0
    assert weights.describe(out).choices

    refined = tmp_path / "refined.png"
    photograph, mask = folders / "images" / "3.png", folders / "coarse" / "2.png"
    done = run("refine", photograph, "--mask", mask, "-o", refined, "--model", out, "--json")
    assert done.exit_code == 0, done.stderr
    assert json.loads(done.stdout)["strength"] == facts["choices"]["any"]["strength"]

    assert run("adapt", *pairs, "--out", out).exit_code == 1  # it is there
    again = run("adapt", *pairs, "--out", tmp_path / "again.safetensors", "--model", out)
    assert again.exit_code == 1
    assert "adapted already" in again.stderr


def test_too_few_pairs_are_refused(folders, tmp_path):
    few = tmp_path / "few"
    few.mkdir()
    for number in (0, 1):
        (few / f"{number}.png").write_bytes((folders / "masks" / f"{number}.png").read_bytes())
    out = tmp_path / "x.safetensors"
    done = run("adapt", "--images", folders / "images", "--masks", few, "--out", out)
    assert done.exit_code == 1
    assert "2 usable pairs were found: expected at least 3" in done.stderr
    assert not out.exists()


def test_the_name_of_the_weights_is_checked(folders, tmp_path):
    done = run("adapt", "--images", folders / "images", "--masks", folders / "masks", "--out", tmp_path / "mine.json")
    assert done.exit_code == 2
    assert ".safetensors" in done.stderr
