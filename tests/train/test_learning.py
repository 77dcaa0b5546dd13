"""Losses, learning rate, moving average, and a network that learns."""

import math
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from torch import nn

from spnrefine.errors import SpnRefineError
from spnrefine.model.spn import SPN
from spnrefine.train.data.store import Store
from spnrefine.train.lessons.batches import Batches
from spnrefine.train.lessons.losses import auxiliary_loss, patch_weights, refinement_loss
from spnrefine.train.lessons.refining import Refining
from spnrefine.train.measure.kinds import KINDS
from spnrefine.train.measure.validation import Validation
from spnrefine.train.recipe import Recipe
from spnrefine.train.settings import as_plain, with_settings
from spnrefine.train.steps.loop import Progress, run
from spnrefine.train.steps.optimiser import (
    MovingAverage,
    average_decay,
    freeze,
    learning_rate,
    limit_gradients,
    limit_variances,
    make_optimiser,
)
from spnrefine.train.steps.trainer import LOST_STEPS, Budget, Trainer


def test_the_loss_is_cross_entropy_plus_dice():
    truth = torch.tensor([[[[1.0, 0.0], [1.0, 1.0]]]])
    logits = torch.zeros_like(truth)
    dice = (2 * 1.5 + 1) / (2 + 3 + 1)
    expected = math.log(2) + 1 - dice
    assert refinement_loss(logits, truth, torch.ones_like(truth)).item() == pytest.approx(expected, abs=1e-6)
    assert refinement_loss(40 * truth - 20, truth, torch.ones_like(truth)).item() == pytest.approx(0, abs=1e-6)


def test_an_encoder_of_rate_zero_is_not_run_backward_through_and_stays():
    model = SPN().eval()
    freeze(model, Recipe(encoder_rate=0.0))
    recipe = Recipe(encoder_rate=0.0, weight_decay=0.5)
    optimiser = make_optimiser(model, recipe)
    learnt = {id(each) for group in optimiser.param_groups for each in group["params"]}
    assert learnt == {id(each) for name, each in model.named_parameters() if ".encoder." not in name}
    features = model.encoder(torch.zeros(1, 3 + model.config.classes + model.config.knows_off, 32, 32))
    assert not any(each.requires_grad for each in features)
    freeze(other := SPN(), Recipe())
    assert all(each.requires_grad for each in other.parameters())


@pytest.mark.parametrize("loss", [refinement_loss, auxiliary_loss])
def test_void_pixels_carry_neither_loss_nor_gradient(loss):
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(2, 1, 8, 8, generator=generator).requires_grad_()
    truth = (torch.rand(2, 1, 8, 8, generator=generator) > 0.5).float()
    valid = torch.ones_like(truth)
    valid[:, :, :4] = 0
    value = loss(logits, truth, valid)
    value.backward()
    assert logits.grad is not None
    assert not logits.grad[:, :, :4].any()
    assert logits.grad[:, :, 4:].all()
    other = truth.clone()
    other[:, :, :4] = 1 - other[:, :, :4]
    assert loss(logits, other, valid).item() == value.item()
    assert loss(logits, truth, torch.zeros_like(valid)).isfinite()


def test_patches_count_the_more_the_smaller_the_error_of_their_coarse_mask():
    truth = torch.zeros(3, 1, 10, 10)
    truth[:, :, :5] = 1
    coarse = truth.clone()
    coarse[1, :, 4] = 0  # IoU 0.8
    coarse[2, :, 2:5] = 0  # IoU 0.4
    weight = patch_weights(coarse, truth, torch.ones_like(truth), offset=0.2)
    torch.testing.assert_close(weight / weight[0], torch.tensor([1, 0.2 / 0.4, 0.2 / 0.8]))
    assert weight.mean().item() == pytest.approx(1)
    logits = 4 * coarse - 2
    each = [refinement_loss(*(x[i : i + 1] for x in (logits, truth, torch.ones_like(truth)))).item() for i in range(3)]
    whole = refinement_loss(logits, truth, torch.ones_like(truth), weight).item()
    assert whole == pytest.approx(sum(w * e for w, e in zip(weight.tolist(), each, strict=True)) / 3, rel=1e-5)


