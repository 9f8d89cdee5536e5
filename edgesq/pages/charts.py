"""Charts: data in, picture out."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from edgesq.pages.axes import Axis, Frame, from_zero, linear, of_bytes
from edgesq.pages.picture import Anchor, Drawing, Picture

_MIN_LSB = 3
"""A histogram reaches at least so far from 0."""

_CHAR = 6.6
"""Width of a character, about, in pixels."""


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
        points: plans with one band height for all operators, from one row to whole maps.
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
    drawing.text(8, 22, "RAM against speed: bands from one row to whole maps", "strong")
    frame.draw(drawing)
    if shows_limit and limit_bytes:
        at = frame.x.at(limit_bytes, frame.left, frame.right)
        drawing.line(at, frame.top, at, frame.base, "limit")
        drawing.text(at - 5, frame.top + 10, f"limit {limit_bytes:,} B", anchor="end")
    _points(drawing, frame, points, chosen)
    return drawing.picture()


def _points(drawing: Drawing, frame: Frame, points: Sequence[PlanPoint], chosen: PlanPoint) -> None:
    """Draw plans; labels that would lie on others are left to the titles."""
    places = [frame.place(each.arena_bytes, each.instructions) for each in points]
    drawing.through(places, "line")
    taken = math.inf
    for each, (x, y) in reversed(list(zip(points, places, strict=True))):
        drawing.circle(x, y, 4, "dot", f"bands of {each.label}: {_words(each)}")
        room = _CHAR * len(each.label) / 2 + 4
        end = min(x + room, drawing.width - 4)
        if end <= taken:
            drawing.text(end - room, y - 13, each.label, "clear", "middle")
            taken = end - 2 * room
    x, y = frame.place(chosen.arena_bytes, chosen.instructions)
    drawing.circle(x, y, 9, "here", f"this build: {_words(chosen)}")
    is_right = x > (frame.left + frame.right) / 2
    at, anchor = _beside(x, is_right)
    lines = (f"this build: {chosen.label}", _words(chosen))
    above = y > (frame.top + frame.base) / 2 + 70
    for number, line in enumerate(lines):
        down = y - 46 + 15 * number if above else y + 32 + 15 * number
        drawing.text(at, down, line, "clear strong" if number == 0 else "clear ink", anchor)


def _beside(x: float, is_right: bool) -> tuple[float, Anchor]:
    """Return where words begin or end that belong to a mark, away from the picture's edge."""
    return (x - 6, "end") if is_right else (x + 6, "start")


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
