"""A .tflite with some numbers changed, and the float weights behind the int8 ones."""

import dataclasses

import keras
import numpy as np
import pytest

from edgesq.errors import ModelError
from edgesq.formats.float_weights import float_weights
from edgesq.formats.tflite import ReferenceInterpreter, read_graph, read_stored_graph
from edgesq.formats.tflite.rewrite import TensorChange, rewrite
from edgesq.graph import Graph, Tensor
from edgesq.operators import Convolution
from edgesq.quantize import load_keras, to_int8_tflite
from edgesq.zoo.demo import demo_model_path
from support.networks import Network, images

pytestmark = pytest.mark.slow

SHAPE = (9, 8, 3)


def small() -> bytes:
    """Two convolutions whose biases, all zeros of one scale, may share a buffer."""
    net = Network((6, 6, 3))
    return net.build(net.conv(net.conv(0, 4, (3, 3)), 5, (1, 1)))


def weights_of(graph: Graph, position: int) -> Tensor:
    op = graph.ops[position]
    assert isinstance(op, Convolution)
    return graph.tensors[op.weights]


def same(one: Tensor, other: Tensor) -> bool:
    """Say whether two tensors hold the same constants, or none."""
    if one.data is None or other.data is None:
        return one.data is other.data
    return np.array_equal(one.data, other.data)


def test_nothing_changed_is_the_same_model() -> None:
    content = small()
    again = rewrite(content, {})
    assert rewrite(again, {}) == again
    before, after = read_graph(content), read_graph(again)
    assert before.ops == after.ops
    for one, other in zip(before.tensors, after.tensors, strict=True):
        assert (one.name, one.shape, one.quantization) == (
            other.name,
            other.shape,
            other.quantization,
        )
        assert same(one, other)


def test_only_what_is_named_changes_and_tflite_computes_with_it() -> None:
    content = small()
    graph = read_graph(content)
    weights = weights_of(graph, 0)
    assert weights.data is not None
    data, scale = -weights.data, tuple(2 * value for value in weights.quantization.scale)
    changed = rewrite(content, {weights.name: TensorChange(data, scale)})
    assert changed == rewrite(content, {weights.name: TensorChange(data, scale)})
    after = read_graph(changed)
    for one, other in zip(graph.tensors, after.tensors, strict=True):
        if one.name == weights.name:
            assert same(other, dataclasses.replace(one, data=data))
            assert other.quantization.scale == scale
        else:
            assert one.quantization == other.quantization
            assert same(one, other)
    pixels = images((6, 6, 3))
    before, now = (ReferenceInterpreter(model).run(pixels) for model in (content, changed))
    assert not np.array_equal(before, now)


def test_scale_and_zero_point_of_an_activation() -> None:
    content = small()
    graph = read_graph(content)
    name = graph.tensors[graph.output].name
    after = read_graph(rewrite(content, {name: TensorChange(scale=(0.5,), zero_point=7)}))
    result = after.tensors[after.output]
    assert (result.scale, result.zero_point) == (0.5, 7)


@pytest.mark.parametrize(
    "change",
    [
        TensorChange(data=np.zeros(3, np.int8)),
        TensorChange(data=np.zeros((4, 3, 3, 3), np.int32)),
        TensorChange(scale=(1.0, 2.0)),
        TensorChange(scale=(0.0,) * 4),
        TensorChange(scale=(float("nan"),) * 4),
        TensorChange(zero_point=128),
    ],
)
def test_what_does_not_suit_is_refused(change: TensorChange) -> None:
    content = small()
    with pytest.raises(ModelError):
        rewrite(content, {weights_of(read_graph(content), 0).name: change})


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(ModelError, match="0 tensors"):
        rewrite(small(), {"nobody": TensorChange(zero_point=0)})


def network() -> keras.Model:
    """Two convolutions of one shape, a depthwise one with batch normalization, a dense layer."""
    keras.utils.set_random_seed(5)
    layers = keras.layers
    image = keras.Input(SHAPE)
    x = layers.Conv2D(4, 3, padding="same", activation="relu", name="first")(image)
    x = layers.Conv2D(4, 1, activation="relu", name="second")(x)
    x = layers.Conv2D(4, 1, use_bias=False, name="third")(x)
    x = layers.DepthwiseConv2D(3, name="depthwise")(x)
    normalization = layers.BatchNormalization(name="norm")
    x = layers.ReLU()(normalization(x))
    model = keras.Model(image, layers.Dense(6, name="dense")(layers.Flatten()(x)))
    rng = np.random.default_rng(1)
    normalization.set_weights([rng.uniform(0.5, 2, 4).astype(np.float32) for _ in range(4)])
    return model


def test_float_weights_of_every_kind() -> None:
    model = network()
    calibration = np.random.default_rng(0).random((6, 1, *SHAPE), np.float32)
    content = to_int8_tflite(model, calibration)
    graph = read_stored_graph(content)
    found = float_weights(model, content)
    ops = [op for op in graph.ops if isinstance(op, Convolution)]
    assert list(found) == [op.name for op in ops]
    for op in ops:
        weights, bias = graph.tensors[op.weights], graph.tensors[op.bias]
        assert weights.data is not None
        assert bias.data is not None
        got = found[op.name]
        scale = np.array(weights.quantization.scale)
        by_channel = scale if weights.shape[0] == 1 else scale.reshape(-1, 1, 1, 1)
        assert np.abs(got.kernel - weights.data * by_channel).max() <= 0.51 * scale.max()
        bias_scale = scale * graph.tensors[op.inputs[0]].scale
        assert (np.abs(got.bias - bias.data * bias_scale) <= 0.51 * bias_scale).all()
    first, second = (model.get_layer(name).kernel.numpy() for name in ("first", "second"))
    np.testing.assert_array_equal(found[ops[0].name].kernel, first.transpose(3, 0, 1, 2))
    np.testing.assert_array_equal(found[ops[1].name].kernel, second.transpose(3, 0, 1, 2))


def test_another_models_weights_are_refused() -> None:
    model = load_keras(demo_model_path()).keras
    noise = np.random.default_rng(0).random((2, 1, 32, 32, 3), np.float32)
    content = to_int8_tflite(model, noise)
    conv = model.get_layer("fire5_expand3x3")
    kernel, bias = conv.get_weights()
    conv.set_weights([kernel[..., ::-1], bias])
    with pytest.raises(ModelError, match="no weights") as raised:
        float_weights(model, content)
    assert raised.value.where == "fire5_expand3x3"
