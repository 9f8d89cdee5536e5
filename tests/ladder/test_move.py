"""Operators that move values: what is refused, what costs nothing, and which rows are held."""

from collections.abc import Callable
from typing import Any

import flatbuffers
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from edgesq.errors import ModelError
from edgesq.formats.tflite import ReferenceInterpreter, read_graph
from edgesq.graph import Graph
from edgesq.operators import Conv2D, DepthwiseConv2D, Pad
from edgesq.plan import make_plan
from edgesq.sampling import nearest_sources
from support.cases import NETWORKS
from support.networks import Network, images


def kinds(name: str) -> list[str]:
    return [op.kind for op in read_graph(NETWORKS[name]()).ops]


@pytest.mark.parametrize(
    "name", [name for name in NETWORKS if name.startswith("pad") and "_folded_" in name]
)
def test_windows_take_padding(name: str) -> None:
    assert "PAD" not in kinds(name)


@pytest.mark.parametrize(
    "name",
    [
        "pad_channels",
        "pad_with_a_value",
        "pad_only",
        "pad_before_max_pool",
        "pad_before_average_pool",
        "pad_wider_than_the_window",
        "pad_with_two_kinds_of_readers",
        "pad_is_observed",
    ],
)
def test_padding_that_windows_cannot_take(name: str) -> None:
    graph = read_graph(NETWORKS[name]())
    assert any(isinstance(op, Pad) for op in graph.ops)


def test_folded_padding_adds_up() -> None:
    (conv,) = read_graph(NETWORKS["pads_in_a_row_folded"]()).ops
    assert isinstance(conv, Conv2D)
    window = conv.window
    sides = (window.pad_top, window.pad_bottom, window.pad_left, window.pad_right)
    assert sides == (1, 1, 2, 1)


def test_groups_of_one_channel_are_depthwise() -> None:
    (conv,) = read_graph(NETWORKS["grouped_by_every_channel"]()).ops
    assert isinstance(conv, DepthwiseConv2D)


def ring_rows(graph: Graph) -> list[int]:
    """Rows held of each operator's input, by the operators' order."""
    plan = make_plan(graph)
    slots = [plan.slots[item.inputs[0]] for item in plan.ops]
    return [plan.rings[slot.storage].ring_rows for slot in slots if slot]


@pytest.mark.parametrize(
    ("moved", "rows"),
    [
        (lambda net, one: net.pad(one, [(2, 2), (1, 1), (0, 2)]), 1),
        (lambda net, one: net.strided_slice(one, (slice(3, None, 2), slice(None), slice(2))), 1),
        (lambda net, one: net.resize_nearest(one, (24, 24)), 1),
        (lambda net, one: net.depth_to_space(one, 2), 1),
        (lambda net, one: net.space_to_depth(one, 3), 3),
    ],
)
def test_rows_held(moved: Callable[[Network, int], int], rows: int) -> None:
    """An operator that moves values holds the rows it is at, of however high a map."""
    net = Network((12, 12, 4))
    result = moved(net, net.conv(net.input, 4))
    assert ring_rows(read_graph(net.build(net.mean(result)))) == [1, rows, 1]


def test_nearest_rows_are_tflites() -> None:
    """Every size from 1 to 40 of every extent from 1 to 12, in all four ways."""
    for extent in (1, 2, 3, 5, 7, 12):
        image = np.arange(extent, dtype=np.int8).reshape(1, extent, 1, 1)
        for count in range(1, 41):
            for corners in (False, True):
                for half in (False, True):
                    net = Network((extent, 1, 1))
                    content = net.build(net.resize_nearest(net.input, (count, 1), corners, half))
                    golden = ReferenceInterpreter(content).run(image)[0]
                    mine = nearest_sources(
                        extent, count, align_corners=corners, half_pixel_centers=half
                    )
                    assert mine == tuple(golden.tolist()), (extent, count, corners, half)


# What is refused


def refusal(content: bytes) -> str:
    with pytest.raises(ModelError) as caught:
        read_graph(content)
    return str(caught.value)


def one_op(
    kind: str,
    result: tuple[int, ...],
    constants: list[list[Any]],
    options: str | None = None,
    **fields: Any,
) -> bytes:
    """Return a model of one operator on 4 x 5 x 8 values."""
    net = Network((4, 5, 8))
    inputs = [net.builder.constant(np.array(values, np.int32)) for values in constants]
    output = net.value(result, net.quants[net.input])
    return net.build(net.builder.op(kind, [net.input, *inputs], output, options, **fields))


