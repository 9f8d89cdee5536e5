"""ADD, SUB and MUL on int8. Mirror: firmware/src/ops/esq_add.c, esq_mul.c."""

import numpy as np

from edgesq.combine import combine
from edgesq.graph import Graph, Int8Array
from edgesq.operators import Binary
from edgesq.reference.kernel import Kernels


def binary(graph: Graph, op: Binary, *inputs: Int8Array) -> Int8Array:
    """Add, subtract or multiply; `inputs` are int8 [H, W, C] or [1, 1, C], without constants."""
    images = iter(inputs)
    operands = [
        next(images) if (data := graph.tensors[index].data) is None else data
        for index in op.operands
    ]
    return np.clip(combine(graph, op, *operands), *op.clamp).astype(np.int8)


KERNELS: Kernels = {Binary: binary}
