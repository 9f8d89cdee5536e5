from collections.abc import Iterator
from typing import Any

import numpy as np
import onnx
import onnx.reference
import pytest
from numpy.typing import NDArray
from onnx import TensorProto

from edgesq.formats.onnx import integer_onnx, onnx_bytes, run_onnx
from edgesq.formats.tflite import ReferenceInterpreter, read_graph
from edgesq.integers import ceil_div
from support.cases import NETWORKS
from support.onnx_checks import assert_equals_reference, random, random_int8
from support.paths import SHARED
from support.tflite_builder import NONE, RELU, RELU6, SAME, VALID, TfliteBuilder

MODELS = SHARED / "models"
INTEGERS = {
    TensorProto.INT8,
    TensorProto.UINT8,
    TensorProto.INT32,
    TensorProto.INT64,
    TensorProto.UINT64,
    TensorProto.BOOL,
}


def conv(
    builder: TfliteBuilder,
    source: int,
    output: int,
    weights: NDArray[np.int8],
    scales: list[float],
    **options: Any,
) -> int:
    """Add a convolution with random bias; `scales` are those of the weights."""
    channels = weights.shape[0]
    bias = random("bias").integers(-3000, 3000, channels).astype(np.int32)
    inputs = [
        source,
        builder.constant(weights, scales),
        builder.constant(np.asarray(bias), [1.0] * channels),
    ]
    return builder.op("CONV_2D", inputs, output, "Conv2DOptions", **options)


# The whole models


@pytest.mark.parametrize(
    ("name", "images"),
    [
        ("squeezenet_v1.0_10c_32", 12),
        ("squeezenet_v1.1_bypass_trained_10c_64", 64),
        ("squeezenet_v1.1_10c_96", 12),
        ("squeezenet_v1.1_1000c_224", 3),
        ("squeezenet_v1.0_10c_224", 2),
    ],
)
def test_integer_model_equals_tflite_reference_kernels(name: str, images: int) -> None:
    if not MODELS.is_dir():
        pytest.skip("../shared/models is absent")
    content = (MODELS / f"{name}.tflite").read_bytes()
    stored = np.load(MODELS / f"{name}.npz")
    inputs = stored["input"][:images]
    output, logits = run_onnx(integer_onnx(read_graph(content)), inputs)
    np.testing.assert_array_equal(output, stored["expected"][:images])
    observed = ReferenceInterpreter(content).observed(inputs[:3])
    np.testing.assert_array_equal(logits[:3], observed[1])


# One operator at a time

CONVOLUTIONS: dict[str, dict[str, Any]] = {
    "valid": {"padding": VALID},
    "same, stride 2": {"padding": SAME, "stride": (2, 2)},
    "stride over kernel": {"padding": SAME, "kernel": (1, 1), "stride": (2, 2)},
    "not square": {"padding": SAME, "kernel": (3, 2), "stride": (1, 2)},
    "relu": {"padding": SAME, "activation": RELU, "zero_point": -128},
    "relu above the lowest": {"padding": SAME, "activation": RELU, "zero_point": -100},
    "relu6": {"padding": SAME, "activation": RELU6, "zero_point": -128},
    "one scale": {"padding": SAME, "per_channel": False},
    "left shift": {"padding": VALID, "kernel": (1, 1), "smallest": 0.2, "largest": 9.0},
    "tiny scales": {"padding": SAME, "smallest": 1e-7, "largest": 0.01},
}


