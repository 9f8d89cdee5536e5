"""Charts of a study: networks by what they take and how good they are."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from edgesq.pages.axes import Frame, from_zero, linear, of_bytes
from edgesq.pages.picture import Drawing, Picture

_CHAR = 6.6
"""Width of a character, about, in pixels."""


@dataclass(frozen=True)
class StudyPoint:
    """A network.

    Attributes:
        taken: bytes or instructions, above 0.
        accuracy: 0..1.
        title: what it says where the pointer rests on it.
        label: written beside it; none where empty.
        is_best: whether it is one of those that the line goes through.
    """

    taken: float
    accuracy: float
    title: str
    label: str = ""
    is_best: bool = False


def study(
    heading: str, label: str, unit: Literal["bytes", "millions"], points: Sequence[StudyPoint]
) -> Picture:
    """Return accuracy against what networks take.

    Args:
        heading: above the chart.
        label: of the axis along the bottom.
        unit: of `taken`.
        points: at least one; the line goes through the best in the order of what they take.
    """
    drawing = Drawing(640, 380, heading)
    drawing.text(8, 22, heading, "strong")
    taken = [each.taken for each in points]
    x = of_bytes(label, taken) if unit == "bytes" else from_zero(label, max(taken), 1e6)
    shares = [100 * each.accuracy for each in points]
    frame = Frame(x, linear("accuracy, %", min(shares), max(*shares, 1.0)), 64, 616, 74, 326)
    frame.draw(drawing)
    for each in points:
        if not each.is_best:
            drawing.circle(*frame.place(each.taken, 100 * each.accuracy), 4, "edge", each.title)
    best = sorted((each for each in points if each.is_best), key=lambda each: each.taken)
    places = [frame.place(each.taken, 100 * each.accuracy) for each in best]
    if len(places) > 1:
        drawing.through(places, "line")
    for each, (x_at, y_at) in zip(best, places, strict=True):
        drawing.circle(x_at, y_at, 5, "dot", each.title)
        if each.label:
            room = _CHAR * len(each.label) / 2 + 4
            at = min(max(x_at, room), drawing.width - room)
            drawing.text(at, y_at - 11, each.label, "clear", "middle")
    return drawing.picture()
