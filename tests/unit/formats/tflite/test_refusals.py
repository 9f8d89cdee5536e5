"""Which .tflite files are refused, each with one line that says where and why."""

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from edgesq.codegen import generate
from edgesq.errors import ModelError
from edgesq.formats.tflite import ReferenceInterpreter, read_graph, uint8
from edgesq.plan import make_plan
from edgesq.reference import run
from support.cases import NETWORKS
from support.networks import FINER, Network, images
from support.tflite_builder import VALID
from support.tflite_edits import (
    edited,
    huge_bias,
    operator,
    options,
    quantization,
    refusal,
    reverse_operators,
    set_tensors,
    subgraph,
    tensor,
)
from support.uint8_files import as_uint8


@pytest.mark.parametrize("content", [b"", b"TFL3", b"\0" * 100, b"PK\3\4" * 50])
def test_other_files(content: bytes) -> None:
    assert "not a .tflite file" in refusal(content)


def test_nothing_but_the_identifier() -> None:
    refusal(b"\x08\0\0\0TFL3")
    refusal(b"\xff\xff\xff\xffTFL3" + b"\xff" * 40)


def test_editing_alone_changes_nothing() -> None:
    graph = read_graph(edited(lambda _: None))
    inputs = images(graph.tensors[graph.input].hwc)
    same = read_graph(NETWORKS["fire"]())
    assert np.array_equal(run(graph, inputs[0])[graph.output], run(same, inputs[0])[same.output])


def test_float_model() -> None:
    line = refusal(edited(set_tensors("type", schema.TensorType.FLOAT32)))
    assert "this is a hybrid .tflite: weights in int8" in line
    assert "give --calibration FOLDER with some 100 typical images" in line


def test_an_operator_not_known_in_uint8(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uint8, "SAME_IN_UINT8", uint8.SAME_IN_UINT8 - {"MAX_POOL_2D"})
    assert "MAX_POOL_2D of uint8 is not known" in refusal(as_uint8(NETWORKS["fire"]()))


def test_model_without_quantization() -> None:
    assert "no quantization" in refusal(edited(set_tensors("quantization", None)))


def test_every_unknown_operator_is_named() -> None:
    def edit(model: Any) -> None:
        kinds = iter([schema.BuiltinOperator.CUMSUM, schema.BuiltinOperator.REVERSE_V2, 9999])
        for one in model.subgraphs[0].operators:
            code = copy.copy(model.operatorCodes[one.opcodeIndex])
            if code.builtinCode == schema.BuiltinOperator.CONV_2D:
                code.builtinCode = next(kinds)
                code.deprecatedBuiltinCode = 0
            one.opcodeIndex = len(model.operatorCodes)
            model.operatorCodes.append(code)

    line = refusal(edited(edit))
    assert "3 operators: the runtime does not know CUMSUM (layer3/value) (build the" in line
    assert "not know REVERSE_V2 (layer6/value) (build the model without it" in line
    assert "not know operator 9999 (" in line
    assert "it knows ABS, ADD, " in line
    names = line.partition("it knows ")[2].rstrip(")").split(", ")
    assert len(names) > 60
    assert all(hasattr(schema.BuiltinOperator, name) for name in names), "what files can have"
    assert " CONV_2D, " in line


def test_what_is_wrong_with_known_operators_is_no_list_of_others() -> None:
    net = Network((6, 5, 3), FINER)
    parts = [net.mean(net.conv(net.input, 7, (3, 3))), net.dense(net.beside((9,)), 7)]
    line = refusal(net.build(*(net.dense(net.concat(parts), count) for count in (1, 2))))
    assert "cannot take 2 operators: " in line
    assert "inputs and output differ in scale" in line
    assert "it knows" not in line


