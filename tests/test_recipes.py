"""The recipes of the README, run as they stand."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.model.make_check import draw

README = (Path(__file__).parents[1] / "README.md").read_text()
USE = README.partition("## Use")[2].partition("### What a mask means")[0]
RECIPES = re.findall(r"^    ((?:spnrefine|cat|find) .*)$", USE, re.MULTILINE)
MEASURES = re.findall(r"^    (spnrefine (?:eval|eval-labels|info)(?: (?!.*safetensors).*)?)$", README, re.MULTILINE)
TRAINS = re.findall(r"^    (spnrefine train .*)\n    (spnrefine .*)$", README, re.MULTILINE)
PYTHON = re.findall(r"^```python\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


@pytest.fixture
def files(tmp_path):
    """All that the recipes name: photo.jpg, coarse.png, portrait.jpg, photos/, masks/, annotations.json, labels/, ...

    The rest is street/, label maps of two classes for training and for validation.
    """
    shutil.copy(Path(__file__).parents[1] / "examples" / "astronaut.jpg", tmp_path / "portrait.jpg")
    for name, seed in (("photo", 7), ("photos/a", 8), ("photos/sub/b", 9)):
        image, coarse = draw(80, 100, seed=seed)
        photo = tmp_path / f"{name}.jpg"
        mask = tmp_path / (f"{name.replace('photos', 'masks')}.png" if "/" in name else "coarse.png")
        for path, pixels in ((photo, image), (mask, np.uint8(255) * (coarse > 127))):
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(path)
    ring = [20, 20, 70, 20, 70, 60, 20, 60]
    annotation = {"id": 1, "image_id": 1, "category_id": 1, "iscrowd": 0, "segmentation": [ring]}
    image = {"id": 1, "file_name": "a.jpg", "height": 80, "width": 100}
    document = {"images": [image], "annotations": [annotation], "categories": []}
    (tmp_path / "annotations.json").write_text(json.dumps(document))
    for seed in range(4):
        image, coarse = draw(80, 100, seed=10 + seed)
        for folder, pixels in (("images", image), ("labels", np.uint8(coarse > 127))):
            where = tmp_path / "street" / ("val" if seed == 3 else "train") / folder
            where.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(where / f"{seed}.png")
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels/a.txt").write_text("0 0.2 0.25 0.7 0.25 0.7 0.75 0.2 0.75\n")
    return tmp_path


@pytest.fixture
def truths(run, files):
    """images/, coarse/, truth/, labels/, faces/; the truth is what the program makes of the coarse mask."""
    shutil.copytree(Path(__file__).parents[1] / "examples", files / "examples")
    for folder, source in (("images", "photo.jpg"), ("coarse", "coarse.png"), ("faces", "photo.jpg")):
        (files / folder).mkdir(exist_ok=True)
        shutil.copy(files / source, files / folder / f"one{Path(source).suffix}")
    made = run(files / "photo.jpg", "--mask", files / "coarse.png", "-o", files / "truth/one.png")
    assert made.exit_code == 0, made.stderr
    with Image.open(files / "truth/one.png") as mask:
        mask.point(lambda value: value // 255).save(files / "labels/one.png")
    return files


def test_there_are_recipes():
    assert len(RECIPES) >= 10
    assert len(MEASURES) >= 3
    assert len(TRAINS) >= 1
    assert len(PYTHON) >= 2


@pytest.mark.parametrize("recipe", RECIPES)
def test_recipe(shell, files, recipe):
    if "jq" in recipe and shutil.which("jq") is None:
        recipe = recipe.partition("| jq")[0]  # the pipe's other end is not ours
    if "annotations.json" in recipe:
        pytest.importorskip("pycocotools", reason="COCO needs the extra 'coco', a part of the extra 'test'")
    result = shell(recipe, files)
    assert result.returncode == 0, result.stderr.decode()
    assert b"Traceback" not in result.stderr


@pytest.mark.parametrize("recipe", MEASURES)
def test_recipe_that_measures(shell, truths, recipe):
    result = shell(recipe, truths)
    assert result.returncode == 0, result.stderr.decode()
    assert result.stdout


@pytest.mark.parametrize(("train", "use"), TRAINS)
def test_recipe_that_trains(shell, files, train, use):
    sooner, count = re.subn(r"--minutes \d+", "--minutes 0.001 --set cpu_scale=64", train)
    assert count == 1
    trained = shell(sooner, files)
    assert trained.returncode == 0, trained.stderr.decode()
    used = shell(use, files)
    assert used.returncode == 0, used.stderr.decode()


@pytest.mark.parametrize("code", PYTHON)
def test_python_recipe(code):
    import torch

    image, coarse = draw(40, 50, seed=7)
    named = {
        "image": image,
        "mask": coarse > 127,
        "x": torch.rand(1, 2, 6, 7),
        "guidance": torch.rand(1, 4, 3, 2, 6, 7),
    }
    exec(code, named)
    for result in ("refined", "probability", "h"):
        if result in named:
            assert named[result].shape in (image.shape[:2], named["x"].shape)
