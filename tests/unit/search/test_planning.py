"""What is asked of the linker before anything is trained: what bounds alone cannot tell."""

from dataclasses import replace

import pytest

from edgesq.errors import FitError
from edgesq.graph import Graph
from edgesq.plan import least_flash_bytes
from edgesq.project import Sizes
from edgesq.search import planning
from edgesq.search.planning import over, planned, settled
from edgesq.search.records import Limits, Needed
from edgesq.targets import load_target
from support.searching import TinySpace

BOARD = load_target("stm32f405")
GRAPH = TinySpace().graph({"width": 90, "size": 3})


def asked(monkeypatch: pytest.MonkeyPatch, limits: Limits, sizes: Sizes | None) -> Needed | None:
    """Return what is settled; None where the linker was not asked."""
    calls: list[Graph] = []

    def measure(graph: Graph, *_: object) -> Sizes | None:
        calls.append(graph)
        if sizes is None:
            raise FitError("region flash overflowed")
        return sizes

    monkeypatch.setattr(planning, "measure", measure)
    needed, chosen = planned(GRAPH, BOARD, limits)
    found = settled(needed, GRAPH, chosen, BOARD, limits)
    assert calls or found == needed
    return found if calls else None


def test_the_linker_is_asked_where_tables_and_code_decide(monkeypatch: pytest.MonkeyPatch) -> None:
    needed, chosen = planned(GRAPH, BOARD, Limits())
    least, most = least_flash_bytes(GRAPH, chosen.plan, BOARD), needed.flash_bytes
    assert least < most - 20_000
    sizes = Sizes(flash_bytes=most - 9_000, ram_bytes=needed.ram_bytes - 300)
    between = Limits(flash_bytes=most - 8_000)
    found = asked(monkeypatch, between, sizes)
    assert found == replace(
        needed, flash_bytes=most - 9_000, ram_bytes=needed.ram_bytes - 300, is_linked=True
    )
    assert over(found, BOARD, between)["flash"] < 0
    assert asked(monkeypatch, between, None) == needed
    assert asked(monkeypatch, Limits(flash_bytes=most), sizes) is None
    assert asked(monkeypatch, Limits(flash_bytes=least - 1), sizes) is None
    assert asked(monkeypatch, replace(between, ram_bytes=1_000), sizes) is None
