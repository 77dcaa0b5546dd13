"""The size of a picture in JPEG XL by its header, which says it before anything is decoded.

Source: ISO/IEC 18181-1 (SizeHeader) and 18181-2 (boxes).
"""

_CODESTREAM, _CONTAINER = b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n"
_RATIOS = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))
_BITS = (9, 13, 18, 30)


def is_jpegxl(data: bytes) -> bool:
    """Whether a file's bytes begin as those of a JPEG XL picture."""
    return data.startswith((_CODESTREAM, _CONTAINER))


def size_of(data: bytes) -> tuple[int, int] | None:
    """Return width and height of a JPEG XL picture, or None where its header is not whole."""
    stream = data if data.startswith(_CODESTREAM) else _codestream(data)
    if stream is None or len(stream) < 16 or not stream.startswith(_CODESTREAM):
        return None
    bits = int.from_bytes(stream[2:16], "little")

    def take(count: int) -> int:
        nonlocal bits
        value = bits & ((1 << count) - 1)
        bits >>= count
        return value

    is_small = take(1)

    def length() -> int:
        return 8 * (take(5) + 1) if is_small else 1 + take(_BITS[take(2)])

    height = length()
    ratio = take(3)
    if not ratio:
        return length(), height
    above, below = _RATIOS[ratio - 1]
    return height * above // below, height


def _codestream(data: bytes) -> bytes | None:
    """Find the first box of a container that holds the picture."""
    start = 0
    while start + 16 <= len(data):
        size, kind, header = int.from_bytes(data[start : start + 4], "big"), data[start + 4 : start + 8], 8
        if size == 1:
            size, header = int.from_bytes(data[start + 8 : start + 16], "big"), 16
        if kind == b"jxlc":
            return data[start + header :][:64]
        if kind == b"jxlp":
            return data[start + header + 4 :][:64]
        if size < header:
            return None
        start += size
    return None
