import json

import numpy as np
import pytest
from PIL import Image

from spnrefine import refine
from spnrefine.model import inference
from tests.pictures import open_picture


def pixels(path):
    return np.asarray(open_picture(path))


def test_without_output_the_result_is_a_sibling_whose_path_is_printed(run, pair):
    photo, coarse = pair
    before = photo.read_bytes(), coarse.read_bytes()
    result = run(photo, "--mask", coarse)
    target = photo.with_name("photo_refined.png")
    assert (result.exit_code, result.stdout, result.stderr) == (0, f"{target}\n", "")
    assert np.array_equal(pixels(target), refine(pixels(photo), pixels(coarse)))
    assert (photo.read_bytes(), coarse.read_bytes()) == before


def test_the_refined_mask_differs_from_the_coarse_one(run, pair):
    photo, coarse = pair
    run(photo, "--mask", coarse, "-o", photo.with_name("out.png"))
    changed = (pixels(photo.with_name("out.png")) != pixels(coarse)).mean()
    assert 0.001 < changed < 0.2


def test_refine_is_the_default_command(run, pair):
    photo, coarse = pair
    run("refine", photo, "--mask", coarse, "-o", photo.with_name("a.png"))
    run("--mask", coarse, photo, "-o", photo.with_name("b.png"))
    assert photo.with_name("a.png").read_bytes() == photo.with_name("b.png").read_bytes()


def test_output_file_decides_the_format(run, pair):
    photo, coarse = pair
    assert run(photo, "--mask", coarse, "-o", photo.with_name("out.tif")).exit_code == 0
    assert open_picture(photo.with_name("out.tif")).format == "TIFF"


@pytest.mark.parametrize("exists", [True, False])
def test_output_folder_takes_the_stem(run, pair, exists):
    photo, coarse = pair
    folder = photo.parent / "out"
    if exists:
        folder.mkdir()
    assert run(photo, "--mask", coarse, "-o", f"{folder}/").exit_code == 0
    assert (folder / "photo.png").is_file()


def test_mask_from_a_pipe_goes_to_standard_output(run, pair):
    photo, coarse = pair
    result = run(photo, "--mask", "-", stdin=coarse.read_bytes())
    assert result.exit_code == 0
    run(photo, "--mask", coarse, "-o", photo.with_name("file.png"))
    assert result.stdout_bytes == photo.with_name("file.png").read_bytes()


def test_photograph_from_a_pipe(run, pair):
    photo, coarse = pair
    result = run("-", "--mask", coarse, "-o", photo.parent, stdin=photo.read_bytes())
    assert result.exit_code == 1, "coarse.png would overwrite the input"
    assert "never overwritten" in result.stderr
    result = run("-", "--mask", coarse, stdin=photo.read_bytes())
    assert result.stdout_bytes.startswith(b"\x89PNG")


def test_soft_writes_probabilities(run, pair):
    photo, coarse = pair
    run(photo, "--mask", coarse, "--soft", "-o", photo.with_name("soft.png"))
    expected = refine(pixels(photo), pixels(coarse), soft=True)
    assert np.array_equal(pixels(photo.with_name("soft.png")), np.rint(255 * expected).astype(np.uint8))


def test_threshold_shrinks_the_object(run, pair):
    photo, coarse = pair
    areas = []
    for threshold in ("0.1", "0.9"):
        result = run(photo, "--mask", coarse, "--threshold", threshold, "-o", "-")
        (photo.parent / "out.png").write_bytes(result.stdout_bytes)
        areas.append((pixels(photo.parent / "out.png") > 0).sum())
    assert areas[0] > areas[1]


def test_json_prints_the_record_alone(run, pair):
    photo, coarse = pair
    result = run(photo, "--mask", coarse, "--json")
    record = json.loads(result.stdout)
    target = photo.with_name("photo_refined.png")
    assert {key: record[key] for key in ("image", "mask", "output", "status", "error")} == {
        "image": str(photo),
        "mask": str(coarse),
        "output": str(target),
        "status": "refined",
        "error": None,
    }
    changed = (pixels(target) != pixels(coarse)).sum() / (pixels(coarse) > 0).sum()
    assert record["changed"] == pytest.approx(changed, abs=1e-6)
    assert record["seconds"] > 0


def test_pictures_are_drawn(run, pair):
    photo, coarse = pair
    look, row = photo.with_name("look.jpg"), photo.with_name("row.png")
    run(photo, "--mask", coarse, "-o", photo.with_name("out.png"), "--overlay", look, "--compare", row)
    assert open_picture(look).size == (100, 80)
    assert open_picture(row).size[0] == 4 * 100
    inside = pixels(photo.with_name("out.png")) > 0
    greener = pixels(look).astype(int) - pixels(photo)
    assert greener[inside][:, 1].mean() > greener[~inside][:, 1].mean() + 20


def test_options_come_from_the_environment(run, pair, monkeypatch):
    photo, coarse = pair
    monkeypatch.setenv("SPNREFINE_MASK", str(coarse))
    assert run(photo).exit_code == 0


