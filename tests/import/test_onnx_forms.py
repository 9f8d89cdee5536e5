"""What several files say of one network in other forms is imported as the same network."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from edgesq.importers.onnx import ImportedFloat, import_onnx
from edgesq.importers.onnx_file import plain, read_file, structure, tensors
from edgesq.importers.onnx_file.inference import infer
from support.onnx_cases import CASES
from support.onnx_exported import EXPORTED
from support.onnx_int8_cases import CASES as INT8_CASES
from support.onnx_models import OnnxNetwork

SHAPE = (7, 8, 2)


def network(to: Any = np.float32) -> onnx.ModelProto:
    """Return a small classifier whose weights are numbers of type `to`."""
    net = OnnxNetwork((2, 7, 8), seed=11)
    step = net.max_pool(net.relu(net.conv(net.input, 4, 3)), 2)
    model = net.model(net.dense(net.node("Flatten", step), 24, 5))
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor).astype(to).astype(np.float32)
        tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))
    return model


def imported(model: onnx.ModelProto, folder: Path) -> ImportedFloat:
    onnx.save(model, folder / "model.onnx")
    made = import_onnx(folder / "model.onnx")
    assert isinstance(made, ImportedFloat)
    return made


def assert_same(mine: ImportedFloat, model: onnx.ModelProto, folder: Path) -> None:
    images = np.random.default_rng(4).integers(0, 256, (3, *SHAPE)).astype(np.float32)
    wanted = np.asarray(imported(model, folder).keras(images))
    assert wanted.std() > 0
    np.testing.assert_array_equal(np.asarray(mine.keras(images)), wanted)


# Types of floats


def of_type(kind: int, to: Any) -> onnx.ModelProto:
    """Return the network with all its floats in another type."""
    model = network()
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor).astype(to)
        tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.elem_type = kind
    return model


def only_weights(_: int, to: Any) -> onnx.ModelProto:
    """Return the network with weights in another type, each cast to float32 before it is used."""
    model = network()
    casts = []
    for tensor in model.graph.initializer:
        values, name = numpy_helper.to_array(tensor).astype(to), tensor.name
        tensor.CopyFrom(numpy_helper.from_array(values, f"{name}_stored"))
        casts.append(helper.make_node("Cast", [tensor.name], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    return model


TYPES: dict[str, tuple[int, Any]] = {
    "bfloat16": (TensorProto.BFLOAT16, ml_dtypes.bfloat16),
    "float16": (TensorProto.FLOAT16, np.float16),
    "float64": (TensorProto.DOUBLE, np.float64),
}


@pytest.mark.parametrize("name", TYPES)
@pytest.mark.parametrize("form", [of_type, only_weights])
def test_other_floats_are_float32_of_the_stored_numbers(
    form: Callable[[int, Any], onnx.ModelProto], name: str, tmp_path: Path
) -> None:
    kind, to = TYPES[name]
    made = imported(form(kind, to), tmp_path)
    assert f"{name} is computed in float32: the whole model" in made.notes
    assert_same(made, network(to), tmp_path)


# Images


def behind_a_cast(nodes: list[onnx.NodeProto], model: onnx.ModelProto) -> onnx.ModelProto:
    """Put operators between a uint8 image and the network."""
    source = model.graph.input[0]
    rest = [onnx.NodeProto.FromString(node.SerializeToString()) for node in model.graph.node]
    rest[0].input[0] = "pixels"
    del model.graph.node[:]
    model.graph.node.extend([*nodes, *rest])
    source.type.tensor_type.elem_type = TensorProto.UINT8
    return model


def test_an_image_of_bytes_takes_pixels_as_they_are(tmp_path: Path) -> None:
    cast = helper.make_node("Cast", ["image"], ["pixels"], to=TensorProto.FLOAT)
    made = imported(behind_a_cast([cast], network()), tmp_path)
    assert made.takes_pixels
    assert_same(made, network(), tmp_path)
    assert not imported(network(), tmp_path).takes_pixels


def test_an_image_of_bytes_in_nhwc_with_its_normalization(tmp_path: Path) -> None:
    model = network()
    sides = [np.array(255, np.float32), np.array([0.4, 0.5], np.float32).reshape(1, 2, 1, 1)]
    for number, side in enumerate(sides):
        model.graph.initializer.append(numpy_helper.from_array(side, f"side{number}"))
    nodes = [
        helper.make_node("Transpose", ["image"], ["turned"], perm=[0, 3, 1, 2]),
        helper.make_node("Cast", ["turned"], ["cast"], to=TensorProto.FLOAT),
        helper.make_node("Div", ["cast", "side0"], ["scaled"]),
        helper.make_node("Sub", ["scaled", "side1"], ["pixels"]),
    ]
    made = imported(behind_a_cast(nodes, _nhwc(model)), tmp_path)
    assert made.takes_pixels
    images = np.random.default_rng(4).integers(0, 256, (3, *SHAPE)).astype(np.float32)
    wanted = imported(network(), tmp_path).keras(images / 255 - sides[1].reshape(2))
    np.testing.assert_allclose(made.keras(images), wanted, atol=1e-5)


def _nhwc(model: onnx.ModelProto) -> onnx.ModelProto:
    for dim, extent in zip(
        model.graph.input[0].type.tensor_type.shape.dim, (1, *SHAPE), strict=True
    ):
        dim.dim_value = extent
    return model


# Ends


def _tail(*kinds: str, both: bool = False) -> Callable[[], onnx.ModelProto]:
    """Return the network with operators behind it; `both`: its scores are a result too."""

    def build() -> onnx.ModelProto:
        model = network()
        name = model.graph.output[0].name
        for number, kind in enumerate(kinds):
            how: dict[str, Any] = {"axis": 1}
            inputs, outputs = [name], [f"end{number}"]
            if kind == "TopK":
                model.graph.initializer.append(numpy_helper.from_array(np.array([2]), "k"))
                inputs, outputs = [name, "k"], ["best", f"end{number}"]
            if kind == "Cast":
                how = {"to": TensorProto.INT32}
            model.graph.node.append(helper.make_node(kind, inputs, outputs, **how))
            name = outputs[-1]
        ends = [name, "best"] if kinds[-1] == "TopK" else [name]
        if not both:
            del model.graph.output[:]
        for end in ends:
            model.graph.output.append(onnx.ValueInfoProto(name=end))
        return model

    return build


TAILS = {
    "ArgMax": _tail("ArgMax"),
    "ArgMax of LogSoftmax, cast": _tail("LogSoftmax", "ArgMax", "Cast"),
    "LogSoftmax": _tail("LogSoftmax"),
    "TopK": _tail("TopK"),
    "scores and ArgMax": _tail("ArgMax", both=True),
}


@pytest.mark.parametrize("name", TAILS)
def test_what_decides_by_scores_is_left_out(name: str, tmp_path: Path) -> None:
    made = imported(TAILS[name](), tmp_path)
    kind = name.split()[-1] if "scores" in name else name.split()[0]
    assert f"{kind} at the end was left out: the result is what it reads" in "\n".join(made.notes)
    assert_same(made, network(), tmp_path)


# Structure


def unsorted() -> onnx.ModelProto:
    model = network()
    nodes = list(model.graph.node)[::-1]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    return model


def in_functions() -> onnx.ModelProto:
    """Return the network whose Relu is a function's, which calls another."""
    model = network()
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("own", 1)]
    inner = helper.make_node("Relu", ["x"], ["y"])
    outer = helper.make_node("Inner", ["a"], ["b"], domain="own")
    for name, node in (("Inner", inner), ("Outer", outer)):
        source, result = list(node.input), list(node.output)
        made = helper.make_function("own", name, source, result, [node], opsets)
        model.functions.append(made)
    model.opset_import.append(opsets[1])
    relu = next(node for node in model.graph.node if node.op_type == "Relu")
    relu.op_type, relu.domain = "Outer", "own"
    return model


