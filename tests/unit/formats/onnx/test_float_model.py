"""The float and QDQ models, and the integer model of a Keras model."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnx.reference
import pytest
from onnx import TensorProto, helper, numpy_helper

from edgesq.formats.onnx import float_onnx, integer_onnx, onnx_bytes, qdq_onnx, run_onnx
from edgesq.formats.onnx.float_model import _clean
from edgesq.formats.tflite import ReferenceInterpreter, read_graph
from edgesq.importers.onnx import ImportedFloat, import_onnx
from edgesq.quantize import to_int8_tflite
from support.onnx_checks import assert_equals_reference, random, random_int8

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def keras_model() -> Any:
    keras = pytest.importorskip("keras")
    keras.utils.set_random_seed(3)
    image = keras.Input((16, 16, 3))
    x = keras.layers.Conv2D(8, 3, strides=2, activation="relu")(image)
    x = keras.layers.MaxPool2D(3, 2, padding="same")(x)
    left = keras.layers.Conv2D(4, 1, activation="relu")(x)
    right = keras.layers.Conv2D(4, 3, padding="same", activation="relu")(x)
    x = keras.layers.Add()([x, keras.layers.Concatenate()([left, right])])
    x = keras.layers.DepthwiseConv2D(3, activation="relu")(x)
    x = keras.layers.GlobalAveragePooling2D()(keras.layers.Conv2D(12, 1)(x))
    x = keras.layers.Dense(10)(x)
    return keras.Model(image, keras.layers.Softmax()(x), name="tiny")


@pytest.fixture(scope="module")
def keras_tflite(keras_model: Any) -> bytes:
    images = random("images").random((8, 1, 16, 16, 3)).astype(np.float32)
    return to_int8_tflite(keras_model, images)


def test_integer_model_of_a_keras_model(keras_tflite: bytes) -> None:
    assert_equals_reference(keras_tflite, random_int8("keras", (20, 16, 16, 3)))
    model = integer_onnx(read_graph(keras_tflite))
    assert not [node.name for node in model.graph.node if ";" in node.name or ":" in node.name]


def test_float_model_equals_keras(keras_model: Any, capfd: pytest.CaptureFixture[str]) -> None:
    model = float_onnx(keras_model)
    assert capfd.readouterr() == ("", "")
    images = random("float").random((4, 16, 16, 3)).astype(np.float32)
    (output,) = run_onnx(model, images)
    np.testing.assert_allclose(output, keras_model(images).numpy(), atol=1e-6)
    assert_clean(model, TensorProto.FLOAT)
    assert onnx_bytes(float_onnx(keras_model)) == onnx_bytes(model)


def gated(keras: Any) -> Any:
    """Return a model with a gate per channel, repeated pixels and a global maximum."""
    keras.utils.set_random_seed(4)
    layers = keras.layers
    image = keras.Input((12, 12, 3))
    x = layers.Conv2D(8, 3, padding="same", use_bias=False)(image)
    x = layers.Activation("hard_silu")(layers.BatchNormalization()(x))
    gate = layers.Conv2D(4, 1, activation="relu")(layers.GlobalAveragePooling2D(keepdims=True)(x))
    x = layers.Multiply()([x, layers.Conv2D(8, 1, activation="sigmoid")(gate)])
    x = layers.Conv2D(4, 3, strides=2, padding="same")(layers.UpSampling2D()(x))
    x = layers.GlobalMaxPooling2D()(layers.LeakyReLU(0.1)(x))
    return keras.Model(image, layers.Dense(5, activation="softmax")(x), name="gated")


@pytest.mark.parametrize("name", ["tiny", "gated"])
def test_a_keras_model_and_its_onnx_are_the_same_in_int8(
    name: str, keras_model: Any, tmp_path: Path
) -> None:
    model = keras_model if name == "tiny" else gated(pytest.importorskip("keras"))
    path = tmp_path / "model.onnx"
    path.write_bytes(onnx_bytes(float_onnx(model)))
    made = import_onnx(path)
    assert isinstance(made, ImportedFloat)
    images = random("same").random((8, 1, *model.inputs[0].shape[1:])).astype(np.float32)
    graphs = [read_graph(to_int8_tflite(one, images)) for one in (model, made.keras)]
    assert [op.kind for op in graphs[0].ops] == [op.kind for op in graphs[1].ops]
    for mine, theirs in zip(*(graph.tensors for graph in graphs), strict=True):
        assert mine.quantization == theirs.quantization
        np.testing.assert_array_equal(mine.data, theirs.data)


def test_qdq_model_is_close_and_clean(
    keras_tflite: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    model = qdq_onnx(read_graph(keras_tflite))
    assert capfd.readouterr() == ("", "")
    inputs = random_int8("qdq", (20, 16, 16, 3))
    (output,) = run_onnx(onnx_bytes(model), inputs)
    expected = ReferenceInterpreter(keras_tflite).run(inputs)
    assert np.abs(output.astype(int) - expected).max() <= 8
    assert_clean(model, TensorProto.INT8)
    scales = {
        float(scale)
        for constant in model.graph.initializer
        if constant.data_type == TensorProto.FLOAT
        for scale in numpy_helper.to_array(constant).flat
    }
    graph = read_graph(keras_tflite)
    assert {tensor.scale for tensor in graph.tensors if tensor.data is None} <= scales
    assert onnx_bytes(qdq_onnx(read_graph(keras_tflite))) == onnx_bytes(model)


def converted(idle: bool) -> onnx.ModelProto:
    """Return what tf2onnx may write: where maps are 1 x 1, a Reshape that does nothing or none."""
    weights = random("weights").random((6, 3, 4, 4)).astype(np.float32)
    shape = numpy_helper.from_array(np.array([-1, 6, 1, 1], np.int64), "shape")
    flat = numpy_helper.from_array(np.array([-1, 6], np.int64), "flat")
    nodes = [
        helper.make_node("Conv", ["in", "weights"], ["sums"], "a"),
        *([helper.make_node("Reshape", ["sums", "shape"], ["same"], "b")] if idle else []),
        helper.make_node("Relu", ["same" if idle else "sums"], ["positive"], "c"),
        helper.make_node("Reshape", ["positive", "flat"], ["out"], "d"),
    ]
    source = helper.make_tensor_value_info("in", TensorProto.FLOAT, ["n", 3, 4, 4])
    result = helper.make_tensor_value_info("out", TensorProto.FLOAT, ["n", 6])
    constants = [numpy_helper.from_array(weights, "weights"), shape, flat]
    return helper.make_model(helper.make_graph(nodes, "x", [source], [result], constants))


def test_reshapes_that_change_nothing_are_left_out() -> None:
    without, with_one = (_clean(converted(idle)) for idle in (False, True))
    assert [node.op_type for node in without.graph.node] == ["Conv", "Relu", "Reshape"]
    assert onnx_bytes(without) == onnx_bytes(with_one)


def assert_clean(model: onnx.ModelProto, kind: int) -> None:
    onnx.checker.check_model(model, full_check=True)
    ends = [
        (value.name, value.type.tensor_type) for value in (*model.graph.input, *model.graph.output)
    ]
    assert [name for name, _ in ends] == ["input", "output"]
    assert [kind_of.elem_type for _, kind_of in ends] == [kind, kind]
    assert [[d.dim_value for d in tensor.shape.dim] for _, tensor in ends] == [
        [1, 16, 16, 3],
        [1, 10],
    ]
    names = [node.name for node in model.graph.node]
    assert not [name for name in names if not re.fullmatch(r"[\w/]+", name)]
