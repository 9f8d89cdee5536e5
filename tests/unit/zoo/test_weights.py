"""Weights in every format that is read, written here, and damaged."""

from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest

from edgesq.errors import ModelError
from edgesq.zoo.pretrained import load_weights
from edgesq.zoo.squeezenet import squeezenet_v1_0, squeezenet_v1_1
from edgesq.zoo.weights import READERS, Arrays
from support import weight_files
from support.paths import SHARED

pytestmark = pytest.mark.slow

DATA = SHARED / "data"
SHAPE = (32, 32, 3)
FORMATS: dict[str, tuple[str, Callable[[Path, Arrays], None]]] = {
    "npz": ("weights.npz", weight_files.write_npz),
    "torchvision": ("weights.npz", weight_files.write_torch),
    "keras 2": ("weights.h5", weight_files.write_keras_2),
    "keras 2, whole model": ("model.h5", weight_files.write_keras_2_model),
    "keras 3": ("model.weights.h5", weight_files.write_keras_3),
    "keras 3, counted": ("model.weights.h5", weight_files.write_keras_3_counted),
    "caffe": ("net.caffemodel", weight_files.write_caffe),
    "caffe, old layers": ("net.caffemodel", weight_files.write_caffe_v1),
    "ncnn, by .param": ("net.param", weight_files.write_ncnn),
    "ncnn, by .bin": ("net.bin", weight_files.write_ncnn),
    "ncnn, float16": ("net.bin", weight_files.write_ncnn_fp16),
    "Deep Compression": ("net.net", weight_files.write_net),
}


@pytest.fixture(scope="module")
def model() -> keras.Model:
    return squeezenet_v1_1(SHAPE, 4)


@pytest.fixture(scope="module")
def arrays(model: keras.Model) -> Arrays:
    """Return sparse weights of few values, exact in float16, which every format can hold."""
    generator = np.random.default_rng(3)
    values: Arrays = {}
    for layer in model.layers:
        if isinstance(layer, keras.layers.Conv2D):
            name = layer.name.replace("_", "/")
            kernel = generator.integers(-16, 17, layer.kernel.shape) / 64
            kernel *= generator.random(kernel.shape) < 0.1
            values[f"{name}/kernel"] = kernel.astype(np.float32)
            bias = generator.normal(size=layer.bias.shape)
            values[f"{name}/bias"] = bias.astype(np.float32)
    return values


def contents(model: keras.Model) -> Arrays:
    return {
        f"{layer.name.replace('_', '/')}/{kind}": values
        for layer in model.layers
        for kind, values in zip(("kernel", "bias"), layer.get_weights(), strict=False)
    }


@pytest.mark.parametrize("name", FORMATS)
def test_weights_arrive_from_every_format(
    name: str, model: keras.Model, arrays: Arrays, tmp_path: Path
) -> None:
    file, write = FORMATS[name]
    write(tmp_path / file, arrays)
    model.set_weights([np.zeros_like(values) for values in model.get_weights()])
    load_weights(model, tmp_path / file)
    for key, values in contents(model).items():
        np.testing.assert_array_equal(values, arrays[key], err_msg=key)


def test_what_keras_itself_writes_is_read(model: keras.Model, tmp_path: Path) -> None:
    path = tmp_path / "own.weights.h5"
    model.save_weights(path)
    before = contents(model)
    model.set_weights([np.zeros_like(values) for values in model.get_weights()])
    load_weights(model, path)
    for key, values in contents(model).items():
        np.testing.assert_array_equal(values, before[key], err_msg=key)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("kept", [0.0, 0.4, 0.97])
def test_a_cut_file_is_refused_and_changes_nothing(
    name: str, kept: float, model: keras.Model, arrays: Arrays, tmp_path: Path
) -> None:
    file, write = FORMATS[name]
    path = tmp_path / file
    write(path, arrays)
    path = path.with_suffix(".bin") if "ncnn" in name else path
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * kept)])
    before = model.get_weights()
    with pytest.raises(ModelError) as raised:
        load_weights(model, path)
    assert "\n" not in str(raised.value)
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


@pytest.mark.parametrize("suffix", sorted(READERS))
def test_a_missing_file_is_refused(suffix: str, model: keras.Model, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no such weights file"):
        load_weights(model, tmp_path / f"none{suffix}")


def test_an_unknown_format_is_refused(model: keras.Model, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no weights are read from a \.pth file .*\.caffemodel"):
        load_weights(model, tmp_path / "net.pth")


def test_quantized_ncnn_weights_are_refused(
    model: keras.Model, arrays: Arrays, tmp_path: Path
) -> None:
    path = tmp_path / "net.bin"
    weight_files.write_ncnn(path, arrays)
    path.write_bytes((0x000D4B38).to_bytes(4, "little") + path.read_bytes()[4:])
    with pytest.raises(ModelError, match="quantized weights"):
        load_weights(model, path)


def test_a_net_file_is_read_to_its_end(model: keras.Model, arrays: Arrays, tmp_path: Path) -> None:
    path = tmp_path / "net.net"
    weight_files.write_net(path, arrays)
    path.write_bytes(path.read_bytes() + b"\0\0")
    with pytest.raises(ModelError, match="2 bytes are left after the last layer"):
        load_weights(model, path)


@pytest.mark.skipif(not DATA.is_dir(), reason="pretrained weights are not here (../shared/data)")
def test_deep_compressions_own_file_holds_the_known_weights() -> None:
    model = squeezenet_v1_0((227, 227, 3))
    load_weights(model, DATA / "squeezenet_v1.0_deepcomp_hwio.npz")
    known = contents(model)
    model.set_weights([np.zeros_like(values) for values in model.get_weights()])
    load_weights(model, DATA / "compressed_SqueezeNet.net")
    for key, values in contents(model).items():
        np.testing.assert_array_equal(values, known[key], err_msg=key)
