"""Whether the numbers of a gray mask are ids or probabilities, told by how they lie beside each other.

Probabilities of an edge climb from one level to the next, over a line as thin as the edge or in many small steps. Ids
fill areas, and lie beside each other in any order.
"""

from collections.abc import Collection

import numpy as np

FEW = 32
"""So many different values may be ids whatever they are; more only where they are 1, 2, 3 ... without a gap."""

FLAT = 0.25
"""Of the pixels between the lowest and the highest value, the share that lies in areas of its own: of edges none do."""

FEWEST = 100
"""Pixels in such areas, below which nothing can be told."""

STEPS = 0.95
"""Of the borders between areas, the share that leads to the next value, where values are the levels of a slope."""

SEVERAL, JUMPS = 8, 0.5
"""From so many values on, more than this share of the borders leads past the next value where they are ids."""

FLAT_OF_MANY, JUMPS_OF_MANY = 0.5, 0.9
"""The same of more values than `FEW`, where soft masks come near: 0.85 of 660 maps of saliency, nuclei have 0.94."""

ALONE = 0.05
"""A level of a slope has at least this share of its borders on each side, lower and higher."""

UNDECIDED = range(100, 156)
"""Levels that stand for "not known" between 0 and 255: a trimap's."""

NEARLY_WHITE = range(248, 255)
"""Levels that only compression leaves beside 255."""

MANY = 256
"""Maps of more different values than this are looked at for being probabilities of more than 8 bits."""

MOST_LISTED = 12


def in_words(values: Collection[int]) -> str:
    """List values for a sentence: '0, 7 and 15', with '...' before the highest where there are many."""
    listed = [str(value) for value in sorted(values)]
    if len(listed) > MOST_LISTED:
        listed = [*listed[: MOST_LISTED - 2], "...", listed[-1]]
    *others, last = listed
    return f"{', '.join(others)} and {last}" if others else last


def are_ids(levels: np.ndarray, present: Collection[int]) -> bool:
    """Tell whether 8-bit gray (H, W) is ids, or looks so; ``present`` are its values, three or more."""
    values = sorted(present)
    others = [value for value in values if value not in (0, 255)]
    if all(value in UNDECIDED for value in others) or _is_ladder(values):
        return False
    if any(value in NEARLY_WHITE for value in others):
        return False
    if len(values) > FEW and others != list(range(1, len(others) + 1)):
        return False
    rank = np.zeros(256, np.int32)
    rank[values] = np.arange(len(values))
    ranks = rank[levels]
    inner = np.isin(levels, others)
    flat = int((_in_areas(ranks) & inner).sum())
    many = len(values) > FEW
    if flat < max(FEWEST, (FLAT_OF_MANY if many else FLAT) * inner.sum()):
        return False
    pairs = _borders(ranks)
    if len(values) >= SEVERAL:
        return _jumps(pairs) > (JUMPS_OF_MANY if many else JUMPS)
    others = [value for value in others if value != values[-1]]  # a slope has a top
    return _jumps(pairs) > 1 - STEPS or not _is_slope(pairs, [int(rank[value]) for value in others])


def are_fractions(values: np.ndarray) -> bool:
    """Tell whether integers (H, W) of more than 8 bits are too scattered to be ids: hardly two neighbours are alike."""
    inner = (values != 0) & (values != values.max())
    beside = inner[:, :-1] & inner[:, 1:]
    count = int(beside.sum())
    if not count:
        return False
    alike = int(((values[:, :-1] == values[:, 1:]) & beside).sum())
    return alike < count / 2 and len(np.unique(values)) > MANY


def _is_ladder(values: list[int]) -> bool:
    """Whether these are all fractions of 255 with one denominator: votes of several people, or few gray levels."""
    steps = len(values) - 1
    return values == [(2 * 255 * step + steps) // (2 * steps) for step in range(steps + 1)]


def _in_areas(ranks: np.ndarray) -> np.ndarray:
    """Return where a pixel's 4 neighbours, those within the mask, have its value, (H, W) bool."""
    same = np.ones(ranks.shape, bool)
    for axis in (0, 1):
        low, high = np.moveaxis(ranks, axis, 0)[:-1], np.moveaxis(ranks, axis, 0)[1:]
        equal = low == high
        turned = np.moveaxis(same, axis, 0)
        turned[:-1] &= equal
        turned[1:] &= equal
    return same


def _borders(ranks: np.ndarray) -> np.ndarray:
    """Count the pairs of neighbours that differ, (N, N), by the ranks of their values."""
    count = int(ranks.max()) + 1
    pairs = np.zeros((count, count), np.int64)
    for axis in (0, 1):
        low, high = np.moveaxis(ranks, axis, 0)[:-1], np.moveaxis(ranks, axis, 0)[1:]
        differ = low != high
        found = np.bincount(low[differ] * count + high[differ], minlength=count * count)
        pairs += found.reshape(count, count)
    return pairs + pairs.T


def _jumps(pairs: np.ndarray) -> float:
    """Return the share of borders that do not lead to the next value."""
    steps = int(np.trace(pairs, 1))
    return 1 - steps / max(int(np.triu(pairs).sum()), 1)


def _is_slope(pairs: np.ndarray, inner: list[int]) -> bool:
    """Whether none of ``inner`` is the top or the bottom of its surroundings."""
    return all(
        min(pairs[rank, :rank].sum(), pairs[rank, rank + 1 :].sum()) >= ALONE * pairs[rank].sum() for rank in inner
    )
