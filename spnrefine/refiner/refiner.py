"""Arrays in, arrays out: the refiner crops around the object, scales, runs the network and pastes back."""

from dataclasses import replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from spnrefine.errors import SpnRefineError
from spnrefine.model import inference, weights
from spnrefine.model.mirroring import Mirrored
from spnrefine.refiner.choice import EVERY, Choice, from_text
from spnrefine.refiner.inputs import Rebuilt, as_array, as_image, check_shapes, to_probability
from spnrefine.refiner.judge import judge
from spnrefine.refiner.kinds import kind_of
from spnrefine.refiner.noting import Used, anyone_listens, note
from spnrefine.refiner.off import Off
from spnrefine.refiner.part_way import settled
from spnrefine.refiner.planes import refine_stack
from spnrefine.refiner.presence import is_empty, is_full
from spnrefine.refiner.restraint import is_lost
from spnrefine.refiner.sight import Sight

BROAD = "broad"


class Refiner(Rebuilt):
    """A loaded network, ready to refine one mask after another. It can be pickled and copied.

    Parameters
    ----------
    model : name of weights that ship, or path of a weights file.
    device : ``auto`` (CUDA where there is a device, else the CPU), ``cpu``, ``cuda`` or ``cuda:N``.
    threads : of the CPU for one call; None takes all cores. Calls from several Python threads may run at once.
    quick : see large objects once, at the network's working resolution, and not again along the contour.
    best : average over the photograph and its mirror image, for twice the time.
    strength : 0..1, how far the contour goes from the coarse to the refined one; None all the way, or as weights of
        ``spnrefine adapt`` say.
    off : how far off the mask's edge may be: pixels, or ``"2%"`` of the object's size. A network that knows of it is
        told; for others the mask's edge is made so soft. 0 returns masks as they came; None says nothing.
    careful : of masks from which more is expected to be lost than gained return the coarse one, or let `broad` refine
        it, whose refined masks of such pictures are often better; see :mod:`spnrefine.refiner.judge`.
    threshold : the probability at which the contours lie between which ``strength`` goes.

    Raises
    ------
    SpnRefineError
        ``strength`` or ``off`` is none of these.
    WeightsError
        The weights are missing, corrupt or of another network.
    BackendError
        There is no such device.

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

    def __init__(
        self,
        model: str = "general",
        device: str = "auto",
        threads: int | None = None,
        *,
        quick: bool = False,
        best: bool = False,
        strength: float | None = None,
        off: float | str | Off | None = None,
        careful: bool = False,
        threshold: float = 0.5,
    ):
        how = {"quick": quick, "best": best, "strength": strength, "off": off, "careful": careful}
        self._made_with(model, device, threads, threshold=threshold, **how)
        self.strength = None if strength is None else checked_strength(strength)
        self.off = Off.of(off)
        self.careful = careful
        self.threshold = threshold

        def sight(name: str) -> Sight:
            network = inference.load(name, device, threads)
            return Sight(Mirrored(network) if best else network, quick=quick)

        self.choices, self.temperature = choices_of(model), weights.describe(model).temperature
        named = {choice.model for choice in self.choices.values() if choice.model is not None}
        named |= {BROAD} if careful and weights.describe(model).sha256 != weights.describe(BROAD).sha256 else set()
        self.sights = {None: sight(model)} | {name: sight(name) for name in named}

    def __call__(self, image: NDArray[np.uint8], coarse: NDArray[np.float32]) -> NDArray[np.float32]:
        """Refine one probability map.

        Parts that lie close together are seen together, the others each by itself (:mod:`spnrefine.refiner.parts`). The
        network sees their box plus a margin, at a longer side of at most ``working_side``, and then, where that was
        less than half of the photograph's resolution, tiles along the contour, closer and closer; farther from the
        parts ``coarse`` stays. A part whose contour would move by less than a fifth of a pixel on average stays as it
        is (:func:`~spnrefine.refiner.exact.keep_exact`), and so do lines and gaps too thin to be seen.

        Parameters
        ----------
        image : (H, W, 3) uint8, RGB.
        coarse : (H, W) float32 in 0..1, probability of the object.

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
        coarse = coarse.astype(np.float32, copy=False)
        choice = self._choice(coarse)
        off = self.off or Off.of(choice.off)
        exact = off is not None and off.is_nothing
        pixels = None if off is None else off.pixels(coarse)
        if exact or choice.leaves_alone:
            note(Used(choice.strength, pixels))
            return coarse.copy()
        refined = self.sights[choice.model](image, coarse, pixels) if choice.strength else coarse
        judged = judge(image, coarse, refined) if self.careful or anyone_listens() else None
        if judged is None:
            note(Used(choice.strength, pixels, temperature=self.temperature))
        elif self.careful and judged.keeps:
            note(Used(0.0, pixels, judged.before, judged.before))
            return coarse.copy()
        else:
            after = judged.after
            if self.careful and judged.prefers_broad and BROAD in self.sights:
                refined = self.sights[BROAD](image, coarse, pixels)
                after = judged.before + judged.gain_broad * (1 - judged.before)
            note(Used(choice.strength, pixels, judged.before, after, self.temperature))
        return settled(coarse, refined, choice, self.threshold)

    def told(self, off: float | str | Off | None) -> "Refiner":
        """Return a refiner with the same networks that is told another distance."""
        other = object.__new__(type(self))
        vars(other).update(vars(self) | {"off": Off.of(off)})
        other._made_again_with(off=off)
        return other

    def _choice(self, coarse: NDArray[np.float32]) -> Choice:
        """Return how a mask is refined: as weights of :mod:`spnrefine.adapt` say for its kind, or else all the way."""
        choice = Choice()
        if self.choices:
            choice = self.choices.get(kind_of(coarse)) or self.choices.get(EVERY) or choice
        return choice if self.strength is None else replace(choice, strength=self.strength)


