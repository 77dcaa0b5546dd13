"""How good the network is: held-aside pairs of every set, seen as at inference, with the same mistakes every time."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from spnrefine.train.data.store import Store
from spnrefine.train.data.views import draw_views
from spnrefine.train.lessons.lesson import Infer
from spnrefine.train.measure.kinds import CLEAN, MAKERS
from spnrefine.train.mistakes.draws import Draws
from spnrefine.train.mistakes.regions import iou
from spnrefine.train.mistakes.scene import make_scene
from spnrefine.train.mistakes.told import told
from spnrefine.train.recipe import Recipe

SEED = 20171201
CHUNK = 8  # patches at a time
ALWAYS_TOLD = replace(CLEAN, told_chance=1)
Refine = Callable[..., Tensor]
"""Takes image, coarse and perhaps what is told, returns probabilities (N, 1, H, W), without a gradient."""
EXACT = 1e-4
"""Coarse masks of less mean IoU error than this have none that could be removed."""
WORSE = 0.005
"""A mask that loses more IoU than this is made worse."""


@dataclass(frozen=True)
class Score:
    """Mean IoU error (1 - IoU) of coarse masks and of what the network makes of them; the share made worse."""

    coarse: float
    once: float
    worse: float

    @property
    def removed(self) -> float | None:
        """The share of the coarse error that is removed; None where the coarse masks are exact."""
        return 1 - self.once / self.coarse if self.coarse >= EXACT else None

    def __str__(self) -> str:
        if self.removed is None:  # as of the polygons of rectangles
            return f"- (exact, lose {self.once:.4f})"
        return f"{self.removed:.3f} ({self.worse:.0%} worse)"


@dataclass(frozen=True)
class Report:
    """Scores by set and kind, and of all kinds when the network was told how far off the masks are.

    exact : mean IoU error made of masks that were exact, not told and told; the latter None as ``told`` is, where a
        network does not know of it.
    """

    by_set: dict[str, dict[str, Score]]
    exact: tuple[float, float | None]
    told: Score | None

    @property
    def kinds(self) -> dict[str, Score]:
        """Scores by kind, every set counting the same."""
        names = next(iter(self.by_set.values()))
        return {name: mean_of([scores[name] for scores in self.by_set.values()]) for name in names}

    @property
    def sets(self) -> dict[str, Score]:
        return {name: mean_of(list(scores.values())) for name, scores in self.by_set.items()}

    @property
    def whole(self) -> Score:
        return mean_of(list(self.sets.values()))

    def __str__(self) -> str:
        whole, exact = self.whole, f"exact masks lose {self.exact[0]:.4f}"
        if self.told is not None:
            exact += f", told {self.exact[1]:.4f}; error removed when told {self.told}"
        kinds = ", ".join(f"{name} {score}" for name, score in self.kinds.items())
        lines = [
            f"validation: IoU error {whole.coarse:.4f} -> {whole.once:.4f}; error removed: {whole}: {kinds}; {exact}"
        ]
        for name, scores in self.by_set.items():
            each = ", ".join(f"{kind} {score}" for kind, score in scores.items())
            lines.append(f"  {name} {self.sets[name]}: {each}")
        return "\n".join(lines)


def mean_of(scores: list[Score]) -> Score:
    """Return the score whose figures are the means of those given."""
    return Score(*np.mean([(score.coarse, score.once, score.worse) for score in scores], 0).tolist())


class Validation:
    """Patches of held-aside pairs, kept as bytes; the same ones whatever the run's seed."""

    def __init__(self, store: Store, recipe: Recipe, seconds: float | None = None) -> None:
        """Draw the patches of all sets; fewer where that would take more than so many ``seconds``."""
        host, generator = _random(store)
        self.names, self.sets = store.set_names, np.zeros(0, int)
        self.full = len(np.concatenate([*_chosen(store, recipe.validation_patches)]))
        count = recipe.validation_patches
        if seconds is not None:
            count = max(1, min(count, int(seconds / _seconds_a_patch(store, recipe))))
        patches = []
        for records in _chosen(store, count):
            patches.append(_drawn(store, recipe, records, host, generator))
            self.sets = np.concatenate([self.sets, store.sets[records]])
        images, valids, truths, coarse, offs = zip(*patches, strict=True)
        self.image, self.valid, self.truth = (torch.cat(each) for each in (images, valids, truths))
        self.coarse = dict(zip(MAKERS, (torch.cat(each) for each in zip(*coarse, strict=True)), strict=True))
        self.off = dict(zip(MAKERS, torch.cat(offs).unbind(1), strict=True))

    def __call__(self, refine: Refine, *, knows_off: bool = False) -> Report:
        """Measure; a network that ``knows_off`` is measured a second time with all that it can be told."""
        blind = {name: self._errors(name, refine, tell=False) for name in self.coarse}
        seen = {name: self._errors(name, refine, tell=True) for name in self.coarse} if knows_off else None
        by_set = self._by_set(blind)
        exact = float(blind["exact"][1].mean())
        if seen is None:
            return Report(by_set, (exact, None), None)
        told_scores = [mean_of(list(scores.values())) for scores in self._by_set(seen).values()]
        return Report(by_set, (exact, float(seen["exact"][1].mean())), mean_of(told_scores))

    def keep(self, count: int) -> None:
        """Keep so many patches, evenly taken, one of each set at least."""
        if count >= len(self.sets):
            return
        first = np.unique(self.sets, return_index=True)[1]
        others = np.setdiff1d(np.arange(len(self.sets)), first)
        more = others[np.linspace(0, len(others) - 1, max(0, count - len(first))).astype(int)]
        where = torch.from_numpy(np.union1d(first, more)).to(self.image.device)
        self.image, self.valid, self.truth = (each[where] for each in (self.image, self.valid, self.truth))
        self.coarse = {name: each[where] for name, each in self.coarse.items()}
        self.off = {name: each[where] for name, each in self.off.items()}
        self.sets = self.sets[where.cpu().numpy()]

    def _by_set(self, errors: dict[str, NDArray[np.float64]]) -> dict[str, dict[str, Score]]:
        """Return scores of all kinds but the exact masks, which have no error to be removed."""
        return {
            self.names[index]: {
                name: _score(values[:, self.sets == index]) for name, values in errors.items() if name != "exact"
            }
            for index in np.unique(self.sets)
        }

    def _errors(self, name: str, refine: Refine, *, tell: bool) -> NDArray[np.float64]:
        """Return (2, N): the IoU errors of coarse masks, and of refined ones."""
        errors = []
        for part in _parts(len(self.image)):
            image, coarse, truth, valid = (
                each[part].float() / 255 for each in (self.image, self.coarse[name], self.truth, self.valid)
            )
            refined = refine(image, coarse, self.off[name][part]) if tell else refine(image, coarse)
            errors.append(torch.cat([1 - iou(mask, truth, valid) for mask in (coarse, refined)], 1)[..., 0, 0])
        return torch.cat(errors).T.cpu().numpy().astype(float)


