"""Preprocessing: pixels as the model sees them."""

import numpy as np

from edgesq.calibrate import Preprocessing


def test_default_preprocessing_is_pixel_minus_128() -> None:
    every = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1).repeat(3, axis=-1)
    quantized = Preprocessing().to_int8(every, float(np.float32(1 / 255)), -128)
    assert quantized.dtype == np.int8
    np.testing.assert_array_equal(quantized.view(np.uint8), every ^ 0x80)


def test_bgr_and_mean_apply_in_the_models_order() -> None:
    image = np.array([[[10, 20, 30]]], np.uint8)
    real = Preprocessing("bgr", (1.0, 2.0, 3.0), 0.5).to_float(image)
    assert real.dtype == np.float32
    np.testing.assert_array_equal(real, [[[14.5, 9.0, 3.5]]])


def test_grey_images_use_the_first_mean() -> None:
    grey = np.array([[[10]]], np.uint8)
    np.testing.assert_array_equal(Preprocessing("bgr", (4.0, 9.0, 9.0), 2).to_float(grey), [[[12]]])


def test_quantization_rounds_halves_away_and_clips() -> None:
    image = np.array([0, 1, 2, 3, 255], np.uint8).reshape(1, 1, 5, 1)
    quantized = Preprocessing(mean=(2.0, 0, 0), scale=1).to_int8(image, 2.0, 3)
    np.testing.assert_array_equal(quantized.ravel(), [2, 2, 3, 4, 127])