@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_conv2d(name: str) -> None:
    case = {
        "kernel": (3, 3),
        "stride": (1, 1),
        "activation": NONE,
        "zero_point": 11,
        "smallest": 0.001,
        "largest": 0.02,
        "per_channel": True,
        **CONVOLUTIONS[name],
    }
    channels = 8
    size = (9, 7)
    same = case["padding"] == SAME
    rows, columns = (
        ceil_div(extent if same else extent - kernel + 1, stride)
        for extent, kernel, stride in zip(size, case["kernel"], case["stride"], strict=True)
    )
    scales = np.geomspace(case["smallest"], case["largest"], channels).tolist()
    builder = TfliteBuilder()
    source = builder.value((1, *size, 5), 1.0, -7)
    output = builder.value((1, rows, columns, channels), 1.0, case["zero_point"])
    weights = random_int8(name, (channels, *case["kernel"], 5)).clip(-127)
    conv(
        builder,
        source,
        output,
        weights,
        scales if case["per_channel"] else scales[-1:],
        padding=case["padding"],
        strideH=case["stride"][0],
        strideW=case["stride"][1],
        fusedActivationFunction=case["activation"],
    )
    assert_equals_reference(builder.build(source, output), random_int8(name, (4, *size, 5)))


WEIGHTED = [name for name in NETWORKS if "depthwise" in name or "dense" in name or name == "lenet"]


@pytest.mark.parametrize("name", WEIGHTED)
def test_depthwise_and_fully_connected(name: str) -> None:
    content = NETWORKS[name]()
    graph = read_graph(content)
    assert_equals_reference(content, random_int8(name, (5, *graph.tensors[graph.input].hwc)))


@pytest.mark.parametrize("kind", ["MAX_POOL_2D", "AVERAGE_POOL_2D"])
@pytest.mark.parametrize("padding", [VALID, SAME])
@pytest.mark.parametrize("activation", [NONE, RELU])
def test_pools(kind: str, padding: int, activation: int) -> None:
    builder = TfliteBuilder()
    source = builder.value((1, 8, 11, 6), 0.1, -20)
    shape = (1, 4, 4, 6) if padding == SAME else (1, 3, 3, 6)
    output = builder.value(shape, 0.1, -20)
    builder.op(
        kind,
        [source],
        output,
        "Pool2DOptions",
        padding=padding,
        strideH=2,
        strideW=3,
        filterHeight=3,
        filterWidth=4,
        fusedActivationFunction=activation,
    )
    assert_equals_reference(builder.build(source, output), random_int8(kind, (8, 8, 11, 6)))


@pytest.mark.parametrize("scales", [(0.05, 0.05, 0.1), (0.7, 0.0004, 0.8), (0.01, 0.3, 0.02)])
@pytest.mark.parametrize("activation", [NONE, RELU])
def test_add(scales: tuple[float, float, float], activation: int) -> None:
    builder = TfliteBuilder()
    source = builder.value((1, 16, 16, 4), scales[0], 3)
    pooled = builder.value((1, 16, 16, 4), scales[1], -90)
    output = builder.value((1, 16, 16, 4), scales[2], -5)
    weights = random_int8("add", (4, 1, 1, 4)).clip(-127)
    conv(builder, source, pooled, weights, [scales[1] / scales[0] / 99] * 4, strideH=1, strideW=1)
    builder.op("ADD", [source, pooled], output, "AddOptions", fusedActivationFunction=activation)
    assert_equals_reference(builder.build(source, output), random_int8("add", (4, 16, 16, 4)))


@pytest.mark.parametrize("size", [(1, 1), (3, 4), (13, 13), (1, 64)])
@pytest.mark.parametrize("scale", [0.009, 0.05, 0.31])
@pytest.mark.parametrize("keep", [False, True])
def test_mean(size: tuple[int, int], scale: float, keep: bool) -> None:
    builder = TfliteBuilder()
    source = builder.value((1, *size, 9), 0.05, 17)
    output = builder.value((1, 1, 1, 9) if keep else (1, 9), scale, -30)
    axes = builder.constant(np.array([1, 2], np.int32))
    builder.op("MEAN", [source, axes], output, "ReducerOptions", keepDims=keep)
    assert_equals_reference(builder.build(source, output), random_int8(size, (6, *size, 9)))


