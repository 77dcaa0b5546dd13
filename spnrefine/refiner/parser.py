"""Label maps from a photograph alone: of each face in it, or of the whole picture."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spnrefine.boxes.box import Box
from spnrefine.errors import SpnRefineError
from spnrefine.model import inference, weights
from spnrefine.model.framing import working_size
from spnrefine.model.mirroring import MirroredParser
from spnrefine.refiner.faces import face_frames
from spnrefine.refiner.inputs import Rebuilt, as_image
from spnrefine.refiner.scaling import resize

BACKGROUND = 0
NOSE = "nose"  # a model that knows noses is one of faces


@dataclass(frozen=True, eq=False)
class Parsed:
    """Label maps (H, W), uint8, before and after refinement, and (H, W) float32, the probability of ``after``'s ids.

    ``frames`` are where the network looked; one is the whole picture where no face was found.
    """

    before: NDArray[np.uint8]
    after: NDArray[np.uint8]
    probability: NDArray[np.float32]
    frames: list[Box]


class Parser(Rebuilt):
    """A loaded network that makes a label map and refines it.

    Parameters, errors: as for :class:`spnrefine.refiner.Refiner`; ``model`` are weights of a model of label maps, and
    ``find`` says whether one of faces looks for them in the picture.

    Examples
    --------
    >>> import numpy as np
    >>> parser = Parser(device="cpu")
    >>> parser.classes[:3]
    ('background', 'skin', 'left brow')
    >>> parsed = parser(np.full((60, 80, 3), 40, np.uint8))  # no face in it: the whole picture is parsed
    >>> parsed.after.shape, parsed.after.dtype, len(parsed.frames)
    ((60, 80), dtype('uint8'), 1)
    """

    def __init__(
        self,
        model: str = "face",
        device: str = "auto",
        threads: int | None = None,
        *,
        find: bool = True,
        best: bool = False,
    ):
        self._made_with(model, device, threads, find=find, best=best)
        network = inference.load_parser(model, device, threads)
        self.classes = weights.describe(model).classes
        self.network = MirroredParser(network, self.classes) if best else network
        self._find = find and NOSE in self.classes

    def __call__(self, image: NDArray[np.uint8]) -> Parsed:
        """Parse an image (H, W, 3), uint8 RGB.

        The classes of a refined map are those that its coarse map shows.
        """
        image = as_image(image)
        shape = image.shape[:2]
        before, after = np.zeros(shape, np.uint8), np.zeros(shape, np.uint8)
        probability = np.ones(shape, np.float32)
        frames = self._frames(image)
        for frame, coarse, refined in self._seen(image, frames):
            here = frame.slices
            first, last = coarse.argmax(0).astype(np.uint8), refined.argmax(0).astype(np.uint8)
            free = after[here] == BACKGROUND  # of two faces that overlap the larger, parsed first, is the nearer one
            before[here] = np.where(free, first, before[here])
            probability[here] = np.where(free, refined.max(0), probability[here])
            after[here] = np.where(free, last, after[here])
        return Parsed(before, after, probability, frames)

    def only(self, image: NDArray[np.uint8], name: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return the probabilities (H, W), float32, of the class ``name`` alone, before and after refinement.

        Raises
        ------
        SpnRefineError
            There is no such class.
        """
        if name not in self.classes:
            raise SpnRefineError(f"There is no class {name!r}: expected one of {', '.join(self.classes)}.")
        image = as_image(image)
        number = self.classes.index(name)
        before, after = (np.zeros(image.shape[:2], np.float32) for _ in range(2))
        for frame, coarse, refined in self._seen(image, self._frames(image)):
            for whole, part in ((before, coarse), (after, refined)):
                np.maximum(whole[frame.slices], part[number], out=whole[frame.slices])
        return before, after

    def planes(self, image: NDArray[np.uint8]) -> list[tuple[Box, NDArray[np.float32], NDArray[np.float32]]]:
        """Return the frames, and the probabilities (K, h, w) of the classes in each, before and after refinement."""
        image = as_image(image)
        return list(self._seen(image, self._frames(image)))

    def _frames(self, image: NDArray[np.uint8]) -> list[Box]:
        frames = face_frames(image) if self._find else []
        return frames or [Box(0, image.shape[0], 0, image.shape[1])]

    def _seen(
        self, image: NDArray[np.uint8], frames: list[Box]
    ) -> Iterator[tuple[Box, NDArray[np.float32], NDArray[np.float32]]]:
        """Yield the frames, and the probabilities (K, h, w) of the classes in each, before and after refinement."""
        for frame in frames:
            crop = image[frame.slices]
            size = (crop.shape[0], crop.shape[1])
            maps = self.network(resize(crop, working_size(*size, self.network.config.working_side)))
            coarse, refined = (np.stack([resize(plane, size) for plane in planes]) for planes in maps)
            present = np.isin(np.arange(len(coarse)), coarse.argmax(0))
            yield frame, coarse, np.where(present[:, None, None], refined, 0)
