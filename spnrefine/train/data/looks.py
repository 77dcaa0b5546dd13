"""Photographs with class ids, read as they are needed, each seen anew: what the segmenter trains on."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from spnrefine.files.classes import VOID, Classes
from spnrefine.files.images import read_photograph
from spnrefine.model.mirroring import opposites
from spnrefine.train.data.pairs import Pair
from spnrefine.train.data.reading import read_binary, read_label_map


@dataclass(frozen=True)
class Looks:
    """How differently the same photograph is seen; ``scale_span`` is the share of its sides that is in view."""

    scale_span: tuple[float, float] = (0.6, 1.0)
    aspect: float = 0.3  # largest log of the stretch of width over height
    degrees: float = 10.0
    flip_chance: float = 0.5


class Photographs(Dataset[tuple[Tensor, Tensor]]):
    """Item ``i`` is a random look at one photograph, decided by ``seed`` and ``i`` alone; items go on for ever.

    An item is an image (3, side, side) and ids (side, side), both uint8; ids outside the photograph are void. Each run
    of ``len(pairs)`` items holds every photograph once, and each of ``batch`` items has one of the ``sides``.
    """

    def __init__(
        self,
        pairs: Sequence[Pair],
        classes: Classes,
        looks: Looks,
        seed: int,
        batch: int,
        sides: Sequence[int],
    ):
        self.pairs, self.classes = pairs, classes
        self.mirrored = np.arange(256, dtype=np.uint8)
        self.mirrored[: len(classes.names)] = opposites(classes.names)
        self.looks, self.seed, self.batch, self.sides = looks, seed, batch, sides

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        epoch, position = divmod(index, len(self.pairs))
        pair = self.pairs[np.random.default_rng((self.seed, 0, epoch)).permutation(len(self.pairs))[position]]
        side = int(np.random.default_rng((self.seed, 1, index // self.batch)).choice(self.sides))
        image, ids = self._look(*read_pair(pair, self.classes), side, np.random.default_rng((self.seed, 2, index)))
        return torch.from_numpy(image).permute(2, 0, 1), torch.from_numpy(ids)

    def _look(
        self, image: NDArray[np.uint8], ids: NDArray[np.uint8], side: int, rng: np.random.Generator
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        looks = self.looks
        height, width = ids.shape
        share = math.exp(rng.uniform(*np.log(looks.scale_span)))
        stretch = math.exp(rng.uniform(-looks.aspect, looks.aspect) / 2)
        across, down = share * width * stretch, share * height / stretch
        if looks.scale_span[1] <= 1:
            across, down = min(across, width), min(down, height)
        x = rng.uniform(*sorted((across / 2, width - across / 2)))
        y = rng.uniform(*sorted((down / 2, height - down / 2)))
        angle = math.radians(rng.uniform(-looks.degrees, looks.degrees))
        flip = rng.random() < looks.flip_chance
        turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
        linear = turn @ np.diag([(-across if flip else across) / side, down / side])
        offset = np.array([x, y]) - linear @ np.array([side / 2, side / 2])
        # pixel centres lie at half pixels: as OpenCV counts from the first centre, shift by a half on both sides
        offset += linear @ np.array([0.5, 0.5]) - 0.5
        affine = np.hstack([linear, offset[:, None]])
        if across > 1.5 * side:  # far apart samples would alias
            kernel = max(1, round(across / side)), max(1, round(down / side))
            image = np.asarray(cv2.blur(image, kernel), np.uint8)
        seen = _warp(image, affine, side, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
        what = _warp(ids, affine, side, cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT, borderValue=VOID)
        return seen, self.mirrored[what] if flip else what


def _warp(array: NDArray[np.uint8], affine: NDArray, side: int, how: int, **border: Any) -> NDArray[np.uint8]:
    """Look at (side, side) pixels, ``affine`` taking them to those of ``array``."""
    seen = cv2.warpAffine(array, affine, (side, side), flags=cv2.WARP_INVERSE_MAP | how, **border)
    return np.asarray(seen, np.uint8)


def read_pair(pair: Pair, classes: Classes) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return the photograph (H, W, 3) and the numbers of its ``classes`` (H, W), uint8; a binary mask's are 0 and 1.

    Raises
    ------
    FileError
        One of the files cannot be read.
    ShapeError
        They differ in size.
    """
    photograph = read_photograph(pair.image)
    if pair.labels:
        return photograph.pixels, classes.numbers(read_label_map(pair, photograph))
    truth = read_binary(pair, photograph)
    return photograph.pixels, np.where(truth.void, VOID, truth.inside).astype(np.uint8)
