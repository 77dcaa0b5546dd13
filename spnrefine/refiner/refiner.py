"""Arrays in, arrays out: the refiner crops around the object, scales, runs the network and pastes back."""

from collections.abc import Callable
from dataclasses import replace
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from spnrefine.model import inference, weights
from spnrefine.model.mirroring import Mirrored
from spnrefine.model.protocols import Image, Probability, RefinesMasks
from spnrefine.refiner.averages import keep_averages
from spnrefine.refiner.brush import OFF
from spnrefine.refiner.choice import AUTO, Choice, checked_strength, checked_threshold, choice_for, choices_of
from spnrefine.refiner.corners import through_corners
from spnrefine.refiner.feather import without_feather
from spnrefine.refiner.inputs import Rebuilt, as_array, as_probability, check_shapes
from spnrefine.refiner.judge import judge
from spnrefine.refiner.kinds import BRUSH, HARD, MAP, POLYGON, SOFT, is_map, kind_and_brush
from spnrefine.refiner.noting import Used, anyone_listens, note
from spnrefine.refiner.off import Off
from spnrefine.refiner.part_way import held, settled
from spnrefine.refiner.shared import Pass, Shared
from spnrefine.refiner.sheets import Objects, Tile, small_ones, tiles
from spnrefine.refiner.sight import Sight, believed
from spnrefine.refiner.sights import Sights, by_kind, for_small, is_judged, knows_paint
from spnrefine.refiner.way import Way

FINER = {SOFT: 640, POLYGON: 768}
"""Pixels: the longer side at which frames of masks of a kind are seen, where they are sharp.

Sharp objects of 512 to 1,024 pixels are better seen so, on composites of held-aside pairs and by what rail vehicles
showed; other hard masks, which may be far off, are not: the network learnt from 384 pixels at most.
"""


