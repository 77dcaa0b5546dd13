"""Networks that are told how far off a mask's edge may be: how they begin, and how they are measured."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from spnrefine.model import storage
from spnrefine.model.config import Config
from spnrefine.model.spn import SPN
from spnrefine.train.data.store import Store
from spnrefine.train.measure.kinds import KINDS
from spnrefine.train.measure.validation import Validation
from spnrefine.train.recipe import Recipe
from spnrefine.train.steps.start import begin
from spnrefine.train.tasks import Binary


def test_a_network_that_is_told_begins_as_the_one_that_was_not(tmp_path: Path):
    torch.manual_seed(0)
    path = tmp_path / "plain.safetensors"
    storage.save(SPN(), path)
    plain, told = storage.load(path), SPN(Config(knows_off=1))
    assert begin(told, str(path), None).continued
    image, coarse = torch.rand(2, 3, 64, 64), torch.rand(2, 1, 64, 64)
    with torch.no_grad():
        before = plain.eval()(image, coarse)
        for off in (None, torch.tensor([-0.8, 1.0]).view(2, 1, 1, 1)):
            torch.testing.assert_close(told.eval()(image, coarse, off), before, rtol=1e-4, atol=1e-4)
    assert not begin(SPN(Config(knows_off=1, channels=8)), str(path), None).continued
    storage.save(told, tmp_path / "told.safetensors")
    assert storage.load(tmp_path / "told.safetensors").config.knows_off == 1
    assert not begin(SPN(), str(tmp_path / "told.safetensors"), None).continued


def test_a_run_from_a_network_that_is_told_carries_it_on():
    carried_on = Binary({}, "general").model
    assert carried_on.config.knows_off == 1
    assert begin(carried_on, "general", None).continued
    assert Binary({}).model.config.knows_off == Binary({"knows_off": 0}, "general").model.config.knows_off == 0


def test_what_stays_as_it_is_removes_nothing(store: Store, recipe: Recipe):
    report = Validation(store, recipe)(lambda image, coarse: coarse)
    assert set(report.by_set) == {"discs", "ids"}
    assert all(set(scores) == set(KINDS) - {"exact"} for scores in report.by_set.values())
    assert all(score.removed == 0 and score.worse == 0 for score in report.kinds.values())
    assert report.exact == (0.0, None)
    assert report.told is None
    assert "discs" in str(report)


def test_a_network_that_is_told_is_measured_both_ways(store: Store, recipe: Recipe):
    """One that inverts exact masks unless it is told that they are, and brings all others nearer when told anything."""
    validation = Validation(store, recipe)

    def refine(image: Tensor, coarse: Tensor, off: Tensor | None = None) -> Tensor:
        return 1 - coarse if off is None else coarse

    report = validation(refine, knows_off=True)
    assert report.exact[0] > 0.5
    assert report.exact[1] == 0
    assert report.told is not None
    assert report.told.removed == 0
    assert report.whole.worse > 0.9
    assert np.isclose(report.whole.coarse, report.told.coarse)
