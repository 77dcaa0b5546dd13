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

ALONE = 0.05
"""A level of a slope has at least this share of its borders on each side, lower and higher."""

UNDECIDED = range(100, 156)
"""Levels that stand for "not known" between 0 and 255: a trimap's."""

NEARLY_WHITE = range(248, 255)
"""Levels that only compression leaves beside 255."""

HALF = 127

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
    if flat < max(FEWEST, FLAT * inner.sum()):
        return False
    if values[-1] > HALF:  # the top of a slope, where the object is certain
        others = [value for value in others if value != values[-1]]
    return not _is_slope(ranks, [int(rank[value]) for value in others])


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


def _is_slope(ranks: np.ndarray, inner: list[int]) -> bool:
    """Whether values climb one by one, and none of ``inner`` is the top or the bottom of its surroundings."""
    top = int(ranks.max()) + 1
    pairs = np.zeros((top, top), np.int64)
    for axis in (0, 1):
        low, high = np.moveaxis(ranks, axis, 0)[:-1], np.moveaxis(ranks, axis, 0)[1:]
        differ = low != high
        pairs += np.bincount(low[differ] * top + high[differ], minlength=top * top).reshape(top, top)
    pairs += pairs.T
    one = sum(int(pairs[rank, rank + 1]) for rank in range(top - 1))
    if one < STEPS * np.triu(pairs).sum():
        return False
    return all(
        min(pairs[rank, :rank].sum(), pairs[rank, rank + 1 :].sum()) >= ALONE * pairs[rank].sum() for rank in inner
    )
