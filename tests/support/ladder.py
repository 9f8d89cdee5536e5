"""The models on which every oracle must agree, with images for them."""

import fcntl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from edgesq.formats.tflite import read_graph
from edgesq.graph import Int8Array
from edgesq.resources import resource
from support import keras_networks
from support.paths import SHARED

MODELS = SHARED / "models"
"""Models kept beside the checkout; tests that need them are skipped where they are not."""

_ZOO = {
    "v1.0": {"relu_conv10": True},
    "v1.0_simple_bypass": {"bypass": "simple", "relu_conv10": False},
    "v1.0_complex_bypass": {"bypass": "complex", "relu_conv10": False},
    "v1.1_simple_bypass_relu": {"bypass": "simple", "relu_conv10": True},
}
SHARED_NAMES = (
    "squeezenet_v1.0_10c_32",
    "squeezenet_v1.1_bypass_trained_10c_64",
    "squeezenet_v1.1_10c_96",
    "squeezenet_v1.0_10c_224",
    "squeezenet_v1.1_1000c_224",
)
_OTHERS: dict[str, Callable[[], bytes]] = {
    "mobilenet_48": lambda: keras_networks.mobilenet(48),
    "ds_cnn": keras_networks.ds_cnn,
    "lenet": keras_networks.lenet,
    "unet": keras_networks.unet,
    "shuffled": keras_networks.shuffled,
    "along_axes": keras_networks.along_axes,
    "resnet8": keras_networks.resnet8,
    "mobilenet_v2_48": lambda: keras_networks.mobilenet_v2(48),
    "mobilenet_v3": keras_networks.mobilenet_v3,
    "squeezenet_normalized": lambda: keras_networks.squeezenet_normalized(48),
    "autoencoder": keras_networks.autoencoder,
}
LADDER = ("demo", *SHARED_NAMES, *_ZOO, *_OTHERS)


@dataclass(frozen=True, eq=False)
class LadderModel:
    """A quantized model.

    Attributes:
        name: one of LADDER.
        tflite: its bytes.
        inputs: int8 [n, H, W, C]; one image for the large ones.
    """

    name: str
    tflite: bytes
    inputs: Int8Array


class LadderModels:
    """Makes each model of LADDER on first use; one of several test processes does it for all."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __getitem__(self, name: str) -> LadderModel:
        if name in SHARED_NAMES:
            content = shared_model(name)
            with np.load(MODELS / f"{name}.npz") as archive:
                return LadderModel(name, content, archive["input"][: 1 if "224" in name else 4])
        path = self.folder / f"{name}.tflite"
        build = demo_tflite if name == "demo" else _OTHERS.get(name, lambda: _from_zoo(name))
        content = once(path, lambda: _by_itself(build))
        inputs = _digits(content) if name == "demo" else _noise(content)
        return LadderModel(name, content, inputs)


def shared_model(name: str) -> bytes:
    """Return the bytes of a shared model, or skip the test."""
    path = MODELS / f"{name}.tflite"
    if not path.exists():
        pytest.skip(f"{MODELS} is not there")
    return path.read_bytes()


def once(path: Path, build: Callable[[], bytes]) -> bytes:
    """Return the file's content, building it if no other process has."""
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            path.write_bytes(build())
    return path.read_bytes()


def demo_tflite() -> bytes:
    from edgesq.calibrate import load_folder
    from edgesq.quantize import load_keras, to_int8_tflite
    from edgesq.zoo.demo import INPUT_SHAPE, demo_model_path

    images = load_folder(resource("calibration_data"), INPUT_SHAPE)
    floats = images.preprocessing.to_float(images.images)
    return to_int8_tflite(
        load_keras(demo_model_path()).keras, (image[np.newaxis] for image in floats)
    )


def _by_itself(build: Callable[[], bytes]) -> bytes:
    """Build a model whose layers are numbered from 1, whatever this process built before."""
    import keras

    keras.backend.clear_session()
    return build()


def _from_zoo(name: str) -> bytes:
    import keras

    from edgesq.quantize import to_int8_tflite
    from edgesq.zoo import squeezenet

    keras.utils.set_random_seed(7)
    build = squeezenet.squeezenet_v1_0 if "v1.0" in name else squeezenet.squeezenet_v1_1
    model = build((32, 32, 3), 10, **_ZOO[name])  # type: ignore[arg-type] # one table for all
    floats = np.random.default_rng(11).random((20, 1, 32, 32, 3), np.float32)
    return to_int8_tflite(model, floats)


def _digits(content: bytes) -> Int8Array:
    from edgesq.calibrate import Preprocessing
    from edgesq.zoo.demo import heldout

    graph = read_graph(content)
    tensor = graph.tensors[graph.input]
    images, _ = heldout()
    return Preprocessing().to_int8(images[:8], tensor.scale, tensor.zero_point)


def _noise(content: bytes) -> Int8Array:
    graph = read_graph(content)
    shape = graph.tensors[graph.input].hwc
    return np.random.default_rng(13).integers(-128, 128, (4, *shape)).astype(np.int8)
