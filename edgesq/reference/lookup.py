"""Operators that take each value by itself, on int8. Mirror: firmware/src/ops/esq_lookup.c."""

import numpy as np

from edgesq.graph import Graph, Int8Array
from edgesq.lookup import lookup_table
from edgesq.operators import Lookup
from edgesq.reference.kernel import Kernels


def lookup(graph: Graph, op: Lookup, image: Int8Array) -> Int8Array:
    """Take each value by itself, through the operator's table."""
    return lookup_table(graph, op)[image.astype(np.int64) + 128]


KERNELS: Kernels = {Lookup: lookup}