class Refiner(Rebuilt):
    """A loaded network, ready to refine one mask after another. It can be pickled and copied.

    Parameters
    ----------
    model : name of weights that ship, or path of a weights file.
    device : ``auto`` (CUDA where there is a device, else the CPU), ``cpu``, ``cuda`` or ``cuda:N``.
    threads : of the CPU for one call; None takes all cores. Calls from several Python threads may run at once.
    quick : see large objects once, at the network's working resolution, and not again along the contour.
    best : average over the photograph and its mirror image, and see masks again of which averages were kept
        (:mod:`spnrefine.refiner.averages`): for twice the time, and for these for four times.
    strength : 0..1, how far the contour goes from the coarse to the refined one; ``"auto"`` as weights of ``spnrefine
        adapt`` say, or else all the way, but half-way or not at all for hard masks that seem to be right already
        (:mod:`spnrefine.refiner.judge`): with weights that ship alone, where nothing is said by ``off``, and not of
        small objects that are seen together.
    off : how far off the mask's edge may be: pixels, or ``"2%"`` of the object's size. A network that knows of it is
        told; for others the mask's edge is made so soft. 0 returns masks as they came; None says nothing.
    careful : leave contours where they are where little is expected to be gained, whatever the strength and weights.
    threshold : the probability at which the contours lie between which ``strength`` goes; less than 1.

    Raises
    ------
    SpnRefineError
        ``strength``, ``off`` or ``threshold`` is none of these.
    WeightsError
        The weights are missing, corrupt or of another network.
    BackendError
        There is no such device, or ``threads`` is no number of them.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.full((60, 80, 3), 40, np.uint8)
    >>> image[10:50, 20:60] = 200  # a bright square
    >>> coarse = np.zeros((60, 80), np.float32)
    >>> coarse[14:54, 24:64] = 1  # four pixels off
    >>> refiner = Refiner(device="cpu")
    >>> probability = refiner(image, coarse)
    >>> probability.shape, probability.dtype
    ((60, 80), dtype('float32'))
    >>> bool(probability[30, 21] > 0.9), bool(probability[30, 63] < 0.1)
    (True, True)
    """

    takes_bools = True
    """Whether a hard mask may come as bools: of a large one they take less memory than float32."""

    def __init__(
        self,
        model: str = "general",
        device: str = "auto",
        threads: int | None = None,
        *,
        quick: bool = False,
        best: bool = False,
        strength: float | str | None = AUTO,
        off: float | str | Off | None = None,
        careful: bool = False,
        threshold: float = 0.5,
    ):
        how = {"quick": quick, "best": best, "strength": strength, "off": off, "careful": careful}
        self._made_with(model, device, threads, threshold=threshold, **how)
        self.strength = checked_strength(strength)
        self.off = Off.of(off)
        self.careful = careful
        self.threshold = checked_threshold(threshold)
        self.best = best

        def sight(name: str) -> Sight:
            network = inference.load(name, device, threads)
            return Sight(Mirrored(network) if best else network, quick=quick)

        self.choices, self.temperature = choices_of(model), weights.describe(model).temperature
        named = {choice.model for choice in self.choices.values() if choice.model is not None}
        self.sights = Sights(sight(model), sight)
        for name in named:
            self.sights[name] = sight(name)
        self._for_small, self.by_kind = for_small(model), by_kind(model)
        self.heeds_judge = is_judged(model) and not self.choices
        self.knows_paint = knows_paint(model)

    def __call__(self, image: NDArray[np.uint8], coarse: NDArray[np.float32]) -> NDArray[np.float32]:
        """Refine one probability map.

        Parts that lie close together are seen together, the others each by itself (:mod:`spnrefine.refiner.parts`). The
        network sees their box plus a margin, at a longer side of at most ``working_side``, or of :data:`FINER` for
        their kind where the photograph is sharp, and then, where that was less than half of the photograph's
        resolution, tiles along the contour, closer and closer; farther from the parts ``coarse`` stays. A part whose
        contour would move by less than a fifth of a pixel on average stays as it is
        (:func:`~spnrefine.refiner.exact.keep_exact`), and so do lines and gaps too thin to be seen.

        Parameters
        ----------
        image : (H, W, 3) uint8, RGB.
        coarse : (H, W) float32 in 0..1, probability of the object; or a hard mask, bool or integers of two values.

        Returns
        -------
        (H, W) float32 in 0..1, a new array.

        Raises
        ------
        ShapeError
            Naming what was given.
        """
        image, coarse = as_array(image, "image"), as_array(coarse, "mask")
        check_shapes(image, coarse)
        coarse = as_probability(coarse)
        hard = without_feather(coarse)
        way = self._way(hard)
        if not way.leaves_alone:
            coarse = hard

        def see(mask: NDArray[np.float32]) -> NDArray[np.float32]:  # no network is loaded for a mask that is left alone
            return self.sights[way.model](image, mask, way.off, way.finer, form=way.form)

        return self._refined(image, coarse, way, see, heeds=self.careful or way.may_be_right)

    def share(self, image: NDArray[np.uint8], objects: Objects) -> Shared:
        """Find which of a picture's objects are seen together, see :mod:`spnrefine.refiner.sheets`; none is seen yet.

        Each is refined as a call for it alone would, but that small ones which lie close together are seen in one pass
        of the network, tiny ones enlarged more, the others less than alone.
        """
        ways: dict[int, Way] = {}
        alike: dict[tuple[float, str | None, str | None], list[int]] = {}
        for scale, small in small_ones(objects):
            for one in small:
                ways[one] = way = self._way(objects.coarse(one)).together()
                if not way.leaves_alone and way.choice.strength:
                    alike.setdefault((scale, self._for_small or way.model, way.choice.off), []).append(one)

        def look(model: str | None, tile: Tile) -> RefinesMasks:
            said = [pixels for one in tile.own if (pixels := ways[one].off) is not None]
            off = fmean(said) if said else None
            return lambda crop, coarse: self.sights[model].see_once(crop, coarse, tile.scale, off)

        passes = [
            Pass(tile, look(model, tile))
            for (scale, model, _), like in alike.items()
            for tile in tiles(objects, like, scale)
        ]
        scale_of = {one: each.tile.scale for each in passes for one in each.tile.own}

        def finish(one: int, crop: Image, coarse: Probability, seen: Probability) -> Probability:
            def see(mask: Probability) -> Probability:
                passing = through_corners(mask, seen) if ways[one].form == POLYGON else seen
                return believed(mask, passing, scale_of[one])

            return self._refined(crop, coarse, ways[one], see, heeds=self.careful)

        return Shared(image, objects, passes, finish)

    def _refined(
        self,
        image: NDArray[np.uint8],
        coarse: NDArray[np.float32],
        way: Way,
        see: Callable[[NDArray[np.float32]], NDArray[np.float32]],
        *,
        heeds: bool,
    ) -> NDArray[np.float32]:
        """Refine a mask by what a network can ``see``, as far as a judge that it ``heeds`` agrees, and note it."""
        choice, pixels = way.choice, way.off
        if way.leaves_alone:
            note(Used(choice.strength, pixels))
            return coarse.astype(np.float32)
        refined = see(coarse) if choice.strength else coarse.astype(np.float32)
        if choice.strength and way.form == SOFT and keep_averages(coarse, refined) and self.best:
            again = see(refined)  # a sharper mask than the first time, and as far off nowhere
            refined = again if keep_averages(coarse, again) else refined
        judged = judge(image, coarse, refined) if heeds or anyone_listens() else None
        if judged is None:
            note(Used(choice.strength, pixels, temperature=self.temperature))
            return settled(coarse, refined, choice, self.threshold)
        if heeds:
            choice = replace(choice, strength=min(choice.strength, judged.strength(careful=self.careful)))
        after = judged.quality(choice.strength)
        note(Used(choice.strength, pixels, judged.before, after, self.temperature))
        if heeds and choice.strength == 0:  # what the network thinks of each pixel is still worth knowing
            return held(refined, coarse > self.threshold, self.threshold)
        return settled(coarse, refined, choice, self.threshold)

    def told(self, off: float | str | Off | None) -> "Refiner":
        """Return a refiner with the same networks that is told another distance."""
        other = object.__new__(type(self))
        vars(other).update(vars(self) | {"off": Off.of(off)})
        other._made_again_with(off=off)
        return other

    def _way(self, coarse: NDArray[np.float32]) -> Way:
        """Return how a mask is refined: as weights of :mod:`spnrefine.adapt` say for its kind, or else all the way."""
        kind, radius = kind_and_brush(coarse)
        like = MAP if kind == SOFT and self._tells_maps() and is_map(coarse) else kind
        choice = choice_for(self.choices, kind) or Choice()
        if self.strength is not None:
            choice = replace(choice, strength=self.strength)
        off = self.off or Off.of(choice.off)
        model = choice.model or self.by_kind.get(like)
        pixels = None if off is None else off.pixels(coarse)
        form = like if off is None else None
        if form == BRUSH and radius is not None:
            form, pixels = (form, OFF * radius) if self.knows_paint and choice.model is None else (None, None)
        leaves_alone = choice.leaves_alone or (off is not None and off.is_nothing)
        may_be_right = kind in (HARD, BRUSH) and self.heeds_judge and self.strength is None and self.off is None
        return Way(choice, model, FINER.get(kind), pixels, leaves_alone, may_be_right, form)

    def _tells_maps(self) -> bool:
        """Tell whether others see the maps of networks: where nothing is known of the masks."""
        return MAP in self.by_kind and not self.choices and self.off is None
