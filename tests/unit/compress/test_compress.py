"""Compression: steps, rounding, the budget, and compressed models on the ladder."""

import numpy as np
import pytest

from edgesq.compress import Compressor, compressible, layer_bytes
from edgesq.compress.float_ops import apply
from edgesq.compress.network import stored_kernels
from edgesq.compress.stage import with_room_for_scores
from edgesq.errors import FitError, ImageError, ModelError
from edgesq.formats.onnx import integer_onnx, run_onnx
from edgesq.formats.tflite import ReferenceInterpreter, read_graph
from edgesq.graph import Graph, Int8Array
from edgesq.operators import Conv2D, Convolution, FullyConnected, Op, Softmax
from edgesq.plan import make_plan
from edgesq.reference import run, run_observed
from support.cases import NETWORKS
from support.crun import Runtime
from support.networks import RECTIFIED, Network, images
from support.pictures import blobs

SHAPE = (12, 12, 3)


def network() -> bytes:
    net = Network(SHAPE)
    x = net.conv(net.input, 16, (3, 3), (2, 2), quant=RECTIFIED)
    x = net.conv(x, 24, (1, 1), quant=RECTIFIED)
    x = net.conv(x, 20, (3, 3), quant=RECTIFIED, per_channel=False)
    x = net.conv(x, 10, (1, 1))
    return net.build(net.softmax(net.mean(x)))


@pytest.fixture(scope="module")
def compressor() -> Compressor:
    return Compressor(network(), blobs(40))


def levels_of(graph: Graph, op: Op) -> Int8Array:
    assert isinstance(op, Conv2D)
    data = graph.tensors[op.weights].data
    assert data is not None
    return data.astype(np.int8)


def levels_apart(graph: Graph) -> dict[str, tuple[float, float]]:
    """Return how far each operator's float form is from numpy's integers of the same operands.

    Of the same, as a step between lets a jump or a finer scale behind it take any distance.

    Returns:
        by operator: mean and greatest distance, in steps of its output.
    """
    inputs = images(graph.tensors[graph.input].hwc)
    runs, kernels = [run(graph, image) for image in inputs], stored_kernels(graph)
    exact = {index: np.stack([values[index] for values in runs]) for index in runs[0]}
    real = {
        index: (levels.reshape(len(inputs), *tensor.hwc) - np.float32(tensor.zero_point))
        * np.float32(tensor.scale)
        for index, levels in exact.items()
        for tensor in (graph.tensors[index],)
    }
    apart = {}
    for op in graph.ops:
        kernel = kernels[op.weights] if isinstance(op, Convolution) else None
        made = np.asarray(apply(graph, op, [real[index] for index in op.inputs], kernel))
        output = graph.tensors[op.output]
        levels = np.clip(np.rint(made / output.scale) + output.zero_point, -128, 127)
        steps = np.abs(levels - exact[op.output].reshape(levels.shape))
        apart[f"{op.kind} {op.name}"] = float(steps.mean()), float(steps.max())
    return apart


@pytest.mark.parametrize("name", NETWORKS)
def test_the_float_form_is_near_the_integers(name: str) -> None:
    """Also of operators without weights, so that any model can be walked through."""
    graph = read_graph(NETWORKS[name]())
    if graph.stateful:
        with pytest.raises(ModelError, match="keeps state"):
            levels_apart(graph)
        return
    far = {op: apart for op, apart in levels_apart(graph).items() if apart[0] > 0.5 or apart[1] > 1}
    assert not far


def test_a_few_bytes_less_are_taken_from_the_last_layer_alone(compressor: Compressor) -> None:
    total = compressor.weights // 2
    made = compressor.compress(total)
    same, less = (compressor.shrunk(made, made.stream_bytes - gone) for gone in (0, 9))
    assert same is not None
    assert less is not None
    assert same.content == made.content
    assert 0.995 * (made.stream_bytes - 9) <= less.stream_bytes <= made.stream_bytes - 9
    assert less.layers[:-1] == made.layers[:-1]
    assert compressor.shrunk(made, made.stream_bytes - 500) is None


@pytest.mark.parametrize("bits", [2.2, 4.0])
def test_the_budget_is_used_up(compressor: Compressor, bits: float) -> None:
    total = int(compressor.weights * bits / 8)
    made = compressor.compress(total)
    graph = read_graph(made.content)
    exact = sum(layer_bytes(levels_of(graph, op)) for op in compressible(graph, made.content))
    assert made.stream_bytes == exact
    assert 0.97 * total < exact <= total


def test_estimates_are_near_what_feedback_makes_of_weights(compressor: Compressor) -> None:
    """At two bits a weight, where most of them become zero."""
    total = compressor.weights * 2 // 8
    made = compressor.compress(total)
    assert made.stream_bytes > 0.97 * total
    lambdas = [spent.log2_lambda for spent in made.layers[:-1]]
    assert max(lambdas) - min(lambdas) < 1.5


