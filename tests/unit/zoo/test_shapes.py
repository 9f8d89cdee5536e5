"""The graph that is planned without training is the exported one, to the byte of its plan."""

import numpy as np
import pytest

from edgesq.errors import ModelError
from edgesq.formats.tflite import read_graph
from edgesq.graph import Graph
from edgesq.plan import flash_parts, needs, plan_for
from edgesq.quantize import to_int8_tflite
from edgesq.targets import load_target
from edgesq.zoo.architecture import V1_0, V1_1, V1_1_SMALL, Bypass, Layout, Metaparameters
from edgesq.zoo.shapes import squeezenet_graph

SMALL = Metaparameters(base_e=8, incr_e=8, freq=3, pct_3x3=0.25, squeeze_ratio=0.25)
ODD = Metaparameters(base_e=8, incr_e=8, freq=2, pct_3x3=0.625, squeeze_ratio=0.375)


def narrow(layout: Layout, filters: int) -> Layout:
    size, pools, stride = layout.conv1_size, layout.pools_after, layout.conv1_stride
    return Layout(layout.name, filters, size, pools, stride)


def shapes(graph: Graph) -> list[tuple[object, ...]]:
    return [
        (
            type(op),
            op.name,
            [graph.tensors[index].shape for index in (*op.inputs, op.output, *graph.constants(op))],
            getattr(op, "window", None),
        )
        for op in graph.ops
    ]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("layout", "shape", "bypass", "widths", "board"),
    [
        (narrow(V1_1_SMALL, 4), (8, 9, 3), "complex", SMALL, "cortex-m"),
        (narrow(V1_0, 8), (31, 32, 1), "simple", ODD, "microbit"),
    ],
)
def test_it_is_planned_like_the_exported_model(
    layout: Layout,
    shape: tuple[int, int, int],
    bypass: Bypass,
    widths: Metaparameters,
    board: str,
) -> None:
    from edgesq.zoo.squeezenet import squeezenet

    model = squeezenet(
        layout, shape, 5, bypass=bypass, relu_conv10=False, metaparameters=widths, dropout=0
    )
    noise = np.random.default_rng(1).random((2, 1, *shape), np.float32)
    exported = read_graph(to_int8_tflite(model, noise), "exported")
    made = squeezenet_graph(layout, shape, 5, bypass, widths)
    assert shapes(made) == shapes(exported)
    target = load_target(board)
    one, other = (plan_for(graph, target) for graph in (made, exported))
    assert one.plan.arena_bytes == other.plan.arena_bytes
    assert needs(made, one.plan, target) == needs(exported, other.plan, target)
    assert flash_parts(made, one.plan, target) == flash_parts(exported, other.plan, target)


def test_impossible_networks_are_refused() -> None:
    with pytest.raises(ModelError, match="leaves fire2 without filters"):
        squeezenet_graph(V1_1, (32, 32, 3), 5, "none", Metaparameters(squeeze_ratio=0.001))
    with pytest.raises(ModelError, match="cannot be built"):
        squeezenet_graph(V1_0, (6, 32, 3), 5)
