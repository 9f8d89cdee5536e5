"""Hold that integer ONNX computes what TensorFlow Lite's reference kernels do."""

import numpy as np
from numpy.typing import NDArray

from edgesq.formats.onnx import integer_onnx, run_onnx
from edgesq.formats.tflite import ReferenceInterpreter, read_graph


def random(seed: object) -> np.random.Generator:
    return np.random.default_rng(list(repr(seed).encode()))


def random_int8(seed: object, shape: tuple[int, ...]) -> NDArray[np.int8]:
    return random(seed).integers(-128, 128, shape).astype(np.int8)


def assert_equals_reference(content: bytes, inputs: NDArray[np.int8]) -> None:
    expected = ReferenceInterpreter(content).observed(inputs)
    outputs = run_onnx(integer_onnx(read_graph(content)), inputs)
    assert len(outputs) == len(expected)
    for output, wanted in zip(outputs, expected, strict=True):
        assert output.dtype == np.int8
        np.testing.assert_array_equal(output, wanted)
    assert len(np.unique(expected[-1])) > 1, "the case shows nothing"
