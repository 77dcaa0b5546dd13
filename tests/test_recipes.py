"""The recipes of README, docs/ and the other documents: run as they stand, or read as the program reads them.

Run are those of README, docs/ and examples/. Those of docs/experiments.md and of the model cards say what was once
done, some of it in hours and on data that is not here; ``spnrefine bench`` takes minutes, ``spnrefine adapt`` half a
one, for which its own tests wait, and a cluster and an object store are not here: their options and values are checked
instead. Of the commands of other programs, what they name must be there.
"""

import importlib.util
import json
import re
import shlex
import shutil
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np
import pytest
import tifffile
from PIL import Image

from spnrefine.cli import main
from spnrefine.cli.group import COMMANDS
from spnrefine.model.config import Config
from spnrefine.train.recipe import Recipe
from spnrefine.train.settings import with_settings
from tests import documents
from tests.documents import DOCUMENTS, ROOT
from tests.model.make_check import draw

MEASURING = ("eval", "eval-labels", "eval-instances", "info")
SHELL_TAKES = re.compile(r"^(?!spnrefine )|[|<>$*;&`~?]")
OURS = ("spnrefine", "cat", "find")  # what a recipe that runs here begins with


class Recipes(NamedTuple):
    """Every command of the documents, by what is done with it here."""

    run: list[str]
    measure: list[str]
    train: list[tuple[str, str]]  # and the command after it, which uses the weights
    parse: list[str]
    others: list[str]  # of other programs


def sort_recipes() -> Recipes:
    found = Recipes([], [], [], [], [])
    for path in DOCUMENTS:
        once_done = documents.name(path) == "docs/experiments.md" or path.name == "CARD.md"
        waiting = [] if path.name == "cli.md" else documents.commands(path)  # that one is made from --help
        while waiting:
            command = waiting.pop(0)
            program, *words = shlex.split(command, comments=False)
            if program not in OURS:
                found.others.append(command)
            elif once_done or words[:1] in (["bench"], ["adapt"]) or "--engine" in words or "s3://" in command:
                found.parse.append(command)
            elif words[:1] == ["train"]:
                assert waiting, f"{documents.name(path)} does not say how the weights of {command} are used"
                found.train.append((command, waiting.pop(0)))
            else:
                (found.measure if words[:1] and words[0] in MEASURING else found.run).append(command)
    return Recipes(*(list(dict.fromkeys(commands)) for commands in found))


RECIPES = sort_recipes()
PYTHON = list(dict.fromkeys(code for path in DOCUMENTS for code in documents.fences(path, "python")))
SMALL = " ".join(
    f"--set {setting}"
    for setting in (
        *("cpu_scale=64", "validation_patches=4", "validation_side=64"),
        *("label_looks=2", "label_side=128", "label_patches=2", "label_patch=64"),
        *("matte_patch=32", "matte_batch=2", "matte_first=2", "matte_validation=2"),
    )
)
"""Settings of a recipe whose steps and validation take a moment."""


