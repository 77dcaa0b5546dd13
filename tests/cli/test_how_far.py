"""--strength and --off, on the command line and in records."""

import json

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from spnrefine.cli import main
from spnrefine.refiner.part_way import between


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("how_far")
    image = np.full((60, 80, 3), 40, np.uint8)
    image[10:50, 20:60] = 200
    mask = np.zeros((60, 80), np.uint8)
    mask[14:54, 24:64] = 255
    for name, array in (("p.png", image), ("m.png", mask)):
        Image.fromarray(array).save(folder / name)
    return folder


def run(files, *options):
    out = files / "out.png"
    command = ["refine", str(files / "p.png"), "--mask", str(files / "m.png"), "-o", str(out), "--overwrite", "--json"]
    result = CliRunner().invoke(main, [*command, *options])
    if result.exit_code:
        return result, None
    return json.loads(result.stdout), np.array(Image.open(out)) > 127


def test_records_say_what_was_used(files):
    record, whole = run(files)
    assert (record["strength"], record["off"]) == (1.0, None)
    assert np.array_equal(run(files, "--strength", "1")[1], whole)
    assert np.array_equal(run(files, "--strength", "auto", "--off", "auto")[1], whole)
    coarse = np.array(Image.open(files / "m.png")) > 127
    record, half = run(files, "--strength", "0.5", "--off", "10%")
    assert (record["strength"], record["off"]) == (0.5, 4.0)
    record, half = run(files, "--strength", "0.5")
    assert np.array_equal(half, between(coarse, whole, 0.5))
    record, kept = run(files, "--off", "0")
    assert (record["status"], record["off"]) == ("unchanged", 0.0)
    assert np.array_equal(kept, coarse)


@pytest.mark.parametrize(
    ("option", "value"), [("--strength", "2"), ("--strength", "much"), ("--off", "-1"), ("--off", "x")]
)
def test_other_values_are_wrong_usage(files, option, value):
    result, _ = run(files, option, value)
    assert result.exit_code == 2
    assert option in result.stderr
