"""The run lengths of Label Studio's brush: bytes of an RGBA picture, packed bit by bit.

A head of 32 bits for the number of bytes, 5 for the bits of a value less one, and four times 4 for the bits of a
length less one. Then packets: one bit, whether one value follows or one for each byte; two bits, which of the four
lengths is used; the length less one; and the value or values. Source: ``rle-pack`` of thi.ng/umbrella, which Label
Studio's editor uses, and ``brush.py`` of label-studio-converter.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spnrefine.annotations.items import Size
from spnrefine.boxes.boxed import Boxed
from spnrefine.boxes.runs import from_runs, runs_of
from spnrefine.errors import FileError

HEAD_BITS, VALUE_BITS = 32 + 5 + 4 * 4, 8
LENGTH_BITS = np.array([3, 4, 8, 16])
"""What the converter writes; any others are read."""


def decode(name: str, packed: Any, size: Size) -> Boxed:
    """Unpack the picture's alpha, uint8.

    Raises
    ------
    FileError
        Naming ``name``, when ``packed`` is no list of bytes, ends early, or is of another size.
    """
    if not isinstance(packed, list) or not all(type(byte) is int and 0 <= byte < 256 for byte in packed):
        raise FileError(f"{name} should hold its run lengths as a list of bytes and does not: export it again.")
    data = bytes(packed)
    bits = 8 * len(data)
    number = _Bits(data)
    total, wanted = number.read(32), 4 * size[0] * size[1]
    if bits < HEAD_BITS or total != wanted:
        what = f"{name} holds {total / 4:g} pixels, its photograph {size[1]} x {size[0]} = {wanted // 4}"
        raise FileError(f"{what}: give the photograph it belongs to.")
    value_bits = number.read(5) + 1
    if value_bits > VALUE_BITS:
        raise FileError(f"{name} holds run lengths of {value_bits}-bit values, not of bytes: export it again.")
    lengths = [number.read(4) + 1 for _ in range(4)]
    found: list[tuple[int, NDArray[np.uint8]]] = []
    position = 0
    while position < total:
        repeated = number.read(1)
        end = position + 1 + number.read(lengths[number.read(2)])
        needed = value_bits * (1 if repeated else end - position)
        if end > total or number.position + needed > bits:
            raise FileError(f"{name} holds run lengths that are damaged or cut short: export it again.")
        first, last = position // 4, end // 4  # the pixels whose alpha, their last byte, lies in the packet
        if repeated:
            alpha = np.repeat(np.uint8(number.read(value_bits)), last - first)
        else:
            alpha = number.read_many(value_bits, end - position)[4 * first + 3 - position :: 4]
        if alpha.any():
            found.append((first, alpha))
        position = end
    return _laid(found, size)


def encode(mask: Boxed, value: int) -> list[int]:
    """Pack a mask as a picture of ``value`` (1..255) in all four channels, and 0 outside the mask.

    Bit for bit what label-studio-converter's ``mask2rle`` writes.
    """
    runs = runs_of(mask) * 4
    values = np.where(np.arange(len(runs)) % 2, value, 0)[runs > 0]
    runs = runs[runs > 0]
    longest = 1 << int(LENGTH_BITS[-1])
    pieces = -(-runs // longest)  # runs too long for the longest length take several packets
    values = np.repeat(values, pieces)
    last = np.cumsum(pieces) - 1
    lengths = np.full(len(values), longest)
    lengths[last] = runs - (pieces - 1) * longest
    kind = np.searchsorted(1 << LENGTH_BITS, lengths)
    width = LENGTH_BITS[kind]
    packets = (((4 | kind) << width | (lengths - 1)) << VALUE_BITS) | values
    widths = np.concatenate([[32, 5, 4, 4, 4, 4], 3 + width + VALUE_BITS])
    packets = np.concatenate([[4 * mask.size[0] * mask.size[1], VALUE_BITS - 1], LENGTH_BITS - 1, packets])
    packet = np.repeat(np.arange(len(packets)), widths)
    place = np.arange(len(packet)) - np.repeat(np.cumsum(widths) - widths, widths)  # of a bit, the packet's first is 0
    bits = (packets[packet] >> (widths[packet] - 1 - place)) & 1
    # a whole byte of padding where none is needed, as the converter has it
    return np.packbits(np.concatenate([bits, np.zeros(8 - len(bits) % 8)]).astype(np.uint8)).tolist()


def _laid(found: list[tuple[int, NDArray[np.uint8]]], size: Size) -> Boxed:
    """Lay values from places on, which rise, along the rows of a picture that is 0 elsewhere."""
    begins = np.array([first for first, _ in found], np.int64)
    lengths = np.array([len(values) for _, values in found], np.int64)
    laid = from_runs(begins, begins + lengths, size)
    pixels = laid.pixels.astype(np.uint8)
    if found:
        pixels[laid.pixels] = np.concatenate([values for _, values in found])
    return Boxed(size, laid.box, pixels)


class _Bits:
    """Numbers of a few bits each, one after another; past the end come zeros."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.position = 0

    def read(self, bits: int) -> int:
        first = self.position >> 3
        window = int.from_bytes(self.data[first : first + 5].ljust(5, b"\0"), "big")
        number = window >> (40 - (self.position & 7) - bits)
        self.position += bits
        return number & ((1 << bits) - 1)

    def read_many(self, bits: int, count: int) -> NDArray[np.uint8]:
        """Read ``count`` numbers of at most 8 bits, none past the end."""
        first, skip = self.position >> 3, self.position & 7
        last = (self.position + bits * count + 7) >> 3
        found = np.unpackbits(np.frombuffer(self.data[first:last], np.uint8))[skip : skip + bits * count]
        self.position += bits * count
        return np.packbits(found.reshape(count, bits), axis=1)[:, 0] >> np.uint8(8 - bits)
