"""What the forward and the backward kernel share: how a block walks over a scan, and the gates of one pixel.

A block owns one direction of one image and a few channels. It takes the scan's lines in tiles of ``depth`` lines by
``threads`` positions, which lie in shared memory while it works on them. Within a tile the threads first bring
elements in whichever order is contiguous in device memory; then, with a thread a position, they take the lines one
by one. The next tile is on its way in registers meanwhile.

Lines longer than a tile are cut into chunks that overlap: a line's state reaches one pixel further with every line,
so that a chunk with ``depth`` pixels to spare on both sides needs nothing from its neighbours for ``depth`` lines.
Between tiles the state of the whole line then lies in device memory (``carry``).
"""

from spnrefine.ops.cuda.storage import device_function, int32

BOUNDED, UNIT, AS_THEY_ARE = 1, 2, 0
"""The kernels' words for the ways to normalise."""


@device_function
def scan_shape(direction, height, width):
    """Return (number of lines, length of a line)."""
    if direction < 2:
        return width, height
    return height, width


@device_function
def assignment(thread, threads, depth, transposed):
    """Return (line, position) of the first of ``depth`` elements that a thread moves, and the steps to the next ones.

    Transposed, where a pixel's next line lies next in memory: ``depth`` threads take as many lines of one position.
    """
    if transposed:
        return thread % depth, thread // depth, 0, threads // depth
    return 0, thread, 1, 0


@device_function
def walk(at, row, line, horizontal, from_far, lines):
    """Return (first element, step to the next row of a line, step to the next line) for a tensor's last two strides.

    ``at`` is the element in the corner of the image; ``from_far`` counts lines from the other side.
    """
    row, line = int32(row), int32(line)
    if not horizontal:
        row, line = line, row
    if from_far:
        return at + (lines - 1) * line, row, int32(-line)
    return at, row, line


@device_function
def chunks_of(rows, length, depth, chunked):
    """Return (rows a chunk has to spare on each side, rows it is for, number of chunks of a line)."""
    if chunked and rows < length:
        owned = int32(rows - 2 * depth)
        return int32(depth), owned, int32((length + owned - 1) // owned)
    return int32(0), int32(rows), int32(1)


@device_function
def clamped(value, count):
    """Bring an index into 0..count - 1."""
    return min(max(value, 0), count - 1)


@device_function
def normalised(a, b, c, normalise, zero, one, least):
    """Return the three gates, and what they were multiplied by, 0 where they were left alone.

    ``least`` is the smallest normal number: below it, ``unit`` falls short of a sum of 1.
    """
    total = abs(a) + abs(b) + abs(c)
    floor = one if normalise == BOUNDED else zero
    if normalise != AS_THEY_ARE and total > floor:
        scale = one / max(total, least)
        return a * scale, b * scale, c * scale, scale
    return a, b, c, zero


@device_function
def sign(value, zero, one):
    if value > zero:
        return one
    if value < zero:
        return -one
    return zero


@device_function
def raw_gradients(da, db, dc, a, b, c, scale, zero, one):
    """Turn the gradients of three gates into those of the raw guidance, by the Jacobian of the normalisation."""
    if scale > zero:
        along = da * a + db * b + dc * c
        da = (da - sign(a, zero, one) * along) * scale
        db = (db - sign(b, zero, one) * along) * scale
        dc = (dc - sign(c, zero, one) * along) * scale
    return da, db, dc
