import json
import shutil
from itertools import pairwise

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from spnrefine import FileError
from spnrefine.adapt.held_aside import split_pairs
from spnrefine.adapt.training import SETTINGS, command
from spnrefine.cli import main
from spnrefine.cli.train import train
from spnrefine.model import weights
from spnrefine.train.recipe import Recipe
from spnrefine.train.settings import with_settings


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    top = tmp_path_factory.mktemp("twenty")
    for name in ("images", "good", "coarse"):
        (top / name).mkdir()
    for number in range(20):
        image = np.full((48, 64, 3), 40, np.uint8)
        image[8:38, 12 + number % 7 : 50] = 200
        good = np.where(image[..., 0] > 100, np.uint8(255), np.uint8(0))
        Image.fromarray(image).save(top / f"images/{number}.png")
        Image.fromarray(good).save(top / f"good/{number}.png")
        Image.fromarray(np.roll(good, 4, (0, 1))).save(top / f"coarse/{number}.png")
    return top


def test_no_pair_is_on_both_sides_and_none_is_lost(pairs, tmp_path):
    learnt, held = split_pairs(pairs / "images", pairs / "good", tmp_path / "a")
    names = [{path.name for path in (half / "masks").iterdir()} for half in (learnt, held)]
    assert [len(each) for each in names] == [15, 5]
    assert names[0] | names[1] == {f"{number}.png" for number in range(20)}
    again = split_pairs(pairs / "images", pairs / "good", tmp_path / "b")[1]
    assert {path.name for path in (again / "images").iterdir()} == names[1]
    assert (held / "images" / min(names[1])).read_bytes() == (pairs / "images" / min(names[1])).read_bytes()


def test_names_need_be_no_text(pairs, tmp_path):
    name = b"\xff.png".decode("utf-8", "surrogateescape")
    for folder in ("images", "good"):
        shutil.copytree(pairs / folder, tmp_path / folder)
        (tmp_path / folder / "0.png").rename(tmp_path / folder / name)
    halves = split_pairs(tmp_path / "images", tmp_path / "good", tmp_path / "split")
    assert name in {path.name for half in halves for path in (half / "masks").iterdir()}


def test_sub_folders_are_kept(pairs, tmp_path):
    for name in ("images", "good"):
        for half in ("a", "b"):
            shutil.copytree(pairs / name, tmp_path / name / half)
    halves = split_pairs(tmp_path / "images", tmp_path / "good", tmp_path / "split")
    assert [len(list(half.rglob("masks/*/*.png"))) for half in halves] == [30, 10]


@pytest.mark.parametrize(("ids", "told"), [((0, 255), False), ((0, 1, 2, 3), True)])
def test_maps_of_ids_are_trained_on_as_such(tmp_path, ids, told):
    (tmp_path / "masks").mkdir()
    stripes = np.array(ids, np.uint16 if told else np.uint8).repeat(8)[None].repeat(16, 0)
    Image.fromarray(stripes).save(tmp_path / "masks/1.png")
    said = command(tmp_path, "general", 2.0, tmp_path / "out.safetensors", "cpu", 2)
    assert ("--labels" in said) is told
    assert said[said.index("--images") + 1] == str(tmp_path / "images")
    settings = [value for name, value in pairwise(said) if name == "--set"]
    recipe = with_settings(Recipe(), settings)
    assert len(settings) == len(SETTINGS)
    assert (recipe.encoder_rate, recipe.held_aside) == (0, 0)


def test_too_few_pairs_to_train_on_are_refused(pairs, tmp_path):
    (tmp_path / "few").mkdir()
    (tmp_path / "few/1.png").write_bytes((pairs / "good/1.png").read_bytes())
    with pytest.raises(FileError, match="1 pairs were found: expected at least 20"):
        split_pairs(pairs / "images", tmp_path / "few", tmp_path / "a")


@pytest.mark.slow(reason="refines some eighty masks")
@pytest.mark.parametrize(("made", "kept"), [("general", True), ("bad", False)])
def test_new_weights_are_kept_only_where_they_are_better_on_pairs_held_aside(pairs, tmp_path, monkeypatch, made, kept):
    heard = []

    def trained(command, **_):
        heard.extend(command)
        out = command[command.index("--out") + 1]
        data = weights.find("general").read_bytes()
        if made == "bad":
            from safetensors.numpy import load, save

            state = {key: np.zeros_like(value) if "decode" in key else value for key, value in load(data).items()}
            header = {**_header("general"), "sha256": weights.checksum(state)}
            data = save(state, metadata=header)
        with open(out, "wb") as file:  # noqa: PTH123
            file.write(data)

    monkeypatch.setattr(train, "main", trained)
    out = tmp_path / "mine.safetensors"
    arguments = ["--images", pairs / "images", "--masks", pairs / "good", "--coarse", pairs / "coarse"]
    done = CliRunner().invoke(
        main, ["adapt", *map(str, arguments), "--minutes", "1", "--model", "broad", "--out", str(out), "--json"]
    )
    assert done.exit_code == 0, done.output
    facts = json.loads(done.stdout)
    assert facts["trained"] is kept
    assert facts["pictures"] == (5 if kept else 20)
    assert heard[heard.index("--from") + 1] == "broad"
    assert weights.describe(out).sha256 == weights.describe("general" if kept else "broad").sha256


def _header(name):
    from safetensors import safe_open

    with safe_open(weights.find(name), framework="np") as file:
        return file.metadata()