def test_concatenation_and_reshape_keep_the_order_of_rows_and_columns() -> None:
    builder = TfliteBuilder()
    source = builder.value((1, 3, 4, 2))
    both = builder.value((1, 3, 4, 4))
    turned = builder.value((1, 4, 6, 2))
    output = builder.value((1, 48))
    builder.op("CONCATENATION", [source, source], both, "ConcatenationOptions", axis=3)
    for before, after, shape in ((both, turned, [1, 4, 6, 2]), (turned, output, [1, 48])):
        new_shape = builder.constant(np.array(shape, np.int32))
        builder.op("RESHAPE", [before, new_shape], after, "ReshapeOptions", newShape=shape)
    assert_equals_reference(builder.build(source, output), random_int8("order", (2, 3, 4, 2)))


def softmax_model(classes: int, scale: float, beta: float = 1.0) -> bytes:
    builder = TfliteBuilder()
    source, output = (
        builder.value((1, classes), scale, 5),
        builder.value((1, classes), 1 / 256, -128),
    )
    builder.op("SOFTMAX", [source], output, "SoftmaxOptions", beta=beta)
    return builder.build(source, output)


SOFTMAX_SCALES = [1e-4, 0.02, 0.1, 0.3, 1.0, 1000.0]


@pytest.mark.parametrize("scale", SOFTMAX_SCALES)
@pytest.mark.parametrize("classes", [2, 10])
def test_softmax(classes: int, scale: float) -> None:
    rows = [np.full(classes, level) for level in (-128, 0, 127)]
    rows += [np.r_[127, np.full(classes - 1, -128)], np.r_[np.full(classes - 1, -128), 127]]
    rows += list(random(classes).integers(-128, 128, (30, classes)))
    assert_equals_reference(softmax_model(classes, scale), np.array(rows, np.int8))


@pytest.mark.parametrize("scale", SOFTMAX_SCALES[2:])
def test_softmax_of_a_thousand_classes(scale: float) -> None:
    # TFLite's reference kernel aborts the process where the sum of exponentials reaches 512.
    far = 128 + int(127 - 7 / scale)
    rows = [
        np.r_[127, np.full(999, -128)],
        np.r_[np.full(511, 127), np.full(489, -128)],
        np.r_[np.full(999, -128), 127],
        np.r_[127, 126, random(scale).integers(0, far, 998) - 128],
    ]
    assert_equals_reference(softmax_model(1000, scale), np.array(rows, np.int8))


# What the file is like


def every_operator() -> bytes:
    """Return a model with all operators, one of them twice, without logits sharing the output."""
    builder = TfliteBuilder()
    source = builder.value((1, 8, 8, 4), 0.02, -3)
    first, second = builder.value((1, 8, 8, 4), 0.02, -3), builder.value((1, 8, 8, 4), 0.1, 9)
    both, pooled = builder.value((1, 8, 8, 8), 0.02, -3), builder.value((1, 4, 4, 8), 0.02, -3)
    smaller, means = builder.value((1, 2, 2, 8), 0.02, -3), builder.value((1, 1, 1, 8), 0.01, 4)
    logits, output = builder.value((1, 8), 0.01, 4), builder.value((1, 8), 1 / 256, -128)
    weights = random_int8("all", (4, 3, 3, 4)).clip(-127)
    conv(builder, source, second, weights, [0.01] * 4, padding=SAME, strideH=1, strideW=1)
    builder.op("ADD", [source, second], first, "AddOptions")
    builder.op("CONCATENATION", [source, first], both, "ConcatenationOptions", axis=3)
    pool = {"padding": VALID, "strideH": 2, "strideW": 2, "filterHeight": 2, "filterWidth": 2}
    builder.op("MAX_POOL_2D", [both], pooled, "Pool2DOptions", **pool)
    builder.op("AVERAGE_POOL_2D", [pooled], smaller, "Pool2DOptions", **pool)
    axes = builder.constant(np.array([1, 2], np.int32))
    builder.op("MEAN", [smaller, axes], means, "ReducerOptions", keepDims=True)
    shape = builder.constant(np.array([1, 8], np.int32))
    builder.op("RESHAPE", [means, shape], logits, "ReshapeOptions", newShape=[1, 8])
    builder.op("SOFTMAX", [logits], output, "SoftmaxOptions", beta=1.0)
    return builder.build(source, output)