def choices_of(model: str) -> dict[str, Choice]:
    """Return the choices by kind that a weights file holds; none in most."""
    info = weights.describe(model)
    return from_text(info.choices, info.name) if info.choices else {}


def checked_strength(strength: float) -> float:
    """Return how far to go, 0..1.

    Raises
    ------
    SpnRefineError
        It is no number of these.
    """
    if not 0 <= strength <= 1:
        raise SpnRefineError(f"The strength was {strength}: expected 0 to 1.")
    return float(strength)


def refine(
    image: NDArray[np.uint8],
    mask: NDArray,
    *,
    soft: bool = False,
    threshold: float = 0.5,
    strength: float | None = None,
    off: float | str | None = None,
    model: str = "general",
    device: str = "auto",
) -> NDArray:
    """Refine a coarse mask so that its edge follows the photograph.

    Parameters
    ----------
    image : (H, W, 3) uint8, RGB: an array, or a PIL image, a list or a torch tensor of that shape and type.
    mask : (H, W), the coarse mask, likewise: bool; uint8, where 0..255 stands for probability, or 0 and 1 if no other
        values occur; float in 0..1, rounding aside; or integers that are 0 and 1, or 0 and 255. Or planes (K, H, W):
        the probabilities of classes where they sum to 1, plane 0 the background, refined together; else K masks.
    soft : return probabilities instead of a hard mask.
    threshold : the object is where the probability is above it.
    strength, off, model, device : see :class:`Refiner`. The refiner made for them is kept for the next call.

    Returns
    -------
    An array of the shape of ``mask``: with ``soft``, float32 in 0..1; otherwise a hard mask of the dtype of ``mask`` in
    False / True, 0 / 255 (0 / 1 if ``mask`` held no other values) or 0.0 / 1.0. An empty mask (nothing above 0.1) or a
    full one (all above 0.5) comes back as it came. One of which no pixel would be left keeps the object that it had.

    Raises
    ------
    ShapeError
        Shapes or types other than these, sizes that differ.
    SpnRefineError, WeightsError, BackendError
        See :class:`Refiner`.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.full((60, 80, 3), 40, np.uint8)
    >>> image[10:50, 20:60] = 200  # a bright square
    >>> mask = np.zeros((60, 80), bool)
    >>> mask[14:54, 24:64] = True  # four pixels off
    >>> refined = refine(image, mask, device="cpu")
    >>> truth = image[..., 0] == 200
    >>> float(round((mask & truth).sum() / (mask | truth).sum(), 2))  # IoU
    0.68
    >>> bool((refined & truth).sum() / (refined | truth).sum() > 0.95)
    True
    """
    image, mask = as_array(image, "image"), as_array(mask, "mask")
    probability = to_probability(mask)
    if mask.ndim != 3:
        check_shapes(image, probability)
        if is_empty(probability) or is_full(probability):
            return probability if soft else mask.copy()
    refiner = _refiner(model, device, strength, Off.of(off), threshold)

    def refined_or_kept(image: NDArray[np.uint8], coarse: NDArray[np.float32]) -> NDArray[np.float32]:
        if is_empty(coarse) or is_full(coarse):
            return coarse
        refined = refiner(image, coarse)
        return coarse if is_lost(coarse > threshold, refined > threshold) else refined

    if mask.ndim == 3:
        refined = refine_stack(refiner, refined_or_kept, as_image(image), probability, threshold, soft=soft)
    else:
        refined = refined_or_kept(image, probability)
    if soft:
        return refined
    top = 255 if mask.dtype.kind in "iu" and mask.max() > 1 else 1
    hard = refined if refined.dtype == bool else refined > threshold
    return (hard * top).astype(mask.dtype)


@lru_cache(maxsize=2)
def _refiner(model: str, device: str, strength: float | None, off: Off | None, threshold: float) -> Refiner:
    return Refiner(model, device, strength=strength, off=off, threshold=threshold)