@pytest.mark.parametrize(("value", "status"), [(0, "empty"), (255, "full")])
def test_empty_and_full_masks_are_returned_and_said(run, pair, value, status):
    photo, coarse = pair
    Image.new("L", (100, 80), value).save(coarse)
    result = run(photo, "--mask", coarse, "-o", photo.with_name("out.png"))
    assert result.exit_code == 0
    assert f"{coarse}: the mask is {status}" in result.stderr
    assert photo.with_name("out.png").read_bytes() == coarse.read_bytes()
    piped = run(photo, "--mask", "-", "-o", photo.with_name("piped.png"), stdin=coarse.read_bytes())
    assert piped.stderr.startswith(f"standard input: the mask is {status}")


def test_a_lossy_mask_comes_back_as_png_and_it_is_said(run, pair):
    photo, coarse = pair
    open_picture(coarse).save(photo.with_name("coarse.jpg"))
    result = run(photo, "--mask", photo.with_name("coarse.jpg"))
    assert result.stdout.strip().endswith("photo_refined.png")
    assert "lossy JPEG" in result.stderr


def test_palette_and_void_are_kept(run, pair):
    photo, coarse = pair
    ids = np.where(pixels(coarse) > 0, 12, 0).astype(np.uint8)
    ids[:4] = 255
    mask = Image.fromarray(ids)
    mask.putpalette([i * 7 % 256 for i in range(768)])
    mask.save(coarse)
    run(photo, "--mask", coarse, "-o", photo.with_name("out.png"))
    refined = open_picture(photo.with_name("out.png"))
    assert refined.getpalette() == mask.getpalette()
    assert set(np.unique(refined)) == {0, 12, 255}
    assert np.array_equal(np.asarray(refined) == 255, ids == 255)


def test_a_photograph_turned_by_exif_and_a_mask_of_the_upright_view(run, pair):
    photo, coarse = pair
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = open_picture(photo).transpose(Image.Transpose.ROTATE_90)  # 6 turns it back by 270 degrees
    turned.save(photo.with_name("turned.png"), exif=exif)
    open_picture(photo).save(photo.with_name("upright.png"))
    for name in ("turned", "upright"):
        run(photo.with_name(f"{name}.png"), "--mask", coarse, "-o", photo.with_name(f"{name}_out.png"))
    assert np.array_equal(pixels(photo.with_name("turned_out.png")), pixels(photo.with_name("upright_out.png")))


def test_labels_and_void_say_what_gray_values_mean(run, pair):
    photo, coarse = pair
    ids = np.where(pixels(coarse) > 0, 7, 0).astype(np.uint8)
    ids[:4] = 9
    Image.fromarray(ids).save(coarse)
    assert run(photo, "--mask", coarse, "--labels", "--void", 9, "-o", photo.with_name("out.png")).exit_code == 0
    refined = pixels(photo.with_name("out.png"))
    assert set(np.unique(refined)) == {0, 7, 9}
    assert np.array_equal(refined == 9, ids == 9)


def test_each_network_is_loaded_once_for_all_ids(run, pair, monkeypatch):
    photo, coarse = pair
    ids = np.where(pixels(coarse) > 0, 1 + np.arange(100) // 20, 0).astype(np.uint16)
    Image.fromarray(ids).save(coarse)
    loaded, load = [], inference.load
    monkeypatch.setattr(inference, "load", lambda *how: loaded.append(how) or load(*how))
    result = run(photo, "--mask", coarse)
    assert result.exit_code == 0, result.stderr
    assert len(loaded) == len(set(loaded)) <= 2  # straight ids, like these stripes, have weights of their own


def test_quick_sees_a_large_object_once(run, pair):
    photo, coarse = pair
    for path in pair:  # in memory 1200 x 960: its object is larger than the network's working side twice over
        with Image.open(path) as picture:
            picture.resize((1200, 960), Image.Resampling.NEAREST).save(path)
    arguments = photo, "--mask", coarse, "--soft"
    run(*arguments, "-o", photo.with_name("closer.png"))
    run(*arguments, "-o", photo.with_name("once.png"), "--quick")
    closer, once = (pixels(photo.with_name(f"{name}.png")).astype(int) for name in ("closer", "once"))
    assert np.abs(closer - once).max() > 20
    assert np.abs(closer - once).mean() < 5


@pytest.mark.parametrize("command", ["one", "batch"])
def test_best_is_the_mean_with_the_mirror_image(run, pair, command):
    photo, coarse = pair
    out = photo.with_name("out")
    how: tuple = (photo, "--mask", coarse)
    if command == "batch":
        photo.with_name("masks").mkdir()
        coarse = coarse.rename(photo.with_name("masks") / f"{photo.stem}.png")
        how = ("batch", photo.parent, "--mask-dir", coarse.parent)
    result = run(*how, "-o", f"{out}/", "--soft", "--best")
    assert result.exit_code == 0, result.stderr
    image, mask = pixels(photo), pixels(coarse)
    there = refine(image, mask, soft=True)
    mirrored = refine(np.ascontiguousarray(image[:, ::-1]), np.ascontiguousarray(mask[:, ::-1]), soft=True)[:, ::-1]
    assert np.abs(pixels(out / f"{photo.stem}.png") - 255 * (there + mirrored) / 2).max() <= 1
    assert np.abs(there - mirrored).max() > 0.01
