"""Declared preprocessing: resize and crop, and what of it the first layer takes over."""

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from PIL import Image

from edgesq.builds import load_source
from edgesq.calibrate import Preprocessing, load_folder, read_image
from edgesq.errors import ImageError
from edgesq.formats.tflite import ReferenceInterpreter
from edgesq.quantize import baked, captured_output

pytestmark = pytest.mark.slow

SHAPE = (10, 9, 3)
CAFFE = Preprocessing("bgr", (104.0, 117.0, 123.0), 1.0)
RNG = np.random.default_rng(8)
PIXELS = RNG.integers(30, 220, (12, *SHAPE), np.uint8)
"""None reaches 0 or 255."""


def network(padding: str = "valid", bias: bool = True, readers: int = 1) -> keras.Model:
    keras.utils.set_random_seed(2)
    layers = keras.layers
    with captured_output():
        image = keras.Input(SHAPE)
        ends = [
            layers.Conv2D(4, 3, padding=padding, use_bias=bias, name=f"first{number}")(image)
            for number in range(readers)
        ]
        x = layers.Concatenate()(ends) if readers > 1 else ends[0]
        x = layers.Conv2D(5, 1)(layers.ReLU()(x))
        model = keras.Model(image, layers.GlobalAveragePooling2D()(x))
    for layer in model.layers:
        if layer.weights:
            layer.set_weights([RNG.normal(0, 0.1, w.shape) for w in layer.get_weights()])
    return model


@pytest.mark.parametrize(
    ("declared", "padding"),
    [
        (CAFFE, "valid"),
        (Preprocessing("rgb", (127.5, 127.5, 127.5), 1 / 127.5), "valid"),
        (Preprocessing("bgr", scale=1 / 255), "same"),
    ],
)
def test_the_first_layer_takes_it_exactly(declared: Preprocessing, padding: str) -> None:
    model = network(padding)
    before = [np.copy(values) for values in model.get_weights()]
    made = baked(model, declared)
    assert made is not None
    other, left = made
    assert left == Preprocessing(scale=1.0)
    mine = np.asarray(other(left.to_float(PIXELS)))
    np.testing.assert_allclose(mine, model(declared.to_float(PIXELS)), rtol=1e-3, atol=1e-3)
    for values, kept in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(values, kept)


@pytest.mark.parametrize(
    ("declared", "options"),
    [
        (Preprocessing(), {}),
        (Preprocessing(scale=1 / 127.5), {}),
        (CAFFE, {"padding": "same"}),
        (CAFFE, {"bias": False}),
        (CAFFE, {"readers": 2}),
    ],
)
def test_where_it_would_not_be_exact_or_gain_nothing_it_stays(
    declared: Preprocessing, options: dict[str, Any]
) -> None:
    assert baked(network(**options), declared) is None


def folder_of(folder: Path, preprocessing: dict[str, Any]) -> Path:
    folder.mkdir()
    for number, pixels in enumerate(PIXELS):
        Image.fromarray(pixels).save(folder / f"{number:02}.png")
    (folder / "manifest.json").write_text(json.dumps({"preprocessing": preprocessing}))
    return folder


def test_export_bakes_and_every_pixel_is_a_level(tmp_path: Path) -> None:
    model = network()
    model.save(tmp_path / "model.keras")
    declared = {"channel_order": "bgr", "mean": [104, 117, 123], "scale": 1.0}
    photos = folder_of(tmp_path / "photos", declared)
    source = load_source(tmp_path / "model.keras", photos, lambda _: None)
    assert source.preprocessing == Preprocessing(scale=1.0)
    assert source.declared == CAFFE
    tensor = source.graph.tensors[source.graph.input]
    assert (tensor.scale, tensor.zero_point) == (1.0, -128)
    np.testing.assert_array_equal(source.images, (PIXELS.astype(int) - 128).astype(np.int8))
    result = source.graph.tensors[source.graph.output]
    levels = ReferenceInterpreter(source.tflite).run(source.images)
    real = (levels.astype(float) - result.zero_point) * result.scale
    expected = np.asarray(model(CAFFE.to_float(PIXELS)))
    assert np.abs(real - expected).max() < 4 * result.scale


# Resize and crop


def test_a_shorter_side_keeps_proportions_and_the_centre_is_cut_out(tmp_path: Path) -> None:
    picture = np.zeros((40, 80, 3), np.uint8)
    picture[:, 40:] = 255
    Image.fromarray(picture).save(tmp_path / "a.png")
    got = read_image(tmp_path / "a.png", (16, 16), resize=20)
    assert got.shape == (16, 16, 3)
    # 20 x 40, of which columns 12 to 27: the edge is in the middle.
    assert (got[:, :7] == 0).all()
    assert (got[:, 9:] == 255).all()
    squashed = read_image(tmp_path / "a.png", (16, 16), resize=(20, 20))
    assert (squashed[:, :7] == 0).all()
    assert (squashed[:, 9:] == 255).all()
    marked = picture.copy()
    marked[:, :20] = 255
    Image.fromarray(marked).save(tmp_path / "b.png")
    assert (read_image(tmp_path / "b.png", (16, 16), resize=20)[:, :7] == 0).all()
    assert (read_image(tmp_path / "b.png", (16, 16))[:, :3] == 255).all()


def test_a_crop_larger_than_the_image_is_refused(tmp_path: Path) -> None:
    Image.fromarray(PIXELS[0]).save(tmp_path / "a.png")
    with pytest.raises(ImageError, match="smaller than the model"):
        read_image(tmp_path / "a.png", (16, 16), resize=(20, 12))


def test_the_manifest_declares_it(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "photos", {"resize": [12, 14]})
    found = load_folder(folder, (8, 8, 3))
    assert found.preprocessing == Preprocessing(resize=(12, 14))
    wanted = read_image(folder / "00.png", (8, 8), resize=(12, 14))
    np.testing.assert_array_equal(found.images[0], wanted)


@pytest.mark.parametrize("resize", [0, -1, True, "256", [1], [1, 2, 3], [8, 0], 1.5])
def test_a_wrong_resize_is_refused(tmp_path: Path, resize: Any) -> None:
    folder = folder_of(tmp_path / "photos", {"resize": resize})
    with pytest.raises(ImageError, match="resize"):
        load_folder(folder, (8, 8, 3))


@pytest.mark.parametrize("resize", [None, 7, (3, 4)])
def test_json_gives_it_back(resize: Any) -> None:
    declared = Preprocessing("bgr", (1.0, 2.0, 3.0), 0.5, resize)
    told = json.loads(json.dumps(vars(declared)))
    assert Preprocessing.from_json(told) == declared
