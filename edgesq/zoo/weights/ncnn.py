"""ncnn's pair of files: layers as text in NAME.param, their weights in NAME.bin.

A .param starts with the number 7767517 and one line of counts; then one line per layer: type, name,
numbers of inputs and outputs, their names, and `key=value` pairs. Of a Convolution: 0 outputs, 1
kernel width, 11 kernel height, 5 whether there is a bias, 6 values of the kernel. In the .bin each
kernel has a word before it that says how it is stored; biases are float32 without one.
Source: ncnn's published description of its parameter and weight file structure.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgesq.errors import ModelError
from edgesq.integers import round_up
from edgesq.zoo.weights.arrays import Arrays, Shapes, damaged, from_oihw, read_file

_MAGIC = "7767517"
_FLOAT32, _FLOAT16 = 0, 0x01306B47
_OUTPUTS, _WIDTH, _BIAS, _VALUES, _HEIGHT = 0, 1, 5, 6, 11


def read_ncnn(path: Path, _: Shapes) -> Arrays:
    """Read the convolutions of an ncnn model, float32 or float16.

    Args:
        path: either of the two files; the other lies beside it.
        _: the file itself has names and shapes.

    Raises:
        ModelError: one of the files is missing or damaged, or the weights are quantized.
    """
    content = read_file(path.with_suffix(".bin"))
    at, arrays = 0, {}
    try:
        for name, options in _convolutions(read_file(path.with_suffix(".param"))):
            kernel, at = _kernel(content, at, options, path)
            arrays[f"{name}/kernel"] = kernel
            if options.get(_BIAS, 0):
                count = options[_OUTPUTS]
                arrays[f"{name}/bias"] = np.frombuffer(content, "<f4", count, at).copy()
                at += 4 * count
    except (ValueError, KeyError, IndexError, ZeroDivisionError) as error:
        raise damaged(path, "ncnn") from error
    if at != len(content):
        raise damaged(path, "ncnn")
    return arrays


def _convolutions(text: bytes) -> list[tuple[str, dict[int, int]]]:
    magic, _, *layers = text.decode("ascii").splitlines()
    if magic.strip() != _MAGIC:
        raise ValueError("no ncnn magic number")
    found = []
    for line in layers:
        kind, name, inputs, outputs, *rest = line.split()
        pairs = [word.split("=") for word in rest[int(inputs) + int(outputs) :]]
        if kind == "Convolution":
            found.append((name, {int(key): int(value) for key, value in pairs if key[0] != "-"}))
    return found


def _kernel(
    content: bytes, at: int, options: dict[int, int], path: Path
) -> tuple[NDArray[np.float32], int]:
    outputs, count = options[_OUTPUTS], options[_VALUES]
    width = options[_WIDTH]
    height = options.get(_HEIGHT, width)
    flag = int.from_bytes(content[at : at + 4], "little")
    dtypes = {_FLOAT32: "<f4", _FLOAT16: "<f2"}
    if flag not in dtypes:
        raise ModelError(
            "holds quantized weights", where=str(path), hint="use the float32 or float16 file"
        )
    values = np.frombuffer(content, dtypes[flag], count, at + 4)
    kernel = values.astype(np.float32).reshape(outputs, -1, height, width)
    return from_oihw(kernel), at + 4 + round_up(values.nbytes, 4)
