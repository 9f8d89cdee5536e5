"""Estimate what decoding takes in instructions, by how a layer's weights are spread."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from edgesq.compress import MAX_BITS, WORD, code_lengths, has_masks
from edgesq.graph import Graph
from edgesq.integers import round_up

_TABLE_INSTRUCTIONS, _ENTRY_INSTRUCTIONS = 3_500, 23
_MASKED_TABLE_INSTRUCTIONS, _MASKED_ENTRY_INSTRUCTIONS = 7_000, 7
"""To make the table of codes, and for each of its entries; with masks."""

_LONG_INSTRUCTIONS = 7.0
"""Further instructions per weight of a word with a pair that the table lacks."""


@dataclass(frozen=True)
class Decoding:
    """What it takes a kernel family to decode weights, in instructions.

    Attributes:
        weight: a weight of a pair that the table has.
        masked_words: four weights under a mask, by how many are not zero: none to four.
    """

    weight: float
    masked_words: tuple[float, float, float, float, float]


@lru_cache(maxsize=1024)
def masked_words(graph: Graph, weights: int) -> tuple[float, ...] | None:
    """Return the shares of words with 0 to 4 weights that are not zero; None without masks."""
    data = graph.constant(weights)
    if not has_masks(data.astype(np.int8)):
        return None
    used = np.zeros(round_up(data.size, WORD), np.int64)
    used[: data.size] = data.reshape(-1) != 0
    counts = np.bincount(used.reshape(-1, WORD).sum(axis=1), minlength=WORD + 1)
    return tuple((counts / counts.sum()).tolist())


@lru_cache(maxsize=1024)
def long_words(graph: Graph, weights: int, bits: int) -> float:
    """Return the share of words, four weights, with a pair that takes more than `bits` bits.

    Args:
        graph: the model.
        weights: the tensor.
        bits: index into the table; also the longest code, where that is less than usual.
    """
    data = graph.constant(weights)
    counts = np.bincount(data.reshape(-1).astype(np.int64) + 128, minlength=256)
    lengths = code_lengths(counts, min(bits, MAX_BITS))
    chances = np.bincount(lengths, counts, minlength=2)[1:] / counts.sum()
    pairs = np.convolve(chances, chances)  # [k]: both take k + 2 bits
    return float(1 - pairs[: bits - 1].sum() ** 2)


def band_instructions(graph: Graph, weights: int, decoding: Decoding, bits: int) -> float:
    """Estimate what it takes to decode a tensor once, its table included.

    Args:
        graph: the model.
        weights: the tensor.
        decoding: what it takes the kernel family.
        bits: index into the table of codes.
    """
    count = int(np.prod(graph.tensors[weights].shape))
    if masked_words(graph, weights) is None:
        table = _TABLE_INSTRUCTIONS + (_ENTRY_INSTRUCTIONS << bits)
    else:
        table = _MASKED_TABLE_INSTRUCTIONS + (_MASKED_ENTRY_INSTRUCTIONS << bits)
    return table + count * _weight_instructions(graph, weights, decoding, bits)


def _weight_instructions(graph: Graph, weights: int, decoding: Decoding, bits: int) -> float:
    """Estimate what decoding a weight takes."""
    words = masked_words(graph, weights)
    if words is not None:
        return float(np.dot(words, decoding.masked_words)) / WORD
    long = long_words(graph, weights, bits)
    return decoding.weight + _LONG_INSTRUCTIONS * long
