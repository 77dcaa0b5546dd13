"""What ``spnrefine train`` does: read, start or resume, train, write."""

import hashlib
import os
import platform
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from tqdm import tqdm

from spnrefine.errors import SpnRefineError
from spnrefine.files.classes import read_classes
from spnrefine.files.reserved import locked, prepare_folder
from spnrefine.model import storage, weights
from spnrefine.train.data.found_classes import classes_of
from spnrefine.train.data.pairs import Pair, Split, find_folders, find_tree, with_coarse
from spnrefine.train.data.store import Store, build_store, memory_of
from spnrefine.train.recipe import Recipe
from spnrefine.train.settings import as_plain, with_settings
from spnrefine.train.steps.checkpoint import check_same_run, checkpoint_path, earlier_run
from spnrefine.train.steps.display import Display, say
from spnrefine.train.steps.execution import execution_on
from spnrefine.train.steps.loop import run
from spnrefine.train.steps.memory import keep_freed_memory
from spnrefine.train.steps.start import begin, check_kind, terms_of
from spnrefine.train.steps.trainer import Budget, Trainer
from spnrefine.train.tasks import Backbone, Binary, Labels, Mattes, Task
from spnrefine.version import __version__

MOST_DIGITS = 9  # of a whole number


@dataclass(frozen=True)
class Options:
    """The command's options, as it names them; ``device`` is resolved."""

    task: str
    network: Sequence[str]
    classes: Path | None
    data: Path | None
    images: Path | None
    masks: Path | None
    coarse: Sequence[Path]
    labels: bool
    void: Sequence[str]
    out: Path
    overwrite: bool
    start: str | None
    encoder_alone: bool
    base: str | None
    terms: str | None
    imagenet: Path | None
    steps: int | None
    minutes: float | None
    seed: int
    device: torch.device
    threads: int | None
    max_pairs: int | None
    settings: Sequence[str]
    checkpoint_minutes: float
    resume: bool


def train_command(options: Options) -> int:
    """Train and write the weights; return the exit code: 0, or 128 + the number of the signal that interrupted."""
    inputs = [weights.find(given) for given in (options.start, options.base) if given is not None]
    if options.start is not None:
        check_kind(options.task, options.start, encoder_alone=options.encoder_alone)
    prepare_folder(options.out, inputs, overwrite=options.overwrite)
    with locked(options.out):
        return _train(options)


def _train(options: Options) -> int:
    threads = options.threads or torch.get_num_threads()
    torch.set_num_threads(threads)
    recipe = with_settings(Recipe(), options.settings)
    checkpoint = checkpoint_path(options.out)
    saved = earlier_run(checkpoint, resume=options.resume, overwrite=options.overwrite)
    torch.manual_seed(options.seed)  # of all that is initialised: a new network, and the auxiliary head of any
    task = _task(options, recipe)
    start = begin(task.model, options.start, options.imagenet, options.base)
    if options.start is not None and not start.continued:
        info = weights.describe(options.start)
        kind = weights.PURPOSES[info.architecture]
        say(f"{info.name} is {kind}, not the network that is trained here: what fits is taken over, the rest is new.")
    split = _find(options, recipe)
    settings = {
        "task": options.task,
        "start": start.words,
        "network": asdict(cast(Any, task.model).config),
        "seed": options.seed,
        "recipe": as_plain(recipe),
        "data": _fingerprint(split.train),
        "budget": {"steps": options.steps, "minutes": options.minutes},
    }
    if saved is not None:
        check_same_run(saved["settings"], settings)

    def load(what: str, pairs: list[Pair], seed: int) -> Store:
        return _load(what, pairs, options, recipe, threads, seed)

    ready = task.prepare(split, recipe, options.seed, options.device, load)
    keep_freed_memory()  # only now: a store grows by mapping
    trainer = Trainer(
        task.model,
        ready.lesson,
        recipe,
        continued=start.continued,
        bfloat16=_has_bfloat16(options.device, recipe),
        execution=execution_on(options.device),
    )
    if saved is not None:
        trainer.set_state(saved)
        say(f"resumed at step {trainer.step} from {checkpoint}")
    trainer.warm_up()
    reports: list[object] = []

    def on_report(step: int, report: object) -> None:
        reports.append(report)
        for line in f"step {step}: {report}".split("\n"):
            say(line)

    budget = Budget(options.steps, options.minutes)
    if ready.measure is not None and options.minutes is not None:
        kept = ready.measure.fit(_validation_seconds(options.minutes, recipe), trainer.infer)
        if kept is not None:
            say(f"validation is on {kept}, so that it takes a tenth of the time at most")
    with Display() as display:
        interrupted = run(
            trainer,
            budget,
            measure=ready.measure,
            checkpoint=checkpoint,
            checkpoint_minutes=options.checkpoint_minutes,
            settings=settings,
            on_progress=display.show,
            on_report=on_report,
        )
    if interrupted is not None:
        say(f"Interrupted at step {trainer.step}; the same command with --resume carries on from {checkpoint}.")
        return 128 + interrupted
    provenance = settings | {
        "data": ready.counts,
        "terms": terms_of(options.terms, options.start, options.base),
        "steps": trainer.step,
        "patches": trainer.patches,
        "hours": round(trainer.seconds / 3600, 3),
        "device": _device_name(options.device),
        "versions": {"spnrefine": __version__, "torch": torch.__version__, "numpy": np.__version__},
    }
    if reports:
        provenance["validation"] = str(reports[-1])
    storage.save(trainer.result(), options.out, classes=task.classes, provenance=provenance)
    checkpoint.unlink(missing_ok=True)
    print(options.out)
    return 0


