import json

import numpy as np
from click.testing import CliRunner
from PIL import Image

from spnrefine.cli import main


def test_masks_are_ranked_worst_first_and_none_is_changed(tmp_path):
    masks = tmp_path / "masks"
    masks.mkdir()
    rows, columns = np.mgrid[:120, :140]
    inside = np.hypot(rows - 60, columns - 70) < 36
    image = np.where(inside[..., None], np.uint8(190), np.uint8(60)) + np.zeros((1, 1, 3), np.uint8)
    for name, mask in (("good", inside), ("moved", np.roll(inside, 9, 1)), ("empty", inside & False)):
        Image.fromarray(image).save(tmp_path / f"{name}.png")
        Image.fromarray(mask.astype(np.uint8) * 255).save(masks / f"{name}.png")
    Image.fromarray(image).save(tmp_path / "alone.png")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.*")}
    done = CliRunner().invoke(main, ["check", str(tmp_path), "--json"])
    assert done.exit_code == 1
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["image"].rpartition("/")[2] for line in lines] == ["alone.png", "moved.png", "good.png", "empty.png"]
    assert lines[0]["error"]
    assert lines[1]["quality_before"] < lines[2]["quality_before"] <= 1
    assert lines[1]["quality_after"] > lines[1]["quality_before"]
    assert lines[3]["quality_before"] is None
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.*")} == before

    (tmp_path / "alone.png").unlink()
    done = CliRunner().invoke(main, ["check", str(tmp_path)])
    assert done.exit_code == 0
    assert [line.split("\t")[2].rpartition("/")[2] for line in done.stdout.splitlines()] == [
        "moved.png", "good.png", "empty.png",
    ]  # fmt: skip