# In "fire" tensor 0 is the image, 1 the first weights, 2 their bias, 3 that convolution's output.
@pytest.mark.parametrize(
    ("edit", "says"),
    [
        (options(dilationHFactor=0), "dilated by 0 x 1"),
        (tensor(1, shape=[1, 1, 1, 3], buffer=0), "not one usable number"),
        (options(fusedActivationFunction=4), "fused activation 4"),
        (options(strideH=0), "stride 0"),
        (options(strideW=-2), "stride -2"),
        (tensor(0, shape=[2, 7, 5, 3]), "is [2, 7, 5, 3], 2 at once (convert it with batch 1)"),
        (tensor(0, shape=[1, 5, 3]), "7 windows of 1 with stride 1 over 1"),
        (tensor(0, shape=[1, 7, 5, 70_000]), "more than the runtime takes"),
        (tensor(0, shape=[1, 16_385, 5, 3]), "more than the runtime takes"),
        (tensor(0, shape=[1, 7, 16_385, 3]), "more than the runtime takes"),
        (tensor(0, shape=[1, 0, 5, 3]), "shape [1, 0, 5, 3]"),
        (tensor(3, shape=[1, 9, 9, 2]), "9 windows"),
        (tensor(1, shape=[2, 3]), "int8 constants [O, H, W, I]"),
        (tensor(0, name=b"\xff"), "name is not text"),
        (tensor(0, buffer=999), "buffer is not in the list"),
        (quantization(0, scale=np.array([np.nan], np.float32)), "not one usable number"),
        (quantization(0, scale=np.array([0.0], np.float32)), "not one usable number"),
        (quantization(0, scale=np.array([0.1, 0.2], np.float32)), "not one usable number"),
        (quantization(0, scale=np.array([], np.float32)), "no quantization"),
        (quantization(0, zeroPoint=np.array([300])), "zero point 300"),
        (quantization(1, scale=np.array([1, 2, 3], np.float32)), "one scale, or one per output"),
        (quantization(1, scale=np.array([np.inf, 1], np.float32)), "scales or zero point"),
        (quantization(1, scale=np.array([1e9, 1e9], np.float32)), "overflow 32 bits"),
        (huge_bias, "overflow 32 bits"),
        (operator(inputs=[0, 1, 999]), "tensor is not in the list"),
        (operator(inputs=[0]), "CONV_2D has 1 inputs"),
        (operator(inputs=[0, -1, 2]), "lacks an input"),
        (operator(outputs=[0]), "makes the shape [1, 7, 5, 2], the file says [1, 7, 5, 3]"),
        (operator(opcodeIndex=99), "code is not in the list"),
        (operator(builtinOptions=None, builtinOptionsType=0), "CONV_2D has no options"),
        (subgraph(inputs=[]), "the model has no input"),
        (subgraph(outputs=[]), "the model has no output"),
        (subgraph(inputs=[0, 0]), "the input layer0/value is listed twice"),
        (subgraph(outputs=[1, 1]), "is listed twice"),
        (subgraph(inputs=[99]), "not in the list of tensors"),
        (subgraph(outputs=[0]), "the output layer0/value is not computed"),
        (subgraph(inputs=[1]), "the input layer1/value is [2, 1, 1, 3], 2 at once"),
        (subgraph(operators=[]), "no operators"),
        (subgraph(operators=None), "a list is missing"),
        (reverse_operators, "order in which they are computed"),
        (lambda model: model.subgraphs.append(model.subgraphs[0]), "the file holds 2 subgraphs"),
    ],
)
def test_damaged_or_beyond_us(edit: Callable[[Any], None], says: str) -> None:
    assert says in refusal(edited(edit))


def test_groups_that_do_not_fit() -> None:
    def edit(model: Any) -> None:
        weights = model.subgraphs[0].tensors[1]
        model.buffers[weights.buffer].data = np.ones(2, np.uint8)
        weights.shape = [2, 1, 1, 1]

    assert "2 channels of 1 each do not share 3" in refusal(edited(edit))


@pytest.mark.parametrize(
    ("name", "edit", "says"),
    [
        (
            "conv_1x1",
            tensor(3, shape=[1, 5, 6, 4]),
            "makes the shape [1, 5, 6, 5]",
        ),
        ("add_two_scales", tensor(0, shape=[1, 4, 5, 2]), "do not share 2"),
        ("add_to_itself", tensor(1, shape=[1, 1, 1, 3]), "(3, 3, 3) does not meet (1, 1, 3)"),
        ("add_to_itself", quantization(1, scale=np.array([1e-12], np.float32)), "too fine for ADD"),
        ("mean_rank_2", tensor(1, shape=[1, 5]), "MEAN makes the shape [1, 6]"),
        ("mean_rank_2", quantization(1, scale=np.array([1e-14], np.float32)), "too fine for MEAN"),
        ("max_2x2", quantization(1, scale=np.array([0.5], np.float32)), "differ in scale"),
        ("softmax_only", quantization(1, zeroPoint=np.array([0])), "scale 1/256, zero point -128"),
        ("softmax_only", options(beta=float("nan")), "beta or the input's scale"),
        ("softmax_only", options(beta=1e-9), "beta or the input's scale"),
        ("reshape_only", tensor(1, shape=[1, 7]), "changes the number of values"),
        ("concat_of_the_image_only", options(axis=0), "axis 0 of 4"),
        ("concat_of_the_image_only", options(axis=1), "makes the shape [1, 6, 3, 1], the file"),
        ("concat_of_the_image_only", tensor(1, shape=[1, 3, 3, 3]), "makes the shape [1, 3, 3, 2]"),
    ],
)
def test_other_operators(name: str, edit: Callable[[Any], None], says: str) -> None:
    assert says in refusal(edited(edit, name))