def _task(options: Options, recipe: Recipe) -> Task:
    """Make the network of the task; the seed has been set."""
    network = {}
    for text in options.network:
        name, _, number = text.partition("=")
        if not number.isdecimal() or len(number) > MOST_DIGITS:
            raise SpnRefineError(f"--network was {text!r}: expected NAME=NUMBER, as in channels=32.")
        network[name] = int(number)
    if options.task == "object":
        return Backbone(network)
    if options.task == "matte":
        return Mattes(network)
    if options.task == "labels":
        known = read_classes(options.classes) if options.classes else classes_of(_find(options, recipe).train)
        return Labels(network, known, options.start)
    seconds = None if options.minutes is None else _validation_seconds(options.minutes, recipe)
    return Binary(network, options.start, seconds)


def _find(options: Options, recipe: Recipe) -> Split:
    void = _void_ids(options.void)
    if options.data is not None:
        split = find_tree(options.data, held_aside=recipe.held_aside, void=void)
    else:
        assert options.images is not None
        assert options.masks is not None
        split = find_folders(
            options.images,
            options.masks,
            labels=options.labels or options.task == "labels",
            held_aside=recipe.held_aside,
            void=void.get(""),
        )
    split = with_coarse(split, options.coarse, tree=options.data is not None)
    if options.max_pairs is not None:
        split = Split(_evenly(split.train, options.max_pairs), _evenly(split.val, options.max_pairs))
    return Split(split.train, _evenly(split.val, 4 * recipe.validation_patches))


def _validation_seconds(minutes: float, recipe: Recipe) -> float:
    """Return how long one validation may take: of all, at the start, the end and between, a share of the budget."""
    times = 2 + int(minutes // recipe.validation_minutes)
    return 60 * minutes * recipe.validation_share / times


def _void_ids(given: Sequence[str]) -> dict[str, int]:
    """Return ids by name of set; the id for all others under the empty name."""
    ids = {}
    for text in given:
        name, _, number = text.rpartition("=")
        if not number.isdecimal() or len(number) > MOST_DIGITS:
            raise SpnRefineError(f"--void was {text!r}: expected an id, or SET=ID, as in street=11.")
        ids[name] = int(number)
    return ids


def _evenly(pairs: list[Pair], most: int) -> list[Pair]:
    if len(pairs) <= most:
        return pairs
    return [pairs[index] for index in np.linspace(0, len(pairs) - 1, most).astype(int)]


def _load(what: str, pairs: list[Pair], options: Options, recipe: Recipe, threads: int, seed: int) -> Store:
    began = time.monotonic()
    with tqdm(total=len(pairs), desc=f"reading {what}", unit="pair", disable=not sys.stderr.isatty()) as bar:
        store = build_store(
            pairs,
            recipe,
            device=options.device,
            seed=seed,
            threads=threads,
            skipped=lambda pair, why: say(f"left out {pair.image}: {why}"),
            progress=lambda done: bar.update(done - bar.n) and None,
        )
    say(f"{what}: {len(pairs)} pairs, {memory_of(store)}, read in {time.monotonic() - began:.0f} s")
    return store


def _fingerprint(pairs: list[Pair]) -> str:
    names = "\n".join(f"{pair.set_name}/{pair.stem}" for pair in pairs)
    return f"{len(pairs)} pairs, {hashlib.sha256(names.encode()).hexdigest()[:12]}"


def _has_bfloat16(device: torch.device, recipe: Recipe) -> bool:
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported()
    # processors that only convert to it and from it (AVX-512 BF16) are about a fifth faster in float32; those with AMX
    # are a tenth faster in float32 where gradients go through the encoder, and a quarter slower where none do
    return recipe.encoder_rate == 0 and torch.cpu._is_amx_tile_supported()


def _device_name(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{os.cpu_count()} cores, {platform.machine()}"
