"""Code weights as a lossless bit stream: canonical Huffman, one code per layer.

A stream is one array of bytes:

    0 or 1: which code | lowest value, int8 | values in its code, less one
    | 1: the lengths of 16 codes for masks | the lengths of the values' codes
    | codes, from each byte's lowest bit | PADDING

Lengths stand two to a byte, low half first, 0 where a symbol never comes. Codes of one length are
numbered in the order of their symbols, shorter ones first, and sent from their highest bit down.

Code 0 sends each weight. Code 1 is for layers of which most weights are zero, where a whole bit for
each of them is too much: for each four weights comes a mask, bit k set where weight k is not zero,
then the weights that are not zero. Fewer than four at the end are filled up with zeros.

Weights stand in the order in which a kernel family takes them, so that a decoder writes memory from
front to back. The bytes of code 0 are the same for every order, those of code 1 nearly.

Why one run of bits and no tiles: a decoder keeps its place between calls, so that it may stop after
any number of words, and each operator's plan chooses how many.
"""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgesq.compress.huffman import canonical_codes, code_lengths
from edgesq.errors import EdgesqError
from edgesq.integers import ceil_div, round_up

MAX_BITS = 10
"""Longest code length in bits: a table of 2^10 entries decodes any; 11 would save 0.1 to 0.4 %."""

MASK_BITS = 7
"""Longest code length of a mask in bits: two masks and a weight always fit the 25 bits of one
load."""

PADDING = 4
"""Zero bytes after the last code: a decoder loads four bytes at a time."""

WORD = 4
"""Weights that one mask covers."""

_MASKS = 1 << WORD
_HEADER = 3
_GAIN = 0.025
"""Smallest share of the bytes that masks must save: decoding them may cost more time, and takes 1.4
KB of code."""

Int8Array = NDArray[np.int8]
Int64Array = NDArray[np.int64]


@dataclass(frozen=True)
class Stream:
    """An encoded layer.

    Attributes:
        content: the array of bytes described above.
        code_bytes: of it, what stands before the first code.
        bits: length of all codes together.
        longest: of the weights' codes, in bits.
    """

    content: bytes
    code_bytes: int
    bits: int
    longest: int

    @property
    def crc32(self) -> int:
        """CRC-32 (zlib's) of `content` without its padding."""
        return zlib.crc32(self.content[:-PADDING])


@dataclass(frozen=True)
class _Code:
    """A code for values from `lowest` on."""

    lowest: int
    lengths: Int64Array

    def sizes_and_codes(self, values: Int64Array) -> tuple[Int64Array, Int64Array]:
        return self.lengths[values - self.lowest], canonical_codes(self.lengths)[
            values - self.lowest
        ]

    def names(self) -> dict[tuple[int, int], int]:
        """Return the values by length and code."""
        pairs = zip(self.lengths.tolist(), canonical_codes(self.lengths).tolist(), strict=True)
        return {pair: self.lowest + k for k, pair in enumerate(pairs) if pair[0]}


def has_masks(weights: Int8Array) -> bool:
    """Say whether code 1 is so much shorter that it is worth it."""
    return _measure(weights, MAX_BITS, None)[0]


def stream_bytes(weights: Int8Array, most: int = MAX_BITS, masks: bool | None = None) -> int:
    """Return the bytes of one layer's stream, as `encode` would make it, header and padding too."""
    return _measure(weights, most, masks)[1]


