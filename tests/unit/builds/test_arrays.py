"""Models of one input that no image file can fill: their calibration images are in an .npz."""

from pathlib import Path

import keras
import numpy as np
import pytest
from numpy.typing import NDArray

from edgesq.builds import Source, load_source
from edgesq.builds.source import CalibrationOptions
from edgesq.calibrate import Classes, Preprocessing
from edgesq.errors import ImageError, ModelError
from edgesq.formats.tflite import read_graph
from edgesq.quantize import to_float_tflite
from edgesq.quantize.flat import flat
from edgesq.records import plain
from edgesq.verify.images import open_images
from support.builds import light_build
from support.networks import Network
from support.reports import put

pytestmark = pytest.mark.slow

COUNT = 24
RANDOM = np.random.default_rng(5)


def vector() -> keras.Model:
    layers = keras.layers
    return keras.Sequential([keras.Input((7,)), layers.Dense(9, "relu"), layers.Dense(3)])


def series() -> keras.Model:
    layers = keras.layers
    image = keras.Input((20, 3))
    x = layers.Conv1D(4, 3, padding="causal", dilation_rate=2)(image)
    return keras.Model(image, layers.Dense(3)(layers.GlobalAveragePooling1D()(x)))


def channels() -> keras.Model:
    layers = keras.layers
    image = keras.Input((6, 5, 4))
    return keras.Model(image, layers.Dense(3)(layers.Flatten()(layers.Conv2D(4, 3)(image))))


MODELS = {"vector": vector, "series": series, "channels": channels}


def reals(model: keras.Model) -> NDArray[np.float32]:
    return RANDOM.normal(0, 2, (COUNT, *model.inputs[0].shape[1:])).astype(np.float32)


def loaded(path: Path, arrays: Path) -> Source:
    names = CalibrationOptions(Classes(("low", "mid", "high"), "a list", is_declared=True))
    return load_source(path, arrays, lambda _: None, names)


@pytest.mark.parametrize("name", MODELS)
def test_a_keras_model_and_its_tflite_take_reals(name: str, tmp_path: Path) -> None:
    model = MODELS[name]()
    values, labels = reals(model), np.arange(COUNT) % 3
    np.savez(tmp_path / "a.npz", input=values, labels=labels)
    model.save(tmp_path / "a.keras")
    (tmp_path / "float.tflite").write_bytes(to_float_tflite(flat(model, "")))
    source = loaded(tmp_path / "a.keras", tmp_path / "a.npz")
    (tmp_path / "int8.tflite").write_bytes(source.tflite)
    assert source.verify_labels is not None
    np.testing.assert_array_equal(source.verify_labels, labels)
    assert source.classes.names == ("low", "mid", "high")
    tensor = source.graph.tensors[source.graph.input]
    gap = (source.images.astype(np.float32) - tensor.zero_point) * np.float32(tensor.scale)
    assert np.abs(gap.reshape(values.shape) - values).max() <= 0.51 * tensor.scale
    light_build(tmp_path / "build", "host", source.tflite, source.images)
    streamed = open_images(tmp_path / "build", source.graph, tmp_path / "a.npz", None)
    for kind in ("float", "int8"):
        other = loaded(tmp_path / f"{kind}.tflite", tmp_path / "a.npz")
        np.testing.assert_array_equal(other.images, source.images)
    np.testing.assert_array_equal(np.stack(list(streamed.read())), source.images)


def test_bytes_of_any_channels_are_divided(tmp_path: Path) -> None:
    pixels = RANDOM.integers(0, 256, (COUNT, 6, 5, 4)).astype(np.uint8)
    np.savez(tmp_path / "a.npz", input=pixels)
    channels().save(tmp_path / "a.keras")
    source = loaded(tmp_path / "a.keras", tmp_path / "a.npz")
    np.testing.assert_allclose(source.float_inputs[0], pixels / np.float32(255), atol=1e-7)


def test_reals_of_a_model_that_prepares_pixels_itself(tmp_path: Path) -> None:
    net = Network((6, 5, 3))
    content = net.build(net.conv(net.input, 4))
    graph = read_graph(content)
    build = light_build(tmp_path, "host", content, np.zeros((1, 6, 5, 3), np.int8))
    put(build, "calibration.declared_preprocessing", plain(Preprocessing("bgr")))
    np.savez(tmp_path / "a.npz", input=np.zeros((2, 6, 5, 3), np.float32))
    with pytest.raises(ImageError, match="makes them of pixels"):
        open_images(build, graph, tmp_path / "a.npz", None)


def test_what_cannot_be_used(tmp_path: Path) -> None:
    series().save(tmp_path / "a.keras")
    for values, says in (
        (RANDOM.normal(size=(COUNT, 19, 3)), r"input is float64 \[24, 19, 3\]"),
        (np.full((2, 20, 3), np.nan), "not finite"),
        (np.zeros((2, 20, 3), np.int8), "int8 values are no input of a float model"),
    ):
        np.savez(tmp_path / "a.npz", input=values)
        with pytest.raises(ImageError, match=says):
            loaded(tmp_path / "a.keras", tmp_path / "a.npz")
    vector().save(tmp_path / "b.keras")
    (tmp_path / "photos").mkdir()
    keras.utils.save_img(tmp_path / "photos" / "a.png", np.zeros((4, 4, 3)))
    says = r"\[7\] is no image \[H, W, C\] \(give --calibration FILE.npz with input"
    with pytest.raises(ModelError, match=says):
        loaded(tmp_path / "b.keras", tmp_path / "photos")