def test_the_rate_warms_up_and_falls_to_zero():
    recipe = Recipe(warmup_steps=10, warmup_share=0.5)
    rates = [learning_rate(1.0, step, step / 100, recipe) for step in range(101)]
    assert rates[0] == pytest.approx(0.1)
    assert max(rates) == pytest.approx(rates[9], abs=0.01)
    assert all(a >= b for a, b in pairwise(rates[9:]))
    assert rates[-1] == pytest.approx(0)


def test_a_short_run_warms_up_within_its_share():
    recipe = Recipe(warmup_steps=1000, warmup_share=0.1)
    rates = [learning_rate(1.0, step, step / 50, recipe) for step in range(50)]
    assert rates[5] == max(rates) == pytest.approx(0.98, abs=0.01)
    assert rates[1] == pytest.approx(0.2, abs=0.01)


def test_budgets_count_steps_or_minutes():
    assert Budget(steps=10).progress(5, 1e9) == 0.5
    assert Budget(minutes=2).progress(10**9, 30) == pytest.approx(0.25)
    assert Budget(minutes=2).progress(0, 500) == 1


def test_norms_and_biases_do_not_decay_and_the_encoder_is_slower():
    model = SPN()
    optimiser = make_optimiser(model, Recipe(weight_decay=0.5, encoder_rate=0.25))
    found = {id(p): (g["weight_decay"], g["rate"]) for g in optimiser.param_groups for p in g["params"]}
    for name, parameter in model.named_parameters():
        decay, rate = found.pop(id(parameter))
        assert decay == (0.5 if parameter.ndim > 1 else 0), name
        assert rate == (0.25 if name.startswith("guidance.encoder.") else 1), name
    assert not found


def test_gradients_are_shortened_and_broken_ones_dropped():
    layer = nn.Linear(3, 1, bias=False)
    layer.weight.grad = torch.tensor([[3.0, 4.0, 0.0]])
    assert limit_gradients(layer, 1.0).item() == pytest.approx(5)
    assert torch.allclose(layer.weight.grad, torch.tensor([[0.6, 0.8, 0.0]]), atol=1e-4)
    layer.weight.grad = torch.tensor([[3.0, math.nan, math.inf]])
    assert not limit_gradients(layer, 1.0).isfinite()
    assert not layer.weight.grad.any()


def test_the_average_follows_weights_and_buffers():
    model = nn.BatchNorm1d(1)
    average = MovingAverage(model)
    with torch.no_grad():
        model.weight.fill_(3)
        model.running_mean.fill_(8)
    average.update(model, 0.75)
    assert average.model.weight.item() == pytest.approx(1.5)
    assert average.model.running_mean.item() == pytest.approx(2)


def test_the_average_is_never_longer_than_its_share_of_the_run():
    recipe = Recipe(average=0.999, average_share=0.01)
    assert average_decay(4_999, 0.5, recipe) == pytest.approx(0.99)
    assert average_decay(499_999, 0.5, recipe) == pytest.approx(0.999)
    assert average_decay(0, 0.001, recipe) == pytest.approx(0.1)


def test_variances_fit_into_float16_and_the_function_stays():
    norm = nn.BatchNorm2d(3).eval()
    norm.running_var = torch.tensor([math.inf, 3.0, 1e6])
    x = torch.linspace(-1e4, 1e4, 12).view(1, 3, 2, 2)
    with torch.no_grad():
        before = norm(x)
        limit_variances(norm)
        torch.testing.assert_close(norm(x), before)
    assert norm.running_var.half().isfinite().all()
    assert norm.running_var[1] == 3


