import json

import numpy as np
from click.testing import CliRunner
from PIL import Image

from spnrefine.cli import main
from tests.model.make_check import draw


def test_masks_are_ranked_worst_first_and_none_is_changed(tmp_path):
    masks = tmp_path / "masks"
    masks.mkdir()
    rows, columns = np.mgrid[:120, :140]
    inside = np.hypot(rows - 60, columns - 70) < 36
    image = np.where(inside[..., None], np.uint8(190), np.uint8(60)) + np.zeros((1, 1, 3), np.uint8)
    for name, mask in (("good", inside), ("moved", np.roll(inside, 9, 1)), ("empty", inside & False)):
        Image.fromarray(image).save(tmp_path / f"{name}.png")
        Image.fromarray(mask.astype(np.uint8) * 255).save(masks / f"{name}.png")
    for name in ("alone", "broken"):
        Image.fromarray(image).save(tmp_path / f"{name}.png")
    (masks / "broken.png").write_bytes(b"no mask")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.*")}
    done = CliRunner().invoke(main, ["check", str(tmp_path), "--json"])
    assert done.exit_code == 1
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["image"].rpartition("/")[2] for line in lines] == ["broken.png", "moved.png", "good.png", "empty.png"]
    assert "masks/broken.png" in lines[0]["error"]
    assert "Photographs without a mask: 1 of 5." in done.stderr
    assert lines[1]["quality_before"] < lines[2]["quality_before"] <= 1
    assert lines[1]["quality_after"] > lines[1]["quality_before"]
    assert lines[3]["quality_before"] is None
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.*")} == before

    (tmp_path / "broken.png").unlink()
    done = CliRunner().invoke(main, ["check", str(tmp_path)])
    assert done.exit_code == 0
    assert [line.split("\t")[2].rpartition("/")[2] for line in done.stdout.splitlines()] == [
        "moved.png", "good.png", "empty.png",
    ]  # fmt: skip


def test_masks_of_other_names_are_found_as_batch_finds_them(tmp_path):
    (tmp_path / "labels").mkdir()
    image, coarse = draw(40, 48, seed=1)
    Image.fromarray(image).save(tmp_path / "a.png")
    Image.fromarray((coarse > 127) * np.uint8(255)).save(tmp_path / "labels/a_mask_final.png")
    command = ["check", str(tmp_path), "--mask-dir", str(tmp_path / "labels")]
    refused = CliRunner().invoke(main, command)
    assert refused.exit_code == 1
    assert "--mask-pattern '{stem}_mask_final.png' would find 1" in refused.stderr
    done = CliRunner().invoke(main, [*command, "--mask-pattern", "{stem}_mask_final.png"])
    assert done.exit_code == 0, done.stderr
    assert done.stdout.endswith("labels/a_mask_final.png\n")
