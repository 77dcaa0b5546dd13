import json

import numpy as np
import pytest
from PIL import Image

from spnrefine.adapt.examples import Example
from spnrefine.adapt.temperature import fit_temperature
from spnrefine.errors import WeightsError
from spnrefine.model import weights
from spnrefine.model.rewriting import with_header
from spnrefine.refiner.temperature import at_temperature
from tests.pictures import open_picture

SHAPE = 60, 80


def examples(count, too_sure):
    """Photographs whose objects are as probable as the first says; what is refined says so too surely."""
    rng = np.random.default_rng(0)
    coarse = np.zeros(SHAPE, np.float32)
    coarse[:, 40:] = 1
    for number in range(count):
        logits = rng.normal(0, 2, SHAPE)
        truth = rng.random(SHAPE) < 1 / (1 + np.exp(-logits))
        said = (1 / (1 + np.exp(-too_sure * logits))).astype(np.float32)
        yield Example(str(number), np.zeros((*SHAPE, 3), np.uint8), coarse, truth, np.ones(SHAPE, bool)), said


def fitted(count, too_sure):
    pairs = list(examples(count, too_sure))
    said = iter([each for _, each in pairs])
    return fit_temperature([example for example, _ in pairs], lambda image, coarse: next(said))


def test_a_temperature_undoes_what_was_done():
    p = np.array([[0, 0.1, 0.5, 0.8, 1]], np.float32)
    assert at_temperature(at_temperature(p, 2.5), 0.4) == pytest.approx(p, abs=1e-6)
    assert at_temperature(p, 2)[0, 3] == pytest.approx(2 / 3)  # odds of 4, and of their root
    assert at_temperature(p, 2)[0, [0, 2, 4]].tolist() == [0, 0.5, 1]


@pytest.mark.parametrize("too_sure", [2.0, 0.5])
def test_the_temperature_of_what_is_too_sure_or_not_sure_enough_is_found(too_sure):
    found = fitted(6, too_sure)
    assert found.temperature == pytest.approx(too_sure, rel=0.08)
    assert found.after < found.before


def test_where_nothing_is_gained_there_is_none():
    assert fitted(1, 2.0) is None, "no other picture tells"
    found = fitted(6, 1.0)
    assert found is None or found.temperature == pytest.approx(1, rel=0.08)


@pytest.fixture
def warm(tmp_path):
    path = tmp_path / "warm.safetensors"
    path.write_bytes(with_header("general", {weights.TEMPERATURE: "2.0"}))
    return path


def test_soft_masks_are_written_at_the_temperature_of_the_weights(run, pair, tmp_path, warm):
    photo, mask = pair
    written = {}
    for name, model in (("plain", "general"), ("warm", warm)):
        for how in ("--soft", "--overwrite"):  # the latter hard
            out = tmp_path / f"{name}{how}.png"
            assert run("refine", photo, "--mask", mask, "-o", out, "--model", model, how).exit_code == 0
            written[name, how] = np.asarray(open_picture(out))
    assert (written["plain", "--overwrite"] == written["warm", "--overwrite"]).all()
    before, after = (written[name, "--soft"] / np.float32(255) for name in ("plain", "warm"))
    assert np.abs(before - after).max() > 0.05
    known = (before > 0.05) & (before < 0.95)  # farther out a level of 8 bits is much at a temperature of 2
    assert np.abs(at_temperature(before, 2) - after)[known].max() < 0.01
    described = json.loads(run("info", warm, "--json").stdout)["weights"][0]
    assert described["temperature"] == 2
    assert weights.describe(warm).identity != weights.describe("general").identity


def test_calibration_says_at_which_temperature_it_is(run, pair, tmp_path, warm):
    photo, mask = pair
    for name, path in (("images", photo), ("coarse", mask), ("truth", mask)):
        (tmp_path / name).mkdir()
        Image.open(path).save(tmp_path / name / "a.png")
    places = [part for name in ("images", "coarse", "truth") for part in (f"--{name}", tmp_path / name)]
    shown = run("eval", *places, "--model", warm, "--calibration")
    assert "Probabilities of refined masks are at a temperature of 2, by 'adapt'." in shown.stdout


def test_a_temperature_that_is_none_is_refused(tmp_path):
    path = tmp_path / "odd.safetensors"
    path.write_bytes(with_header("general", {weights.TEMPERATURE: "nan"}))
    with pytest.raises(WeightsError, match="temperature nan"):
        weights.describe(path)
