"""Weights as a stream of bits: canonical Huffman, one code per layer, lossless.

A stream is one array of bytes:

    lowest symbol, int8 | symbols in the code, less one | their code lengths, two to a byte, low
    half first, 0 where a symbol never comes | codes, from each byte's lowest bit | PADDING

Codes of one length are numbered in the order of their symbols, shorter ones first, and are sent
from their highest bit down. Symbols stand in the order in which a kernel family takes its weights,
so that a decoder writes memory from front to back; the bytes are the same for every order.

Why one run of bits and no tiles: a decoder keeps its place between calls, so that it may stop after
any number of weights, and each operator's plan chooses how many.
"""

import heapq
import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgesq.errors import EdgesqError

MAX_BITS = 10
"""Longest code, so that a table of 2^10 entries decodes any; 11 would save 0.1 to 0.4 %."""

PADDING = 4
"""Bytes behind the last code, zero: a decoder loads four at a time."""

_HEADER = 2

Int8Array = NDArray[np.int8]


@dataclass(frozen=True)
class Stream:
    """An encoded layer.

    Attributes:
        content: the array of bytes described above.
        code_bytes: of it, what stands before the first code.
        bits: length of all codes together.
        longest: of the codes, in bits.
    """

    content: bytes
    code_bytes: int
    bits: int
    longest: int

    @property
    def crc32(self) -> int:
        """CRC-32 (zlib's) of `content` without its padding."""
        return zlib.crc32(self.content[:-PADDING])


def code_lengths(counts: NDArray[np.int64], most: int = MAX_BITS) -> NDArray[np.int64]:
    """Return the code lengths of a best prefix code of at most `most` bits; 0 for counts of 0.

    Package-merge: `most` times, pairs of the cheapest are packed and merged with the symbols again;
    a symbol's length is in how many of the first 2 (n - 1) packages it is.
    Source: Larmore, Hirschberg, A fast algorithm for optimal length-limited Huffman codes, 1990.

    Args:
        counts: how often each symbol comes, [n].
        most: longest code allowed; 2^most must be at least the number of symbols.
    """
    used = np.flatnonzero(counts)
    lengths = np.zeros(len(counts), np.int64)
    if len(used) == 1:
        lengths[used] = 1
    if len(used) < 2:
        return lengths
    leaves: list[tuple[int, tuple[int, ...]]] = sorted(
        (int(counts[symbol]), (int(symbol),)) for symbol in used
    )
    packages = leaves
    for _ in range(most - 1):
        pairs = [
            (first[0] + second[0], first[1] + second[1])
            for first, second in zip(packages[::2], packages[1::2], strict=False)
        ]
        packages = list(heapq.merge(leaves, pairs))
    for _, members in packages[: 2 * (len(used) - 1)]:
        np.add.at(lengths, list(members), 1)
    return lengths


def encode(weights: Int8Array, most: int = MAX_BITS) -> Stream:
    """Encode weights of any shape, in the order in which they lie.

    Args:
        weights: int8, at least one.
        most: longest code allowed.
    """
    symbols = weights.reshape(-1).astype(np.int64)
    lowest = int(symbols.min())
    counts = np.bincount(symbols - lowest)
    lengths = code_lengths(counts, most)
    codes = _canonical(lengths)
    sizes = lengths[symbols - lowest]
    ends = np.cumsum(sizes)
    bits = np.zeros(-(-int(ends[-1]) // 8) * 8, np.uint8)
    for place in range(int(lengths.max())):
        sent = sizes > place
        chosen = symbols[sent] - lowest
        bit = codes[chosen] >> (lengths[chosen] - 1 - place) & 1
        bits[(ends - sizes)[sent] + place] = bit
    header = _header(lowest, lengths)
    content = header + np.packbits(bits, bitorder="little").tobytes() + bytes(PADDING)
    return Stream(content, len(header), int(ends[-1]), int(lengths.max()))


def decode(content: bytes, count: int) -> Int8Array:
    """Return the first `count` weights of a stream, int8 [count], bit by bit.

    Raises:
        EdgesqError: a stream that ends early, or bits that are no code.
    """
    lowest, lengths = _read_header(content)
    start = _HEADER + -(-len(lengths) // 2)
    names = {
        (int(length), int(code)): symbol
        for symbol, (length, code) in enumerate(zip(lengths, _canonical(lengths), strict=True))
        if length
    }
    bits = np.unpackbits(
        np.frombuffer(content[start : -PADDING or None], np.uint8), bitorder="little"
    )
    weights, code, length = np.zeros(count, np.int8), 0, 0
    done = 0
    for bit in bits.tolist():
        if done == count:
            break
        code, length = code << 1 | bit, length + 1
        symbol = names.get((length, code))
        if symbol is not None:
            weights[done] = lowest + symbol
            done, code, length = done + 1, 0, 0
        elif length > MAX_BITS:
            break
    if done < count:
        raise EdgesqError(
            f"the stream of weights is damaged behind {done} of {count} weights",
            hint="export the model again",
        )
    return weights


def stream_bytes(weights: Int8Array) -> int:
    """Return the bytes of one layer's stream, as `encode` would make it, header and padding too."""
    counts = np.bincount(weights.reshape(-1).astype(np.int64) + 128, minlength=256)
    bits = int((counts * code_lengths(counts)).sum())
    used = np.flatnonzero(counts)
    span = int(used[-1] - used[0]) + 1
    return _HEADER + -(-span // 2) + -(-bits // 8) + PADDING


def _canonical(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the codes, by symbol; of those that never come, 0."""
    codes = np.zeros_like(lengths)
    code = 0
    for length in range(1, int(lengths.max()) + 1):
        for symbol in np.flatnonzero(lengths == length):
            codes[symbol] = code
            code += 1
        code <<= 1
    return codes


def _header(lowest: int, lengths: NDArray[np.int64]) -> bytes:
    halves = np.append(lengths, np.zeros(len(lengths) % 2, np.int64))
    packed = (halves[::2] | halves[1::2] << 4).astype(np.uint8)
    return bytes([lowest & 0xFF, len(lengths) - 1]) + packed.tobytes()


def _read_header(content: bytes) -> tuple[int, NDArray[np.int64]]:
    lowest, count = (content[0] ^ 0x80) - 0x80, content[1] + 1
    packed = np.frombuffer(content, np.uint8, -(-count // 2), _HEADER).astype(np.int64)
    return lowest, np.stack([packed & 15, packed >> 4], axis=1).reshape(-1)[:count]
