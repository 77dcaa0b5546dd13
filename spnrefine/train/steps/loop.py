"""A run of steps within a budget, and what is said and saved on the way."""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spnrefine.train.lessons.lesson import Measure
from spnrefine.train.steps.checkpoint import write_checkpoint
from spnrefine.train.steps.optimiser import learning_rate
from spnrefine.train.steps.trainer import Budget, Trainer


@dataclass(frozen=True)
class Progress:
    """What a run reports now and then; ``loss`` is the mean since the last report."""

    step: int
    share: float
    loss: float
    rate: float
    patches_per_second: float


def run(
    trainer: Trainer,
    budget: Budget,
    *,
    measure: Measure | None,
    checkpoint: Path,
    checkpoint_minutes: float,
    settings: dict[str, Any],
    on_progress: Callable[[Progress], None],
    on_report: Callable[[int, object], None],
) -> int | None:
    """Train until the budget is spent, or a signal asks to stop.

    Parameters
    ----------
    measure : says how good the network is by now, now and then; None where nothing was held aside.
    checkpoint, checkpoint_minutes : where and how often an unfinished run is saved.
    settings : plain values saved with it, see :func:`~spnrefine.train.steps.checkpoint.check_same_run`.

    Returns
    -------
    None when all is done, else the number of the signal; the checkpoint is then up to date.
    """
    recipe = trainer.recipe
    said = saved = validated = time.monotonic()
    reported = (trainer.step, trainer.patches, trainer.seconds)
    last_validated = -1

    def validate() -> None:
        nonlocal last_validated, validated
        if measure is not None and last_validated != trainer.step:
            on_report(trainer.step, measure(trainer.infer))
            last_validated, validated = trainer.step, time.monotonic()

    def report() -> None:
        nonlocal said, reported
        step, patches, seconds = reported
        loss = trainer.check() / max(1, trainer.step - step)
        share = budget.progress(trainer.step, trainer.seconds)
        speed = (trainer.patches - patches) / max(1e-9, trainer.seconds - seconds)
        rate = learning_rate(trainer.peak, trainer.step, share, recipe)
        on_progress(Progress(trainer.step, share, loss, rate, speed))
        reported = (trainer.step, trainer.patches, trainer.seconds)
        said = time.monotonic()

    def save() -> None:
        nonlocal saved
        if trainer.step > reported[0]:
            report()  # which checks that there is something worth saving
        write_checkpoint(checkpoint, trainer.state() | {"settings": settings})
        saved = time.monotonic()

    with _listening() as stop:
        validate()
        while budget.progress(trainer.step, trainer.seconds) < 1 and not stop:
            trainer.advance(budget)
            if time.monotonic() - said >= recipe.log_seconds:
                report()
            if time.monotonic() - saved >= 60 * checkpoint_minutes:
                save()
            if time.monotonic() - validated >= 60 * recipe.validation_minutes:
                validate()
        if stop:
            save()
            return stop[0]
    if trainer.step > reported[0]:
        report()
    validate()
    return None


@contextmanager
def _listening() -> Iterator[list[int]]:
    """Yield a list that the first SIGINT or SIGTERM is put into; a second one acts as it always does."""
    caught: list[int] = []
    before: dict[int, Any] = {}

    def remember(number: int, frame: object) -> None:
        caught.append(number)
        restore()

    def restore() -> None:
        for each, handler in before.items():
            signal.signal(each, handler)

    for asked in (signal.SIGINT, signal.SIGTERM):
        before[asked] = signal.signal(asked, remember)
    try:
        yield caught
    finally:
        restore()
