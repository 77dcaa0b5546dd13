"""Steps that are captured or drawn ahead do what plain steps do; here without a GPU, a captured call simply repeats."""

from collections.abc import Callable

import pytest
import torch
from torch import nn

from spnrefine.model.cuda_graphs import WARM_UPS
from spnrefine.model.spn import SPN
from spnrefine.ops.cuda import tensors
from spnrefine.train.data.store import Store
from spnrefine.train.lessons.batches import Batches
from spnrefine.train.lessons.refining import Refining
from spnrefine.train.recipe import Recipe
from spnrefine.train.steps.capture import Captured, put_back, tensors_of, with_tensors
from spnrefine.train.steps.execution import Execution, execution_on
from spnrefine.train.steps.optimiser import load_optimiser, make_optimiser, set_rate
from spnrefine.train.steps.trainer import Budget, Trainer

Call = Callable[[], int]


def pretend_to_record(call: Call, device: torch.device) -> tuple[Callable[[], None], int]:
    for _ in range(WARM_UPS):
        call()
    result = call()

    def replay() -> None:
        call()

    return replay, result


def trainer(store: Store, recipe: Recipe, *, captured: bool) -> Trainer:
    torch.manual_seed(0)
    made = Trainer(SPN(), Refining(Batches(store, recipe, seed=2), recipe), recipe, continued=False, bfloat16=False)
    if captured:
        made.learn = Captured(made._learn, made._held, pretend_to_record)
    return made


def test_captured_steps_equal_plain_ones(store: Store, recipe: Recipe):
    plain, captured = (trainer(store, recipe, captured=flag) for flag in (False, True))
    captured.warm_up()
    for _ in range(3):
        for each in (plain, captured):
            each.advance(Budget(steps=30))
    assert plain.patches == captured.patches > 0
    held, other = plain._held(), captured._held()
    assert held.keys() == other.keys()
    assert all(torch.equal(held[name], other[name]) for name in held)
    averages = (each.average.model.state_dict().values() for each in (plain, captured))
    assert all(torch.equal(a, b) for a, b in zip(*averages, strict=True))
    assert len(captured.learn._graphs) == 2  # type: ignore[attr-defined]


def test_all_kernels_are_ready_before_the_first_step(store: Store, recipe: Recipe, monkeypatch: pytest.MonkeyPatch):
    """On a device that is made up: the lesson says that it is there."""
    asked = []
    monkeypatch.setattr(tensors, "prepare", lambda *given, training: asked.append((*given, training)))
    made = trainer(store, recipe, captured=False)
    made.warm_up()
    assert asked == []
    made.lesson.device = torch.device("cuda")
    made.warm_up()
    made.bfloat16 = True
    made.warm_up()
    assert asked == [(torch.device("cuda"), dtype, True) for dtype in (torch.float32, torch.bfloat16)]


def test_a_step_changes_only_what_is_said_to_be_held(store: Store, recipe: Recipe):
    one = trainer(store, recipe, captured=False)
    drawn = one.lesson.draw(0, one.infer)
    kept = [tensor.clone() for tensor in tensors_of(drawn)]
    before = {name: tensor.clone() for name, tensor in one._held().items()}
    one._learn(drawn)
    first = {name: tensor.clone() for name, tensor in one._held().items()}
    put_back(one._held(), before)
    one._learn(drawn)
    assert all(torch.equal(tensor, first[name]) for name, tensor in one._held().items())
    assert all(torch.equal(a, b) for a, b in zip(tensors_of(drawn), kept, strict=True))


def test_tensors_are_exchanged_in_order():
    drawn = (torch.zeros(1), 7, torch.ones(1))
    assert [tensor.item() for tensor in tensors_of(drawn)] == [0, 1]
    other = with_tensors(drawn, [torch.full((1,), 2.0), torch.full((1,), 3.0)])
    assert (other[0].item(), other[1], other[2].item()) == (2, 7, 3)


def test_a_cpu_does_all_in_turn():
    assert execution_on(torch.device("cpu")) == Execution()


def test_rates_that_are_tensors_stay_where_they_are():
    model = nn.Linear(2, 1)
    optimiser = make_optimiser(model, Recipe())
    rates = [torch.zeros(()) for _ in optimiser.param_groups]
    for group, rate in zip(optimiser.param_groups, rates, strict=True):
        group["lr"] = rate
    load_optimiser(optimiser, make_optimiser(model, Recipe()).state_dict())
    set_rate(optimiser, 0.5)
    assert [rate.item() for rate in rates] == pytest.approx([0.5 * group["rate"] for group in optimiser.param_groups])