def test_it_learns(store: Store, recipe: Recipe):
    torch.manual_seed(0)
    settings = ("learning_rate=3e-3", "warmup_steps=3", "batches=((4, 64),)", "average_share=0.05")
    recipe = with_settings(recipe, settings)
    trainer = Trainer(SPN(), Refining(Batches(store, recipe, seed=0), recipe), recipe, continued=False, bfloat16=False)
    losses = []
    for _ in range(6):
        for _ in range(5):
            trainer.advance(Budget(steps=30))
        losses.append(trainer.check() / 5)
    assert losses[-1] < 0.7 * losses[0]
    report = Validation(store, recipe)(trainer.refine)
    assert set(report.kinds) == set(KINDS) - {"exact"}
    assert all(0 < score.coarse < 1 and 0 <= score.once <= 1 for score in report.kinds.values())
    assert "polygon" in str(report)


def test_a_loss_that_is_no_number_ends_the_run(store: Store, recipe: Recipe):
    model = SPN()
    with torch.no_grad():
        model.decode[1].bias.fill_(math.nan)
    trainer = Trainer(model, Refining(Batches(store, recipe, seed=0), recipe), recipe, continued=True, bfloat16=False)
    before = trainer.model.guidance.gates.weight.clone()
    trainer.advance(Budget(steps=30))
    assert torch.allclose(trainer.model.guidance.gates.weight, before, rtol=1e-3)
    assert trainer.lost.item() == 1 < LOST_STEPS
    with pytest.raises(SpnRefineError, match="lower the learning rate"):
        trainer.check()


def test_a_checkpoint_between_two_reports_takes_no_loss_from_the_mean(tmp_path: Path):
    class Steady:
        """Loses 1.0 at each step."""

        recipe, peak, step, patches, seconds, total = Recipe(log_seconds=1e9), 1e-3, 0, 0, 0.0, 0.0

        def advance(self, budget: Budget) -> None:
            self.step, self.total = self.step + 1, self.total + 1

        def check(self) -> float:
            total, self.total = self.total, 0.0
            return total

        def state(self) -> dict[str, object]:
            return {}

    seen: list[Progress] = []
    run(
        Steady(),  # type: ignore[arg-type]
        Budget(steps=10),
        measure=None,
        checkpoint=tmp_path / "run.checkpoint",
        checkpoint_minutes=0,
        settings={},
        on_progress=seen.append,
        on_report=lambda step, report: None,
    )
    assert seen[-1].step == 10
    assert {progress.loss for progress in seen} == {1.0}


@pytest.mark.parametrize("continued", [False, True])
def test_only_a_network_that_begins_gets_an_auxiliary_head(store: Store, recipe: Recipe, continued: bool):
    lesson = Refining(Batches(store, recipe, seed=0), recipe)
    trainer = Trainer(SPN(), lesson, recipe, continued=continued, bfloat16=False)
    trainer.advance(Budget(steps=30))
    assert (trainer.model.auxiliary is None) == continued
    assert trainer.check() > 0


def test_carrying_on_leaves_the_norms_alone(store: Store, recipe: Recipe):
    trainer = Trainer(SPN(), Refining(Batches(store, recipe, seed=0), recipe), recipe, continued=True, bfloat16=False)
    norms = [m for m in trainer.model.modules() if isinstance(m, nn.BatchNorm2d)]
    before = [norm.running_mean.clone() for norm in norms]
    trainer.advance(Budget(steps=30))
    assert all(torch.equal(norm.running_mean, mean) for norm, mean in zip(norms, before, strict=True))


@pytest.mark.parametrize(
    "setting", ["colour=1", "warmup_steps=1.5", "zoom_span=(1, 2, 3)", "warmup_steps", "average=", "look_sides=()"]
)
def test_settings_that_do_not_fit_are_refused(setting: str):
    with pytest.raises(SpnRefineError, match=r"no 'colour'|does not fit"):
        with_settings(Recipe(), [setting])


def test_settings_replace_numbers():
    recipe = with_settings(
        Recipe(), ["warmup_steps=7", "weight_decay=1", "batches=((1, 32),)", "zoom_span=(1, 2)", "look_sides=(96,)"]
    )
    assert (recipe.warmup_steps, recipe.weight_decay, recipe.batches) == (7, 1.0, ((1, 32),))
    assert recipe.look_sides == (96,)
    assert as_plain(recipe)["batches"] == [[1, 32]]