@pytest.mark.parametrize(
    ("name", "edit", "says"),
    [
        ("depthwise_3x3_same", options(dilationWFactor=300), "dilated by 1 x 300"),
        ("transpose_conv_2x2", options(strideW=17), "strides 2 x 17"),
        ("transpose_conv_2x2", tensor(1, shape=[3, 2, 2, 6]), "weights (3, 2, 2, 6) of"),
        ("depthwise_3x3_same", options(depthMultiplier=2), "do not make 2 channels of each of 5"),
        ("depthwise_3x3_same", tensor(1, shape=[3, 1, 3, 5]), "do not make 1 channels"),
        ("depthwise_3x3_same", tensor(1, shape=[9, 5]), "int8 constants [1, H, W, O]"),
        ("depthwise_3x3_same", tensor(3, shape=[1, 6, 7, 4]), "makes the shape [1, 6, 7, 5]"),
        ("depthwise_3x3_same", quantization(1, scale=np.full(3, 0.1, np.float32)), "one scale"),
        ("depthwise_3x3_same", huge_bias, "overflow 32 bits"),
        ("dense_of_values", options(weightsFormat=1), "shuffled weights are not supported"),
        ("dense_of_values", tensor(1, shape=[37, 12]), "weights for 12 values, 37 are there"),
        ("dense_of_values", tensor(1, shape=[12, 1, 1, 37]), "int8 constants [O, I]"),
        ("dense_of_values", quantization(1, zeroPoint=np.array([3])), "scales or zero point"),
        ("dense_of_values", huge_bias, "overflow 32 bits"),
        ("dense_of_every_pixel", options(keepNumDims=False), "weights for 3 values, 60 are there"),
    ],
)
def test_depthwise_and_fully_connected(name: str, edit: Callable[[Any], None], says: str) -> None:
    assert says in refusal(edited(edit, name))


def test_softmax_over_too_many_channels() -> None:
    net = Network((1, 1, 4096))
    assert "more than 4095 channels" in refusal(net.build(net.softmax(net.input)))


def test_window_too_tall_for_the_runtime() -> None:
    net = Network((40, 2, 1))
    graph = read_graph(net.build(net.conv(net.input, 1, (33, 1), (1, 1), VALID)))
    with pytest.raises(ModelError, match="33 rows tall, the runtime takes 32"):
        generate(graph, make_plan(graph), "portable")


def test_interpreter_refuses_what_tflite_refuses() -> None:
    net = Network((3, 3, 2))
    content = net.build(net.conv(net.input, 3, bias=False))
    with pytest.raises(ModelError, match="TensorFlow Lite refuses the model"):
        ReferenceInterpreter(content)


# Damage anywhere

FUZZED = (
    "fire",
    "separable",
    "lenet",
    "add_two_scales",
    "flatten_moves_rows",
    "concat_of_global_pools",
    "pad_everything",
    "slice_everywhere",
    "resize_up",
    "depth_to_space",
    "grouped_by_2",
    "upsampled_by_five_axes",
    "pixels_shuffled_by_five_axes",
)


def damaged(content: bytes, random: np.random.Generator) -> bytes:
    kind = random.integers(4)
    if kind == 0:
        return content[: random.integers(len(content))]
    values = bytearray(content)
    for _ in range(random.integers(1, 4)):
        place = random.integers(len(values))
        if kind == 1:
            values[place] = random.integers(256)
        elif kind == 2:
            values[place] ^= 1 << random.integers(8)
        else:
            values[place] = random.choice([0, 1, 127, 128, 255])
    return bytes(values)


@pytest.mark.slow
@pytest.mark.parametrize("name", FUZZED)
def test_damage_is_refused_or_harmless(name: str) -> None:
    """Nothing but ModelError leaves read_graph, and what it lets through can be used."""
    content, random = NETWORKS[name](), np.random.default_rng(17)
    refused = used = 0
    for _ in range(400):
        try:
            graph = read_graph(damaged(content, random))
            generate(graph, make_plan(graph), "portable")
        except ModelError as error:
            refused += "\n" not in str(error)
            continue
        values = run(graph, images(graph.tensors[graph.input].hwc)[0])
        assert values[graph.output].dtype == np.int8
        used += 1
    assert refused + used == 400, "an error of more than one line"
    assert used > 10
