"""Planning a deep network takes work in proportion to its operators; work is counted, not timed."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from edgesq.formats.tflite import read_graph
from edgesq.graph import Graph
from edgesq.plan import PlanRequest, choose, greedy, make_plan, packing
from edgesq.plan.planner import Planner
from support.networks import Network

CELLS = 9
"""Of the deep network: 58 operators."""

Counted = Counter[str]


def cells(count: int) -> Graph:
    """Return cells as NASNet has them: each reads the two before it, on branches that are joined.

    The last third works on maps of a quarter of the size.
    """
    net = Network((16, 4, 2))
    before = last = net.conv(net.input, 4, (3, 3))
    for cell in range(count):
        if cell == count * 2 // 3:
            before, last = (net.conv(one, 4, (1, 1), (2, 2)) for one in (before, last))
        left = net.add(net.depthwise(last), before)
        right = net.add(net.conv(before, 4, (3, 3)), last)
        before, last = last, net.conv(net.concat([left, right]), 4)
    return read_graph(net.build(net.mean(last)))


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Counted:
    """How often the planner does what takes its time."""
    counts: Counted = Counter()

    def count(owner: Any, name: str) -> None:
        function: Callable[..., Any] = getattr(owner, name)

        def noted(*arguments: Any) -> Any:
            counts[name] += 1
            return function(*arguments)

        monkeypatch.setattr(owner, name, noted)

    count(greedy, "lowest")
    count(packing, "live_together")
    count(Planner, "plan")
    count(Planner, "bound")
    return counts


def test_twice_the_operators_are_twice_the_work(
    counted: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once searches for places have spent what they may, which a network of this size does not."""
    monkeypatch.setattr(packing, "SEARCHED_BLOCKS", 500)
    placed = []
    for count in (CELLS // 2, CELLS):
        counted.clear()
        make_plan(cells(count), PlanRequest("dsp"))
        placed.append(counted["lowest"])
        assert counted["live_together"] == 1, "of all kernels that are tried, blocks live as long"
    assert placed[1] < 2.5 * placed[0]


def test_plans_of_a_search_do_not_grow_with_the_operators(counted: Counted) -> None:
    made = []
    for count in (3, CELLS):
        counted.clear()
        choose(cells(count), PlanRequest("dsp"))
        made.append((counted["plan"], counted["bound"]))
    (plans, bounds), (more_plans, more_bounds) = made
    assert more_plans <= more_bounds < 2 * bounds
    assert more_plans < 2 * plans