def shared_by_identity() -> onnx.ModelProto:
    """Return the network whose weights are Identities of Constants."""
    model = network()
    nodes = []
    for tensor in model.graph.initializer:
        stored = f"{tensor.name}_stored"
        nodes.append(helper.make_node("Constant", [], [stored], value=tensor))
        nodes.append(helper.make_node("Identity", [stored], [tensor.name]))
    nodes += model.graph.node
    del model.graph.initializer[:]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    return model


@pytest.mark.parametrize("form", [unsorted, in_functions, shared_by_identity])
def test_other_ways_to_write_it(form: Callable[[], onnx.ModelProto], tmp_path: Path) -> None:
    assert_same(imported(form(), tmp_path), network(), tmp_path)


# Shapes


@pytest.mark.parametrize("name", [*CASES, *EXPORTED, *(f"int8 {name}" for name in INT8_CASES)])
def test_shapes_types_and_constants_are_onnx_runtimes(name: str, tmp_path: Path) -> None:
    """They are computed here before anything runs."""
    import onnxruntime

    builds = CASES | EXPORTED | {f"int8 {name}": build for name, build in INT8_CASES.items()}
    path = tmp_path / "model.onnx"
    onnx.save(builds[name](), path)
    model = read_file(path).model
    known = infer(model, "")
    names = [one for node in model.graph.node for one in node.output]
    del model.graph.output[:]
    model.graph.output.extend(onnx.ValueInfoProto(name=one) for one in names)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    (source,) = plain.images_of(model.graph)
    image = np.random.default_rng(5).random(known[source.name].shape)
    given = {source.name: image.astype(known[source.name].dtype)}
    for one, value in zip(names, session.run(names, given), strict=True):
        assert (known[one].shape, known[one].dtype) == (value.shape, value.dtype), one
        computed = known[one].values
        if computed is not None:
            np.testing.assert_array_equal(computed, value)


def test_a_file_in_order_stays_in_order() -> None:
    model = network()
    before = [node.name for node in model.graph.node]
    structure.put_in_order(model, "")
    assert [node.name for node in model.graph.node] == before
    assert len(list(tensors.tensors(model))) == 4
