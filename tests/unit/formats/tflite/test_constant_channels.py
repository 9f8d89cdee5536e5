"""Channels that no input can change: small numbers in the graph, and the same on every rung."""

from pathlib import Path

import numpy as np
import pytest

from edgesq.arithmetic import channel_sums, conv2d_multipliers
from edgesq.formats.tflite import ReferenceInterpreter, read_graph, read_stored_graph
from edgesq.formats.tflite.constant_channels import with_small_constants
from edgesq.graph import Graph
from edgesq.kernels.dsp import depthwise as depthwise_dsp
from edgesq.kernels.dsp.endings import ending
from edgesq.kernels.flash import wide_layers
from edgesq.operators import Conv2D, Convolution, DepthwiseConv2D
from edgesq.plan import PlanRequest, make_plan
from edgesq.reference import run
from support import random_graphs, random_sketch
from support.builds import done
from support.crun import Runtime
from support.graph_ladder import problems
from support.networks import RECTIFIED, USUAL, Network, Quant, images
from support.odd_channels import NOT_ODD, Odd
from support.random_graphs import draw_graphs
from support.tflite_builder import NONE, RELU

GRAPHS = 30
WEIGHTED = {
    "CONV_2D",
    "CONV_2D in groups",
    "DEPTHWISE_CONV_2D",
    "FULLY_CONNECTED",
    "PAD before windows",
    "ADD",
}
LARGEST = (1 << 30) - (1 << 22)


class DyingNetwork(Network):
    """Half of all channels are as converters leave dead ones, or have a bias beyond all sums."""

    def _weighted(
        self,
        source: int,
        shape: tuple[int, ...],
        channels: int,
        taps: int,
        quant: Quant,
        per_channel: bool,
        bias: bool,
        odd: Odd = NOT_ODD,  # noqa: ARG002 (these layers are not drawn here)
    ) -> list[int]:
        random, unit = self.random, self.quants[source][0]
        weights = random.integers(-128, 128, shape)
        spread = random.uniform(0.5, 2, channels if per_channel else 1)
        scales = 50 * quant[0] / (4900 * np.sqrt(taps) * unit) * spread
        biases = random.integers(-4900, 4900, channels)
        dead = random.random(channels) < 0.5
        huge = random.choice([-1, 1], channels) * (LARGEST >> random.integers(0, 7, channels))
        if bias:
            biases = np.where(dead, huge, biases)
        if per_channel:  # the converter's: no weights, 2^30 steps for a level of the output
            level = random.uniform(0, 140, channels)
            scales = np.where(dead, level * quant[0] / LARGEST / unit, scales)
            # FULLY_CONNECTED takes such scales only where no input reaches another level.
            kept = random.integers(0, 2, channels) * (len(shape) == 4)
            weights = weights * np.where(dead, kept, 1).reshape(
                (-1, *[1] * (len(shape) - 1)) if shape[0] == channels else (-1,)
            )
        axis = 0 if shape[0] == channels else 3
        stored = self.builder.constant(weights.astype(np.int8), scales.tolist(), axis)
        if not bias:
            return [source, stored]
        steps = (scales * unit).tolist()
        return [source, stored, self.builder.constant(biases.astype(np.int32), steps)]


def convolutions(graph: Graph) -> list[Convolution]:
    return [op for op in graph.ops if isinstance(op, Convolution)]


