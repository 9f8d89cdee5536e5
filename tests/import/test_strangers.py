"""Other people's int8 .tflite: what is taken, what is not and why, and files that lie."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from edgesq.errors import EdgesqError
from edgesq.formats.onnx import integer_onnx, run_onnx
from edgesq.formats.tflite import ReferenceInterpreter, read_graph, reading_notes
from edgesq.formats.tflite.tidy import int8_inside
from edgesq.project import run_batch
from edgesq.reference import run_observed
from support.builds import done
from support.networks import RECTIFIED, USUAL, Network, images
from support.paths import SHARED
from support.strangers import STRANGERS, ending_in, repacked
from support.tflite_edits import edited, options, refusal, set_tensors

PUBLIC = SHARED / "models" / "public"


def hold(content: bytes, count: int = 2) -> None:
    """Hold that BUILTIN_REF, numpy and the integer ONNX give the same values."""
    graph = read_graph(content)
    inputs = images(graph.tensors[graph.input].hwc, count)
    golden = ReferenceInterpreter(content).observed(inputs)
    model = integer_onnx(graph)
    shape = [one.dim_value for one in model.graph.input[0].type.tensor_type.shape.dim]
    assert shape == list(graph.tensors[graph.input].shape), "the rank is kept"
    for got in (run_observed(graph, inputs), run_onnx(model, inputs)):
        for mine, theirs in zip(got, golden, strict=True):
            np.testing.assert_array_equal(mine.reshape(theirs.shape), theirs)


@pytest.mark.parametrize("name", STRANGERS)
def test_what_is_taken(name: str) -> None:
    content = STRANGERS[name]()
    hold(content)
    inside = int8_inside(content)
    inputs = images(read_graph(content).tensors[read_graph(content).input].hwc, 1)
    golden = ReferenceInterpreter(content).run(inputs)
    np.testing.assert_array_equal(ReferenceInterpreter(inside).run(inputs), golden)


def test_shape_arithmetic_leaves_nothing() -> None:
    for name in ("flatten_of_any_batch", "flatten_by_other_arithmetic"):
        kinds = [op.kind for op in read_graph(STRANGERS[name]()).ops]
        assert kinds == ["RESHAPE", "FULLY_CONNECTED", "SOFTMAX"]


def test_shapes_of_inputs() -> None:
    def hwc(name: str) -> tuple[int, int, int]:
        graph = read_graph(STRANGERS[name]())
        return graph.tensors[graph.input].hwc

    assert hwc("autoencoder") == (1, 1, 24)
    assert hwc("image_without_channel") == (6, 5, 1)
    assert hwc("series") == (1, 12, 3)


@pytest.mark.parametrize(("kind", "result"), [("ARG_MAX", 2), ("ARG_MAX", 4), ("LOG_SOFTMAX", 9)])
def test_the_scores_are_what_the_board_gives(kind: str, result: int) -> None:
    content = repacked(ending_in(kind, result), lambda model: _set_output_type(model, result))
    assert read_graph(content).ops[-1].kind == "MEAN"
    hold(content)
    (note,) = reading_notes(content)
    assert note.startswith(f"{kind} at the end (")


def _set_output_type(model: Any, result: int) -> None:
    graph = model.subgraphs[0]
    graph.tensors[graph.outputs[0]].type = result


# --- what is not taken, each with its true reason ---


def _weights(dtype: int) -> Any:
    def edit(model: Any) -> None:
        for tensor in model.subgraphs[0].tensors:
            tensor.type = dtype if tensor.buffer and tensor.type == 9 else 0

    return edit


def _two(ends: str) -> Any:
    def edit(model: Any) -> None:
        graph = model.subgraphs[0]
        setattr(graph, ends, [0, 3])

    return edit


def _recurrent(model: Any) -> None:
    """Float, with an LSTM in both directions and a custom operator in it."""
    _weights(0)(model)
    kinds = iter([schema.BuiltinOperator.BIDIRECTIONAL_SEQUENCE_LSTM, 32])
    for operator in model.subgraphs[0].operators[:2]:
        code = schema.OperatorCodeT()
        code.builtinCode, code.customCode = next(kinds), b"Mel"
        operator.opcodeIndex = len(model.operatorCodes)
        model.operatorCodes.append(code)


def _external(model: Any) -> None:
    buffer = model.buffers[model.subgraphs[0].tensors[1].buffer]
    buffer.data, buffer.offset, buffer.size = None, 4_000, 6


def _set(index: int, **fields: Any) -> Any:
    return lambda model: vars(model.subgraphs[0].tensors[index]).update(fields)


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        (_weights(0), r"this is a float32 \.tflite \(give --calibration"),
        (_weights(1), r"this is a float16 \.tflite"),
        (_weights(9), r"this is a hybrid \.tflite"),
        (set_tensors("type", schema.TensorType.INT16), "zero point -5 of int16, which must be 0"),
        (_two("inputs"), "layer3: tensors are not in the order in which they are computed"),
        (_two("outputs"), "the output layer0/value is not computed"),
        (_recurrent, r"float32 \.tflite .*BIDIRECTIONAL_SEQUENCE_LSTM .*custom operator 'Mel'"),
        (_external, "lies outside the model"),
        (_set(3, isVariable=True), "keeps its values from one image to the next"),
        (_set(1, sparsity=schema.SparsityParametersT()), "is stored sparse"),
        (_set(0, shape=[8, 7, 5, 3]), r"is \[8, 7, 5, 3\], 8 at once"),
        (_set(0, shape=[1, -1, -1, 3]), "the size of the input layer0/value is open"),
        (
            _set(0, shape=[1, 1, 1, 3], shapeSignature=[-1, -1, -1, 3]),
            "the size of the input layer0/value is open",
        ),
        (_set(3, name=b"one\ntwo", type=0), "one two"),
    ],
)
def test_the_reason(edit: Any, says: str) -> None:
    assert re.search(says, refusal(edited(edit)))


# --- files that contradict themselves ---


def _other_constants(model: Any) -> None:
    """Turn the constants round that say a shape or a size."""
    graph = model.subgraphs[0]
    for operator in graph.operators:
        for index in operator.inputs[1:]:
            tensor = graph.tensors[index]
            if tensor.type == schema.TensorType.INT32 and len(tensor.shape) == 1:
                buffer = model.buffers[tensor.buffer]
                values = np.asarray(buffer.data, np.uint8).view("<i4")
                buffer.data = np.ascontiguousarray(values[::-1]).view(np.uint8)


@pytest.mark.parametrize(
    "name", ["reshape_only", "resize_up", "slice_everywhere", "upsampled_by_five_axes"]
)
def test_constants_that_differ_from_the_declared_shape(name: str) -> None:
    refusal(edited(_other_constants, name))


def _without_data(model: Any) -> None:
    graph = model.subgraphs[0]
    for operator in graph.operators:
        for index in operator.inputs[1:]:
            if graph.tensors[index].type == schema.TensorType.INT32:
                graph.tensors[index].buffer = 0


def test_a_reshape_without_data() -> None:
    assert "is computed or lacks its values" in refusal(edited(_without_data, "reshape_only"))


def test_a_size_beyond_all_limits() -> None:
    net = Network((4, 6, 3))
    content = net.build(net.resize_nearest(net.input, (8, 12)))

    def edit(model: Any) -> None:
        for buffer in model.buffers:
            if buffer.data is not None and len(buffer.data) == 8:
                buffer.data = np.array([9, 83_886_087], "<i4").view(np.uint8)

    assert "makes the shape [1, 9, 83886087, 3]" in refusal(repacked(content, edit))


@pytest.mark.parametrize(
    ("name", "edit", "says"),
    [
        ("max_2x2", options(padding=7), "padding 7"),
        ("max_2x2", options(fusedActivationFunction=9), "fused activation 9"),
        ("concat_of_the_image_only", options(axis=7), "axis 7 of 4"),
        ("conv_1x1", options(padding=-1), "padding -1"),
    ],
)
def test_numbers_that_stand_for_nothing(name: str, edit: Any, says: str) -> None:
    assert says in refusal(edited(edit, name))


def test_lists_longer_than_the_file() -> None:
    """Thousands of operators that share one list of inputs: a few bytes unpack to gigabytes."""
    net = Network((2, 2, 1))
    content = bytearray(net.build(net.unary(net.input, "RELU", USUAL)))
    model = schema.Model.GetRootAsModel(bytes(content), 0)
    vector = model.Subgraphs(0).Operators(0)._tab
    place = vector.Vector(vector.Offset(6)) - 4
    content[place : place + 4] = (10_000_000).to_bytes(4, "little")
    assert "longer than the file" in refusal(bytes(content))


def test_chains_out_of_order_are_refused() -> None:
    def edit(model: Any) -> None:
        operators = model.subgraphs[0].operators
        operators.append(operators.pop(1))

    refusal(edited(edit, "squares_joined_by_five_axes"))


# --- an export that is not exact ---


def test_an_export_that_is_not_exact_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from edgesq.builds import ExportOptions, export
    from edgesq.targets import load_target

    file, build = tmp_path / "my.tflite", tmp_path / "build"
    net = Network((4, 5, 3))
    file.write_bytes(net.build(net.mean(net.conv(net.input, 4, activation=1, quant=RECTIFIED))))
    wish = ExportOptions(file, None, load_target("host"), build)
    export(wish, lambda _: None)
    before = (build / "report.json").read_bytes()

    def wrong(*arguments: Any) -> tuple[Any, ...]:
        return tuple(values ^ 1 for values in run_batch(*arguments))

    monkeypatch.setattr("edgesq.builds.parity.run_batch", wrong)
    with pytest.raises(EdgesqError, match=r"C runtime .*64 of 64 values differ"):
        export(wish, lambda _: None)
    assert (build / "report.json").read_bytes() == before


# --- MLPerf Tiny's four and TensorFlow Lite Micro's three ---


@pytest.mark.parametrize(
    "name",
    [
        "mlperf_ad01_int8",
        "mlperf_ic_resnet8_int8",
        "mlperf_kws_dscnn_int8",
        "mlperf_vww_mobilenet_int8",
        "tflm_hello_world_int8",
        "tflm_micro_speech",
        "tflm_person_detect",
    ],
)
def test_public_models(name: str) -> None:
    file = PUBLIC / f"{name}.tflite"
    if not file.is_file():
        pytest.skip(f"{file.name} is not there: it is not part of edgesq")
    hold(file.read_bytes(), 0)


def test_a_vector_from_export_to_verify(tmp_path: Path) -> None:
    """[1, N] on a board, with noise and with an .npz of the model's own shape."""
    file, build = tmp_path / "my.tflite", tmp_path / "build"
    file.write_bytes(STRANGERS["autoencoder"]())
    done("export", file, "--target", "host", "--out", build)
    given = tmp_path / "given.npz"
    np.savez(given, input=np.arange(-72, 72).astype(np.int8).reshape(6, 24))
    done("flash", "--build", build)
    try:
        assert re.search(r"values that differ +0 of 384", done("verify", "--build", build))
        assert re.search(
            r"values that differ +0 of 144", done("verify", "--build", build, "--images", given)
        )
    finally:
        done("flash", "--build", build, "--stop")
