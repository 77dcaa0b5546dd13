"""The command itself: weights come out, an interrupted run goes on as if nothing had been, mistakes are told."""

import signal
from pathlib import Path

import pytest
import torch

from spnrefine.model import storage, weights
from spnrefine.train.steps.checkpoint import checkpoint_path, read_checkpoint
from spnrefine.train.steps.start import terms_of
from spnrefine.train.steps.trainer import Trainer
from tests.train.sets import SMALL, VOID


@pytest.fixture
def train(run, tree: Path):
    """Run ``spnrefine train`` for eight tiny steps."""

    def invoke(out: Path, *more: object, steps: int = 8):
        small = [word for setting in SMALL for word in ("--set", setting)]
        return run(
            "train", "--data", tree, "--void", f"ids={VOID}", "--out", out, "--steps", steps, "--device", "cpu",
            "--threads", 1, "--set", "held_aside=0.2", *small, *more,
        )  # fmt: skip

    return invoke


@pytest.fixture
def stop_after(monkeypatch: pytest.MonkeyPatch):
    """Send this process a signal as soon as so many steps are done."""
    advance = Trainer.advance

    def arrange(steps: int, number: signal.Signals) -> None:
        def advance_and_stop(trainer: Trainer, budget) -> None:
            advance(trainer, budget)
            if trainer.step == steps:
                signal.raise_signal(number)

        monkeypatch.setattr(Trainer, "advance", advance_and_stop)

    return arrange


def tensors(state: object) -> list[torch.Tensor]:
    if isinstance(state, torch.Tensor):
        return [state]
    children = state.values() if isinstance(state, dict) else state if isinstance(state, list | tuple) else ()
    return [tensor for child in children for tensor in tensors(child)]


CARRIED_ON = pytest.mark.slow(reason="what is carried on is saved and resumed as what begins is")


@pytest.mark.parametrize(
    "start", [pytest.param((), id="scratch"), pytest.param(("--from", "general"), marks=CARRIED_ON, id="general")]
)
def test_stopped_and_resumed_equals_uninterrupted(train, stop_after, tmp_path: Path, start: tuple[str, ...]):
    fast = ("--set", "learning_rate=1e-2", "--set", "learning_rate_continued=1e-2", "--set", "warmup_steps=1", *start)
    straight, broken = tmp_path / "straight.safetensors", tmp_path / "broken.safetensors"
    stop_after(2, signal.SIGTERM)
    assert train(straight, *fast).exit_code == 128 + signal.SIGTERM
    stop_after(1, signal.SIGINT)
    stopped = train(broken, *fast)
    assert stopped.exit_code == 130
    assert "--resume" in stopped.stderr
    halfway = read_checkpoint(checkpoint_path(broken))
    stop_after(2, signal.SIGTERM)
    assert train(broken, *fast, "--resume").exit_code == 128 + signal.SIGTERM
    one, two = (read_checkpoint(checkpoint_path(out)) for out in (straight, broken))
    assert one["lesson"]["host"] == two["lesson"]["host"] != halfway["lesson"]["host"]
    assert one["counts"]["step"] == two["counts"]["step"] == 2
    pairs = list(zip(tensors(one), tensors(two), strict=True))
    assert len(pairs) > 500
    assert all(torch.equal(a, b) for a, b in pairs)
    assert not all(torch.equal(a, b) for a, b in zip(tensors(one), tensors(halfway), strict=True))


def test_a_run_writes_weights_that_say_where_they_come_from(train, tmp_path: Path):
    out = tmp_path / "new" / "made.safetensors"
    done = train(out, "--checkpoint-minutes", 0, "--seed", 4, steps=2)
    assert done.exit_code == 0, done.stderr
    assert done.stdout.strip() == str(out)
    assert done.stderr.count("validation: IoU error") == 2
    assert "\\n" not in done.stderr  # what is of several lines stands on them
    assert "patches/s" in done.stderr
    assert not checkpoint_path(out).exists()
    made = weights.describe(out).provenance
    assert (made["seed"], made["steps"], made["patches"], made["start"]) == (4, 2, 3, "scratch")
    assert set(made["data"]) == {"discs", "ids"}
    assert storage.load(out).auxiliary is None
    again = train(out, steps=2)
    assert again.exit_code == 1
    assert "exists" in again.stderr


