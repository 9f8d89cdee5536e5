"""SOFTMAX on int8. Mirror: firmware/src/ops/esq_softmax.c."""

import numpy as np

from edgesq.arithmetic import (
    SOFTMAX_SUM_INTEGER_BITS,
    doubling_high_mul,
    reciprocal,
    rounding_divide_by_pot,
    softmax_exp_table,
)
from edgesq.graph import Graph, Int8Array
from edgesq.operators import Softmax
from edgesq.reference.kernel import Kernels


def softmax(graph: Graph, op: Softmax, image: Int8Array) -> Int8Array:
    """Softmax over the channels of int8 [H, W, C]; output scale 1/256, zero point -128."""
    values = image.astype(np.int64)
    exp = softmax_exp_table(graph, op)[values.max(axis=-1, keepdims=True) - values]
    terms = rounding_divide_by_pot(exp, SOFTMAX_SUM_INTEGER_BITS)
    mantissa, bits = reciprocal(terms.sum(axis=-1, keepdims=True))
    levels = rounding_divide_by_pot(doubling_high_mul(mantissa, exp), bits + 31 - 8)
    return np.clip(levels - 128, -128, 127).astype(np.int8)


KERNELS: Kernels = {Softmax: softmax}
