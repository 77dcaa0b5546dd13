"""What grows with what: pixels that a network is shown are counted, not seconds."""

import json

import cv2
import numpy as np
import pytest

from spnrefine.cli import main
from spnrefine.evaluate import scaling
from spnrefine.evaluate.curves import draw_curves
from spnrefine.refiner.coarse_to_fine import look_closer


def pixels_shown(side):
    """Count the pixels of all tiles in which a disc's contour is looked at again, seen at 256 pixels at first."""
    disc = cv2.circle(np.zeros((side, side), np.float32), (side // 2, side // 2), side * 3 // 8, 1, -1)
    shown = []
    network = lambda image, coarse: (shown.append(coarse.size), coarse)[1]  # noqa: E731
    look_closer(network, np.zeros((side, side, 3), np.uint8), disc, 256 / side)
    return sum(shown)


def test_the_network_sees_the_contours_length_and_not_the_area():
    small, large = pixels_shown(1536), pixels_shown(3072)
    assert 1.7 < large / small < 2.4  # of four times the pixels


def test_a_drawing_has_as_many_objects_as_were_asked_for():
    image, outlines = scaling.draw_objects(12, 300, 400)
    assert (image.shape, image.dtype, len(outlines)) == ((300, 400, 3), np.uint8, 12)
    for outline in outlines:
        x, y = outline.mean(0).round().astype(int)
        assert image[y, x].astype(int).sum() > image[0, 0].astype(int).sum() + 60
    with pytest.raises(ValueError, match="20 fit"):
        scaling.draw_objects(100, 300, 360)


def test_the_cost_of_a_process_is_its_own():
    code = "x = bytearray(150_000_000)\nfor i in range(3_000_000): pass"
    large = scaling.cost_of(scaling.PROGRAM[0], "-c", code)
    small = scaling.cost_of(scaling.PROGRAM[0], "-c", "pass")
    assert large.peak - small.peak > 120e6
    assert large.cpu_seconds > small.cpu_seconds


def test_rows_and_their_picture(monkeypatch, tmp_path, run_main):
    asked = []
    monkeypatch.setattr(scaling, "cost_of", lambda *command: (asked.append(command), scaling.Cost(len(asked), 1e9))[1])
    monkeypatch.setattr(scaling, "MEGAPIXELS", (0.01, 0.04))
    monkeypatch.setattr(scaling, "OBJECTS", (2, 5))
    monkeypatch.setattr(scaling, "PHOTOGRAPH", (200, 300))
    plot = tmp_path / "curves.png"
    code, printed = run_main("bench", "--scaling", "--json", "--device", "cpu", "--plot", str(plot))
    assert code == 0, printed
    rows = json.loads(printed)["scaling"]
    assert [(row["what"], row["objects"]) for row in rows[1:]] == [
        ("one object", 1), ("one object", 1), ("many objects", 2), ("many objects", 5),
    ]  # fmt: skip
    assert [row["cpu_seconds"] for row in rows] == [1, 2, 3, 4, 5]
    assert sum("batch" in command for command in asked) == 2
    picture = cv2.imread(str(plot))
    assert np.array_equal(picture, draw_curves(rows))
    assert plot.stat().st_size < 100_000
    assert not np.array_equal(picture, draw_curves(rows[:-1]))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--plot", "a.png"], "--scaling"),
        (["--scaling", "--only", "cold"], "--only"),
        (["--scaling", "--plot", "a.jpg"], ".png"),
    ],
)
def test_options_that_do_not_go_together(run_main, options, said):
    code, error = run_main("bench", *options)
    assert code == 2
    assert said in error


@pytest.fixture
def run_main():
    from click.testing import CliRunner

    def run(*arguments):
        result = CliRunner().invoke(main, list(arguments))
        return result.exit_code, result.output

    return run
