"""A float .tflite: what it is taken for, and that it quantizes to what its Keras model does."""

from functools import cache
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from PIL import Image

from edgesq.builds import load_source
from edgesq.errors import ImageError, ModelError
from edgesq.formats.float_tflite import FloatTflite, is_float_tflite
from edgesq.formats.float_weights import weights_of_float
from edgesq.formats.tflite import read_graph
from edgesq.graph import Graph
from edgesq.operators import Convolution
from edgesq.quantize import (
    captured_output,
    quantized_tflite,
    to_float_tflite,
    to_int8_tflite,
)
from edgesq.quantize.convert import _converter
from support.cases import NETWORKS

pytestmark = pytest.mark.slow

SHAPE = (12, 10, 3)
IMAGES = np.random.default_rng(0).random((6, 1, *SHAPE), np.float32)
IMAGES[0].flat[:2] = 0, 1


@cache
def network() -> keras.Model:
    keras.utils.set_random_seed(3)
    layers = keras.layers
    image = keras.Input(SHAPE)
    step = layers.Conv2D(40, 3, activation="relu", name="conv")(image)
    step = layers.DepthwiseConv2D(3, 2, name="depthwise")(step)
    step = layers.Dense(6, name="dense")(layers.GlobalAveragePooling2D()(step))
    return keras.Model(image, layers.Softmax()(step), name="small")


@cache
def file(kind: str) -> bytes:
    """Return the network as .tflite: float32, float16 or hybrid."""
    import tensorflow as tf

    if kind == "float32":
        return to_float_tflite(network())
    with captured_output():
        converter: Any = _converter(network(), [(1, *SHAPE)])
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if kind == "float16":
            converter.target_spec.supported_types = [tf.float16]
        return bytes(converter.convert())


def numbers(graph: Graph) -> list[tuple[object, ...]]:
    found: list[tuple[object, ...]] = []
    for op in graph.ops:
        constants = [graph.constant(index).tolist() for index in graph.constants(op)]
        scales = [graph.tensors[index].quantization for index in (*op.inputs, op.output)]
        found.append((type(op), constants, scales))
    return found


def test_float32_quantizes_as_its_keras_model_does() -> None:
    model = FloatTflite(file("float32"), "small.tflite")
    assert (model.shape, model.hwc, model.notes) == ((1, *SHAPE), SHAPE, ())
    content = quantized_tflite(model.content, IMAGES, "small.tflite")
    wanted = to_int8_tflite(network(), IMAGES)
    assert numbers(read_graph(content)) == numbers(read_graph(wanted))
    assert set(weights_of_float(model.content, content)) == {
        op.name for op in read_graph(content).ops if isinstance(op, Convolution)
    }


@pytest.mark.parametrize(("kind", "tolerance"), [("float16", 1e-3), ("hybrid", 2e-2)])
def test_constants_become_float32(kind: str, tolerance: float) -> None:
    model = FloatTflite(file(kind), "small.tflite")
    assert "constants became float32" in model.notes[0]
    content = quantized_tflite(model.content, IMAGES, "small.tflite")
    graph = read_graph(content)
    found = weights_of_float(model.content, content)
    exact = {layer.name: layer.get_weights() for layer in network().layers if layer.weights}
    kernels = [weights.kernel for weights in found.values()]
    for kernel, (weights, *_) in zip(kernels, exact.values(), strict=True):
        gap = np.abs(np.sort(kernel.reshape(-1)) - np.sort(weights.reshape(-1))).max()
        assert gap <= tolerance * np.abs(weights).max()
    levels = np.clip(np.round(IMAGES[:, 0] * 255) - 128, -128, 127).astype(np.int8)
    output, *_ = model.run_int8(levels, graph)
    real = np.asarray(network()(IMAGES[:, 0], training=False))
    assert np.abs(output - (np.round(real * 256) - 128)).max() <= 2


@pytest.mark.parametrize("kind", ["float32", "float16", "hybrid"])
def test_what_is_float(kind: str) -> None:
    assert is_float_tflite(file(kind), "small.tflite")


def test_what_is_not() -> None:
    assert not is_float_tflite(to_int8_tflite(network(), IMAGES), "small.tflite")
    assert not is_float_tflite(NETWORKS["fire"](), "fire.tflite")


def test_a_source_of_it(tmp_path: Path) -> None:
    path, images = tmp_path / "small.tflite", tmp_path / "images"
    images.mkdir()
    path.write_bytes(file("hybrid"))
    pixels = (np.random.default_rng(2).random((12, *SHAPE)) * 255).astype(np.uint8)
    for number, one in enumerate(pixels):
        Image.fromarray(one).save(images / f"{number}.png")
    source = load_source(path, images, lambda *_: None)
    assert source.keras is None
    assert source.floats is not None
    assert source.original is not None
    output, logits = source.original.run_int8(source.images, source.graph)
    assert output.shape == logits.shape == (12, 6)
    assert len(np.unique(logits)) > 10
    with pytest.raises(ImageError, match="--calibration"):
        load_source(path, None, lambda *_: None)


def test_what_cannot_be_taken() -> None:
    from ai_edge_litert import schema_py_generated as schema

    from support.tflite_edits import repacked

    model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(file("float32"), 0))
    graph = model.subgraphs[0]
    graph.tensors[graph.inputs[0]].shapeSignature = [1, -1, 10, 3]
    with pytest.raises(ModelError, match="not one float32 image of fixed size"):
        FloatTflite(repacked(model), "small.tflite")
    graph.inputs = [*graph.inputs, graph.inputs[0]]
    with pytest.raises(ModelError, match="2 inputs"):
        FloatTflite(repacked(model), "small.tflite")
