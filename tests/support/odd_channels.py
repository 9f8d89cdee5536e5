"""Convolutions of which some channels do not do what the others do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import strategies as st

from support.tflite_builder import SAME

if TYPE_CHECKING:
    from edgesq.graph import Int8Array
    from support.random_sketch import Sketch

Odd = tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]
"""Output channels without weights, input channels that meet none, output channels with FAR_BIAS."""
NOT_ODD: Odd = ((), (), ())
FAR_BIAS = 1_000_000_000


def empty(weights: Int8Array, odd: Odd) -> None:
    """Leave out the weights of dead channels, and of those that are not read."""
    dead, unread, _ = odd
    weights[list(dead)] = 0
    weights[..., list(unread)] = 0


def odd_conv(sketch: Sketch, source: int) -> None:
    """Add a convolution of which channels are dead or far, or that leaves some of its input."""
    shape = sketch.shape(source)
    if shape is None:
        return
    outputs = sketch.channels()
    some = [st.sets(st.integers(0, count - 1)) for count in (outputs, shape[2], outputs)]
    odd = tuple(tuple(sorted(sketch.draw(one))) for one in some)
    options = {"activation": sketch.activation(), "quant": sketch.quant(), "odd": odd}
    sketch.add("conv", [source], outputs, (1, 1), (1, 1), SAME, **options)