def test_the_ladder_holds(
    runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Golden is the file as it is; numpy, ONNX and C have the small numbers."""
    monkeypatch.setattr(random_sketch, "Network", DyingNetwork)
    for name in set(random_graphs.LAYERS) - WEIGHTED:
        monkeypatch.delitem(random_graphs.LAYERS, name)
    drawn = draw_graphs(GRAPHS, 20)
    for one, problem in zip(drawn, problems(runtime, tmp_path, drawn), strict=True):
        assert problem is None, f"{problem}\n{one.source}"
    changed = 0
    for one in drawn:
        stored = read_stored_graph(one.content)
        graph = with_small_constants(stored)
        (image,) = images(graph.image_shape, 1)[:1]
        before, after = run(stored, image), run(graph, image)
        for old, op in zip(stored.ops, graph.ops, strict=True):
            assert np.array_equal(before[old.output], after[op.output])
        for old, op in zip(convolutions(stored), convolutions(graph), strict=True):
            was, now = channel_sums(stored, old), channel_sums(graph, op)
            reach = np.maximum(-now.low, now.high)
            small = reach < np.maximum(-was.low, was.high)
            assert np.all(reach[small] < 1 << 17)
            changed += int(small.sum())
    assert changed > 5 * GRAPHS


def dying(activation: int = RELU, per_channel: bool = True) -> bytes:
    net = DyingNetwork((6, 6, 16), RECTIFIED)
    first = net.conv(net.input, 32, activation=activation, quant=RECTIFIED, per_channel=per_channel)
    last = net.depthwise(first, activation=activation, quant=RECTIFIED)
    return net.build(last)


def test_dead_channels_leave_the_fastest_kernels_their_layer() -> None:
    content = dying()
    stored, graph = read_stored_graph(content), read_graph(content)
    for source, narrow in ((stored, False), (graph, True)):
        conv, depthwise = source.ops
        assert isinstance(conv, Conv2D)
        assert isinstance(depthwise, DepthwiseConv2D)
        end = ending(source, conv)
        assert (end.form == "relu" and not end.odd) == narrow
        assert (not depthwise_dsp.ends(source, depthwise).any()) == narrow
    for op in convolutions(graph):
        _, shift = conv2d_multipliers(graph, op)
        assert shift.min() > -16


def test_one_scale_for_all_channels_is_split() -> None:
    content = dying(NONE, per_channel=False)
    graph = read_graph(content)
    (conv, _) = graph.ops
    assert isinstance(conv, Conv2D)
    assert len(graph.tensors[conv.weights].quantization.scale) == 32
    assert not ending(graph, conv).odd


def test_constants_that_another_operator_reads_stay() -> None:
    """One constant for two: in finer steps of the output, only the first is always the same."""
    net = Network((3, 3, 4), USUAL)
    weights = net.builder.constant(np.ones((2, 1, 1, 4), np.int8), [0.001, 0.001], 0)
    bias = net.builder.constant(np.array([1 << 20, 5], np.int32), [5e-5, 5e-5])
    outputs = []
    for quant in (USUAL, (60.0, 0)):
        output = net.value((3, 3, 2), quant)
        outputs.append(
            net.builder.op(
                "CONV_2D",
                [net.input, weights, bias],
                output,
                "Conv2DOptions",
                padding=0,
                strideH=1,
                strideW=1,
                dilationHFactor=1,
                dilationWFactor=1,
                fusedActivationFunction=NONE,
            )
        )
    content = net.build(net.add(outputs[0], outputs[1]))
    stored, graph = read_stored_graph(content), read_graph(content)
    inputs = images((3, 3, 4))
    golden = ReferenceInterpreter(content).run(inputs)
    assert all(
        np.array_equal(run(graph, image)[graph.output].reshape(-1), expected)
        for image, expected in zip(inputs, golden, strict=True)
    )
    assert len(graph.tensors) > len(stored.tensors)


def wide_network() -> bytes:
    """Every second weight is -128: two of them are less than a lane holds."""
    net = Network((1, 1, 600), RECTIFIED)
    weights = net.builder.constant(
        np.tile(np.array([-128, 127], np.int8), (2, 300)), [1e-5, 1e-5], 0
    )
    bias = net.builder.constant(np.array([7, 7], np.int32), [3.1e-7, 3.1e-7])
    output = net.value((2,), RECTIFIED)
    inputs = [net.input, weights, bias]
    return net.build(
        net.builder.op(
            "FULLY_CONNECTED", inputs, output, "FullyConnectedOptions", fusedActivationFunction=RELU
        )
    )


@pytest.mark.slow
def test_plan_names_what_is_wide_and_why(tmp_path: Path) -> None:
    (tmp_path / "wide.tflite").write_bytes(wide_network())
    said = " ".join(done("plan", "wide.tflite", cwd=tmp_path).split())
    assert (
        "layer3 is stored with two bytes per weight, 1,200 B more: channel 0 has a weight of -128"
        in said
    )
    graph = read_graph(wide_network())
    assert not list(wide_layers(graph, make_plan(graph).ops, "mve"))
    stored = read_stored_graph(dying())
    assert not list(wide_layers(stored, make_plan(stored, PlanRequest("dsp")).ops, "dsp"))