def encode(weights: Int8Array, most: int = MAX_BITS, masks: bool | None = None) -> Stream:
    """Encode weights of any shape, in the order in which they lie.

    Args:
        weights: int8, at least one.
        most: longest code of a weight allowed.
        masks: which code; None for that which `has_masks` says.
    """
    if masks is None:
        masks = _measure(weights, most, None)[0]
    flat = weights.reshape(-1).astype(np.int64)
    if not masks:
        code = _code_for(_counts(flat), most)
        sizes, codes = code.sizes_and_codes(flat)
        return _stream(_header(code), sizes, codes, int(code.lengths.max()))
    found, used = _masks_of(weights), flat != 0
    mask_code = _mask_code(found)
    code = _code_for(_counts(flat[used]), most)
    before = np.cumsum(np.append(0, used))
    words = np.arange(len(found))
    mask_places = words + before[words * WORD]
    value_places = (np.arange(len(flat)) // WORD + 1 + before[:-1])[used]
    sizes = np.zeros(len(found) + int(before[-1]), np.int64)
    codes = np.zeros_like(sizes)
    sizes[mask_places], codes[mask_places] = mask_code.sizes_and_codes(found)
    sizes[value_places], codes[value_places] = code.sizes_and_codes(flat[used])
    return _stream(_header(code, mask_code), sizes, codes, int(code.lengths.max()))


def decode(content: bytes, count: int) -> Int8Array:
    """Return the first `count` weights of a stream, int8 [count], bit by bit.

    Raises:
        EdgesqError: a stream that ends early, or bits that are no code.
    """
    code, mask_code, start = _read_header(content)
    raw = np.frombuffer(content[start : -PADDING or None], np.uint8)
    bits = iter(np.unpackbits(raw, bitorder="little").tolist())
    values = code.names()
    weights, done = np.zeros(round_up(count, WORD), np.int8), 0
    try:
        if mask_code is None:
            for done in range(count):
                weights[done] = _next(bits, values)
        else:
            masks = mask_code.names()
            for first in range(0, count, WORD):
                done, mask = first, _next(bits, masks)
                for done in (first + k for k in range(WORD) if mask >> k & 1):
                    weights[done] = _next(bits, values)
    except StopIteration:
        raise EdgesqError(
            f"the stream of weights is damaged behind {done} of {count} weights",
            hint="export the model again",
        ) from None
    return weights[:count]


def _next(bits: Iterator[int], names: dict[tuple[int, int], int]) -> int:
    """Return what the next bits are the code of; StopIteration where they are none."""
    code = 0
    for length in range(1, MAX_BITS + 1):
        code = code << 1 | next(bits)
        if (length, code) in names:
            return names[length, code]
    raise StopIteration


def _measure(weights: Int8Array, most: int, masks: bool | None) -> tuple[bool, int]:
    """Return which code it is, and the bytes of the stream."""
    counts = np.bincount(weights.reshape(-1).astype(np.int64) + 128, minlength=256)
    plain = 0
    if not masks:
        plain = _HEADER + _bytes_for(counts, most) + PADDING
        if masks is False or counts[128] == 0:
            return False, plain
    found = np.bincount(_masks_of(weights), minlength=_MASKS)
    counts[128] = 0
    least = (_entropy_bits(found) + _entropy_bits(counts)) / 8
    if masks is None and least > (1 - _GAIN) * plain:
        return False, plain
    bits = int((found * code_lengths(found, MASK_BITS)).sum())
    size = _HEADER + _MASKS // 2 + _bytes_for(counts, most, bits) + PADDING
    if masks is None and size > (1 - _GAIN) * plain:
        return False, plain
    return True, size


def _bytes_for(counts: Int64Array, most: int, others: int = 0) -> int:
    """Return the bytes of the lengths, and those of the codes with `others` more bits.

    Args:
        counts: of the values from -128 on, [256].
        most: longest code allowed.
        others: bits.
    """
    code = _code_for(counts, most)
    bits = int((counts * _lengths_of(code)).sum()) + others
    return ceil_div(len(code.lengths), 2) + ceil_div(bits, 8)


def _lengths_of(code: _Code) -> Int64Array:
    """Return the lengths of all values from -128 on, [256]."""
    lengths = np.zeros(256, np.int64)
    lengths[code.lowest + 128 :][: len(code.lengths)] = code.lengths
    return lengths


def _entropy_bits(counts: Int64Array) -> float:
    used = counts[counts > 0]
    return float((used * -np.log2(used / used.sum())).sum()) if used.size else 0.0


def _counts(values: Int64Array) -> Int64Array:
    return np.bincount(values + 128, minlength=256)


def _code_for(counts: Int64Array, most: int) -> _Code:
    """Return a code for values by their counts from -128 on, [256]; for none, of a 0 never sent."""
    used = np.flatnonzero(counts)
    if not used.size:
        return _Code(0, np.zeros(1, np.int64))
    first, last = int(used[0]), int(used[-1])
    return _Code(first - 128, code_lengths(counts[first : last + 1], most))


def _mask_code(masks: Int64Array) -> _Code:
    return _Code(0, code_lengths(np.bincount(masks, minlength=_MASKS), MASK_BITS))


def _masks_of(weights: Int8Array) -> Int64Array:
    """Return the masks of each four weights, [ceil(n / 4)]."""
    used = np.zeros(round_up(weights.size, WORD), np.uint8)
    used[: weights.size] = weights.reshape(-1) != 0
    return (used.view("<u4") * np.uint32(0x01020408) >> np.uint32(24)).astype(np.int64)


def _stream(header: bytes, sizes: Int64Array, codes: Int64Array, longest: int) -> Stream:
    """Return the stream of codes, each of `sizes` bits."""
    ends = np.cumsum(sizes)
    bits = np.zeros(round_up(int(ends[-1]), 8), np.uint8)
    for place in range(int(sizes.max())):
        sent = sizes > place
        bits[(ends - sizes)[sent] + place] = codes[sent] >> (sizes[sent] - 1 - place) & 1
    content = header + np.packbits(bits, bitorder="little").tobytes() + bytes(PADDING)
    return Stream(content, len(header), int(ends[-1]), longest)


def _header(code: _Code, mask_code: _Code | None = None) -> bytes:
    lengths = _packed(mask_code.lengths) if mask_code else b""
    start = bytes([mask_code is not None, code.lowest & 0xFF, len(code.lengths) - 1])
    return start + lengths + _packed(code.lengths)


def _packed(lengths: Int64Array) -> bytes:
    halves = np.append(lengths, np.zeros(len(lengths) % 2, np.int64))
    return (halves[::2] | halves[1::2] << 4).astype(np.uint8).tobytes()


def _read_header(content: bytes) -> tuple[_Code, _Code | None, int]:
    """Return the code of the weights, that of the masks where there are, and where codes begin."""
    lowest, count = (content[1] ^ 0x80) - 0x80, content[2] + 1
    start, masks = _HEADER, None
    if content[0]:
        masks = _Code(0, _unpacked(content, start, _MASKS))
        start += _MASKS // 2
    return _Code(lowest, _unpacked(content, start, count)), masks, start + ceil_div(count, 2)


def _unpacked(content: bytes, start: int, count: int) -> Int64Array:
    packed = np.frombuffer(content, np.uint8, ceil_div(count, 2), start).astype(np.int64)
    return np.stack([packed & 15, packed >> 4], axis=1).reshape(-1)[:count]
