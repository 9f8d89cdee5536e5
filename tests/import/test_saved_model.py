"""SavedModels: the folder that TensorFlow writes is quantized like the model it came from."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgesq.builds import load_graph
from edgesq.calibrate import Classes, ImageSet, Preprocessing
from edgesq.errors import ModelError
from edgesq.formats.onnx import float_onnx, run_onnx
from edgesq.formats.tflite import ReferenceInterpreter, read_graph
from edgesq.quantize import audit_model, load_saved_model, to_int8_tflite

SHAPE = (12, 14, 3)


@pytest.fixture(scope="module")
def keras_model() -> Any:
    import keras

    keras.utils.set_random_seed(3)
    layers = keras.layers
    source = keras.Input(SHAPE)
    one = layers.Conv2D(6, 3, 2, "same", activation="relu", name="conv1")(source)
    two = layers.BatchNormalization()(layers.Conv2D(6, 3, padding="same", name="conv2")(one))
    joined = layers.Add()([one, layers.ReLU()(two)])
    rows = layers.Flatten()(layers.MaxPooling2D()(joined))
    return keras.Model(source, layers.Dense(5, activation="softmax")(rows))


def by_export(model: Any, folder: Path) -> None:
    model.export(folder, verbose=False)


def by_tensorflow(model: Any, folder: Path) -> None:
    import tensorflow as tf

    tf.saved_model.save(model, folder)


Save = Callable[[Any, Path], None]


@pytest.mark.parametrize("save", [by_export, by_tensorflow])
def test_it_is_quantized_like_the_keras_model(save: Save, keras_model: Any, tmp_path: Path) -> None:
    save(keras_model, tmp_path / "saved")
    loaded = load_saved_model(tmp_path / "saved").keras
    random = np.random.default_rng(4)
    floats = random.random((6, *SHAPE), np.float32)
    np.testing.assert_allclose(loaded(floats), keras_model(floats), atol=1e-6)
    both = [
        to_int8_tflite(model, (image[np.newaxis] for image in floats))
        for model in (keras_model, loaded)
    ]
    inputs = random.integers(-128, 128, (8, *SHAPE)).astype(np.int8)
    golden, mine = (ReferenceInterpreter(content).observed(inputs) for content in both)
    for expected, values in zip(golden, mine, strict=True):
        assert len(np.unique(expected)) > 8
        np.testing.assert_array_equal(values, expected)
    assert read_graph(both[1]).ops[0].name == "conv1"
    np.testing.assert_allclose(
        run_onnx(float_onnx(loaded), floats)[0], keras_model(floats), atol=1e-6
    )


def test_the_audit_sees_its_maps(keras_model: Any, tmp_path: Path) -> None:
    by_export(keras_model, tmp_path / "saved")
    pixels = np.random.default_rng(5).integers(0, 256, (40, *SHAPE)).astype(np.uint8)
    images = ImageSet(pixels, None, Classes(), Preprocessing(), ())
    model = load_saved_model(tmp_path / "saved").keras
    rows = {row.check: row for row in audit_model(model, images)}
    assert set(rows) == {"coverage", "silent channels", "certainty", "preprocessing"}
    assert 0 < rows["coverage"].figure < 0.5


def test_plan_takes_the_folder(keras_model: Any, tmp_path: Path) -> None:
    by_export(keras_model, tmp_path / "saved")
    graph = load_graph(tmp_path / "saved", lambda _: None)
    assert graph.tensors[graph.input].hwc == SHAPE


def test_an_image_without_channels(tmp_path: Path) -> None:
    import keras

    layers = keras.layers
    model = keras.Sequential([keras.Input(SHAPE[:2]), layers.Flatten(), layers.Dense(3)])
    by_export(model, tmp_path / "saved")
    floats = np.random.default_rng(5).random((4, 1, *SHAPE[:2], 1), np.float32)
    loaded = load_saved_model(tmp_path / "saved").keras
    graph = read_graph(to_int8_tflite(loaded, floats))
    assert [op.kind for op in graph.ops] == ["RESHAPE", "FULLY_CONNECTED"]


def test_a_log_softmax_at_the_end_is_left_out(tmp_path: Path) -> None:
    import keras

    layers = keras.layers
    dense = layers.Dense(3, activation="log_softmax")
    model = keras.Sequential([keras.Input(SHAPE), layers.Flatten(), dense])
    by_export(model, tmp_path / "saved")
    loaded = load_saved_model(tmp_path / "saved")
    assert loaded.notes == ("LogSoftmax at the end is left out: the board gives the scores",)
    floats = np.random.default_rng(5).random((4, *SHAPE), np.float32)
    kernel, bias = dense.get_weights()
    expected = floats.reshape(4, -1) @ kernel + bias
    np.testing.assert_allclose(loaded.keras(floats), expected, atol=1e-5)


def refused(folder: Path) -> str:
    with pytest.raises(ModelError) as caught:
        load_saved_model(folder)
    return str(caught.value)


def test_several_signatures(tmp_path: Path) -> None:
    import tensorflow as tf

    module = tf.Module()
    spec = tf.TensorSpec((None, *SHAPE), tf.float32)
    one, two = (tf.function(lambda x, by=by: x * by, input_signature=[spec]) for by in (2.0, 3.0))
    tf.saved_model.save(module, str(tmp_path / "none"))
    assert "its signatures are: none" in refused(tmp_path / "none")
    tf.saved_model.save(module, str(tmp_path / "two"), signatures={"a": one, "b": two})
    assert "its signatures are: a, b" in refused(tmp_path / "two")


@pytest.mark.parametrize(
    ("shape", "says"),
    [
        ((4, *SHAPE), r"not float32 [None, H, W, C]"),
        ((None, None, None, 3), r"the input x is float32 [None, None, None, 3]"),
        ((None, 12), r"the input x is float32 [None, 12]"),
    ],
)
def test_inputs_that_are_no_images(shape: tuple[Any, ...], says: str, tmp_path: Path) -> None:
    import tensorflow as tf

    spec = tf.TensorSpec(shape, tf.float32)
    function = tf.function(lambda x: x * 2.0, input_signature=[spec])
    tf.saved_model.save(tf.Module(), str(tmp_path), signatures=function.get_concrete_function())
    assert says in refused(tmp_path)


def test_damaged(keras_model: Any, tmp_path: Path) -> None:
    by_export(keras_model, tmp_path / "saved")
    file = tmp_path / "saved/saved_model.pb"
    file.write_bytes(file.read_bytes()[:500])
    assert "cannot be read as a SavedModel" in refused(tmp_path / "saved")


def test_a_batch_of_one_is_opened(tmp_path: Path) -> None:
    import tensorflow as tf

    def average(images: Any) -> Any:
        return tf.reduce_mean(tf.nn.relu(images - 0.5), (1, 2))

    spec = tf.TensorSpec((1, *SHAPE), tf.float32)
    function = tf.function(average, input_signature=[spec])
    tf.saved_model.save(tf.Module(), str(tmp_path), signatures=function.get_concrete_function())
    floats = np.random.default_rng(4).random((5, *SHAPE), np.float32)
    np.testing.assert_allclose(load_saved_model(tmp_path).keras(floats), average(floats), atol=1e-6)


def test_a_batch_of_one_that_is_built_in(tmp_path: Path) -> None:
    import tensorflow as tf

    spec = tf.TensorSpec((1, *SHAPE), tf.float32)
    function = tf.function(lambda x: tf.reshape(x, (1, -1)) * 2.0, input_signature=[spec])
    tf.saved_model.save(tf.Module(), str(tmp_path), signatures=function.get_concrete_function())
    assert "takes batches of one only" in refused(tmp_path)
