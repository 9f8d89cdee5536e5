"""What an image reads from a serial flash: what its cache does not hold, each time anew."""

from collections import Counter
from dataclasses import replace

import pytest

from edgesq.formats.tflite import read_graph
from edgesq.operators import Convolution
from edgesq.plan import PlanRequest, make_plan
from edgesq.plan.costs import operator_costs
from edgesq.plan.reading import flash_reads
from edgesq.targets import load_target
from support.cases import NETWORKS

FLASH = load_target("pico").region("flash")
NOTHING_FITS, ALL_FITS = 0, 1 << 30


@pytest.mark.parametrize(("kernels", "pixels"), [("portable", 1), ("scalar", 4)])
def test_a_larger_cache_reads_less(kernels: str, pixels: int) -> None:
    assert FLASH is not None
    graph = read_graph(NETWORKS["every_operator"]())
    plan = make_plan(graph, PlanRequest(kernels))
    costs = operator_costs(graph, plan, kernels)
    sizes = [cost.weights_bytes + cost.tables_bytes for cost in costs]
    steps = Counter(plan.steps)
    once_a_step = sum(size * steps[index] for index, size in enumerate(sizes))
    assert flash_reads(graph, plan, kernels, replace(FLASH, cache_bytes=ALL_FITS)) == once_a_step
    expected = 0
    for index, (item, size) in enumerate(zip(plan.ops, sizes, strict=True)):
        height, width, _ = graph.tensors[item.op.output].hwc
        is_blocked = isinstance(item.op, Convolution)
        assert item.kernel.pixels <= pixels
        together = max(item.kernel.pixels, 1)
        expected += size * (height * -(-width // together) if is_blocked else steps[index])
    found = flash_reads(graph, plan, kernels, replace(FLASH, cache_bytes=NOTHING_FITS))
    assert found == expected > once_a_step