def test_fewer_bytes_lose_more(compressor: Compressor) -> None:
    fine, coarse = (compressor.compress(compressor.weights * bits // 8) for bits in (5, 2))
    assert fine.loss.kl < coarse.loss.kl
    assert fine.loss.kl < 0.02


@pytest.mark.slow
def test_a_compressed_model_is_the_same_on_every_rung(
    compressor: Compressor, runtime: Runtime
) -> None:
    content = compressor.compress(compressor.weights * 3 // 8).content
    graph, inputs = read_graph(content), blobs(4)
    golden = ReferenceInterpreter(content).observed(inputs)
    assert len(np.unique(golden[1])) > 8
    others = [
        run_observed(graph, inputs),
        run_onnx(integer_onnx(graph), inputs),
        *runtime.run(graph, [make_plan(graph)], inputs),
    ]
    for outputs in others:
        for mine, theirs in zip(outputs, golden, strict=True):
            assert np.array_equal(mine, theirs)


def test_compressing_twice_gives_the_same_bytes(compressor: Compressor) -> None:
    total = compressor.weights * 3 // 8
    again = Compressor(network(), blobs(40))
    assert again.compress(total).content == compressor.compress(total).content


def test_only_numbers_of_convolutions_and_the_scores_scale_change(compressor: Compressor) -> None:
    before = read_graph(network())
    after = read_graph(compressor.compress(compressor.weights * 3 // 8).content)
    changed = {
        index for op in before.ops if isinstance(op, Conv2D) for index in (op.weights, op.bias)
    }
    assert before.ops == after.ops
    assert before.logits is not None
    old_scale, new_scale = (model.tensors[before.logits].scale for model in (before, after))
    assert new_scale == pytest.approx(1.25 * old_scale)
    changed.add(before.logits)
    for index, (old, new) in enumerate(zip(before.tensors, after.tensors, strict=True)):
        if index not in changed:
            assert (old.quantization, old.shape) == (new.quantization, new.shape)


def test_without_a_softmax_nothing_gets_room() -> None:
    net = Network(SHAPE)
    content = net.build(net.mean(net.conv(net.input, 8, (3, 3), quant=RECTIFIED)))
    assert with_room_for_scores(content) == content


def test_scores_that_share_their_scale_get_room_together() -> None:
    """A pool passes on the levels of the convolution before it."""
    net = Network(SHAPE)
    x = net.conv(net.input, 10, (3, 3), quant=RECTIFIED)
    content = net.build(net.softmax(net.max_pool(x, (12, 12), (12, 12))))
    before, after = read_graph(content), read_graph(with_room_for_scores(content))
    for op in before.ops[:2]:
        old, new = (model.tensors[op.output].scale for model in (before, after))
        assert new == pytest.approx(1.25 * old)


def test_a_dense_layer_and_a_depthwise_one() -> None:
    """The dense layer is compressed, the depthwise one stays as it is."""
    content = dense_network()
    graph = read_graph(content)
    kinds = [op.kind for op in compressible(graph, content)]
    assert kinds == ["CONV_2D", "FULLY_CONNECTED"]
    compressor = Compressor(content, blobs(24))
    after = read_graph(compressor.compress(compressor.weights // 2).content)
    assert isinstance(after.ops[-2], FullyConnected)
    assert isinstance(after.ops[-1], Softmax)


def test_a_dense_layer_without_bias_stays_as_it_is() -> None:
    net = Network(SHAPE)
    x = net.conv(net.input, 8, (3, 3), (2, 2), quant=RECTIFIED)
    content = net.build(net.softmax(net.dense(x, 10, bias=False)))
    graph = read_graph(content)
    assert [op.kind for op in compressible(graph, content)] == ["CONV_2D"]
    compressor = Compressor(content, blobs(24))
    after = read_graph(compressor.compress(compressor.weights // 2).content)
    old, new = (levels_of(model, model.ops[1]) for model in (graph, after))
    assert np.array_equal(old, new)


def test_too_small_is_refused(compressor: Compressor) -> None:
    with pytest.raises(FitError, match=r"take about \d+ B at least, 100 B are left"):
        compressor.compress(100)


def test_too_few_images_are_refused() -> None:
    with pytest.raises(ImageError, match="7 images are too few"):
        Compressor(network(), blobs(7))


def test_a_model_without_weights_is_refused() -> None:
    net = Network(SHAPE)
    with pytest.raises(ModelError, match="no layer that can be compressed"):
        Compressor(net.build(net.softmax(net.mean(net.input))), blobs(20))


def dense_network() -> bytes:
    net = Network(SHAPE)
    x = net.conv(net.input, 8, (3, 3), (2, 2), quant=RECTIFIED)
    x = net.depthwise(x, quant=RECTIFIED)
    return net.build(net.softmax(net.dense(x, 10)))


def test_layers_that_are_left_get_few_steps() -> None:
    """A fifth coarser at most, as near as that allows, zeros kept; it has all images' answers."""
    made = Compressor(network(), blobs(40))
    first, *others = made.ops
    before, bias = made.graph.tensors[first.weights], made.graph.tensors[first.bias]
    made.leave({first.output})
    made.coarsen({op.output for op in (first, *others)})
    content = made.compress(1600).content
    graph = read_graph(content)
    after = graph.tensors[first.weights]
    old, new = (np.array(each.quantization.scale) for each in (before, after))
    assert len(set(new.tolist())) < len(set(old.tolist()))
    assert ((new >= old * 0.9999) & (new < old * 1.2)).all()
    assert before.data is not None
    assert after.data is not None
    each = (slice(None), None, None, None)
    errors = np.abs(after.data * new[each] - before.data * old[each])
    assert (errors <= new[each] * 0.5001).all()
    assert not after.data[before.data == 0].any()
    unit = graph.tensors[first.inputs[0]].scale
    moved = graph.tensors[first.bias].data * new * unit - bias.data * old * unit
    assert (np.abs(moved) <= graph.tensors[first.output].scale / 32 + new * unit).all()
    golden = ReferenceInterpreter(content).observed(made.held_out)
    for got, expected in zip(golden, run_observed(graph, made.held_out), strict=True):
        assert np.array_equal(got.reshape(expected.shape), expected)
