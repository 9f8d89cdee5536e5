"""What an image reads from a flash that is slower than the core, behind a cache."""

from collections import Counter

from edgesq.graph import Graph
from edgesq.kernels.counts import passes_of
from edgesq.operators import Convolution
from edgesq.plan.allocation import Plan
from edgesq.plan.costs import operator_costs
from edgesq.targets import Region


def flash_reads(graph: Graph, plan: Plan, kernels: str, flash: Region) -> int:
    """Return the bytes that an image reads past the flash's cache, estimated.

    What an operator has in flash is read anew in each of its steps: the steps of others come in
    between. Where it is more than the cache holds, it is read anew for all pixels that are not
    computed together, except coded weights: they are decoded once a step. Code is not counted.

    Args:
        graph: the model.
        plan: its plan.
        kernels: kernel family.
        flash: with its cache.
    """
    steps = Counter(plan.steps)
    total = 0
    costs = operator_costs(graph, plan, kernels)
    for index, (item, cost) in enumerate(zip(plan.ops, costs, strict=True)):
        read = cost.weights_bytes + cost.tables_bytes
        times = steps[index]
        is_cached = read <= flash.cache_bytes or item.kernel.coded is not None
        if isinstance(item.op, Convolution) and not is_cached:
            height, width, _ = graph.tensors[item.op.output].hwc
            times = height * passes_of(width, item.kernel.pixels)
        total += read * times
    return total
