"""Write weights in the formats that `edgesq.zoo.weights` reads."""

import struct
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from edgesq.zoo.weights import Arrays
from edgesq.zoo.weights.caffe import net_parameter

TORCH_FIRES = (3, 4, 6, 7, 9, 10, 11, 12)
"""Modules of torchvision's squeezenet1_1 that are Fire modules."""


def layers(arrays: Arrays) -> list[tuple[str, NDArray[np.float32], NDArray[np.float32]]]:
    """Return name, kernel [O, I, H, W] and bias [O] of each convolution."""
    names = [name.removesuffix("/kernel") for name in arrays if name.endswith("/kernel")]
    return [
        (name, arrays[f"{name}/kernel"].transpose(3, 2, 0, 1), arrays[f"{name}/bias"])
        for name in names
    ]


def write_npz(path: Path, arrays: Arrays) -> None:
    np.savez(path, allow_pickle=False, **arrays)


def write_torch(path: Path, arrays: Arrays) -> None:
    renamed = {}
    for name, kernel, bias in layers(arrays):
        renamed[f"{_torch_name(name)}.weight"] = kernel
        renamed[f"{_torch_name(name)}.bias"] = bias
    np.savez(path, allow_pickle=False, **renamed)


def _torch_name(name: str) -> str:
    if name in ("conv1", "conv10"):
        return {"conv1": "features.0", "conv10": "classifier.1"}[name]
    fire, part = name.split("/")
    place = TORCH_FIRES[int(fire.removeprefix("fire")) - 2]
    return f"features.{place}.{'squeeze' if part == 'squeeze1x1' else part}"


def write_keras_2(path: Path, arrays: Arrays, below: str = "") -> None:
    with h5py.File(path, "w") as file:
        root = file.create_group(below) if below else file
        names = [name for name, _, _ in layers(arrays)]
        root.attrs["layer_names"] = [b"input_1", *(name.encode() for name in names)]
        root.create_group("input_1").attrs["weight_names"] = np.array([], "S1")
        for name in names:
            group = root.create_group(name)
            keys = [f"{name}/{kind}:0" for kind in ("kernel", "bias")]
            group.attrs["weight_names"] = [key.encode() for key in keys]
            for key in keys:
                group[key] = arrays[key.removesuffix(":0")]


def write_keras_2_model(path: Path, arrays: Arrays) -> None:
    write_keras_2(path, arrays, "model_weights")


def write_keras_3(path: Path, arrays: Arrays) -> None:
    _write_keras_3(path, arrays, (name for name, _, _ in layers(arrays)))


def write_keras_3_counted(path: Path, arrays: Arrays) -> None:
    count = len(layers(arrays))
    _write_keras_3(
        path, arrays, (f"conv2d_{place}" if place else "conv2d" for place in range(count))
    )


def _write_keras_3(path: Path, arrays: Arrays, groups: Iterable[str]) -> None:
    with h5py.File(path, "w") as file:
        file.create_group("layers/max_pooling2d/vars")
        for group, (name, _, _) in zip(groups, layers(arrays), strict=True):
            place = f"layers/{group.replace('/', '_')}/vars"
            file[f"{place}/0"], file[f"{place}/1"] = (
                arrays[f"{name}/kernel"],
                arrays[f"{name}/bias"],
            )


def write_caffe(path: Path, arrays: Arrays) -> None:
    _write_caffe(path, arrays, is_legacy=False)


def write_caffe_v1(path: Path, arrays: Arrays) -> None:
    _write_caffe(path, arrays, is_legacy=True)


def _write_caffe(path: Path, arrays: Arrays, *, is_legacy: bool) -> None:
    net = net_parameter()()
    places = net.layers if is_legacy else net.layer
    places.add(name="data")
    for name, kernel, bias in layers(arrays):
        layer = places.add(name=name)
        for values in (kernel, bias):
            _fill_blob(layer.blobs.add(data=values.reshape(-1)), values.shape, is_legacy)
    path.write_bytes(net.SerializeToString())


def _fill_blob(blob: Any, shape: tuple[int, ...], is_legacy: bool) -> None:
    if not is_legacy:
        blob.shape.dim.extend(shape)
        return
    sizes = (1,) * (4 - len(shape)) + shape
    blob.num, blob.channels, blob.height, blob.width = sizes


def write_ncnn(path: Path, arrays: Arrays) -> None:
    _write_ncnn(path, arrays, 0, "<f4")


def write_ncnn_fp16(path: Path, arrays: Arrays) -> None:
    _write_ncnn(path, arrays, 0x01306B47, "<f2")


def _write_ncnn(path: Path, arrays: Arrays, flag: int, dtype: str) -> None:
    lines = ["7767517", "99 99", "Input data 0 1 data 0=32 1=32 2=3"]
    content = b""
    for name, kernel, bias in layers(arrays):
        outputs, _, height, _ = kernel.shape
        options = f"0={outputs} 1={height} 5=1 6={kernel.size} 9=1 -23310=1,0.0"
        lines.append(f"Convolution {name} 1 1 above {name} {options}")
        values = kernel.astype(dtype).tobytes()
        content += struct.pack("<I", flag) + values + bytes(-len(values) % 4)
        content += bias.astype("<f4").tobytes()
    path.with_suffix(".param").write_text("\n".join(lines) + "\n")
    path.with_suffix(".bin").write_bytes(content)


def write_net(path: Path, arrays: Arrays) -> None:
    """Write Deep Compression's format; a kernel has at most 255 different values beside 0."""
    parts, counts = [], []
    for _, kernel, bias in layers(arrays):
        codebook = np.unique(np.append(kernel, np.float32(0)))
        flat, places = kernel.reshape(-1), []
        last = -1
        for place in np.flatnonzero(flat):
            while place - last > 16:
                last += 16
                places.append(last)
            places.append(int(place))
            last = int(place)
        distances = np.diff(np.array([-1, *places])) - 1
        codes = np.searchsorted(codebook, flat[places]).astype(np.uint8)
        pairs = np.append(distances, np.zeros(len(places) % 2, int)).reshape(-1, 2)
        padded = np.zeros(256, "<f4")
        padded[: len(codebook)] = codebook
        counts.append(len(places))
        parts += [padded, bias.astype("<f4"), codes, (pairs[:, 0] | pairs[:, 1] << 4).astype("u1")]
    path.write_bytes(b"".join(part.tobytes() for part in [np.array(counts, "<u4"), *parts]))
