"""The bundled demo model, its held-out digits and the calibration images that go with it."""

import json
import subprocess
import sys
import zipfile
from typing import Any

import keras
import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from edgesq.calibrate import ImageSet, Preprocessing, load_folder
from edgesq.quantize import load_keras, to_int8_tflite
from edgesq.resources import resource
from edgesq.zoo.demo import INPUT_SHAPE, demo_model_path, heldout, heldout_path, upscale

pytestmark = pytest.mark.slow

LIGHT = "edgesq.calibrate, edgesq.quantize, edgesq.zoo.demo"


@pytest.fixture(scope="module")
def model() -> keras.Model:
    return load_keras(demo_model_path()).keras


@pytest.fixture(scope="module")
def calibration() -> ImageSet:
    return load_folder(resource("calibration_data"), INPUT_SHAPE)


def test_the_model_is_squeezenet_v1_1(model: keras.Model) -> None:
    assert model.count_params() == 727_626
    assert model.input_shape == (None, *INPUT_SHAPE)
    assert model.get_layer("conv10").activation.__name__ == "linear"


def test_the_files_are_small_and_hold_no_optimizer() -> None:
    assert demo_model_path().stat().st_size < 3_200_000
    assert heldout_path().stat().st_size < 30_000
    with zipfile.ZipFile(demo_model_path()) as archive:
        assert not json.loads(archive.read("config.json"))["compile_config"]


def test_heldout_is_a_stratified_third() -> None:
    images, labels = heldout()
    assert images.shape == (599, *INPUT_SHAPE)
    assert labels.shape == (599,)
    assert (images.dtype, labels.dtype) == (np.dtype("uint8"), np.dtype("int64"))
    counts = np.bincount(labels, minlength=10)
    assert counts.min() >= 57
    assert counts.max() <= 62
    assert (images.min(), images.max()) == (0, 255)


def test_upscaling_interpolates_bilinearly() -> None:
    ramp = np.broadcast_to(np.arange(0, 16, 2, dtype=np.uint8), (1, 8, 8))
    row = upscale(ramp)[0, 5, :, 1]
    eighths = np.clip(np.arange(32) * 2 - 3, 0, 56)
    np.testing.assert_array_equal(row, np.floor(eighths * 2 / 8 * 255 / 16 + 0.5))
    np.testing.assert_array_equal(upscale(np.full((2, 8, 8), 16, np.uint8)), 255)


def test_calibration_images_are_balanced_and_declared(calibration: ImageSet) -> None:
    assert calibration.classes.names == tuple("0123456789")
    assert len(calibration.images) >= 100
    assert calibration.labels is not None
    np.testing.assert_array_equal(np.bincount(calibration.labels), 12)
    assert calibration.preprocessing == Preprocessing()
    manifest = json.loads((resource("calibration_data") / "manifest.json").read_text())
    assert len(manifest["files"]) == len(calibration.images)
    assert "UCI" in manifest["source"]
    assert manifest["licence"] == "CC-BY-4.0"


def test_no_heldout_image_is_a_calibration_image(calibration: ImageSet) -> None:
    seen = {image.tobytes() for image in calibration.images}
    assert not [image for image in heldout()[0] if image.tobytes() in seen]


def test_the_float_model_reads_97_percent(model: keras.Model) -> None:
    images, labels = heldout()
    predicted = model.predict(Preprocessing().to_float(images), verbose=0).argmax(axis=-1)
    assert np.mean(predicted == labels) >= 0.97


def test_the_int8_model_reads_97_percent(model: keras.Model, calibration: ImageSet) -> None:
    floats = calibration.preprocessing.to_float(calibration.images)
    made = Interpreter(model_content=to_int8_tflite(model, floats[:, None]))
    made.allocate_tensors()
    source = made.get_input_details()[0]
    images, labels = heldout()
    inputs = calibration.preprocessing.to_int8(images, *source["quantization"])
    np.testing.assert_array_equal(inputs.view(np.uint8), images ^ 0x80)
    predicted = [run(made, source["index"], image) for image in inputs]
    assert np.mean(predicted == labels) >= 0.97


def run(made: Any, source: int, image: np.ndarray[Any, np.dtype[np.int8]]) -> int:
    made.set_tensor(source, image[None])
    made.invoke()
    return int(made.get_tensor(made.get_output_details()[0]["index"]).argmax())


def test_the_split_can_be_made_again(calibration: ImageSet) -> None:
    pytest.importorskip("sklearn", reason="scikit-learn is in the extra `train`")
    from edgesq.zoo.train_demo import split_digits

    digits = split_digits()
    images, labels = heldout()
    np.testing.assert_array_equal(upscale(digits.heldout), images)
    np.testing.assert_array_equal(digits.heldout_labels, labels)
    trained_on = {image.tobytes() for image in upscale(digits.train)}
    assert all(image.tobytes() in trained_on for image in calibration.images)


def test_reading_images_needs_no_tensorflow() -> None:
    program = f"import sys, {LIGHT}; print(sorted({{'tensorflow', 'keras'}} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout == b"[]\n"
