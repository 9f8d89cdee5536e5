"""ADD and SOFTMAX on int8. Mirror: firmware/src/ops/esq_add.c, esq_softmax.c."""

import numpy as np

from edgesq.arithmetic import (
    ADD_LEFT_SHIFT,
    SOFTMAX_SUM_INTEGER_BITS,
    add_parameters,
    doubling_high_mul,
    multiply_by_quantized_multiplier,
    reciprocal,
    rounding_divide_by_pot,
    softmax_exp_table,
)
from edgesq.graph import Add, Graph, Int8Array, Softmax


def add(graph: Graph, op: Add, first: Int8Array, second: Int8Array) -> Int8Array:
    """Add two int8 images of one shape, each with its own scale and zero point."""
    parameters = add_parameters(graph, op)
    total = np.zeros(first.shape, np.int64)
    for index, image, multiplier, shift in zip(
        op.inputs, (first, second), parameters.multiplier, parameters.shift, strict=True
    ):
        real = (image.astype(np.int64) - graph.tensors[index].zero_point) << ADD_LEFT_SHIFT
        total += multiply_by_quantized_multiplier(real, multiplier, shift)
    scaled = multiply_by_quantized_multiplier(
        total, parameters.output_multiplier, parameters.output_shift
    )
    return np.clip(scaled + graph.tensors[op.output].zero_point, *op.clamp).astype(np.int8)


def softmax(graph: Graph, op: Softmax, image: Int8Array) -> Int8Array:
    """Softmax over the channels of int8 [H, W, C]; output scale 1/256, zero point -128."""
    values = image.astype(np.int64)
    exp = softmax_exp_table(graph, op)[values.max(axis=-1, keepdims=True) - values]
    terms = rounding_divide_by_pot(exp, SOFTMAX_SUM_INTEGER_BITS)
    mantissa, bits = reciprocal(terms.sum(axis=-1, keepdims=True))
    levels = rounding_divide_by_pot(doubling_high_mul(mantissa, exp), bits + 31 - 8)
    return np.clip(levels - 128, -128, 127).astype(np.int8)
