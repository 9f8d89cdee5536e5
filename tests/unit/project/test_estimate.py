"""What a board is estimated to take: instructions, cycles, milliseconds; how far off they are."""

from dataclasses import replace

import pytest

from edgesq.formats.tflite import read_graph
from edgesq.plan import plan_for
from edgesq.project import FlashReads, board_time, estimate, estimate_plan
from edgesq.targets import list_targets, load_target
from support.cases import NETWORKS


def test_time_is_of_the_clock() -> None:
    target = load_target("mps2-an500")
    slow = board_time(10_000_000, target)
    fast = board_time(10_000_000, replace(target, clock_hz=10 * target.clock_hz))
    assert slow is not None
    assert fast is not None
    assert slow.cycles == fast.cycles
    assert slow.us == pytest.approx(10 * fast.us)
    assert slow.us == pytest.approx(slow.cycles * 1e6 / target.clock_hz)


def test_waits_are_cycles_too() -> None:
    target = load_target("pico")
    waits = FlashReads(bytes=4_000, cycles=50_000)
    without, with_waits = board_time(1_000_000, target), board_time(1_000_000, target, waits)
    assert without is not None
    assert with_waits is not None
    assert with_waits.cycles == without.cycles + waits.cycles


def test_what_is_estimated_of_an_estimate_is_off_by_more() -> None:
    target = load_target("stm32f405")
    counted, guessed = board_time(1_000_000, target), estimate(1e6, target)
    assert counted is not None
    assert guessed.time is not None
    assert guessed.doubt is not None
    assert guessed.time.doubt == pytest.approx(
        (1 + counted.doubt) * (1 + guessed.doubt) - 1, abs=0.01
    )
    assert "no silicon" in guessed.time.words


@pytest.mark.parametrize("name", ["host", "esp32s3"])
def test_no_time_is_told_of_a_core_that_is_not_known(name: str) -> None:
    assert board_time(1_000_000, load_target(name)) is None
    assert estimate(1e6, load_target(name)).time is None


def test_every_cortex_m_has_a_time() -> None:
    cores = [one for one in list_targets() if one.cpu.startswith("cortex-m") and one.is_planned]
    assert cores
    assert [one.name for one in cores if board_time(1_000_000, one) is None] == []


def test_a_plan_waits_where_the_flash_is_slow() -> None:
    graph = read_graph(NETWORKS["fire"]())
    for name in ("pico", "mps2-an500"):
        target = load_target(name)
        chosen = plan_for(graph, target)
        found = estimate_plan(graph, chosen, target)
        is_slow = bool(target.region("flash").read_clocks_per_word)  # type: ignore[union-attr]
        assert (found.flash_reads is not None) == is_slow == (name == "pico")
        assert found.time is not None
        assert (found.time.cycles > estimate(chosen.instructions, target).time.cycles) == is_slow  # type: ignore[union-attr]
