"""Pretrained weights: another engine's probabilities, labelled images, unfit files."""

import csv
import io
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import keras
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from edgesq.errors import ModelError
from edgesq.zoo.pretrained import load_weights
from edgesq.zoo.squeezenet import squeezenet_v1_0, squeezenet_v1_1
from support.paths import SHARED

pytestmark = pytest.mark.slow

Weights = tuple[Path, dict[str, Any]]

DATA = SHARED / "data"
SHAPE = (227, 227, 3)
BGR_MEAN = (104, 117, 123)

needs_data = pytest.mark.skipif(
    not DATA.is_dir(), reason="pretrained weights are not here (../shared/data)"
)


@needs_data
def test_v1_1_gives_another_engines_probabilities() -> None:
    model = squeezenet_v1_1(SHAPE, pad_conv10=True)
    load_weights(model, DATA / "squeezenet_v1.1_caffe_hwio.npz")
    golden = np.load(DATA / "golden_v1.1_mnn.npz")
    image = golden["x_chw"].transpose(1, 2, 0)[None].astype(np.float32)
    np.testing.assert_allclose(model(image)[0], golden["prob"], rtol=0, atol=2e-4)


@needs_data
@pytest.mark.parametrize(
    ("build", "weights"),
    [
        (squeezenet_v1_0, "squeezenet_v1.0_deepcomp_hwio.npz"),
        (squeezenet_v1_1, "squeezenet_v1.1_caffe_hwio.npz"),
    ],
)
def test_pretrained_weights_recognise_images(
    build: Callable[..., keras.Model], weights: str
) -> None:
    model = build(SHAPE)
    load_weights(model, DATA / weights)
    images, labels = labelled_images(60)
    predicted = model.predict(images, batch_size=20, verbose=0).argmax(axis=-1)
    assert np.mean(predicted == labels) > 0.65


def labelled_images(count: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return BGR images with the mean subtracted, float32 [count, 227, 227, 3], and labels."""
    with tarfile.open(DATA / "imagenet_eval300_227.tar") as archive:
        rows = list(csv.DictReader(io.TextIOWrapper(member(archive, "labels.csv"))))[:count]
        images = [Image.open(member(archive, row["file"])).convert("RGB") for row in rows]
    pixels = np.stack([np.asarray(image) for image in images])[..., ::-1]
    return pixels.astype(np.float32) - BGR_MEAN, np.array([int(row["class_index"]) for row in rows])


def member(archive: tarfile.TarFile, name: str) -> IO[bytes]:
    file = archive.extractfile(name)
    assert file is not None
    return file


@pytest.fixture
def weights(tmp_path: Path) -> Weights:
    """Write the weights of a small v1.1 as load_weights reads them; return the path and a dict."""
    model = squeezenet_v1_1((32, 32, 3), 4)
    arrays = {}
    for layer in model.layers:
        if layer.weights:
            name = layer.name.replace("_", "/")
            arrays[f"{name}/kernel"], arrays[f"{name}/bias"] = layer.get_weights()
    path = tmp_path / "weights.npz"
    np.savez(path, **arrays)
    return path, arrays


def test_weights_arrive_in_their_layers(weights: Weights) -> None:
    path, arrays = weights
    model = squeezenet_v1_1((32, 32, 3), 4)
    load_weights(model, path)
    kernel = model.get_layer("fire7_expand3x3").get_weights()[0]
    np.testing.assert_array_equal(kernel, arrays["fire7/expand3x3/kernel"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda arrays: arrays.pop("fire9/squeeze1x1/bias"), "holds no fire9/squeeze1x1/bias"),
        (lambda arrays: arrays.update(more=np.zeros(3)), "more, which the model has no place for"),
        (
            lambda arrays: arrays.update({"conv10/bias": np.zeros(1000)}),
            r"conv10/bias is \[1000\], the model needs \[4\]",
        ),
    ],
)
def test_weights_of_another_network_are_refused_and_change_nothing(
    weights: Weights, change: Callable[[dict[str, Any]], None], message: str
) -> None:
    path, arrays = weights
    change(arrays)
    np.savez(path, **arrays)
    model = squeezenet_v1_1((32, 32, 3), 4)
    before = model.get_weights()
    with pytest.raises(ModelError, match=message) as raised:
        load_weights(model, path)
    assert "\n" not in str(raised.value)
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_unreadable_weights_are_refused(weights: Weights, tmp_path: Path) -> None:
    path, _ = weights
    model = squeezenet_v1_1((32, 32, 3), 4)
    with pytest.raises(ModelError, match="no such weights file"):
        load_weights(model, tmp_path / "none.npz")
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(ModelError, match="not a readable"):
        load_weights(model, path)
    with path.open("wb") as file:
        np.save(file, np.zeros(3))
    with pytest.raises(ModelError, match="not a readable"):
        load_weights(model, path)