@pytest.fixture
def files(tmp_path):
    """All that the recipes name: photo.jpg, coarse.png, portrait.jpg, photos/, masks/, annotations.json, labels/, ...

    The rest is examples/, two maps of ids, and street/, label maps of two classes for training and for validation.
    """
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    shutil.copy(tmp_path / "examples/astronaut.jpg", tmp_path / "portrait.jpg")
    for name, seed in (("photo", 7), ("photos/a", 8), ("photos/sub/b", 9)):
        image, coarse = draw(80, 100, seed=seed)
        photo = tmp_path / f"{name}.jpg"
        mask = tmp_path / (f"{name.replace('photos', 'masks')}.png" if "/" in name else "coarse.png")
        for path, pixels in ((photo, image), (mask, np.uint8(255) * (coarse > 127))):
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(path)
    ids = (coarse > 127) * np.uint16(300 - 100 * (np.arange(100) > 50))
    Image.fromarray(ids).save(tmp_path / "ids.png")
    Image.fromarray(np.uint8(ids // 100)).save(tmp_path / "gray_ids.png")
    ring = [20, 20, 70, 20, 70, 60, 20, 60]
    annotation = {"id": 1, "image_id": 1, "category_id": 1, "iscrowd": 0, "segmentation": [ring]}
    image = {"id": 1, "file_name": "a.jpg", "height": 80, "width": 100}
    document = {"images": [image], "annotations": [annotation], "categories": []}
    (tmp_path / "annotations.json").write_text(json.dumps(document))
    (tmp_path / "coarse.json").write_text(json.dumps(document))
    (tmp_path / "results.json").write_text(json.dumps([annotation | {"score": 0.9}]))
    for seed in range(4):
        image, coarse = draw(80, 100, seed=10 + seed)
        for folder, pixels in (("images", image), ("labels", np.uint8(coarse > 127))):
            where = tmp_path / "street" / ("val" if seed == 3 else "train") / folder
            where.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(where / f"{seed}.png")
    for name in ("a", "sub/b"):
        shutil.copy(tmp_path / f"masks/{name}.png", tmp_path / f"masks/{name}_mask_final.png")
    listed = [f"photos/{name}.jpg\tmasks/{name}.png\n" for name in ("a", "sub/b")]
    shutil.copytree(tmp_path / "masks", tmp_path / "good")
    for folder, other in (("photos", "more"), ("masks", "more_coarse")):
        shutil.copytree(tmp_path / folder, tmp_path / other)
    (tmp_path / "pairs.tsv").write_text("".join(listed))
    write_volumes(tmp_path)
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels/a.txt").write_text("0 0.2 0.25 0.7 0.25 0.7 0.75 0.2 0.75\n")
    return tmp_path


def write_volumes(folder: Path) -> None:
    """Write what microscopes, satellites and networks give: pages, volumes of ids, many bands, a letterbox."""
    photo, coarse = (np.asarray(Image.open(folder / name)) for name in ("photo.jpg", "coarse.png"))
    Image.fromarray(photo).save(folder / "photo.png")
    tifffile.imwrite(folder / "pages.tif", np.stack([photo, photo]), photometric="rgb")
    tifffile.imwrite(folder / "masks.tif", np.stack([coarse, np.roll(coarse, 1, 0)]), photometric="minisblack")
    tifffile.imwrite(folder / "volume.tif", np.stack([np.uint16(coarse > 127) * 300] * 2), photometric="minisblack")
    bands = np.dstack([photo, photo[..., 0]]).astype(np.uint16) * 20
    tifffile.imwrite(folder / "sentinel.tif", bands, photometric="minisblack", planarconfig="contig")
    Image.fromarray(coarse).save(folder / "coarse.tif")
    np.save(folder / "masks_data.npy", np.pad(coarse > 127, ((10, 10), (0, 0))))


@pytest.fixture
def truths(run, files):
    """images/, coarse/, truth/, theirs/, labels/, of-my-network/, faces/.

    The truth is what the program makes of the coarse mask.
    """
    for folder, source in (("images", "photo.jpg"), ("coarse", "coarse.png"), ("faces", "photo.jpg")):
        (files / folder).mkdir(exist_ok=True)
        shutil.copy(files / source, files / folder / f"one{Path(source).suffix}")
    made = run(files / "photo.jpg", "--mask", files / "coarse.png", "-o", files / "truth/one.png")
    assert made.exit_code == 0, made.stderr
    with Image.open(files / "truth/one.png") as mask:
        mask.point(lambda value: value // 255).save(files / "labels/one.png")
    shutil.copytree(files / "truth", files / "theirs")
    shutil.copytree(files / "labels", files / "of-my-network", ignore=shutil.ignore_patterns("*.txt"))
    return files


@pytest.fixture
def follow(run, shell, files, monkeypatch):
    """Do what a recipe says, and return what it printed: by a shell where it takes one, else in this process."""

    def do(recipe: str) -> str:
        if SHELL_TAKES.search(recipe):
            done = shell(recipe, files)
            code, printed, said = done.returncode, done.stdout.decode(), done.stderr.decode()
        else:
            monkeypatch.chdir(files)
            program, *words = shlex.split(recipe)
            assert program == "spnrefine"
            result = run(*words)
            code, printed, said = result.exit_code, result.stdout, result.stderr
        assert code == 0, said
        assert "Traceback" not in said
        return printed

    return do


def test_there_are_recipes():
    least = {"run": 20, "measure": 5, "train": 2, "parse": 5, "others": 3}
    for kind, count in least.items():
        assert len(getattr(RECIPES, kind)) >= count, kind
    assert len(PYTHON) >= 3


@pytest.mark.parametrize("recipe", RECIPES.run)
def test_recipe(follow, files, recipe):
    if "--model mine.safetensors" in recipe:  # of `adapt`, or of an earlier training
        shutil.copy(ROOT / "weights/general/model.safetensors", files / "mine.safetensors")
    if "jq" in recipe and shutil.which("jq") is None:
        recipe = recipe.partition("| jq")[0]  # the pipe's other end is not ours
    if "annotations.json" in recipe:
        pytest.importorskip("pycocotools", reason="COCO needs the extra 'coco', a part of the extra 'test'")
    follow(recipe)


@pytest.mark.parametrize("recipe", RECIPES.measure)
def test_recipe_that_measures(follow, truths, recipe):
    assert follow(recipe)


@pytest.mark.parametrize(("train", "use"), RECIPES.train)
def test_recipe_that_trains(follow, train, use):
    sooner, count = re.subn(r"--minutes \d+", f"--minutes 0.001 {SMALL}", train)
    assert count == 1
    follow(sooner)
    follow(use)


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


def parsed(command: str) -> click.Context:
    """Read a command of ours as the program does, and run nothing."""
    words = shlex.split(command)[1:]
    command_name = words.pop(0) if words[0] in COMMANDS else "refine"
    found = main.get_command(click.Context(main), command_name)
    assert found is not None
    return found.make_context(command_name, words)


@pytest.mark.parametrize("recipe", RECIPES.parse)
def test_recipe_that_takes_long_is_understood(recipe):
    with parsed(recipe) as context:
        with_settings(Recipe(), context.params.get("settings", ()))
        network = dict(part.split("=") for part in context.params.get("network", ()))
        Config(**{key: int(value) for key, value in network.items()})


@pytest.mark.parametrize("wrong", ["spnrefine bench --no-such-option", "spnrefine train --out a --steps none"])
def test_what_is_not_understood_is_seen(wrong):
    with pytest.raises(click.UsageError):
        parsed(wrong)


@pytest.mark.parametrize("recipe", RECIPES.others)
def test_recipe_of_other_programs_names_what_is_there(recipe):
    project = (ROOT / "pyproject.toml").read_text()
    for part in recipe.split("&&"):
        words = shlex.split(part)
        if words[0] == "spnrefine":
            parsed(part).close()
        for before, word in zip(["", *words], words, strict=False):
            if before == "-m":
                assert importlib.util.find_spec(word), word
            if word.startswith(".["):
                assert all(f"\n{extra} = [" in project for extra in word[2:-1].split(",")), word
            elif "/" in word or word.endswith((".txt", ".py")):
                assert (ROOT / word).exists() or word.startswith(".venv/"), word
