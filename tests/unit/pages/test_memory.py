"""The picture of an arena shows each block where the plan has it."""

import re
from xml.etree import ElementTree

import pytest

from edgesq.formats.tflite import read_graph
from edgesq.pages import Picture, arena_map, at_peak, peak_map, peak_words
from edgesq.pages.memory import MAX_COLUMNS, blocks
from edgesq.plan import Bands, Plan, PlanRequest, covered_bytes, make_plan
from support.cases import NETWORKS


@pytest.fixture(scope="module", params=["every_operator", "concat_of_different_progress"])
def plan(request: pytest.FixtureRequest) -> Plan:
    return make_plan(read_graph(NETWORKS[request.param]()), PlanRequest("dsp"))


def rectangles(picture: Picture) -> dict[str, list[tuple[float, float, float, float]]]:
    """Return left, top, right and base of each rectangle, by what the block is."""
    found = {}
    for path in ElementTree.fromstring(str(picture)).iter("path"):
        title = path.find("title")
        assert title is not None
        places = re.findall(r"M([\d.]+) ([\d.]+)H([\d.]+)V([\d.]+)H\1z", path.attrib["d"])
        assert len("".join(places[0])) > 0
        found[title.text or ""] = [tuple(map(float, one)) for one in places]
    return found  # type: ignore[return-value]


def test_every_block_is_there_in_its_steps(plan: Plan) -> None:
    steps = len(plan.steps)
    assert steps <= MAX_COLUMNS  # a column for each step: all can be compared exactly
    drawn = rectangles(arena_map(plan))
    assert set(drawn) == {each.words for each in blocks(plan)}
    for each in blocks(plan):
        spans = drawn[each.words]
        width = (880 - 16 - 64) / steps
        covered = sum(round((right - left) / width) for left, _, right, _ in spans)
        assert covered == each.item.live.bit_count()
        heights = {round(base - top, 0) for _, top, _, base in spans}
        assert len(heights) == 1
        assert each.item.bytes / plan.arena_bytes == pytest.approx(
            heights.pop() / (430 - 56 - 60), abs=0.005
        )


def test_blocks_in_use_together_do_not_overlap(plan: Plan) -> None:
    drawn = rectangles(peak_map(plan))
    _, found = at_peak(plan)
    assert {each.words for each in found} <= set(drawn)
    flat = [place for spans in drawn.values() for place in spans]
    for number, one in enumerate(flat):
        for other in flat[:number]:
            apart = one[2] <= other[0] + 0.2 or other[2] <= one[0] + 0.2
            assert apart or one[3] <= other[1] + 0.2 or other[3] <= one[1] + 0.2


def test_the_fullest_step_is_explained(plan: Plan) -> None:
    step, found = at_peak(plan)
    said = peak_words(plan)
    sizes = [each.item.bytes for each in found]
    assert sizes == sorted(sizes, reverse=True)
    assert covered_bytes([each.item for each in found]) == covered_bytes(plan.peak()[1])
    assert f"{plan.arena_bytes:,} B is fullest at step {step:,} of {len(plan.steps):,}" in said
    assert f"{found[0].item.name}, {sizes[0]:,} B" in said
    parts = [
        int(one.replace(",", "")) for one in re.findall(r"([\d,]+) B (?:rows|work|sums|pro)", said)
    ]
    assert sum(parts) == sum(sizes)
    marks = [one.text for one in ElementTree.fromstring(str(arena_map(plan))).iter("text")]
    assert f"fullest: step {step:,}" in marks


def test_a_long_schedule_stays_small() -> None:
    graph = read_graph(NETWORKS["every_operator"]())
    small = make_plan(graph, PlanRequest("portable"), Bands())
    long = Plan(
        small.slots,
        small.ops,
        small.steps[:-1] * 50 + small.steps[-1:],
        small.rings,
        small.sums,
        small.work,
        small.progress,
        small.arena_bytes,
    )
    assert len(str(arena_map(long))) < 2 * len(str(arena_map(small))) + 20_000