PADS, FROM, WHOLE = [[0, 0], [1, 0], [0, 0], [0, 0]], [0, 1, 0, 0], [1, 3, 5, 8]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (one_op("PAD", (4, 5, 8), [PADS]), "1 and 0 around 4 do not make 4"),
        (one_op("PAD", (5, 5, 8), [PADS[1:]]), "must be 8 int32 constants"),
        (one_op("PAD", (5, 5, 8), [[[0, 0], [-1, 2], [0, 0], [0, 0]]]), "-1 and 2 around 4"),
        (one_op("PAD", (40,), [PADS]), "shape (1, 4, 5, 8) to (1, 40)"),
        (one_op("PADV2", (5, 5, 8), [PADS, [3]]), "no quantization"),
        (one_op("SLICE", (3, 5, 8), [FROM, [1, 4, 5, 8]]), "SLICE begins at [0, 1, 0, 0]"),
        (one_op("SLICE", (2, 5, 8), [FROM, WHOLE]), "SLICE makes the shape [1, 3, 5, 8]"),
        (
            one_op(
                "STRIDED_SLICE",
                (3, 5, 8),
                [FROM, [1, 4, 5, 8], [1, 0, 1, 1]],
                SLICED := "StridedSliceOptions",
            ),
            "stride 0, not 1",
        ),
        (
            one_op("STRIDED_SLICE", (3, 5, 8), [FROM, [1, 1, 5, 8], [1, 1, 1, 1]], SLICED),
            "leaves nothing",
        ),
        (
            one_op("STRIDED_SLICE", (3, 5, 8), [FROM, WHOLE, [1] * 4], SLICED, shrinkAxisMask=2),
            "must keep all axes",
        ),
        (
            one_op("SPACE_TO_DEPTH", (2, 2, 32), [], "SpaceToDepthOptions", blockSize=2),
            "2 x 2 x 32 does not follow",
        ),
        (
            one_op("DEPTH_TO_SPACE", (8, 10, 8), [], "DepthToSpaceOptions", blockSize=2),
            "DEPTH_TO_SPACE makes the shape [1, 8, 10, 2]",
        ),
        (
            one_op("DEPTH_TO_SPACE", (8, 10, 2), [], "DepthToSpaceOptions", blockSize=0),
            "a block of 0 pixels",
        ),
        (one_op("TRANSPOSE", (4, 5, 8), [[0, 2, 1, 3]]), "TRANSPOSE makes the shape [1, 5, 4, 8]"),
        (one_op("TRANSPOSE", (5, 4, 8), [[0, 2, 1, 1]]), "a constant order of 4 axes"),
    ],
)
def test_what_is_refused(content: bytes, says: str) -> None:
    assert says in refusal(content)


def test_another_scale_is_refused() -> None:
    net = Network((4, 5, 8))
    output = net.value((2, 5, 8), (0.01, 0))
    bounds = [net.builder.constant(np.array(values, np.int32)) for values in (FROM, [1, 2, 5, 8])]
    net.builder.op("SLICE", [net.input, *bounds], output, "SliceOptions")
    assert "differ in scale" in refusal(net.build(output))


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("upsampled_by_five_axes", ["CONV_2D", "TILE", "CONV_2D"]),
        ("upsampled_image", ["TILE"]),
        ("pixels_shuffled_by_five_axes", ["CONV_2D", "DEPTH_TO_SPACE"]),
        ("squares_joined_by_five_axes", ["SPACE_TO_DEPTH", "CONV_2D"]),
        ("shuffled_channels", [*["SLICE"] * 2, "CONV_2D", "CONCATENATION", "GATHER", "CONV_2D"]),
    ],
)
def test_chains_become_one_operator(name: str, wanted: list[str]) -> None:
    assert kinds(name) == wanted


def chain(*steps: Callable[[Network, int], int]) -> bytes:
    net = Network((2, 3, 8))
    result = net.input
    for step in steps:
        result = step(net, result)
    return net.build(result)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (
            chain(
                lambda net, x: net.reshape(x, (2, 3, 2, 4)),
                lambda net, x: net.transpose(x, (2, 0, 1, 3)),
                lambda net, x: net.reshape(x, (4, 3, 4)),
            ),
            "RESHAPE, TRANSPOSE, RESHAPE move values in a way that the runtime does not know",
        ),
        (chain(lambda net, x: net.reshape(x, (2, 3, 2, 4))), "must be [1, H, W, C]"),
    ],
)
def test_chains_that_are_refused(content: bytes, says: str) -> None:
    assert says in refusal(content)


def test_a_chain_that_another_operator_reads_is_refused() -> None:
    net = Network((2, 3, 8))
    five = net.reshape(net.input, (2, 3, 2, 4))
    one, two = net.reshape(five, (2, 3, 8)), net.reshape(five, (3, 2, 8))
    net.conv(two, 2)
    assert "has shape [1, 2, 3, 2, 4]" in refusal(net.build(one))


def test_versions_that_the_reference_kernels_are_not_listed_for() -> None:
    """The converter writes them; the values are the same."""
    net = Network((2, 2, 8))
    content = net.build(net.tile(net.depth_to_space(net.input, 2), (2, 1, 1)))
    later = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(content, 0))
    for code in later.operatorCodes:
        code.version = 2 if code.builtinCode == schema.BuiltinOperator.DEPTH_TO_SPACE else 3
    writer = flatbuffers.Builder(1024)
    writer.Finish(later.Pack(writer), b"TFL3")
    image = images((2, 2, 8), 1)
    golden = ReferenceInterpreter(content).run(image)
    assert np.array_equal(ReferenceInterpreter(bytes(writer.Output())).run(image), golden)


@pytest.mark.parametrize("kind", ["SQUEEZE", "EXPAND_DIMS", "TRANSPOSE"])
def test_other_shapes_of_the_same_values(kind: str) -> None:
    net = Network((4, 5, 3))
    mean = net.mean(net.input, keep=kind == "SQUEEZE")
    if kind == "SQUEEZE":
        output = net.value((3,), net.quants[mean])
        net.builder.op(kind, [mean], output, "SqueezeOptions", squeezeDims=[1, 2])
    else:
        shape = (3,) if kind == "TRANSPOSE" else (1, 3)
        axes = [0, 1] if kind == "TRANSPOSE" else [1]
        output = net.value(shape, net.quants[mean])
        constant = net.builder.constant(np.array(axes, np.int32))
        net.builder.op(kind, [mean, constant], output, None)
    assert [op.kind for op in read_graph(net.build(output)).ops] == ["MEAN", "RESHAPE"]
