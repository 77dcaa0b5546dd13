"""What a network is shown of a photograph and its mask: one frame after another, at a scale at which it sees well."""

from collections.abc import Callable
from functools import partial

import cv2
import numpy as np
from numpy.typing import NDArray

from spnrefine.boxes.box import Box
from spnrefine.model.framing import SMALLEST_SIDE, working_size
from spnrefine.model.off import coded
from spnrefine.model.protocols import Network, RefinesMasks, release
from spnrefine.refiner.blocks import without_blocks
from spnrefine.refiner.brush import favoured
from spnrefine.refiner.coarse_to_fine import ENOUGH, levels, look_closer, see_in_tiles
from spnrefine.refiner.corners import through_corners
from spnrefine.refiner.exact import keep_exact
from spnrefine.refiner.kinds import BRUSH, POLYGON
from spnrefine.refiner.off import softened
from spnrefine.refiner.parts import find_parts, nearest
from spnrefine.refiner.scaling import resize
from spnrefine.refiner.sharpness import shows_more
from spnrefine.refiner.specks import without_specks
from spnrefine.refiner.thin import keep_lines, thin_places

LARGE = 1 << 23  # pixels: of a map of so many each copy is more than what the network keeps for its next call


class Sight:
    """A network that refines whole masks, part by part, all the way.

    ``quick``: it sees large objects once, at its working resolution, and not again along the contour.
    """

    def __init__(self, network: Network, *, quick: bool = False):
        self.network = network
        self.working_side = network.config.working_side
        self.quick = quick

    def __call__(
        self,
        image: NDArray[np.uint8],
        coarse: NDArray[np.float32],
        off: float | None = None,
        finer: int | None = None,
        *,
        form: str | None = None,
    ) -> NDArray[np.float32]:
        """Refine a mask (H, W), float32 in 0..1, or bool, its edge ``off`` by so many pixels, None: nobody knows.

        Frames that :func:`show more <spnrefine.refiner.sharpness.shows_more>` at a longer side of ``finer`` pixels than
        at the working side, and are not so large that they are seen again, closer, are seen so. The contour of a
        polygon, if that is the ``form``, passes its corners in the end, and that of a painted mask lies farther out.
        """
        parts = find_parts(coarse, self.working_side)
        refined: NDArray[np.float32] | None = None
        for group in range(parts.count):
            frame = parts.frame(group)
            here, crop = (coarse if refined is None else refined)[frame.slices], image[frame.slices]
            many = parts.longest(group) <= self.working_side / 2

            def room(frame: Box = frame) -> NDArray[np.float32]:
                nonlocal refined
                if parts.count > 1:
                    return np.empty((frame.height, frame.width), np.float32)
                refined = coarse.astype(np.float32)  # what is seen is put in place at once: it needs no second map
                return refined[frame.slices]

            side = self._side(crop, finer)
            seen, scale = self._see(crop, coarse[frame.slices], off, room, side, many=many)
            if form == POLYGON:
                seen = through_corners(coarse[frame.slices], seen)
            if form == BRUSH:
                seen = favoured(seen)
            reach = parts.reach(group, frame)
            if reach is not None:
                np.copyto(seen, here, where=~reach)
            numbers = None if parts.single else nearest(parts.numbers[frame.slices])
            seen = believed(here, seen, scale, numbers)
            if refined is not None and np.may_share_memory(seen, refined):
                continue
            if seen.shape == coarse.shape:
                refined = seen
                continue
            refined = coarse.astype(np.float32) if refined is None else refined
            refined[frame.slices] = seen
        return coarse.astype(np.float32) if refined is None else refined

    def see_once(
        self, crop: NDArray[np.uint8], coarse: NDArray[np.float32], scale: float, off: float | None = None
    ) -> NDArray[np.float32]:
        """Return what the network sees of a mask (h, w) at once, and at that ``scale`` of the photograph's."""
        if off is not None and not self.network.config.knows_off:
            coarse = softened(coarse, off)
        height, width = coarse.shape
        size = max(SMALLEST_SIDE, round(scale * height)), max(SMALLEST_SIDE, round(scale * width))
        seen = self._told(off, scale)(resize(crop, size), np.clip(resize(coarse, size), 0, 1))
        return np.asarray(cv2.resize(seen, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)

    def _see(
        self,
        crop: NDArray[np.uint8],
        coarse: NDArray[np.float32],
        off: float | None,
        room: Callable[[], NDArray[np.float32]],
        side: int,
        *,
        many: bool,
    ) -> tuple[NDArray[np.float32], float]:
        """Refine what lies in one frame, seen at ``side``, in ``room`` or a new array; also return the last scale.

        What is seen again, closer, is no longer as far off as the mask was: nothing is said of it.

        ``many`` says that the frame holds small parts, each of which would fit into what the network sees at once.
        """
        height, width = coarse.shape
        in_tiles = many and max(height, width) > self.working_side and not self.quick
        size = working_size(height, width, side)
        scale = max(size) / max(height, width)
        thin = None if self.quick or in_tiles else thin_places(coarse, scale)  # before there are more maps of the whole
        mask = without_blocks(coarse).astype(np.float32, copy=False)
        if off is not None and not self.network.config.knows_off:
            mask = softened(mask, off)
        if in_tiles:
            return see_in_tiles(self._told(off), crop, mask.copy(), 1.0, self.working_side), 1.0
        seen = self._told(off, scale)(resize(crop, size), np.clip(resize(mask, size), 0, 1))
        del mask
        whole = room()
        cv2.resize(seen, (width, height), dst=whole, interpolation=cv2.INTER_LINEAR)
        if self.quick:
            return whole, scale
        if whole.size >= LARGE:  # tiles are smaller than what was just seen
            release(self.network)
        whole = look_closer(self.network, crop, whole, scale, coarse, thin)
        if whole.size >= LARGE:
            release(self.network)
        return whole, 1.0 if thin is not None else (levels(scale) or [scale])[-1]

    def _side(self, crop: NDArray[np.uint8], finer: int | None) -> int:
        """Return the longer side at which a frame is seen first, in pixels."""
        longer, side = max(crop.shape[:2]), self.working_side
        if finer is None or self.quick or not side < longer <= side / ENOUGH or not shows_more(crop, side, finer):
            return side
        return min(longer, finer)

    def _told(self, off: float | None, scale: float = 1.0) -> RefinesMasks:
        """Return the network, told that a mask is ``off`` by so many pixels if it knows of that.

        It sees ``scale`` of its pixels for each of the photograph's.
        """
        if off is None or not self.network.config.knows_off:
            return self.network
        return partial(self.network, off=coded(off * scale))


def believed(
    coarse: NDArray[np.float32], seen: NDArray[np.float32], scale: float, numbers: NDArray[np.int32] | None = None
) -> NDArray[np.float32]:
    """Return what is believed of what was ``seen`` at a ``scale``: thin lines and what was exact stay, no lone pixels.

    Arguments as for :func:`~spnrefine.refiner.exact.keep_exact`.
    """
    return keep_exact(coarse, keep_lines(coarse, without_specks(seen, coarse), scale), scale, numbers)
