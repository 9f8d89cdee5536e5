"""The lossless code of rows, read bit by bit as firmware/SPEC.md, section 8, has it."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Int8 = NDArray[np.int8]


class _Bits:
    """Takes bits off bytes, each byte from its lowest bit on."""

    def __init__(self, content: bytes) -> None:
        self.taken = 0
        self._content = content

    def take(self, count: int) -> int:
        """Return the next `count` bits as a number, the first one lowest.

        Raises:
            EOFError: there are not so many.
        """
        value = 0
        for place in range(count):
            byte, bit = divmod(self.taken, 8)
            if byte == len(self._content):
                raise EOFError
            value |= (self._content[byte] >> bit & 1) << place
            self.taken += 1
        return value


def decode(content: bytes, shape: tuple[int, int, int]) -> tuple[Int8, int, bool]:
    """Return what any bytes are as an image.

    Returns:
        The image, int8 [H, W, C], 0 in rows that did not become whole; how many rows did; whether
        bytes are left.
    """
    height, width, channels = shape
    bits = _Bits(content)
    differences = _differences(bits)
    image = np.zeros(shape, np.int8)
    above = np.zeros((channels, width), np.int64)
    for row in range(height):
        try:
            above = _row(above, differences)
        except EOFError:
            return image, row, False
        image[row] = _colours(above).T.astype(np.int8)
    return image, height, len(content) > (bits.taken + 7) // 8


def _row(above: NDArray[np.int64], differences: Iterator[int]) -> NDArray[np.int64]:
    values = np.zeros_like(above)
    for channel, column in np.ndindex(*above.shape):
        predicted = up = int(above[channel, column])
        if column:
            left, corner = int(values[channel, column - 1]), int(above[channel, column - 1])
            predicted = sorted((left, up, left + up - corner))[1]
        values[channel, column] = _int8(predicted + next(differences))
    return values


def _colours(planes: NDArray[np.int64]) -> NDArray[np.int64]:
    if len(planes) != 3:
        return planes
    green, red, blue = planes
    return np.stack([green + red, green, green + blue])


def _differences(bits: _Bits) -> Iterator[int]:
    while True:
        way = bits.take(3)
        for _ in range(32):
            folded = _folded(bits, way)
            yield -(folded + 1) // 2 if folded & 1 else folded // 2


def _folded(bits: _Bits, way: int) -> int:
    if way == 7:
        return 0
    if way == 6:
        return bits.take(8)
    ones = 0
    while ones < 12 and bits.take(1):
        ones += 1
    return bits.take(8) if ones == 12 else ones << way | bits.take(way)


def _int8(value: int) -> int:
    return (value + 128) % 256 - 128
