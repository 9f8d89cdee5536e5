"""The audit of calibration sets: good ones pass, each kind of bad one is named with its figure."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from edgesq.builds.loading import _read_quantized
from edgesq.calibrate import AuditRow, Classes, ImageSet, Preprocessing, audit_images, load_folder
from edgesq.calibrate.audit import MAX_SHOWN
from edgesq.errors import ModelError
from edgesq.quantize import audit_model, load_keras, silent_layer, to_int8_tflite
from edgesq.quantize.audit import SURE, coverage_curve
from edgesq.quantize.flat import flat
from edgesq.quantize.scaling import audit_scaling
from edgesq.quantize.statistics import FAR, NEARER, TrainedStatistics
from edgesq.resources import resource
from edgesq.zoo.demo import demo_model_path
from support.builds import refused

pytestmark = pytest.mark.slow

UInt8Array = NDArray[np.uint8]


@pytest.fixture(scope="module")
def model() -> keras.Model:
    return load_keras(demo_model_path()).keras


@pytest.fixture(scope="module")
def digits() -> ImageSet:
    return load_folder(resource("calibration_data"), (32, 32, 3))


def wrong(rows: tuple[AuditRow, ...]) -> list[str]:
    return [row.check for row in rows if not row.is_good]


def image_set(images: UInt8Array, by: Preprocessing | None = None) -> ImageSet:
    return ImageSet(images, None, Classes(), by or Preprocessing(), ())


def photographs(count: int) -> UInt8Array:
    """Return smooth coloured fields, no two alike."""
    small = np.random.default_rng(4).integers(0, 256, (count, 5, 5, 3), np.uint8)
    resized = [Image.fromarray(one).resize((32, 32), Image.Resampling.BICUBIC) for one in small]
    return np.stack([np.asarray(image) for image in resized])


def test_the_bundled_set_is_good(model: keras.Model, digits: ImageSet) -> None:
    rows = (*audit_images(digits), *audit_model(model, digits))
    assert wrong(rows) == []
    assert {row.check for row in rows} == {
        *("images", "near-duplicates", "pictures", "classes"),
        *("coverage", "silent channels", "certainty", "preprocessing"),
    }


def test_a_model_has_operations_called_as_those_that_measure_it() -> None:
    """A spatial attention: what is saved is loaded with its names, min, max, mean and square."""
    ops, layers = keras.ops, keras.layers
    image = keras.Input((32, 32, 3))
    x = layers.BatchNormalization(moving_mean_initializer="ones")(layers.Conv2D(4, 3)(image))
    ends = [reduced(x, axis=-1, keepdims=True) for reduced in (ops.mean, ops.max, ops.min)]
    gate = layers.Conv2D(1, 1)(ops.square(layers.Concatenate()(ends)))
    named = keras.Model(image, layers.GlobalAveragePooling2D()(layers.Multiply()([x, gate])))
    for name in ("mean", "max", "min", "square"):
        operation = next(one for one in named.operations if type(one).__name__.lower() == name)
        operation.name = name
    images = image_set(photographs(33))
    assert audit_model(named, images)
    assert silent_layer(named, np.zeros((4, 32, 32, 3), np.float32)) is not None


def test_different_pictures_are_good() -> None:
    assert wrong(audit_images(image_set(photographs(40)))) == []


def test_few_images_are_named() -> None:
    rows = audit_images(image_set(photographs(9)))
    assert wrong(rows) == ["images"]
    assert rows[0].figure == 9


def test_copies_and_frames_of_one_film_are_named() -> None:
    few = photographs(5)
    assert wrong(audit_images(image_set(np.concatenate([few] * 8)))) == ["near-duplicates"]
    large = np.asarray(Image.fromarray(few[0]).resize((64, 64), Image.Resampling.BICUBIC))
    frames = np.stack([large[y : y + 58, x : x + 58] for y in range(5) for x in range(7)])
    rows = audit_images(image_set(frames))
    assert wrong(rows) == ["near-duplicates"]
    assert next(row.images for row in rows if row.images) == tuple(range(MAX_SHOWN))


def test_noise_is_named() -> None:
    noise = np.random.default_rng(1).integers(0, 256, (40, 32, 32, 3), np.uint8)
    assert wrong(audit_images(image_set(noise))) == ["pictures"]
    few = np.concatenate([photographs(30)[:3] // 64, noise[:37]])
    rows = audit_images(image_set(few))
    assert [row.images for row in rows if row.check == "pictures"] == [tuple(range(3, 15))]


def test_blank_images_are_named() -> None:
    assert "pictures" in wrong(audit_images(image_set(np.full((40, 32, 32, 3), 7, np.uint8))))


def test_a_single_class_is_named() -> None:
    images = photographs(40)
    one = ImageSet(images, np.zeros(40, np.int64), Classes(("cat",)), Preprocessing(), ())
    assert wrong(audit_images(one)) == ["classes"]


def test_ranges_that_still_grow_are_named() -> None:
    growing = image_set(
        (photographs(40) * np.linspace(0, 1, 40)[:, None, None, None] ** 20).astype(np.uint8)
    )
    image = keras.Input((32, 32, 3))
    plain = keras.Model(image, keras.layers.ReLU()(keras.layers.ReLU()(image)))
    assert wrong(audit_model(plain, growing)) == ["coverage"]


def test_the_coverage_curve_ends_at_one() -> None:
    ranges = np.arange(1, 11, dtype=np.float32).reshape(10, 1)
    curve = coverage_curve(ranges)
    assert [count for count, _ in curve] == [1, 2, 4, 5, 8, 10]
    assert curve[-1][1] == 1
    assert [part for _, part in curve] == sorted(part for _, part in curve)


def model_of_colours(certain: float = 1.0) -> keras.Model:
    """A model that is certain only of pixels on its own scale, in its own order."""
    image = keras.Input((32, 32, 3))
    pooled = keras.layers.GlobalAveragePooling2D()(image)
    out = keras.layers.Dense(3, activation="softmax", name="out")(pooled)
    model = keras.Model(image, out)
    kernel = np.array([[40, -10, 0], [0, 0, 0], [-10, 0, 3]], np.float32) * certain
    model.get_layer("out").set_weights([kernel, np.zeros(3, np.float32)])
    return model


def red_photographs() -> NDArray[np.uint8]:
    red = photographs(40)
    red[..., 2] //= 8
    return red


def test_wrong_scale_and_order_are_named() -> None:
    model, red = model_of_colours(), red_photographs()
    assert wrong(audit_model(model, image_set(red))) == []
    swapped = image_set(red, Preprocessing("bgr"))
    scaled = image_set(red, Preprocessing("rgb", (0, 0, 0), 1 / 65025))
    for bad in (swapped, scaled):
        rows = audit_model(model, bad)
        assert "preprocessing" in wrong(rows)
        assert "from 0 to" in rows[-1].message or "order RGB" in rows[-1].message


def test_a_model_that_is_sure_is_not_doubted() -> None:
    """Any network of rectifiers is surer of larger pixels."""
    images = image_set(red_photographs())
    unsure, sure = (audit_model(model_of_colours(by), images) for by in (0.09, 0.11))
    assert unsure[-2].figure < SURE < sure[-2].figure < 0.9
    assert wrong(unsure) == ["preprocessing"]
    assert wrong(sure) == []


def test_strict_refuses_before_anything_is_written(tmp_path: Path) -> None:
    folder = tmp_path / "few"
    folder.mkdir()
    for index, image in enumerate(photographs(6)):
        Image.fromarray(image).save(folder / f"{index}.png")
    says = "few: 6 images; with fewer than 32 .*mend the set, or leave out --strict"
    out = tmp_path / "out"
    options = ("--calibration", folder, "--target", "host", "--out", out, "--strict")
    refused(2, says, "export", demo_model_path(), *options)
    assert not out.exists()


def normalized_model(by: Preprocessing) -> keras.Model:
    """A model whose batch normalizations keep what photographs prepared in one way give."""
    keras.utils.set_random_seed(3)
    image = made = keras.Input((32, 32, 3))
    for channels in (8, 12, 16):
        made = keras.layers.Conv2D(channels, 3, strides=2, use_bias=False)(made)
        made = keras.layers.BatchNormalization(momentum=0.3)(made)
        made = keras.layers.ReLU()(made)
    made = keras.layers.GlobalAveragePooling2D()(made)
    model = keras.Model(image, keras.layers.Dense(4, activation="softmax")(made))
    floats = by.to_float(photographs(128))
    for start in range(0, 128, 32):
        model(floats[start : start + 32], training=True)
    return model


UNIT, SIGNED = Preprocessing(), Preprocessing("rgb", (127.5, 127.5, 127.5), 1 / 127.5)
WIDE = Preprocessing(scale=1.0)


@pytest.mark.parametrize("right", [UNIT, SIGNED, WIDE])
def test_trained_statistics_tell_scales_apart(right: Preprocessing) -> None:
    """Without labels, and in networks that certainty says nothing of: these were not trained."""
    trained, images = TrainedStatistics(normalized_model(right)), photographs(200)[-64:]
    near = trained.distance(right.to_float(images))
    assert near < FAR
    assert trained.distance(right.to_float(images[:16])) < FAR
    for other in {UNIT, SIGNED, WIDE} - {right}:
        assert trained.distance(other.to_float(images)) > max(FAR, 2 * NEARER * near)


def test_a_scale_that_was_not_trained_is_named() -> None:
    model, images = normalized_model(SIGNED), photographs(100)[-48:]
    rows = audit_model(model, image_set(images, SIGNED))
    assert wrong(rows) == ["certainty"]
    named = next(row.images for row in rows if row.check == "certainty")
    assert len(set(named)) == MAX_SHOWN
    assert set(named) <= set(range(48))
    also = wrong(audit_model(model, image_set(images, UNIT)))
    assert also == ["certainty", "trained statistics"]


def test_statistics_that_were_never_trained_say_nothing() -> None:
    image = keras.Input((32, 32, 3))
    plain = keras.Model(image, keras.layers.BatchNormalization()(image))
    assert TrainedStatistics(plain).count == 0


def grey_model(classes: int, bias: float) -> keras.Model:
    """A model in a model, one grey channel in, sure by its bias alone."""
    keras.utils.set_random_seed(1)
    inner = keras.Sequential([keras.Input((32, 32, 1)), keras.layers.Conv2D(4, 3)])
    image = keras.Input((32, 32, 1))
    pooled = keras.layers.GlobalAveragePooling2D()(inner(image))
    start = keras.initializers.Constant([bias] + [0.0] * (classes - 1))
    out = keras.layers.Dense(classes, activation="softmax", bias_initializer=start)(pooled)
    return flat(keras.Model(image, out), "grey")


def test_a_grey_model_that_is_sure_is_audited() -> None:
    images = image_set(photographs(40)[..., :1])
    rows = {row.check: row for row in audit_model(grey_model(2, 30.0), images)}
    assert set(rows) == {"coverage", "silent channels", "certainty"}
    assert rows["certainty"].figure > SURE
    assert 0 < rows["coverage"].figure < 0.2


def test_one_class_and_one_image_are_audited() -> None:
    images = image_set(photographs(1)[..., :1])
    rows = {row.check for row in audit_model(grey_model(1, 1.0), images)}
    assert rows == {"coverage", "silent channels"}


def silent_model(silent: str) -> keras.Model:
    """A model with one layer that is dead: a convolution below zero, or logits without weights."""
    layers = keras.layers
    image = keras.Input((32, 32, 3))
    start = keras.initializers.Constant(-100.0 if silent == "conv" else 0.0)
    x = layers.Conv2D(4, 3, activation="relu", bias_initializer=start, name="conv")(image)
    x = layers.GlobalAveragePooling2D(name="mean")(layers.Conv2D(4, 3, name="next")(x))
    kernel = "zeros" if silent == "logits" else "glorot_uniform"
    x = layers.Dense(3, kernel_initializer=kernel, bias_initializer="ones", name="logits")(x)
    return keras.Model(image, layers.Softmax()(x))


@pytest.mark.parametrize("silent", ["conv", "logits", "nothing"])
def test_a_silent_layer_is_named(silent: str) -> None:
    floats = Preprocessing().to_float(photographs(4))
    assert silent_layer(silent_model(silent), floats) == (None if silent == "nothing" else silent)


def test_a_model_that_cannot_be_quantized_names_its_silent_layer(tmp_path: Path) -> None:
    model, floats = silent_model("conv"), Preprocessing().to_float(photographs(4))
    content = to_int8_tflite(model, floats[:, np.newaxis])
    with pytest.raises(ModelError, match=r"a\.keras: conv gives one value for all calibration"):
        _read_quantized(model, floats, content, tmp_path / "a.keras")


@pytest.mark.parametrize(
    ("first", "scale", "good"),
    [
        (lambda x: keras.layers.Rescaling(1 / 255)(x), 1 / 255, [False]),
        (lambda x: keras.layers.Rescaling(1 / 127.5, offset=-1)(x), 1 / 255, [False]),
        (lambda x: x / 127.5 - 1, 1 / 127.5, [False]),
        (lambda x: keras.layers.Rescaling(1 / 255)(x), 1.0, [True]),
        (lambda x: keras.layers.Rescaling(2.0, offset=-1)(x), 1 / 255, [True]),
        (lambda x: x - 127.5, 1.0, [True]),
        (lambda x: keras.ops.clip(x, 0, 1), 1 / 255, [True]),
        (lambda x: keras.layers.MaxPooling2D()(x), 1 / 255, []),
    ],
)
def test_pixels_that_are_scaled_twice_are_named(
    first: Callable[[Any], Any], scale: float, good: list[bool]
) -> None:
    image = keras.Input((32, 32, 3))
    model = keras.Model(image, keras.layers.Conv2D(2, 3)(first(image)))
    row = audit_scaling(model, Preprocessing(scale=scale))
    assert [one.is_good for one in (row,) if one] == good
