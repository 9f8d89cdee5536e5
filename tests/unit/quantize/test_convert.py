"""Quantization to int8 .tflite: what comes out, its determinism, silence, and refusals."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from numpy.typing import NDArray

from edgesq.errors import EdgesqError, ImageError, ModelError
from edgesq.formats.tflite import read_graph
from edgesq.quantize import captured_output, load_keras, to_int8_tflite
from edgesq.quantize.ends import to_scores
from edgesq.zoo.demo import demo_model_path

pytestmark = pytest.mark.slow

SHAPE = (9, 8, 3)
IMAGES = np.random.default_rng(0).random((6, 1, *SHAPE), np.float32)
IMAGES[0].flat[:2] = 0, 1

CONVERT = """
import sys
import numpy as np
from edgesq.formats.tflite import read_graph
from edgesq.quantize import load_keras, to_int8_tflite
images = np.load(sys.argv[2])
with open(sys.argv[3], "wb") as file:
    file.write(to_int8_tflite(load_keras(sys.argv[1]).keras, images))
"""


AVERAGE = keras.layers.GlobalAveragePooling2D(name="average")


def network(end: Callable[[Any], Any] = AVERAGE) -> keras.Model:
    """Return a small seeded convolution, followed by `end`."""
    keras.utils.set_random_seed(3)
    image = keras.Input(SHAPE)
    x = keras.layers.Conv2D(5, 3, activation="relu", name="conv")(image)
    return keras.Model(image, end(x), name="small")


@pytest.fixture(scope="module")
def converted() -> bytes:
    return to_int8_tflite(network(), IMAGES)


def interpreter(content: bytes) -> Any:
    reference = OpResolverType.BUILTIN_REF
    made = Interpreter(model_content=content, experimental_op_resolver_type=reference)
    made.allocate_tensors()
    return made


def refused(
    kind: type[EdgesqError], message: str, function: Callable[..., Any], *arguments: Any
) -> EdgesqError:
    """Assert that the call fails with `kind`, in one line, with a hint."""
    with pytest.raises(kind, match=message) as raised:
        function(*arguments)
    assert "\n" not in str(raised.value)
    assert raised.value.hint
    return raised.value


# What comes out


def test_everything_is_int8_and_weights_are_per_channel(converted: bytes) -> None:
    made = interpreter(converted)
    (source,), (result,) = made.get_input_details(), made.get_output_details()
    assert (source["name"], source["dtype"], result["dtype"]) == ("input", np.int8, np.int8)
    assert source["quantization"] == (pytest.approx(1 / 255, rel=1e-6), -128)
    tensors = {str(one["dtype"]): one for one in made.get_tensor_details()}
    assert not any("float" in dtype for dtype in tensors)
    weights = [one for one in made.get_tensor_details() if list(one["shape"]) == [5, 3, 3, 3]]
    assert len(weights[0]["quantization_parameters"]["scales"]) == 5


def added_pixels(x: Any) -> Any:
    pixel = keras.layers.AveragePooling2D((7, 6))(x)
    return keras.layers.Add()([pixel, keras.layers.Conv2D(5, 1)(pixel)])


def test_a_sum_of_1x1_maps_stays_a_sum() -> None:
    graph = read_graph(to_int8_tflite(network(added_pixels), IMAGES))
    assert [op.kind for op in graph.ops] == ["CONV_2D", "AVERAGE_POOL_2D", "CONV_2D", "ADD"]


def test_a_fixed_batch_of_one_makes_no_difference(converted: bytes) -> None:
    image = keras.Input(batch_shape=(1, *SHAPE))
    model = keras.Model(image, network()(image), name="fixed")
    kinds = [op.kind for op in read_graph(to_int8_tflite(model, IMAGES)).ops]
    assert kinds == [op.kind for op in read_graph(converted).ops] == ["CONV_2D", "MEAN"]


def test_results_are_close_to_the_float_models(converted: bytes) -> None:
    made = interpreter(converted)
    source, result = made.get_input_details()[0], made.get_output_details()[0]
    made.set_tensor(source["index"], np.rint(IMAGES[1] * 255 - 128).astype(np.int8))
    made.invoke()
    scale, zero_point = result["quantization"]
    real = (made.get_tensor(result["index"]).astype(float) - zero_point) * scale
    np.testing.assert_allclose(real, network()(IMAGES[1]), atol=4 * scale)


def test_another_process_gives_the_same_bytes_and_says_nothing(
    converted: bytes, tmp_path: Path
) -> None:
    files = [tmp_path / name for name in ("small.keras", "images.npy", "small.tflite")]
    network().save(files[0])
    np.save(files[1], IMAGES)
    command = [sys.executable, "-c", CONVERT, *map(str, files)]
    done = subprocess.run(command, capture_output=True, check=True, timeout=120)
    assert (done.stdout, done.stderr) == (b"", b"")
    assert files[2].read_bytes() == converted == to_int8_tflite(network(), IMAGES)


def test_h5_files_are_read_too(tmp_path: Path) -> None:
    with captured_output():
        network().save(tmp_path / "small.h5")
    loaded = load_keras(tmp_path / "small.h5").keras
    np.testing.assert_array_equal(loaded(IMAGES[2]), network()(IMAGES[2]))


# Calibration images that cannot be used


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (IMAGES[:0], "no calibration images"),
        (IMAGES[:, 0], r"image 1 is float32 \[9, 8, 3\]"),
        (IMAGES.astype(np.float64), "image 1 is float64"),
        ([IMAGES[0], IMAGES[1] * np.float32(np.nan)], "image 2 holds values that are not finite"),
    ],
)
def test_unusable_calibration_images_are_refused(
    images: list[NDArray[np.float32]], message: str
) -> None:
    refused(ImageError, message, to_int8_tflite, network(), images)


# Models that cannot be used


def recurrent(x: Any) -> Any:
    return keras.layers.LSTM(4)(keras.layers.Reshape((42, 5))(x))


@pytest.mark.parametrize(
    ("end", "message"),
    [
        (keras.ops.erf, "cannot convert the model to int8 .'tf.Erf' op"),
        (recurrent, "loops or branches .While"),
    ],
)
def test_models_that_cannot_be_quantized_are_refused(
    end: Callable[[Any], Any], message: str
) -> None:
    assert refused(ModelError, message, to_int8_tflite, network(end), IMAGES).where == "small"


def test_models_without_a_fixed_input_size_are_refused() -> None:
    image = keras.Input((None, None, 3))
    model = keras.Model(image, keras.layers.Conv2D(2, 1)(image))
    refused(ModelError, r"\(None, None, None, 3\) is not a fixed", to_int8_tflite, model, IMAGES)


@keras.saving.register_keras_serializable("tests")
class Own(keras.layers.Layer):  # type: ignore[misc] # Keras has no types
    """A layer that only this file knows."""

    def call(self, x: Any) -> Any:
        return x


def test_missing_and_foreign_files_are_refused(tmp_path: Path) -> None:
    refused(ModelError, "no such model file", load_keras, tmp_path / "none.keras")
    refused(ModelError, "no such model file", load_keras, tmp_path)
    (tmp_path / "model.onnx").write_bytes(b"onnx")
    refused(ModelError, "a .onnx file is not a Keras model", load_keras, tmp_path / "model.onnx")


@pytest.mark.parametrize("suffix", ["keras", "h5"])
@pytest.mark.parametrize("content", [b"", b"junk" * 99, demo_model_path().read_bytes()[:90_000]])
def test_corrupt_files_are_refused(tmp_path: Path, suffix: str, content: bytes) -> None:
    path = tmp_path / f"bad.{suffix}"
    path.write_bytes(content)
    error = refused(ModelError, "is not a complete|cannot be read", load_keras, path)
    assert error.where == str(path)


def test_a_flipped_bit_is_refused(tmp_path: Path) -> None:
    content = bytearray(demo_model_path().read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / "bad.keras").write_bytes(content)
    refused(ModelError, "cannot be read", load_keras, tmp_path / "bad.keras")


@pytest.mark.parametrize("suffix", ["keras", "h5"])
def test_unknown_layers_are_named(
    tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / f"own.{suffix}"
    with captured_output():
        network(Own()).save(path)
    monkeypatch.delitem(keras.saving.get_custom_objects(), "tests>Own")
    monkeypatch.setitem(sys.modules, __name__, None)
    refused(ModelError, "a layer that Keras does not know: .*Own", load_keras, path)


def test_lambda_layers_are_refused(tmp_path: Path) -> None:
    network(keras.layers.Lambda(lambda x: x * 2)).save(tmp_path / "code.keras")
    refused(ModelError, "has a Lambda layer", load_keras, tmp_path / "code.keras")


@pytest.mark.parametrize(
    ("end", "left_out"),
    [
        (lambda x: keras.layers.Dense(3, activation="log_softmax", name="last")(x), 1),
        (lambda x: keras.layers.Activation("log_softmax")(keras.layers.Dense(3)(x)), 1),
        (lambda x: keras.ops.log_softmax(keras.layers.Dense(3)(x)), 1),
        (lambda x: keras.ops.argmax(keras.layers.Dense(3)(x), axis=-1), 1),
        (lambda x: keras.ops.argmax(keras.layers.Dense(3, activation="log_softmax")(x)), 2),
        (lambda x: keras.layers.Dense(3, activation="softmax")(x), 0),
    ],
)
def test_what_reads_the_scores_at_the_end_is_left_out(
    end: Callable[[Any], Any], left_out: int
) -> None:
    image = keras.Input((4, 4, 3))
    model = keras.Model(image, end(keras.layers.Flatten()(image)))
    pixels = np.random.default_rng(2).random((5, 4, 4, 3), np.float32)
    dense = next(layer for layer in model.layers if isinstance(layer, keras.layers.Dense))
    kernel, bias = dense.get_weights()
    scores, notes = to_scores(model)
    assert len(notes) == left_out
    if left_out:
        expected = pixels.reshape(5, -1) @ kernel + bias
        np.testing.assert_allclose(scores(pixels), expected, atol=1e-5)
    else:
        assert scores is model
