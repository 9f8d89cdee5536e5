"""Charts: data in, picture out."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from edgesq.pages.axes import Axis, Frame, from_zero, linear, of_bytes
from edgesq.pages.picture import Anchor, Drawing, Picture

_MIN_LSB = 3
"""A histogram reaches at least so far from 0."""

_CHAR = 6.6
"""Width of a character, about, in pixels."""

_CUTS = 40
"""Steps along a part of a line, in which it is held against words."""

_Box = tuple[float, float, float, float]
"""Left, top, right and bottom of words."""


def histogram(pairs: Sequence[tuple[int, int]], label: str, decides: bool) -> Picture:
    """Return values by difference; heights are logarithmic, so that a lone value shows.

    Args:
        pairs: a difference in quantization steps, and the values that have it; at least one pair.
        label: what is compared.
        decides: whether a difference is a fault.
    """
    width, height = 320.0, 132.0
    drawing = Drawing(width, height, f"histogram: {label}")
    most = max(_MIN_LSB, *(abs(step) for step, _ in pairs))
    base, step_width = height - 20, width / (2 * most + 1)
    tallest = math.log10(1 + max(values for _, values in pairs))
    drawing.line(0, base, width, base, "axis")
    inset = min(1.0, step_width / 8)
    for step, values in pairs:
        tall = (base - 8) * math.log10(1 + values) / tallest
        title = f"{step:+d} LSB: {values:,} values" if step else f"equal: {values:,} values"
        kind = "same" if step == 0 else "wrong" if decides else "other"
        left = (step + most) * step_width + inset
        drawing.rect(left, base - tall, step_width - 2 * inset, tall, kind, title)
    drawing.text(0, height - 5, f"{-most:d} LSB")
    drawing.text(width / 2, height - 5, "0", anchor="middle")
    drawing.text(width, height - 5, f"+{most:d} LSB", anchor="end")
    return drawing.picture()


@dataclass(frozen=True)
class PlanPoint:
    """A plan.

    Attributes:
        arena_bytes: of RAM for activations, above 0.
        instructions: estimated, per image.
        label: in a word or two.
    """

    arena_bytes: int
    instructions: float
    label: str


def plans(points: Sequence[PlanPoint], chosen: PlanPoint, limit_bytes: int | None) -> Picture:
    """Return RAM against speed.

    Args:
        points: plans from the least RAM to whole maps; a label of digits is rows of all bands.
        chosen: the plan to mark; its label says what it is best at.
        limit_bytes: the largest arena that was allowed; None without a limit.
    """
    drawing = Drawing(640, 380, "RAM against speed")
    arenas = [float(each.arena_bytes) for each in (*points, chosen)]
    shows_limit = limit_bytes is not None and min(arenas) / 2 < limit_bytes < 4 * max(arenas)
    frame = Frame(
        of_bytes(
            "arena in RAM", [*arenas, *([limit_bytes] if shows_limit and limit_bytes else [])]
        ),
        from_zero(
            "instructions per image, estimated, millions",
            max(each.instructions for each in (*points, chosen)),
            1e6,
        ),
        *(64, 616, 74, 326),
    )
    drawing.text(8, 22, "RAM against speed: from the least RAM to whole maps", "strong")
    frame.draw(drawing)
    if shows_limit and limit_bytes:
        at = frame.x.at(limit_bytes, frame.left, frame.right)
        drawing.line(at, frame.top, at, frame.base, "limit")
        drawing.text(at - 5, frame.top + 10, f"limit {limit_bytes:,} B", anchor="end")
    _points(drawing, frame, points, chosen)
    return drawing.picture()


def _points(drawing: Drawing, frame: Frame, points: Sequence[PlanPoint], chosen: PlanPoint) -> None:
    """Draw plans; labels that would lie on others or on the line are left to the titles."""
    places = [frame.place(each.arena_bytes, each.instructions) for each in points]
    drawing.through(places, "line")
    taken = [_chosen(drawing, frame, chosen, places)]
    for each, (x, y) in reversed(list(zip(points, places, strict=True))):
        name = f"bands of {each.label}" if each.label.isdecimal() else each.label
        drawing.circle(x, y, 4, "dot", f"{name}: {_words(each)}")
        room = _CHAR * len(each.label) / 2 + 4
        above = min(x, drawing.width - 4 - room)
        others = [one for one in places if one != (x, y)]
        for middle, down in ((above, y - 13), (x + room + 6, y + 4)):
            box = (middle - room, down - 10, middle + room, down + 3)
            wider = (box[0] - 6, box[1], box[2], box[3])  # no dot between a label and its own
            lies_on = any(_overlap(box, one) for one in taken) or _crosses(places, box)
            is_clear = not any(_overlap(wider, (*one, *one)) for one in others)
            if middle + room <= drawing.width and is_clear and not lies_on:
                drawing.text(middle, down, each.label, "clear", "middle")
                taken.append(box)
                break


def _chosen(
    drawing: Drawing, frame: Frame, chosen: PlanPoint, line: Sequence[tuple[float, float]]
) -> _Box:
    """Draw the plan to mark, with words beside it that do not lie on the line; return their box."""
    x, y = frame.place(chosen.arena_bytes, chosen.instructions)
    drawing.circle(x, y, 9, "here", f"this build: {_words(chosen)}")
    is_right = x > (frame.left + frame.right) / 2
    lines = (f"this build: {chosen.label}", _words(chosen))
    width = _CHAR * max(map(len, lines))
    is_low = y > (frame.top + frame.base) / 2 + 70
    for away, down in ((6, -46 if is_low else 32), (16, -3)):
        at, anchor = _beside(x, is_right, away)
        left = at - width if is_right else at
        box = (left, y + down - 11, left + width, y + down + 18)
        if not _crosses(line, box):
            break
    for number, text in enumerate(lines):
        kind = "clear strong" if number == 0 else "clear ink"
        drawing.text(at, y + down + 15 * number, text, kind, anchor)
    return box


def _crosses(line: Sequence[tuple[float, float]], box: _Box) -> bool:
    """Say whether a line through places passes a box, looked at in steps."""
    parts = [part / _CUTS for part in range(_CUTS + 1)]
    return any(
        box[0] <= x + (right - x) * part <= box[2] and box[1] <= y + (down - y) * part <= box[3]
        for (x, y), (right, down) in pairwise(line)
        for part in parts
    )


def _overlap(one: _Box, two: _Box) -> bool:
    return one[0] < two[2] and two[0] < one[2] and one[1] < two[3] and two[1] < one[3]


def _beside(x: float, is_right: bool, away: float = 6) -> tuple[float, Anchor]:
    """Return where words begin or end that belong to a mark, away from the picture's edge."""
    return (x - away, "end") if is_right else (x + away, "start")


