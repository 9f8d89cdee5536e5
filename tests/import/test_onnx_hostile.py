"""ONNX files that contradict themselves or are far too large: one line, before anything is made."""

import itertools
import resource
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from edgesq.errors import ModelError
from edgesq.importers.onnx_file import is_int8, read_file
from edgesq.limits import MAX_FILE_BYTES
from support.onnx_models import OnnxNetwork

_MAX_SECONDS = 5
_MAX_KILOBYTES = 300_000
HUGE = 1 << 40


def model(
    nodes: Sequence[onnx.NodeProto],
    shape: Sequence[int] = (1, 3, 8, 8),
    output: str = "y",
    opset: int = 17,
    **constants: Any,
) -> onnx.ModelProto:
    """Return a model from `x` to `y`, unchecked."""
    graph = helper.make_graph(
        list(nodes),
        "hostile",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, list(shape))],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    opsets = [helper.make_opsetid("", opset), helper.make_opsetid("own", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def one(kind: str, *inputs: str, shape: Sequence[int] = (1, 3, 8, 8), **how: Any) -> Any:
    """Return what makes a model of one operator, its arrays being constants."""
    constants: dict[str, Any] = {
        name: value for name, value in how.items() if isinstance(value, np.ndarray)
    }
    attributes = {name: value for name, value in how.items() if name not in constants}
    return lambda: model([helper.make_node(kind, inputs, ["y"], **attributes)], shape, **constants)


def ints(*values: int) -> np.ndarray[Any, Any]:
    return np.array(values, np.int64)


KERNEL = np.ones((4, 3, 3, 3), np.float32)


# Too large


def doubled(kind: str, times: int) -> onnx.ModelProto:
    names = ["x", *(f"a{number}" for number in range(times - 1)), "y"]
    steps = itertools.pairwise(names)
    how: dict[str, Any] = {"axis": 1} if kind == "Concat" else {}
    return model([helper.make_node(kind, [a, a], [b], **how) for a, b in steps])


def functions(calls: int, depth: int) -> onnx.ModelProto:
    """Return functions each of which calls the next `calls` times."""
    made = model([helper.make_node("F0", ["x"], ["y"], domain="own")])
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("own", 1)]
    for number in range(depth):
        inner = f"F{number + 1}" if number + 1 < depth else "Relu"
        domain = "own" if inner != "Relu" else ""
        names = ["a", *(f"b{step}" for step in range(calls))]
        body = [
            helper.make_node(inner, [names[step]], [names[step + 1]], domain=domain)
            for step in range(calls)
        ]
        ends = (["a"], names[-1:])
        made.functions.append(helper.make_function("own", f"F{number}", *ends, body, opsets))
    return made


def branch(kind: str) -> Callable[[], onnx.ModelProto]:
    def build() -> onnx.ModelProto:
        inner = helper.make_graph([], "inner", [], [])
        names = {"If": ("then_branch", "else_branch")}.get(kind, ("body",))
        bodies: dict[str, Any] = dict.fromkeys(names, inner)
        node = helper.make_node(kind, ["x"], ["y"], **bodies)
        return model([node])

    return build


def filled(kind: str, *inputs: str, **constants: Any) -> Callable[[], onnx.ModelProto]:
    """Return a model that adds a constant as large as numbers of the file say."""
    attributes: dict[str, Any] = {
        name: value for name, value in constants.items() if isinstance(value, int)
    }
    arrays = {name: value for name, value in constants.items() if name not in attributes}

    def build() -> onnx.ModelProto:
        nodes = [
            helper.make_node(kind, inputs, ["c"], **attributes),
            helper.make_node("Cast", ["c"], ["f"], to=TensorProto.FLOAT),
            helper.make_node("Add", ["x", "f"], ["y"]),
        ]
        return model(nodes, **arrays)

    return build


TOO_LARGE: dict[str, tuple[Callable[[], onnx.ModelProto], str]] = {
    "image": (one("Relu", "x", shape=(1, 3, 60_000, 60_000)), "more than 67,108,864 values"),
    "image of 2^63": (one("Relu", "x", shape=(1, (1 << 63) - 1, 8, 8)), "the image: makes"),
    "doubled": (lambda: doubled("Concat", 30), "values of activations|more than 67,108,864"),
    "operators behind each other": (lambda: doubled("Add", 1_025), "1,025 operators between"),
    "operators": (lambda: doubled("Add", 20_001), "20,001 operators"),
    "functions": (lambda: functions(2, 30), "1,073,741,824 operators"),
    "functions in 400 digits": (lambda: functions(1000, 60), "operators"),
    "deep functions": (lambda: functions(1, 2000), "more than 64 deep"),
    "If": (branch("If"), r"cannot be taken: If \(y\)"),
    "Loop": (branch("Loop"), r"cannot be taken: Loop \(y\)"),
    "Scan": (branch("Scan"), r"cannot be taken: Scan \(y\)"),
    "ConstantOfShape": (filled("ConstantOfShape", "n", n=ints(1 << 20, 1 << 20)), "more than"),
    "Expand": (filled("Expand", "v", "n", v=ints(1), n=ints(1 << 30)), "more than"),
    "Tile": (filled("Tile", "v", "n", v=ints(1, 2), n=ints(1 << 50)), "more than"),
    "Range": (
        filled("Range", "a", "b", "s", a=np.array(0), b=np.array(HUGE), s=np.array(1)),
        "from 0.0 to",
    ),
    "Range without a step": (
        filled("Range", "a", "b", "s", a=np.array(0), b=np.array(9), s=np.array(0)),
        "by 0.0",
    ),
    "Pad": (one("Pad", "x", "n", n=ints(0, 0, 0, 0, 0, 0, HUGE, 0)), "makes"),
    "Resize": (one("Resize", "x", "", "s", s=np.array([1, 1, 1e9, 1e9], np.float32)), "by"),
    "Resize to sizes": (one("Resize", "x", "", "", "s", s=ints(1, 3, HUGE, 8)), "by"),
    "Resize by no number": (
        one("Resize", "x", "", "s", s=np.array([1, 1, np.nan, 1], np.float32)),
        "by",
    ),
    "strides": (one("Conv", "x", "w", w=KERNEL, strides=[HUGE, HUGE]), "strides"),
    "dilations": (one("Conv", "x", "w", w=KERNEL, dilations=[HUGE, 1]), "dilations"),
    "pads": (one("Conv", "x", "w", w=KERNEL, pads=[10_000] * 4), "makes"),
    "window": (one("MaxPool", "x", kernel_shape=[1 << 31, 1]), "kernel_shape"),
    "blocks": (one("DepthToSpace", "x", blocksize=HUGE), "blocks"),
    "products": (
        one("Conv", "x", "w", w=np.ones((64, 3, 61, 61), np.float32), shape=(1, 3, 500, 500)),
        "multiplications",
    ),
    "dimensions": (one("Reshape", "x", "s", s=ints(*[1] * 33, -1)), "shape of 34|dimensions"),
}


@pytest.mark.parametrize("name", TOO_LARGE)
def test_sizes_are_counted_before_anything_is_made(name: str, tmp_path: Path) -> None:
    build, says = TOO_LARGE[name]
    (tmp_path / "model.onnx").write_bytes(build().SerializeToString())
    before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    with pytest.raises(ModelError, match=says):
        read_file(tmp_path / "model.onnx")
    assert time.process_time() - start < _MAX_SECONDS
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < _MAX_KILOBYTES


# Contradictions


def edited(change: Callable[[onnx.ModelProto], Any]) -> Callable[[], onnx.ModelProto]:
    """Return a sound small model with a change."""

    def build() -> onnx.ModelProto:
        net = OnnxNetwork((3, 6, 8))
        made = net.model(net.relu(net.conv(net.input, 4)))
        change(made)
        return made

    return build


def tensor(**fields: Any) -> Callable[[], onnx.ModelProto]:
    """Return the model with fields of its weights changed; None clears one."""

    def change(made: onnx.ModelProto) -> None:
        weights = made.graph.initializer[0]
        for name, value in fields.items():
            weights.ClearField(name)
            if isinstance(value, list):
                getattr(weights, name).extend(value)
            elif value is not None:
                setattr(weights, name, value)

    return edited(change)


def attribute(name: str, **how: Any) -> Callable[[], onnx.ModelProto]:
    def change(made: onnx.ModelProto) -> None:
        conv = made.graph.node[0]
        kept = [item for item in conv.attribute if item.name != name]
        del conv.attribute[:]
        conv.attribute.extend([*kept, *(helper.make_attribute(*item) for item in how.items())])

    return edited(change)


def inputs(of: int, names: Sequence[str]) -> Callable[[], onnx.ModelProto]:
    def change(made: onnx.ModelProto) -> None:
        del made.graph.node[of].input[:]
        made.graph.node[of].input.extend(names)

    return edited(change)


def _sparse(made: onnx.ModelProto) -> None:
    made.graph.sparse_initializer.add()


def _twice(made: onnx.ModelProto) -> None:
    made.graph.initializer.append(made.graph.initializer[0])


def _no_outputs(made: onnx.ModelProto) -> None:
    del made.graph.node[1].output[:]


def _reference(made: onnx.ModelProto) -> None:
    made.graph.node[0].attribute[0].ref_attr_name = "other"


CONV, WEIGHTS = "/conv0/Conv_output_0", "weight_0"
CONTRADICTIONS: dict[str, tuple[Callable[[], onnx.ModelProto], str]] = {
    "shorter than its shape": (tensor(raw_data=b"1234"), "holds 4 bytes for"),
    "nothing in it": (tensor(raw_data=None), "holds 0 numbers"),
    "numbers and none of them": (tensor(raw_data=None, float_data=[1.0]), "holds 1 numbers"),
    "negative extents": (tensor(dims=[-4, 3, 1, -1]), "beyond 67,108,864 values"),
    "extents whose product wraps": (tensor(dims=[1 << 32, 1 << 32]), "beyond 67,108,864 values"),
    "too many extents": (tensor(dims=[1] * 70), "beyond 67,108,864 values"),
    "no type": (tensor(data_type=99), "holds type 99"),
    "texts": (tensor(data_type=TensorProto.STRING), "holds string"),
    "complex": (tensor(data_type=TensorProto.COMPLEX64), "holds complex64"),
    "another type": (tensor(data_type=TensorProto.INT8), "holds 48 bytes"),
    "sparse": (edited(_sparse), "sparse"),
    "two of one name": (edited(_twice), "two values are called 'weight_0'"),
    "an input of no name": (inputs(0, ["", WEIGHTS]), "Conv"),
    "an input that is not there": (inputs(1, ["nobody"]), "nothing makes the value 'nobody'"),
    "a circle": (inputs(0, ["/relu1/Relu_output_0", WEIGHTS]), "run in a circle"),
    "too many inputs": (inputs(1, [CONV, CONV]), "input size 2 not in range"),
    "no outputs": (edited(_no_outputs), "nothing makes the value"),
    "a text for numbers": (attribute("strides", strides="two"), "Mismatched attribute type"),
    "an unknown attribute": (attribute("x", speed=3), "Unrecognized attribute"),
    "a function's attribute": (edited(_reference), "outside of a function"),
    "pads for one side": (attribute("pads", pads=[1]), r"pads \[1\]"),
    "weights of another depth": (attribute("group", group=3), "in 3 groups"),
    "group 0": (attribute("group", group=0), "in 0 groups"),
    "other padding": (attribute("auto_pad", auto_pad="AROUND"), "auto_pad AROUND"),
    "beyond the last element": (
        filled("Gather", "v", "n", v=ints(1, 2), n=ints(7)),
        "element 7 to 7 of 2",
    ),
    "a missing attribute": (one("Concat", "x", "x"), "Required attribute 'axis'"),
    "an axis that is not there": (one("Concat", "x", "x", axis=9), "axis 9 of 4"),
    "a shape of another size": (one("Reshape", "x", "s", s=ints(1, 7)), r"to \[1, 7\]"),
    "a permutation that is none": (one("Transpose", "x", perm=[0, 0, 1, 2]), "by"),
    "operators of the future": (lambda: model([], opset=HUGE), "not an ONNX model"),
    "a version of the future": (
        lambda: model([helper.make_node("Relu", ["x"], ["y"])], opset=HUGE),
        "version 1099511627776",
    ),
}


@pytest.mark.parametrize("name", CONTRADICTIONS)
def test_contradictions_are_one_line(name: str, tmp_path: Path) -> None:
    build, says = CONTRADICTIONS[name]
    (tmp_path / "model.onnx").write_bytes(build().SerializeToString())
    with pytest.raises(ModelError, match=says) as caught:
        read_file(tmp_path / "model.onnx")
    assert "\n" not in str(caught.value)


# External data


def _beside(folder: Path, **said: str) -> Path:
    """Write a model whose weights are in a file beside it, as `said` has it."""
    path = folder / "in" / "model.onnx"
    path.parent.mkdir()
    (path.parent / "weights.bin").write_bytes(bytes(48))
    (folder / "outside.bin").write_bytes(bytes(48))
    (path.parent / "link.bin").symlink_to(folder / "outside.bin")
    (path.parent / "door").symlink_to(folder)
    made = edited(lambda _: None)()
    weights = made.graph.initializer[0]
    weights.ClearField("raw_data")
    weights.data_location = TensorProto.EXTERNAL
    for key, value in {"location": "weights.bin", **said}.items():
        weights.external_data.add(key=key, value=value)
    path.write_bytes(made.SerializeToString())
    return path


OUTSIDE = {
    "above": ({"location": "../outside.bin"}, "not in the model's folder"),
    "absolute": ({"location": "/etc/hostname"}, "not in the model's folder"),
    "a link": ({"location": "link.bin"}, "is a link"),
    "through a link": ({"location": "door/outside.bin"}, "is a link"),
    "a folder": ({"location": "."}, "not beside the model"),
    "nowhere": ({"location": "nobody.bin"}, "not beside the model"),
    "no name": ({"location": ""}, "not in the model's folder"),
    "a name of zeros": ({"location": "\0"}, "external data"),
    "a long name": ({"location": "a" * 5000}, "external data"),
    "short": ({"length": "4"}, "has 4 bytes"),
    "behind its end": ({"offset": "4"}, "not inside"),
    "before its start": ({"offset": "-4"}, "not inside"),
    "no number": ({"offset": "9" * 5000}, "not inside"),
}


@pytest.mark.parametrize("name", OUTSIDE)
def test_external_data_stays_in_the_folder(name: str, tmp_path: Path) -> None:
    said, says = OUTSIDE[name]
    path = _beside(tmp_path, **said)
    assert not is_int8(path)
    with pytest.raises(ModelError, match=says):
        read_file(path)


def test_external_data_in_the_folder_is_read(tmp_path: Path) -> None:
    constants = read_file(_beside(tmp_path, offset="0", length="48")).net.constants
    assert not constants[WEIGHTS].values.any()


# Files


def test_files_that_are_none_or_too_large(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    with path.open("wb") as file:
        file.truncate(MAX_FILE_BYTES + 1)
    with pytest.raises(ModelError, match="is the most"):
        is_int8(path)
    path.unlink()
    path.mkdir()
    with pytest.raises(ModelError, match="is not a file"):
        is_int8(path)


@pytest.mark.parametrize("text", [b"Re\xff", b"\xc0\xaf", b"\xed\xa0\x80"])
def test_texts_that_are_none(text: bytes, tmp_path: Path) -> None:
    content = edited(lambda _: None)().SerializeToString()
    path = tmp_path / "model.onnx"
    path.write_bytes(content.replace(b"Rel", text.ljust(3, b"u")))
    with pytest.raises(ModelError, match="is no text"):
        read_file(path)
