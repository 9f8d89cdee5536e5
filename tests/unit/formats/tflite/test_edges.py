"""Models whose ends are uint8 or float32: the graph's are the int8 tensors inside."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from edgesq.builds import ExportOptions, export
from edgesq.errors import ModelError
from edgesq.formats.onnx import integer_onnx, qdq_onnx, run_onnx
from edgesq.formats.tflite import ReferenceInterpreter, read_graph
from edgesq.formats.tflite.edges import from_outside, to_outside
from edgesq.formats.tflite.tidy import int8_inside
from edgesq.graph import Quantization, Tensor
from edgesq.reference import run_observed
from edgesq.targets import load_target
from support.networks import FINER, RECTIFIED, USUAL, Network, Quant, images

SHAPE = (5, 4, 3)


def network(
    before: type[np.generic],
    after: type[np.generic],
    *,
    outside: Quant = (FINER[0], FINER[1] + 128),
    softmax: bool = True,
) -> bytes:
    """Return int8 layers between a QUANTIZE and what `after` asks for."""
    net = Network(SHAPE, FINER if before is np.int8 else outside)
    builder = net.builder
    if before is np.int8:
        inner = net.input
    else:
        builder.subgraph.tensors[net.input] = builder.subgraph.tensors[
            builder.value((1, *SHAPE), *outside, dtype=before)
        ]
        builder.subgraph.tensors.pop()
        inner = net.unary(net.input, "QUANTIZE", FINER)
    logits = net.mean(net.conv(inner, 5, (3, 3), activation=1, quant=RECTIFIED), USUAL)
    result = net.softmax(logits) if softmax else logits
    if after is np.int8:
        return net.build(result)
    scale, zero_point = net.quants[result]
    end = builder.value((1, 5), scale, zero_point + 128, dtype=after)
    builder.op("QUANTIZE" if after is np.uint8 else "DEQUANTIZE", [result], end, None)
    return builder.build(net.input, end)


ENDS: list[tuple[Any, Any]] = [
    (np.uint8, np.int8),
    (np.uint8, np.uint8),
    (np.float32, np.float32),
    (np.int8, np.uint8),
]


@pytest.mark.parametrize("softmax", [True, False])
@pytest.mark.parametrize(("before", "after"), ENDS)
def test_ends_are_left_out(before: Any, after: Any, softmax: bool) -> None:
    content = network(before, after, softmax=softmax)
    graph = read_graph(content)
    kinds = ["CONV_2D", "MEAN", *(["SOFTMAX"] if softmax else [])]
    assert [op.kind for op in graph.ops] == kinds
    source = graph.tensors[graph.input]
    assert (source.scale, source.zero_point) == (float(np.float32(FINER[0])), FINER[1])
    assert (graph.logits is not None) == softmax
    inputs = images(SHAPE)
    golden = ReferenceInterpreter(content).observed(inputs)
    for form in (run_observed(graph, inputs), run_onnx(integer_onnx(graph), inputs)):
        for mine, theirs in zip(form, golden, strict=True):
            np.testing.assert_array_equal(mine, theirs)


@pytest.mark.parametrize(("before", "after"), ENDS)
def test_the_file_itself_gives_these_values(before: Any, after: Any) -> None:
    """What its own user gets of TensorFlow Lite, fed with uint8 or float32, is what we say."""
    content, inputs = network(before, after), images(SHAPE)
    graph = read_graph(content)
    mine = ReferenceInterpreter(content).run(inputs)
    theirs = Interpreter(
        model_content=content, experimental_op_resolver_type=OpResolverType.BUILTIN_REF
    )
    theirs.allocate_tensors()
    source, result = theirs.get_input_details()[0], theirs.get_output_details()[0]
    assert (source["dtype"], result["dtype"]) == (before, after)
    for image, expected in zip(inputs, mine, strict=True):
        outside = to_outside(image[np.newaxis], graph.tensors[graph.input], before)
        theirs.set_tensor(source["index"], outside)
        theirs.invoke()
        values = theirs.get_tensor(result["index"])
        assert np.array_equal(from_outside(values, graph.tensors[graph.output])[0], expected)


def test_default_kernels_take_the_ends_too() -> None:
    for before, after in ENDS:
        content = network(before, after)
        outputs = ReferenceInterpreter(content, optimized=True).run(images(SHAPE))
        golden = ReferenceInterpreter(content).run(images(SHAPE))
        assert np.abs(outputs.astype(int) - golden).max() < 16


def test_uint8_of_another_scale_is_requantized() -> None:
    """Then the QUANTIZE is an operator like any other, of the int8 values 128 below."""
    content = network(np.uint8, np.int8, outside=(0.03, 100))
    graph, inputs = read_graph(content), images(SHAPE)
    assert [op.kind for op in graph.ops][:2] == ["QUANTIZE", "CONV_2D"]
    assert graph.tensors[graph.input].zero_point == 100 - 128
    golden = ReferenceInterpreter(content).observed(inputs)
    for mine, theirs in zip(run_observed(graph, inputs), golden, strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_every_int8_is_reached_by_a_float() -> None:
    every = np.arange(-128, 128).astype(np.int8)
    random = np.random.default_rng(5)
    for _ in range(300):
        scale, point = (
            float(np.float32(10 ** random.uniform(-6, 3))),
            int(random.integers(-128, 128)),
        )
        tensor = Tensor("x", (1, 256), Quantization((scale,), point))
        floats = to_outside(every, tensor, np.float32)
        builder = Network((256,), (scale, point)).builder
        outside = builder.value((1, 256), scale, point, dtype=np.float32)
        builder.op("QUANTIZE", [outside], 0, None)
        interpreter = Interpreter(
            model_content=builder.build(outside, 0),
            experimental_op_resolver_type=OpResolverType.BUILTIN_REF,
        )
        interpreter.allocate_tensors()
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], floats[np.newaxis])
        interpreter.invoke()
        found = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])[0]
        assert np.array_equal(found, every)
        assert np.array_equal(from_outside(floats, tensor), every)


def test_float_that_meets_no_quantize() -> None:
    net = Network(SHAPE)
    builder = net.builder
    end = builder.value((1, *SHAPE), 0.1, 0, dtype=np.float32)
    builder.op("RELU", [net.input], end, None)
    with pytest.raises(ModelError, match=r"this is a float32 \.tflite"):
        read_graph(builder.build(net.input, end))


def test_dequantize_in_the_middle() -> None:
    net = Network(SHAPE)
    builder = net.builder
    real = builder.value((1, *SHAPE), 0.1, 0, dtype=np.float32)
    builder.op("DEQUANTIZE", [net.input], real, None)
    end = net.value(SHAPE, USUAL)
    builder.op("QUANTIZE", [real], end, None)
    (op,) = read_graph(builder.build(net.input, end)).ops
    assert op.kind == "CURVE"
    pooled = builder.value((1, *SHAPE), 0.1, 0, dtype=np.float32)
    window = {"filterHeight": 1, "filterWidth": 1, "strideH": 1, "strideW": 1}
    builder.op("MAX_POOL_2D", [real], pooled, "Pool2DOptions", **window)
    builder.op("QUANTIZE", [pooled], end, None)
    with pytest.raises(ModelError, match="this is a float32"):
        read_graph(builder.build(net.input, end))


@pytest.mark.slow
def test_a_build_of_it(tmp_path: Path) -> None:
    """The C runtime on this computer takes and gives int8."""
    from edgesq.plan import make_plan
    from support.crun import Runtime

    content = network(np.float32, np.float32)
    graph, inputs = read_graph(content), images(SHAPE)
    (outputs,) = Runtime(tmp_path).run(graph, [make_plan(graph)], inputs)
    golden = ReferenceInterpreter(content).observed(inputs)
    for mine, theirs in zip(outputs, golden, strict=True):
        np.testing.assert_array_equal(mine, theirs)


@pytest.mark.parametrize(("before", "after"), ENDS)
def test_forms_that_take_int8_only(before: Any, after: Any) -> None:
    """The QDQ model, and TensorFlow Lite Micro, are given what is between the ends."""
    content, inputs = network(before, after), images(SHAPE)
    inside = int8_inside(content)
    golden = ReferenceInterpreter(content).observed(inputs)
    for mine, theirs in zip(ReferenceInterpreter(inside).observed(inputs), golden, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    (output,) = run_onnx(qdq_onnx(read_graph(content)), inputs)
    assert output.dtype == np.int8
    assert np.abs(output.astype(int) - golden[0]).max() <= 4


def test_uint8_of_another_scale_has_no_int8_file() -> None:
    with pytest.raises(ModelError, match="a uint8 end of another scale"):
        int8_inside(network(np.uint8, np.int8, outside=(0.03, 100)))


@pytest.mark.slow
def test_export(tmp_path: Path) -> None:
    """An export of such a file."""
    content = network(np.float32, np.float32)
    file, build = tmp_path / "my.tflite", tmp_path / "build"
    file.write_bytes(content)
    report = export(ExportOptions(file, None, load_target("host"), build), lambda _: None)
    assert (build / "model_int8.tflite").read_bytes() == content
    assert (build / "model_int8_qdq.onnx").exists()
    assert report.warnings == ()
    exact = [row for row in report.parity.rows if row.name in FORMS]
    assert len(exact) == len(FORMS)
    assert all(row.values > 0 and row.differing == 0 for row in exact)


FORMS = ("C runtime on this computer", "ONNX, integer operators")
