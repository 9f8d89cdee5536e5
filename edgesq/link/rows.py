"""The lossless code of an image's rows, of which a board decodes one at a time.

Each value is predicted from those left of it and above it; what it differs by is coded in blocks,
each in the way that takes the fewest bits: a Rice code, 8 bits each, or nothing at all.

Mirror: firmware/app/rows.c; the bits are in firmware/SPEC.md, section 8.
"""

import numpy as np
from numpy.typing import NDArray

from edgesq.integers import ceil_div

_BLOCK = 32
_WAY_BITS = 3
_PLAIN, _FLAT = 6, 7
_WAYS = _FLAT + 1
_ONES_MAX = 12
_COLOURS = (1, 0, 2)
"""Channels of an image with three in the order in which they are coded; the first is taken off the
others."""

_PER_WORD = 3
"""Codes of 20 bits at most that are put into one word of 64 before they are placed."""


def encode(image: NDArray[np.int8]) -> bytes:
    """Return the code of an image; where nothing can be saved it is longer than the image.

    Args:
        image: int8 [H, W, C].
    """
    values = _fold(_differences(_planes(image)))
    blocks = np.zeros((ceil_div(values.size, _BLOCK), _BLOCK), np.uint8)
    blocks.reshape(-1)[: values.size] = values.reshape(-1)
    ways = _cheapest(blocks)
    codes, bits = _CODES[ways[:, None], blocks], _BITS[ways[:, None], blocks]
    bits.reshape(-1)[values.size :] = 0
    heads = np.full((len(blocks), 1), _WAY_BITS, np.uint8)
    return _pack(np.hstack([ways[:, None], codes]), np.hstack([heads, bits]))


def _planes(image: NDArray[np.int8]) -> NDArray[np.int8]:
    """Return int8 [H, C, W]: the channels of each row one after the other, without their common."""
    planes = image.transpose(0, 2, 1)
    if planes.shape[1] != len(_COLOURS):
        return planes
    planes = planes[:, _COLOURS]
    planes[:, 1:] -= planes[:, :1]
    return planes


def _differences(planes: NDArray[np.int8]) -> NDArray[np.int8]:
    """Return what each value differs by from its prediction, modulo 256.

    Predicted is the median of left, above, and left + above - corner; in the first column, above.
    """
    above = np.zeros(planes.shape, np.int16)
    above[1:] = planes[:-1]
    left, corner = planes[..., :-1].astype(np.int16), above[..., :-1]
    predicted = above.copy()
    inner = above[..., 1:]
    least, most = np.minimum(left, inner), np.maximum(left, inner)
    predicted[..., 1:] = np.clip(left + inner - corner, least, most)
    return planes - predicted.astype(np.int8)


def _fold(differences: NDArray[np.int8]) -> NDArray[np.uint8]:
    """Return 0, -1, 1, -2 as 0, 1, 2, 3."""
    return ((differences << 1) ^ (differences >> 7)).view(np.uint8)


def _cheapest(blocks: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the way that takes the fewest bits, uint8 [n]."""
    bits = np.stack([_BITS[way].take(blocks).sum(axis=1, dtype=np.uint16) for way in range(_FLAT)])
    ways: NDArray[np.uint8] = bits.argmin(axis=0).astype(np.uint8)
    ways[~blocks.any(axis=1)] = _FLAT
    return ways


def _pack(codes: NDArray[np.uint32], bits: NDArray[np.uint8]) -> bytes:
    """Return codes of 20 bits at most one after the other, each from a byte's lowest bit on."""
    words, lengths = codes.astype(np.uint64).reshape(-1, _PER_WORD), bits.reshape(-1, _PER_WORD)
    ends = lengths.cumsum(axis=1, dtype=np.uint64)
    joined = words[:, 0].copy()
    for number in range(1, _PER_WORD):
        joined |= words[:, number] << ends[:, number - 1]
    stops = ends[:, -1].cumsum()
    starts = stops - ends[:, -1]
    places, shifts = (starts >> 6).astype(np.intp), starts & 63
    firsts = np.flatnonzero(np.diff(places, prepend=-1))
    packed = np.zeros(int(places[-1]) + 2, np.uint64)
    packed[places[firsts]] = np.bitwise_or.reduceat(joined << shifts, firsts)
    # Only the last of a word reaches into the next one. A shift by 64 is undefined: by two shifts.
    lasts = np.append(firsts[1:], len(places)) - 1
    packed[places[lasts] + 1] |= joined[lasts] >> 1 >> (63 - shifts[lasts])
    return packed.astype("<u8").tobytes()[: ceil_div(int(stops[-1]), 8)]


def _tables() -> tuple[NDArray[np.uint32], NDArray[np.uint8]]:
    """Return the code of each value in each way, and its bits: [_WAYS, 256]."""
    codes, bits = np.zeros((_WAYS, 256), np.uint32), np.zeros((_WAYS, 256), np.uint8)
    values = np.arange(256)
    for way in range(_PLAIN):
        ones = values >> way
        rice = (1 << ones.clip(max=_ONES_MAX)) - 1 | (values & (1 << way) - 1) << ones + 1
        is_long = ones >= _ONES_MAX
        codes[way] = np.where(is_long, (1 << _ONES_MAX) - 1 | values << _ONES_MAX, rice)
        bits[way] = np.where(is_long, _ONES_MAX + 8, ones + 1 + way)
    codes[_PLAIN], bits[_PLAIN] = values, 8
    return codes, bits


_CODES, _BITS = _tables()
