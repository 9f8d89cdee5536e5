"""Charts: every mark lies in its picture, and words beside it do not lie on each other."""

import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from edgesq.pages import LossPoint, Picture, PlanPoint, histogram, losses, plans

MILLION = 1_000_000


def marks(picture: Picture, tag: str, kind: str | None = None) -> list[dict[str, str]]:
    """Return the attributes of a picture's marks."""
    root = ElementTree.fromstring(str(picture))
    return [one.attrib for one in root.iter(tag) if kind is None or one.get("class") == kind]


def words(picture: Picture) -> list[str]:
    return [one.text or "" for one in ElementTree.fromstring(str(picture)).iter("text")]


def check_inside(picture: Picture) -> None:
    for one in (*marks(picture, "circle"), *marks(picture, "text")):
        x, y = (float(one.get(f"c{axis}") or one[axis]) for axis in "xy")
        assert 0 <= x <= picture.width
        assert 0 <= y <= picture.height
    for one in marks(picture, "rect"):
        assert 0 <= float(one["x"]) <= float(one["x"]) + float(one["width"]) <= picture.width + 0.1
        assert 0 <= float(one["y"]) <= float(one["y"]) + float(one["height"]) <= picture.height
        assert min(float(one["width"]), float(one["height"])) > 0


def test_a_lone_difference_shows() -> None:
    drawn = histogram([(-255, 1), (0, 10**9), (3, 7), (255, 2)], "device", True)
    check_inside(drawn)
    assert [len(marks(drawn, "rect", kind)) for kind in ("same", "wrong", "other")] == [1, 3, 0]
    first, equal, third, last = (float(one["height"]) for one in marks(drawn, "rect"))
    assert equal > third > last > first > 3
    others = histogram([(0, 5), (1, 1)], "float", False)
    assert len(marks(others, "rect", "other")) == 1
    assert "+1 LSB: 1 values" in str(others)


@pytest.mark.parametrize("arenas", [[16], [900, 2000, 700_000], [40_000, 41_000], [65_536] * 9])
@pytest.mark.parametrize("limit", [None, 50_000])
def test_plans(arenas: list[int], limit: int | None) -> None:
    points = [PlanPoint(arena, 5e6 + arena, str(at)) for at, arena in enumerate(arenas)]
    drawn = plans(points, PlanPoint(arenas[0], 5e6, "ram"), limit)
    check_inside(drawn)
    assert len(marks(drawn, "circle", "dot")) == len(arenas)
    assert len(marks(drawn, "circle", "here")) == 1
    assert "this build: ram" in words(drawn)
    assert f"{arenas[0]:,} B, 5 M instructions" in words(drawn)
    bottom = [one for one in marks(drawn, "text") if one.get("text-anchor") == "middle"]
    assert len(bottom) >= 3  # at least two sizes below the axis, and what they are
    assert len([one for one in words(drawn) if re.fullmatch(r"\d+", one)]) >= 4


def test_a_limit_is_drawn_where_it_says_something() -> None:
    points = [PlanPoint(40_000, 5e6, "1"), PlanPoint(80_000, 4e6, "2")]
    assert "limit 60,000 B" in words(plans(points, points[0], 60_000))
    assert len(marks(plans(points, points[0], 60_000), "line", "limit")) == 1
    assert not marks(plans(points, points[0], 1 << 30), "line", "limit")


def test_names_of_plans_do_not_lie_on_each_other() -> None:
    points = [PlanPoint(40_000 + at, 5e6, f"label {at}") for at in range(30)]
    shown = [one for one in words(plans(points, points[0], None)) if one.startswith("label")]
    assert shown == ["label 29"]


def test_words_do_not_lie_on_a_steep_line() -> None:
    pairs = [(10_704, 11.9), (11_200, 9.5), (12_100, 8.1), (15_248, 6.1), (110_000, 5.9)]
    points = [PlanPoint(arena, 1e6 * many, f"{arena} fused") for arena, many in pairs]
    drawn = plans(points, replace(points[0], label="ram"), None)
    check_inside(drawn)
    x, y = (float(marks(drawn, "circle", "here")[0][place]) for place in ("cx", "cy"))
    first, second = (
        one for kind in ("clear strong", "clear ink") for one in marks(drawn, "text", kind)
    )
    assert float(first["x"]) > x + 9
    assert float(first["y"]) < y < float(second["y"])
    assert "11200 fused" in words(drawn)
    assert "bands of" not in str(drawn)


@pytest.mark.parametrize("count", [1, 2, 5])
def test_losses(count: int) -> None:
    points = [
        LossPoint(300_000 + 200_000 * at, 0.5 / (1 + at), 1 - 0.2 / (1 + at)) for at in range(count)
    ]
    drawn = losses(points, points[0].image_bytes)
    check_inside(drawn)
    assert len(marks(drawn, "circle", "dot")) == len(marks(drawn, "circle", "dot2")) == count
    assert "this image: 300,000 B" in words(drawn)
    assert "100 %" in words(drawn)
    assert "300,000 B: KL 0.5000, 80.0% as float" in str(drawn)
