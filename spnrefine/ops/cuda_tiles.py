"""What the forward and the backward kernel share: how a block walks over a scan, and the gates of one pixel.

A block owns one direction of one image and a few channels. It takes the scan's lines in tiles of ``depth`` lines by
``threads`` positions, which lie in shared memory while it works on them. Within a tile the threads first load
elements in whichever order is contiguous in device memory; then, with a thread a position, they take the lines one
by one. The next tile is on its way in registers meanwhile.

Lines longer than a tile are cut into chunks that overlap: a line's state reaches one pixel further with every line,
so that a chunk with ``depth`` pixels to spare on both sides needs nothing from its neighbours for ``depth`` lines.
Between tiles the state of the whole line then lies in device memory (``carry``).
"""

from spnrefine.ops.cuda_types import device_function

BOUNDED, UNIT, AS_THEY_ARE = 1, 2, 0
"""The kernels' words for the ways to normalise."""


@device_function
def scan_shape(direction, height, width):
    """Return (number of lines, length of a line)."""
    if direction < 2:
        return width, height
    return height, width


@device_function
def position(j, thread, threads, depth, transposed):
    """Return (line in the tile, position in the tile) of a thread's ``j``-th element.

    Transposed, where the next line lies next in memory: ``depth`` threads take as many lines of one position.
    """
    if transposed:
        return thread % depth, thread // depth + j * (threads // depth)
    return j, thread


@device_function
def clamped(value, count):
    """Bring an index into 0..count - 1, so that a load needs no branch."""
    return min(max(value, 0), count - 1)


@device_function
def normalised(a, b, c, normalise, zero, one):
    """Return the three gates, and the sum they were divided by, 0 where they were left alone."""
    total = abs(a) + abs(b) + abs(c)
    floor = one if normalise == BOUNDED else zero
    if normalise != AS_THEY_ARE and total > floor:
        return a / total, b / total, c / total, total
    return a, b, c, zero


@device_function
def sign(value, zero, one):
    if value > zero:
        return one
    if value < zero:
        return -one
    return zero
