"""The float and QDQ models, and the integer model of a Keras model."""

from typing import Any

import numpy as np
import onnx
import onnx.reference
import pytest
from onnx import TensorProto, numpy_helper
from test_onnx import assert_equals_reference, random, random_int8

from edgesq.formats.onnx import float_onnx, integer_onnx, onnx_bytes, qdq_onnx, run_onnx
from edgesq.formats.tflite import ReferenceInterpreter, read_graph


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
    from edgesq.quantize import to_int8_tflite

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


def test_qdq_model_is_close_and_clean(
    keras_tflite: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    model = qdq_onnx(keras_tflite)
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
    assert onnx_bytes(qdq_onnx(keras_tflite)) == onnx_bytes(model)


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
    assert not [name for name in names if not name.replace("_", "").isalnum()]