def _words(plan: PlanPoint) -> str:
    return f"{plan.arena_bytes:,} B, {plan.instructions / 1e6:,.3g} M instructions"


@dataclass(frozen=True)
class LossPoint:
    """A size of the image, and what the model loses there.

    Attributes:
        image_bytes: of the whole image in flash, above 0.
        kl: divergence from the float model, nats.
        agreement: share of images with the float model's class, 0..1.
    """

    image_bytes: int
    kl: float
    agreement: float


def losses(points: Sequence[LossPoint], chosen_bytes: int) -> Picture:
    """Return the size of an image against what the model loses.

    Args:
        points: by size; the last one is int8.
        chosen_bytes: the image to mark.
    """
    drawing = Drawing(640, 400, "size of the image against loss")
    drawing.text(8, 22, "Size against loss, on calibration images held out", "strong")
    sizes = [each.image_bytes / 1000 for each in points]
    x = linear("whole image in flash, 1000 B; the last point is int8", min(sizes), max(sizes))
    left = from_zero("KL to float, nats (line)", max(each.kl for each in points))
    least = 100 * min(each.agreement for each in points)
    low = max(0.0, math.floor(least / 5) * 5 - 5)
    step = 5 if 100 - low <= 25 else 10 if 100 - low <= 50 else 25
    marks = tuple((float(at), f"{at} %") for at in range(int(low), 101, step))
    right = Axis("images with float's class (dashed)", low, 101.0, marks)
    frame = Frame(x, left, 64, 576, 74, 336)
    frame.draw(drawing)
    drawing.text(632, frame.top - 14, right.label, anchor="end")
    for value, text in right.ticks:
        drawing.text(frame.right + 7, right.at(value, frame.base, frame.top) + 4, text)
    at = x.at(chosen_bytes / 1000, frame.left, frame.right)
    drawing.line(at, frame.top, at, frame.base, "at")
    words, anchor = _beside(at, at > (frame.left + frame.right) / 2)
    drawing.text(words, frame.top + 12, f"this image: {chosen_bytes:,} B", "clear strong", anchor)
    second = Frame(x, right, frame.left, frame.right, frame.top, frame.base)
    for kind, axes, values in (
        ("", frame, [each.kl for each in points]),
        ("2", second, [100 * each.agreement for each in points]),
    ):
        places = [axes.place(*pair) for pair in zip(sizes, values, strict=True)]
        drawing.through(places, f"line{kind}")
        for each, place in zip(points, places, strict=True):
            title = f"{each.image_bytes:,} B: KL {each.kl:.4f}, {each.agreement:.1%} as float"
            drawing.circle(*place, 4, f"dot{kind}", title)
    return drawing.picture()
