"""What only chooses among scores at the ends is left out, of one output and of several."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from edgesq.errors import ModelError
from edgesq.formats.onnx import integer_onnx, run_onnx
from edgesq.formats.tflite import ReferenceInterpreter, read_graph, reading_notes
from edgesq.graph import Int8Array
from edgesq.quantize.ends import to_scores
from edgesq.reference import run_observed
from support.networks import USUAL, Network, images


def best(net: Network, scores: int) -> int:
    """Add ARG_MAX along channels."""
    shape = net.shapes[scores]
    axis = net.builder.constant(np.array(len(shape), np.int32))
    end = net.builder.value((1, *shape[:-1]), dtype=np.int32)
    return net.builder.op("ARG_MAX", [scores, axis], end, "ArgMaxOptions", outputType=2)


def class_map() -> bytes:
    """The class of every pixel; int8 has equal scores in many of them."""
    net = Network((12, 10, 4))
    return net.build(best(net, net.max_pool(net.input, (3, 3), (2, 2))))


def with_scores() -> bytes:
    """Boxes, scores and the class of these: the scores are an output once."""
    net = Network((8, 8, 3))
    step = net.conv(net.input, 6, (3, 3), (2, 2))
    scores = net.conv(step, 5)
    return net.build(net.conv(step, 4), scores, best(net, scores))


def scores_read_on() -> bytes:
    """What the class comes from is read by another output too."""
    net = Network((8, 8, 3))
    scores = net.conv(net.input, 5)
    return net.build(best(net, scores), net.mean(net.unary(scores, "RELU", USUAL)))


def top_two() -> bytes:
    net = Network((4, 5, 3))
    scores = net.mean(net.conv(net.input, 6))
    builder = net.builder
    ends = [net.value((2,), USUAL), builder.value((1, 2), dtype=np.int32)]
    count = builder.constant(np.array(2, np.int32))
    builder.op("TOPK_V2", [scores, count], ends[0], "TopKV2Options")
    builder.subgraph.operators[-1].outputs = ends
    return net.build(*ends)


@pytest.mark.parametrize(
    ("build", "shapes"),
    [
        (class_map, [(5, 4, 4)]),
        (with_scores, [(4, 4, 4), (4, 4, 5)]),
        (scores_read_on, [(8, 8, 5), (1, 1, 5)]),
        (top_two, [(1, 1, 6)]),
    ],
)
def test_the_board_gives_the_scores(
    build: Callable[[], bytes], shapes: list[tuple[int, int, int]]
) -> None:
    content = build()
    graph = read_graph(content)
    assert [graph.tensors[index].hwc for index in graph.outputs] == shapes
    given = images(graph.image_shape)
    golden = ReferenceInterpreter(content).observed(given)
    for form in (run_observed(graph, given), run_onnx(integer_onnx(graph), given)):
        for mine, theirs in zip(form, golden, strict=True):
            np.testing.assert_array_equal(mine.reshape(theirs.shape), theirs)
    (note,) = reading_notes(content)
    assert "is left out: the board gives the scores it is computed from" in note


def run_as_it_is(content: bytes, given: Int8Array) -> Any:
    """Return what BUILTIN_REF makes of the file itself, its first output."""
    interpreter = Interpreter(
        model_content=content, experimental_op_resolver_type=OpResolverType.BUILTIN_REF
    )
    interpreter.allocate_tensors()
    rows = []
    for image in given:
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], image[np.newaxis])
        interpreter.invoke()
        rows.append(interpreter.get_tensor(interpreter.get_output_details()[0]["index"])[0])
    return np.stack(rows)


def test_the_first_of_equal_scores_is_the_files_class() -> None:
    """So a host that takes it of the board's map has what the file gives."""
    content = class_map()
    graph = read_graph(content)
    given = images(graph.image_shape) // 32
    (scores,) = ReferenceInterpreter(content).observed(given)
    rows = scores.reshape(len(given), 5, 4, 4)
    ties = (rows == rows.max(axis=-1, keepdims=True)).sum(axis=-1) > 1
    assert ties.mean() > 0.1
    np.testing.assert_array_equal(rows.argmax(axis=-1), run_as_it_is(content, given))


def test_a_class_that_is_computed_with_is_refused() -> None:
    net = Network((4, 5, 3))
    scores = net.mean(net.conv(net.input, 6))
    net.builder.op("ABS", [best(net, scores)], net.builder.value((1,), dtype=np.int32), None)
    with pytest.raises(ModelError, match="is not int8"):
        read_graph(net.build(len(net.builder.subgraph.tensors) - 1))


@pytest.mark.slow
def test_keras_models_with_several_outputs() -> None:
    import keras

    image = keras.Input((4, 4, 3))
    step = keras.layers.Conv2D(5, 1)(image)
    row = keras.layers.Dense(3, activation="log_softmax")(keras.layers.Flatten()(step))
    shared = keras.layers.Dense(2, activation="log_softmax")(row)
    best = keras.layers.Identity()(keras.ops.argmax(step, axis=-1))
    model = keras.Model(image, [best, step, shared])
    made, notes = to_scores(model)
    assert len(notes) == 2
    assert [tuple(one.shape) for one in made.outputs] == [(None, 4, 4, 5), (None, 2)]
    pixels = np.random.default_rng(2).random((2, 4, 4, 3), np.float32)
    kernel, bias = shared._keras_history.operation.get_weights()
    expected = np.asarray(keras.Model(image, row)(pixels)) @ kernel + bias
    np.testing.assert_allclose(made(pixels)[1], expected, atol=1e-5)
    assert np.asarray(keras.Model(image, row)(pixels)).max() < 0, "what is read on stays"


def test_many_outputs_behind_each_other_are_refused_at_once() -> None:
    """Hostile: each of thousands of outputs could be a way of thousands of operators."""
    net = Network((1, 1, 4))
    step = net.input
    steps = [step := net.reshape(step, (1, 1, 4)) for _ in range(6_000)]
    begun = time.monotonic()
    with pytest.raises(ModelError):
        read_graph(net.build(*steps))
    assert time.monotonic() - begun < 20
