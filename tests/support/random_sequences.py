"""Random layers that keep state from one image to the next."""

import math
from collections.abc import Callable

from support.random_sketch import Sketch


def _svdf(sketch: Sketch, source: int) -> None:
    """Filter a pixel in time; of a map its mean."""
    if sketch.shape(source):
        sketch.add("mean", [source], sketch.quant())
        source = sketch.made[-1]
    memory, rank = sketch.number(1, 6), sketch.number(1, 2)
    options = {"quant": sketch.quant(), "bias": sketch.one_of(True, False)}
    sketch.add("svdf", [source], sketch.number(1, 8), memory, rank, **options)


def _lstm(sketch: Sketch, source: int) -> None:
    """Take the rows of a map, or a pixel, for steps of time."""
    shape = sketch.net.shapes[source]
    steps = shape[0] if sketch.shape(source) else 1
    sketch.add("reshape", [source], (steps, math.prod(shape) // steps))
    units, cell = sketch.number(1, 6), sketch.number(9, 15)
    quant = sketch.one_of((1 / 128, 0), (0.0071, -9))
    sketch.add("lstm", [sketch.made[-1]], units, quant, cell=cell, clip=sketch.one_of(10, 0, 0.5))
    sketch.add("reshape", [sketch.made[-1]], (1, steps, units))


SEQUENCE_LAYERS: dict[str, Callable[[Sketch, int], None]] = {
    "SVDF": _svdf,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": _lstm,
}