class OfRefiner:
    """Measures a refiner in training; see :class:`~spnrefine.train.lessons.lesson.Measure`."""

    def __init__(self, validation: Validation, *, knows_off: bool):
        self.validation, self._knows_off = validation, knows_off

    def __call__(self, infer: Infer) -> Report:
        return self.validation(lambda *inputs: infer(*inputs).sigmoid(), knows_off=self._knows_off)

    def fit(self, seconds: float, infer: Infer) -> str | None:
        """Time the first patches, and keep as many as there is time for."""
        validation, count = self.validation, min(CHUNK, len(self.validation.sets))
        image, coarse = validation.image[:count].float() / 255, validation.coarse["exact"][:count].float() / 255
        more = (validation.off["exact"][:count],) if self._knows_off else ()
        infer(image[:1], coarse[:1], *(off[:1] for off in more)).sum().item()  # the first call prepares much
        began = time.perf_counter()
        infer(image, coarse, *more).sum().item()  # a GPU is waited for
        each = (time.perf_counter() - began) / count * len(validation.coarse) * (1 + self._knows_off)
        validation.keep(max(1, int(seconds / each)))
        now = len(validation.sets)
        return None if now == validation.full else f"{now} of {validation.full} patches"


def _random(store: Store) -> tuple[np.random.Generator, torch.Generator]:
    """Return where the draws come from, the same ones for every run."""
    generator = torch.Generator(store.device)
    generator.manual_seed(SEED)
    return np.random.default_rng(SEED), generator


def _drawn(
    store: Store, recipe: Recipe, records: NDArray[np.int64], host: np.random.Generator, generator: torch.Generator
) -> tuple[Tensor, Tensor, Tensor, list[Tensor], Tensor]:
    """Draw patches: image, valid, truth, coarse masks of each kind, all as bytes, and how far off these are."""
    views = draw_views(store, len(records), recipe.validation_side, recipe, host, plain=True, records=records)
    draws = Draws(generator, len(records), recipe.validation_side)
    scene = make_scene(store, views, draws, CLEAN, cells=4)
    coarse, off = [], []
    for made in MAKERS.values():
        mask = made(scene, draws, host)
        coarse.append(_bytes(mask))
        off.append(told(mask, scene.truth, scene.valid, draws, ALWAYS_TOLD))
    return _bytes(scene.image), _bytes(scene.valid), _bytes(scene.truth), coarse, torch.stack(off, 1)


def _seconds_a_patch(store: Store, recipe: Recipe) -> float:
    """Return how long a patch takes to be drawn; the first one prepares much, and is not counted."""
    began = 0.0
    for _ in range(2):
        began = time.perf_counter()
        _drawn(store, recipe, np.zeros(1, np.int64), *_random(store))
    return max(time.perf_counter() - began, 1e-9)


def _score(errors: NDArray[np.float64]) -> Score:
    coarse, once = errors
    return Score(float(coarse.mean()), float(once.mean()), float((once > coarse + WORSE).mean()))


def _chosen(store: Store, count: int) -> Iterator[NDArray[np.int64]]:
    """Yield records, as many of each set, a few at a time; those of a small set come more than once."""
    present = np.unique(store.sets)
    for index in present:
        records = np.flatnonzero(store.sets == index)
        chosen = records[np.linspace(0, len(records) - 1, max(1, count // len(present))).astype(int)]
        for part in _parts(len(chosen)):
            yield chosen[part]


def _parts(count: int) -> Iterator[slice]:
    for start in range(0, count, CHUNK):
        yield slice(start, min(count, start + CHUNK))


def _bytes(values: Tensor) -> Tensor:
    return (values * 255).round().to(torch.uint8)