def test_the_terms_of_what_a_training_began_as_hold_on():
    general = weights.describe("general").provenance["terms"]
    assert terms_of(None, None, None) is None
    assert terms_of("ours", None, None) == "ours"
    assert terms_of(None, "general", None) == f"of general: {general}"
    assert terms_of("ours", "general", "general") == f"ours; of general: {general}"


def test_minutes_end_a_run(train, run, tree: Path, tmp_path: Path):
    out = tmp_path / "brief.safetensors"
    small = [word for setting in SMALL for word in ("--set", setting)]
    images, masks = tree / "discs" / "images", tree / "discs" / "masks"
    done = run(
        "train", "--images", images, "--masks", masks, "--minutes", 0.01, "--out", out, "--device", "cpu", *small
    )
    assert done.exit_code == 0, done.stderr
    assert weights.describe(out).provenance["steps"] >= 1


def test_resuming_needs_the_checkpoint_and_the_same_settings(train, stop_after, tmp_path: Path):
    out = tmp_path / "made.safetensors"
    missing = train(out, "--resume")
    assert missing.exit_code == 1
    assert "no checkpoint" in missing.stderr
    stop_after(1, signal.SIGTERM)
    train(out)
    started_again = train(out)
    assert started_again.exit_code == 1
    assert "unfinished run" in started_again.stderr
    other_seed = train(out, "--resume", "--seed", 9)
    assert other_seed.exit_code == 1
    assert "another seed (0, now 9)" in other_seed.stderr
    checkpoint_path(out).write_bytes(b"no checkpoint")
    broken = train(out, "--resume")
    assert broken.exit_code == 1
    assert "cannot be read" in broken.stderr


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--steps", 1), "--data and --images"),
        (("--data", "x"), "--steps and --minutes"),
        (("--data", "x", "--steps", 1, "--minutes", 1), "--steps and --minutes"),
        (("--images", "x", "--steps", 1), "Only one of --images and --masks"),
        (("--data", "x", "--steps", 1, "--from", "a", "--imagenet", "b"), "--from and --imagenet"),
    ],
)
def test_wrong_usage(run, options: tuple[object, ...], said: str, tmp_path: Path):
    result = run("train", "--out", tmp_path / "w.safetensors", *options)
    assert result.exit_code == 2
    assert said in result.stderr


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--data", "nowhere"), "nowhere is no folder"),
        (("--data", ".", "--from", "nobody"), "No weights 'nobody'"),
        (("--data", ".", "--from", "object"), "object is a backbone, which makes a mask from a photograph"),
        (("--data", ".", "--from", "face"), "give --encoder-alone to take only what sees the photograph"),
        (("--data", ".", "--from", "matte", "--encoder-alone"), "which have nothing in common: name other weights"),
        (("--data", "nowhere", "--from", "object", "--encoder-alone"), "nowhere is no folder"),
        (("--data", "nowhere", "--from", "general", "--task", "labels"), "nowhere is no folder"),
        (("--data", ".", "--void", "black"), "--void was 'black'"),
        (("--data", ".", "--set", "colour=1"), "no 'colour'"),
        (("--data", ".", "--imagenet", "nowhere.pth"), "nowhere.pth is not a readable .pth"),
    ],
)
def test_wrong_input(run, options: tuple[object, ...], said: str, tmp_path: Path):
    result = run("train", "--out", tmp_path / "w.safetensors", "--steps", 1, *options)
    assert result.exit_code == 1
    assert said in result.stderr


def test_a_folder_that_cannot_be_made_is_told_before_any_work(run, tree: Path, tmp_path: Path):
    (tmp_path / "file").write_text("no folder")
    result = run("train", "--data", tree, "--steps", 1, "--out", tmp_path / "file" / "w.safetensors")
    assert result.exit_code == 1
    assert "is no folder" in result.stderr
    assert "pairs" not in result.stderr