def test_all_operators_together() -> None:
    assert_equals_reference(every_operator(), random_int8("together", (5, 8, 8, 4)))


@pytest.mark.skipif(
    tuple(map(int, onnx.__version__.split(".")[:2])) < (1, 23),
    reason="before ONNX 1.23 its own Gather fails on indices that are not contiguous",
)
def test_onnx_reference_evaluator_agrees() -> None:
    model, inputs = integer_onnx(read_graph(every_operator())), random_int8("spec", (3, 8, 8, 4))
    evaluator = onnx.reference.ReferenceEvaluator(model)
    rows = [evaluator.run(None, {"input": image[np.newaxis]}) for image in inputs]
    for output, column in zip(run_onnx(model, inputs), zip(*rows, strict=True), strict=True):
        np.testing.assert_array_equal(output, np.concatenate(column))


def value_types(model: onnx.ModelProto) -> Iterator[tuple[str, int]]:
    """Yield the element type of every value in the model; 0 where it is not known."""
    graph = onnx.shape_inference.infer_shapes(model, strict_mode=True).graph
    known = {
        value.name: value.type.tensor_type.elem_type
        for value in (*graph.input, *graph.output, *graph.value_info)
    }
    for constant in graph.initializer:
        yield constant.name, constant.data_type
    for node in graph.node:
        for name in node.output:
            yield name, known.get(name, 0)
        for attribute in node.attribute:
            assert attribute.type in (onnx.AttributeProto.INT, onnx.AttributeProto.INTS) or (
                attribute.name == "direction"
            )


def test_no_value_of_the_integer_model_is_a_float() -> None:
    types = dict(value_types(integer_onnx(read_graph(every_operator()))))
    assert len(types) > 100
    assert {name: kind for name, kind in types.items() if kind not in INTEGERS} == {}


def test_no_operator_on_int64_that_onnx_runtime_computes_wrongly() -> None:
    model = integer_onnx(read_graph(every_operator()))
    types = dict(value_types(model))
    wrong = {"Clip", "Min", "Max", "Sign"}
    nodes = [node for node in model.graph.node if node.op_type in wrong]
    assert {node.op_type for node in nodes} > {"Clip", "Sign"}
    assert TensorProto.INT64 not in {types[node.output[0]] for node in nodes}


def test_integer_model_names_and_metadata() -> None:
    graph = read_graph(every_operator())
    model = integer_onnx(graph)
    onnx.checker.check_model(model, full_check=True)
    shapes = {
        value.name: [dimension.dim_value for dimension in value.type.tensor_type.shape.dim]
        for value in (*model.graph.input, *model.graph.output)
    }
    assert shapes == {"input": [1, 8, 8, 4], "output": [1, 8], "logits": [1, 8]}
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    assert metadata["model_sha256"] == graph.sha256
    assert float(metadata["input_scale"]) == graph.tensors[graph.input].scale
    names = [node.name for node in model.graph.node]
    assert len(names) == len(set(names))
    assert not [name for name in names if ";" in name or not name]


def test_integer_model_has_the_same_bytes_each_time() -> None:
    first, second = (onnx_bytes(integer_onnx(read_graph(every_operator()))) for _ in range(2))
    assert first == second


def test_only_what_a_model_needs_is_written() -> None:
    def conv_nodes(activation: int) -> set[str]:
        builder = TfliteBuilder()
        source, output = builder.value((1, 4, 4, 2)), builder.value((1, 4, 4, 2), 1.0, -128)
        weights = random_int8("small", (2, 1, 1, 2)).clip(-127)
        options = {"strideH": 1, "strideW": 1, "fusedActivationFunction": activation}
        conv(builder, source, output, weights, [0.01, 0.02], **options)
        return {
            node.op_type
            for node in integer_onnx(read_graph(builder.build(source, output))).graph.node
        }

    assert "Where" not in conv_nodes(RELU)
    assert "Clip" in conv_nodes(RELU)
