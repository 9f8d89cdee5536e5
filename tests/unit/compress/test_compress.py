"""Compression: steps, rounding, the budget, and compressed models on the ladder."""

import numpy as np
import pytest
from numpy.typing import NDArray

from edgesq.compress import Compressor, compressible, layer_bytes
from edgesq.compress.loss import measure_loss
from edgesq.compress.network import forward, real_input, stored_kernels
from edgesq.compress.rounding import round_with_feedback
from edgesq.compress.stage import with_room_for_scores
from edgesq.compress.steps import Sensitivity, lambda_range, steps_for
from edgesq.errors import FitError, ImageError, ModelError
from edgesq.formats.onnx import integer_onnx, run_onnx
from edgesq.formats.tflite import ReferenceInterpreter, read_graph
from edgesq.graph import Conv2D, FullyConnected, Graph, Int8Array, Op, Softmax
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


def mean_levels_apart(content: bytes) -> float:
    """Return the mean distance of the float form from numpy's integers, at the output."""
    graph = read_graph(content)
    inputs = images(graph.tensors[graph.input].hwc)
    output = graph.tensors[graph.output]
    real = np.asarray(
        forward(graph, stored_kernels(graph), real_input(graph, inputs))[graph.output]
    )
    levels = np.clip(np.rint(real / output.scale) + output.zero_point, -128, 127)
    exact = np.stack([run(graph, image)[graph.output] for image in inputs])
    return float(np.abs(levels - exact.reshape(levels.shape)).mean())


@pytest.mark.parametrize("name", NETWORKS)
def test_the_float_form_is_near_the_integers(name: str) -> None:
    """Also of operators without weights, so that any model can be walked through."""
    assert mean_levels_apart(NETWORKS[name]()) < 1.0


def test_feedback_leaves_less_error_than_rounding() -> None:
    rng = np.random.default_rng(0)
    mixed = rng.normal(size=(400, 30)) @ rng.normal(size=(30, 30))
    covariance = np.cov(mixed.T)
    weights, steps = rng.normal(size=(12, 30)), np.full(12, 0.5)

    def error(levels: Int8Array) -> float:
        gap = levels * steps[:, np.newaxis] - weights
        return float(np.einsum("ok,kl,ol->", gap, covariance, gap))

    fed = round_with_feedback(weights, covariance, steps)
    assert error(fed) < 0.5 * error(np.rint(weights / 0.5).astype(np.int8))


def test_zeros_that_are_to_stay_do() -> None:
    rng = np.random.default_rng(1)
    zeros = rng.random((8, 20)) < 0.6
    weights = np.where(zeros, 0, rng.normal(size=(8, 20)))
    covariance = np.cov((rng.normal(size=(300, 20)) @ rng.normal(size=(20, 20))).T)
    levels = round_with_feedback(weights + 0.1, covariance, np.full(8, 0.05), zeros)
    assert not levels[zeros].any()
    assert np.mean(levels[~zeros] != 0) > 0.9


def test_steps_are_powers_and_hold_every_weight() -> None:
    largest = np.array([1.0, 0.01, 0.0, 3.0])
    layer = Sensitivity(np.array([1.0, 4.0, 0.0, 1e-9]), 2.0, largest, False, False, False)
    low, high = lambda_range(layer)
    for log2_lambda in np.linspace(low, high, 9):
        steps = steps_for(layer, float(log2_lambda))
        powers = 4 * np.log2(steps)
        np.testing.assert_allclose(powers, np.round(powers), atol=1e-9)
        assert (largest / steps <= 127).all()
    assert (steps_for(layer, low - 9) == steps_for(layer, low)).all()
    assert (steps_for(layer, high + 9) == steps_for(layer, high)).all()


def noisy_scores(count: int, noise: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return scores of ten classes, and the same with errors."""
    rng = np.random.default_rng(7)
    scores = rng.normal(0, 2, (count, 10))
    return scores, scores + rng.normal(0, noise, scores.shape)


def counted_drop(expected: NDArray[np.float64], got: NDArray[np.float64]) -> float:
    """Return points of top-1 lost if labels are drawn by the float model."""
    likely = np.exp(expected) / np.exp(expected).sum(axis=1, keepdims=True)
    rows = np.arange(len(likely))
    return 100 * float(np.mean(likely.max(axis=1) - likely[rows, got.argmax(axis=1)]))


def test_equal_scores_lose_nothing() -> None:
    expected, _ = noisy_scores(20, 0)
    loss = measure_loss(expected, expected)
    assert (loss.kl, loss.agreement, loss.drop) == (0, 1, 0)
    sure = np.log(np.eye(3) + 1e-300)
    assert measure_loss(sure, sure).drop == 0


@pytest.mark.parametrize("noise", [0.2, 0.5, 1.0])
def test_the_expected_drop_is_what_counting_gives_on_many_images(noise: float) -> None:
    expected, got = noisy_scores(20_000, noise)
    assert measure_loss(expected, got).drop == pytest.approx(counted_drop(expected, got), rel=0.06)


def test_on_few_images_the_expected_drop_varies_less_than_counting() -> None:
    expected, got = noisy_scores(2_000, 0.5)
    parts = list(zip(np.split(expected, 50), np.split(got, 50), strict=True))
    predicted = np.std([measure_loss(one, other).drop for one, other in parts])
    assert predicted < 0.6 * np.std([counted_drop(one, other) for one, other in parts])


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
