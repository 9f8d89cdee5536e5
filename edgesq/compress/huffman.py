"""Best prefix codes of limited length, canonical: a code is known by the lengths of its symbols.

Codes of one length are numbered in the order of their symbols, shorter ones first.
"""

import heapq

import numpy as np
from numpy.typing import NDArray


def code_lengths(counts: NDArray[np.int64], most: int) -> NDArray[np.int64]:
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


def canonical_codes(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the codes by symbol, from their lengths; 0 for those that never come, of length 0."""
    codes = np.zeros_like(lengths)
    code = 0
    for length in range(1, int(lengths.max()) + 1):
        for symbol in np.flatnonzero(lengths == length):
            codes[symbol] = code
            code += 1
        code <<= 1
    return codes
